"""Annotations are commands that GitHub understands, no more than it shows, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.check.command import check_inventories
from ops.check.github import MOST_OF_A_LEVEL, as_github
from policies.inventory import Inventory
from policies.waivers import Waiver
from tests.ops.check import toys

TODAY = date(2026, 6, 1)
COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::([^\r\n]*)")


def annotated(*inventories: Inventory, waivers: tuple[Waiver, ...] = ()) -> str:
    return as_github(check_inventories(inventories, waivers, TODAY))


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """As the runner reads them: properties split at commas, each at its first equals sign."""
    found = [COMMAND.fullmatch(line) for line in text.splitlines() if line.startswith("::")]
    assert all(found)
    return [(m[1], dict(p.split("=", 1) for p in m[2].split(",")), m[3]) for m in found if m]


def test_a_violation_is_an_error_at_the_line_that_made_the_resource(violating: Inventory) -> None:
    made = replace(violating.resources[0], made_at="components/kubernetes/traffic.py:3")
    ((level, properties, message),) = commands(annotated(replace(violating, resources=(made,))))
    assert (level, properties["file"], properties["line"]) == ("error", "components/kubernetes/traffic.py", "3")
    assert properties["title"] == f"{toys.RULE} (high%2C dev-aws)"
    assert message.startswith("example: ") and "%0ARemedy: " in message


def test_no_more_are_written_than_github_shows_and_the_rest_is_counted(many: Inventory) -> None:
    found = commands(annotated(many))
    assert sum(level == "error" for level, _, _ in found) == MOST_OF_A_LEVEL
    assert [message for level, _, message in found if level == "notice"] == [
        f"{5000 - MOST_OF_A_LEVEL} errors more: GitHub shows 10 of a level. `seawall check` lists all."
    ]


def test_the_worst_come_first(plans: dict[str, Inventory]) -> None:
    plan = plans["prod-aws"]
    harmed = replace(plan, resources=tuple(replace(r, inputs={}) for r in plan.resources))
    titles = [properties["title"] for level, properties, _ in commands(annotated(harmed)) if level == "error"]
    assert len(titles) == MOST_OF_A_LEVEL and "(critical%2C" in titles[0]


def test_an_invalid_waiver_is_an_error(clean: Inventory) -> None:
    stray = Waiver("x", "no-such-stack", TODAY, "u")
    assert [p["title"] for _, p, _ in commands(annotated(clean, waivers=(stray,)))] == ["Invalid waiver"]


def test_a_clean_stack_has_no_annotation(clean: Inventory) -> None:
    assert commands(annotated(clean)) == [] and "seawall check passed: dev-aws" in annotated(clean)


@given(text=st.text(st.one_of(st.sampled_from("%\r\n:,=\x1b\u2028\x85\ud800"), st.characters()), min_size=1))
def test_no_text_can_end_a_command_or_begin_another(text: str) -> None:
    written = annotated(toys.called(text))
    written.encode("utf-8")
    assert len([line for line in written.splitlines() if line.startswith("::")]) == len(commands(written)) == 1


@pytest.mark.parametrize("text", ["100%", "a\nb", "a\r\nb"])
def test_what_the_runner_undoes_is_what_was_said(violating: Inventory, text: str) -> None:
    named = replace(violating.resources[0], inputs={"authenticationMode": {"type": text}})
    for _, _, message in commands(annotated(replace(violating, resources=(named,)))):
        assert "\n" not in message and re.search(r"%(?!25|0D|0A)", message) is None
