"""The check's result in formats of other tools: SARIF 2.1.0 for code scanning, JUnit XML for CI."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any, Final

from ops.check.report import CheckReport
from policies.model import Finding, Rule, Severity, Verdict
from policies.rules import RULES
from policies.verdicts import StackVerdict

_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_SCORES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
"""GitHub's code scanning sorts by this number: above 9 critical, above 7 high, above 4 medium."""


def as_sarif(report: CheckReport) -> dict[str, Any]:
    """Violations as results, and waived ones as suppressed results, at the stack's settings file."""
    results = [
        _result(verdict, finding)
        for verdict in report.verdicts
        for finding in (*verdict.violations, *(f for f in verdict.findings if f.verdict is Verdict.WAIVED))
    ]
    driver = {"name": "seawall", "version": report.version, "rules": [_sarif_rule(rule) for rule in RULES]}
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    controls = [f"{framework}: {control}" for framework, ids in rule.frameworks.items() for control in ids]
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.rationale},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security", *controls]},
    }


def _result(verdict: StackVerdict, finding: Finding) -> dict[str, Any]:
    identity = "\n".join((verdict.stack, *finding.key))
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "level": _LEVELS[finding.rule.severity],
        "message": {"text": f"{finding.name}: {finding.reason}. Remedy: {finding.rule.remedy}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"stacks/config/Pulumi.{verdict.stack}.yaml"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"name": finding.name, "fullyQualifiedName": finding.urn, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"seawall/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    waiver = verdict.waived.applied.get(finding.key)
    if waiver:
        why = f"{waiver.reason} ({waiver.owner}, until {waiver.expires.isoformat()})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return result


def as_junit(report: CheckReport) -> str:
    """One suite per stack, one case per rule and resource; what does not apply is left out."""
    root = ET.Element("testsuites", name="seawall check")
    for verdict in report.verdicts:
        _suite(root, verdict)
    if report.stray_waivers:
        suite = ET.SubElement(root, "testsuite", name="waivers")
        for problem in report.stray_waivers:
            case = ET.SubElement(suite, "testcase", classname="waivers", name=problem.waiver.where)
            ET.SubElement(case, "failure", message=problem.problem)
        suite.set("tests", str(len(report.stray_waivers)))
        suite.set("failures", str(len(report.stray_waivers)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _suite(root: ET.Element, verdict: StackVerdict) -> None:
    findings = [f for f in verdict.findings if f.verdict is not Verdict.NOT_APPLICABLE]
    violations = {finding.key for finding in verdict.violations}
    problems = verdict.waived.problems
    suite = ET.SubElement(root, "testsuite", name=verdict.stack)
    skipped = 0
    for finding in findings:
        case = ET.SubElement(suite, "testcase", classname=finding.rule.id, name=finding.urn)
        if finding.key in violations:
            failure = ET.SubElement(case, "failure", message=finding.reason, type=str(finding.rule.severity))
            failure.text = f"{finding.rule.title}\nRemedy: {finding.rule.remedy}"
        elif finding.verdict in (Verdict.WAIVED, Verdict.UNKNOWN):
            skipped += 1
            ET.SubElement(case, "skipped", message=f"{finding.verdict}: {finding.reason}")
    for problem in problems:
        case = ET.SubElement(suite, "testcase", classname="waivers", name=problem.waiver.where)
        ET.SubElement(case, "failure", message=problem.problem)
    suite.set("tests", str(len(findings) + len(problems)))
    suite.set("failures", str(len(violations) + len(problems)))
    suite.set("skipped", str(skipped))
