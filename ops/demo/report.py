"""The demo's page: one HTML file that needs no network, readable in light and dark, on screen and on paper."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from ops.demo import wording
from ops.demo.model import Result, State, Step

TEMPLATE: Final = "report.html.j2"
_LINKED: Final = (
    ("result.json", "the result"),
    ("policies.json", "the policy verdicts"),
    ("plan.json", "the plan"),
    ("diagram.svg", "the diagram"),
)
_SCRIPT: Final = re.compile(r"<\s*script|\bon[a-z]+\s*=|javascript:", re.IGNORECASE)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": wording.duration,
        "size": wording.size,
        "ms": wording.milliseconds,
        "protocol": lambda name: wording.NAMES.get(name, name),
        "commit": wording.commit,
    }
    environment.tests["done"] = lambda step: step.state is not State.PENDING
    return environment.get_template(TEMPLATE)


def render(result: Result, diagram: str = "") -> str:
    """The page of a demo, finished or not.

    Args:
        diagram: the stack's SVG as `ops.plan.diagram` draws it; left out where it is empty.

    Raises:
        ValueError: the diagram holds a script.
    """
    if _SCRIPT.search(diagram):
        raise ValueError("a diagram must not hold scripts")
    return _template().render(
        r=result,
        headline=wording.headline(result),
        diagram=Markup(diagram),  # noqa: S704 - drawn by ops.plan.diagram, which escapes what it writes
        links=[(file, what) for file, what in linked(result) if file in result.files],
        logs=[file for file in result.files if file.startswith("logs/")],
        widths=bar_widths(result.steps),
        told=wording,
    )


def linked(result: Result) -> tuple[tuple[str, str], ...]:
    """Files beside the page that may be linked to, and what they hold."""
    if result.drill is None:
        return _LINKED
    return (
        ("result.json", "the result"),
        (result.drill.evidence_markdown, "the drill's evidence"),
        (result.drill.evidence_json, "the drill's evidence, signed"),
        *_LINKED[1:],
    )


def bar_widths(steps: tuple[Step, ...]) -> tuple[float, ...]:
    """The length of each step's bar, in percent of the longest."""
    longest = max((step.seconds for step in steps), default=0.0)
    return tuple(round(100 * step.seconds / longest, 1) if longest else 0.0 for step in steps)
