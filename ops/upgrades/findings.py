"""Compares the versions that a cluster's settings ask for with the newest that are known. Knows no command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from components.contracts.cluster import ClusterSpec
from components.contracts.releases import MINORS, offered, resolved, versions_key
from components.contracts.vocabulary import Cloud

SOON_DAYS = 90
"""How long before a version's support ends it is a finding of its own."""


@dataclass(frozen=True)
class Newest:
    """The newest versions that a source knows for one cluster version."""

    source: str
    """Who says so, as a report prints it."""
    minors: Mapping[str, date]
    """Minor version on offer → the last day of its support."""
    believed: frozenset[str] = frozenset()
    """Minor versions whose last day is not the cloud's own word."""
    nodes: str = ""
    addons: Mapping[str, str] = field(default_factory=dict)
    patch: str = ""
    """Google Cloud: the channel's default for the version."""


@dataclass(frozen=True)
class Part:
    """One part of a cluster, in the order in which parts are upgraded."""

    part: str
    asked: str
    newest: str
    newer: bool
    """Whether there is something to do."""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def from_tables(cloud: Cloud, version: str) -> Newest:
    """What the pinned tables know."""
    known = MINORS[cloud]
    return Newest(
        "the tables of this version of Seawall",
        {name: date.fromisoformat(known[name].supported_until) for name in offered(cloud)},
        frozenset(name for name in offered(cloud) if known[name].believed),
        known[version].nodes,
        known[version].addons,
        known[version].newest,
    )


def compare(cloud: Cloud, cluster: ClusterSpec, newest: Newest, today: date) -> list[Part]:
    """Control plane, then add-ons, then machines: the order of an upgrade."""
    parts = [_control_plane(cluster.version, newest, today)]
    if cloud is Cloud.GCP:
        note = "GKE brings it, and the machines after it, in the maintenance window"
        parts.append(Part("patch", "the channel's", newest.patch or "unknown", False, note))
        return parts
    asked = resolved(cluster.version, cluster.release.nodes, {**cluster.release.addons})
    parts += [
        _part(f"add-on {name}", version, newest.addons.get(name, ""))
        for name, version in sorted(asked.addons.items())
    ]
    parts.append(_part("machines", asked.nodes, newest.nodes))
    return parts


def _part(part: str, asked: str, newest: str) -> Part:
    if not newest:
        return Part(part, asked, "unknown", False, "the source does not say")
    return Part(part, asked, newest, versions_key(asked) < versions_key(newest))


def _control_plane(version: str, newest: Newest, today: date) -> Part:
    later = sorted((name for name in newest.minors if versions_key(name) > versions_key(version)), key=versions_key)
    ends = newest.minors.get(version)
    notes = []
    if ends is None:
        notes.append("no longer on offer")
    else:
        left = (ends - today).days
        believed = ", believed" if version in newest.believed else ""
        notes.append(f"supported until {ends}{believed}" if left >= 0 else f"support ended on {ends}{believed}")
        if 0 <= left <= SOON_DAYS:
            notes.append(f"{left} days left")
    if later:
        notes.append(f"go to {later[0]} next: one minor version at a time")
    overdue = ends is None or (ends - today).days <= SOON_DAYS
    return Part("control plane", version, later[-1] if later else version, bool(later) or overdue, "; ".join(notes))
