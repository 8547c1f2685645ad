"""A preflight's report as people read it: what is missing first to the eye, with the commands to copy below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ops.preflight.model import Finding, Report, Status

MARKS: Final[Mapping[Status, str]] = {
    Status.OK: "✓",
    Status.MISSING: "✗",
    Status.UNKNOWN: "?",
    Status.NOT_APPLICABLE: "·",
}
_WIDEST_SUBJECT: Final = 58


def as_text(report: Report, *, allow_unknown: bool = False) -> str:
    """The table, then what to do about each thing that is missing or unknown, then the sums."""
    return "\n".join([*_table(report), "", *_remedies(report), _sums(report, allow_unknown=allow_unknown)])


def _table(report: Report) -> Iterator[str]:
    findings = [finding for check in report.answered for finding in check.findings]
    width = min(max((len(finding.subject) for finding in findings), default=0), _WIDEST_SUBJECT)
    for check in report.answered:
        yield check.title
        for finding in check.findings:
            detail = " ".join(finding.detail.split())
            yield f"  {MARKS[finding.status]} {finding.status:<14}  {finding.subject:<{width}}  {detail}"


def _remedies(report: Report) -> Iterator[str]:
    helped: dict[str, list[Finding]] = {}
    for check in report.answered:
        for finding in check.findings:
            if finding.remedy:
                helped.setdefault(finding.remedy, []).append(finding)
    if not helped:
        return
    yield "What to do"
    for remedy, findings in helped.items():
        named = ", ".join(dict.fromkeys(finding.subject for finding in findings))
        yield f"  {MARKS[findings[0].status]} {named}"
        yield f"    {remedy}"
    yield ""


def _sums(report: Report, *, allow_unknown: bool) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in report.counts.items())
    verdict = "READY" if not report.exit_code(allow_unknown=allow_unknown) else "NOT READY"
    return f"{report.stack}  {verdict}  {counts}  (account {report.account}, as {report.caller})"
