"""A fault in a deployed AWS stack that would make a real restore fail makes the drill fail, and is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.faults import aws_plants as plant
from tests.faults.harness import Fault, found, stand

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("faults-aws")]
STACK: Final = "dev-aws"

NOT_COPIED: Final = "has not all objects"
NO_POINT: Final = "recovery point"

FAULTS: Final = (
    Fault(
        "the replication rule is disabled",
        plant.replication_rule(lambda r: r.update(Status="Disabled")),
        NOT_COPIED,
    ),
    Fault(
        "the replication rule copies one folder alone",
        plant.replication_rule(lambda r: r.update(Filter={"Prefix": "logs/"})),
        NOT_COPIED,
    ),
    Fault(
        "the replication rule wants a tag",
        plant.replication_rule(lambda r: r.update(Filter={"Tag": {"Key": "copy", "Value": "yes"}})),
        NOT_COPIED,
    ),
    Fault("the plan copies nothing", plant.plan(lambda r: r.pop("CopyActions")), NO_POINT),
    Fault(
        "the plan runs once a year",
        plant.plan(lambda r: r.update(ScheduleExpression="cron(0 5 1 1 ? *)")),
        NO_POINT,
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_named(fault: Fault, kept: Callable[[str], Path]) -> None:
    told = found(fault, STACK, kept(STACK))
    assert told["verdict"] == "not proven"
    assert any(fault.finding in finding for finding in told["findings"]), told["findings"]


@pytest.mark.parametrize("attempt", range(3))
def test_the_unharmed_stack_is_proven(attempt: int, kept: Callable[[str], Path]) -> None:
    del attempt
    with stand(STACK, kept(STACK)) as standing:
        told = standing.drilled()
    assert (told["findings"], told["verdict"]) == ([], "proven")
