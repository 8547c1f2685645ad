"""The account's trail: who read or wrote Pulumi's state, and every change in the account, in a locked bucket.

EventBridge is told of a call only where a trail logs it (EventBridge guide, "AWS service events delivered via
CloudTrail"; believed): what watches keys that are disabled hangs on the management events here. The use of
keys counts as reading (CloudTrail guide, "Logging management events": AWS KMS events), and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi

from components.aws.audit import BUCKET, data_of_buckets, trail, trail_deliveries
from components.aws.bootstrap.watch import RECORD_DAYS
from components.aws.buckets import MadeBucket, locked_bucket
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.stateful import NotCopied, Stateful

RECORDS: Final = Stateful(
    "the record of who read and wrote Pulumi's state, and of every change in the account",
    NotCopied("a restore needs no logs, and a lock keeps them"),
)


def audit_bucket(place: Place) -> str:
    """The name of the bucket that the trail writes to."""
    return place.bucket_name(BUCKET, place.region)


def record_accesses(
    parent: Component, place: Place, buckets: Sequence[str], key: KeyRef, access_logs: MadeBucket
) -> None:
    """Log the data events of the state's `buckets`, and what changes the account."""
    name = audit_bucket(place)
    bucket = locked_bucket(
        parent,
        BUCKET,
        RECORDS,
        place,
        name,
        key,
        retention_days=RECORD_DAYS,
        access_logs=ready(access_logs.bucket.bucket, *access_logs.settings),
        deliveries=trail_deliveries(place, name),
    )
    written: pulumi.Output[str] = ready(name, bucket.bucket, *bucket.settings)
    trail(parent, place, written, key, [data_of_buckets("Pulumi's state", buckets)])
