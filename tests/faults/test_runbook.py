"""The recovery page's commands do what the page says: AWS' are run with the real `aws`, Google's as REST calls."""

from __future__ import annotations

import json
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from ops.deployed import open_bucket
from ops.drill.clouds import drill_cloud, harm_of
from ops.features.store import FeatureStore, open_rows
from ops.models.releases import manifest_key
from ops.objects import transfer
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore
from tests.faults import gcloud, runbook
from tests.faults.harness import Stand, copied, stand
from tests.faults.runbook import Command, Shell

PAGE: Final = runbook.PAGE.read_text(encoding="utf-8")
COMMANDS: Final = tuple(runbook.commands(PAGE))
WAIT_S: Final = 60.0
ANOTHER_KIND: Final = "aws elasticache "
"""Commands for a kind of feature store that the stack under test does not have."""
NOT_EMULATED: Final = ("gcloud firestore ", "gcloud bigtable ", "FIRESTORE_AGENT", '"gs://$EXPORTS/*/"')
"""What tells a command of Google Cloud that is for another kind of feature store."""
NOT_RUN: Final = "The `gcloud` commands of this page were not run."
on_aws: Final = pytest.mark.xdist_group("scenarios-aws")
on_gcp: Final = pytest.mark.xdist_group("scenarios-gcp")


def told(section: str, *beginnings: str) -> list[Command]:
    """The commands of a section that begin with one of these, in the page's order."""
    found = [each for each in COMMANDS if each.section == section and each.text.startswith(beginnings)]
    assert found, f"the page has no such command in {section!r}: {beginnings}"
    return found


@pytest.fixture
def standing(kept: Callable[[str], Path]) -> Iterator[Stand]:
    """The development stack, with all that it has in the other region too."""
    with stand("dev-aws", kept("dev-aws")) as found:
        outputs, cloud = found.outputs, drill_cloud(found.outputs, found.target)
        primary = open_bucket(outputs.model_bucket, found.target)
        wanted = transfer.digests(primary, [item.key for item in primary.list()])
        soon(lambda: transfer.digests(cloud.replica, wanted) == wanted)
        soon(lambda: bool(points(found)))
        yield found


@pytest.fixture
def shell(standing: Stand, tmp_path: Path) -> Shell:
    """A shell with the page's variables from the stack's outputs."""
    outputs = standing.outputs
    table = outputs.feature_store.name
    variables = {
        "REGION": outputs.region,
        "DATA_KEY": outputs.keys.data.id,
        "BACKUP_REGION": outputs.backup_region,
        "REPLICA": outputs.model_replica.name,
        "RECOVERY_KEY": outputs.keys.recovery.id,
        "VAULT": outputs.backup.vault,
        "RESTORE_ROLE": outputs.backup.restore_identity or "",
        "TABLE": table,
        "TABLE_ARN": f"arn:aws:dynamodb:{outputs.region}:{outputs.account}:table/{table}",
        "RELEASE": outputs.fleet.drilled.model_release,
        "STATE_COPY": f"{outputs.model_replica.name[:40]}-state",
        "COPY_REGION": outputs.backup_region,
    }
    return Shell(standing, tmp_path, variables)


def soon(happened: Callable[[], bool]) -> None:
    """Wait until it has."""
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, "the copies do not arrive"
        time.sleep(0.2)


def points(standing: Stand) -> list[dict[str, Any]]:
    """The recovery points that the backup region has."""
    backup, vault = standing.aws("backup", far=True), standing.outputs.backup.vault
    found = backup.list_recovery_points_by_backup_vault(BackupVaultName=vault)["RecoveryPoints"]
    return [point for point in found if point["Status"] == "COMPLETED"]


def restored_bucket(standing: Stand) -> ObjectStore:
    replica = standing.outputs.model_replica
    name = f"{replica.name}-restored"
    return open_bucket(replica.model_copy(update={"name": name, "uri": f"s3://{name}"}), standing.target)


def run_all(shell: Shell, commands: list[Command]) -> list[str]:
    return [shell.run(command) for command in commands]


@pytest.mark.engine
@on_aws
def test_a_lost_region_comes_back_by_the_page_s_commands(standing: Stand, shell: Shell) -> None:
    outputs = standing.outputs
    cloud = drill_cloud(outputs, standing.target)
    objects = {item.key: item.size for item in cloud.replica.list()}
    rows = open_rows(FeatureStore.of(outputs), standing.target).read()
    standing.emulator.lose_region(outputs.region)

    run_all(shell, told("AWS", "aws s3api ", "aws s3 sync s3://$REPLICA "))
    bucket = restored_bucket(standing)
    assert {item.key: item.size for item in bucket.list()} == objects

    (newest,) = told("AWS", "aws backup list-recovery-points-by-backup-vault ")
    shell.words["RECOVERY_POINT_ARN"] = str(shell.answer(newest)["RecoveryPointArn"])
    (start,) = told("AWS", "aws backup start-restore-job ")
    shell.words["RESTORE_JOB_ID"] = str(shell.answer(start)["RestoreJobId"])
    (job,) = told("AWS", "aws backup describe-restore-job ")
    soon(lambda: shell.answer(job)["Status"] == "COMPLETED")
    run_all(shell, told("AWS", "aws dynamodb "))
    table = f"{outputs.feature_store.name}-restored"
    store = FeatureStore.of(outputs)
    restored = replace(store, name=table, region=outputs.backup_region)
    assert open_rows(restored, standing.target).read() == rows
    described = standing.aws("dynamodb", far=True).describe_table(TableName=table)["Table"]
    assert described["DeletionProtectionEnabled"]
    assert described["SSEDescription"]["KMSMasterKeyArn"] == outputs.keys.recovery.id

    assert run_all(shell, told("AWS", "aws s3 cp ", "aws s3 sync --region ", "python3 "))[-1].strip() == "intact"
    (shell.folder / "restored" / next(iter(sorted(repository(shell.folder))))).write_bytes(b"something else")
    assert run_all(shell, told("AWS", "python3 "))[-1].strip() != "intact"


def repository(folder: Path) -> list[str]:
    return [f["path"] for f in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]]


@pytest.mark.engine
@on_aws
def test_a_lost_key_comes_back_by_the_page_s_commands(standing: Stand, shell: Shell) -> None:
    kms, key = standing.aws("kms"), standing.outputs.keys.data.id
    kms.disable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    run_all(shell, told("What else can be lost", "aws kms "))
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.engine
@on_aws
def test_an_older_version_comes_back_by_the_page_s_commands(standing: Stand, shell: Shell) -> None:
    replica, key = drill_cloud(standing.outputs, standing.target).replica, manifest_key(standing.release)
    good = replica.get(key)
    replica.put(key, b"an attacker's")
    run_all(shell, told("AWS", "aws s3api "))
    listing, copying = told("What else can be lost", "aws s3api list-object-versions ", "aws s3api copy-object ")
    found: Any = shell.answer(listing)["Versions"]
    (older,) = (v for v in found if v["Key"] == key and not v["IsLatest"])
    shell.words.update(KEY=key, VERSION=older["VersionId"])
    shell.run(copying)
    assert restored_bucket(standing).get(key) == good


@pytest.mark.engine
@on_aws
def test_pulumi_s_state_comes_back_by_the_page_s_commands(standing: Stand, shell: Shell) -> None:
    s3, copy = standing.aws("s3", far=True), shell.variables["STATE_COPY"]
    s3.create_bucket(Bucket=copy, CreateBucketConfiguration={"LocationConstraint": standing.outputs.backup_region})
    s3.put_object(Bucket=copy, Key=".pulumi/meta.yaml", Body=b"version: 1\n")
    section = "What else can be lost"
    state = [each for each in told(section, "aws ") if "$STATE_COPY" in each.text]
    standing.emulator.lose_region(standing.outputs.region)
    run_all(shell, state)
    found = s3.get_object(Bucket=f"{copy}-restored", Key=".pulumi/meta.yaml")
    assert found["Body"].read() == b"version: 1\n"


@pytest.mark.engine
@on_aws
def test_commands_of_another_kind_of_store_are_those_that_aws_knows(shell: Shell) -> None:
    """No call is made: the real `aws` checks options and their values against its model of the service."""
    for command in told("AWS", ANOTHER_KIND):
        shell.run(Command(command.section, f"{command.text} --generate-cli-skeleton output"))


def test_no_command_of_aws_is_left_out() -> None:
    run = {
        *told("AWS", "aws s3api ", "aws s3 sync ", "aws s3 cp ", "aws backup ", "aws dynamodb ", ANOTHER_KIND),
        *told("What else can be lost", "aws kms ", "aws s3api list-object-versions ", "aws s3api copy-object "),
        *(each for each in told("What else can be lost", "aws ") if "$STATE_COPY" in each.text),
    }
    assert {each for each in COMMANDS if each.program == "aws"} == run


def test_every_command_of_aws_names_its_region() -> None:
    """The region that a machine falls back to may be the lost one."""
    assert not [each.text for each in COMMANDS if each.program == "aws" and "--region $" not in each.text]


@pytest.fixture
def on_google(kept: Callable[[str], Path], tmp_path: Path) -> Iterator[Shell]:
    """The same on Google Cloud; `run` is not for its commands, `filled` is."""
    with stand("dev-gcp", kept("dev-gcp")) as standing:
        copied(standing)
        outputs = standing.outputs
        instance = standing.gcp().get("redis", f"v1/{outputs.feature_store.id}")
        _, _, _, _, _, ring, _, key = outputs.keys.data.id.split("/")
        variables = {
            "PROJECT": outputs.account,
            "REGION": outputs.region,
            "BACKUP_REGION": outputs.backup_region,
            "REPLICA": outputs.model_replica.name,
            "RECOVERY_KEY": outputs.keys.recovery.id,
            "EXPORTS": outputs.backup.vault,
            "INSTANCE": outputs.feature_store.name,
            "RELEASE": outputs.fleet.drilled.model_release,
        }
        words = {
            "SIZE_GIB": str(instance["memorySizeGb"]),
            "ROWS_GIB": instance["redisConfigs"]["maxmemory-gb"],
            "REDIS_VERSION": instance["redisVersion"].lower(),
            "NETWORK": instance["authorizedNetwork"],
            "VERSION": "1",
            "KEYRING": ring,
            "KEY_NAME": key,
        }
        yield Shell(standing, tmp_path, variables, words)


def asked(shell: Shell, commands: list[Command]) -> list[Any]:
    """The answers of what commands of `gcloud` stand for."""
    api = shell.stand.gcp()
    return [
        gcloud.ask(api, string.Template(shell.filled(each.text)).substitute(shell.variables)) for each in commands
    ]


def of_google(section: str, *beginnings: str) -> list[Command]:
    return [each for each in told(section, *beginnings) if not any(mark in each.text for mark in NOT_EMULATED)]


@pytest.mark.engine
@on_gcp
def test_a_lost_region_of_google_cloud_comes_back_by_what_the_commands_stand_for(on_google: Shell) -> None:
    standing, outputs = on_google.stand, on_google.stand.outputs
    api, cloud = standing.gcp(), drill_cloud(outputs, standing.target)
    objects = {item.key: item.size for item in cloud.replica.list()}
    rows = open_rows(FeatureStore.of(outputs), standing.target).read()
    standing.emulator.lose_region(outputs.region)
    asked(on_google, of_google("Google Cloud", "gcloud storage buckets create ", "gcloud storage buckets update "))
    asked(on_google, of_google("Google Cloud", "gcloud storage rsync "))
    name = f"{outputs.model_replica.name}-restored"
    items = list(api.list("storage", f"storage/v1/b/{name}/o", "items"))
    assert items
    assert {item["name"]: int(item["size"]) for item in items} == objects
    assert {item["kmsKeyName"].partition("/cryptoKeyVersions/")[0] for item in items} == {outputs.keys.recovery.id}

    (exports,) = asked(on_google, of_google("Google Cloud", "gcloud storage ls "))
    assert exports
    asked(on_google, of_google("Google Cloud", "gcloud redis instances create "))
    (identity,) = asked(on_google, of_google("Google Cloud", "gcloud redis instances describe "))
    on_google.words["IDENTITY"] = identity
    asked(on_google, of_google("Google Cloud", "gcloud storage buckets add-iam-policy-binding "))
    asked(on_google, of_google("Google Cloud", "gcloud redis instances import "))
    store = FeatureStore.of(outputs)
    path = f"projects/{outputs.account}/locations/{outputs.backup_region}/instances/{store.name}-restored"
    restored = replace(store, name=f"{store.name}-restored", region=outputs.backup_region, id=path, environment={})
    assert open_rows(restored, standing.target).read() == rows


@pytest.mark.engine
@on_gcp
def test_what_google_cloud_deleted_comes_back_by_what_the_commands_stand_for(on_google: Shell) -> None:
    standing = on_google.stand
    replica, key = drill_cloud(standing.outputs, standing.target).replica, manifest_key(standing.release)
    good = replica.get(key)
    replica.put(key, b"an attacker's")
    (older,) = (item for item in replica.versions() if item.key == key and item.size == len(good))
    replica.purge(key, older.version or "")
    lost, section = standing.outputs.keys.data.id, "What else can be lost"
    drill_harm = harm_of(standing.outputs, standing.target)
    drill_harm.lose_key(lost)
    asked(on_google, of_google("Google Cloud", "gcloud storage buckets create "))
    asked(on_google, of_google(section, "gcloud kms "))
    (version,) = standing.gcp().list("kms", f"v1/{lost}/cryptoKeyVersions", "cryptoKeyVersions")
    assert version["state"] == "ENABLED"
    asked(on_google, of_google(section, "gcloud storage restore "))
    (listed,) = asked(on_google, of_google(section, "gcloud storage ls "))
    (found,) = (item for item in listed if item["name"] == key and int(item["size"]) == len(good))
    on_google.words.update(KEY=key, GENERATION=found["generation"])
    asked(on_google, of_google(section, "gcloud storage cp "))
    bucket = f"gs://{replica.bucket}-restored"
    assert open_store(bucket, standing.target).get(key) == good


def test_every_command_of_google_cloud_is_translated_or_said_to_be_unchecked() -> None:
    assert NOT_RUN in PAGE
    of_google_cloud = [each for each in COMMANDS if each.program == "gcloud"]
    unchecked = [each for each in of_google_cloud if any(mark in each.text for mark in NOT_EMULATED)]
    assert "all but those of Firestore and Bigtable" in " ".join(PAGE.split())
    assert [each.text for each in of_google_cloud if each not in unchecked and not gcloud.is_known(each.text)] == []
