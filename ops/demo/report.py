"""The demo's page: one HTML file that needs no network, readable in light and dark, on screen and on paper."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from rich.filesize import decimal

from ops.check.report import as_text
from ops.demo import words
from ops.demo.model import Result
from ops.drill import reading
from ops.drill.markdown import short
from ops.plan.diagram import draw
from ops.rollouts.picture import picture
from policies.inventory import UNKNOWN


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"duration": words.duration, "size": decimal, "brief": short}
    return environment.get_template("report.html.j2")


def render(result: Result) -> str:
    """The page of a demo, finished or not."""
    return _template().render(
        r=result,
        words=words,
        verdict=as_text(result.check) if result.check else "",
        reading=reading,
        nowhere=(None, UNKNOWN, "global"),
        diagram=Markup(draw(result.inventory)) if result.inventory else "",  # noqa: S704 - it escapes what it writes
        rollout=Markup(picture([result.rollout])) if result.rollout else "",  # noqa: S704 - it escapes what it writes
        longest=max(step.seconds for step in result.steps) or 1.0,
    )
