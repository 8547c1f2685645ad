"""Compares two inventories of one stack: pure, property by property."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from components.contracts.stateful import GUARDS
from ops.diff.model import PropertyChange, ResourceChange, Risk, StackDiff, VerdictChange
from policies.inventory import Inventory, Resource
from policies.model import Finding, Verdict

ReplaceOn = Callable[[str], Iterable[str]]
"""Type token → input paths (without list positions) for which the real provider replaces the resource."""
Evaluate = Callable[[Inventory], Iterable[Finding]]

_ABSENT: Final = object()
_PROTECTIONS: Final[Mapping[str, tuple[object, ...]]] = {
    **GUARDS,
    "protect": (True,),
    "retainOnDelete": (True,),
    "pointInTimeRecovery.enabled": (True,),
}
"""Path → the values that protect what a resource holds."""
_TOLD: Final = (Verdict.PASS, Verdict.NOT_APPLICABLE)


def compare(
    stack: str, base: Inventory | None, head: Inventory | None, *, replace_on: ReplaceOn, evaluate: Evaluate
) -> StackDiff:
    """What `head` changes in `base`; None stands for a stack that does not exist on that side.

    The rules are head's for both sides, so that a changed rule shows as a changed verdict only where it matters.
    """
    before = base.by_urn if base else {}
    after = head.by_urn if head else {}
    told = [
        *(ResourceChange("added", r) for urn, r in after.items() if urn not in before),
        *(
            change
            for urn, r in after.items()
            if urn in before and (change := _changed(before[urn], r, tuple(replace_on(r.type)))) is not None
        ),
        *(ResourceChange("removed", r, risk=_removal_risk(r)) for urn, r in before.items() if urn not in after),
    ]
    return StackDiff(
        stack=stack,
        fate="both" if base and head else "new" if head else "gone",
        changes=tuple(_with_followers(told, before, after, replace_on)),
        outputs=tuple(_properties(base.outputs if base else {}, head.outputs if head else {}, ())),
        verdicts=tuple(_verdicts(evaluate(base) if base else (), evaluate(head) if head else ())),
    )


def _changed(before: Resource, after: Resource, replacing: tuple[str, ...]) -> ResourceChange | None:
    properties = [
        *_properties(before.inputs, after.inputs, replacing),
        *_links(before, after),
        *_options(before, after),
    ]
    if not properties:
        return None
    replaced = any(p.replaces for p in properties)
    risk = _change_risk(before, after, properties, replaced)
    return ResourceChange("replaced" if replaced else "changed", after, tuple(properties), risk)


def _with_followers(
    changes: list[ResourceChange],
    before: Mapping[str, Resource],
    after: Mapping[str, Resource],
    replace_on: ReplaceOn,
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
            followed = _followed(resource, cause, tuple(replace_on(resource.type)))
            if followed:
                own = known.properties if known else ()
                by_urn[urn] = ResourceChange(
                    "replaced", resource, (*own, *followed), _change_risk(before[urn], resource, (), True)
                )
                pending.append(urn)
    yield from by_urn.values()


def _followed(resource: Resource, cause: str, replacing: tuple[str, ...]) -> list[PropertyChange]:
    """The inputs of `resource` that take a value which only `cause` can give, and that replace it."""
    name = cause.rsplit("::", 1)[-1]
    return [
        PropertyChange(prop, f"from {name}", f"from the new {name}", replaces=True)
        for prop, sources in resource.property_dependencies.items()
        if cause in sources
        and any(_replaces(path, replacing) for path in resource.unknown_paths if path.split(".")[0] == prop)
    ]


def _properties(
    before: Mapping[str, Any], after: Mapping[str, Any], replacing: tuple[str, ...]
) -> Iterator[PropertyChange]:
    for path, old, new in _walk(before, after, ""):
        yield PropertyChange(path, _shown(old), _shown(new), replaces=_replaces(path, replacing))


def _links(before: Resource, after: Resource) -> Iterator[PropertyChange]:
    """An input that is unknown on both sides may still come from another resource than before."""
    for prop in sorted({*before.property_dependencies, *after.property_dependencies}):
        old, new = before.property_dependencies.get(prop, ()), after.property_dependencies.get(prop, ())
        told_already = before.inputs.get(prop) != after.inputs.get(prop)
        if set(old) != set(new) and not told_already:
            yield PropertyChange(f"{prop} (comes from)", _names(old), _names(new))


def _options(before: Resource, after: Resource) -> Iterator[PropertyChange]:
    options = {
        "protect": (before.protect, after.protect),
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
        return None
    if resource.protect:
        return Risk("removed while protected: the update will fail until it is unprotected", stateful)
    if resource.retain_on_delete:
        return Risk("removed from the program, but kept in the cloud, unmanaged", stateful)
    return Risk("will be deleted", stateful)


def _change_risk(
    before: Resource, after: Resource, properties: Iterable[PropertyChange], replaced: bool
) -> Risk | None:
    stateful = before.stateful or after.stateful
    if stateful is None:
        return None
    if replaced:
        return Risk("will be replaced: its content is not moved", stateful)
    lost = sorted(p.path for p in properties if _lost(p))
    return Risk(f"loses its protection ({', '.join(lost)})", stateful) if lost else None


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
