"""A diff as Markdown for a pull request's comment: what a reviewer decides on first, the rest folded. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ops.cost.machine_prices import SEEN as PRICES_SEEN
from ops.diff.blast import FORMULA
from ops.diff.cutting import Block, Rank, joined
from ops.diff.effects import effect_lines
from ops.diff.model import Cause, CostChange, Effect, ResourceChange, StackDiff, Step, VerdictChange
from ops.diff.wording import cause_line, code, counted, property_line, prose, value

COMMENT_LIMIT: Final = 55_000
"""Bytes of one comment: GitHub takes 65,536 characters, and the workflow that writes it adds what GitHub knows."""
WHERE: Final = "Run `seawall diff --base REF` to read them."
Extra = Mapping[str, Sequence[str]]
"""Stack → lines that are never cut, as its gates; a stack may be there whose plan does not change."""
EVERY_STACK: Final = ""
"""Where lines stand that hold of every stack."""


def render(
    diffs: Sequence[StackDiff],
    *,
    base: str,
    head: str,
    limit: int = COMMENT_LIMIT,
    extra: Extra | None = None,
    where: str = WHERE,
) -> str:
    """The comment: a table of the stacks, and a section for each that changes."""
    told = [diff for diff in diffs if not diff.is_empty]
    opening = ["## What this change does", "", f"{code(base)} → {code(head)}", ""]
    gates = dict(extra or {})
    blocks = [Block((*opening, *(_summary(told) if told else ("No stack changes.",))), Rank.MUST)]
    if gates.get(EVERY_STACK):
        first, *rest = gates.pop(EVERY_STACK)
        blocks.append(Block((f"{first}, for each stack", *rest), Rank.MUST))
    for diff in told:
        blocks += _stack(diff, tuple(gates.pop(diff.stack, ())))
    for stack, lines in gates.items():
        if lines:
            blocks.append(Block((f"### {stack}", "", "Its plan does not change.", "", *lines), Rank.MUST))
    if any(diff.blast.score for diff in told):
        blocks.append(Block((f"Reach counts: {FORMULA}. From 30 on it is medium, from 100 on high.",), Rank.DETAILS))
    return joined(blocks, limit, where)


def _summary(diffs: Iterable[StackDiff]) -> Iterator[str]:
    yield "| stack | added | changed | replaced | removed | at risk | policy | reach | a month |"
    yield "|---|--:|--:|--:|--:|--:|---|---|---|"
    for diff in diffs:
        counts = diff.counts
        worse = sum(1 for v in diff.verdicts if v.worse)
        policy = f"**{worse} worse**" if worse else f"{len(diff.verdicts)} changed" if diff.verdicts else "same"
        risk = f"**{len(diff.at_risk)}**" if diff.at_risk else "0"
        fate = {"new": " (new)", "gone": " (gone)", "both": ""}[diff.fate]
        cells = [str(counts[a]) for a in ("added", "changed", "replaced", "removed")]
        reach = f"{diff.blast.level} ({diff.blast.score})" if diff.blast.score else "none"
        yield f"| {diff.stack}{fate} | {' | '.join(cells)} | {risk} | {policy} | {reach} | {_month(diff.cost)} |"


def _month(cost: CostChange) -> str:
    if cost.unknown or cost.idle_before is None or cost.idle_after is None:
        return "unknown" if cost.unknown else "same"
    full = (cost.full_after or 0) - (cost.full_before or 0)
    idle = cost.idle_after - cost.idle_before
    if not cost.lines:
        return "same, so far as priced" if cost.not_priced else "same"
    beside = f", and {len(cost.not_priced)} without a price" if cost.not_priced else ""
    return f"{_usd(idle)} USD idle, {_usd(full)} full{beside}"


def _usd(difference: float) -> str:
    if not difference:
        return "±0"
    return f"{difference:+,.2f}" if abs(difference) < 10 else f"{difference:+,.0f}"


def _stack(diff: StackDiff, extra: tuple[str, ...]) -> Iterator[Block]:
    yield Block((f"### {diff.stack}", *(f"\n{prose(note)}" for note in diff.notes)), Rank.MUST)
    if diff.at_risk:
        yield Block(("**State at risk**", "", *(line for c in diff.at_risk for line in _risk(c))), Rank.MUST)
    refused = [step for step in diff.steps if step.refused]
    if refused:
        yield Block(("**Pulumi will refuse this**", "", *_refusals(refused)), Rank.MUST)
    if diff.reach:
        yield Block(("**Reached from outside, and was not before**", "", *_openings(diff)), Rank.MUST)
    if diff.verdicts:
        verdicts = sorted(diff.verdicts, key=lambda v: (not v.worse, v.rule, v.resource))
        yield Block(
            ("**Policy verdicts that changed**", "", *(line for v in verdicts for line in _verdict(v))), Rank.MUST
        )
    if extra:
        yield Block(extra, Rank.MUST)
    yield from _causes(diff)
    if diff.steps:
        yield from _steps(diff.steps)
    if diff.blast.score:
        yield Block(tuple(_blast(diff)), Rank.FIGURES)
    if diff.cost.changes:
        yield Block(tuple(_cost(diff.cost)), Rank.FIGURES)
    if diff.outputs:
        lines = tuple(property_line(change) for change in diff.outputs)
        yield Block(lines, Rank.DETAILS, summary=f"{len(lines)} outputs of the stack")
    if diff.picture:
        yield Block(
            tuple(diff.picture.splitlines()), Rank.PICTURE, summary="The change as a picture", fence="mermaid"
        )


def _risk(change: ResourceChange) -> Iterator[str]:
    risk = change.risk
    assert risk is not None, "only changes at risk come here"  # noqa: S101
    yield f"- {code(change.resource.name)} ({change.resource.type}) {prose(risk.what)}."
    yield f"  - At stake: {prose(str(risk.at_stake))}."
    if risk.remedy:
        yield f"  - What to do: {prose(risk.remedy)}"


def _openings(diff: StackDiff) -> Iterator[str]:
    alike: dict[tuple[str, str], list[str]] = {}
    for way in diff.reach:
        alike.setdefault((way.way, way.to), []).append(way.urn.rpartition("::")[2])
    for (way, to), found in alike.items():
        more = f" and {len(found) - 8} more" if len(found) > 8 else ""
        yield f"- {', '.join(code(name) for name in found[:8])}{more}: {prose(way)}, to {prose(to)}."


def _refusals(steps: Sequence[Step]) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for step in steps:
        by_reason.setdefault(step.refused, []).append(step.name)
    for reason, resources in by_reason.items():
        yield f"- {', '.join(code(name) for name in dict.fromkeys(resources))}: {reason}."


def _verdict(change: VerdictChange) -> Iterator[str]:
    was, now = change.before or "no such resource", change.after or "no such resource"
    mark = "✗" if change.worse else "·"
    problems = f"new: {'; '.join(change.problems)}" if change.problems else change.reason
    reason = f": {prose(problems)}" if problems else ""
    yield f"- {mark} {code(change.rule)} ({change.severity}) on {code(change.resource)}: {was} → {now}{reason}"
    if change.worse and change.remedy:
        yield f"  - What to do: {prose(change.remedy)}"


def _causes(diff: StackDiff) -> Iterator[Block]:
    changes = diff.by_urn
    causes = diff.causes or (_unnamed(diff),)
    if not diff.changes:
        return
    yield Block(("**Why**",), Rank.CAUSES)
    for number, cause in enumerate(causes, 1):
        effects = [changes[effect.urn] for effect in cause.effects if effect.urn in changes]
        yield Block((f"{number}. {cause_line(cause)}: {counted(effects)}",), Rank.CAUSES)
        if effects:
            lines = tuple(effect_lines(cause, changes))
            yield Block(lines, Rank.DETAILS, summary=f"What comes of it ({len(effects)})")


def _unnamed(diff: StackDiff) -> Cause:
    return Cause("unknown", "not traced", effects=tuple(Effect(c.resource.urn) for c in diff.changes))


_VERBS: Final = {
    "create": "make",
    "update": "change",
    "replace": "make the new",
    "delete": "delete",
    "delete, to be made anew": "delete, to be made anew:",
    "make anew": "make anew",
    "keep": "give up, and leave in the cloud:",
}


def _steps(steps: Sequence[Step]) -> Iterator[Block]:
    outages = [step for step in steps if step.outage]
    for_good = [step for step in steps if step.irreversible]
    long = [step for step in steps if step.takes]
    head = [f"**What will happen** ({len(steps)} steps)", ""]
    gap = ", ".join(dict.fromkeys(code(s.name) for s in outages))
    head.append(
        f"- Gaps: {gap} go before they are made anew." if gap else "- No gap: nothing goes before its successor."
    )
    head += [f"- Cannot be taken back: {code(step.name)}: {step.irreversible}." for step in for_good[:5]]
    if len(for_good) > 5:
        head.append(f"- … and {len(for_good) - 5} more that cannot be taken back.")
    times = dict.fromkeys((step.type.rpartition(":")[2], step.takes) for step in long)
    head += [f"- Takes time: {kind}: {takes}." for kind, takes in list(times)[:5]]
    yield Block(tuple(head), Rank.FIGURES)
    yield Block(tuple(_numbered(steps)), Rank.STEPS, summary="The steps, in their order")


def _numbered(steps: Sequence[Step]) -> Iterator[str]:
    """The steps; neighbours that are alike are one line."""
    groups: list[list[Step]] = []
    for step in steps:
        last = groups[-1][-1] if groups else None
        alike = last and (last.verb, last.type, last.why, last.outage, last.refused, last.irreversible) == (
            (step.verb, step.type, step.why, step.outage, step.refused, step.irreversible)
        )
        if alike:
            groups[-1].append(step)
        else:
            groups.append([step])
    for group in groups:
        first = group[0]
        number = str(first.number) if len(group) == 1 else f"{first.number} to {group[-1].number}"
        listed = ", ".join(code(step.name) for step in group[:6]) + (", …" if len(group) > 6 else "")
        notes = [first.why, first.outage]
        notes += ["refused"] if first.refused else []
        notes += ["for good"] if first.irreversible else []
        told = f" ({'; '.join(filter(None, notes))})" if any(notes) else ""
        yield f"- {number}: {_VERBS[first.verb]} {first.type.rpartition(':')[2]} {listed}{told}"


def _blast(diff: StackDiff) -> Iterator[str]:
    blast = diff.blast
    yield f"**Reach: {blast.level}, score {blast.score}** = {' + '.join(what for what, _ in blast.terms)}"
    yield ""
    yield f"- {blast.dependents} resources that stay depend on what changes, {blast.direct} of them directly."
    for service in blast.services:
        by = f", by {', '.join(code(name) for name in service.by)}" if service.by else ""
        yield f"- Service {code(service.service)}: {service.effect}{by}."
    if not blast.services:
        yield "- No service of the fleet is behind it."


def _cost(cost: CostChange) -> Iterator[str]:
    if cost.unknown:
        yield f"**A month's cost is not known**: {prose(cost.unknown)}"
        return
    idle = f"{cost.idle_before:,.0f} → {cost.idle_after:,.0f} USD idle"
    full = f"{cost.full_before:,.0f} → {cost.full_after:,.0f} at full scale"
    yield f"**A month's cost**: {idle}, {full} (estimate, as `seawall plan --cost`; list prices of {PRICES_SEEN})"
    yield ""
    for line in cost.lines[:10]:
        unknown = f"{line.type} {line.name}" in cost.not_priced
        before, after = (
            line.before or "nothing",
            line.after or ("a price that is not known" if unknown else "nothing"),
        )
        what = before if before == after else f"{before} → {after}"
        yield f"- {code(line.name)}: {_usd(line.idle_usd)} idle, {_usd(line.full_usd)} full ({prose(what)})"
    if len(cost.lines) > 10:
        yield f"- … and {len(cost.lines) - 10} more"
    if cost.not_priced:
        unknown = ", ".join(code(name) for name in cost.not_priced)
        yield f"- No price is known of: {unknown}. It counts as nothing here: the sums after the change are too low."
    if cost.by_use:
        yield f"- By use, which no plan knows: {prose('; '.join(cost.by_use))}."


__all__ = ["COMMENT_LIMIT", "WHERE", "Extra", "render", "value"]
