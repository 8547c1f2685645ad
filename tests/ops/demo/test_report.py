"""The page tells of every demo, finished or not, and holds nothing that it must not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

import pytest

from ops.demo.model import Drill, Ending, Policies, Problem, Resources, Result, State, Step, Violation
from ops.demo.report import render

HOSTILE = '<script>alert("x")</script>&<b>'
VOID = frozenset({"meta", "br", "link", "img", "input", "hr", "col"})
DIAGRAM = '<svg xmlns="http://www.w3.org/2000/svg"><text>stack</text></svg>'


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def attributes(self, name: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(name)) is not None]


def hostile(value: Any) -> Any:
    """The same value with markup in every text."""
    if isinstance(value, State | Ending) or value in ("before", "after", "emulated"):
        return value
    if isinstance(value, str):
        return f"{value}{HOSTILE}"
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: hostile(getattr(value, field.name)) for field in fields(value)})
    if isinstance(value, tuple):
        return tuple(hostile(item) for item in value)
    if isinstance(value, dict):
        return {hostile(key): hostile(item) for key, item in value.items()}
    return value


@pytest.fixture
def full(passed: Result) -> Result:
    """A demo in which everything that the page can show is there."""
    assert passed.policies is not None
    return replace(
        passed,
        problem=Problem("what", "where", "remedy"),
        policies=replace(
            passed.policies,
            passed=False,
            violations=(Violation("S3-1", "high", "models", "reason", "remedy"),),
            waiver_problems=("expired",),
            waived=("waived",),
            opt_outs={"opt": "reason"},
            engine_differs=("S3-1 on models",),
        ),
        steps=(replace(passed.steps[0], state=State.FOUND, findings=("finding",)), *passed.steps[1:]),
        files=(*passed.files, "logs/triton.log"),
    )


def endings(passed: Result, barely_begun: Result) -> Iterator[Result]:
    yield passed
    yield barely_begun
    yield replace(passed, interrupted=True)
    yield replace(barely_begun, problem=Problem("no engine", "PATH", "install one"))
    yield replace(passed, steps=tuple(replace(step, findings=("bad",)) for step in passed.steps))
    yield replace(
        passed, drill=Drill(False, "emulated", "loss", ("no recovery point",), "d.json", "d.md", "SHA256:a")
    )
    yield replace(passed, policies=None, resources=None, release=None, ready_s=None, preview=None)
    yield replace(passed, resources=Resources(0, 0, 0, ()), predictions=(), steps=(Step("tools", "Tools"),))


def test_every_kind_of_ending_gives_a_whole_page(passed: Result, barely_begun: Result) -> None:
    for result in endings(passed, barely_begun):
        text = render(result, DIAGRAM)
        assert Page(text).attributes("lang") == ["en"]
        assert result.ending in text


def test_no_text_of_a_result_becomes_markup(full: Result) -> None:
    text = render(hostile(full), DIAGRAM)
    assert "&lt;script&gt;" in text
    assert not {"script", "b"} & {tag for tag, _ in Page(text).tags}


def test_the_page_asks_nothing_of_a_network(full: Result) -> None:
    page = Page(render(full, DIAGRAM))
    assert "default-src 'none'" in " ".join(page.attributes("content"))
    assert not any("//" in url for name in ("href", "src") for url in page.attributes(name))
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}


def test_the_page_links_to_files_that_exist_alone(passed: Result, barely_begun: Result) -> None:
    for result in (passed, barely_begun):
        assert set(Page(render(result)).attributes("href")) <= set(result.files)


def test_the_evidence_is_linked_in_both_forms(passed: Result) -> None:
    assert {"drill-dev-aws-1.json", "drill-dev-aws-1.md"} <= set(Page(render(passed)).attributes("href"))


def test_an_emulated_drill_is_said_to_be_one(passed: Result) -> None:
    assert "mode: emulated" in render(passed)
    assert "not those of a real" in re.sub(r"\s+", " ", render(passed))


def test_the_diagram_stands_in_the_page(passed: Result) -> None:
    assert DIAGRAM in render(passed, DIAGRAM)


@pytest.mark.parametrize("text", ["<script>", "< SCRIPT src=x>", '<g onload="x">', '<a href="javascript:x">'])
def test_a_diagram_with_a_script_is_refused(passed: Result, text: str) -> None:
    with pytest.raises(ValueError, match="scripts"):
        render(passed, f"<svg>{text}</svg>")


def test_the_same_result_gives_the_same_page(full: Result) -> None:
    assert render(full, DIAGRAM) == render(full, DIAGRAM)


def test_every_table_says_what_it_is(full: Result) -> None:
    text = render(full, DIAGRAM)
    tables = re.findall(r"<table.*?</table>", text, re.DOTALL)
    assert tables
    assert all("<caption>" in table or "aria-labelledby" in table for table in tables)


def test_a_violation_is_shown_with_its_remedy(full: Result) -> None:
    text = render(full)
    assert all(word in text for word in ("S3-1", "high", "models", "remedy"))


def test_counts_of_an_empty_policy_set_need_no_violations(passed: Result) -> None:
    assert "0 rules" in render(replace(passed, policies=Policies(0, True, {}, ())))
