"""Nothing is deployed but the reviewed plan, with its approvals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import UserError
from ops.deploying.deciding import Verdict, decided, read_reviewed
from ops.gates.approval import Standing
from ops.gates.judging import Judged
from ops.gates.model import Kind, Requirement, item
from ops.gates.plan import Plan, PlannedStep

PLAN = Plan("prod-aws", "engine", (PlannedStep("urn:a", "update", (("x", "1", "2"),)),), (), "0" * 40, "update 1")
ASKED = Requirement("state", "It may be lost.", 1, ("ann@example.com",), (item(Kind.STATE, "urn:a", {}),))
PASSED = Judged((Standing(ASKED, ("ann@example.com",), ()),), ())
LACKING = Judged((Standing(ASKED, (), ("ann.json: it has expired",)),), ())


def test_the_reviewed_plan_with_its_approvals_is_deployed() -> None:
    assert decided(PLAN, PLAN, PASSED).verdict is Verdict.DEPLOY
    assert decided(PLAN, PLAN, Judged((), ())).verdict is Verdict.DEPLOY


def test_without_its_approvals_it_is_not() -> None:
    found = decided(PLAN, PLAN, LACKING)
    assert found.verdict is Verdict.NOT_APPROVED and found.refused and found.lacking == ("state",)


def test_another_plan_is_not_though_it_is_approved() -> None:
    drifted = replace(PLAN, steps=(*PLAN.steps, PlannedStep("urn:b", "refresh", (("acl", "a", "b"),))))
    found = decided(PLAN, drifted, PASSED)
    assert found.verdict is Verdict.STALE and "urn:b" in found.differences[0]


def test_a_plan_that_does_less_is_another_too() -> None:
    assert decided(PLAN, replace(PLAN, steps=()), PASSED).verdict is Verdict.STALE


def test_a_plan_that_does_nothing_is_not_deployed() -> None:
    nothing = replace(PLAN, steps=())
    assert decided(nothing, nothing, LACKING).verdict is Verdict.NOTHING


def test_what_is_saved_deploys_nothing() -> None:
    assert decided(None, PLAN, PASSED).verdict is Verdict.SAVED


@pytest.mark.parametrize(
    ("plan", "stack", "fingerprint"),
    [
        (PLAN, "prod-gcp", None),
        (replace(PLAN, source="offline"), "prod-aws", None),
        (PLAN, "prod-aws", "sha256:0"),
    ],
)
def test_a_plan_of_something_else_is_refused(tmp_path: Path, plan: Plan, stack: str, fingerprint: str | None) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan.to_json()))
    with pytest.raises(UserError):
        read_reviewed(path, stack, fingerprint)
    assert read_reviewed(path, "prod-aws", PLAN.fingerprint) if plan == PLAN else True
