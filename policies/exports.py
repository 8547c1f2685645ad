"""Exports of feature stores on Google Cloud: who takes them, where they end, and how long they stay."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.buckets import GCS
from policies.checks import ABSENT, is_hidden, items, read
from policies.inventory import Inventory, Resource
from policies.tokens import FIRESTORE, GCS_BUCKET, SCHEDULER_JOB


@dataclass(frozen=True)
class Export:
    """A scheduler job that exports a store, and where its exports end."""

    job: Resource
    bucket: Resource
    prefix: str
    transfer: Resource | None
    """What copies them to `bucket` from the one that they are written to, if anything does."""


def exports_of(inventory: Inventory, store: Resource) -> list[Export]:
    """The jobs that run and export the store, with the bucket in which each export ends."""
    return [
        export
        for job in inventory.of_type(SCHEDULER_JOB)
        if runs(job) and _calls(job, store)
        for export in _ends(inventory, job)
    ]


def runs(job: Resource) -> bool:
    """Whether the job is not paused, and calls by POST, as an export is asked for."""
    return read(job, "paused") in (ABSENT, False) and read(job, "httpTarget.httpMethod") in (ABSENT, "POST")


def holds_exports(inventory: Inventory, bucket: Resource) -> bool:
    """Whether exports are written to the bucket, or end in it."""
    for job in inventory.of_type(SCHEDULER_JOB):
        name, _ = target_of(read(job, "httpTarget.body"))
        if name and (name in GCS.names(bucket) or any(e.bucket is bucket for e in _ends(inventory, job))):
            return True
    return False


def target_of(body: object) -> tuple[str, str]:
    """The bucket and the prefix that an export's request (JSON, in base64) names; empty if it names none."""
    if not isinstance(body, str) or is_hidden(body):
        return "", ""
    try:
        request = json.loads(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        return "", ""
    uri = _address(request)
    bucket, _, rest = uri.removeprefix("gs://").partition("/")
    return (bucket, rest.rpartition("/")[0]) if uri.startswith("gs://") else ("", "")


def _address(request: Any) -> str:
    if not isinstance(request, dict):
        return ""
    nested = request.get("outputConfig")
    if isinstance(nested, dict) and isinstance(nested.get("gcsDestination"), dict):
        return str(nested["gcsDestination"].get("uri", ""))
    return str(request.get("outputUriPrefix", ""))


def _calls(job: Resource, store: Resource) -> bool:
    """Whether the job calls this very store: its project, its place and its name."""
    uri, name = read(job, "httpTarget.uri"), read(store, "name")
    if not isinstance(uri, str) or not isinstance(name, str) or is_hidden(uri) or is_hidden(name):
        return False
    if store.type == FIRESTORE:
        return uri.startswith("https://firestore.googleapis.com/") and uri.endswith(
            f"/databases/{name}:exportDocuments"
        )
    if not (uri.startswith("https://redis.googleapis.com/") and uri.endswith(f"/instances/{name}:export")):
        return False
    parts = uri.split("/")
    place, region = parts[parts.index("locations") + 1] if "locations" in parts[:-1] else "", read(store, "region")
    return not isinstance(region, str) or is_hidden(region) or place == region


def _ends(inventory: Inventory, job: Resource) -> Iterator[Export]:
    name, prefix = target_of(read(job, "httpTarget.body"))
    written = next((b for b in inventory.of_type(GCS_BUCKET) if name in GCS.names(b)), None)
    if written is None:
        return
    copies = GCS.copies(inventory, written)
    for copy in copies:
        end = GCS.destination(inventory, copy)
        if end is not None:
            path = read(copy.job, copy.destination_path.replace("bucketName", "path"))
            yield Export(job, end, path.rstrip("/") if isinstance(path, str) else "", copy.job)
    if not copies:
        yield Export(job, written, prefix, None)


def kept_days(bucket: Resource, prefix: str, *, overwritten: bool = True) -> float:
    """The fewest days that an export below the prefix is kept, by the bucket's lifecycle.

    Args:
        overwritten: whether the next export takes its name; where each has a name of its own, it stays current, and
            what is said of versions that are not does not touch it.
    """
    days = [float("inf")]
    for rule in items(bucket, "lifecycleRules"):
        if read(bucket, f"{rule}.action.type") != "Delete":
            continue
        if not overwritten and _spares_current(bucket, f"{rule}.condition"):
            continue
        prefixes = read(bucket, f"{rule}.condition.matchesPrefixes")
        listed = prefixes if isinstance(prefixes, list) and prefixes else [""]
        if any(f"{prefix}/".startswith(str(one)) for one in listed):
            days.append(_days(bucket, f"{rule}.condition"))
    return min(days)


def _spares_current(bucket: Resource, condition: str) -> bool:
    """Whether a condition is met only by what was overwritten or deleted."""
    numbers = (read(bucket, f"{condition}.{name}") for name in ("daysSinceNoncurrentTime", "numNewerVersions"))
    counted = any(isinstance(each, (int, float)) and each > 0 for each in numbers)
    return counted or read(bucket, f"{condition}.withState") == "ARCHIVED"


def _days(bucket: Resource, condition: str) -> float:
    """All of a condition's parts must hold: the longest time counts."""
    found = [0.0]
    for name in ("daysSinceNoncurrentTime", "age"):
        value = read(bucket, f"{condition}.{name}")
        if value is not ABSENT and not is_hidden(value):
            try:
                found.append(float(value))
            except (TypeError, ValueError):
                return 0
    return max(found)
