"""Where a finding is corrected: the settings' line that gave the value, else the call that made the resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from common.paths import repo_root
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource
from policies.model import Finding, Problem
from policies.waivers import DEFAULT_FILE, Waiver
from stacks.files import stack_file
from stacks.programs import KEYS

Scalar = str | int | float | bool

_TELLING_LENGTH: Final = 6
"""A text that is this long and stands once in a file is there by no chance; shorter ones and numbers may be."""
_COMMON: Final = frozenset(
    {"a", "at", "by", "config", "configuration", "id", "in", "is", "name", "of", "rule", "the"}
)
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


@dataclass(frozen=True)
class Place:
    """A line of a file, or of the part of it that says something."""

    file: str
    """Relative to the checkout, with slashes; a bare name where it lies outside."""
    line: int
    column: int = 1
    end_column: int = 1
    """The column after the last character."""
    what: str = ""
    """What stands there."""
    is_inside: bool = True
    """Whether the file belongs to the checkout."""


@dataclass(frozen=True)
class Leaf:
    """One value in a stack's settings file."""

    path: tuple[str, ...]
    value: Scalar
    line: int

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its keys."""
        return _words(".".join(self.path))


class Places:
    """Finds places in the files of one checkout, each file read once."""

    def __init__(self, inventories: Mapping[str, Inventory], root: Path | None = None) -> None:
        self._inventories = inventories
        self._root = (root or repo_root()).resolve()
        self._lines: dict[str, tuple[str, ...]] = {}
        self._leaves: dict[str, tuple[Leaf, ...]] = {}

    def of(self, stack: str, finding: Finding) -> tuple[Place, ...]:
        """Where the finding is corrected, first of all; then other places that help to understand it. Never empty."""
        inventory = self._inventories.get(stack)
        resource = inventory.by_urn.get(finding.urn) if inventory else None
        found: list[Place] = []
        if inventory and resource:
            leaf = self._cause(inventory, resource, finding)
            if leaf:
                what = f"the setting {'.'.join(leaf.path)} of {stack}"
                found.append(self._place(self._settings_file(stack), leaf.line, what))
            found += self._made(inventory, resource)
        return tuple(found) or (self._place(self._settings_file(stack), 1, f"the settings of {stack}"),)

    def of_waiver(self, waiver: Waiver) -> Place:
        """The waiver's entry in its file."""
        return self._place(waiver.file or DEFAULT_FILE, waiver.line, "the waiver")

    def _made(self, inventory: Inventory, resource: Resource) -> Iterator[Place]:
        seen: set[str] = set()
        each: Resource | None = resource
        while each is not None:
            file, _, line = each.made_at.rpartition(":")
            if file and line.isdecimal() and each.made_at not in seen:
                seen.add(each.made_at)
                yield self._place(self._root / file, int(line), f"makes {each.name} ({each.type})")
            each = inventory.by_urn.get(each.parent) if each.parent else None

    def _place(self, path: Path, line: int, what: str) -> Place:
        file, is_inside = self._named(path)
        lines = self._read(file) if is_inside else ()
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        column = len(text) - len(text.lstrip()) + 1 if text.strip() else 1
        return Place(file, max(line, 1), column, max(len(text.rstrip()) + 1, column), what, is_inside)

    def _named(self, path: Path) -> tuple[str, bool]:
        try:
            return path.resolve().relative_to(self._root).as_posix(), True
        except (OSError, ValueError):
            return path.name, False

    def _read(self, file: str) -> tuple[str, ...]:
        if file not in self._lines:
            try:
                text = (self._root / file).read_text(encoding="utf-8", errors="replace")
            except OSError:
                text = ""
            self._lines[file] = tuple(text.splitlines())
        return self._lines[file]

    def _settings_file(self, stack: str) -> Path:
        return self._root / "stacks" / "config" / stack_file(stack).name

    def _cause(self, inventory: Inventory, resource: Resource, finding: Finding) -> Leaf | None:
        leaves = self._leaves_of(inventory)
        found = (_same_value(leaves, resource, problem) for problem in finding.problems)
        return next((leaf for leaf in found if leaf), None)

    def _leaves_of(self, inventory: Inventory) -> tuple[Leaf, ...]:
        """What the stack's file says, where the stack was planned from it: a plan may be of another day."""
        if inventory.stack not in self._leaves:
            read = leaves_of(self._settings_file(inventory.stack))
            self._leaves[inventory.stack] = tuple(leaf for leaf in read if _agrees(leaf, inventory.settings))
        return self._leaves[inventory.stack]


def leaves_of(path: Path) -> tuple[Leaf, ...]:
    """Every plain value in a stack's settings, with its line; none where the file cannot be read."""
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError):
        return ()
    config = document.get("config") if isinstance(document, CommentedMap) else None
    if not isinstance(config, CommentedMap):
        return ()
    return tuple(leaf for key in KEYS if key in config for leaf in _leaves(config[key], (), 1))


def _leaves(value: Any, path: tuple[str, ...], line: int) -> Iterator[Leaf]:
    if isinstance(value, CommentedMap):
        if set(value) == {"secure"}:
            return
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)), int(value.lc.key(key)[0]) + 1)
    elif isinstance(value, CommentedSeq):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, str(index)), int(value.lc.item(index)[0]) + 1)
    elif isinstance(value, (str, int, float, bool)):
        yield Leaf(path, value, line)


def _agrees(leaf: Leaf, settings: Any) -> bool:
    found = settings
    for part in leaf.path:
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return False
    return found != SECRET and _same(found, leaf.value)


def _same_value(leaves: Iterable[Leaf], resource: Resource, problem: Problem) -> Leaf | None:
    """The leaf that holds the value of the input to blame, and is called like it; None where two are as likely."""
    value = resource.get(problem.path) if problem.path else None
    if not isinstance(value, (str, int, float, bool)) or value in (UNKNOWN, SECRET, ""):
        return None
    same = [leaf for leaf in leaves if _same(value, leaf.value)]
    named = _words(problem.path)
    around = named | _words(resource.name) | _words(resource.type.rpartition(":")[2])
    is_telling = isinstance(value, str) and len(value) >= _TELLING_LENGTH and not value.isdecimal()
    likely = [leaf for leaf in same if leaf.words & named or (is_telling and len(same) == 1)]
    ranked = sorted(likely, key=lambda leaf: (-len(leaf.words & named), -len(leaf.words & around)))
    if len(ranked) > 1:
        first, second = ((len(leaf.words & named), len(leaf.words & around)) for leaf in ranked[:2])
        if first == second:
            return None
    return ranked[0] if ranked else None


def _same(one: object, other: object) -> bool:
    """Whether two values are the same to a reader: 7 and "7" are, true and 1 are not."""
    return str(one).casefold() == str(other).casefold()


def _words(text: str) -> frozenset[str]:
    found = (word.lower().removesuffix("s") for word in _WORD.findall(text))
    return frozenset(word for word in found if word not in _COMMON and not word.isdecimal())
