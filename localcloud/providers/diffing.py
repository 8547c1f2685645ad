"""Decides what a change of a resource's inputs means: nothing, an update, or a replacement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from localcloud.providers.values import Path, Unknown, path_text

Change = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class PropertyChange:
    """One property that changed, and whether the real provider replaces the resource for it."""

    path: str
    change: Change
    replaces: bool


@dataclass(frozen=True)
class Difference:
    """What changed between the inputs that a resource has and those that it shall have."""

    changes: tuple[PropertyChange, ...]
    delete_before_replace: bool = False

    @property
    def replaces(self) -> tuple[str, ...]:
        """The paths that force a replacement."""
        return tuple(c.path for c in self.changes if c.replaces)


def decide(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    replace_on: Iterable[str],
    name_property: str | None = None,
    new_name_creates_first: bool = False,
    ignore: Iterable[str] = (),
) -> Difference:
    """Compare inputs property by property.

    Args:
        old: the inputs that the resource was last deployed with.
        new: the inputs that the program asks for now; unknown counts as changed, as in the real providers.
        replace_on: paths without list positions (`encryptionConfig.provider.keyArn`); a change at or below one
            of them replaces the resource.
        name_property: the input that holds the physical name. A replacement of what has an explicit name deletes
            first, unless the program says otherwise (`delete_before_replace=False`).
        new_name_creates_first: whether it is enough that the name changes too.
        ignore: paths whose changes do not count.
    """
    replacing = tuple(tuple(path.split(".")) for path in replace_on)
    ignored = frozenset(ignore)
    changes = tuple(
        PropertyChange(path_text(path), change, _replaces(path, replacing))
        for path, change in _walk(old, new, ())
        if path_text(path) not in ignored and str(path[0]) not in ignored
    )
    replaced = any(c.replaces for c in changes)
    named = name_property is not None and _named(old, new, name_property, anew=new_name_creates_first)
    return Difference(changes, delete_before_replace=replaced and named)


def _replaces(path: Path, replacing: tuple[tuple[str, ...], ...]) -> bool:
    names = tuple(str(part) for part in path if not isinstance(part, int))
    # A change above a replacing path touches it too: deleting `encryptionConfig` deletes its key.
    return any(names[: len(r)] == r or r[: len(names)] == names for r in replacing)


def _named(old: Mapping[str, Any], new: Mapping[str, Any], dotted: str, *, anew: bool) -> bool:
    def look_up(values: Any) -> Any:
        for part in dotted.split("."):
            values = values.get(part) if isinstance(values, Mapping) else None
        return values

    name = look_up(new)
    return name is not None and (not anew or name == look_up(old))


def _walk(old: Any, new: Any, path: Path) -> Iterable[tuple[Path, Change]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if key.startswith("__"):  # the engine's own bookkeeping
                continue
            yield from _member(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for i in range(max(len(old), len(new))):
            a = old[i] if i < len(old) else None
            b = new[i] if i < len(new) else None
            yield from _member(a, b, (*path, i))
    elif isinstance(new, Unknown) or old != new:
        yield path, "update"


def _member(old: Any, new: Any, path: Path) -> Iterable[tuple[Path, Change]]:
    if old is None and new is None:
        return
    if old is None:
        yield path, "add"
    elif new is None:
        yield path, "delete"
    else:
        yield from _walk(old, new, path)
