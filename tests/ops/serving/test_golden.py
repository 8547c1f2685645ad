"""Judging answers: close is right, a fallback never is, and nothing answered is nothing passed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from ops.serving.golden import Answer, GoldenSet, ask_grpc, ask_http, judge, latency, load_golden

RIGHT = (Answer(0.01, 0.90005, "malignant", "store"), Answer(0.02, 0.1, "benign", "store"))


def test_answers_within_the_tolerance_pass(golden: GoldenSet) -> None:
    result = judge("http", golden, RIGHT)
    assert (result.passed, result.requests, result.errors) == (True, 2, 0)
    assert result.max_abs_error == pytest.approx(5e-5)


def test_an_answer_from_fallback_features_fails_even_if_it_is_right(golden: GoldenSet) -> None:
    result = judge("http", golden, (Answer(0.01, 0.9, "malignant", "fallback"), RIGHT[1]))
    assert [mismatch.entity_id for mismatch in result.mismatches] == ["a"]
    assert "not from the store" in result.mismatches[0].reason


@pytest.mark.parametrize("probability", [0.9 + 2e-4, 0.0, math.nan, math.inf])
def test_another_probability_fails(golden: GoldenSet, probability: float) -> None:
    assert not judge("http", golden, (Answer(0.01, probability, "malignant", "store"), RIGHT[1])).passed


def test_another_label_fails(golden: GoldenSet) -> None:
    assert not judge("http", golden, (Answer(0.01, 0.9, "benign", "store"), RIGHT[1])).passed


def test_an_error_is_counted_and_fails(golden: GoldenSet) -> None:
    result = judge("http", golden, (Answer(0.01, error="HTTP 500"), RIGHT[1]))
    assert (result.errors, result.passed) == (1, False)


def test_a_missing_answer_is_an_error(golden: GoldenSet) -> None:
    assert judge("http", golden, RIGHT[:1]).errors == 1


def test_no_requests_are_no_success() -> None:
    assert not judge("http", GoldenSet("model", 1e-4, ()), ()).passed


def test_the_result_can_be_written_as_json(golden: GoldenSet) -> None:
    assert json.loads(json.dumps(judge("grpc", golden, RIGHT).to_json()))["passed"] is True


@given(st.lists(st.floats(min_value=0, max_value=100), min_size=1, max_size=300))
def test_percentiles_are_measured_latencies_in_order(seconds: list[float]) -> None:
    found = latency(seconds)
    assert found is not None
    measured = {round(value * 1000, 3) for value in seconds}
    assert {found.p50_ms, found.p95_ms, found.p99_ms} <= measured
    assert found.p50_ms <= found.p95_ms <= found.p99_ms


def test_no_answers_have_no_latency() -> None:
    assert latency([]) is None


def test_a_dead_server_is_an_error_of_every_request(golden: GoldenSet) -> None:
    answers = ask_http("http://127.0.0.1:9", golden)  # the discard port: nothing listens there
    assert all(answer.error for answer in answers) and len(answers) == 2


def test_a_grpc_client_that_does_not_run_is_a_plain_error(golden: GoldenSet, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gRPC client does not run"):
        ask_grpc("127.0.0.1:9", golden, tmp_path / "no-python")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"model": "m", "tolerance": 1, "predictions": []}', "null"])
def test_a_golden_file_without_goldens_is_a_plain_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "golden.json").write_text(content)
    with pytest.raises(UserError):
        load_golden(tmp_path / "golden.json")


def test_the_committed_goldens_can_be_read() -> None:
    assert len(load_golden().predictions) > 100
