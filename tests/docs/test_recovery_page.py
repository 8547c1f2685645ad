"""The recovery page says what the code says: what is promised and left to do, and which alarm is for which fault."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from components.contracts.vocabulary import Cloud
from policies.inventory import Inventory
from stacks.files import is_bootstrap
from stacks.recovery_page import BEGIN, PAGE, written

ALARMS = ("aws:cloudwatch/metricAlarm:MetricAlarm", "gcp:monitoring/alertPolicy:AlertPolicy")
ROW = re.compile(r"^\| (`.*?) \| ", re.MULTILINE)


def _table(page: str) -> set[str]:
    """The alarms that the page explains; `-2` after a name that ends in `-1` stands for the other one."""
    section = page.split("## What tells you")[1].split("## Decide")[0]
    found: set[str] = set()
    for row in ROW.findall(section):
        last = ""
        for name in re.findall(r"`([^`]+)`", row):
            last = f"{last.rpartition('-')[0]}{name}" if name.startswith("-") else name
            found.add(last)
    return found


def _made(plans: Iterable[Inventory]) -> set[str]:
    return {alarm.name for plan in plans for alarm in plan.of_type(*ALARMS)}


def test_the_generated_part_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "run `make docs`"


def test_a_page_without_marks_is_refused_and_not_overwritten() -> None:
    with pytest.raises(ValueError, match="put both marks back"):
        written(f"text\n{BEGIN}\ntext")


def test_every_alarm_of_a_committed_stack_is_explained(plans: dict[str, Inventory]) -> None:
    assert _made(plans.values()) - _table(PAGE.read_text(encoding="utf-8")) == set()


def test_both_clouds_tell_of_silence_and_of_keys(plans: dict[str, Inventory]) -> None:
    for stack, plan in ((stack, plan) for stack, plan in plans.items() if not is_bootstrap(stack)):
        assert {"features-copy-missing", "key-at-risk"} <= _made([plan]), stack
        cloud = Cloud(stack.rpartition("-")[2])
        assert _made([plan]) & {"replication-missing" if cloud is Cloud.AWS else "models-copy-missing"}


def test_the_page_explains_no_alarm_that_no_kind_of_store_has() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("aws", "gcp")
        for path in (Path(__file__).resolve().parents[2] / "components" / folder).rglob("*.py")
    )
    for name in _table(PAGE.read_text(encoding="utf-8")):
        assert f'"{name}"' in source or f"{name.rpartition('-')[0]}-{{number}}" in source, name
