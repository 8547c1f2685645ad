"""What a drill compares: nothing missing, nothing changed, nothing extra; rows with the moment of their expiry."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.drill.comparing import flipped, objects_check, rows_check
from ops.drill.judging import failure
from ops.drill.model import Check, ExpectedObject
from ops.features.rows import Row

CONTENTS = st.dictionaries(st.text("abc/", min_size=1, max_size=6), st.binary(min_size=1, max_size=40), min_size=1)
ROWS = st.dictionaries(st.text(max_size=8), st.builds(Row, st.text(max_size=8), st.none() | st.integers(1, 9)))


def expected_of(contents: dict[str, bytes]) -> tuple[ExpectedObject, ...]:
    return tuple(ExpectedObject(k, len(v), hashlib.sha256(v).hexdigest()) for k, v in contents.items())


def check(expected: tuple[ExpectedObject, ...], found: dict[str, bytes]) -> Check:
    digests: dict[str, str | None] = {k: hashlib.sha256(v).hexdigest() for k, v in found.items()}
    return objects_check("objects.restored", "b", expected, {k: len(v) for k, v in found.items()}, digests)


@given(contents=CONTENTS)
def test_an_exact_copy_passes(contents: dict[str, bytes]) -> None:
    assert not failure(check(expected_of(contents), contents))


@given(contents=CONTENTS, data=st.data())
def test_any_missing_flipped_or_extra_object_fails(contents: dict[str, bytes], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(contents)))
    dropped = {k: v for k, v in contents.items() if k != key}
    faults = {
        "missing": check(expected_of(contents), dropped),
        "changed": check(expected_of(contents), {**contents, key: flipped(contents[key])}),
        "extra": check(expected_of(dropped), contents),
    }
    for kind, found in faults.items():
        assert found.found[kind] == [key] and failure(found)


def test_a_restore_of_nothing_is_not_a_restore() -> None:
    assert "restore of nothing" in failure(check((), {}))


@given(data=st.binary(min_size=1, max_size=200))
def test_a_flip_changes_exactly_one_bit(data: bytes) -> None:
    changed = [a ^ b for a, b in zip(data, flipped(data), strict=True) if a != b]
    assert len(changed) == 1 and changed[0].bit_count() == 1


@given(rows=ROWS)
def test_the_order_of_rows_counts_for_nothing(rows: dict[str, Row]) -> None:
    one, other = (rows_check("r", "t", rows, each).found for each in (rows, dict(reversed(rows.items()))))
    assert one == other


@given(a=ROWS, b=ROWS)
def test_rows_pass_only_if_they_are_the_same(a: dict[str, Row], b: dict[str, Row]) -> None:
    assert (not failure(rows_check("r", "t", a, b))) == (a == b and bool(a))


@pytest.mark.parametrize("found", [Row("[1.0]", 6), Row("[1.0]"), Row("[2.0]", 5), None])
def test_a_row_whose_content_or_expiry_differs_fails(found: Row | None) -> None:
    rows = {} if found is None else {"a": found}
    assert failure(rows_check("r", "t", {"a": Row("[1.0]", 5)}, rows))
