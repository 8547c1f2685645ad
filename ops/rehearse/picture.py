"""The picture of a rehearsal's load: replicas and machines, requests that wait, and the load itself, over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from ops.rehearse.judging import Sample
from ops.rehearse.model import Report

WIDTH: Final = 900
LEFT: Final = 60
RIGHT: Final = 20
TOP: Final = 64
PANEL: Final = 150
GAP: Final = 44
_COLOURS: Final = {
    "wanted": "#b35806",
    "ready": "#2166ac",
    "machines": "#7f7f7f",
    "waiting": "#b2182b",
    "load": "#4d9221",
}


@dataclass(frozen=True)
class _Line:
    name: str
    value: Callable[[Sample], float]
    colour: str
    dashed: bool = False


_PANELS: Final = (
    (
        "replicas and GPU machines",
        (
            _Line("wanted by the autoscaler", lambda s: s.wanted, _COLOURS["wanted"]),
            _Line("ready", lambda s: s.ready, _COLOURS["ready"]),
            _Line("GPU machines", lambda s: s.nodes, _COLOURS["machines"], dashed=True),
        ),
    ),
    ("requests that wait", (_Line("waiting", lambda s: s.pending, _COLOURS["waiting"]),)),
    ("requests a second", (_Line("load", lambda s: s.rps, _COLOURS["load"]),)),
)


def picture(report: Report) -> str:
    """An SVG of the course; of a rehearsal without one, a picture that says so."""
    height = TOP + len(_PANELS) * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{escape(report.stack)}: replicas, machines and waiting requests under a simulated load</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="16" font-weight="600" fill="#222">{escape(_title(report))}</text>',
    ]
    if not report.course:
        return "\n".join([*parts, f'<text x="{LEFT}" y="{TOP}">No load was run.</text>', "</svg>"]) + "\n"
    parts += _phases(report, height)
    for number, (title, lines) in enumerate(_PANELS):
        parts += _panel(TOP + number * (PANEL + GAP), title, lines, report.course)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _title(report: Report) -> str:
    return f"{report.stack}, Kubernetes {report.kubernetes}; time compressed {report.tempo.factor:g}-fold"


def _x(at: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / max(last, 1e-9)


def _phases(report: Report, height: int) -> list[str]:
    last = report.course[-1].at
    parts = []
    for name, at in report.phases:
        x = _x(at, last)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="34" y2="{height - GAP + 8}" stroke="#ddd"/>')
        parts.append(f'<text x="{x + 4:.1f}" y="44" fill="#666">{escape(name)}</text>')
    return parts


def _panel(top: int, title: str, lines: Sequence[_Line], course: Sequence[Sample]) -> list[str]:
    most = max(1.0, *(line.value(s) for line in lines for s in course))
    last, bottom = course[-1].at, top + PANEL
    parts = [
        f'<text x="{LEFT}" y="{top - 6}" fill="#222" font-weight="600">{escape(title)}</text>',
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}" stroke="#999"/>',
    ]
    for part in (0.0, 0.5, 1.0):
        y = bottom - (PANEL - 14) * part
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{most * part:.4g}</text>')
    for minute in _ticks(last):
        x = _x(60 * minute, last)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle" fill="#666">{minute} min</text>')
    end = LEFT + 230
    for line in lines:
        points = " ".join(f"{_x(s.at, last):.1f},{bottom - (PANEL - 14) * line.value(s) / most:.1f}" for s in course)
        dash = ' stroke-dasharray="5 3"' if line.dashed else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.6"{dash}/>')
        parts.append(
            f'<line x1="{end}" x2="{end + 22}" y1="{top - 10}" y2="{top - 10}" stroke="{line.colour}" '
            f'stroke-width="2"{dash}/>'
        )
        parts.append(f'<text x="{end + 27}" y="{top - 6}" fill="#222">{escape(line.name)}</text>')
        end += 50 + 7 * len(line.name)
    return parts


def _ticks(last_seconds: float) -> list[int]:
    step = next(s for s in (5, 10, 20, 30, 60, 120, 10**6) if last_seconds / 60 / s <= 8)
    return list(range(0, int(last_seconds // 60) + 1, step))
