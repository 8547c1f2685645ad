"""How replicas stand apart: those of what all services depend on never on one machine, where the pool keeps two.

The facts of topology spread are those of Kubernetes' documentation, "Pod Topology Spread Constraints"
(kubernetes/website, concepts/scheduling-eviction/topology-spread-constraints.md, read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ZONE: Final = "topology.kubernetes.io/zone"
HOSTNAME: Final = "kubernetes.io/hostname"
EACH_TEMPLATE: Final = ("pod-template-hash",)
"""Each template's pods are counted by themselves, or those that a rollout replaces would push the new ones together,
and a hard spread would let no new one beside the old ones of a pool of two (`matchLabelKeys`: beta and on by default
since Kubernetes 1.27, and of pods' affinity since 1.31: kubernetes/website#49926)."""
MACHINES_APART: Final = 2
"""From so many machines on that a pool keeps, two replicas have one each at any time."""


@dataclass(frozen=True)
class Apart:
    """How strictly replicas of what all services depend on keep to machines of their own.

    Soft ones come to stand together where one machine alone has room for a moment, as in a rollout on nearly full
    machines or in a drain, and nothing moves them apart later. Hard ones wait instead, and the node autoscaler adds a
    machine for them; until then the other replica answers. That never blocks for ever:

    - A rollout lays a new replica beside the old ones of any machine. Where its machine has no room for both, the
      pool grows: the settings refuse a pool of two or more that cannot (`stacks.settings`).
    - A replica that a drain took waits for its machine or for a new one, and holds the next drain as long: its budget
      would otherwise let the last one go.

    Zones stay soft: one may be lost or sold out for hours, and two machines in one zone are better than one replica.

    Not required anti-affinity: it lets one replica on a machine and no more, so that the third Envoy of a door on two
    machines would wait for ever. It does for two replicas, where a chart has no other field (Flagger's).
    """

    machines: int
    """Fewest that the pool keeps which anything may run on."""

    @property
    def hard(self) -> bool:
        """Whether a replica waits rather than stand beside another."""
        return self.machines >= MACHINES_APART

    def manifests(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """The constraints for pods with these labels, as Kubernetes writes them."""
        return [self._over_machines(labels), _rather(ZONE, labels)]

    def affinity(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """The same over machines, for what takes an affinity alone."""
        term = {
            "labelSelector": {"matchLabels": dict(labels)},
            "matchLabelKeys": list(EACH_TEMPLATE),
            "topologyKey": HOSTNAME,
        }
        if self.hard:
            return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        rather = [{"weight": 100, "podAffinityTerm": term}]
        return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": rather}}

    def _over_machines(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """Machines that take no such pod do not count: those of the fleet, and one that is being emptied.

        By default they do (`nodeTaintsPolicy: Ignore`), and then a third replica would wait beside two machines and
        an empty one of the fleet. But where one of two machines is cordoned or gone, one alone is left to count, and
        any number on it would be even: `minDomains` (stable since 1.30) makes it count as uneven.
        """
        if not self.hard:
            return _rather(HOSTNAME, labels)
        return {
            **_rather(HOSTNAME, labels),
            "whenUnsatisfiable": "DoNotSchedule",
            "minDomains": MACHINES_APART,
            "nodeTaintsPolicy": "Honor",
        }


def rather_apart(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Over zones and machines, but rather together than not at all: a GPU may be had in one place only."""
    return [_rather(over, labels) for over in (ZONE, HOSTNAME)]


def _rather(over: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": over,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(labels)},
        "matchLabelKeys": list(EACH_TEMPLATE),
    }
