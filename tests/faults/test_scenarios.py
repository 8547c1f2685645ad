"""Each scenario proves the unharmed stack, and names the fault that would make its way back fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ops.drill.run import Scenario
from ops.drill.scenarios import SCENARIOS
from ops.drill.scenarios.failback import Failback
from tests.faults import aws_plants as aws
from tests.faults import scenario_plants as plant
from tests.faults.harness import Fault, found, stand

STACKS: Final = {
    "dev-aws": pytest.mark.xdist_group("scenarios-aws"),
    "dev-gcp": pytest.mark.xdist_group("scenarios-gcp"),
}
pytestmark = pytest.mark.engine

NOT_WHOLE: Final = "make up what the stack pins"

AWS_FAULTS: Final = (
    Fault("a replica gives up versions", plant.replica_gives_versions_up, "versions.kept", "object-deleted"),
    Fault(
        "a replica gives up versions to who encrypts", plant.replica_gives_versions_up, NOT_WHOLE, "object-encrypted"
    ),
    Fault("a replica keeps no versions", plant.replica_keeps_no_versions, "", "object-encrypted"),
    Fault("nothing is replicated", aws.no_replication, "has not all objects", "object-deleted"),
    Fault("a vault has no lock", plant.vault_without_lock, "points.kept", "table-deleted"),
    Fault("a vault has no lock against who encrypts", plant.vault_without_lock, "golden rows", "table-encrypted"),
    Fault("the plan copies nothing", aws.plan(lambda r: r.pop("CopyActions")), "recovery point", "table-encrypted"),
    Fault("the key's copies are not made", aws.no_replication, "has not all objects", "key-lost"),
)
GCP_FAULTS: Final = (
    Fault(
        "deleted copies are gone at once", plant.copies_keep_no_deleted_versions, "versions.kept", "object-deleted"
    ),
    Fault("copies have no versions", plant.bucket_keeps_no_versions, NOT_WHOLE, "object-encrypted"),
    Fault("deleted exports are gone at once", plant.exports_keep_no_deleted_versions, "points.kept", "table-deleted"),
    Fault("exports have no versions", plant.exports_keep_no_versions, "golden rows", "table-encrypted"),
)
BOTH_FAULTS: Final = (
    Fault("the previous release is corrupted", plant.previous_release_corrupted, "", "bad-release"),
    Fault("the previous release lacks a file", plant.previous_release_without_a_file, "", "bad-release"),
    Fault(
        "the previous release is another",
        plant.previous_release_is_another,
        "is not what the stack pins",
        "bad-release",
    ),
)


@dataclass(frozen=True)
class Carried:
    """A wrong way to carry back what was written meanwhile."""

    name: str
    scenario: Scenario
    finding: str


CARRIED: Final = (
    Carried("everything", Failback(plant.carry_everything), "rows.back"),
    Carried("nothing", Failback(plant.carry_nothing), "objects.back"),
    Carried("objects-alone", Failback(plant.carry_objects_alone), "rows.back"),
)


def on(stack: str, faults: tuple[Fault, ...]) -> list[Any]:
    """Each fault on a stack."""
    return [
        pytest.param(stack, fault, id=f"{stack}-{fault.scenario}-{fault.name.replace(' ', '-')}", marks=STACKS[stack])
        for fault in faults
    ]


def each_stack(values: Mapping[str, object]) -> list[Any]:
    """Each named value on each stack."""
    return [
        pytest.param(stack, value, id=f"{stack}-{name}", marks=marks)
        for stack, marks in STACKS.items()
        for name, value in values.items()
    ]


@pytest.mark.parametrize(
    ("stack", "scenario"), each_stack({name: name for name in SCENARIOS if name != "region-lost"})
)
def test_the_unharmed_stack_is_proven(stack: str, scenario: str, kept: Callable[[str], Path]) -> None:
    with stand(stack, kept(stack)) as standing:
        told = standing.drilled(scenario)
    assert (told["findings"], told["verdict"]) == ([], "proven")


@pytest.mark.parametrize(
    ("stack", "fault"),
    [
        *on("dev-aws", (*AWS_FAULTS, *BOTH_FAULTS)),
        *on("dev-gcp", (*GCP_FAULTS, *BOTH_FAULTS)),
    ],
)
def test_a_fault_is_named(stack: str, fault: Fault, kept: Callable[[str], Path]) -> None:
    told = found(fault, stack, kept(stack))
    assert told["verdict"] == "not proven"
    assert any(fault.finding in finding for finding in told["findings"]), told["findings"]


@pytest.mark.parametrize(("stack", "carried"), each_stack({each.name: each for each in CARRIED}))
def test_a_wrong_way_back_is_named(stack: str, carried: Carried, kept: Callable[[str], Path]) -> None:
    with stand(stack, kept(stack)) as standing:
        told = standing.drilled(carried.scenario)
    assert told["verdict"] == "not proven"
    assert any(carried.finding in finding for finding in told["findings"]), told["findings"]
