"""What a contextual bandit's router is told by its service's settings; its module `routing` reads it."""

from __future__ import annotations

import json
from typing import Any, Final

from pulumi_kubernetes.core.v1 import EnvVarArgs

from components.contracts.bandit_specs import Contextual
from components.contracts.traffic_base import Traffic

ROUTER: Final = "SEAWALL_ROUTER"
"""The variable of the serving container."""


def settings(spec: Contextual) -> dict[str, Any]:
    """What the router is told."""
    return {
        "arms": dict(spec.arms),
        "default": spec.default,
        "features": list(spec.features),
        "explore_percent": spec.explore_percent,
        "latency_budget_ms": spec.latency_budget_ms,
        "log_values_of": list(spec.log_values_of),
    }


def environment(traffic: Traffic) -> list[EnvVarArgs]:
    """The variable, where the strategy is contextual."""
    if not isinstance(traffic, Contextual):
        return []
    return [EnvVarArgs(name=ROUTER, value=json.dumps(settings(traffic)))]
