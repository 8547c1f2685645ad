"""A fault in a deployed Google Cloud stack that would make a real restore fail makes the drill fail, and is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from ops.drill import before
from ops.drill.run import Run
from tests.faults import gcp_plants as plant
from tests.faults.harness import Fault, Stand, found, stand

pytestmark = pytest.mark.engine
STACK: Final = "dev-gcp"

AGENT: Final = "storage-transfer-service"
WRITER: Final = "developer.gserviceaccount.com"
NO_KEY: Final = "authorized to use this key"
UNUSABLE_KEY: Final = "disabled, destroyed, or scheduled"


def _pointer(_: Stand) -> str:
    return "current.json"


def _stranger(_: Stand) -> str:
    return "releases/stranger/model.onnx"


def _attestation(stand: Stand) -> str:
    return f"releases/{stand.release}/attestation.json"


def _manifest(stand: Stand) -> str:
    return f"releases/{stand.release}/manifest.json"


WHO: Final = (
    Fault("the transfer agent may not read the models",
          plant.without_role("models", "roles/storage.objectViewer", AGENT), "lacks storage.objects.get"),
    Fault("the transfer agent may not see the model bucket",
          plant.without_role("models", "roles/storage.legacyBucketReader", AGENT), "lacks storage.buckets.get"),
    Fault("the transfer agent may not write to the replica",
          plant.without_role("replica", "roles/storage.legacyBucketWriter", AGENT), "lacks storage.buckets.get"),
    Fault("the transfer agent may create, and not overwrite",
          plant.other_role("replica", "roles/storage.legacyBucketWriter", "roles/storage.objectCreator", AGENT),
          "lacks storage.buckets.get"),
    Fault("the transfer agent may not compare with the replica",
          plant.without_role("replica", "roles/storage.objectViewer", AGENT), "lacks storage.objects.get"),
    Fault("the transfer agent's grants have ended",
          plant.on_condition("models", AGENT, plant.OVER), "which does not hold"),
    Fault("the transfer agent's grants hang on what nobody here understands",
          plant.on_condition("replica", AGENT, plant.NOT_UNDERSTOOD), "does not understand"),
    Fault("the transfer agent has a role that does not exist",
          plant.other_role("models", "roles/storage.objectViewer", "roles/storage.modelReader", AGENT),
          "which the local cloud does not know"),
    Fault("the instance may not write exports",
          plant.without_role("exports", "roles/storage.objectUser", WRITER), "lacks storage.objects.create"),
    Fault("the instance may not see the exports' bucket",
          plant.without_role("exports", "roles/storage.legacyBucketReader", WRITER), "lacks storage.buckets.get"),
    Fault("the instance may only read exports",
          plant.other_role("exports", "roles/storage.objectUser", "roles/storage.objectViewer", WRITER),
          "lacks storage.objects.create"),
    Fault("the exporter has no role", plant.project_without("-exporter@"), "lacks redis.instances.export"),
    Fault("the exporter's role lacks the export",
          plant.custom_role({"includedPermissions": ["redis.instances.get"]}), "lacks redis.instances.export"),
    Fault("the exporter's role is disabled",
          plant.custom_role({"stage": "DISABLED"}), "lacks redis.instances.export"),
    Fault("the exporter's role is gone", plant.no_custom_role, "lacks redis.instances.export"),
    Fault("the exporter is disabled", plant.account_disabled("exporter"), "is disabled"),
    Fault("the exporter is gone", plant.account_gone("exporter"), "does not exist"),
    Fault("nobody may become the fleet", plant.nobody_becomes("fleet"), "iam.serviceAccounts.getAccessToken"),
    Fault("the fleet is disabled", plant.account_disabled("fleet"), "is disabled"),
    Fault("the fleet is gone", plant.account_gone("fleet"), "does not exist"),
)  # fmt: skip

KEYS: Final = (
    Fault("Cloud Storage may not use the data key", plant.without_key("data", "gs-project-accounts"), NO_KEY),
    Fault("Cloud Storage may not use the recovery key", plant.without_key("recovery", "gs-project-accounts"), NO_KEY),
    Fault("Cloud Storage may not decrypt copies", plant.only_encrypts("recovery", "gs-project-accounts"), NO_KEY),
    Fault("Memorystore may not use the recovery key", plant.without_key("recovery", "cloud-redis"),
          "The Memorystore service agent may not use the key"),
    Fault("Memorystore may not decrypt with the recovery key", plant.only_encrypts("recovery", "cloud-redis"),
          "cryptoKeyVersions.useToDecrypt"),
    Fault("the recovery key is granted to another project's agent",
          plant.key_for_another_project("recovery", "gs-project-accounts"), NO_KEY),
    Fault("the data key is disabled", plant.key_state("data", "DISABLED"), UNUSABLE_KEY),
    Fault("the recovery key is disabled", plant.key_state("recovery", "DISABLED"), UNUSABLE_KEY),
    Fault("the data key is about to be destroyed", plant.key_destroyed("data"), UNUSABLE_KEY),
    Fault("the recovery key is about to be destroyed", plant.key_destroyed("recovery"), UNUSABLE_KEY),
)  # fmt: skip

COPIES: Final = (
    Fault("the transfer job is disabled",
          plant.transfer(lambda job, _: job.update(status="DISABLED")), "the transfer job is DISABLED"),
    Fault("the transfer job is gone", plant.no_transfer, "the transfer job is not there"),
    Fault("the transfer job has ended",
          plant.transfer_schedule(scheduleEndDate={"year": 2025, "month": 1, "day": 31}), "ends on 2025-01-31"),
    Fault("the transfer job begins in years",
          plant.transfer_schedule(scheduleStartDate={"year": 2099, "month": 1, "day": 1}), "begins on 2099-01-01"),
    Fault("the transfer job runs once a day",
          plant.transfer_schedule(repeatInterval="86400s"), "rpo.bound of models"),
    Fault("the transfer job names no interval", plant.transfer_schedule(repeatInterval=None), "rpo.bound of models"),
    Fault("the transfer job copies one folder",
          plant.transfer_only(includePrefixes=["drills/"]), "transfer job of the models: copies"),
    Fault("the transfer job leaves releases out",
          plant.transfer_only(excludePrefixes=["releases/"]), "transfer job of the models: copies"),
    Fault("the transfer job copies what is a day old",
          plant.transfer_only(minTimeElapsedSinceLastModification="86400s"), "transfer job of the models: copies"),
    Fault("the transfer job copies what was there before it",
          plant.transfer_only(lastModifiedBefore="2024-01-01T00:00:00Z"), "transfer job of the models: copies"),
    Fault("the transfer job copies into another bucket", plant.into_another_bucket,
          "transfer job of the models: copies"),
    Fault("the transfer job copies from the exports",
          plant.from_the_exports, "transfer job of the models: copies"),
    Fault("the transfer job copies into a folder",
          plant.transfer(lambda job, _: job["transferSpec"]["gcsDataSink"].update(path="old/")),
          "transfer job of the models: copies"),
    Fault("the transfer job never overwrites",
          plant.transfer_options(overwriteWhen="NEVER"), "transfer job of the models: copies"),
    Fault("the transfer job deletes what the source lacks",
          plant.transfer_options(deleteObjectsUniqueInSink=True), "transfer job of the models: copies"),
    Fault("the transfer job moves",
          plant.transfer_that_moves, "transfer job of the models: copies"),
)  # fmt: skip

EXPORTS: Final = (
    Fault("exports are paused", plant.exports_paused, ": state"),
    Fault("exports are gone", plant.no_exports, ": state"),
    Fault("exports run once a year",
          plant.export(lambda job, _: job.update(schedule=plant.YEARLY)), "rpo.bound of features"),
    Fault("exports go into another bucket",
          plant.export_into(
              lambda uri, stand: uri.replace(stand.outputs.backup.vault, stand.outputs.model_bucket.name)),
          "no enabled job exports"),
    Fault("exports are of another instance",
          plant.export(lambda job, _: job["httpTarget"].update(
              uri=job["httpTarget"]["uri"].replace("features:", "old:"))),
          "no enabled job exports"),
    Fault("exports call without a token",
          plant.export(lambda job, _: job["httpTarget"].pop("oauthToken")), "OAuth token"),
    Fault("exports call as the fleet", plant.export_as("fleet"), "lacks redis.instances.export"),
    Fault("exports call with a narrow scope",
          plant.export(lambda job, _: job["httpTarget"]["oauthToken"].update(
              scope="https://www.googleapis.com/auth/devstorage.read_only")), "insufficient authentication scopes"),
    Fault("exports ask instead of starting", plant.export_target(httpMethod="GET"), "may not call GET"),
    Fault("exports call an address without TLS",
          plant.export(lambda job, _: job["httpTarget"].update(
              uri=job["httpTarget"]["uri"].replace("https:", "http:"))), "no address of an API"),
    Fault("exports ask for nothing", plant.export_target(body=""), "address of an object"),
)  # fmt: skip

BUCKETS: Final = (
    Fault("the models have no versions", plant.bucket("models", versioning={"enabled": False}), ": versioning"),
    Fault("the replica has no versions", plant.bucket("replica", versioning={"enabled": False}), ": versioning"),
    Fault("the exports have no versions", plant.bucket("exports", versioning={"enabled": False}), ": versioning"),
    Fault("the replica keeps nothing that was deleted for good",
          plant.bucket("replica", softDeletePolicy={"retentionDurationSeconds": "0"}), "soft deletion"),
    Fault("the exports keep nothing that was deleted for good",
          plant.bucket("exports", softDeletePolicy={"retentionDurationSeconds": "0"}), "soft deletion"),
    Fault("the replica may become public",
          plant.bucket("replica", iamConfiguration={"publicAccessPrevention": "inherited"}),
          "public access prevention"),
    Fault("everybody reads the models", plant.public("models"), "public access prevention"),
    Fault("the replica has access lists",
          plant.bucket("replica", iamConfiguration={"uniformBucketLevelAccess": {"enabled": False}}),
          "uniform access"),
    Fault("the replica is under Google's own keys", plant.bucket("replica", encryption=None), ": key"),
    Fault("the exports are under Google's own keys", plant.bucket("exports", encryption=None), ": key"),
    Fault("the replica loses what is current at once",
          plant.lifecycle("replica", {"age": 0, "isLive": True}), "rules that remove current objects"),
    Fault("the replica loses what is current in a month",
          plant.lifecycle("replica", {"age": 30}), "rules that remove current objects"),
    Fault("the exports lose what is current by its name",
          plant.lifecycle("exports", {"matchesPrefix": ["frequent/"], "age": 1}),
          "rules that remove current objects"),
    Fault("the exports keep old versions for a day",
          plant.lifecycle("exports", {"daysSinceNoncurrentTime": 1, "isLive": False}, more=False),
          "days that old versions are kept"),
    Fault("the models keep one old version",
          plant.lifecycle("models", {"numNewerVersions": 1, "isLive": False}), "rules that remove"),
)  # fmt: skip

STORE: Final = (
    Fault("the instance asks for no password", plant.instance(authEnabled=False), ": AUTH"),
    Fault("the instance keeps nothing on disk",
          plant.instance(persistenceConfig={"persistenceMode": "DISABLED"}), ": persistence"),
    Fault("the instance has no TLS", plant.instance_anew(transitEncryptionMode="DISABLED"), "has no TLS"),
    Fault("the instance has no standby", plant.instance_anew(tier="BASIC"), ": tier"),
    Fault("the instance is under Google's own keys", plant.instance_anew(customerManagedKey=None), ": key"),
)  # fmt: skip

DATA: Final = (
    Fault("the pointer is forged", plant.put("models", _pointer, b'{"version": "v0"}'), "release.pointer"),
    Fault("the manifest is forged", plant.put("models", _manifest, b"{}"), "release"),
    Fault("the manifest is gone", plant.remove("models", _manifest), "release.pinned"),
    Fault("the signature is gone", plant.remove("models", _attestation), "release.signed"),
)  # fmt: skip

MET: Final = (*WHO, *KEYS, *EXPORTS)
"""What a drill runs into while it copies, restores or serves."""
SEEN: Final = (*COPIES, *BUCKETS, *STORE, *DATA)
"""What it finds when it looks, before anything is lost."""


class Look:
    """The first phase of the loss of a region, which ends there."""

    name = "region-lost"
    title = "nothing is lost"

    def run(self, run: Run) -> None:
        before.look(run)


@pytest.mark.parametrize("fault", MET, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_met(fault: Fault, kept: Callable[[str], Path]) -> None:
    told = found(fault, STACK, kept(STACK))
    assert told["verdict"] == "not proven"
    assert any(fault.finding in finding for finding in told["findings"]), told["findings"]


@pytest.mark.parametrize("fault", SEEN, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_seen(fault: Fault, kept: Callable[[str], Path]) -> None:
    with stand(STACK, kept(STACK)) as standing:
        fault.plant(standing)
        told = standing.drilled(Look())
    assert any(fault.finding in finding for finding in told["findings"]), told["findings"]


def test_nothing_is_seen_in_the_unharmed_stack(kept: Callable[[str], Path]) -> None:
    with stand(STACK, kept(STACK)) as standing:
        told = standing.drilled(Look())
    assert [check for check in told["checks"] if not check["passed"]] == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("the replica loses what is current at once",
              plant.lifecycle("replica", {"age": 0, "isLive": True}), "objects"),
        Fault("the replica holds what the models never had", plant.put("replica", _stranger, b"stranger"), "extra"),
        Fault("the transfer job copies one folder",
              plant.transfer_only(includePrefixes=["drills/"]), "has not all objects"),
        Fault("the transfer job copies what is a day old",
              plant.transfer_only(minTimeElapsedSinceLastModification="86400s"), "has not all objects"),
    ],
    ids=lambda fault: fault.name.replace(" ", "-"),
)  # fmt: skip
def test_what_is_seen_harms_the_restore_too(fault: Fault, kept: Callable[[str], Path]) -> None:
    told = found(fault, STACK, kept(STACK))
    assert any(fault.finding in finding for finding in told["findings"]), told["findings"]


@pytest.mark.parametrize("attempt", range(10))
def test_the_unharmed_stack_is_proven(attempt: int, kept: Callable[[str], Path]) -> None:
    del attempt
    with stand(STACK, kept(STACK)) as standing:
        told = standing.drilled()
    assert (told["findings"], told["verdict"]) == ([], "proven")


def test_a_condition_that_nobody_here_can_judge_is_told(kept: Callable[[str], Path]) -> None:
    with stand(STACK, kept(STACK)) as standing:
        assert list(standing.emulator.unknown_condition_keys()) == []
        plant.on_condition("replica", AGENT, plant.NOT_UNDERSTOOD)(standing)
        standing.drilled()
        assert list(standing.emulator.unknown_condition_keys()) == [plant.NOT_UNDERSTOOD]
