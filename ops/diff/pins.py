"""Providers that the lock file pins otherwise: a cause of its own, as both sides are planned with one SDK. Pure.

The engine keeps a provider's version in its resource, and updates it where that is another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from common.sdk.schema import PROVIDER_PREFIX
from ops.diff.model import Cause, Effect, PropertyChange, ResourceChange, StackDiff
from policies.inventory import Inventory

LOCK: Final = "requirements.lock"
VERSION: Final = "version"
_PIN: Final = re.compile(r"^(pulumi(?:-[a-z0-9-]+)?)==(\S+)")
_APART: Final = {"pulumi-aws": "aws", "pulumi-gcp": "gcp"}
"""Packages that only one cloud's stacks use."""
_NO_PROVIDERS: Final = frozenset({"pulumi", "pulumi-policy"})


@dataclass(frozen=True)
class Pin:
    """A package of Pulumi whose version differs; an empty one is no longer, or not yet, there."""

    package: str
    before: str
    after: str
    line: int
    """In head's lock, or in base's where head pins it no more."""

    @property
    def provider(self) -> str:
        """The type of the provider that the package brings; empty where it brings none."""
        known = self.package not in _NO_PROVIDERS
        return PROVIDER_PREFIX + self.package.removeprefix("pulumi-") if known else ""

    def concerns(self, stack: str) -> bool:
        """Whether a stack may use the package."""
        return _APART.get(self.package, "") in ("", stack.rpartition("-")[2])


def pins_changed(before: str, after: str) -> tuple[Pin, ...]:
    """The packages of Pulumi that two lock files pin otherwise; none where a side has no lock."""
    if not before or not after:
        return ()
    old, new = _pins(before), _pins(after)
    nothing = ("", 0)
    return tuple(
        Pin(name, old.get(name, nothing)[0], new.get(name, nothing)[0], (new.get(name) or old[name])[1])
        for name in sorted({*old, *new})
        if old.get(name, nothing)[0] != new.get(name, nothing)[0]
    )


def with_pins(
    changes: Sequence[ResourceChange], head: Inventory | None, pins: Iterable[Pin]
) -> tuple[ResourceChange, ...]:
    """The changes, with the new version of each provider that stays."""
    found = {change.resource.urn: change for change in changes}
    for pin in pins:
        for resource in head.of_type(pin.provider) if head and pin.provider and pin.before and pin.after else ():
            version = PropertyChange(VERSION, pin.before, pin.after)
            known = found.get(resource.urn, ResourceChange("changed", resource))
            if known.action in ("changed", "replaced"):
                found[resource.urn] = replace(known, properties=(*known.properties, version))
    return tuple(found.values())


def told(diff: StackDiff, head: Inventory | None, pins: Sequence[Pin]) -> StackDiff:
    """The diff with what each pin brings, a cause for it, and what a plan cannot know of it."""
    if not pins or diff.fate != "both":
        return diff
    changes = with_pins(diff.changes, head, pins)
    causes = tuple(_cause(pin, changes) for pin in pins)
    names = ", ".join(f"`{pin.package}` (`{pin.before or 'nothing'}` → `{pin.after or 'nothing'}`)" for pin in pins)
    note = (
        f"`{LOCK}` pins {names} otherwise. Both sides are planned with the packages that are installed here, so what "
        "the new version itself does otherwise shows in the engine's preview alone."
    )
    return replace(diff, changes=changes, causes=(*causes, *diff.causes), notes=(*diff.notes, note))


def _cause(pin: Pin, changes: Iterable[ResourceChange]) -> Cause:
    effects = tuple(
        Effect(change.resource.urn, () if len(change.properties) == 1 else (VERSION,))
        for change in changes
        if change.resource.type == pin.provider and any(p.path == VERSION for p in change.properties)
    )
    where = f"{LOCK}:{pin.line}" + ("" if pin.after else " of the base")
    return Cause("version", pin.package, where, pin.before or None, pin.after or None, effects=effects)


def _pins(text: str) -> Mapping[str, tuple[str, int]]:
    """Package → its version and line."""
    found = ((_PIN.match(line), number) for number, line in enumerate(text.splitlines(), 1))
    return {match[1]: (match[2], number) for match, number in found if match}
