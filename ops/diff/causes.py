"""What each change comes from: settings by trying them one at a time, code by the file that made the resource.

A setting's effects are exact, because the same program is planned with base's settings and that one change. What is
left is the program's. Pure but for the planning that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ops.diff.model import Cause, Effect, ResourceChange
from ops.diff.settings_lines import SettingChange
from policies.inventory import Inventory

MOST_TRIED: Final = 8
"""Settings of one stack that are tried alone; with more, those of one section are tried together."""
_NOTHING_EXACT: Final = "none of them brings it alone"
_NOT_ALONE: Final = "without the other settings that changed it is refused, so this is what they do not bring"

Plan = Callable[[tuple[SettingChange, ...]], Inventory | None]
"""Head's program with base's settings and these changes; None if it refuses them."""
Compare = Callable[[Inventory, Inventory], Iterable[ResourceChange]]


@dataclass(frozen=True)
class ChangedFile:
    """A file of the program that changed."""

    path: str
    commits: tuple[str, ...] = ()
    """Which commits changed it, each by number and subject; none: it is not committed."""

    @property
    def note(self) -> str:
        """What to say of it."""
        return "; ".join(self.commits) or "not committed yet"


@dataclass(frozen=True)
class Origins:
    """What a person changed between base and head of one stack."""

    file: str
    """The stack's settings file."""
    settings: tuple[SettingChange, ...] = ()
    files: tuple[ChangedFile, ...] = ()


def find_causes(
    changes: Sequence[ResourceChange],
    base: Inventory,
    head: Inventory,
    origins: Origins,
    plan: Plan,
    compare: Compare,
) -> tuple[Cause, ...]:
    """The causes of `changes`, those with the most effects first; every change is an effect of one at least."""
    search = _Search(changes, base, head, origins, compare)
    start: Inventory | None = base
    if origins.files and origins.settings:
        start = plan(())
        if start is None:
            return search.ended(
                "the program and its settings changed together, and neither goes with the other's past"
            )
    found: list[Cause] = []
    if origins.files:
        after = start if origins.settings and start is not None else head
        found += search.of_code(compare(base, after))
    if start is not None and origins.settings:
        found += search.of_settings(start, plan)
    left = search.left()
    if left:
        found.append(_remainder(origins, left))
    return tuple(sorted(found, key=lambda cause: -len(cause.effects)))


def whole_stack(fate: str, file: str, changes: Iterable[ResourceChange]) -> tuple[Cause, ...]:
    """The cause of a stack that comes or goes: its file."""
    what = "the stack is new" if fate == "new" else "the stack is gone"
    return (Cause("setting", what, file, effects=tuple(Effect(c.resource.urn) for c in changes)),)


class _Search:
    def __init__(
        self,
        changes: Sequence[ResourceChange],
        base: Inventory,
        head: Inventory,
        origins: Origins,
        compare: Compare,
    ) -> None:
        self._changes = {change.resource.urn: change for change in changes}
        self._base, self._head, self._origins, self._compare = base, head, origins, compare
        self._open = {urn: {p.path for p in change.properties} or {""} for urn, change in self._changes.items()}

    def of_settings(self, start: Inventory, plan: Plan) -> Iterator[Cause]:
        """A cause for each setting, and one for those that count only together."""
        groups = _groups(self._origins.settings)
        if len(groups) == 1:
            yield self._cause(groups[0], self._effects(self._compare(start, self._head)))
            return
        refused: list[SettingChange] = []
        for group in groups:
            alone = plan(group)
            if alone is None:
                refused += group
            else:
                brought = self._effects(self._compare(start, alone)) or self._beside_others(group, plan)
                yield self._cause(group, brought)
        if refused:
            together = self._head if len(refused) == len(self._origins.settings) else plan(tuple(refused))
            if together is not None:
                yield self._cause(tuple(refused), self._effects(self._compare(start, together)))
            else:
                found = self._cause(tuple(refused), self.left())
                yield replace(found, note=_NOT_ALONE)
                self._open = {}

    def _beside_others(self, group: tuple[SettingChange, ...], plan: Plan) -> tuple[Effect, ...]:
        """What a setting brings that alone brings nothing: it may count only where another one changes as well."""
        without = plan(tuple(setting for setting in self._origins.settings if setting not in group))
        return self._effects(self._compare(without, self._head)) if without is not None else ()

    def of_code(self, changes: Iterable[ResourceChange]) -> Iterator[Cause]:
        """A cause for each file of the program, by what made the resources that it changes."""
        effects = {effect.urn: effect for effect in self._effects(changes)}
        files = {file.path: file for file in self._origins.files}
        by_file: dict[str, list[Effect]] = {}
        for urn, effect in effects.items():
            by_file.setdefault(self._file_of(urn, files), []).append(effect)
        for path, members in by_file.items():
            if path:
                yield Cause("code", path, self._line_of(path, members), note=files[path].note, effects=tuple(members))
            else:
                names = ", ".join(files)
                yield Cause("code", f"the program: {len(files)} files", names, effects=tuple(members))

    def left(self) -> tuple[Effect, ...]:
        """What no cause has brought yet."""
        return tuple(
            Effect(urn, () if paths == self._all(urn) else tuple(sorted(paths)))
            for urn, paths in self._open.items()
            if paths
        )

    def ended(self, why: str) -> tuple[Cause, ...]:
        """All that is left as one cause."""
        names = ", ".join([*(s.name for s in self._origins.settings), *(f.path for f in self._origins.files)])
        return (Cause("unknown", "settings and program together", names, note=why, effects=self.left()),)

    def _effects(self, changes: Iterable[ResourceChange]) -> tuple[Effect, ...]:
        """Those of the real changes that a trial brings too."""
        found: list[Effect] = []
        for tried in changes:
            real = self._changes.get(tried.resource.urn)
            if real is None:
                continue
            urn = real.resource.urn
            paths = {p.path for p in tried.properties} & self._all(urn) if self._all(urn) != {""} else {""}
            if real.action in ("added", "removed") and real.action != tried.action:
                continue
            if paths:
                self._open[urn] -= paths
                found.append(Effect(urn, () if paths == self._all(urn) else tuple(sorted(paths))))
        return tuple(found)

    def _all(self, urn: str) -> set[str]:
        return {p.path for p in self._changes[urn].properties} or {""}

    def _cause(self, group: tuple[SettingChange, ...], effects: tuple[Effect, ...]) -> Cause:
        if len(group) == 1:
            return self._setting(group[0], effects)
        wheres = ", ".join(f"{self._origins.file}:{setting.line}" for setting in group)
        return Cause("several settings", ", ".join(setting.name for setting in group), wheres, effects=effects)

    def _setting(self, setting: SettingChange, effects: tuple[Effect, ...]) -> Cause:
        where = f"{self._origins.file}:{setting.line}" + (" of the base" if setting.is_gone else "")
        before, after = (_value(side.settings, setting.path) for side in (self._base, self._head))
        name, before, after = _narrowed(setting.name, before, after)
        return Cause("setting", name, where, before, after, effects=effects)

    def _file_of(self, urn: str, files: Mapping[str, ChangedFile]) -> str:
        """The changed file that made a resource, or what it is a part of, or what replaces it; or none."""
        if len(files) == 1:
            return next(iter(files))
        change: ResourceChange | None = self._changes[urn]
        while change is not None and change.through:
            change = self._changes.get(change.through)
        resource = (change or self._changes[urn]).resource
        sides = (self._head.by_urn, self._base.by_urn)
        seen: str | None = resource.urn
        while seen:
            made = next((side[seen] for side in sides if seen in side), None)
            path = made.made_at.partition(":")[0] if made else ""
            if path in files:
                return path
            seen = made.parent if made else None
        return ""

    def _line_of(self, path: str, effects: Sequence[Effect]) -> str:
        """Where the file makes what changes, if it is one place."""
        found = {self._changes[effect.urn].resource.made_at for effect in effects}
        lines = {source for source in found if source.partition(":")[0] == path}
        return lines.pop() if len(lines) == 1 else path


def _groups(settings: Sequence[SettingChange]) -> list[tuple[SettingChange, ...]]:
    """Settings to try alone: each, or those of a section; all together where there are still too many."""
    for depth in (None, 2, 1):
        groups: dict[tuple[str, ...], list[SettingChange]] = {}
        for setting in settings:
            groups.setdefault(setting.path if depth is None else setting.path[:depth], []).append(setting)
        if len(groups) <= MOST_TRIED:
            return [tuple(group) for group in groups.values()]
    return [tuple(settings)]


def _narrowed(name: str, before: object, after: object) -> tuple[str, object, object]:
    """A part of the settings that both sides have, by its defaults, without what is the same in it."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return name, before, after
    keys = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
    if len(keys) == 1:
        return _narrowed(f"{name}.{keys[0]}", before.get(keys[0]), after.get(keys[0]))
    old, new = ({key: side[key] for key in keys if key in side} for side in (before, after))
    return name, old, new


def _remainder(origins: Origins, left: tuple[Effect, ...]) -> Cause:
    if len(origins.settings) > 1:
        names = ", ".join(setting.name for setting in origins.settings)
        return Cause("several settings", "several settings together", names, note=_NOTHING_EXACT, effects=left)
    if origins.files:
        names = ", ".join(file.path for file in origins.files)
        return Cause("code", f"the program: {len(origins.files)} files", names, effects=left)
    return Cause("unknown", "not told by settings or program", effects=left)


def _value(settings: Mapping[str, Any], path: Sequence[str]) -> object:
    """A setting as the inventory has it: with defaults, and masked."""
    node: Any = settings
    for key in path:
        if not isinstance(node, Mapping) or key not in node:
            return None
        node = node[key]
    return node
