"""What a replacement, a removal or a new name puts at risk: pure, one resource among all of its stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from components.contracts.stateful import GUARDS
from ops.diff.model import PropertyChange, Risk
from ops.diff.remedies import before_removal, how_to_move
from policies.inventory import UNKNOWN, Resource

_PROTECTIONS: Final[Mapping[str, tuple[object, ...]]] = {
    **GUARDS,
    "protect": (True,),
    "retainOnDelete": (True,),
    "pointInTimeRecovery.enabled": (True,),
}
"""Path → the values that protect what a resource holds."""
CARRIERS: Final[Mapping[str, str]] = {
    "aws:eks/nodeGroup:NodeGroup": "the pods on its machines",
    "gcp:container/nodePool:NodePool": "the pods on its machines",
}
"""Types that hold no state, but carry what serves: deleting one before its successor is there interrupts it."""
GROUND: Final[Mapping[str, str]] = {
    "aws:ec2/subnet:Subnet": "what has addresses in it",
    "aws:ec2/vpc:Vpc": "the cluster and all that has addresses in it",
    "gcp:compute/network:Network": "the cluster and all that has addresses in it",
    "gcp:compute/subnetwork:Subnetwork": "the cluster and all that has addresses in it",
}
"""Types that the clouds do not delete while anything stands on them, be it of another program."""
_CANARY: Final = "kubernetes:flagger.app/v1beta1:Canary"
_OF_A_CANARY: Final = ("kubernetes:core/v1:Service", "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute")
"""What Flagger makes under the service's own name (`components.kubernetes.rollouts`)."""
_REQUESTS: Final = "the service's requests"


def taken_away(gone: Resource, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Risk | None:
    """An object of a cluster under another logical name is made first and deleted afterwards, and is one object.

    Pulumi's provider for Kubernetes makes nothing that is there already; before 4.29.0 it took the object over, and
    the deletion then removed it (its release notes of 4.29.0, #2926; read 2026-11-22).
    """
    same = object_id(gone)
    if same is None or all(urn in before or object_id(r) != same for urn, r in after.items()):
        return None
    return Risk(
        "is still there when it is made under its new name, and the update fails half-way: give the new one an alias",
        " ".join(same),
        f"Give the new one `aliases=[pulumi.Alias(name={gone.name!r})]`.",
    )


def left_to_flagger(gone: Resource, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Risk | None:
    """Pulumi deletes at the end what Flagger has taken over by then, and Flagger makes it anew at its next look."""
    if gone.type not in _OF_A_CANARY or _of_canary(gone, before) or not _of_canary(gone, after):
        return None
    return Risk(
        "is deleted, and Flagger makes its own of this name only once its copy of the release is ready and it has "
        "looked again (step_seconds): requests fail until then",
        _REQUESTS,
        "Do it in an hour in which nobody asks this service, or send its callers to another one meanwhile.",
    )


def still_flaggers(new: Resource, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Risk | None:
    """Flagger's own object of this name is there until its Canary goes."""
    if new.type not in _OF_A_CANARY or _of_canary(new, after) or not _of_canary(new, before):
        return None
    return Risk(
        "is there already, made by Flagger, so that the update fails half-way: delete the Canary first",
        _REQUESTS,
        "Delete the Canary with kubectl right before the update.",
    )


def _of_canary(resource: Resource, resources: Mapping[str, Resource]) -> bool:
    """Whether a Canary there bears the resource's name."""
    name = resource.get("metadata.name")
    return any(r.type == _CANARY and r.get("metadata.name") == name for r in resources.values())


def object_id(resource: Resource) -> tuple[str, ...] | None:
    """API group, kind, namespace and name of an object of the cluster, as the API server tells objects apart."""
    package, _, kind = resource.type.rpartition(":")
    if not resource.custom or not package.startswith("kubernetes:"):
        return None
    group = package.removeprefix("kubernetes:").partition("/")[0]
    name, namespace = resource.get("metadata.name"), resource.get("metadata.namespace", "")
    return (group, kind, str(namespace), name) if isinstance(name, str) and name != UNKNOWN else None


def removal_risk(resource: Resource) -> Risk | None:
    """What goes with a resource."""
    stateful = resource.stateful
    if stateful is None:
        ground = GROUND.get(resource.type)
        if not ground:
            return None
        what = "cannot be deleted while anything is on it: the update fails half-way"
        return Risk(what, ground, "Move what is on it first, in an update of its own.")
    if resource.protect:
        what = "removed while protected: the update will fail until it is unprotected"
        return Risk(what, stateful, before_removal(resource))
    if resource.retain_on_delete:
        what = "removed from the program, but kept in the cloud, unmanaged"
        return Risk(what, stateful, "Delete it by hand once nobody needs it, or import it where it is to be managed.")
    return Risk("will be deleted", stateful, before_removal(resource))


def replacement_risk(before: Resource, after: Resource, *, first: bool) -> Risk | None:
    """What goes with a resource that is made anew; `first`: it is deleted before its successor is there."""
    stateful = before.stateful or after.stateful
    if stateful:
        return Risk("will be replaced: its content is not moved", stateful, how_to_move(before))
    if after.type in GROUND:
        what = "cannot be replaced while anything is on it: the update fails half-way"
        remedy = "Make the new one beside it under another name, move what is on it, and remove it in a later update."
        return Risk(what, GROUND[after.type], remedy)
    if first and after.type in CARRIERS:
        remedy = "Add a second pool with the new values, let the pods move, and remove this one in a later update."
        return Risk("will be deleted before its successor is made", CARRIERS[after.type], remedy)
    return None


def protection_risk(
    before: Resource, after: Resource, properties: Iterable[PropertyChange], found: Risk | None
) -> Risk | None:
    """`found`, and the protection that an update takes from a resource with state."""
    lost = sorted(p.path for p in properties if is_lost(p))
    stateful = before.stateful or after.stateful
    if not lost or stateful is None:
        return found
    more = f"; {found.what}" if found else ""
    remedy = "Keep the protection, or take it away in an update that does nothing else."
    return Risk(f"loses its protection ({', '.join(lost)}){more}", stateful, found.remedy if found else remedy)


def is_lost(change: PropertyChange) -> bool:
    """Whether a change takes a protection away."""
    safe = _PROTECTIONS.get(change.path, ())
    return _resists(change.before, safe) and not _resists(change.after, safe)


def _resists(value: object, safe: tuple[object, ...]) -> bool:
    """Whether an input with this value protects; an absent one does where the default is False and that is safe."""
    return value in safe or (value is None and False in safe)
