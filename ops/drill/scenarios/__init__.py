"""The kinds of loss that a drill can go through, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ops.drill.run import Scenario
from ops.drill.scenarios.region_lost import RegionLost

SCENARIOS: Final[Mapping[str, Scenario]] = {RegionLost.name: RegionLost()}
