"""The check as annotations of a GitHub workflow: commands on standard output that mark lines in a pull request.

How commands are written and escaped: actions/toolkit, packages/core/src/command.ts; how many are shown: 10 errors, 10
warnings and 10 notices of a step, 50 of a job (actions/toolkit, docs/problem-matchers.md; both read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ops.check.places import Place, Places
from ops.check.report import CheckReport
from ops.check.words import cut, one_line, safe
from policies.model import Finding, Severity, Verdict

Level = Literal["error", "warning", "notice"]

MOST_OF_A_LEVEL: Final = 10
MOST_CHARACTERS: Final = 4000
MOST_TITLE: Final = 200

_LEVELS: Final[Mapping[Severity, Level]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "warning",
}


@dataclass(frozen=True)
class _Annotation:
    level: Level
    place: Place
    title: str
    message: str

    def __str__(self) -> str:
        properties = {
            "file": self.place.file,
            "line": str(self.place.line),
            "endLine": str(self.place.line),
            "col": str(self.place.column),
            "endColumn": str(self.place.end_column),
            "title": cut(one_line(self.title), MOST_TITLE),
        }
        told = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
        return f"::{self.level} {told}::{_data(cut(safe(self.message), MOST_CHARACTERS))}"


def as_github(report: CheckReport) -> str:
    """At most ten annotations of each level, worst first, and a notice that says what is left out."""
    shown: list[_Annotation] = []
    count = {"error": 0, "warning": 0, "notice": 0}
    left_out = {"error": 0, "warning": 0}
    for each in _annotations(report):
        if count[each.level] < MOST_OF_A_LEVEL:
            count[each.level] += 1
            shown.append(each)
        else:
            left_out[each.level] += 1
    lines = [str(each) for each in shown]
    missing = [f"{n} {level}{'s' if n != 1 else ''}" for level, n in left_out.items() if n]
    if missing:
        said = f"{' and '.join(missing)} more: GitHub shows {MOST_OF_A_LEVEL} of a level. `seawall check` lists all."
        lines.append(f"::notice title={_property('seawall check')}::{_data(said)}")
    verdict = "passed" if report.passed else "failed"
    lines.append(f"seawall check {verdict}: {', '.join(one_line(v.stack) for v in report.verdicts)}")
    return "\n".join(lines)


def _annotations(report: CheckReport) -> Iterator[_Annotation]:
    """Invalid waivers, which are few, then violations by severity over all stacks."""
    places = Places(report.inventories)
    problems = [p for verdict in report.verdicts for p in verdict.waived.problems] + list(report.stray_waivers)
    for problem in problems:
        waiver = problem.waiver
        message = f"The waiver of {waiver.rule} on {waiver.resource} ({waiver.stack}): {problem.problem}"
        yield _Annotation("error", places.of_waiver(waiver), "Invalid waiver", message)
    order = {severity: rank for rank, severity in enumerate(Severity)}
    found = [(verdict.stack, finding) for verdict in report.verdicts for finding in verdict.violations]
    for stack, finding in sorted(found, key=lambda each: order[each[1].rule.severity]):
        title = f"{finding.rule.id} ({finding.rule.severity}, {stack})"
        yield _Annotation(_LEVELS[finding.rule.severity], places.of(stack, finding)[0], title, _message(finding))


def _message(finding: Finding) -> str:
    known = "" if finding.verdict is Verdict.FAIL else "\nIt is not known yet, which fails in production."
    return f"{finding.name}: {finding.reason}{known}\nRemedy: {finding.rule.remedy}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
