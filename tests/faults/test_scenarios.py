"""Each scenario proves the unharmed stack, and names the fault that would make its way back fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ops.drill.run import Scenario
from ops.drill.scenarios import SCENARIOS
from ops.drill.scenarios.failback import Failback
from tests.faults import aws_plants as aws
from tests.faults import gcp_plants as gcp
from tests.faults import scenario_plants as plant
from tests.faults.harness import Fault, found, stand

STACKS: Final = {
    "dev-aws": pytest.mark.xdist_group("scenarios-aws"),
    "dev-gcp": pytest.mark.xdist_group("scenarios-gcp"),
}
pytestmark = pytest.mark.engine

ELSEWHERE: Final = frozenset({"region-lost", "restore-test"})
"""Scenarios with test modules of their own; a restore test needs the drill's own identity."""
NOT_WHOLE: Final = "make up what the stack pins"
NOT_COPIED: Final = "has not all objects"
NO_POINT: Final = "recovery point"
NO_KEY: Final = "authorized to use this key"
UNUSABLE_KEY: Final = "disabled, destroyed, or scheduled"

REPLICAS_REFUSED: Final = aws.role_denied("models-replication", "s3:ReplicateObject")
RESTORE_REFUSED: Final = aws.role_denied("restore", "dynamodb:RestoreTableFromAwsBackup")
NO_COPIES: Final = aws.plan(lambda rule: rule.pop("CopyActions"))
AWS_FAULTS: Final = (
    Fault("a replica gives up versions", plant.replica_gives_versions_up, "versions.kept", "object-deleted"),
    Fault("nothing is replicated", aws.no_replication, NOT_COPIED, "object-deleted"),
    Fault("the replication role is denied", REPLICAS_REFUSED, NOT_COPIED, "object-deleted"),
    Fault("a replica gives up versions", plant.replica_gives_versions_up, NOT_WHOLE, "object-encrypted"),
    Fault(
        "a replica keeps no versions",
        plant.replica_keeps_no_versions,
        "versioning: it is Suspended",
        "object-encrypted",
    ),
    Fault("nothing is replicated", aws.no_replication, NOT_COPIED, "object-encrypted"),
    Fault("a vault has no lock", plant.vault_without_lock, "points.kept", "table-deleted"),
    Fault("there is no plan", aws.no_plan, NO_POINT, "table-deleted"),
    Fault("the restore role is denied", RESTORE_REFUSED, "the restore job failed", "table-deleted"),
    Fault("a vault has no lock", plant.vault_without_lock, "golden rows", "table-encrypted"),
    Fault("the plan copies nothing", NO_COPIES, NO_POINT, "table-encrypted"),
    Fault("the restore role is denied", RESTORE_REFUSED, "the restore job failed", "table-encrypted"),
    Fault("copies are not made", aws.no_replication, NOT_COPIED, "key-lost"),
    Fault(
        "the recovery key is lost too", aws.key_disabled(far=True), "key recovery: state: it is Disabled", "key-lost"
    ),
    Fault("the plan copies nothing", NO_COPIES, NO_POINT, "key-lost"),
    Fault("the restore role is denied", RESTORE_REFUSED, "the restore job failed", "key-lost"),
)
DISABLED: Final = gcp.transfer(lambda job, _: job.update(status="DISABLED"))
NO_STORAGE_KEY: Final = gcp.without_key("recovery", "gs-project-accounts")
NO_REDIS_KEY: Final = gcp.without_key("recovery", "cloud-redis")
GCP_FAULTS: Final = (
    Fault(
        "deleted copies are gone at once", plant.copies_keep_no_deleted_versions, "versions.kept", "object-deleted"
    ),
    Fault("the transfer job is disabled", DISABLED, "the transfer job is DISABLED", "object-deleted"),
    Fault("Cloud Storage may not use the recovery key", NO_STORAGE_KEY, NO_KEY, "object-deleted"),
    Fault("copies have no versions", plant.bucket_keeps_no_versions, NOT_WHOLE, "object-encrypted"),
    Fault("the transfer job is gone", gcp.no_transfer, "the transfer job is not there", "object-encrypted"),
    Fault("the recovery key is disabled", gcp.key_state("recovery", "DISABLED"), UNUSABLE_KEY, "object-encrypted"),
    Fault("deleted exports are gone at once", plant.exports_keep_no_deleted_versions, "points.kept", "table-deleted"),
    Fault("exports are paused", gcp.exports_paused, ": state", "table-deleted"),
    Fault("Memorystore may not use the recovery key", NO_REDIS_KEY, "Memorystore service agent", "table-deleted"),
    Fault("exports have no versions", plant.exports_keep_no_versions, "golden rows", "table-encrypted"),
    Fault("the exporter is disabled", gcp.account_disabled("exporter"), "is disabled", "table-encrypted"),
    Fault("Memorystore may not use the recovery key", NO_REDIS_KEY, "Memorystore service agent", "table-encrypted"),
    Fault("the transfer job is disabled", DISABLED, "the transfer job is DISABLED", "key-lost"),
    Fault("the recovery key is lost too", gcp.key_state("recovery", "DISABLED"), UNUSABLE_KEY, "key-lost"),
    Fault("Memorystore may not use the recovery key", NO_REDIS_KEY, "Memorystore service agent", "key-lost"),
)
BOTH_FAULTS: Final = (
    Fault("the previous release is corrupted", plant.previous_release_corrupted, "release.intact", "bad-release"),
    Fault(
        "the previous release lacks a file", plant.previous_release_without_a_file, "release.intact", "bad-release"
    ),
    Fault("the previous release is another", plant.previous_release_is_another, "release.pinned", "bad-release"),
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


def test_each_scenario_has_three_faults_on_each_cloud() -> None:
    for faults in (AWS_FAULTS, GCP_FAULTS):
        counted = Counter(fault.scenario for fault in (*faults, *BOTH_FAULTS))
        assert {scenario: n for scenario, n in counted.items() if n < 3} == {}
        assert counted.keys() == SCENARIOS.keys() - ELSEWHERE - {"failback"}
        assert all(fault.finding for fault in (*faults, *BOTH_FAULTS))


@pytest.mark.parametrize(
    ("stack", "scenario"), each_stack({name: name for name in SCENARIOS if name not in ELSEWHERE})
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
