"""The picture of a canary: the share of requests that each release got over time, its checks, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

from ops.rollouts.record import Check, Record

WIDTH: Final = 900
_LEFT: Final = 60
_RIGHT: Final = 20
_TOP: Final = 64
_PANEL: Final = 150
_GAP: Final = 96
_NEW: Final = "#e08214"
_OLD: Final = "#9ecae1"
_GOOD: Final = "#1b7837"
_BAD: Final = "#b2182b"
_VERDICTS: Final = {"promoted": _GOOD, "rolled back": _BAD, "neither": "#7f7f7f"}
_TAKEN_OVER: Final = frozenset({"Finalising", "Succeeded"})
_TOGETHER_SECONDS: Final = 1.0
"""Figures that come so soon after one another are of one check."""
_SHOWN_CHARACTERS: Final = 120
_LABEL_SECONDS_SHARE: Final = 0.03
"""A step that is narrower bears no number."""
_Place = Callable[[float], float]


def picture(records: Sequence[Record]) -> str:
    """An SVG with one panel for each canary."""
    height = _TOP + max(1, len(records)) * (_PANEL + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        "<title>Share of requests that each release got, over time</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="22" font-size="16" font-weight="600" fill="#222">Canary: who is sent how much</text>',
        *_legend(),
    ]
    for number, record in enumerate(records):
        parts += _panel(_TOP + number * (_PANEL + _GAP), record)
    if not records:
        parts.append(f'<text x="{_LEFT}" y="{_TOP}" fill="#666">No rollout was run.</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    x = 420.0
    for colour, text, is_round in (
        (_OLD, "old release", False),
        (_NEW, "new release", False),
        (_GOOD, "check passed", True),
        (_BAD, "check failed", True),
    ):
        yield (
            f'<circle cx="{x + 6}" cy="17" r="4" fill="{colour}"/>'
            if is_round
            else f'<rect x="{x}" y="11" width="12" height="12" fill="{colour}"/>'
        )
        yield f'<text x="{x + 18}" y="21" fill="#444">{text}</text>'
        x += 116


def _panel(top: int, record: Record) -> list[str]:
    last = max(record.seconds, 1.0, *(moment.at for moment in record.moments), *(c.at for c in record.checks))
    bottom, colour = top + _PANEL, _VERDICTS[record.verdict]

    def x(at: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * at / last

    def y(share: float) -> float:
        return bottom - (_PANEL - 22) * share / 100

    what = f"{record.new}{f' ({record.fault})' if record.fault else ''} in the place of {record.old}"
    met = f"{record.requests} requests: {record.failed} failed, {record.wrong} wrong"
    after = f"{record.after_failed + record.after_wrong} of {record.after_requests} after the verdict"
    shares = list(_shares(record, last))
    area = " ".join(f"{x(at):.1f},{y(share):.1f}" for begin, end, share in shares for at in (begin, end))
    parts = [
        f'<text x="{_LEFT}" y="{top - 8}" fill="#222" font-weight="600">{escape(what)}: '
        f'<tspan fill="{colour}">{escape(record.verdict)}</tspan></text>',
        f'<text x="{WIDTH - _RIGHT}" y="{top - 8}" text-anchor="end" fill="#666">{met}; {after}</text>',
        f'<rect x="{_LEFT}" y="{y(100):.1f}" width="{WIDTH - _LEFT - _RIGHT}" height="{y(0) - y(100):.1f}" '
        f'fill="{_OLD}"/>',
        f'<polygon points="{x(0):.1f},{y(0):.1f} {area} {x(last):.1f},{y(0):.1f}" fill="{_NEW}"/>',
    ]
    for share in (0, 50, 100):
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#ffffff" '
            'stroke-opacity="0.6"/>'
        )
        parts.append(f'<text x="{_LEFT - 6}" y="{y(share) + 4:.1f}" text-anchor="end" fill="#666">{share} %</text>')
    parts += [
        f'<text x="{x((begin + end) / 2):.1f}" y="{y(share) - 5:.1f}" text-anchor="middle" fill="#222">'
        f"{share} %</text>"
        for begin, end, share in shares
        if 0 < share < 100 and end - begin >= _LABEL_SECONDS_SHARE * last
    ]
    parts.append(
        f'<text x="{_LEFT + 6}" y="{y(100) + 16:.1f}" fill="#222" font-weight="600">{escape(record.old)}</text>'
    )
    parts += _checks(record, x, top + 10, bottom + 30)
    parts.append(
        f'<line x1="{x(record.seconds):.1f}" x2="{x(record.seconds):.1f}" y1="{top}" y2="{bottom}" stroke="{colour}" '
        'stroke-width="2"/>'
    )
    every = max(1, round(last / 8))
    parts += [
        f'<text x="{x(second):.1f}" y="{bottom + 15}" text-anchor="middle" fill="#666">{second} s</text>'
        for second in range(0, int(last) + 1, every)
    ]
    return parts


def _shares(record: Record, last: float) -> Iterator[tuple[float, float, int]]:
    """From when to when the new release got which share; once it has taken over, all of them."""
    changes: list[tuple[float, int]] = []
    for moment in record.moments:
        share = moment.weights.get("canary", 0)
        if not share and record.verdict == "promoted" and moment.phase in _TAKEN_OVER:
            share = 100
        if not changes or changes[-1][1] != share:
            changes.append((moment.at, share))
    ends = [at for at, _ in changes[1:]]
    yield from ((at, end, share) for (at, share), end in zip(changes, [*ends, last], strict=False))


def _checks(record: Record, x: _Place, row: float, below: float) -> Iterator[str]:
    """A dot for each check; of those that failed, why."""
    said: list[str] = []
    for group in _together(record.checks):
        failed = [reason for check in group for reason in record.reasons if _is_about(reason, check)]
        told = ", ".join(f"{check.name} {check.value:g}" for check in group)
        yield (
            f'<circle cx="{x(group[0].at):.1f}" cy="{row}" r="4" fill="{_BAD if failed else _GOOD}">'
            f"<title>{escape(told)}</title></circle>"
        )
        said += [reason for reason in failed if reason not in said]
    said = said or [reason for reason in record.reasons if reason.startswith(("Halt", "Metric query failed"))][:1]
    for number, reason in enumerate(said[:2]):
        short = reason if len(reason) <= _SHOWN_CHARACTERS else f"{reason[: _SHOWN_CHARACTERS - 1]}…"
        yield f'<text x="{_LEFT}" y="{below + 16 * number}" fill="{_BAD}">{escape(short)}</text>'


def _together(checks: Sequence[Check]) -> Iterator[list[Check]]:
    group: list[Check] = []
    for check in checks:
        if group and check.at - group[0].at > _TOGETHER_SECONDS:
            yield group
            group = []
        group.append(check)
    if group:
        yield group


def _is_about(reason: str, check: Check) -> bool:
    return reason.startswith("Halt") and f" {check.name} {check.value:.2f} " in reason
