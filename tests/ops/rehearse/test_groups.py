"""The rehearsal's node autoscaler: what it takes away was empty when it went."""

from __future__ import annotations

from typing import Any, cast

from components.contracts.capacity import Room
from localcloud.cluster import ControlPlane, NodeGroup
from ops.rehearse.groups import GroupScaler
from ops.rehearse.tempo import Tempo

GROUP = NodeGroup("gpu", Room(1, 4000, 16_384, 50_000), ("a",), min_nodes=0, max_nodes=3, nodes=2)
FIRST, SECOND = "gpu-000", "gpu-001"


class Cluster:
    """Two machines, their pods, and which of them are closed."""

    def __init__(self) -> None:
        self.groups = (GROUP,)
        self.machines = [FIRST, SECOND]
        self.pods: list[dict[str, Any]] = []
        self.closed: set[str] = set()
        self.lost: list[dict[str, Any]] = []

    nodes = client = property(lambda self: self)

    def names(self, group: str) -> list[str]:
        assert group == GROUP.name
        return list(self.machines)

    def list(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        assert (api_version, kind) == ("v1", "Pod")
        return [*self.pods]

    def cordon(self, name: str, closed: bool) -> bool:
        (self.closed.add if closed else self.closed.discard)(name)
        return name in self.machines

    def remove(self, names: list[str]) -> None:
        self.machines = [name for name in self.machines if name not in names]
        self.lost += [pod for pod in self.pods if pod["spec"].get("nodeName") in names]

    def place(self, machine: str) -> None:
        self.pods.append({"metadata": {}, "spec": {"nodeName": machine}})

    def wait_for_a_machine(self) -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        self.pods.append({"metadata": {}, "spec": {}, "status": {"conditions": [condition]}})


def scaler_of(cluster: Cluster) -> GroupScaler:
    return GroupScaler(cast(ControlPlane, cluster), Tempo(1.0), empty_seconds=0.0)


def test_an_empty_machine_goes_at_the_look_after_the_one_that_closes_it() -> None:
    cluster = Cluster()
    scaler = scaler_of(cluster)
    scaler.look()
    assert cluster.machines == [FIRST, SECOND] and cluster.closed == {FIRST, SECOND}
    scaler.look()
    assert cluster.machines == []


def test_a_pod_that_came_before_its_machine_was_closed_keeps_the_machine() -> None:
    cluster = Cluster()
    scaler = scaler_of(cluster)
    scaler.look()
    cluster.place(SECOND)  # bound by a scheduler that had not seen the machine closed
    scaler.look()
    assert cluster.machines == [SECOND] and cluster.lost == [] and cluster.closed == {FIRST}
    scaler.look()
    assert cluster.machines == [SECOND], "what is used is not closed again"


def test_a_pod_that_waits_opens_the_machines_that_were_about_to_go() -> None:
    cluster = Cluster()
    scaler = scaler_of(cluster)
    scaler.look()
    cluster.wait_for_a_machine()
    scaler.look()
    assert cluster.machines == [FIRST, SECOND] and cluster.closed == set()


def test_the_fewest_machines_of_a_group_stay_open() -> None:
    cluster = Cluster()
    cluster.groups = (NodeGroup("gpu", GROUP.room, ("a",), min_nodes=1, max_nodes=3, nodes=2),)
    scaler = scaler_of(cluster)
    for _ in range(3):
        scaler.look()
    assert len(cluster.machines) == 1 and not cluster.closed & set(cluster.machines)
