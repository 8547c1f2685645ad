"""A node autoscaler in small: groups of simulated machines that grow for pods that wait, and shrink when empty.

It stands for cluster-autoscaler and for GKE's: it goes by each group's fewest and most machines, takes the groups in
the pool's order, and knows a machine's start time. What those decide otherwise (estimates of many kinds of pods at
once, stock that runs out, moving pods together) is not judged by it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.contracts.scaling import GPU_MACHINE_SECONDS
from localcloud.cluster import ControlPlane, NodeGroup
from ops.rehearse.firewall import selects
from ops.rehearse.tempo import Tempo

LOOK_SECONDS: Final = 10.0
"""How often cluster-autoscaler looks: `--scan-interval`'s default (believed: from excerpts of its older source).
GKE's: believed to be alike."""


@dataclass
class _Coming:
    """Machines that were asked for and have not joined."""

    group: str
    count: int
    due: float


@dataclass
class GroupScaler:
    """The autoscaler of one control plane's groups; `running` makes it act in the background.

    Args:
        empty_seconds: after which a machine without pods of its own goes.
        lost_zones: where no machine can be had.
    """

    plane: ControlPlane
    tempo: Tempo
    empty_seconds: float
    machine_seconds: float = GPU_MACHINE_SECONDS
    lost_zones: set[str] = field(default_factory=set)
    error: Exception | None = None
    _coming: list[_Coming] = field(default_factory=list)
    _empty_since: dict[str, float] = field(default_factory=dict)
    _leaving: set[str] = field(default_factory=set)
    """Machines that take no pod any more, and go at the next look if none came before."""

    @contextlib.contextmanager
    def running(self) -> Iterator[GroupScaler]:
        """Act until the block ends; what went wrong is raised then."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.wait(max(0.1, self.tempo.shorter(LOOK_SECONDS))):
                try:
                    self.look()
                except Exception as error:
                    self.error = error
                    return

        thread = threading.Thread(target=loop, name="groups", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    def look(self) -> None:
        """One look: machines that are due join, pods that wait get some, empty ones go."""
        now = time.monotonic()
        for due in [c for c in self._coming if c.due <= now]:
            self._coming.remove(due)
            has = len(self.plane.nodes.names(due.group))
            self.plane.nodes.resize(due.group, has + due.count, wait=False, avoid=sorted(self.lost_zones))
        pods = self.plane.client.list("v1", "Pod")
        waiting = [pod for pod in pods if unschedulable(pod)]
        groups = list(self.plane.nodes.groups)
        for group, count in wanted(groups, waiting, self._on_the_way(), self.lost_zones).items():
            self._coming.append(_Coming(group, count, now + self.tempo.shorter(self.machine_seconds)))
        if waiting:
            self._keep(set(self._leaving))
        else:
            self._remove_empty(groups, pods, now)

    def _on_the_way(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for coming in self._coming:
            found[coming.group] = found.get(coming.group, 0) + coming.count
        return found

    def _remove_empty(self, groups: Sequence[NodeGroup], pods: Sequence[Mapping[str, Any]], now: float) -> None:
        """Close what has been empty for long, and remove what was closed at the last look and is empty still.

        A pod that came meanwhile is not taken with its machine: cluster-autoscaler taints a machine before it deletes
        it (`ToBeDeletedByClusterAutoscaler`, its FAQ, "How does scale-down work?"; believed, 2026-11-22).
        """
        used = {pod["spec"].get("nodeName") for pod in pods if not _of_every_node(pod)}
        for name in used & set(self._empty_since):
            del self._empty_since[name]
        self._keep(self._leaving & used)
        after = self.tempo.shorter(self.empty_seconds)
        spare: list[str] = []
        for group in groups:
            names = self.plane.nodes.names(group.name)
            empty = [name for name in names if name not in used]
            long = [name for name in empty if now - self._empty_since.setdefault(name, now) >= after]
            spare += long[: max(0, len(names) - group.min_nodes)]
        gone = [name for name in spare if name in self._leaving]
        for name in spare:
            if name not in self._leaving and self.plane.nodes.cordon(name, True):
                self._leaving.add(name)
        if gone:
            self.plane.nodes.remove(gone)
            self._leaving -= set(gone)
            for name in gone:
                del self._empty_since[name]

    def _keep(self, names: set[str]) -> None:
        for name in names:
            self.plane.nodes.cordon(name, False)
        self._leaving -= names


def unschedulable(pod: Mapping[str, Any]) -> bool:
    """Whether the scheduler found no machine for it."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return not pod["spec"].get("nodeName") and any(
        c["type"] == "PodScheduled" and c["status"] == "False" and c.get("reason") == "Unschedulable"
        for c in conditions
    )


def wanted(
    groups: Sequence[NodeGroup],
    waiting: Sequence[Mapping[str, Any]],
    coming: Mapping[str, int],
    lost_zones: set[str],
) -> dict[str, int]:
    """Machines to ask for, by group: the first group that would take a pod, and has room left within its bounds.

    Args:
        coming: machines that were asked for before.
    """
    asked: dict[str, int] = {}
    room = {g.name: coming.get(g.name, 0) * _held(g, waiting) for g in groups}
    for pod in waiting:
        for group in groups:
            if not takes(group, pod) or not set(group.zones) - lost_zones:
                continue
            if room[group.name] > 0:
                room[group.name] -= 1
                break
            more = group.nodes + coming.get(group.name, 0) + asked.get(group.name, 0)
            if more < group.max_nodes:
                asked[group.name] = asked.get(group.name, 0) + 1
                room[group.name] += _held(group, waiting) - 1
                break
    return asked


def _held(group: NodeGroup, waiting: Sequence[Mapping[str, Any]]) -> int:
    """How many pods like the first that fits would be on one machine."""
    return next((_fitting(group, pod) for pod in waiting if takes(group, pod)), 1)


def takes(group: NodeGroup, pod: Mapping[str, Any]) -> bool:
    """Whether a new machine of the group would be given the pod: size, selector, taints."""
    spec = pod["spec"]
    labels = dict(group.labels)
    if not all(labels.get(key) == value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    tolerated = spec.get("tolerations") or ()
    for taint in group.taints:
        if taint.effect != "PreferNoSchedule" and not any(
            _tolerates(t, taint.key, taint.value, taint.effect) for t in tolerated
        ):
            return False
    return _fitting(group, pod) > 0 and _affine(spec, labels)


def _affine(spec: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = (required or {}).get("nodeSelectorTerms") or ()
    return not terms or any(selects({"matchExpressions": t.get("matchExpressions") or ()}, labels) for t in terms)


def _tolerates(toleration: Mapping[str, Any], key: str, value: str, effect: str) -> bool:
    if toleration.get("key") and toleration["key"] != key:
        return False
    if toleration.get("effect") and toleration["effect"] != effect:
        return False
    return toleration.get("operator", "Equal") == "Exists" or toleration.get("value", "") == value


def _fitting(group: NodeGroup, pod: Mapping[str, Any]) -> int:
    """How many pods of this size one machine holds, beside what runs on every machine."""
    offered = {
        "cpu": group.room.cpu_millicores / 1000,
        "memory": group.room.memory_mib * 2**20,
        "ephemeral-storage": group.room.disk_mib * 2**20,
        "nvidia.com/gpu": group.room.gpus,
    }
    asked = requests(pod["spec"])
    return min((int(offered.get(name, 0) // need) for name, need in asked.items() if need > 0), default=group.pods)


def requests(spec: Mapping[str, Any]) -> dict[str, float]:
    """What a pod asks for: of each thing, the more of its init containers and of its containers together."""
    found: dict[str, float] = {}
    for container in spec.get("containers") or ():
        for name, text in ((container.get("resources") or {}).get("requests") or {}).items():
            found[name] = found.get(name, 0.0) + quantity(text)
    for container in spec.get("initContainers") or ():
        for name, text in ((container.get("resources") or {}).get("requests") or {}).items():
            found[name] = max(found.get(name, 0.0), quantity(text))
    return found


_UNITS: Final = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12} | {
    f"{letter}i": 1024.0 ** (power + 1) for power, letter in enumerate("KMGT")
}


def quantity(text: str | float) -> float:
    """A quantity in Kubernetes' notation, as a number."""
    written = str(text)
    for unit in sorted(_UNITS, key=len, reverse=True):
        if written.endswith(unit):
            return float(written.removesuffix(unit)) * _UNITS[unit]
    return float(written)


def _of_every_node(pod: Mapping[str, Any]) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner["kind"] == "DaemonSet" for owner in owners)
