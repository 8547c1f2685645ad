"""What plans, verdicts, the engine and drills say becomes facts and findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.check.report import CheckReport
from ops.demo import facts
from ops.demo.model import Drill, Policies, Preview
from ops.local.runs import Change
from ops.serving.golden import GoldenPrediction, GoldenResult, GoldenSet, Latency, Mismatch
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Finding, Problem, Verdict
from policies.rules import RULES
from policies.verdicts import StackVerdict
from policies.waivers import Waived

STACK_URN = "urn:pulumi:dev-aws::seawall::pulumi:pulumi:Stack::seawall-dev-aws"


def urn(name: str) -> str:
    return f"urn:pulumi:dev-aws::seawall::t::{name}"


def resource(name: str, **changes: Any) -> Resource:
    return replace(Resource(urn(name), "aws:s3/bucket:Bucket", name, custom=True, region="eu-west-1"), **changes)


@pytest.fixture
def inventory() -> Inventory:
    """A component in a component, each with a bucket, and a provider outside of both."""
    return Inventory(
        "dev-aws",
        {},
        (
            resource("aws", type="pulumi:providers:aws", region=None),
            resource("storage", type="seawall:aws:Storage", custom=False, region=None),
            resource("models", parent=urn("storage"), protect=True),
            resource("replica", type="seawall:aws:Replica", custom=False, region=None, parent=urn("storage")),
            resource("far", parent=urn("replica"), region="eu-central-1"),
            resource("somewhere", parent=urn("replica"), region=UNKNOWN),
        ),
    )


def verdict_of(*findings: Finding) -> CheckReport:
    waived = Waived(findings=tuple(findings), applied={}, problems=())
    return CheckReport("1", date(2026, 1, 2), (StackVerdict("dev-aws", False, waived, {}),))


def finding(verdict: Verdict, name: str = "models") -> Finding:
    return Finding(RULES[0], urn(name), "t", name, verdict, (Problem("acl", "public", "private"),))


def inside(verdict: str, name: str = "models") -> dict[str, str]:
    return {"rule": RULES[0].id, "urn": urn(name), "verdict": verdict}


def test_resources_are_told_by_their_outermost_component(inventory: Inventory) -> None:
    told = facts.resources_of(inventory, [r.urn for r in inventory.resources])
    assert {c.name: (c.resources, c.protected, c.regions) for c in told.components} == {
        facts.LOOSE: (1, 0, ()),
        "storage": (3, 1, ("eu-central-1", "eu-west-1")),
    }


def test_every_cloud_resource_is_counted_once(inventory: Inventory) -> None:
    told = facts.resources_of(inventory, ())
    assert sum(c.resources for c in told.components) == sum(r.custom for r in inventory.resources)


def test_the_stack_itself_is_no_resource_of_the_plan(inventory: Inventory) -> None:
    told = facts.resources_of(inventory, [STACK_URN, *(r.urn for r in inventory.resources)])
    assert (told.deployed, facts.resource_findings(told)) == (6, ())


def test_a_deployment_that_is_not_the_plan_is_found(inventory: Inventory) -> None:
    there = [r.urn for r in inventory.resources if r.name != "far"] + [urn("surprise")]
    told = facts.resource_findings(facts.resources_of(inventory, there))
    assert told == ("1 resources planned and not deployed: far", "1 resources deployed and not planned: surprise")


def test_a_violation_is_a_finding_with_its_reason() -> None:
    told = facts.policy_findings(facts.policies_of(verdict_of(finding(Verdict.FAIL))))
    assert told == (f"policy {RULES[0].id} ({RULES[0].severity}) on models: acl is public; required: private",)


def test_a_clean_verdict_is_no_finding() -> None:
    policies = facts.policies_of(verdict_of(finding(Verdict.PASS)))
    assert (policies.passed, policies.rules, facts.policy_findings(policies)) == (True, len(RULES), ())


@pytest.mark.parametrize(
    ("offline", "engine", "agrees"),
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
def test_the_engine_may_only_know_better(offline: Verdict, engine: str, agrees: bool) -> None:
    report = verdict_of(finding(offline))
    policies = facts.with_engine(facts.policies_of(report), report, {"findings": [inside(engine)]})
    assert (policies.engine_asked, not policies.engine_differs, not facts.engine_findings(policies)) == (
        True,
        agrees,
        agrees,
    )


def test_a_verdict_that_only_one_side_gives_is_a_difference() -> None:
    report = verdict_of(finding(Verdict.PASS))
    told = facts.with_engine(facts.policies_of(report), report, {"findings": [inside("pass", "other")]})
    assert len(told.engine_differs) == 2


def test_changes_after_an_up_are_findings() -> None:
    changes = facts.changes_told(
        [Change(urn("models"), "t", "update", ("acl", "tags")), Change(urn("x"), "t", "delete")]
    )
    assert changes == ("update models (acl, tags)", "delete x")
    assert facts.preview_findings(Preview(1, changes)) == (
        "the second preview is not empty: update models (acl, tags); delete x",
    )


def test_drift_is_a_finding_and_its_absence_is_none() -> None:
    assert facts.drift_findings(Preview(1, (), ("update models (acl)",))) == ("drift: update models (acl)",)
    assert not facts.drift_findings(Preview(1, (), ()))


def test_many_examples_are_cut_with_their_number() -> None:
    (told,) = facts.preview_findings(Preview(1, tuple(f"update {n}" for n in range(9))))
    assert told.endswith("update 4; and 4 more")


@given(st.integers(1, 400), st.integers(1, 500))
def test_goldens_are_repeated_as_wholes_until_there_are_enough(count: int, requests: int) -> None:
    golden = GoldenSet("model", 0.1, tuple(GoldenPrediction(str(n), (0.0,), 0.5, "x") for n in range(count)))
    asked = facts.repeated(golden, requests).predictions
    assert requests <= len(asked) < requests + count
    assert asked[:count] == golden.predictions


def golden_result(**changes: Any) -> GoldenResult:
    return replace(GoldenResult("http", 3, 0, 1e-7, Latency(1.0, 2.0, 3.0), ()), **changes)


def test_golden_answers_are_no_finding() -> None:
    told = facts.predictions_of("before", golden_result())
    assert (told.passed, told.p99_ms, facts.prediction_findings([told])) == (True, 3.0, ())


def test_a_wrong_answer_is_a_finding_with_its_reason() -> None:
    told = facts.predictions_of("before", golden_result(mismatches=(Mismatch("row-1", "label 'x'"),)))
    assert facts.prediction_findings([told]) == ("http: 1 of 3 answers are not golden: row-1: label 'x'",)


def test_a_server_that_never_answers_has_no_latency() -> None:
    silent = golden_result(
        errors=3, max_abs_error=None, latency=None, mismatches=tuple(Mismatch(str(n), "no answer") for n in range(3))
    )
    told = facts.predictions_of("after", silent)
    assert (told.matching, told.p50_ms, told.passed) == (0, None, False)


def test_evidence_and_a_fresh_result_give_the_same_row() -> None:
    fresh = golden_result(mismatches=(Mismatch("row-1", "late"),))
    assert facts.predictions_of("after", fresh) == facts.predictions_of("after", fresh.to_json())


DOCUMENT: dict[str, Any] = {
    "verdict": "proven",
    "mode": "emulated",
    "scenario": "loss",
    "findings": [],
    "signer": {"fingerprint": "SHA256:abc"},
    "phases": [{"name": "seed", "start": "2026-01-02T03:04:05+00:00", "end": "2026-01-02T03:04:06.500000+00:00"}],
    "source": {"region": "eu-west-1"},
    "target": {"region": "eu-central-1"},
    "region_separated_km": 1088.2,
    "rpo": {"target_s": 60.0, "measured_s": 1.0, "pass": True},
    "rto": {"target_s": 60.0, "measured_s": 61.0, "pass": False},
    "objects": {"restored": 3, "expected": 4},
    "features": {"actual": 5, "expected": 6},
    "recovery_point": {"id": "p", "created": "then", "vault": "v", "region": "eu-central-1"},
    "controls": [{"fault": "flip", "detected": True, "found": "1"}],
}


def test_a_drills_evidence_is_told_in_short() -> None:
    told = facts.drill_of(DOCUMENT, "d.json", "d.md")
    assert told.rto is not None
    assert (told.proven, told.rto.passed, told.phases) == (True, False, (("seed", 1.5),))
    assert (told.objects, told.features) == ("3 of 4 objects", "5 of 6 feature rows")


def test_a_drill_that_could_not_go_on_is_told_without_measures() -> None:
    kept = ("mode", "scenario", "signer", "phases")
    failed = {**{k: DOCUMENT[k] for k in kept}, "verdict": "not proven", "findings": ["no recovery point (vault)"]}
    told = facts.drill_of(failed, "d.json", "d.md")
    assert (told.proven, told.rpo, told.controls) == (False, None, ())
    assert facts.drill_findings(told) == ("the restore is not proven: no recovery point (vault)",)


def test_a_proven_drill_is_no_finding(drill: Drill) -> None:
    assert facts.drill_findings(drill) == ()


def test_engine_findings_need_a_difference() -> None:
    assert facts.engine_findings(Policies(1, True, {}, (), engine_asked=True)) == ()
