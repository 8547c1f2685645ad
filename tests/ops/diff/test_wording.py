"""Whatever a name or a value holds, a report shows it as it is: it is no Markdown, no HTML, and calls nobody."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.diff.wording import code, prose

HOSTILE = [
    "a`b",
    "``",
    "a``b`",
    "x` @team `y",
    "</details>",
    "<!-- gone",
    "--> shown",
    "| a | b |",
    "[click](https://evil.example.com)",
    "![x](https://evil.example.com/pixel.png)",
    "@seawall/security please merge",
    "fixes #12",
    "# heading",
    "> quote",
    "line\n## What this change does\n",
    "a\u202eb",
    "*bold* _it_ ~~gone~~",
]


def of_code(text: str) -> str:
    """What a code span shows, as CommonMark reads it: the same run of backticks closes what one opens."""
    fence = re.match(r"`+", text)
    assert fence is not None
    found = re.fullmatch(rf"{fence[0]}(?!`)(.*?)(?<!`){fence[0]}", text)
    assert found is not None, f"{text} is no whole code span"
    return found[1]


@pytest.mark.parametrize("text", HOSTILE)
def test_code_is_one_span_on_one_line(text: str) -> None:
    shown = of_code(code(text))
    assert "\n" not in shown and shown.strip() == " ".join(text.replace("\u202e", " ").split())


@given(st.text("`ab @<", min_size=1, max_size=20).filter(str.strip))
def test_no_backticks_end_a_span_early(text: str) -> None:
    assert of_code(code(text)).strip(" ") == " ".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_is_no_markup(text: str) -> None:
    told = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", prose(text))
    assert "\n" not in told and "<" not in told and "\u202e" not in told
    assert not re.search(r"@\w", told) and "://" not in told
    assert not re.search(r"(?<!\\)[*\[\]|~]", told) and not re.match(r"[#>]", told)
    assert not re.search(r"(?<!\\)#\d", told)


def test_prose_keeps_code_that_is_whole() -> None:
    assert prose("Run `seawall check --all *`.") == "Run `seawall check --all *`."
    assert prose("half a `span") == "half a \\`span"
    assert prose("10.0.0.0/8 and a_name") == "10.0.0.0/8 and a_name"
