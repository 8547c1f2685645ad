"""Decides whether S3 replicates an object version, from the source bucket's deployed configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.aws.decisions import KeyView, can_use
from localcloud.decisions import Decision


@dataclass(frozen=True)
class ObjectView:
    """What a rule looks at in an object version."""

    key: str
    tags: Mapping[str, str]
    kms_key: KeyView | None
    """None if it is not encrypted with KMS."""
    is_delete_marker: bool = False
    is_replica: bool = False


@dataclass(frozen=True)
class BucketView:
    """What a rule looks at in a bucket; None in its place means that there is no such bucket."""

    name: str
    versioned: bool
    locked: bool = False
    """Whether it has S3 Object Lock."""


def rules(configuration: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The configuration's rules, highest priority first."""
    found = (configuration or {}).get("Rule") or []
    listed = found if isinstance(found, list) else [found]
    return sorted(listed, key=lambda rule: -int(rule.get("Priority") or 0))


def destination_bucket(rule: Mapping[str, Any]) -> str:
    """The name of the bucket that the rule copies to."""
    return str((rule.get("Destination") or {}).get("Bucket") or "").removeprefix("arn:aws:s3:::")


def replica_key_id(rule: Mapping[str, Any]) -> str:
    """The key that replicas are encrypted with; empty if the rule names none."""
    encryption = (rule.get("Destination") or {}).get("EncryptionConfiguration") or {}
    return str(encryption.get("ReplicaKmsKeyID") or "")


def applies(rule: Mapping[str, Any], item: ObjectView) -> Decision:
    """Whether the rule is meant for the object at all; if not, the object has no replication status."""
    if rule.get("Status") != "Enabled":
        return Decision(False, f"rule {rule.get('ID')} is {rule.get('Status')}")
    matched = _matches_filter(rule, item)
    if not matched:
        return matched
    if item.is_replica:
        return Decision(False, "replicas are not replicated again")
    if item.is_delete_marker:
        # The first version of the format, without Filter, always replicates them.
        default = "Enabled" if "Filter" not in rule else None
        wanted = (rule.get("DeleteMarkerReplication") or {}).get("Status", default)
        return Decision(wanted == "Enabled", f"delete marker replication is {wanted or 'not configured'}")
    if item.kms_key is not None:
        criteria = (rule.get("SourceSelectionCriteria") or {}).get("SseKmsEncryptedObjects") or {}
        if criteria.get("Status") != "Enabled":
            return Decision(False, "the object is encrypted with KMS, and SseKmsEncryptedObjects is not enabled")
    return Decision(True, f"rule {rule.get('ID')} matches")


def can_replicate(
    rule: Mapping[str, Any],
    item: ObjectView,
    source: BucketView,
    target: BucketView | None,
    replica_key: KeyView | None,
) -> Decision:
    """Whether a rule that applies can do its work; if not, the object's replication status is FAILED.

    Args:
        replica_key: the key that the rule names, as seen from the destination bucket's region; None if it
            names none.
    """
    if target is None:
        return Decision(False, f"the destination bucket {destination_bucket(rule)!r} does not exist")
    if not source.versioned:
        return Decision(False, f"{source.name} is not versioned")
    if not target.versioned:
        return Decision(False, f"{target.name} is not versioned")
    if source.locked and not target.locked:
        # S3 user guide, "Requirements for replication" (awsdocs/amazon-s3-userguide of 2023-06, read 2026-11-21).
        return Decision(False, f"{source.name} has Object Lock, and {target.name} has not")
    if item.is_delete_marker or item.kms_key is None:
        return Decision(True, "nothing to encrypt anew")
    usable = can_use(item.kms_key)
    if not usable:
        return Decision(False, f"the object cannot be decrypted: {usable.reason}")
    if replica_key is None:
        return Decision(False, "the rule names no ReplicaKmsKeyID for objects encrypted with KMS")
    usable = can_use(replica_key)
    if not usable:
        return Decision(False, f"the replica cannot be encrypted: {usable.reason}")
    return Decision(True, "both keys are usable")


def may_version(asked: str, replicates: bool) -> Decision:
    """Whether S3 takes a bucket's new versioning state.

    To disable versioning of a source "you must remove the replication configuration" first (S3 user guide,
    "Additional considerations for replication", awsdocs/amazon-s3-userguide of 2023-06, read 2026-11-21); the words
    are believed.
    """
    if replicates and asked != "Enabled":
        reason = (
            "A replication configuration is present on this bucket, so you cannot change the versioning state. "
            "To change the versioning state, first delete the replication configuration."
        )
        return Decision(False, reason)
    return Decision(True, "nothing is replicated by its versions")


def may_configure(source: BucketView, targets: Iterable[BucketView | None]) -> Decision:
    """Whether S3 takes a replication configuration: both ends are there and have versions.

    S3 user guide, "Requirements for replication" (awsdocs/amazon-s3-userguide of 2023-06, read 2026-11-21): both must
    have versions. That S3 looks when it is configured, and its words, are believed.
    """
    for bucket in (source, *targets):
        if bucket is None:
            return Decision(False, "Destination bucket must exist.")
        if not bucket.versioned:
            which = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
            return Decision(False, which if bucket is source else "Destination bucket must have versioning enabled.")
    return Decision(True, "both ends have versions")


def _matches_filter(rule: Mapping[str, Any], item: ObjectView) -> Decision:
    wanted = rule.get("Filter") or {}
    both = wanted.get("And") or {}
    prefix = str(wanted.get("Prefix") or both.get("Prefix") or rule.get("Prefix") or "")
    if not item.key.startswith(prefix):
        return Decision(False, f"{item.key!r} does not begin with {prefix!r}")
    tags = wanted.get("Tag") or both.get("Tag") or []
    for tag in tags if isinstance(tags, list) else [tags]:
        if item.tags.get(tag["Key"]) != tag["Value"]:
            return Decision(False, f"the tag {tag['Key']}={tag['Value']} is missing")
    return Decision(True, "the filter matches")
