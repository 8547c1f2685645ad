"""A gate asks about what it looks for, and about nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ops.diff.markdown import render
from ops.diff.model import CostChange, Opening, PropertyChange, ResourceChange, Step
from ops.gates.markdown import section
from ops.gates.model import Kind, item
from ops.gates.offline import apart, sections
from ops.gates.reading import Change
from ops.gates.settings import Gates
from policies.waivers import Waiver
from tests.ops.gates.conftest import costs, diff, lost, needs, plan_of, resource, shortened, worse

WAIVER = Waiver("aws-s3-lifecycle", "prod-aws", date(2026, 12, 1), "urn:x", reason="because of it", owner="ann")
QUEUE = ResourceChange("added", resource("prod-aws", "q", "aws:sqs/queue:Queue", name="q"))


def asked(change: Change, gates: Gates) -> set[str]:
    return set(needs(plan_of(change), gates))


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        (Change(diff("staging-aws", lost("staging-aws", "models"))), "state"),
        (Change(diff("staging-aws", shortened("staging-aws", ("retentionInDays", 365, 7)))), "state"),
        (Change(diff("staging-aws", lost("staging-aws", "models"))), "no-way-back"),
        (
            Change(
                diff(
                    "dev-aws", QUEUE, steps=(Step(1, "create", QUEUE.resource.urn, "q", "t", irreversible="a lock"),)
                )
            ),
            "no-way-back",
        ),
        (Change(diff("dev-aws", QUEUE, cost=costs(4000, 5001))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=costs(100, 121))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=costs(0, 1))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=CostChange(1, 1, 1, 1, not_priced=("aws:x y",)))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=CostChange(unknown="settings of another version"))), "cost"),
        (Change(diff("dev-aws", QUEUE, reach=(Opening("urn:x", "policy", "everyone"),))), "reach"),
        (Change(diff("dev-aws", verdicts=(worse(),))), "verdict"),
        (Change(diff("prod-aws"), waivers=(WAIVER,)), "waiver"),
        (Change(diff("prod-aws", QUEUE)), "prod"),
        (Change(diff("prod-aws", outputs=(PropertyChange("x", 1, 2),))), "prod"),
        (Change(diff("dev-gcp"), guards=(item(Kind.GUARDS, "stacks/gates.yaml", {"before": "a"}),)), "guards"),
    ],
)
def test_a_gate_sees_what_it_looks_for(change: Change, gate: str, gates: Gates) -> None:
    assert gate in asked(change, gates)


@pytest.mark.parametrize(
    "change",
    [
        Change(diff("dev-aws")),
        Change(diff("dev-aws", QUEUE)),
        Change(diff("staging-aws", QUEUE, cost=costs(4000, 4799))),
        Change(diff("dev-aws", QUEUE, cost=costs(9000, 8000))),
        Change(
            diff("dev-aws", verdicts=(replace(worse(), before=worse().after, after=worse().before, problems=()),))
        ),
    ],
)
def test_what_no_gate_looks_for_needs_no_approval(change: Change, gates: Gates) -> None:
    assert not asked(change, gates)


def test_the_report_says_who_must_agree_and_to_what(gates: Gates) -> None:
    plan = plan_of(Change(diff("prod-aws", lost("prod-aws", "models"))))
    told = "\n".join(section(list(needs(plan, gates).values())))
    assert "**Needs approval**" in told
    assert "`state`: 2 of" in told and "models" in told and "will be deleted" in told


def test_the_report_of_a_change_that_needs_nobody_is_silent() -> None:
    assert section([]) == []


def test_what_every_stack_is_asked_is_told_once_and_what_one_is_asked_with_it(gates: Gates) -> None:
    guards = (item(Kind.GUARDS, "policies/waivers.yaml", {"before": "a", "after": "b"}, note="is changed"),)
    changes = {
        "dev-aws": Change(diff("dev-aws", QUEUE), guards=guards),
        "dev-gcp": Change(diff("dev-gcp"), guards=guards),
        "prod-aws": Change(diff("prod-aws"), waivers=(WAIVER,), guards=guards),
    }
    found = apart({stack: tuple(needs(plan_of(change), gates).values()) for stack, change in changes.items()})
    quiet = [changes["dev-gcp"].diff, changes["prod-aws"].diff]
    text = render(quiet, base="a", head="b", extra=sections(found))
    assert text.count("policies/waivers.yaml") == 1, "what judges is asked about once"
    assert "No stack changes." in text.splitlines()
    assert "### prod-aws" in text and "`waiver`" in text and "because of it" in text
    assert "### dev-gcp" not in text and text.index("`guards`") < text.index("### prod-aws")


def test_a_report_cannot_be_made_to_call_somebody_or_to_hold_html(gates: Gates) -> None:
    bad = ResourceChange("added", resource("prod-aws", "x"), (PropertyChange("a", None, "<img src=x> @everyone"),))
    told = "\n".join(section(list(needs(plan_of(Change(diff("prod-aws", bad))), gates).values())))
    assert "<img" not in told and "@everyone" not in told
