"""Two Envoys on machines that are nearly full: what is soft comes to stand together, and what is hard never does.

The same machines each time: one has room for both replicas, the other for one and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from common.console import Steps
from components.contracts.apart import Apart
from components.contracts.capacity import Room
from components.contracts.door import Exposure
from components.kubernetes.gateway.objects import NAMESPACE, proxy
from localcloud.cluster import ControlPlane, NodeGroup, Pace, control_plane
from ops.rehearse import standing
from ops.rehearse.chart_pods import of_proxies
from ops.rehearse.groups import GroupScaler
from ops.rehearse.laying import lay
from ops.rehearse.model import Report
from ops.rehearse.placing import drain_of, uncordon
from ops.rehearse.stage import Stage
from ops.rehearse.tempo import Tempo
from stacks.settings import Settings, stack_file

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("apart")]

STACK: Final = "staging-aws"
DOOR: Final = (NAMESPACE, "door")
SPEED: Final = 60.0
ENVOY_MILLICORES: Final = 500
"""What each asks for."""
MACHINES: Final = NodeGroup(
    "system",
    Room(0, 3 * ENVOY_MILLICORES - 100, 8192, 50_000),
    ("a", "b"),
    min_nodes=2,
    max_nodes=3,
    nodes=2,
)
OTHER_WORK: Final = "other-work"
SETTINGS: Final = Settings.load(stack_file(STACK))
PACE: Final = Pace(0.2, pod_gone_seconds=0.1)
ROLLED: Final = "what all services depend on stands apart after a rollout"
DRAINED: Final = "what all services depend on stands apart after all drains"
ENDED: Final = "rollouts of what all services depend on finish"


def envoys(apart: Apart) -> list[dict[str, Any]]:
    """The Deployment and budget that Envoy Gateway makes of a stack's door."""
    made = of_proxies([proxy(SETTINGS.fleet.door, "envoy", Exposure(), apart)])
    for item in made:
        if item["kind"] == "Deployment":
            item["spec"]["template"]["spec"].pop("priorityClassName")  # nobody is pushed out here
    return made


@dataclass
class Scene:
    """Two Envoys, each on a machine of its own where there are two."""

    stage: Stage

    @property
    def plane(self) -> ControlPlane:
        """Where they stand."""
        return self.stage.plane

    @property
    def failed(self) -> list[str]:
        """What does not hold."""
        return [check.name for check in self.stage.report.failed]

    def machines(self) -> list[str]:
        """The machine of each."""
        return [pod["spec"]["nodeName"] for pod in standing.pods(self.stage, DOOR)]

    def fill(self) -> None:
        """Leave room for one Envoy, and for no second one, on one of the two machines."""
        first, last = self.machines()
        assert first != last
        asked = {"requests": {"cpu": f"{ENVOY_MILLICORES}m"}}
        pod = {"nodeName": last, "containers": [{"name": "work", "image": "work", "resources": asked}]}
        metadata = {"name": OTHER_WORK, "namespace": "default"}
        lay(self.plane, [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}])


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Two machines, one more of which can be had."""
    with control_plane(SETTINGS.cluster.version, [MACHINES], pace=PACE) as running:
        yield running


@contextmanager
def scene(plane: ControlPlane, apart: Apart, *, patience_seconds: float = 60.0) -> Iterator[Scene]:
    """The door on fresh machines; what one scene left there is gone in the next."""
    plane.nodes.resize(MACHINES.name, 0)
    plane.nodes.resize(MACHINES.name, plane.nodes.groups[0].min_nodes)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    lay(plane, [namespace])
    tempo = Tempo(SPEED)
    stage = Stage(
        plane=plane,
        settings=SETTINGS,
        variant=SETTINGS.fleet.variants[0],
        objects=lay(plane, envoys(apart)),
        scaler=GroupScaler(plane, tempo, empty_seconds=300.0),
        tempo=tempo,
        report=Report(STACK, plane.version, tempo),
        steps=Steps(quiet=True),
        patience_seconds=patience_seconds,
    )
    try:
        assert stage.wait(lambda: len(standing.pods(stage, DOOR)) == 2, 60) is not None
        yield Scene(stage)
    finally:
        for kind, version in (("Deployment", "apps/v1"), ("PodDisruptionBudget", "policy/v1")):
            plane.client.delete(version, kind, DOOR[1], DOOR[0])


def test_hard_ones_stand_apart_after_a_rollout_on_nearly_full_machines_and_after_every_drain(
    plane: ControlPlane,
) -> None:
    with scene(plane, Apart(2)) as found, found.stage.scaler.running():
        found.fill()
        standing.rolled(found.stage, [DOOR])
        standing.every_drain(found.stage)
        assert found.failed == [] and {ROLLED, DRAINED} <= {check.name for check in found.stage.report.checks}


def test_soft_ones_come_to_stand_together_in_both_and_stay_so(plane: ControlPlane) -> None:
    with scene(plane, Apart(1)) as found:
        found.fill()
        standing.rolled(found.stage, [DOOR])
        assert found.failed == [ROLLED]
        found.plane.client.delete("v1", "Pod", OTHER_WORK, "default", grace_seconds=0)
        standing.every_drain(found.stage)
        assert found.failed == [ROLLED, DRAINED] and len(set(found.machines())) == 1


def test_a_pool_that_cannot_grow_may_hold_up_a_rollout_and_one_more_machine_ends_it(plane: ControlPlane) -> None:
    """Why the settings refuse such a pool."""
    with scene(plane, Apart(2), patience_seconds=10.0) as found:
        found.fill()
        standing.rolled(found.stage, [DOOR])
        assert found.failed == [ENDED]
        plane.nodes.resize(MACHINES.name, 3)
        found.stage.patience_seconds = 60.0
        standing.rolled(found.stage, [DOOR])
        assert found.failed == [ENDED] and len(set(found.machines())) == 2


def test_a_drain_keeps_the_last_one_until_the_other_is_back_and_no_longer(plane: ControlPlane) -> None:
    with scene(plane, Apart(2), patience_seconds=3.0) as found:
        first, last = found.machines()
        assert drain_of(found.stage, first) is not None
        assert drain_of(found.stage, last) is None, "the budget let the last one go"
        assert found.machines() == [last]
        found.stage.patience_seconds = 60.0
        uncordon(found.stage, [first])
        assert drain_of(found.stage, last) is not None
        uncordon(found.stage, [last])
        assert found.stage.wait(lambda: len(found.machines()) == 2) is not None
        assert len(set(found.machines())) == 2


def test_on_a_pool_that_keeps_one_machine_the_report_names_what_is_not_judged() -> None:
    alone = replace(MACHINES, min_nodes=1, nodes=1)
    with (
        control_plane(SETTINGS.cluster.version, [alone], pace=PACE) as plane,
        scene(plane, Apart(1)) as found,
        found.stage.scaler.running(),
    ):
        standing.rolled(found.stage, [DOOR])
        standing.every_drain(found.stage)
        report = found.stage.report
        assert found.failed == [] and not {ROLLED, DRAINED} & {check.name for check in report.checks}
        reason = "the pools keep one machine for it at the fewest"
        assert report.to_json()["not_judged"] == [f"{ROLLED}: {reason}", f"{DRAINED}: {reason}"]
