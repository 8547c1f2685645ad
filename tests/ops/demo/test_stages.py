"""What the steps make of the values that plans, verdicts, the engine and servers give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ops.check.report import CheckReport
from ops.demo import words
from ops.demo.stages import other_verdicts, strays, wrong_answers
from ops.local.session import Deployed
from ops.serving.golden import GoldenResult, Latency, Mismatch
from policies.inventory import Inventory
from policies.model import Verdict

GOLDEN = GoldenResult("http", 3, 0, 1e-7, Latency(1.0, 2.0, 3.0), ())


def deployed(*urns: str) -> list[Deployed]:
    return [Deployed(urn, "t", "id", True, False, False) for urn in urns]


def engine(check: CheckReport, *verdicts: str) -> list[dict[str, Any]]:
    """The findings of `check` as the engine writes them, with these verdicts."""
    found = check.verdicts[0].findings
    return [{**f.to_json(), "verdict": verdict} for f, verdict in zip(found, verdicts, strict=False)]


def offline(check: CheckReport, verdict: Verdict) -> CheckReport:
    """`check` with `verdict` for its first finding."""
    (stack,) = check.verdicts
    first, *others = stack.findings
    waived = replace(stack.waived, findings=(replace(first, verdict=verdict), *others))
    return replace(check, verdicts=(replace(stack, waived=waived),))


def test_what_was_planned_and_is_deployed_is_no_finding(inventory: Inventory) -> None:
    assert strays(inventory, deployed(*inventory.by_urn)) == ()


def test_a_deployment_that_is_not_the_plan_is_found(inventory: Inventory) -> None:
    there = [urn for urn in inventory.by_urn if not urn.endswith("::far")]
    assert strays(inventory, deployed(*there, "urn::surprise")) == (
        "planned and not deployed: far",
        "deployed and not planned: surprise",
    )


@pytest.mark.parametrize(
    ("mine", "its", "agrees"),
    [
        (Verdict.PASS, "pass", True),
        (Verdict.FAIL, "fail", True),
        (Verdict.UNKNOWN, "unknown", True),
        (Verdict.UNKNOWN, "pass", True),
        (Verdict.UNKNOWN, "fail", False),
        (Verdict.PASS, "fail", False),
        (Verdict.FAIL, "pass", False),
        (Verdict.PASS, "unknown", False),
    ],
)
def test_the_engine_may_only_know_better(check: CheckReport, mine: Verdict, its: str, agrees: bool) -> None:
    assert (other_verdicts(offline(check, mine), engine(check, its, "fail")) == ()) is agrees


def test_a_verdict_that_only_one_side_gives_is_a_difference(check: CheckReport) -> None:
    assert len(other_verdicts(check, engine(check, "pass"))) == 1
    assert (
        len(other_verdicts(check, [*engine(check, "pass", "fail"), {"rule": "r", "urn": "", "verdict": "pass"}])) == 1
    )


def test_golden_answers_are_no_finding() -> None:
    assert wrong_answers([GOLDEN]) == ()


def test_a_wrong_answer_is_a_finding_with_its_reason() -> None:
    wrong = replace(GOLDEN, mismatches=(Mismatch("row-1", "label 'x'"),))
    assert wrong_answers([GOLDEN, wrong]) == ("HTTP: 2 of 3 answers are golden: row-1: label 'x'",)


def test_many_examples_are_cut_with_their_number() -> None:
    assert words.some([f"update {n}" for n in range(9)]).endswith("update 4; and 4 more")


def test_resources_stand_by_their_outermost_component(inventory: Inventory) -> None:
    found = {part.name if part else None: [r.name for r in members] for part, members in words.components(inventory)}
    assert found == {None: ["aws"], "storage": ["models", "far", "somewhere"]}
