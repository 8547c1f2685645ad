"""Negative controls: faults put into what was restored, which the verdict's own checks must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ops.drill.comparing import flipped
from ops.drill.model import Check, Control, ExpectedObject
from ops.drill.restoring import check_objects
from ops.objects.store import ObjectStore

LARGEST_VICTIM_BYTES: Final = 8 * 2**20
"""A victim is held in memory while it is gone from its bucket."""


def object_controls(
    bucket: ObjectStore, expected: Sequence[ExpectedObject], check: Callable[[], Check] | None = None
) -> tuple[Control, ...]:
    """Flip a bit of an object, then delete it; each is undone, and the undone state must check clean again.

    Args:
        check: that of the verdict.
    """
    look = check or (lambda: check_objects(bucket, expected))
    small = [item for item in expected if 0 < item.size <= LARGEST_VICTIM_BYTES]
    victim = max(small, key=lambda item: (item.size, item.key))
    data = bucket.get(victim.key)
    return (
        _planted("object.flipped", f"one bit of {victim.key} flipped", look,
                 lambda: bucket.put(victim.key, flipped(data)), lambda: bucket.put(victim.key, data)),
        _planted("object.missing", f"{victim.key} deleted", look,
                 lambda: bucket.delete(victim.key), lambda: bucket.put(victim.key, data)),
    )  # fmt: skip


def _planted(
    name: str, fault: str, check: Callable[[], Check], do: Callable[[], object], undo: Callable[[], object]
) -> Control:
    clean_before = check()
    do()
    try:
        planted = check()
    finally:
        undo()
    return Control(name, fault, planted, (clean_before, check()))
