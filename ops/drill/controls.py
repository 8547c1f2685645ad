"""Negative controls: faults put into the restored data, which the drill's own checks must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ops.drill.judging import flipped
from ops.drill.model import Control, ExpectedObject, ObjectCheck
from ops.objects.store import ObjectStore

Check = Callable[[], ObjectCheck]


def run_controls(bucket: ObjectStore, expected: Sequence[ExpectedObject], check: Check) -> tuple[Control, ...]:
    """Flip a byte, then drop an object; each is undone, and the undone state must check clean again."""
    victim = max((item for item in expected if item.size), key=lambda item: (item.size, item.key))
    data = bucket.get(victim.key)
    return (
        _control(bucket, victim.key, data, check, f"one bit of {victim.key} flipped", _flip),
        _control(bucket, victim.key, data, check, f"{victim.key} deleted", _drop),
    )


def _control(
    bucket: ObjectStore,
    key: str,
    data: bytes,
    check: Check,
    fault: str,
    do: Callable[[ObjectStore, str, bytes], None],
) -> Control:
    clean_before = check().passed
    do(bucket, key, data)
    try:
        found = check()
    finally:
        bucket.put(key, data)
    clean_after = check().passed
    hit = key in (*found.mismatched, *found.missing)
    told = (
        f"{len(found.mismatched)} different, {len(found.missing)} missing; "
        f"clean {'before' if clean_before else 'neither before'} and {'after' if clean_after else 'not after'}"
    )
    return Control(fault, detected=clean_before and hit and not found.passed and clean_after, found=told)


def _flip(bucket: ObjectStore, key: str, data: bytes) -> None:
    bucket.put(key, flipped(data))


def _drop(bucket: ObjectStore, key: str, _data: bytes) -> None:
    bucket.delete(key)
