"""The verdict is computed from the predicate alone: whatever is changed in a proven one shows as a finding."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest

from ops.drill.judging import findings
from ops.drill.requirements import REQUIREMENTS

Predicate = dict[str, Any]
REGION_LOST = REQUIREMENTS["region-lost"]


def checks_of(predicate: Predicate, name: str) -> list[dict[str, Any]]:
    return [check for check in predicate["checks"] if check["name"] == name]


def broken(evidence: Predicate, change: Callable[[Predicate], object]) -> tuple[str, ...]:
    predicate = copy.deepcopy(evidence)
    change(predicate)
    return findings(predicate)


def test_evidence_of_a_sound_restore_is_proven(evidence: Predicate) -> None:
    assert findings(evidence) == ()


@pytest.mark.parametrize("name", REGION_LOST.checks)
def test_a_check_that_is_left_out_is_a_finding(evidence: Predicate, name: str) -> None:
    def leave_out(predicate: Predicate) -> None:
        predicate["checks"] = [check for check in predicate["checks"] if check["name"] != name]

    assert f"the check {name} was left out" in broken(evidence, leave_out)


@pytest.mark.parametrize("name", REGION_LOST.controls)
def test_a_negative_control_that_is_left_out_is_a_finding(evidence: Predicate, name: str) -> None:
    def leave_out(predicate: Predicate) -> None:
        predicate["controls"] = [each for each in predicate["controls"] if each["name"] != name]

    assert f"the negative control {name} was left out" in broken(evidence, leave_out)


@pytest.mark.parametrize("name", REGION_LOST.checks)
def test_a_claim_to_have_passed_counts_for_nothing(evidence: Predicate, name: str) -> None:
    def spoil(predicate: Predicate) -> None:
        for check in checks_of(predicate, name):
            check["found"] = "forged"

    assert any(finding.startswith(name) for finding in broken(evidence, spoil))


@pytest.mark.parametrize("name", REGION_LOST.checks)
def test_a_check_judged_by_a_milder_rule_is_a_finding(evidence: Predicate, name: str) -> None:
    def soften(predicate: Predicate) -> None:
        for check in checks_of(predicate, name):
            check["rule"], check["expected"] = "milder", check["found"]

    assert any("judged by" in finding for finding in broken(evidence, soften))


@pytest.mark.parametrize("name", REGION_LOST.controls)
def test_a_fault_that_was_not_found_is_a_finding(evidence: Predicate, name: str) -> None:
    def overlook(predicate: Predicate) -> None:
        for control in predicate["controls"]:
            if control["name"] == name:
                planted = control["planted"]
                [sound] = [c for c in checks_of(predicate, planted["name"]) if c["subject"] == planted["subject"]]
                planted["found"] = sound["found"]

    assert any("not detected" in finding for finding in broken(evidence, overlook))


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan, "4", None, True])
def test_an_impossible_recovery_time_is_a_finding(evidence: Predicate, seconds: Any) -> None:
    def measure(predicate: Predicate) -> None:
        checks_of(predicate, "rto.measured")[0]["found"] = seconds

    assert any("no possible figure" in finding for finding in broken(evidence, measure))


def test_a_recovery_time_that_the_phases_do_not_tell_is_a_finding(evidence: Predicate) -> None:
    def shorten(predicate: Predicate) -> None:
        checks_of(predicate, "rto.measured")[0]["found"] /= 2

    assert any("not what the phases tell" in finding for finding in broken(evidence, shorten))


def test_a_clock_that_was_set_between_phases_is_a_finding(evidence: Predicate) -> None:
    def set_back(predicate: Predicate) -> None:
        predicate["phases"][1]["start_s"] = 0.0
        predicate["phases"][0]["seconds"] += 100

    assert any("clock was set" in finding for finding in broken(evidence, set_back))


def test_a_loss_outside_the_phases_is_a_finding(evidence: Predicate) -> None:
    later = {"lost_at_s": 1002.0, "proven_at_s": 1006.0}
    assert "the loss or the proof is not within the phases" in findings({**evidence, **later})


@pytest.mark.parametrize("wanted", [{"requests": 1}, {"tolerance": 1e-3}, {"tolerance": 2.0}, {"tolerance": "x"}])
def test_predictions_judged_by_fewer_or_laxer_goldens_are_a_finding(evidence: Predicate, wanted: Predicate) -> None:
    def soften(predicate: Predicate) -> None:
        [check] = checks_of(predicate, "predictions")
        check["expected"].update(wanted)
        check["found"]["requests"] = check["expected"]["requests"]

    assert any("not judged by the golden set" in finding for finding in broken(evidence, soften))
    assert any(finding.startswith("predictions") for finding in broken(evidence, soften))


@pytest.mark.parametrize("other", [{"name": "other"}, {"subject": "other"}, {"rule": "same"}])
def test_a_control_that_another_check_calls_clean_is_a_finding(evidence: Predicate, other: Predicate) -> None:
    def swap(predicate: Predicate) -> None:
        planted = predicate["controls"][0]["planted"]
        [sound] = checks_of(predicate, planted["name"])
        predicate["controls"][0]["undone"] = [{**sound, "found": planted["expected"], **other}]

    assert any("not clean before and after" in finding for finding in broken(evidence, swap))


@pytest.mark.parametrize("name", sorted(REQUIREMENTS.keys() - {"restore-test"}))
def test_a_loss_in_a_real_cloud_is_a_finding(evidence: Predicate, name: str) -> None:
    real = {**evidence, "scenario": name, "mode": "real", "not_enforced": []}
    assert any("does not run in a real cloud" in finding for finding in findings(real))


@pytest.mark.parametrize(
    ("name", "member", "junk"),
    [
        ("rto.measured", "found", 10**400),
        ("rto.measured", "expected", 10**400),
        ("rpo.measured", "expected", {"at_most_s": 1, "kinds": []}),
        ("rpo.measured", "expected", {"at_most_s": 1, "kinds": 1}),
        ("predictions", "expected", {"requests": 114, "tolerance": "x"}),
    ],
)
def test_no_value_within_a_check_makes_the_verdict_fail_to_compute(
    evidence: Predicate, name: str, member: str, junk: Any
) -> None:
    def spoil(predicate: Predicate) -> None:
        checks_of(predicate, name)[0][member] = junk
        if name == "rpo.measured":
            checks_of(predicate, name)[0]["found"] = {"measured_s": 0, "kinds": []}

    assert any(finding.startswith(name) for finding in broken(evidence, spoil))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema_version": 3}, "schema version"),
        ({"scenario": "nothing-lost"}, "not known"),
        ({"mode": "imagined"}, "not known"),
        ({"checks": None}, "cannot be read"),
        ({"lost_at_s": None}, "impossible"),
        ({"failure": {"what": "no answer", "where": "KMS", "phase": "restore"}}, "no answer (KMS)"),
        ({"failure": "yes"}, "does not say why"),
    ],
)
def test_what_cannot_be_judged_is_not_proven(evidence: Predicate, change: Predicate, says: str) -> None:
    assert any(says in finding for finding in findings({**evidence, **change}))


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, [1], [{}]])
def test_no_json_makes_the_verdict_fail_to_compute(evidence: Predicate, junk: Any) -> None:
    for key in evidence:
        findings({**evidence, key: junk})
    for index in range(len(evidence["checks"])):
        for member in ("name", "rule", "expected", "found", "passed"):
            assert isinstance(broken(evidence, lambda p, i=index, m=member: p["checks"][i].update({m: junk})), tuple)
