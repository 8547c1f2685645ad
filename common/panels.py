"""Draws what went on over time as an SVG: panels of lines under one another, over one axis of minutes or hours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 900
LEFT: Final = 60
RIGHT: Final = 20
TOP: Final = 64
PANEL: Final = 150
GAP: Final = 44
_HEADROOM: Final = 14
_POINTS_MAX: Final = 700
"""Of a line; of more, the highest of each while is drawn."""
BROWN, BLUE, GREY, RED, GREEN = "#b35806", "#2166ac", "#7f7f7f", "#b2182b", "#4d9221"


@dataclass(frozen=True)
class Line:
    """One value over time; what is not finite is drawn at the panel's upper edge."""

    name: str
    values: Sequence[float]
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Lines over one scale.

    Args:
        logarithmic: for values that go over powers of ten; none may then be 0 or less.
    """

    title: str
    lines: Sequence[Line]
    logarithmic: bool = False


def draw(
    heading: str,
    description: str,
    at: Sequence[float],
    panels: Sequence[Panel],
    phases: Sequence[tuple[str, float]] = (),
) -> str:
    """The picture.

    Args:
        description: for those who cannot see it.
        at: the seconds at which the lines have their values; of none, the picture says so.
        phases: names with the seconds at which they begin.
    """
    height = TOP + len(panels) * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{escape(description)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="16" font-weight="600" fill="#222">{escape(heading)}</text>',
    ]
    if not at:
        return "\n".join([*parts, f'<text x="{LEFT}" y="{TOP}">No load was run.</text>', "</svg>"]) + "\n"
    parts += _phases(phases, at[-1], height)
    for number, panel in enumerate(panels):
        parts += _panel(TOP + number * (PANEL + GAP), panel, at)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(at: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / max(last, 1e-9)


def _phases(phases: Sequence[tuple[str, float]], last: float, height: int) -> list[str]:
    parts: list[str] = []
    ends = [*(_x(at, last) for _, at in phases[1:]), WIDTH]
    for (name, at), end in zip(phases, ends, strict=True):
        x = _x(at, last)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="34" y2="{height - GAP + 8}" stroke="#ddd"/>')
        if end - x > 7 * len(name):
            parts.append(f'<text x="{x + 4:.1f}" y="44" fill="#666">{escape(name)}</text>')
    return parts


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    logarithmic: bool

    @staticmethod
    def of(panel: Panel) -> _Scale:
        values = [v for line in panel.lines for v in line.values if math.isfinite(v)]
        if panel.logarithmic:
            low, high = (
                math.floor(math.log10(min(values, default=1))),
                math.ceil(math.log10(max(values, default=1))),
            )
            return _Scale(low, max(high, low + 1), True)
        return _Scale(0.0, max(1.0, *values) if values else 1.0, False)

    def part(self, value: float) -> float:
        """Where on the panel: 0 at its lower edge, 1 at its upper."""
        if not math.isfinite(value):
            return 1.0
        shown = math.log10(value) if self.logarithmic else value
        return (shown - self.low) / (self.high - self.low)

    def marks(self) -> list[float]:
        """The values that the axis names."""
        if self.logarithmic:
            return [10.0**power for power in range(round(self.low), round(self.high) + 1)]
        return [self.high * part for part in (0.0, 0.5, 1.0)]


def _panel(top: int, panel: Panel, at: Sequence[float]) -> list[str]:
    scale, last, bottom = _Scale.of(panel), at[-1], top + PANEL
    parts = [
        f'<text x="{LEFT}" y="{top - 6}" fill="#222" font-weight="600">{escape(panel.title)}</text>',
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}" stroke="#999"/>',
    ]
    for value in scale.marks():
        y = bottom - (PANEL - _HEADROOM) * scale.part(value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{_written(value)}</text>')
    for seconds, written in ticks(last):
        x = _x(seconds, last)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle" fill="#666">{written}</text>')
    end = LEFT + 230
    for line in panel.lines:
        points = " ".join(
            f"{_x(moment, last):.1f},{bottom - (PANEL - _HEADROOM) * scale.part(value):.1f}"
            for moment, value in _thinned(at, line.values)
        )
        dash = ' stroke-dasharray="5 3"' if line.dashed else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.6"{dash}/>')
        parts.append(
            f'<line x1="{end}" x2="{end + 22}" y1="{top - 10}" y2="{top - 10}" stroke="{line.colour}" '
            f'stroke-width="2"{dash}/>'
        )
        parts.append(f'<text x="{end + 27}" y="{top - 6}" fill="#222">{escape(line.name)}</text>')
        end += 50 + 7 * len(line.name)
    return parts


def _written(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def _thinned(at: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    step = math.ceil(len(at) / _POINTS_MAX)
    return [(at[n], max(values[n : n + step])) for n in range(0, len(at), step)]


def ticks(last_seconds: float) -> list[tuple[float, str]]:
    """At most nine moments that the axis names, in minutes or hours."""
    steps = ((300, 60, "min"), (600, 60, "min"), (1200, 60, "min"), (1800, 60, "min"), (3600, 3600, "h"))
    longer = tuple((3600 * hours, 3600, "h") for hours in (2, 3, 6, 12, 24, 48, 96, 24 * 365))
    step, unit, name = next(s for s in (*steps, *longer) if last_seconds / s[0] <= 8)
    return [(seconds, f"{seconds // unit} {name}") for seconds in range(0, int(last_seconds) + 1, step)]
