"""Changes that replace nothing, and still take something away or fail half-way: pure, one resource at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ops.diff.model import PropertyChange, Risk
from policies.inventory import Resource

_FIRST_OUT: Final = {
    "aws:cloudwatch/logGroup:LogGroup": ("retentionInDays",),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "rules.expiration.days",
        "rules.noncurrentVersionExpiration.noncurrentDays",
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": ("retentionDays",),
    "gcp:redis/instance:Instance": ("memorySizeGb",),
    "gcp:storage/bucket:Bucket": (
        "lifecycleRules.condition.age",
        "lifecycleRules.condition.daysSinceNoncurrentTime",
    ),
}
"""Type → inputs (without list positions) that keep less when they get smaller."""
_EKS_CLUSTER: Final = "aws:eks/cluster:Cluster"
_ENVOY_PROXY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"
_MADE_WITH: Final = ("aws-load-balancer-internal", "aws-load-balancer-type", "gke.io/load-balancer-type", "/l4-rbs")
"""How the annotations of a Service end that say which load balancer it gets."""
_NODE_POOL: Final = "gcp:container/nodePool:NodePool"

Told = Iterator[str]


def hazard(before: Resource, after: Resource, properties: Sequence[PropertyChange]) -> Risk | None:
    """What an update in place puts at risk; None where nothing is known to be."""
    found = [(what, remedy) for look, remedy in _LOOKS for what in look(before, after, properties)]
    if not found:
        return None
    whats, remedies = (dict.fromkeys(texts) for texts in zip(*found, strict=True))
    return Risk("; ".join(whats), after.stateful or _STAKES.get(after.type, ""), " ".join(remedies))


def _kept_shorter(_: Resource, after: Resource, properties: Sequence[PropertyChange]) -> Told:
    paths = _FIRST_OUT.get(after.type, ())
    for change in properties:
        old, new = _number(change.before), _number(change.after)
        if _plain(change.path) in paths and old is not None and new is not None and new < old:
            yield f"keeps less: {change.path} goes from {change.before} to {change.after}"


def _locked(before: Resource, after: Resource, _: Sequence[PropertyChange]) -> Told:
    """Neither clouds' lock can be taken back (Cloud Logging API, `locations.buckets`; Cloud Storage, "Bucket Lock",
    2026-11-21): a log bucket's retention stays, an object's may only grow."""
    if before.get("locked") is True:
        if after.get("locked") is not True or before.get("retentionDays") != after.get("retentionDays"):
            yield "is locked: Cloud Logging refuses another retention, and the update fails half-way"
    elif before.get("retentionPolicy.isLocked") is True:
        old, new = (_number(r.get("retentionPolicy.retentionPeriod")) for r in (before, after))
        kept = after.get("retentionPolicy.isLocked") is True and old is not None and new is not None and new >= old
        if not kept:
            yield "is locked: Cloud Storage refuses a shorter retention, and the update fails half-way"


def _control_plane(before: Resource, after: Resource, _: Sequence[PropertyChange]) -> Told:
    """EKS guide, "Update existing cluster to new Kubernetes version" and "Roll back" (of July 2026), 2026-11-21."""
    if after.type != _EKS_CLUSTER:
        return
    old, new = (_minor(r.get("version")) for r in (before, after))
    if old is None or new is None or new in (old, old + 1):
        return
    if new == old - 1:
        yield "goes back one minor version, which EKS allows for 7 days after an upgrade, machines first"
    else:
        yield f"goes from 1.{old} to 1.{new}: EKS takes one minor version at a time, and refuses the update"


def _zones_left(before: Resource, after: Resource, _: Sequence[PropertyChange]) -> Told:
    """GKE drops the zone's instance group, and no surge goes before it (believed, 2026-11-21)."""
    if after.type != _NODE_POOL:
        return
    old, new = (r.get("nodeLocations") for r in (before, after))
    gone = sorted(set(old) - set(new)) if isinstance(old, list) and isinstance(new, list) else []
    if gone:
        yield f"leaves {', '.join(gone)}: GKE deletes the machines there before others come"


def _load_balancer_stays(before: Resource, after: Resource, properties: Sequence[PropertyChange]) -> Told:
    """The clouds' controllers read what a load balancer is when its Service is made (`components.aws.door`; on Google
    Cloud believed, 2026-11-22): an edit leaves it where it was."""
    if before.type == after.type == _ENVOY_PROXY and any(c.path.endswith(_MADE_WITH) for c in properties):
        yield "keeps its load balancer, inside or on the internet as before, until the door's Service is deleted"


_LOOKS: Final[tuple[tuple[Callable[[Resource, Resource, Sequence[PropertyChange]], Told], str], ...]] = (
    (_kept_shorter, "Copy what is older and still needed before the update."),
    (_locked, "Keep the locked retention, or make a new one beside it under another name."),
    (_control_plane, "Go one minor version at a time, each in an update of its own."),
    (_zones_left, "Drain the machines there first, or add machines in the zones that stay."),
    (_load_balancer_stays, "Delete the door's Service right after the update, in an hour in which nobody asks."),
)
"""Where to look, and what to do about what is found."""
_STAKES: Final = {
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "objects and versions that are old enough",
    "gcp:container/nodePool:NodePool": "the pods on its machines",
    _ENVOY_PROXY: "who can reach the door",
}
"""Types that hold no state of their own → what is at stake."""


def _plain(path: str) -> str:
    return ".".join(part for part in path.split(".") if not part.isdigit())


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _minor(version: Any) -> int | None:
    found = _number(str(version).partition(".")[2])
    return None if found is None else int(found)
