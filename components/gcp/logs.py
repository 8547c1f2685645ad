"""Log buckets: where a stack's logs are kept, for how long, under which key, and whether for good."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.stateful import Stateful


def log_bucket(
    purpose: str,
    holds: Stateful,
    *,
    parent: Component,
    place: Place,
    key: KeyRef,
    retention_days: int,
    matching: str,
) -> gcp.logging.ProjectSink:
    """Keep all logs that match the filter `matching` in an encrypted bucket of the stack's region.

    A sink to a log bucket of its own project has no writer identity and needs no grant. Without the exclusion a
    second copy would lie in the project's `_Default` bucket, under Google's own key. Audit logs stay in `_Required`
    as well, which cannot be changed.
    """
    # A deleted log bucket is kept for seven days, and its name with it (Cloud Logging, "Delete a bucket").
    bucket_id = place.again(place.name(purpose))
    kept = parent.keep(gcp.logging.ProjectBucketConfig, purpose, holds, place)
    bucket = gcp.logging.ProjectBucketConfig(
        kept.name,
        project=place.account,
        location=place.region,
        bucket_id=bucket_id,
        description=f"{place.stack}: {purpose}",
        retention_days=retention_days,
        # Neither the retention nor the lock can be taken back: `Place.locks_logs`.
        locked=place.locks_logs,
        cmek_settings={"kms_key_name": key.id},
        opts=kept.options,
    )
    sink = gcp.logging.ProjectSink(
        purpose,
        name=bucket_id,
        project=place.account,
        destination=f"logging.googleapis.com/projects/{place.account}/locations/{place.region}/buckets/{bucket_id}",
        filter=matching,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[bucket]),
    )
    gcp.logging.ProjectExclusion(
        purpose,
        name=bucket_id,
        project=place.account,
        description=f"kept in the log bucket {bucket_id}",
        filter=matching,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[sink]),
    )
    return sink
