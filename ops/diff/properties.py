"""Which inputs of a resource differ between two sides: pure, property by property."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from common.sdk.schema import PROVIDER_PREFIX
from ops.diff.model import PropertyChange, ResourceChange
from policies.inventory import Resource

_ABSENT: Final = object()
FROM: Final = " (comes from)"
"""How the path of an input ends whose value is unknown, and comes from another resource than before."""
DECLARED: Final = "state (declared)"
BOOKKEEPING: Final = frozenset({"protect", "retainOnDelete", "ignoreChanges", DECLARED})
"""What a resource has beside its inputs: the engine writes it into its state, and sends nothing to the cloud."""


def is_sent(changes: Iterable[PropertyChange]) -> bool:
    """Whether the cloud gets to know of any of the changes."""
    return any(change.path not in BOOKKEEPING for change in changes)


def is_update(change: ResourceChange) -> bool:
    """Whether the engine has something to do for a change: components, and what only the state knows, are nothing."""
    return change.resource.custom and (change.action != "changed" or is_sent(change.properties))


def properties(
    before: Mapping[str, Any], after: Mapping[str, Any], replacing: tuple[str, ...]
) -> Iterator[PropertyChange]:
    """The inputs that differ, leaf by leaf; `replacing` are the paths whose change replaces the resource."""
    for path, old, new in _walk(before, after, ""):
        yield PropertyChange(path, _shown(old), _shown(new), replaces=replaces(path, replacing))


def links(
    before: Resource, after: Resource, replacing: tuple[str, ...], takes_list: Callable[[str, str], bool]
) -> Iterator[PropertyChange]:
    """An input that is unknown on both sides may still come from another resource than before.

    It then has another value if a source went and another came. A list that is unknown as a whole has more members
    with each source. Otherwise a source that comes or goes alone is one that the value only waits for; a provider's
    configuration is never more than that, as it waits for those who may use what it leads to.
    """
    waits = after.type.startswith(PROVIDER_PREFIX)
    for prop in sorted({*before.property_dependencies, *after.property_dependencies}):
        old = set(before.property_dependencies.get(prop, ()))
        new = set(after.property_dependencies.get(prop, ()))
        told_already = before.inputs.get(prop) != after.inputs.get(prop)
        if old == new or told_already:
            continue
        unknown = [path for path in after.unknown_paths if path.split(".")[0] == prop]
        exchanged = bool(old - new and new - old)
        if waits and not exchanged:
            continue
        renewed = any(replaces(path, replacing) and (exchanged or takes_list(after.type, path)) for path in unknown)
        yield PropertyChange(f"{prop}{FROM}", _names(old, new), _names(new, old), renewed)


def ignored(path: str, names: Iterable[str]) -> bool:
    """Whether the program keeps a change of an input to itself; of a part of one, if it ignores the whole."""
    inside = path.removesuffix(FROM).replace("»", "")
    return any(inside == name or inside.startswith(f"{name}.") for name in names)


def options(before: Resource, after: Resource) -> Iterator[PropertyChange]:
    """What the program says of a resource beside its inputs."""
    told = {
        "protect": (before.protect, after.protect),
        "ignoreChanges": (" ".join(before.ignore_changes) or None, " ".join(after.ignore_changes) or None),
        "retainOnDelete": (before.retain_on_delete, after.retain_on_delete),
        DECLARED: (before.stateful and str(before.stateful), after.stateful and str(after.stateful)),
    }
    for path, (old, new) in told.items():
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
        yield from _lists(old, new, path)
    else:
        yield path, old, new


def _lists(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    """Members that came, went or differ; those that only moved up or down for others are the same.

    A member that went has its old position as its path, every other one its new.
    """
    texts = ([json.dumps(item, sort_keys=True, default=str) for item in side] for side in (old, new))
    for kind, a, a_end, b, b_end in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        both = min(a_end - a, b_end - b)
        for step in range(both):
            yield from _walk(old[a + step], new[b + step], _join(path, str(b + step)))
        for gone in range(a + both, a_end):
            yield _join(path, str(gone)), old[gone], _ABSENT
        for come in range(b + both, b_end):
            yield _join(path, str(come)), _ABSENT, new[come]


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


def replaces(path: str, replacing: tuple[str, ...]) -> bool:
    """Whether a change at `path` replaces a resource whose changes at `replacing` do."""
    names = [part for part in path.replace("»", "").split(".") if not part.isdigit()]
    return any(names[: len(r)] == r or r[: len(names)] == names for r in (text.split(".") for text in replacing))


def _names(urns: set[str], others: set[str]) -> str:
    """The resources by name; those that the other side has too are only counted."""
    own = sorted({urn.rsplit("::", 1)[-1] for urn in urns - others})
    same = len(urns & others)
    return ", ".join([*own, *([f"{same} that stay"] if same else [])]) or "nothing"
