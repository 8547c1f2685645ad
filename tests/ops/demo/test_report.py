"""The page shows every demo, finished or not, and holds nothing that it must not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser
from typing import Any

import pytest

from common.errors import UserError
from ops.demo.model import Result, State
from ops.demo.report import render

HOSTILE = '<script>alert("x")</script>&<b>'
VOID = frozenset({"meta", "br", "link", "img", "input", "hr", "col"})


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, name: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(name)) is not None]


def hostile(value: Any) -> Any:
    """The same value with markup in every text that is not one of a closed set."""
    if isinstance(value, Enum) or value in (
        "http",
        "grpc",
        "rpo.measured",
        "rto.measured",
        "objects.restored",
        "rows.restored",
    ):
        return value
    if isinstance(value, str):
        return f"{value}{HOSTILE}"
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: hostile(getattr(value, field.name)) for field in fields(value)})
    if isinstance(value, tuple | list):
        return type(value)(hostile(item) for item in value)
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    return value


@pytest.fixture
def full(passed: Result) -> Result:
    """A demo in which everything that the page can show is there."""
    passed.steps[0].state, passed.steps[0].findings = State.FOUND, ("finding",)
    return replace(passed, problem=UserError("what", "where", "remedy"), files=(*passed.files, "logs/triton.log"))


def endings(passed: Result, barely_begun: Result) -> Iterator[Result]:
    yield passed
    yield barely_begun
    yield replace(passed, interrupted=True)
    yield replace(barely_begun, problem=UserError("no engine", "PATH", "Install one."))
    assert passed.drill is not None
    failure = {"what": "no recovery point", "where": "vault", "remedy": "Look.", "phase": "wait"}
    broken = {"failure": failure, "checks": [], "controls": [], "findings": ["it"], "verdict": "not proven"}
    yield replace(passed, drill={**passed.drill, **broken})
    yield replace(passed, check=None, inventory=None, published=None, served=None)


def test_every_kind_of_ending_gives_a_whole_page(passed: Result, barely_begun: Result) -> None:
    for result in endings(passed, barely_begun):
        text = render(result)
        assert Page(text).attributes("lang") == ["en"]
        assert result.ending in text


def test_no_text_of_a_result_becomes_markup(full: Result) -> None:
    text = render(replace(hostile(full), problem=UserError(HOSTILE, HOSTILE, HOSTILE)))
    assert text.count("&lt;script&gt;") > 50
    assert not {"script", "b"} & {tag for tag, _ in Page(text).tags}


def test_the_page_asks_nothing_of_a_network(full: Result) -> None:
    page = Page(render(full))
    assert "default-src 'none'" in " ".join(page.attributes("content"))
    assert not any("//" in url for name in ("href", "src") for url in page.attributes(name))
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert all(url.startswith("data:") for url in page.attributes("src"))


def test_the_page_links_to_every_other_file(full: Result, barely_begun: Result) -> None:
    for result in (full, barely_begun):
        assert {*Page(render(result)).attributes("href"), "report.html"} == set(result.files)


def test_an_emulated_drill_is_said_to_be_one(passed: Result) -> None:
    text = re.sub(r"\s+", " ", render(passed))
    assert "mode: emulated" in text and "not those of a real cloud" in text


def test_the_same_result_gives_the_same_page(full: Result) -> None:
    assert render(full) == render(full)


def test_every_table_says_what_it_is(full: Result) -> None:
    tables = re.findall(r"<table.*?</table>", render(full), re.DOTALL)
    assert tables
    assert all("<caption>" in table or "aria-labelledby" in table for table in tables)


def test_a_violation_is_shown_with_its_remedy(full: Result) -> None:
    assert full.check is not None
    (violation,) = full.check.verdicts[0].violations
    text = Page(render(full)).text
    assert all(word in text for word in (violation.rule.id, "acl is public", violation.rule.remedy))


def test_a_flash_crowd_is_on_the_page_where_the_plan_is_known(passed: Result, barely_begun: Result) -> None:
    assert "A crowd of 100 comes." in render(passed) and 'src="data:image/svg+xml;base64,AAAA"' in render(passed)
    assert "flash crowd" not in render(barely_begun)
