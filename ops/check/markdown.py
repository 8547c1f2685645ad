"""The check as Markdown for a comment or a job's summary: verdicts first, details folded, within GitHub's limit."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

from ops.check.places import Place, Places
from ops.check.report import CheckReport
from ops.check.words import cut, one_line
from policies.model import Finding, Verdict
from policies.rules import RULES
from policies.verdicts import StackVerdict
from policies.waivers import WaiverProblem

COMMENT_LIMIT: Final = 65_536
"""Characters that a comment on GitHub may have."""
_MOST_VALUE: Final = 1000
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|<>~@$&])")


def as_markdown(report: CheckReport, limit: int = COMMENT_LIMIT) -> str:
    """At most `limit` characters: whole entries, and a last line that counts those left out."""
    places = Places(report.inventories)
    head = [*_head(report), ""]
    entries = [*_waivers(report), *(e for verdict in report.verdicts for e in _stack(verdict, places))]
    entries += _unread(report)
    return fitted("\n".join(head), entries, limit)


def fitted(head: str, entries: Sequence[str], limit: int) -> str:
    """`head` and as many whole entries as fit; what is left out is counted at the end."""
    whole = "\n".join([head, *entries]) + "\n"
    if len(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - len(head) - len(_left_out(len(entries), limit)) - 2
    for entry in entries:
        if len(entry) + 1 > room:
            break
        kept.append(entry)
        room -= len(entry) + 1
    return "\n".join([head, *kept, _left_out(len(entries) - len(kept), limit)]) + "\n"


def _left_out(count: int, limit: int) -> str:
    return f"\n**{count} entries are left out: a comment holds {limit:,} characters. `seawall check` lists all.**"


def escaped(text: str, most: int = _MOST_VALUE) -> str:
    """`text` on one line, cut, without anything that Markdown, HTML or a mention would make of it."""
    return _SPECIAL.sub(r"\\\1", cut(one_line(text), most)).replace("\\@", "@\u200b").replace("\\<", "&lt;")


def in_html(text: str) -> str:
    """`text` on one line inside an HTML element, where Markdown's escapes would show."""
    return html.escape(cut(one_line(text), _MOST_VALUE)).replace("@", "@\u200b")


def code(text: str) -> str:
    """`text` on one line as code, whatever backticks it has."""
    shown = cut(one_line(text), _MOST_VALUE)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    padded = f" {shown} " if shown.startswith("`") or shown.endswith("`") or not shown else shown
    return f"{fence}{padded}{fence}"


def _head(report: CheckReport) -> Iterator[str]:
    yield f"## Policy check: {'pass' if report.passed else '**FAIL**'}"
    yield ""
    yield f"{len(RULES)} rules, seawall {escaped(report.version)}, {report.date.isoformat()}"
    yield ""
    yield "| stack | verdict | pass | fail | unknown | waived | invalid waivers |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for verdict in report.verdicts:
        counts = verdict.counts
        told = [counts[v] for v in (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED)]
        numbers = " | ".join(str(n) for n in (*told, len(verdict.waived.problems)))
        yield f"| {escaped(verdict.stack)} | {'pass' if verdict.passed else '**FAIL**'} | {numbers} |"


def _waivers(report: CheckReport) -> Iterator[str]:
    problems = [p for verdict in report.verdicts for p in verdict.waived.problems] + list(report.stray_waivers)
    if problems:
        yield "\n### Invalid waivers\n"
        yield from (_waiver(problem) for problem in problems)


def _waiver(problem: WaiverProblem) -> str:
    waiver = problem.waiver
    named = f"{code(waiver.rule)} on {code(waiver.resource)} ({escaped(waiver.stack)})"
    return f"- {escaped(waiver.where)}: {named}: {escaped(problem.problem)}"


def _stack(verdict: StackVerdict, places: Places) -> Iterator[str]:
    violations = verdict.violations
    unknown = () if verdict.production else [f for f in verdict.findings if f.verdict is Verdict.UNKNOWN]
    if violations or unknown or verdict.waived.applied or verdict.opt_outs:
        yield f"\n### {escaped(verdict.stack)}\n"
    for finding in violations:
        yield _violation(finding, places.of(verdict.stack, finding)[0])
    for finding in unknown:
        yield f"- unknown until the provider answers: {_subject(finding)}: {escaped(finding.reason)}"
    for finding in verdict.findings:
        waiver = verdict.waived.applied.get(finding.key)
        if waiver:
            until = f"{escaped(waiver.owner)}, until {waiver.expires.isoformat()}"
            yield f"- waived: {_subject(finding)}: {escaped(waiver.reason)} ({until})"
    for name, reason in verdict.opt_outs.items():
        yield f"- opted out in the settings: {code(name)}: {escaped(reason)}"


def _unread(report: CheckReport) -> Iterator[str]:
    reasons = report.unread
    if reasons:
        lines = [f"- {code(token)}: {escaped(reason)}" for token, reason in reasons.items()]
        title = f"Planned types that no rule reads: {len(reasons)}, each for a reason"
        yield "\n".join([f"\n<details><summary>{title}</summary>", "", *lines, "", "</details>"])


def _subject(finding: Finding) -> str:
    return f"{code(finding.rule.id)} on {code(finding.name)}"


def _violation(finding: Finding, place: Place) -> str:
    known = "" if finding.verdict is Verdict.FAIL else " Not known yet, which fails in production."
    lines = [
        f"<details><summary><b>{finding.rule.severity}</b> {in_html(finding.rule.title)}: "
        f"{in_html(finding.name)}</summary>",
        "",
        f"- rule {code(finding.rule.id)}",
        f"- resource {code(finding.urn)}",
        *(
            f"- found: {escaped(problem.subject)}; required: {escaped(problem.required)}"
            for problem in finding.problems
        ),
        f"- at {code(f'{place.file}:{place.line}')}{', ' + escaped(place.what) if place.what else ''}",
        f"- remedy: {escaped(finding.rule.remedy)}{known}",
        "",
        "</details>",
    ]
    return "\n".join(lines)
