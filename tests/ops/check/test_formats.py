"""SARIF and JUnit carry the same verdicts as the text, waivers included."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import date

import pytest

from ops.check.command import check_inventories
from ops.check.formats import as_junit, as_sarif
from ops.check.report import CheckReport
from policies.inventory import Inventory
from policies.rules import RULES
from policies.waivers import Waiver

TODAY = date(2026, 6, 1)


def _report(inventory: Inventory, waivers: Sequence[Waiver] = ()) -> CheckReport:
    return check_inventories([inventory], waivers, TODAY)


@pytest.fixture
def waiver(violating: Inventory) -> Waiver:
    """A waiver of the one violation."""
    urn = violating.resources[0].urn
    return Waiver("k8s-service-inside-only", "dev-aws", TODAY, urn, reason="shown to partners", owner="platform")


def test_sarif_has_one_result_for_each_violation(violating: Inventory) -> None:
    results = as_sarif(_report(violating))["runs"][0]["results"]
    assert [(r["ruleId"], r["level"]) for r in results] == [("k8s-service-inside-only", "error")]


def test_sarif_describes_every_rule(clean: Inventory) -> None:
    described = as_sarif(_report(clean))["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in described] == [rule.id for rule in RULES]


def test_sarif_points_at_the_settings_file_and_the_resource(violating: Inventory) -> None:
    location = as_sarif(_report(violating))["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "stacks/config/Pulumi.dev-aws.yaml"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == violating.resources[0].urn


def test_sarif_tells_a_waived_violation_as_suppressed(violating: Inventory, waiver: Waiver) -> None:
    result = as_sarif(_report(violating, [waiver]))["runs"][0]["results"][0]
    assert "shown to partners" in result["suppressions"][0]["justification"]


def test_a_fingerprint_does_not_change_from_day_to_day(violating: Inventory) -> None:
    prints = [
        as_sarif(check_inventories([violating], (), day))["runs"][0]["results"][0]["partialFingerprints"]
        for day in (TODAY, date(2026, 7, 1))
    ]
    assert prints[0] == prints[1]


def test_junit_counts_agree_with_its_cases(violating: Inventory) -> None:
    suite = ET.fromstring(as_junit(_report(violating))).find("testsuite")  # noqa: S314 - our own output
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), len(suite.findall("testcase/failure"))) == ("1", "1", 1)


def test_junit_tells_a_waived_violation_as_skipped(violating: Inventory, waiver: Waiver) -> None:
    suite = ET.fromstring(as_junit(_report(violating, [waiver]))).find("testsuite")  # noqa: S314 - our own output
    assert suite is not None and suite.get("skipped") == "1" and suite.get("failures") == "0"


def test_junit_tells_an_invalid_waiver_as_a_failure(clean: Inventory, waiver: Waiver) -> None:
    suite = ET.fromstring(as_junit(_report(clean, [waiver]))).find("testsuite")  # noqa: S314 - our own output
    assert suite is not None and suite.get("failures") == "1"
