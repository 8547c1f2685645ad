"""The emulated S3: replication as deployed, keys that count, checksums that count."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.aws.emulator import AwsEmulator

HERE, THERE = "eu-west-1", "eu-central-1"
Clients = Callable[..., Any]


ROLE = "arn:aws:iam::111122223333:role/replication"


def replicate(client: Clients, source: str, target: str, replica_key: str, role: str = ROLE, **changes: Any) -> None:
    rule: dict[str, Any] = {
        "ID": "all",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {
            "Bucket": f"arn:aws:s3:::{target}",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": replica_key},
        },
    }
    configuration = {"Role": role, "Rules": [{**rule, **changes}]}
    client("s3").put_bucket_replication(Bucket=source, ReplicationConfiguration=configuration)


def test_a_write_arrives_in_the_replica_under_the_replicas_key(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("works-here", HERE)
    replica_key = bucket("works-there", THERE)
    replicate(client, "works-here", "works-there", replica_key)
    client("s3").put_object(Bucket="works-here", Key="a/ü +b", Body=b"weights", Metadata={"v": "1"})
    emulator.settle()
    copy = client("s3", THERE).get_object(Bucket="works-there", Key="a/ü +b")
    told = (copy["Body"].read(), copy["SSEKMSKeyId"], copy["Metadata"], copy["ReplicationStatus"])
    assert told == (b"weights", replica_key, {"v": "1"}, "REPLICA")


def test_a_replicated_object_says_so_and_keeps_its_version(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("status-here", HERE)
    replicate(client, "status-here", "status-there", bucket("status-there", THERE))
    version = client("s3").put_object(Bucket="status-here", Key="k", Body=b"x")["VersionId"]
    emulator.settle()
    source = client("s3").head_object(Bucket="status-here", Key="k")
    replica = client("s3", THERE).head_object(Bucket="status-there", Key="k")
    assert (source["ReplicationStatus"], replica["VersionId"]) == ("COMPLETED", version)


def test_what_was_there_before_the_rule_is_not_replicated(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("before-here", HERE)
    client("s3").put_object(Bucket="before-here", Key="old", Body=b"x")
    replicate(client, "before-here", "before-there", bucket("before-there", THERE))
    client("s3").put_object(Bucket="before-here", Key="new", Body=b"x")
    emulator.settle()
    found = client("s3", THERE).list_objects_v2(Bucket="before-there")["Contents"]
    assert [o["Key"] for o in found] == ["new"]


def test_a_deletion_hides_the_replica_and_keeps_its_versions(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("marker-here", HERE)
    replicate(client, "marker-here", "marker-there", bucket("marker-there", THERE))
    client("s3").put_object(Bucket="marker-here", Key="k", Body=b"x")
    client("s3").delete_objects(Bucket="marker-here", Delete={"Objects": [{"Key": "k"}]})
    emulator.settle()
    found = client("s3", THERE).list_object_versions(Bucket="marker-there")
    assert (len(found["Versions"]), found["DeleteMarkers"][0]["IsLatest"]) == (1, True)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("disabled", {"Status": "Disabled"}),
        ("no-kms", {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Disabled"}}}),
        ("prefix", {"Filter": {"Prefix": "elsewhere/"}}),
    ],
)
def test_a_wrong_rule_replicates_nothing(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str], name: str, changes: dict[str, Any]
) -> None:
    bucket(f"{name}-here", HERE)
    replicate(client, f"{name}-here", f"{name}-there", bucket(f"{name}-there", THERE), **changes)
    client("s3").put_object(Bucket=f"{name}-here", Key="k", Body=b"x")
    emulator.settle()
    assert client("s3", THERE).list_objects_v2(Bucket=f"{name}-there")["KeyCount"] == 0


def test_a_disabled_replica_key_fails_the_replication(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("nokey-here", HERE)
    replica_key = bucket("nokey-there", THERE)
    replicate(client, "nokey-here", "nokey-there", replica_key)
    client("kms", THERE).disable_key(KeyId=replica_key)
    client("s3").put_object(Bucket="nokey-here", Key="k", Body=b"x")
    emulator.settle()
    assert client("s3").head_object(Bucket="nokey-here", Key="k")["ReplicationStatus"] == "FAILED"


def test_a_replica_key_of_another_region_fails_the_replication(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    source_key = bucket("far-here", HERE)
    bucket("far-there", THERE)
    replicate(client, "far-here", "far-there", source_key)
    client("s3").put_object(Bucket="far-here", Key="k", Body=b"x")
    emulator.settle()
    assert client("s3").head_object(Bucket="far-here", Key="k")["ReplicationStatus"] == "FAILED"


def test_the_whole_replication_configuration_is_told_again(
    client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("told-here", HERE)
    replicate(client, "told-here", "told-there", bucket("told-there", THERE))
    rule = client("s3").get_bucket_replication(Bucket="told-here")["ReplicationConfiguration"]["Rules"][0]
    assert rule["SourceSelectionCriteria"]["SseKmsEncryptedObjects"]["Status"] == "Enabled"


@pytest.mark.parametrize("call", ["get_object", "put_object", "copy_object"])
def test_nothing_is_read_or_written_under_a_disabled_key(
    client: Clients, bucket: Callable[[str, str], str], call: str
) -> None:
    name = call.replace("_", "-")
    key = bucket(name, HERE)
    s3 = client("s3")
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    client("kms").disable_key(KeyId=key)
    more = {"put_object": {"Body": b"y"}, "copy_object": {"CopySource": f"{name}/k"}}.get(call, {})
    with pytest.raises(ClientError, match=r"KMS\.DisabledException"):
        getattr(s3, call)(Bucket=name, Key="k", **more)


def test_a_key_that_is_to_be_deleted_can_no_longer_be_used(
    client: Clients, bucket: Callable[[str, str], str]
) -> None:
    key = bucket("going", HERE)
    client("s3").put_object(Bucket="going", Key="k", Body=b"x")
    client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with pytest.raises(ClientError, match="pending deletion"):
        client("s3").get_object(Bucket="going", Key="k")


def test_an_enabled_key_opens_what_it_closed(client: Clients, bucket: Callable[[str, str], str]) -> None:
    key = bucket("reopened", HERE)
    client("s3").put_object(Bucket="reopened", Key="k", Body=b"x")
    client("kms").disable_key(KeyId=key)
    client("kms").enable_key(KeyId=key)
    assert client("s3").get_object(Bucket="reopened", Key="k")["Body"].read() == b"x"


def test_an_upload_with_a_wrong_sha256_is_refused(client: Clients, bucket: Callable[[str, str], str]) -> None:
    bucket("checked", HERE)
    with pytest.raises(ClientError, match="BadDigest"):
        client("s3").put_object(Bucket="checked", Key="k", Body=b"x", ChecksumSHA256="A" * 43 + "=")


def test_access_logs_need_a_target_that_admits_the_log_service(
    client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("logged", HERE)
    bucket("log-target", HERE)
    status = {"LoggingEnabled": {"TargetBucket": "log-target", "TargetPrefix": "x/"}}
    with pytest.raises(ClientError, match=r"logging\.s3\.amazonaws\.com"):
        client("s3").put_bucket_logging(Bucket="logged", BucketLoggingStatus=status)


NEEDED = (
    "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
    "s3:ReplicateObject", "s3:ReplicateDelete", "kms:Decrypt", "kms:Encrypt",
)  # fmt: skip


def replicated(emulator: AwsEmulator, client: Clients, name: str, **arguments: Any) -> str:
    """Writes an object with a tag and a delete marker of another; the object's replication status."""
    s3 = client("s3")
    s3.put_object(Bucket=f"{name}-here", Key="k", Body=b"x", Tagging="tier=gold")
    emulator.settle()
    return s3.head_object(Bucket=f"{name}-here", Key="k", **arguments)["ReplicationStatus"]


@pytest.mark.parametrize("missing", ["", *NEEDED])
def test_replication_needs_each_right_of_its_role(
    emulator: AwsEmulator,
    client: Clients,
    bucket: Callable[[str, str], str],
    role: Callable[..., str],
    missing: str,
) -> None:
    name = f"rights-{missing.split(':')[-1].lower() or 'whole'}"
    bucket(f"{name}-here", HERE)
    replica_key = bucket(f"{name}-there", THERE)
    made = role(name, "s3.amazonaws.com", [right for right in NEEDED if right != missing])
    replicate(client, f"{name}-here", f"{name}-there", replica_key, made)
    wanted = "FAILED" if missing not in ("", "s3:ReplicateDelete") else "COMPLETED"
    assert replicated(emulator, client, name) == wanted
    client("s3").delete_object(Bucket=f"{name}-here", Key="k")
    emulator.settle()
    found = client("s3", THERE).list_object_versions(Bucket=f"{name}-there")
    assert bool(found.get("DeleteMarkers")) is (missing in ("", "kms:Decrypt", "kms:Encrypt") or _reads_only(missing))


def _reads_only(right: str) -> bool:
    """A delete marker has no content to read or write."""
    return right in ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:ReplicateObject")


def test_tags_stay_behind_where_the_role_may_not_read_them(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str], role: Callable[..., str]
) -> None:
    found = {}
    for name, rights in (
        ("tags-no", NEEDED),
        ("tags-yes", (*NEEDED, "s3:GetObjectVersionTagging")),
    ):
        bucket(f"{name}-here", HERE)
        replica_key = bucket(f"{name}-there", THERE)
        replicate(client, f"{name}-here", f"{name}-there", replica_key, role(name, "s3.amazonaws.com", rights))
        replicated(emulator, client, name)
        found[name] = client("s3", THERE).get_object_tagging(Bucket=f"{name}-there", Key="k")["TagSet"]
    assert found == {"tags-no": [], "tags-yes": [{"Key": "tier", "Value": "gold"}]}


@pytest.mark.parametrize(("denied", "wanted"), [("kms:Decrypt", "FAILED"), ("kms:ReEncryptTo", "COMPLETED")])
def test_a_destination_with_a_bucket_key_asks_to_decrypt_it(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str], denied: str, wanted: str
) -> None:
    name = f"bucket-key-{denied.split(':')[-1].lower()}"
    bucket(f"{name}-here", HERE)
    key = bucket(f"{name}-there", THERE)
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
    client("s3", THERE).put_bucket_encryption(
        Bucket=f"{name}-there", ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    policy = json.loads(client("kms", THERE).get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": denied, "Resource": "*"})
    client("kms", THERE).put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    replicate(client, f"{name}-here", f"{name}-there", key)
    assert replicated(emulator, client, name) == wanted


def test_a_destination_whose_policy_denies_replicas_gets_none(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("denies-here", HERE)
    replicate(client, "denies-here", "denies-there", bucket("denies-there", THERE))
    deny = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:ReplicateObject", "Resource": "arn:aws:s3:::denies-there/*",
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    client("s3", THERE).put_bucket_policy(Bucket="denies-there", Policy=policy)
    assert replicated(emulator, client, "denies") == "FAILED"


def test_a_role_that_trusts_another_service_replicates_nothing(
    emulator: AwsEmulator, client: Clients, bucket: Callable[[str, str], str], role: Callable[..., str]
) -> None:
    bucket("trust-here", HERE)
    replica_key = bucket("trust-there", THERE)
    replicate(client, "trust-here", "trust-there", replica_key, role("trust", "backup.amazonaws.com"))
    assert replicated(emulator, client, "trust") == "FAILED"


def test_versions_cannot_be_suspended_where_a_bucket_is_replicated(
    client: Clients, bucket: Callable[[str, str], str]
) -> None:
    bucket("suspend-here", HERE)
    replicate(client, "suspend-here", "suspend-there", bucket("suspend-there", THERE))
    with pytest.raises(ClientError, match="InvalidBucketState"):
        client("s3").put_bucket_versioning(Bucket="suspend-here", VersioningConfiguration={"Status": "Suspended"})


def test_a_rule_to_a_bucket_without_versions_is_refused(client: Clients, bucket: Callable[[str, str], str]) -> None:
    bucket("flat-here", HERE)
    region = {"LocationConstraint": THERE}
    client("s3", THERE).create_bucket(Bucket="flat-there", CreateBucketConfiguration=region)
    for target, told in (("flat-there", "must have versioning"), ("flat-nowhere", "must exist")):
        with pytest.raises(ClientError, match=told):
            replicate(client, "flat-here", target, "arn:key")
