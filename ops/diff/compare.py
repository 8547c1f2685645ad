"""Compares two inventories of one stack: pure, property by property."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from components.contracts.stateful import GUARDS
from ops.diff.hazards import hazard
from ops.diff.model import Order, PropertyChange, ResourceChange, Risk, StackDiff, VerdictChange
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Finding, Verdict

Evaluate = Callable[[Inventory], Iterable[Finding]]

_ABSENT: Final = object()
_FROM: Final = " (comes from)"
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

_TOLD: Final = (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Providers:
    """What the real providers do with a change."""

    replace_on: Callable[[str], Iterable[str]]
    """Type token → input paths (without list positions) whose change replaces the resource."""
    takes_list: Callable[[str, str], bool]
    """Type token, input path → whether a list is expected there."""
    deletes_first: Callable[[str, Mapping[str, Any], Mapping[str, Any]], bool]
    """Type token, inputs before and after → whether a replacement deletes first where the program does not say."""


def compare(
    stack: str, base: Inventory | None, head: Inventory | None, *, providers: Providers, evaluate: Evaluate
) -> StackDiff:
    """What `head` changes in `base`; None stands for a stack that does not exist on that side.

    The rules are head's for both sides, so that a changed rule shows as a changed verdict only where it matters.
    """
    after = head.by_urn if head else {}
    before = _under_new_names(base.by_urn if base else {}, after)
    told = [
        *(
            ResourceChange("added", r, risk=_still_flaggers(r, before, after))
            for urn, r in after.items()
            if urn not in before
        ),
        *(
            change
            for urn, r in after.items()
            if urn in before and (change := _changed(before[urn], r, providers)) is not None
        ),
        *(
            ResourceChange(
                "removed",
                r,
                risk=_removal_risk(r) or _taken_away(r, before, after) or _left_to_flagger(r, before, after),
            )
            for urn, r in before.items()
            if urn not in after
        ),
    ]
    return StackDiff(
        stack=stack,
        fate="both" if base and head else "new" if head else "gone",
        changes=tuple(_with_followers(told, before, after, providers)),
        outputs=tuple(_properties(base.outputs if base else {}, head.outputs if head else {}, ())),
        verdicts=tuple(_verdicts(evaluate(base) if base else (), evaluate(head) if head else ())),
    )


def _under_new_names(before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Mapping[str, Resource]:
    """`before` with the URNs that the resources of `after` have, where their aliases name the old ones."""
    moved = {old: urn for urn, r in after.items() if urn not in before for old in r.aliases if old in before}
    if not moved:
        return before

    def named(urns: Iterable[str]) -> tuple[str, ...]:
        return tuple(moved.get(urn, urn) for urn in urns)

    return {
        moved.get(urn, urn): replace(
            resource,
            urn=moved.get(urn, urn),
            name=moved.get(urn, urn).rsplit("::", 1)[-1],
            parent=resource.parent and moved.get(resource.parent, resource.parent),
            dependencies=named(resource.dependencies),
            property_dependencies={prop: named(urns) for prop, urns in resource.property_dependencies.items()},
        )
        for urn, resource in before.items()
    }


def _taken_away(gone: Resource, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Risk | None:
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
    )


def _left_to_flagger(gone: Resource, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Risk | None:
    """Pulumi deletes at the end what Flagger has taken over by then, and Flagger makes it anew at its next look."""
    if gone.type not in _OF_A_CANARY or _of_canary(gone, before) or not _of_canary(gone, after):
        return None
    return Risk(
        "is deleted, and Flagger makes its own of this name only once its copy of the release is ready and it has "
        "looked again (step_seconds): requests fail until then",
        _REQUESTS,
    )


def _still_flaggers(new: Resource, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Risk | None:
    if new.type not in _OF_A_CANARY or _of_canary(new, after) or not _of_canary(new, before):
        return None
    return Risk(
        "is there already, made by Flagger, so that the update fails half-way: delete the Canary first", _REQUESTS
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


def _changed(before: Resource, after: Resource, providers: Providers) -> ResourceChange | None:
    replacing = tuple(providers.replace_on(after.type))
    inputs = (
        *_properties(before.inputs, after.inputs, replacing),
        *_links(before, after, replacing, providers.takes_list),
    )
    sent = (change for change in inputs if not _ignored(change.path, after.ignore_changes))
    properties = [*sent, *_options(before, after)]
    if not properties:
        return None
    if any(p.replaces for p in properties):
        return _replaced(before, after, properties, providers)
    lost = sorted(p.path for p in properties if _lost(p))
    stateful = before.stateful or after.stateful
    risk = hazard(before, after, properties)
    if lost and stateful:
        more = f"; {risk.what}" if risk else ""
        risk = Risk(f"loses its protection ({', '.join(lost)}){more}", stateful)
    return ResourceChange("changed", after, tuple(properties), risk)


def _replaced(
    before: Resource, after: Resource, properties: Iterable[PropertyChange], providers: Providers
) -> ResourceChange:
    asked = after.delete_before_replace
    first = providers.deletes_first(after.type, before.inputs, after.inputs) if asked is None else asked
    order: Order = "deleted first" if first else "the new one first"
    risk = None
    if stateful := before.stateful or after.stateful:
        risk = Risk("will be replaced: its content is not moved", stateful)
    elif after.type in GROUND:
        risk = Risk("cannot be replaced while anything is on it: the update fails half-way", GROUND[after.type])
    elif first and after.type in CARRIERS:
        risk = Risk("will be deleted before its successor is made", CARRIERS[after.type])
    return ResourceChange("replaced", after, tuple(properties), risk, order)


def _with_followers(
    changes: list[ResourceChange],
    before: Mapping[str, Resource],
    after: Mapping[str, Resource],
    providers: Providers,
) -> Iterator[ResourceChange]:
    """Add the replacements that replacements bring: a new resource has a new id, and some inputs cannot change."""
    by_urn = {change.resource.urn: change for change in changes}
    pending = [urn for urn, change in by_urn.items() if change.action == "replaced"]
    while pending:
        cause = pending.pop()
        for urn, resource in after.items():
            known = by_urn.get(urn)
            if urn not in before or (known and known.action == "replaced"):
                continue
            followed = _followed(resource, cause, tuple(providers.replace_on(resource.type)))
            if followed:
                own = known.properties if known else ()
                by_urn[urn] = _replaced(before[urn], resource, (*own, *followed), providers)
                pending.append(urn)
    yield from by_urn.values()


def _followed(resource: Resource, cause: str, replacing: tuple[str, ...]) -> list[PropertyChange]:
    """The inputs of `resource` that take a value which only `cause` can give, and that replace it."""
    name = cause.rsplit("::", 1)[-1]
    return [
        PropertyChange(prop, f"from {name}", f"from the new {name}", replaces=True)
        for prop, sources in resource.property_dependencies.items()
        if cause in sources
        and not _ignored(prop, resource.ignore_changes)
        and any(_replaces(path, replacing) for path in resource.unknown_paths if path.split(".")[0] == prop)
    ]


def _properties(
    before: Mapping[str, Any], after: Mapping[str, Any], replacing: tuple[str, ...]
) -> Iterator[PropertyChange]:
    for path, old, new in _walk(before, after, ""):
        yield PropertyChange(path, _shown(old), _shown(new), replaces=_replaces(path, replacing))


def _links(
    before: Resource, after: Resource, replacing: tuple[str, ...], takes_list: Callable[[str, str], bool]
) -> Iterator[PropertyChange]:
    """An input that is unknown on both sides may still come from another resource than before.

    It then has another value if a source went and another came. A list that is unknown as a whole has more members
    with each source. Otherwise a source that comes or goes alone is one that the value only waits for.
    """
    for prop in sorted({*before.property_dependencies, *after.property_dependencies}):
        old = set(before.property_dependencies.get(prop, ()))
        new = set(after.property_dependencies.get(prop, ()))
        told_already = before.inputs.get(prop) != after.inputs.get(prop)
        if old == new or told_already:
            continue
        unknown = [path for path in after.unknown_paths if path.split(".")[0] == prop]
        exchanged = bool(old - new and new - old)
        replaces = any(_replaces(path, replacing) and (exchanged or takes_list(after.type, path)) for path in unknown)
        yield PropertyChange(f"{prop}{_FROM}", _names(old), _names(new), replaces)


def _ignored(path: str, ignored: Iterable[str]) -> bool:
    """Whether the program keeps a change of an input to itself; of a part of one, if it ignores the whole."""
    inside = path.removesuffix(_FROM).replace("»", "")
    return any(inside == name or inside.startswith(f"{name}.") for name in ignored)


def _options(before: Resource, after: Resource) -> Iterator[PropertyChange]:
    options = {
        "protect": (before.protect, after.protect),
        "ignoreChanges": (" ".join(before.ignore_changes) or None, " ".join(after.ignore_changes) or None),
        "retainOnDelete": (before.retain_on_delete, after.retain_on_delete),
        "region (resolved)": (before.region, after.region),
        "state (declared)": (before.stateful and str(before.stateful), after.stateful and str(after.stateful)),
    }
    for path, (old, new) in options.items():
        if old != new:
            yield PropertyChange(path, old, new)


def _walk(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Leaves that differ. JSON texts, as policy documents are, are compared inside."""
    if old == new:
        return
    inside_old, inside_new = _parsed(old), _parsed(new)
    if inside_old is not None and inside_new is not None:
        yield from _walk(inside_old, inside_new, f"{path}»")
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _walk(old.get(key, _ABSENT), new.get(key, _ABSENT), _join(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            a = old[index] if index < len(old) else _ABSENT
            b = new[index] if index < len(new) else _ABSENT
            yield from _walk(a, b, _join(path, str(index)))
    else:
        yield path, old, new


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: object) -> object:
    return None if value is _ABSENT else value


def _replaces(path: str, replacing: tuple[str, ...]) -> bool:
    names = [part for part in path.replace("»", "").split(".") if not part.isdigit()]
    return any(names[: len(r)] == r or r[: len(names)] == names for r in (text.split(".") for text in replacing))


def _names(urns: Iterable[str]) -> str:
    return ", ".join(sorted({urn.rsplit("::", 1)[-1] for urn in urns})) or "nothing"


def _removal_risk(resource: Resource) -> Risk | None:
    stateful = resource.stateful
    if stateful is None:
        ground = GROUND.get(resource.type)
        return (
            Risk("cannot be deleted while anything is on it: the update fails half-way", ground) if ground else None
        )
    if resource.protect:
        return Risk("removed while protected: the update will fail until it is unprotected", stateful)
    if resource.retain_on_delete:
        return Risk("removed from the program, but kept in the cloud, unmanaged", stateful)
    return Risk("will be deleted", stateful)


def _lost(change: PropertyChange) -> bool:
    safe = _PROTECTIONS.get(change.path, ())
    return _resists(change.before, safe) and not _resists(change.after, safe)


def _resists(value: object, safe: tuple[object, ...]) -> bool:
    """Whether an input with this value protects; an absent one does where the default is False and that is safe."""
    return value in safe or (value is None and False in safe)


def _verdicts(before: Iterable[Finding], after: Iterable[Finding]) -> Iterator[VerdictChange]:
    old, new = ({finding.key: finding for finding in side} for side in (before, after))
    for key in (*new, *(key for key in old if key not in new)):
        was, now = old.get(key), new.get(key)
        told = now or was
        assert told is not None, "the key comes from one of the sides"  # noqa: S101
        before_verdict, after_verdict = was.verdict if was else None, now.verdict if now else None
        if before_verdict == after_verdict or not told.urn:
            continue
        if (was is None or now is None) and told.verdict in _TOLD:
            continue
        rule = told.rule
        yield VerdictChange(
            rule.id, rule.severity, rule.title, told.name, before_verdict, after_verdict, told.reason if now else ""
        )
