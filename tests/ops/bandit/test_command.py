"""`seawall bandit`: what it prints and draws, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from common.errors import UserError
from ops.bandit import command
from ops.cli import build_app
from tests.ops.bandit.test_simulate import SPEC

ARMS = ["stable", "b"]


def test_rates_are_read_for_each_arm_one_after_the_other() -> None:
    assert command.rates_of(["b=0.2,0.1", "stable=0.1"], ARMS) == {"stable": (0.1,), "b": (0.2, 0.1)}


@pytest.mark.parametrize(
    "given",
    [
        ["stable=0.1"],
        ["stable=0.1", "b"],
        ["stable=0.1", "b=1.5"],
        ["stable=0.1", "b=nan"],
        ["c=0.1"],
        ["b=1", "b=0"],
    ],
)
def test_rates_that_are_none_are_refused_with_what_to_write(given: list[str]) -> None:
    with pytest.raises(UserError) as refused:
        command.rates_of(given, ARMS)
    assert "--reward" in refused.value.where


def test_a_service_without_a_bandit_is_refused() -> None:
    done = CliRunner().invoke(build_app(["bandit"]), ["bandit", "dev-aws", "--service", "tumour-risk"])
    assert isinstance(done.exception, UserError) and "has no bandit" in done.exception.what


def test_the_regret_is_told_and_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "_asked", lambda *_: (SPEC, ARMS))
    picture = tmp_path / "regret.svg"
    words = ["bandit", "dev-aws", "--service", "s", "--reward", "stable=0.1", "--reward", "b=0.2", "--hours", "1"]
    done = CliRunner().invoke(build_app(["bandit"]), [*words, "--seeds", "3", "--json", "--svg", str(picture)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["bandit_p5"] <= told["bandit_mean"] <= told["bandit_p95"] < told["equal_shares"] == 1800
    assert picture.read_text().startswith("<svg")


def test_more_than_a_person_would_wait_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_asked", lambda *_: (SPEC, ARMS))
    words = ["bandit", "dev-aws", "--service", "s", "--reward", "stable=0.1", "--reward", "b=0.2"]
    done = CliRunner().invoke(build_app(["bandit"]), [*words, "--hours", "700", "--seeds", "1000"])
    assert isinstance(done.exception, UserError) and "decisions" in done.exception.what
