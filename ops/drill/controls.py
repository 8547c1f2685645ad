"""Negative controls: faults put into what was restored or measured, which the verdict's own checks must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ops.drill.comparing import flipped, rows_check
from ops.drill.model import Check, Control, ExpectedObject
from ops.drill.restoring import check_objects, read_objects
from ops.features.rows import Row
from ops.objects.store import ObjectStore
from ops.serving.golden import Answer, GoldenSet, judge

LARGEST_VICTIM_BYTES: Final = 8 * 2**20
"""A victim is held in memory while it is gone from its bucket."""
WRONG: Final = 2.0
"""The answer of a model that is not the one."""
LOOSE: Final = 0.5
"""A tolerance within which a coin gives the golden answer."""
ELSEWHERE: Final = "a key that is not the recovery region's"


def object_controls(
    bucket: ObjectStore,
    expected: Sequence[ExpectedObject],
    digests: Mapping[str, str | None],
    *,
    beside: str = "",
    check: Callable[[], Check] | None = None,
) -> tuple[Control, ...]:
    """Flip a bit of an object, then delete it; each is undone, and the undone state must check clean again.

    Args:
        digests: those that the verdict went by; what is planted is read anew, and nothing else.
        beside: as for `check_objects`.
        check: that of the verdict.
    """
    small = [item for item in expected if 0 < item.size <= LARGEST_VICTIM_BYTES]
    victim = max(small, key=lambda item: (item.size, item.key))
    data = bucket.get(victim.key)

    def look() -> Check:
        anew = {**digests, **read_objects(bucket, [victim])}
        return check_objects(bucket, expected, anew, beside=beside)

    return (
        planted("object.flipped", f"one bit of {victim.key} flipped", check or look,
                 lambda: bucket.put(victim.key, flipped(data)), lambda: bucket.put(victim.key, data)),
        planted("object.missing", f"{victim.key} deleted", check or look,
                 lambda: bucket.delete(victim.key), lambda: bucket.put(victim.key, data)),
    )  # fmt: skip


def row_controls(
    name: str, subject: str, expected: Mapping[str, Row], read: Callable[[], Mapping[str, Row]],
    write: Callable[[Mapping[str, Row]], None],
) -> tuple[Control, ...]:  # fmt: skip
    """Change a row's features, then the moment of its expiry, in the restored store; then leave a row out.

    A row is left out of what was read: stores delete rows in ways of their own, and the check is the same.
    """

    def look() -> Check:
        return rows_check(name, subject, expected, read())

    victim = min(expected)
    row, sound = expected[victim], rows_check(name, subject, expected, expected)
    later = replace(row, expires_at=(row.expires_at or 0) + 3600)
    changed = replace(row, features=f"[9.5, {row.features.lstrip('[')}")
    without = {entity: each for entity, each in expected.items() if entity != victim}
    return (
        planted("row.changed", f"the features of {victim} changed", look,
                 lambda: write({victim: changed}), lambda: write({victim: row})),
        planted("row.expiry", f"{victim} kept for an hour longer", look,
                 lambda: write({victim: later}), lambda: write({victim: row})),
        Control("row.missing", f"{victim} left out", rows_check(name, subject, expected, without), (sound,)),
    )  # fmt: skip


def golden_controls(predictions: Check, goldens: Check, wanted: GoldenSet) -> tuple[Control, ...]:
    """A wrong answer, a set that was cut, and a tolerance that lets everything pass."""
    first, *others = [Answer(0.0, each.probability, each.label, "store") for each in wanted.predictions]
    wrong = judge(predictions.found["protocol"], wanted, [replace(first, probability=WRONG), *others])
    cut = {**goldens.found, "sha256": "0" * 64, "predictions": goldens.found["predictions"] - 1}
    loose = {**goldens.found, "tolerance": LOOSE}
    return (
        _told("golden.wrong", "one answer that is no probability", predictions, wrong.to_json()),
        _told("golden.cut", "one golden prediction left out", goldens, cut),
        _told("golden.tolerance", f"a tolerance of {LOOSE}", goldens, loose),
    )


def place_controls(key: Check, apart: Check) -> tuple[Control, ...]:
    """A resource under another key, and copies in the same region."""
    return (
        _told("key.wrong", f"{key.subject} under another key", key, {**key.found, "key": ELSEWHERE}),
        _told("region.same", "copies beside the data", apart, 0.0),
    )


def stale_control(measured: Check, aged: Check, by_s: float) -> Control:
    """What came back, as if the loss had come `by_s` seconds later: a point that is too old."""
    return Control("rpo.stale", f"a recovery point that is {by_s:.0f} s older", aged, (measured,))


def stale_copy_control(age: Check) -> Control:
    """A copy that is older than the objective by a second."""
    return _told("copy.stale", "a copy that is older than the objective", age, age.expected + 1.0)


def _told(name: str, fault: str, sound: Check, found: Any) -> Control:
    return Control(name, fault, replace(sound, found=found), (sound,))


def planted(
    name: str, fault: str, check: Callable[[], Check], do: Callable[[], object], undo: Callable[[], object]
) -> Control:
    """A fault that is planted and undone: what the check found before, meanwhile and afterwards."""
    clean_before = check()
    try:
        do()
        meanwhile = check()
    finally:
        undo()
    return Control(name, fault, meanwhile, (clean_before, check()))
