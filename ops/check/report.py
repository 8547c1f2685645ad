"""The result of a check over all its stacks: the exit code, the JSON document, and the text for an auditor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from common.errors import EXIT_CLEAN, EXIT_FOUND
from ops.check.words import one_line
from policies.inventory import Inventory
from policies.model import Finding, Verdict
from policies.rules import RULES
from policies.unjudged import RULE as TYPE_RULE
from policies.verdicts import StackVerdict
from policies.waivers import WaiverProblem
from stacks.promises import Promise

SCHEMA: Final = 1
"""Version of the JSON document; a reader may rely on its keys within one version."""


@dataclass(frozen=True)
class CheckReport:
    """Verdicts on one or more stacks, on one day, by one version of Seawall."""

    version: str
    date: date
    verdicts: tuple[StackVerdict, ...]
    stray_waivers: tuple[WaiverProblem, ...] = ()
    """Invalid waivers of stacks that do not exist, or that were not judged."""
    promises: Mapping[str, tuple[Promise, ...]] = field(default_factory=dict)
    """Stack → what it promises of recovery, and what that is bounded to: told, and not judged here."""
    inventories: Mapping[str, Inventory] = field(default_factory=dict, repr=False)
    """Stack → what was judged, from which reports tell where a resource is made."""
    started: datetime | None = None
    """When judging began, in UTC."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Stack → how long judging it took."""

    @property
    def passed(self) -> bool:
        """No stack fails, and no waiver is invalid."""
        return all(verdict.passed for verdict in self.verdicts) and not self.stray_waivers

    @property
    def unread(self) -> Mapping[str, str]:
        """Planned types that no rule reads, and the table lists → why."""
        found = {each.type: each.reason for verdict in self.verdicts for each in verdict.types.unread if each.reason}
        return {token: found[token] for token in sorted(found)}

    @property
    def exit_code(self) -> int:
        """0 clean, 1 found something; how much is printed has no part in it."""
        return EXIT_CLEAN if self.passed else EXIT_FOUND

    def to_json(self) -> dict[str, Any]:
        """The document of `--format json`."""
        return {
            "schema": SCHEMA,
            "tool": {"name": "seawall", "version": self.version},
            "date": self.date.isoformat(),
            "verdict": "pass" if self.passed else "fail",
            "rules": [rule.to_json() for rule in (*RULES, TYPE_RULE)],
            "stacks": [{**verdict.to_json(), "recovery": self._recovery(verdict.stack)} for verdict in self.verdicts],
            "waiver_problems": [problem.to_json() for problem in self.stray_waivers],
        }

    def _recovery(self, stack: str) -> list[dict[str, Any]]:
        return [promise.to_json() for promise in self.promises.get(stack, ())]


def as_text(report: CheckReport, *, quiet: bool = False, details: bool = False) -> str:
    """The report for a person: violations first, then waivers, then counts. `quiet` keeps what fails."""
    blocks = [
        block
        for verdict in report.verdicts
        for block in _stack(verdict, report.promises.get(verdict.stack, ()), quiet=quiet, details=details)
    ]
    if report.stray_waivers:
        blocks.append(_lines("Invalid waivers", map(_waiver_problem, report.stray_waivers)))
    if not quiet:
        blocks += [*_unread(report, details=details), _conclusion(report)]
    return "\n\n".join(blocks)


def _unread(report: CheckReport, *, details: bool) -> Iterator[str]:
    """One line on the types that no rule reads; with `details`, why."""
    reasons = report.unread
    if reasons:
        counted = f"{len(reasons)} planned type{'s' if len(reasons) != 1 else ''}"
        yield f"No rule reads {counted}, each for a reason in docs/policies.md: {', '.join(map(one_line, reasons))}"
    if reasons and details:
        yield _lines("Why no rule reads them", [f"{one_line(t)}: {why}" for t, why in reasons.items()])


def _conclusion(report: CheckReport) -> str:
    failing = [verdict.stack for verdict in report.verdicts if not verdict.passed]
    stacks = f"{len(report.verdicts)} stack{'s' if len(report.verdicts) != 1 else ''}"
    verdict = f"FAIL: {', '.join(failing) or 'invalid waivers'}" if not report.passed else "PASS"
    return f"{verdict}  ({stacks}, {len(RULES)} rules, seawall {report.version}, {report.date.isoformat()})"


def _stack(verdict: StackVerdict, promises: Sequence[Promise], *, quiet: bool, details: bool) -> Iterator[str]:
    failing = not verdict.passed
    if quiet and not failing:
        return
    yield _headline(verdict)
    for finding in verdict.violations:
        yield _violation(finding)
    if verdict.waived.problems:
        yield _lines("  Invalid waivers", map(_waiver_problem, verdict.waived.problems), indent=4)
    if quiet:
        return
    unknown = () if verdict.production else [f for f in verdict.findings if f.verdict is Verdict.UNKNOWN]
    if unknown:
        listed = (f"{f.rule.id}  {one_line(f.name)}: {one_line(f.reason)}" for f in unknown)
        yield _lines("  Unknown until the provider answers (fails in production)", listed, indent=4)
    if verdict.waived.applied:
        yield _lines("  Waived", _waived(verdict), indent=4)
    if verdict.opt_outs:
        listed = (f"{one_line(name)}: {one_line(reason)}" for name, reason in verdict.opt_outs.items())
        yield _lines("  Opted out in the settings", listed, indent=4)
    if promises:
        yield _lines("  Recovery, as the settings promise and bound it", map(str, promises), indent=4)
    if details:
        yield _lines("  By rule", _by_rule(verdict), indent=4)


def _headline(verdict: StackVerdict) -> str:
    counts = verdict.counts
    listed = ", ".join(f"{counts[v]} {str(v).replace('_', ' ')}" for v in Verdict)
    return f"{one_line(verdict.stack)}  {'PASS' if verdict.passed else 'FAIL'}  {listed}"


def _violation(finding: Finding) -> str:
    known = "" if finding.verdict is Verdict.FAIL else " (unknown, which fails in production)"
    lines = [
        f"  {str(finding.rule.severity).upper()}  {finding.rule.id}  {finding.rule.title}{known}",
        f"    resource  {one_line(finding.name)}  {one_line(finding.type)}",
        f"    urn       {one_line(finding.urn)}",
    ]
    for problem in finding.problems:
        lines.append(f"    found     {one_line(problem.subject)}")
        lines.append(f"    required  {one_line(problem.required)}")
    lines.append(f"    remedy    {finding.rule.remedy}")
    return "\n".join(lines)


def _waived(verdict: StackVerdict) -> Iterator[str]:
    for finding in verdict.findings:
        waiver = verdict.waived.applied.get(finding.key)
        if waiver:
            until = f"until {waiver.expires.isoformat()}, {one_line(waiver.owner)}"
            yield f"{finding.rule.id}  {one_line(finding.name)}: {until}: {one_line(waiver.reason)}"
            yield f"  {one_line(finding.reason)}"


def _waiver_problem(problem: WaiverProblem) -> str:
    waiver = problem.waiver
    named = one_line(f"{waiver.rule} on {waiver.resource} ({waiver.stack})")
    return f"{waiver.where}  {named}: {one_line(problem.problem)}"


def _by_rule(verdict: StackVerdict) -> Iterator[str]:
    width = max(len(rule.id) for rule in RULES)
    counted: dict[str, Counter[Verdict]] = {}
    for finding in verdict.findings:
        counted.setdefault(finding.rule.id, Counter())[finding.verdict] += 1
    for rule in RULES:
        counts = counted.get(rule.id, Counter())
        told = ", ".join(f"{counts[v]} {str(v).replace('_', ' ')}" for v in Verdict if counts[v])
        yield f"{rule.id:<{width}}  {told}"


def _lines(title: str, lines: Iterator[str] | Sequence[str] | map[str], indent: int = 2) -> str:
    return "\n".join([title, *(f"{' ' * indent}{line}" for line in lines)])
