"""Which settings differ between two texts of a stack's file, each with its line: pure."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stacks.programs import KEYS

_ABSENT: Final = object()


@dataclass(frozen=True)
class SettingChange:
    """One setting that differs: a value, a list, or a whole part that only one side has."""

    path: tuple[str, ...]
    line: int
    """In head's file, or in base's where head has no such setting."""
    is_gone: bool
    value: Any
    """Head's, unmasked: for planning, never for showing."""

    @property
    def name(self) -> str:
        """The dotted path below the settings' key."""
        return ".".join(self.path)

    def apply(self, values: dict[str, Any]) -> None:
        """Change `values`, which are base's or made from them, as head has it."""
        *above, last = self.path
        node: Any = values
        for key in above:
            node = node.setdefault(key, {})
        if self.is_gone:
            node.pop(last, None)
        else:
            node[last] = copy.deepcopy(self.value)


def setting_changes(before: str, after: str) -> tuple[SettingChange, ...]:
    """What differs, in the order of head's file; nothing where a side cannot be read."""
    old, new = _settings(before), _settings(after)
    if old is None or new is None:
        return ()
    return tuple(sorted(_differences(old, new, ()), key=lambda change: (change.is_gone, change.line)))


def as_file(text: str, changes: Sequence[SettingChange]) -> str:
    """A stack's file like `text`, with some of the changes."""
    document = YAML(typ="safe").load(text)
    config = document["config"]
    values = next(config[key] for key in KEYS if key in config)
    for change in changes:
        change.apply(values)
    made = io.StringIO()
    YAML(typ="safe").dump(document, made)
    return made.getvalue()


def _settings(text: str) -> Any:
    try:
        config = YAML(typ="rt").load(text)["config"]
        return next((config[key] for key in KEYS if key in config), None)
    except (YAMLError, LookupError, TypeError):
        return None


def _differences(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[SettingChange]:
    for key in dict.fromkeys((*new, *old)):
        was, now = old.get(key, _ABSENT), new.get(key, _ABSENT)
        here = (*path, str(key))
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping) and was and now and not _other_kind(was, now):
            yield from _differences(was, now, here)
        elif now is _ABSENT:
            yield SettingChange(here, _line(old, key), True, None)
        else:
            yield SettingChange(here, _line(new, key), False, _plain(now))


def _other_kind(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two parts are of different kinds, so that neither's fields make sense in the other."""
    return any(was.get(key) != now.get(key) for key in ("kind", "strategy"))


def _line(node: Any, key: Any) -> int:
    return int(node.lc.key(key)[0]) + 1


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return getattr(value, "real", value) if isinstance(value, int | float) and not isinstance(value, bool) else value
