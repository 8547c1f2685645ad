"""The tree of a plan fits the terminal, loses no type, and is one plain line for each resource in a pipe."""

from __future__ import annotations

import io
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ops.plan.command import show
from ops.plan.planner import plan_stack
from ops.plan.table import tree
from policies.inventory import Inventory, Resource

WIDTH = 80


@cache
def planned(stack: str) -> Inventory:
    """A committed stack's plan."""
    return plan_stack(stack)


def printed(inventory: Inventory, width: int | None) -> list[str]:
    """What a terminal of `width` columns shows, or a pipe gets."""
    text = io.StringIO()
    on_terminal = width is not None
    show(inventory, Console(file=text, force_terminal=on_terminal, width=width, color_system=None, soft_wrap=True))
    return text.getvalue().splitlines()


@pytest.mark.parametrize("stack", ["prod-aws", "prod-gcp"])
def test_a_committed_stack_fits_80_columns_with_every_type_whole(stack: str) -> None:
    inventory = planned(stack)
    lines = printed(inventory, WIDTH)
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) < 1.4 * len(inventory.resources)
    text = "\n".join(lines)
    for resource in inventory.resources:
        if len(resource.type) <= WIDTH - 10:
            assert resource.type in text
        else:  # one is longer than a line: it is cut behind a colon
            start, end = resource.type.rsplit(":", 1)
            assert f"{start}:\n" in text and end in text


@pytest.mark.parametrize("stack", ["prod-aws", "prod-gcp"])
def test_a_pipe_gets_one_line_for_each_resource_without_padding(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    inventory = planned(stack)
    title, *lines = printed(inventory, None)
    assert title == stack
    assert lines == [line.rstrip() for line in lines]
    rows = lines[: len(inventory.resources)]
    assert sorted(kind for row in rows for kind in row.split() if ":" in kind) == sorted(
        resource.type for resource in inventory.resources
    )


@given(
    names=st.lists(st.text("abc-", min_size=1, max_size=60), min_size=1, max_size=5),
    kind=st.from_regex(r"[a-z]{1,20}:[a-z]{1,40}/[a-zA-Z]{1,30}:[A-Z][a-zA-Z]{1,30}", fullmatch=True),
    width=st.integers(70, 200),
)
def test_no_line_is_wider_than_the_terminal_and_no_part_of_a_type_is_lost(
    names: list[str], kind: str, width: int
) -> None:
    top = Resource("urn:top", "seawall:aws:Top", "top", False, None, {})
    below = [
        Resource(f"urn:{n}", kind, name, True, "urn:top", {}, region="eu-central-1", protect=True)
        for n, name in enumerate(names)
    ]
    lines = [line.plain for line in tree(Inventory("dev-aws", {}, (top, *below)), width)]
    assert all(len(line) <= width for line in lines)
    joined = "".join(line.strip(" │├└") for line in lines).replace(" ", "")
    assert joined.count(kind) >= len(names)
    assert "\n".join(lines).count("protected") == len(names)
