"""A plan's fingerprint is that of what would be done: it changes with it, and with nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from ops.gates.model import Kind, item
from ops.gates.plan import Plan, PlannedStep, differences, read_plan

STEPS = (
    PlannedStep("urn:a", "update", (("size", "1", "2"), ("key", '"[secret]"', '"[secret]"')), (), (), "scrypt:1"),
    PlannedStep("urn:b", "create", (("arn", "", '"[unknown]"'),), (), ("protect",)),
    PlannedStep("urn:c", "replace", (("name", '"x"', '"y"'),), ("name",)),
    PlannedStep("urn:d", "delete"),
)
ITEMS = (
    item(Kind.STATE, "urn:d", {"action": "removed"}, note="will be deleted"),
    item(Kind.COST, "a month", {"from": "1.00"}, 20.0),
)
PLAN = Plan("prod-aws", "engine", STEPS, ITEMS, "0" * 40, "update 3", {"at": "2026-11-22", "by": "ann"})


@given(st.permutations(STEPS), st.permutations(ITEMS))
def test_order_says_nothing(steps: list[PlannedStep], items: list[Any]) -> None:
    assert replace(PLAN, steps=tuple(steps), items=tuple(items)).fingerprint == PLAN.fingerprint


def test_times_and_words_say_nothing() -> None:
    reworded = tuple(replace(each, note="in other words") for each in ITEMS)
    assert replace(PLAN, made={}, items=reworded).fingerprint == PLAN.fingerprint


def _step(index: int, **changed: Any) -> Callable[[Plan], Plan]:
    return lambda plan: replace(
        plan, steps=tuple(replace(s, **changed) if n == index else s for n, s in enumerate(plan.steps))
    )


CHANGED: dict[str, Callable[[Plan], Plan]] = {
    "another stack": lambda plan: replace(plan, stack="staging-aws"),
    "another source": lambda plan: replace(plan, source="offline"),
    "another step": lambda plan: replace(plan, steps=plan.steps[1:]),
    "a step twice": lambda plan: replace(plan, steps=(*plan.steps, plan.steps[0])),
    "another operation": _step(0, op="replace"),
    "another resource": _step(0, urn="urn:z"),
    "another value": _step(0, changes=(("size", "1", "3"), STEPS[0].changes[1])),
    "another state before": _step(0, changes=(("size", "0", "2"), STEPS[0].changes[1])),
    "another secret": _step(0, secrets="scrypt:2"),
    "an unknown that becomes known": _step(1, changes=(("arn", "", '"arn:aws:x"'),)),
    "a lost protection": _step(1, options=()),
    "another reason to replace": _step(2, replaces=("other",)),
    "a new risk": lambda plan: replace(plan, items=(*plan.items, item(Kind.REACH, "urn:a", {}))),
    "a risk less": lambda plan: replace(plan, items=plan.items[:1]),
    "another sum": lambda plan: replace(plan, items=(plan.items[0], replace(plan.items[1], amount=21.0))),
}


@pytest.mark.parametrize("name", CHANGED)
def test_whatever_would_be_done_otherwise_changes_it(name: str) -> None:
    other = CHANGED[name](PLAN)
    assert other.fingerprint != PLAN.fingerprint
    if name not in ("another source", "a step twice"):
        assert list(differences(PLAN, other)), "and it is told"


def test_a_plan_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN.to_json()))
    assert read_plan(path).fingerprint == PLAN.fingerprint


def _edited(change: Callable[[dict[str, Any]], object]) -> str:
    document = PLAN.to_json()
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        _edited(lambda d: d["steps"].pop()),
        _edited(lambda d: d["items"].pop()),
        _edited(lambda d: d["items"][0].update(amount=1.0)),
        _edited(lambda d: d["steps"][0].update(op="same")),
        _edited(lambda d: d.update(stack="dev-aws")),
        _edited(lambda d: d.update(fingerprint="sha256:0")),
        _edited(lambda d: d.update(more=1)),
        _edited(lambda d: d["steps"][0].update(more=1)),
        _edited(lambda d: d["items"][0].update(amount=True)),
        _edited(lambda d: d.pop("items")),
        json.dumps(PLAN.to_json())[:-20],
        json.dumps(PLAN.to_json()).replace('"stack":', '"stack": "dev-aws", "stack":', 1),
        json.dumps(PLAN.to_json()).replace("20.0", "NaN"),
        "[]",
        "",
        "\x00",
    ],
)
def test_a_plan_that_was_edited_or_cut_off_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UserError):
        read_plan(path)
