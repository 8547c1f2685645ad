"""The picture of a simulated bandit: what is lost beside equal shares, and where its weights go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from ops.bandit.simulate import Course

WIDTH: Final = 900
LEFT: Final = 70
RIGHT: Final = 20
TOP: Final = 70
PANEL: Final = 190
GAP: Final = 60
_COLOURS: Final = ("#2166ac", "#b35806", "#4d9221", "#762a83", "#b2182b", "#7f7f7f")
_POINTS: Final = 300


def picture(title: str, courses: Sequence[Course], equal: Sequence[float], hours: float) -> str:
    """An SVG of all courses: the mean of their regrets, from the 5th to the 95th percentile, and mean weights."""
    height = TOP + 2 * (PANEL + GAP)
    steps = _thinned(len(equal))
    regrets = [[sorted(course.regret[i] for course in courses)[place] for i in steps] for place in _places(courses)]
    mean = [sum(course.regret[i] for course in courses) / len(courses) for i in steps]
    lost = {"equal shares": [equal[i] for i in steps], "bandit, mean": mean}
    weights = {
        arm: [sum(course.weights[i][arm] for course in courses) / len(courses) for i in steps]
        for arm in courses[0].weights[0]
    }
    most = max(1.0, *(value for line in (*lost.values(), regrets[1]) for value in line))
    band = [*_points(TOP, regrets[1], most), *reversed(_points(TOP, regrets[0], most))]
    return (
        "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
                f'height="{height}" font-family="system-ui, sans-serif" font-size="12" role="img">',
                f"<title>{escape(title)}</title>",
                f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
                f'<text x="{LEFT}" y="22" font-size="16" font-weight="600" fill="#222">{escape(title)}</text>',
                f'<polygon points="{" ".join(band)}" fill="{_COLOURS[1]}" opacity="0.18"/>',
                *_panel(TOP, "rewards that were not earned, so far", lost, most, hours),
                *_panel(TOP + PANEL + GAP, "weights, mean of all seeds, in percent", weights, 100.0, hours),
                "</svg>",
            ]
        )
        + "\n"
    )


def _places(courses: Sequence[Course]) -> tuple[int, int]:
    last = len(courses) - 1
    return round(0.05 * last), round(0.95 * last)


def _thinned(count: int) -> list[int]:
    step = max(1, count // _POINTS)
    return sorted({*range(0, count, step), count - 1})


def _points(top: float, values: Sequence[float], most: float) -> list[str]:
    width, last = WIDTH - LEFT - RIGHT, max(1, len(values) - 1)
    return [f"{LEFT + width * i / last:.1f},{top + PANEL * (1 - value / most):.1f}" for i, value in enumerate(values)]


def _panel(top: int, title: str, lines: Mapping[str, Sequence[float]], most: float, hours: float) -> list[str]:
    parts = [f'<text x="{LEFT}" y="{top - 10}" fill="#222" font-weight="600">{escape(title)}</text>']
    for part in (0.0, 0.5, 1.0):
        y = top + PANEL * (1 - part)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{most * part:.4g}</text>')
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = LEFT + (WIDTH - LEFT - RIGHT) * part
        label = f"{hours * part:.3g} h"
        parts.append(f'<text x="{x:.1f}" y="{top + PANEL + 16}" text-anchor="middle" fill="#666">{label}</text>')
    end = LEFT + 300
    for (name, values), colour in zip(lines.items(), _COLOURS * 4, strict=False):
        points = " ".join(_points(top, values, most))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        parts.append(
            f'<line x1="{end}" x2="{end + 22}" y1="{top - 14}" y2="{top - 14}" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<text x="{end + 27}" y="{top - 10}" fill="#222">{escape(name)}</text>')
        end += 50 + 7 * len(name)
    return parts
