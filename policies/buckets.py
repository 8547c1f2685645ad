"""Buckets on both clouds: what configures one, and where it is copied to. S3 spreads this over other resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts.stateful import NotCopied
from policies.checks import ABSENT, all_of, equals, failed, is_hidden, items, read
from policies.documents import statements
from policies.examples import Change, allow, both, document, given, plus
from policies.inventory import Inventory, Resource
from policies.links import companions, keys_behind, refers_to
from policies.model import Check, Judgement
from policies.tokens import (
    CLOUDTRAIL,
    FLOW_LOG,
    GCS_BUCKET,
    GCS_MEMBER,
    S3_BUCKET,
    S3_ENCRYPTION,
    S3_LOGGING,
    S3_POLICY,
    S3_REPLICATION,
    S3_VERSIONING,
    TRANSFER_JOB,
)

_SPECS: Final = ("transferSpec", "replicationSpec")
_GCS_KEY = "encryption.defaultKmsKeyName"
_LOG_DELIVERY: Final = frozenset({"logging.s3.amazonaws.com"})
_RECORD_WRITERS: Final = frozenset({"cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"})
_GCS_LOG_DELIVERY: Final = "group:cloud-storage-analytics@google.com"
"""Who writes access logs (Cloud Storage's page "Usage logs & storage logs": believed, 2026-11-22)."""


@dataclass(frozen=True)
class Copy:
    """Something that copies the whole of a bucket: a resource, and its input that names the destination."""

    job: Resource
    destination_path: str


@dataclass(frozen=True)
class BucketKind:
    """How one cloud says what every bucket has."""

    token: str
    names: Callable[[Resource], tuple[str, ...]]
    """What an input may call the bucket by."""
    versioned: Check
    holds_logs: Callable[[Resource, Inventory], bool]
    """Whether it is there for logs, which no restore needs."""
    keys: Callable[[Inventory, Resource], set[str]]
    """URNs of the stack's own keys that encrypt the bucket."""
    copies: Callable[[Inventory, Resource], list[Copy]]
    """What copies the whole bucket, and is enabled."""
    key_of_copy: Callable[[Copy, Resource], tuple[Resource, str]]
    """Where the key of a copy in that bucket is named: the resource, and the path of its input."""
    copies_encrypted: Callable[[Copy], Mapping[str, str]]
    """What the copying resource must state (path → value), or encrypted objects are not copied at all."""

    def destination(self, inventory: Inventory, copy: Copy) -> Resource | None:
        """The bucket of this stack that a copy is written to."""
        buckets = inventory.of_type(self.token)
        path = copy.destination_path
        return next((b for b in buckets if refers_to(inventory, copy.job, path, b, *self.names(b))), None)


def s3_names(bucket: Resource) -> tuple[str, ...]:
    """The bucket's name and ARN, where the plan knows the name."""
    name = read(bucket, "bucket")
    return (name, f"arn:aws:s3:::{name}") if isinstance(name, str) and not is_hidden(name) else ()


def s3_companions(inventory: Inventory, bucket: Resource, token: str) -> tuple[Resource, ...]:
    """The resources of a type that configure the bucket."""
    return companions(inventory, bucket, "bucket", s3_names(bucket), token)


def s3_companion(bucket: Resource, inventory: Inventory, token: str, kind: str, judge: Check) -> Judgement:
    """Judge the bucket's companions of a type; a bucket without one fails."""
    found = s3_companions(inventory, bucket, token)
    if not found:
        return failed("", f"the bucket has no {kind}", f"a {kind} for this bucket")
    return all_of(judge(companion, inventory) for companion in found)


def declares_copies(resource: Resource) -> bool:
    """Whether the program says itself that a copy of the resource's content lies in the backup region."""
    return resource.stateful is not None and not isinstance(resource.stateful.copies, NotCopied)


def holds_access_logs(bucket: Resource, inventory: Inventory) -> bool:
    """Whether the bucket is there for access logs of others, and nothing else: its own accesses are not logged.

    Being the target of a log does not make it so: it must also let S3's log delivery write, and nobody else, and be
    no part of what is copied.
    """
    names = s3_names(bucket)
    is_target = any(
        refers_to(inventory, log, "targetBucket", bucket, *names) for log in inventory.of_type(S3_LOGGING)
    )
    return (
        is_target
        and not s3_companions(inventory, bucket, S3_LOGGING)
        and _for_writers_alone(bucket, inventory, _LOG_DELIVERY)
    )


def receives_audit_records(bucket: Resource, inventory: Inventory) -> bool:
    """Whether a trail or flow logs are written to the bucket."""
    names = s3_names(bucket)
    return any(
        refers_to(inventory, writer, path, bucket, *names)
        for token, path in ((CLOUDTRAIL, "s3BucketName"), (FLOW_LOG, "logDestination"))
        for writer in inventory.of_type(token)
    )


def holds_audit_records(bucket: Resource, inventory: Inventory) -> bool:
    """Whether the bucket is there for the records of trails and flow logs, and nothing else."""
    return receives_audit_records(bucket, inventory) and _for_writers_alone(bucket, inventory, _RECORD_WRITERS)


def _for_writers_alone(bucket: Resource, inventory: Inventory, writers: frozenset[str]) -> bool:
    """Whether the bucket's policy lets some of `writers` write, and nobody else anything, and nothing copies it."""
    if declares_copies(bucket) or _in_s3_replication(bucket, inventory):
        return False
    allowed: set[str] = set()
    for policy in s3_companions(inventory, bucket, S3_POLICY):
        found = statements(policy, "policy")
        if isinstance(found, Judgement):
            return False
        allowed.update(principal for s in found if s.allows for principal in (*s.principals, *s.not_principals))
    return bool(allowed) and allowed <= writers


def _in_s3_replication(bucket: Resource, inventory: Inventory) -> bool:
    names = s3_names(bucket)
    return bool(s3_companions(inventory, bucket, S3_REPLICATION)) or any(
        refers_to(inventory, config, f"{rule}.destination.bucket", bucket, *names)
        for config in inventory.of_type(S3_REPLICATION)
        for rule in items(config, "rules")
    )


def _s3_holds_logs(bucket: Resource, inventory: Inventory) -> bool:
    return holds_access_logs(bucket, inventory) or holds_audit_records(bucket, inventory)


def is_gcs_log_target(bucket: Resource, inventory: Inventory) -> bool:
    """Whether the access logs of other buckets go to this one, and its own nowhere."""
    name = read(bucket, "name")
    others = (other for other in inventory.of_type(GCS_BUCKET) if other is not bucket)
    is_target = not is_hidden(name) and any(read(other, "logging.logBucket") == name for other in others)
    return is_target and read(bucket, "logging.logBucket") is ABSENT


def holds_gcs_logs(bucket: Resource, inventory: Inventory) -> bool:
    """Whether the bucket is there for access logs of others, and nothing else.

    Being the target of a log does not make it so: nobody but Cloud Storage's log delivery may write to it, and it is
    no part of what is copied.
    """
    if not is_gcs_log_target(bucket, inventory) or declares_copies(bucket):
        return False
    jobs = inventory.of_type(TRANSFER_JOB)
    if any(
        refers_to(inventory, job, f"{spec}.{end}.bucketName", bucket, *_gcs_names(bucket))
        for job in jobs
        for spec in _SPECS
        for end in ("gcsDataSource", "gcsDataSink")
    ):
        return False
    members = companions(inventory, bucket, "bucket", _gcs_names(bucket), GCS_MEMBER)
    allowed = {read(member, "member") for member in members}
    return allowed == {_GCS_LOG_DELIVERY}


def _s3_versioned(bucket: Resource, inventory: Inventory) -> Judgement:
    def enabled(versioning: Resource, _: Inventory) -> Judgement:
        return equals(versioning, "versioningConfiguration.status", "Enabled")

    return s3_companion(bucket, inventory, S3_VERSIONING, "versioning configuration", enabled)


def _s3_keys(inventory: Inventory, bucket: Resource) -> set[str]:
    return {
        key.urn
        for encryption in s3_companions(inventory, bucket, S3_ENCRYPTION)
        for rule in items(encryption, "rules")
        for key in keys_behind(inventory, encryption, f"{rule}.applyServerSideEncryptionByDefault.kmsMasterKeyId")
    }


def _s3_copies(inventory: Inventory, bucket: Resource) -> list[Copy]:
    narrowing = ("prefix", "filter.prefix", "filter.tag", "filter.and")
    return [
        Copy(config, f"{rule}.destination.bucket")
        for config in s3_companions(inventory, bucket, S3_REPLICATION)
        for rule in items(config, "rules")
        if read(config, f"{rule}.status") == "Enabled"
        and all(read(config, f"{rule}.{path}") in (ABSENT, "") for path in narrowing)
    ]


def _s3_key_of_copy(copy: Copy, _: Resource) -> tuple[Resource, str]:
    return copy.job, f"{copy.destination_path.removesuffix('.bucket')}.encryptionConfiguration.replicaKmsKeyId"


def _s3_copies_encrypted(copy: Copy) -> Mapping[str, str]:
    rule = copy.destination_path.removesuffix(".destination.bucket")
    return {f"{rule}.sourceSelectionCriteria.sseKmsEncryptedObjects.status": "Enabled"}


def _gcs_names(bucket: Resource) -> tuple[str, ...]:
    name = read(bucket, "name")
    return (name,) if isinstance(name, str) and not is_hidden(name) else ()


def _gcs_versioned(bucket: Resource, _: Inventory) -> Judgement:
    return equals(bucket, "versioning.enabled", True)


def _gcs_keys(inventory: Inventory, bucket: Resource) -> set[str]:
    return {key.urn for key in keys_behind(inventory, bucket, _GCS_KEY)}


def _gcs_copies(inventory: Inventory, bucket: Resource) -> list[Copy]:
    found = []
    for job in inventory.of_type(TRANSFER_JOB):
        for spec in _SPECS:
            source, conditions = f"{spec}.gcsDataSource", read(job, f"{spec}.objectConditions")
            narrowed = read(job, f"{source}.path") not in (ABSENT, "") or conditions not in (ABSENT, {})
            narrowed = narrowed or read(job, f"{spec}.transferManifest") not in (ABSENT, {})
            named = refers_to(inventory, job, f"{source}.bucketName", bucket, *_gcs_names(bucket))
            if named and not narrowed and read(job, "status") in (ABSENT, "ENABLED"):
                found.append(Copy(job, f"{spec}.gcsDataSink.bucketName"))
    return found


def _gcs_key_of_copy(_: Copy, destination: Resource) -> tuple[Resource, str]:
    return destination, _GCS_KEY


S3 = BucketKind(
    S3_BUCKET, s3_names, _s3_versioned, _s3_holds_logs, _s3_keys, _s3_copies, _s3_key_of_copy, _s3_copies_encrypted
)
GCS = BucketKind(
    GCS_BUCKET, _gcs_names, _gcs_versioned, holds_gcs_logs, _gcs_keys, _gcs_copies, _gcs_key_of_copy, lambda _: {}
)


def given_to_s3_logs(name: str) -> Change:
    """An example's change: the bucket of that name is there for another's access logs."""
    statement = allow(Principal={"Service": "logging.s3.amazonaws.com"}, Action="s3:PutObject", Resource="*")
    return both(
        plus(given(S3_LOGGING, {"bucket": "other", "targetBucket": name}, "other")),
        plus(given(S3_POLICY, {"bucket": name, "policy": document(statement)}, "delivery")),
    )


def given_to_gcs_logs(name: str) -> Change:
    """The same on Google Cloud."""
    return both(
        plus(given(GCS_BUCKET, {"name": "other", "logging.logBucket": name}, "other")),
        plus(given(GCS_MEMBER, {"bucket": name, "member": _GCS_LOG_DELIVERY}, "delivery")),
    )
