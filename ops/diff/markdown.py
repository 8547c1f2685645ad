"""Tells stack diffs as Markdown for a pull request: a summary on top, then only what changed, within the limit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from ops.diff.model import PropertyChange, ResourceChange, StackDiff, VerdictChange

COMMENT_LIMIT: Final = 65_536
"""Characters that a GitHub comment may have."""
VALUE_LIMIT: Final = 160
_MARKS: Final = {"added": "+", "changed": "~", "replaced": "±", "removed": "-"}


def render(diffs: Sequence[StackDiff], *, base: str, head: str, limit: int = COMMENT_LIMIT) -> str:
    """The whole comment, at most `limit` characters; what did not fit is counted at the end."""
    told = [diff for diff in diffs if not diff.is_empty]
    lines = ["## What this change does", "", f"`{base}` → `{head}`", ""]
    if not told:
        return "\n".join([*lines, "No stack changes.", ""])
    lines += _summary(told)
    for diff in told:
        lines += ["", *_stack(diff)]
    return _cut(lines, limit)


def _summary(diffs: Iterable[StackDiff]) -> list[str]:
    lines = [
        "| stack | added | changed | replaced | removed | at risk | policy |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for diff in diffs:
        counts = diff.counts
        worse = sum(1 for v in diff.verdicts if v.worse)
        policy = f"**{worse} worse**" if worse else f"{len(diff.verdicts)} changed" if diff.verdicts else "same"
        risk = f"**{len(diff.at_risk)}**" if diff.at_risk else "0"
        fate = {"new": " (new)", "gone": " (gone)", "both": ""}[diff.fate]
        cells = [str(counts[a]) for a in ("added", "changed", "replaced", "removed")]
        lines.append(f"| {diff.stack}{fate} | {' | '.join(cells)} | {risk} | {policy} |")
    return lines


def _stack(diff: StackDiff) -> list[str]:
    lines = [f"### {diff.stack}"]
    if diff.at_risk:
        lines += ["", "**At risk**", ""]
        lines += [_risk(change) for change in diff.at_risk]
    if diff.verdicts:
        lines += ["", "**Policy verdicts that changed**", ""]
        lines += [_verdict(v) for v in sorted(diff.verdicts, key=lambda v: (not v.worse, v.rule, v.resource))]
    for action in ("removed", "replaced", "changed", "added"):
        group = [change for change in diff.changes if change.action == action]
        if group:
            lines += ["", f"**{action.capitalize()} ({len(group)})**", ""]
            lines += [line for change in group for line in _resource(change)]
    if diff.outputs:
        lines += ["", "**Outputs**", ""]
        lines += [_property(change) for change in diff.outputs]
    return lines


def _risk(change: ResourceChange) -> str:
    assert change.risk is not None, "only changes at risk come here"  # noqa: S101
    return (
        f"- `{change.resource.name}` ({change.resource.type}) {change.risk.what}. At stake: {change.risk.at_stake}."
    )


def _verdict(change: VerdictChange) -> str:
    was, now = change.before or "no such resource", change.after or "no such resource"
    mark = "✗" if change.worse else "·"
    reason = f": {_inline(change.reason)}" if change.reason else ""
    return f"- {mark} `{change.rule}` ({change.severity}) on `{change.resource}`: {was} → {now}{reason}"


def _resource(change: ResourceChange) -> list[str]:
    region = f" in {change.resource.region}" if change.resource.region else ""
    order = f"; {change.order}" if change.order else ""
    head = f"- `{_MARKS[change.action]} {change.resource.name}` {change.resource.type}{region}{order}"
    return [head, *(f"  {_property(p)}" for p in change.properties)]


def _property(change: PropertyChange) -> str:
    because = " **(replaces)**" if change.replaces else ""
    if change.before is None:
        return f"- `{change.path}`: set to {_value(change.after)}{because}"
    if change.after is None:
        return f"- `{change.path}`: {_value(change.before)} removed{because}"
    return f"- `{change.path}`: {_value(change.before)} → {_value(change.after)}{because}"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = _inline(text)
    if len(text) > VALUE_LIMIT:
        text = f"{text[:VALUE_LIMIT]}… ({len(text)} characters)"
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}" if text else '`""`'


def _inline(text: str) -> str:
    return " ".join(text.split())


def _cut(lines: Sequence[str], limit: int) -> str:
    """Whole lines up to the limit, and a last line that says how many are missing."""
    whole = "\n".join(lines) + "\n"
    if len(whole) <= limit:
        return whole
    kept: list[str] = []
    room = limit - len(_missing(len(lines), len(whole))) - 2
    for line in lines:
        if room < len(line) + 1:
            break
        kept.append(line)
        room -= len(line) + 1
    return "\n".join([*kept, "", _missing(len(lines) - len(kept), len(whole))])


def _missing(lines: int, total: int) -> str:
    return (
        f"**Cut here:** {lines} more lines ({total} characters in all). Run `seawall diff --base REF` to read them."
    )
