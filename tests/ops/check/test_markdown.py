"""The Markdown fits into a comment, tells what it leaves out, and nothing in it is taken for markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ops.check.command import check_inventories
from ops.check.markdown import COMMENT_LIMIT, as_markdown, code, escaped
from policies.inventory import Inventory
from policies.waivers import Waiver
from tests.ops.check import toys

TODAY = date(2026, 6, 1)


def written(*inventories: Inventory, waivers: tuple[Waiver, ...] = (), limit: int = COMMENT_LIMIT) -> str:
    return as_markdown(check_inventories(inventories, waivers, TODAY), limit)


def test_each_stack_has_its_verdict_on_top(violating: Inventory, clean: Inventory) -> None:
    lines = written(violating, replace(clean, stack="dev-gcp")).splitlines()
    assert lines[0] == "## Policy check: **FAIL**"
    assert [line.split(" | ")[:2] for line in lines if line.startswith("| dev-")] == [
        ["| dev-aws", "**FAIL**"],
        ["| dev-gcp", "pass"],
    ]


def test_a_violation_is_folded_and_says_where_it_is_corrected(violating: Inventory) -> None:
    made = replace(violating.resources[0], made_at="components/kubernetes/traffic.py:3")
    text = written(replace(violating, resources=(made,)))
    assert text.count("<details>") == text.count("</details>") == 1
    assert "`components/kubernetes/traffic.py:3`" in text and "- remedy: " in text


def test_a_long_report_fits_and_says_how_much_is_missing(many: Inventory) -> None:
    text = written(many)
    shown = text.count("<details>")
    assert len(text) <= COMMENT_LIMIT and text.count("</details>") == shown > 50
    assert f"{5000 - shown} entries are left out" in text


@pytest.mark.parametrize("limit", [2000, 3000, 5000, 20_000])
def test_whatever_the_limit_it_is_kept(many: Inventory, limit: int) -> None:
    assert len(written(many, limit=limit)) <= limit


def test_waivers_are_told_with_owner_and_last_day(violating: Inventory) -> None:
    urn = violating.resources[0].urn
    waiver = Waiver(toys.RULE, "dev-aws", TODAY, urn, reason="shown to partners", owner="platform")
    text = written(violating, waivers=(waiver, replace(waiver, stack="no-such-stack")))
    assert "shown to partners (platform, until 2026-06-01)" in text and "### Invalid waivers" in text


@pytest.mark.parametrize(
    "text",
    ["a|b", "**x**", "<script>", "[x](y)", "`x`", "# x", "@team", "a_b_c", "a\n\n# b", "</details>", "~x~", "$x$"],
)
def test_nothing_is_taken_for_markup(violating: Inventory, text: str) -> None:
    inputs = {"authenticationMode": {"type": text}}
    named = replace(violating.resources[0], name=text, inputs=inputs)
    shown = written(replace(violating, resources=(named,)))
    assert "<script>" not in shown and "@team" not in shown and "\n# b" not in shown
    assert shown.count("</details>") == 1
    assert "|" not in escaped(text).replace("\\|", "")


@pytest.mark.parametrize("text", ["a", "`", "``", "a`b", "", "`a`"])
def test_code_may_hold_backticks(text: str) -> None:
    shown = code(text)
    fence = shown[: len(shown) - len(shown.lstrip("`"))]
    assert shown.endswith(fence) and fence not in shown[len(fence) : -len(fence)]
