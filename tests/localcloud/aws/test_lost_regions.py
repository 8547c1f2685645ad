"""A lost region answers nothing, from wherever it is asked, and gives back all that it held when it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from localcloud.aws.emulator import AwsEmulator

NEAR, FAR = "eu-west-1", "eu-central-1"
Clients = Callable[..., Any]


@pytest.fixture
def lost(emulator: AwsEmulator) -> Iterator[Callable[[], None]]:
    """Loses the primary region; it is back after the test."""
    yield lambda: emulator.lose_region(NEAR)
    emulator.restore_region(NEAR)


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("s3", lambda c: c.list_buckets()),
        ("dynamodb", lambda c: c.list_tables()),
        ("kms", lambda c: c.list_keys()),
        ("backup", lambda c: c.list_backup_plans()),
        ("eks", lambda c: c.list_pod_identity_associations(clusterName="c")),
        ("sns", lambda c: c.list_topics()),
    ],
)
def test_no_service_of_a_lost_region_answers(
    client: Clients, lost: Callable[[], None], service: str, call: Callable[[Any], Any]
) -> None:
    call(client(service, NEAR))
    lost()
    with pytest.raises(ConnectionClosedError):
        call(client(service, NEAR))
    call(client(service, FAR))


def test_a_bucket_of_a_lost_region_is_not_reached_through_another(
    client: Clients, bucket: Callable[[str, str], str], lost: Callable[[], None]
) -> None:
    bucket("lost-source", NEAR)
    bucket("kept-target", FAR)
    client("s3", NEAR).put_object(Bucket="lost-source", Key="a", Body=b"kept")
    far = client("s3", FAR)
    lost()
    for call in (
        lambda: far.get_object(Bucket="lost-source", Key="a"),
        lambda: far.get_bucket_versioning(Bucket="lost-source"),
        lambda: far.copy_object(Bucket="kept-target", Key="a", CopySource={"Bucket": "lost-source", "Key": "a"}),
    ):
        with pytest.raises(ConnectionClosedError):
            call()
    far.put_object(Bucket="kept-target", Key="b", Body=b"goes on")


def test_identities_outlive_any_region(client: Clients, lost: Callable[[], None]) -> None:
    lost()
    assert client("iam", FAR).list_roles()["Roles"]


def test_replication_stops_with_its_region_and_goes_on_when_that_is_back(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("stops-source", NEAR)
    key = bucket("stops-target", FAR)
    near, far = client("s3", NEAR), client("s3", FAR)
    near.put_bucket_replication(
        Bucket="stops-source",
        ReplicationConfiguration={
            "Role": "arn:aws:iam::111122223333:role/replication",
            "Rules": [
                {
                    "ID": "all",
                    "Priority": 1,
                    "Status": "Enabled",
                    "Filter": {},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
                    "Destination": {
                        "Bucket": "arn:aws:s3:::stops-target",
                        "EncryptionConfiguration": {"ReplicaKmsKeyID": key},
                    },
                }
            ],
        },
    )
    emulator.lose_region(FAR)
    try:
        near.put_object(Bucket="stops-source", Key="late", Body=b"x")
        emulator.settle()
        assert near.head_object(Bucket="stops-source", Key="late")["ReplicationStatus"] == "PENDING"
    finally:
        emulator.restore_region(FAR)
    emulator.settle()
    assert far.head_object(Bucket="stops-target", Key="late")["ReplicationStatus"] == "REPLICA"


def test_a_region_comes_back_with_all_that_it_held(
    emulator: AwsEmulator, client: Clients, table: Callable[..., str], lost: Callable[[], None]
) -> None:
    table("kept-over-a-loss")
    lost()
    emulator.restore_region(NEAR)
    assert "kept-over-a-loss" in client("dynamodb", NEAR).list_tables()["TableNames"]


def test_a_snapshot_of_a_lost_region_is_one_of_a_lost_region(
    another_emulator: Callable[[Path | None], tuple[AwsEmulator, Clients]], tmp_path: Path
) -> None:
    first, _ = another_emulator(None)
    first.lose_region(NEAR)
    folder = tmp_path / "snapshot"
    folder.mkdir()
    first.save(folder)
    _, clients = another_emulator(folder)
    with pytest.raises(ConnectionClosedError):
        clients("kms", NEAR).list_keys()
