"""The kinds of loss that a drill can go through, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ops.drill.run import Scenario
from ops.drill.scenarios.bad_release import BadRelease
from ops.drill.scenarios.failback import Failback
from ops.drill.scenarios.harmed import ObjectsHarmed, TableHarmed
from ops.drill.scenarios.key_lost import KeyLost
from ops.drill.scenarios.region_lost import RegionLost
from ops.drill.scenarios.restore_test import RestoreTest

_ALL: Final[tuple[Scenario, ...]] = (
    RegionLost(),
    KeyLost(),
    ObjectsHarmed("deleted"),
    ObjectsHarmed("encrypted"),
    TableHarmed("deleted"),
    TableHarmed("encrypted"),
    BadRelease(),
    Failback(),
    RestoreTest(),
)
SCENARIOS: Final[Mapping[str, Scenario]] = {scenario.name: scenario for scenario in _ALL}
