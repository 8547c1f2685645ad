"""A comparison finds what differs, and says when it has too little to go by."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import UserError
from ops.variants.compare import LOG, Limits, compare, upper_percent


def line(id_: str, variant: str, probability: float = 0.7, label: str = "high", **changed: Any) -> dict[str, Any]:
    outputs = {
        "probability": {"datatype": "FP32", "shape": [1, 1], "data": [probability]},
        "label": {"datatype": "BYTES", "shape": [1, 1], "data": [label]},
    }
    return {"log": LOG, "id": id_, "variant": variant, "ms": 10.0, "status": 200, "outputs": outputs, **changed}


def pairs(times: int, **of_b: Any) -> list[dict[str, Any]]:
    return [
        each for number in range(times) for each in (line(f"r{number}", "stable"), line(f"r{number}", "b", **of_b))
    ]


def failed(id_: str, variant: str, reason: str = "HTTP 500") -> dict[str, Any]:
    return line(id_, variant, outputs={}, status=500, error=reason)


def test_the_same_answers_pass_with_a_bound_on_what_was_not_seen() -> None:
    found = compare(pairs(300), Limits())
    assert found.passed
    assert (found.pairs, found.compared, found.changed) == (300, 300, 0)
    assert found.changed_at_most_percent is not None
    assert 0.5 < found.changed_at_most_percent < 1.0


@pytest.mark.parametrize(
    ("of_b", "said"),
    [
        ({"probability": 0.72}, "100.00 % of the answers differ"),
        ({"label": "low"}, "100.00 % of the answers differ"),
        ({"probability": float("nan")}, "of the answers differ"),
        ({"ms": 13.0}, "b's p99 is 13 ms"),
    ],
)
def test_a_difference_beyond_the_limits_is_found(of_b: dict[str, Any], said: str) -> None:
    found = compare(pairs(300, **of_b), Limits())
    assert not found.passed
    assert said in found.problems[0]


def test_a_difference_within_the_tolerance_is_none() -> None:
    found = compare(pairs(300, probability=0.7005), Limits())
    assert found.passed
    assert found.outputs["probability"].max_difference == pytest.approx(0.0005)


def test_large_numbers_are_compared_by_their_size() -> None:
    lines = [line(f"r{n}", name, 1e6 + (name == "b") * 500) for n in range(300) for name in ("stable", "b")]
    assert compare(lines, Limits()).passed
    assert not compare(lines, Limits(tolerance=1e-4)).passed


def test_flips_are_counted_by_what_became_of_what() -> None:
    found = compare([*pairs(299), line("x", "stable"), line("x", "b", label="low")], Limits())
    assert found.outputs["label"].flips == {"high → low": 1}
    assert found.examples == ["x"]


def test_too_few_pairs_are_no_verdict() -> None:
    found = compare(pairs(199), Limits())
    assert found.problems == ("there are too few pairs: 199, and 200 are needed",)


def test_ids_that_do_not_match_are_told() -> None:
    lines = [*pairs(300), *(line(f"s{n}", "stable") for n in range(5)), line("r0", "b")]
    found = compare(lines, Limits())
    assert found.unmatched == 6
    assert "6 of 305 ids do not match" in found.problems[0]


def test_more_failures_of_the_challenger_are_found_and_those_of_both_are_not() -> None:
    lines = [each for number in range(4) for each in (line(f"f{number}", "stable"), failed(f"f{number}", "b"))]
    found = compare([*pairs(300), *lines], Limits())
    assert "b failed 1.32 %" in found.problems[0]
    both = [failed(f"f{number}", name) for number in range(4) for name in ("stable", "b")]
    assert compare([*pairs(300), *both], Limits()).passed


def test_an_output_that_only_one_has_differs() -> None:
    lines = pairs(300)
    for each in lines:
        if each["variant"] == "b":
            each["outputs"] = {**each["outputs"], "extra": {"datatype": "FP32", "shape": [1], "data": [1.0]}}
    assert compare(lines, Limits()).outputs["extra"].malformed == 300


def test_large_outputs_are_compared_by_their_digest() -> None:
    def large(variant: str, digest: str) -> dict[str, Any]:
        return line(
            "r", variant, outputs={"v": {"datatype": "FP32", "shape": [999], "sha256": digest, "values": 999}}
        )

    assert compare([large("stable", "a"), large("b", "a")], Limits(pairs=1)).changed == 0
    assert compare([large("stable", "a"), large("b", "c")], Limits(pairs=1)).changed == 1


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no recorded answers"),
        ([line("r", "stable")], "not of stable and one challenger"),
        ([line("r", "stable"), line("r", "b"), line("r", "c")], "b, c, stable"),
        ([{"log": LOG, "variant": "b", "ms": 1}], "lacks 'id'"),
        ([{**line("r", "b"), "ms": float("nan")}], "a time: ms is nan"),
        ([{**line("r", "b"), "ms": -1}], "a time: ms is -1.0"),
    ],
)
def test_a_log_that_cannot_be_compared_is_refused(lines: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(UserError, match=said):
        compare(lines, Limits())


def test_a_number_beyond_all_bounds_differs() -> None:
    found = [line("r", "stable"), line("r", "b")]
    found[1]["outputs"] = {name: {**told, "data": [10**400]} for name, told in found[1]["outputs"].items()}

    assert compare(found, Limits(pairs=1)).changed == 1


def test_the_bound_agrees_with_a_published_one() -> None:
    assert upper_percent(1, 10, z=1.96) == pytest.approx(40.4, abs=0.1)  # Wilson 1927; Newcombe 1998, method 3
