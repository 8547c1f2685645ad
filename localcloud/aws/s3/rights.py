"""What S3 must be allowed to do, in the name of a replication configuration's role, to copy one version.

S3 user guide, "Setting up permissions for live replication" and "Replicating encrypted objects" (read 2026-11-21).
Tags are left out where the role may not read or write them, and the object is replicated all the same. That a
destination with a bucket key needs `kms:GenerateDataKey` beside `kms:Encrypt` is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from localcloud.aws.iam.judge import Judge, key_context
from localcloud.decisions import Decision

SERVICE: Final = "s3.amazonaws.com"
_OF_THE_SOURCE: Final = ("s3:GetReplicationConfiguration", "s3:ListBucket")
_OF_A_VERSION: Final = ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl")
_OF_A_LOCKED_VERSION: Final = ("s3:GetObjectRetention", "s3:GetObjectLegalHold")
"""S3 user guide, "Using Object Lock with S3 Replication" (read 2026-11-21)."""
_ALLOWED: Final = Decision(True, "the role may replicate it")


@dataclass(frozen=True)
class Copy:
    """One version on its way; keys are ARNs, and empty where nothing is encrypted with KMS."""

    role: str
    source: str
    source_region: str
    target: str
    target_region: str
    key: str
    """The object's."""
    is_delete_marker: bool
    source_key: str = ""
    target_key: str = ""
    source_has_bucket_key: bool = False
    target_has_bucket_key: bool = False
    source_is_locked: bool = False
    """Whether the source bucket has S3 Object Lock."""


def may_replicate(judge: Judge, copy: Copy) -> Decision:
    """Whether the role may read the version, write the replica, and use both keys; the first no says why."""
    source = f"arn:aws:s3:::{copy.source}"
    asked = [(action, source) for action in _OF_THE_SOURCE]
    if copy.is_delete_marker:
        asked.append(("s3:ReplicateDelete", f"arn:aws:s3:::{copy.target}/{copy.key}"))
    else:
        reads = (*_OF_A_VERSION, *(_OF_A_LOCKED_VERSION if copy.source_is_locked else ()))
        asked += [(action, f"{source}/{copy.key}") for action in reads]
        asked.append(("s3:ReplicateObject", f"arn:aws:s3:::{copy.target}/{copy.key}"))
    for action, resource in asked:
        decision = judge.on_behalf(SERVICE, copy.role, action, resource, source_arn=source)
        if not decision:
            return decision
    return _may_use_keys(judge, copy)


def may_copy_tags(judge: Judge, copy: Copy) -> Decision:
    """Whether the version's tags go with it."""
    source = f"arn:aws:s3:::{copy.source}"
    read = judge.on_behalf(
        SERVICE, copy.role, "s3:GetObjectVersionTagging", f"{source}/{copy.key}", source_arn=source
    )
    target = f"arn:aws:s3:::{copy.target}/{copy.key}"
    return read and judge.on_behalf(SERVICE, copy.role, "s3:ReplicateTags", target, source_arn=source)


def _may_use_keys(judge: Judge, copy: Copy) -> Decision:
    if copy.is_delete_marker:
        return _ALLOWED
    source = f"arn:aws:s3:::{copy.source}"
    uses: list[tuple[str, str, str, str]] = []
    if copy.source_key:
        about = source if copy.source_has_bucket_key else f"{source}/{copy.key}"
        uses.append(("kms:Decrypt", copy.source_key, copy.source_region, about))
    if copy.target_key:
        about = f"arn:aws:s3:::{copy.target}" + ("" if copy.target_has_bucket_key else f"/{copy.key}")
        uses.append(("kms:Encrypt", copy.target_key, copy.target_region, about))
        if copy.target_has_bucket_key:
            uses.append(("kms:GenerateDataKey", copy.target_key, copy.target_region, about))
    for action, key, region, about in uses:
        context = key_context("s3", region, {"aws:s3:arn": about})
        decision = judge.on_behalf(SERVICE, copy.role, action, key, context, source_arn=source)
        if not decision:
            return decision
    return _ALLOWED
