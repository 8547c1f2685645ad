"""What `seawall models status` says where settings, cluster and records do not agree."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.contracts.services import ServiceSpec
from ops.models.promoting import Subject
from ops.models.standing import Standing, standing

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OLD, NEW = "1.0.1", "1.0.2"


def subject(strategy: str = "canary", **more: Any) -> Subject:
    told = {
        "release": {"version": NEW, "manifest_sha256": "a" * 64},
        "accelerator": "cpu",
        "max_replicas": 2,
        "objective": {"p99_ms": 250, "availability_percent": 99.9},
        "fallback": {"none_because": "A test has nobody else to ask."},
        "traffic": {"strategy": strategy},
        **more,
    }
    return Subject("dev-aws", "risk", ServiceSpec.model_validate(told), Path("Pulumi.dev-aws.yaml"), lambda _: None)


def seen(deployments: dict[str, str], **status: Any) -> Standing:
    return standing(subject(), [], {"deployments": deployments, "canaries": {"risk": status}}, NOW)


def test_a_release_that_was_taken_back_is_told_with_what_to_do() -> None:
    (problem,) = seen({"risk": NEW, "risk-primary": OLD}, phase="Failed", canaryWeight=0).problems
    assert f"{NEW} was taken back, {OLD} answers" in problem
    assert "seawall models rollback dev-aws risk" in problem


def test_a_release_that_was_never_deployed_is_told() -> None:
    (problem,) = seen({"risk": OLD, "risk-primary": OLD}, phase="Succeeded").problems
    assert f"the settings pin stable {NEW}, and risk runs {OLD}" in problem
    assert "pulumi up --stack dev-aws" in problem


def test_a_promoted_release_is_no_problem() -> None:
    found = seen({"risk": NEW, "risk-primary": NEW}, phase="Succeeded", canaryWeight=0)
    assert found.problems == ()
    assert "  canary   Succeeded, 0 % of requests" in found.lines()


def test_settings_that_went_back_amid_a_canary_are_told() -> None:
    found = seen({"risk": NEW, "risk-primary": NEW}, phase="Progressing", canaryWeight=20)
    assert "pin no other release until that has ended" in " ".join(found.problems)


@pytest.mark.parametrize(("since", "is_told"), [("2026-11-22T11:58:30Z", False), ("2026-11-22T11:40:00Z", True)])
def test_a_share_that_stays_is_told(since: str, is_told: bool) -> None:
    found = seen({"risk": NEW, "risk-primary": OLD}, phase="Progressing", canaryWeight=20, lastTransitionTime=since)
    assert ["for 20 minutes" in problem for problem in found.problems] == [True] * is_told


HALT = "Halt risk.serving advancement answers 12.00 < 100"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"phase": "Progressing", "failedChecks": 1}, [f"  checks   1 failed, and 1 may; the last: {HALT}"]),
        ({"phase": "Progressing", "failedChecks": 0}, []),
        ({"phase": "Succeeded", "failedChecks": 1}, []),
    ],
    ids=["held up", "well", "over"],
)
def test_a_release_that_is_held_up_says_why(status: dict[str, Any], told: list[str]) -> None:
    live = {"deployments": {"risk": NEW}, "canaries": {"risk": status}, "halts": {"risk": HALT}}
    lines = standing(subject(), [], live, NOW).lines()
    assert [line for line in lines if line.startswith("  checks")] == told


@pytest.mark.parametrize(("strategy", "is_told"), [("canary", True), ("rolling", False)])
def test_a_canary_that_may_not_be_seen_is_told(strategy: str, is_told: bool) -> None:
    """Kubernetes' `view` has no kinds of others, and EKS' policy for readers takes none up."""
    live = {"deployments": {"risk": NEW}, "refusals": ['canaries.flagger.app is forbidden: User "reader"']}
    found = standing(subject(strategy), [], live, NOW)
    assert ["cannot be seen" in problem for problem in found.problems] == [True] * is_told


def test_without_a_cluster_nothing_is_said_of_it() -> None:
    found = standing(subject(), [], {}, NOW)
    assert (found.problems, found.running) == ((), {})
