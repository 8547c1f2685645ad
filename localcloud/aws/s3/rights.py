"""What S3 must be allowed to do, in the name of a replication configuration's role, to copy one version.

S3 user guide, "Setting up permissions", "Replicating objects created with server-side encryption" and "Using S3
Object Lock with replication" (awsdocs/amazon-s3-userguide of 2023-06, read 2026-11-21). Tags are left out where the
role may not read them, and the object is replicated all the same; the right to replicate the object is one to write
its tags. A destination with a bucket key needs `kms:Decrypt`, by which S3 verifies that key; that it needs
`kms:GenerateDataKey` beside `kms:Encrypt` is believed (the guide says so of objects that were not encrypted with
KMS).
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
"""What "must" be granted where buckets have Object Lock, or replication fails (as above)."""
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
    """Whether the version's tags go with it: a policy that denies `s3:ReplicateTags` is not looked for."""
    source = f"arn:aws:s3:::{copy.source}"
    return judge.on_behalf(
        SERVICE, copy.role, "s3:GetObjectVersionTagging", f"{source}/{copy.key}", source_arn=source
    )


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
            uses += [
                (action, copy.target_key, copy.target_region, about)
                for action in ("kms:GenerateDataKey", "kms:Decrypt")
            ]
    for action, key, region, about in uses:
        context = key_context("s3", region, {"aws:s3:arn": about})
        decision = judge.on_behalf(SERVICE, copy.role, action, key, context, source_arn=source)
        if not decision:
            return decision
    return _ALLOWED
