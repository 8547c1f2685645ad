"""However a scenario ends, its drill leaves a predicate that says so, and nothing that it made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from common.console import Steps
from common.errors import UserError
from common.target import REAL_CLOUD
from ops.drill.run import Assignment, Run, drill


class Cloud:
    """Remembers what was made, and removes it when asked."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.clean_ups = 0
        self.stuck = False

    def leftovers(self, _drill_id: str) -> list[str]:
        return list(self.made)

    def clean_up(self, _drill_id: str) -> list[str]:
        self.clean_ups += 1
        if self.stuck:
            raise UserError("no answer", "the cloud", "Try again.")
        gone, self.made = self.made, []
        return gone


class Acts:
    """A scenario that loses the region, makes a bucket, and then does what it is told."""

    name, title = "region-lost", "the primary region is lost"

    def __init__(self, then: Callable[[Run], object]) -> None:
        self._then = then

    def run(self, run: Run) -> None:
        cloud: Any = run.cloud
        with run.record.phase("lose"):
            run.record.lost()
        cloud.made.append("bucket restored")
        with run.record.phase("restore"):
            self._then(run)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def carry_out(cloud: Cloud, tmp_path: Path) -> Callable[[Callable[[Run], object]], dict[str, Any]]:
    outputs = SimpleNamespace(
        account="1",
        region="eu-west-1",
        backup_region="eu-central-1",
        fleet=SimpleNamespace(drilled=SimpleNamespace(manifest_sha256="00")),
    )
    program = {"commit": "", "deployed_sha256": "00"}
    images = SimpleNamespace(serving="sha256:00")
    stand_ins: Any = {"outputs": outputs, "settings": SimpleNamespace(fleet=SimpleNamespace(images=images))}

    def carry(then: Callable[[Run], object]) -> dict[str, Any]:
        assignment = Assignment(
            stack="dev-aws",
            drill_id="id",
            patience_s=1,
            serving_python=Path("python"),
            log_dir=tmp_path,
            program=program,
            **stand_ins,
        )
        acting: Any = cloud
        return drill(Acts(then), assignment, acting, acting, REAL_CLOUD, Steps(quiet=True))

    return carry


def raising(error: BaseException) -> Callable[[Run], object]:
    def act(_run: Run) -> None:
        raise error

    return act


@pytest.mark.parametrize(
    "error", [UserError("Triton did not start", "the log", "Look."), KeyError("surprise"), OSError(28, "no space")]
)
def test_whatever_goes_wrong_after_the_loss_is_not_proven_and_says_where(
    carry_out: Callable[..., Any], cloud: Cloud, error: Exception
) -> None:
    found = carry_out(raising(error))
    assert (found["verdict"], found["failure"]["phase"], found["failure"]["after_the_loss"]) == (
        "not proven",
        "restore",
        True,
    )
    assert "in the phase 'restore'" in found["findings"][0] and cloud.made == []


def test_an_unexpected_error_leaves_its_trace_beside_the_evidence(
    carry_out: Callable[..., Any], tmp_path: Path
) -> None:
    carry_out(raising(KeyError("surprise")))
    assert "KeyError" in (tmp_path / "drill-id-error.log").read_text(encoding="utf-8")


def test_an_interrupt_removes_what_was_made_and_leaves_no_evidence(
    carry_out: Callable[..., Any], cloud: Cloud
) -> None:
    with pytest.raises(KeyboardInterrupt):
        carry_out(raising(KeyboardInterrupt()))
    assert cloud.made == [] and cloud.clean_ups == 1


def test_a_clean_up_that_fails_is_a_finding(carry_out: Callable[..., Any], cloud: Cloud) -> None:
    cloud.stuck = True
    found = carry_out(lambda _run: None)
    assert any("the clean-up failed: no answer" in finding for finding in found["findings"])


def test_a_scenario_that_checks_nothing_is_not_proven(carry_out: Callable[..., Any]) -> None:
    found = carry_out(lambda run: run.record.proven(60))
    assert found["failure"] is None and found["verdict"] == "not proven"
    assert any("was left out" in finding for finding in found["findings"])


def test_names_that_are_taken_are_refused_before_anything_is_touched(
    carry_out: Callable[..., Any], cloud: Cloud
) -> None:
    cloud.made = ["bucket of somebody"]
    with pytest.raises(UserError, match="not empty"):
        carry_out(lambda _run: None)
    assert cloud.made == ["bucket of somebody"]
