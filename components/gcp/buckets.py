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
from components.contracts.stateful import NotCopied, Stateful
from components.gcp.durations import DAY_SECONDS

SOFT_DELETE_DAYS: Final = 7
ACCESS_LOG_DAYS: Final = 365
"""Days that access logs are kept."""
LOG_SERVICE: Final = "group:cloud-storage-analytics@google.com"
"""Who delivers access logs. An organisation that restricts members by domain must let it in."""
ACCESS_LOGS: Final = Stateful("access logs of the stack's buckets", NotCopied("a restore needs no logs"))


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
        logging={"log_bucket": access_log_bucket_name(place, key.region), "log_object_prefix": physical_name},
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


def access_log_bucket_name(place: Place, region: str) -> str:
    """The bucket that access logs of the stack's buckets in `region` go to: Google asks for the same location."""
    return place.bucket_name("logs", region)


def access_log_bucket(name: str, *, parent: Component, place: Place, key: KeyRef, retention_days: int) -> None:
    """The target of access logs in the region of `key`; Google's log service may add objects, and nothing else.

    Where logs are locked nothing is overwritten, and no versions are kept: Cloud Storage offers a bucket either a
    retention policy or versions. Cloud Storage delivers hourly, with the caution that it may miss some; what must
    be complete are the Data Access logs (Cloud Storage, "Usage logs & storage logs", 2026-11-21).
    """
    kept = parent.keep(gcp.storage.Bucket, name, ACCESS_LOGS, place)
    bucket = gcp.storage.Bucket(
        kept.name,
        name=access_log_bucket_name(place, key.region),
        project=place.account,
        location=key.region,
        storage_class="STANDARD",
        force_destroy=not kept.protected,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning={"enabled": not place.locks_logs},
        encryption={"default_kms_key_name": key.id},
        soft_delete_policy={"retention_duration_seconds": SOFT_DELETE_DAYS * DAY_SECONDS},
        retention_policy={"retention_period": str(retention_days * DAY_SECONDS), "is_locked": True}
        if place.locks_logs
        else None,
        lifecycle_rules=[_deletion({"age": retention_days}, "")],
        labels=place.labels,
        opts=kept.options,
    )
    grant(
        name,
        parent=parent,
        bucket=bucket.name,
        role="roles/storage.objectCreator",
        member=LOG_SERVICE,
    )


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
