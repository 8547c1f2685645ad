"""How requests are shared out between the variants of a service: one settings class for each strategy.

Not here: the routes that a strategy makes (`components.kubernetes.routes`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.contracts.bandit_specs import Bandit, Contextual
from components.contracts.rollout_specs import BlueGreen, Canary, Rolling
from components.contracts.variant_specs import ABTest, Shadow

TrafficSpec = Annotated[
    Rolling | BlueGreen | Canary | Shadow | ABTest | Bandit | Contextual, Field(discriminator="strategy")
]
