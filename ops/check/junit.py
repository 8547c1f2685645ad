"""The check as JUnit XML for CI: one suite for each stack, one case for each rule and resource."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ops.check.report import CheckReport
from ops.check.words import one_line
from policies.model import Verdict
from policies.verdicts import StackVerdict
from policies.waivers import WaiverProblem

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference; `one_line` leaves none of it, and this makes sure."""


@dataclass
class _Counts:
    tests: int = 0
    failures: int = 0
    skipped: int = 0

    def add(self, other: _Counts) -> None:
        self.tests += other.tests
        self.failures += other.failures
        self.skipped += other.skipped

    def onto(self, element: ET.Element, seconds: float) -> None:
        element.set("tests", str(self.tests))
        element.set("failures", str(self.failures))
        element.set("errors", "0")  # what could not be judged at all ends the check before there is a report
        element.set("skipped", str(self.skipped))
        element.set("time", f"{seconds:.3f}")


def as_junit(report: CheckReport) -> str:
    """What fails as a failure, what is waived or not yet known as skipped; what does not apply is left out."""
    root = ET.Element("testsuites", name="seawall check")
    total = _Counts()
    for verdict in report.verdicts:
        total.add(_suite(root, report, verdict))
    if report.stray_waivers:
        suite = _begin(root, report, "waivers")
        counts = _Counts()
        _waivers(suite, report.stray_waivers, counts)
        counts.onto(suite, 0.0)
        total.add(counts)
    total.onto(root, sum(report.seconds.values()))
    if report.started is not None:
        root.set("timestamp", report.started.strftime("%Y-%m-%dT%H:%M:%S"))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _begin(root: ET.Element, report: CheckReport, name: str) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name=_xml(name))
    if report.started is not None:
        suite.set("timestamp", report.started.strftime("%Y-%m-%dT%H:%M:%S"))
    listed = ET.SubElement(suite, "properties")
    ET.SubElement(listed, "property", name="seawall", value=_xml(report.version))
    return suite


def _suite(root: ET.Element, report: CheckReport, verdict: StackVerdict) -> _Counts:
    suite, counts = _begin(root, report, verdict.stack), _Counts()
    violations = {finding.key for finding in verdict.violations}
    for finding in verdict.findings:
        if finding.verdict is Verdict.NOT_APPLICABLE:
            continue
        counts.tests += 1
        case = ET.SubElement(suite, "testcase", classname=finding.rule.id, name=_xml(finding.urn))
        if finding.key in violations:
            counts.failures += 1
            failure = ET.SubElement(case, "failure", message=_xml(finding.reason), type=str(finding.rule.severity))
            told = (finding.rule.title, f"{finding.name}: {finding.reason}", f"Remedy: {finding.rule.remedy}")
            failure.text = "\n".join(map(_xml, told))
        elif finding.verdict in (Verdict.WAIVED, Verdict.UNKNOWN):
            counts.skipped += 1
            waiver = verdict.waived.applied.get(finding.key)
            why = f", by {waiver.owner} until {waiver.expires.isoformat()}: {waiver.reason}" if waiver else ""
            ET.SubElement(case, "skipped", message=_xml(f"{finding.verdict}{why}: {finding.reason}"))
    _waivers(suite, verdict.waived.problems, counts)
    counts.onto(suite, report.seconds.get(verdict.stack, 0.0))
    return counts


def _waivers(suite: ET.Element, problems: Sequence[WaiverProblem], counts: _Counts) -> None:
    for problem in problems:
        waiver = problem.waiver
        counts.tests += 1
        counts.failures += 1
        name = f"{waiver.where} {waiver.rule} on {waiver.resource} ({waiver.stack})"
        case = ET.SubElement(suite, "testcase", classname="waivers", name=_xml(name))
        failure = ET.SubElement(case, "failure", message=_xml(problem.problem), type="waiver")
        failure.text = _xml(problem.problem)


def _xml(text: str) -> str:
    """`text` as XML holds it, without lines of its own: a log that shows the file takes some of them for commands."""
    return _NO_XML.sub("\ufffd", one_line(text))
