"""The one way to make a bucket: encrypted, versioned, private, with a grace period for what is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.storage import BucketLifecycleRuleArgsDict, BucketLifecycleRuleConditionArgsDict

from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import BucketRef, KeyRef
from components.contracts.stateful import Stateful
from components.gcp.durations import DAY_SECONDS

SOFT_DELETE_DAYS: Final = 7


def private_bucket(
    name: str,
    holds: Stateful,
    *,
    parent: Component,
    place: Place,
    physical_name: str,
    key: KeyRef,
    noncurrent_retention_days: int,
    thinned: Mapping[str, int] | None = None,
    expires: Mapping[str, int] | None = None,
) -> tuple[gcp.storage.Bucket, BucketRef]:
    """A bucket in the region of `key`, under that key.

    Deleted and overwritten objects stay as noncurrent versions for `noncurrent_retention_days`; a version that is
    deleted for good can still be brought back for `SOFT_DELETE_DAYS`, and nobody can cut that short.

    Args:
        thinned: prefix → days that versions of objects below it are kept, where that is shorter.
        expires: prefix → days after which objects below it are removed, where nobody else removes or overwrites them.
    """
    kept = parent.keep(gcp.storage.Bucket, name, holds, place)
    bucket = gcp.storage.Bucket(
        kept.name,
        name=physical_name,
        project=place.account,
        location=key.region,
        storage_class="STANDARD",
        # Opting out of deletion protection means that the stack may be destroyed with what it holds.
        force_destroy=not kept.protected,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning={"enabled": True},
        encryption={"default_kms_key_name": key.id},
        soft_delete_policy={"retention_duration_seconds": SOFT_DELETE_DAYS * DAY_SECONDS},
        lifecycle_rules=[
            {
                "action": {"type": "Delete"},
                "condition": {"days_since_noncurrent_time": noncurrent_retention_days, "with_state": "ARCHIVED"},
            },
            *(
                _deletion({"days_since_noncurrent_time": days, "with_state": "ARCHIVED"}, prefix)
                for prefix, days in (thinned or {}).items()
            ),
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
            *(_deletion({"age": days}, prefix) for prefix, days in (expires or {}).items()),
        ],
        labels=place.labels,
        opts=kept.options,
    )
    reference = BucketRef(
        name=physical_name,
        uri=f"gs://{physical_name}",
        region=key.region,
        id=bucket.id,
    )
    return bucket, reference


def _deletion(condition: BucketLifecycleRuleConditionArgsDict, prefix: str) -> BucketLifecycleRuleArgsDict:
    """A lifecycle rule that deletes below `prefix`, or everywhere where that is empty."""
    where: BucketLifecycleRuleConditionArgsDict = {"matches_prefixes": [prefix]} if prefix else {}
    return {"action": {"type": "Delete"}, "condition": {**condition, **where}}


def grant(
    name: str,
    *,
    parent: pulumi.Resource,
    bucket: pulumi.Input[str],
    role: str,
    member: pulumi.Input[str],
) -> gcp.storage.BucketIAMMember:
    """Let one member do what `role` allows, on one bucket."""
    return gcp.storage.BucketIAMMember(
        name,
        bucket=bucket,
        role=role,
        member=member,
        opts=pulumi.ResourceOptions(parent=parent),
    )
