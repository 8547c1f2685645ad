"""Exports of feature stores that no backup service covers: taken on a schedule, to a bucket far enough away."""

from __future__ import annotations

import base64
import json
from typing import Any

from policies.buckets import GCS
from policies.checks import (
    ABSENT,
    best_of,
    failed,
    is_hidden,
    read,
    unknown,
)
from policies.examples import Hidden, Output, Text, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import far_enough, home_region, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCS_BUCKET, REDIS, SCHEDULER_JOB

family = Family("Exports")

_NO_BUCKET = "no bucket of this stack that the plan knows"


@family.rule(
    "gcp-redis-exported-far",
    Severity.HIGH,
    "Memorystore is exported to a region far enough away",
    types=(REDIS,),
    rationale="Memorystore has no backups in another region of its own; an export nearby is lost with it.",
    remedy="Schedule the instance's export to a bucket at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6", "CP-9")},
    examples=lambda: examples(
        given(REDIS, {"name": "features"}),
        given(
            SCHEDULER_JOB,
            {
                "httpTarget.uri": "https://redis.googleapis.com/v1/projects/p/locations/r/instances/features:export",
                "httpTarget.body": Text({"outputConfig": {"gcsDestination": {"uri": "gs://copy/x.rdb"}}}, _base64),
            },
        ),
        given(GCS_BUCKET, {"name": "copy", "location": "europe-north1"}, "away", away=True),
        broken={
            "no scheduler job exports the instance": (
                put("paused", True, on=SCHEDULER_JOB),
                put("httpTarget.uri", "https://example.com/other", on=SCHEDULER_JOB),
                put("httpTarget.uri", Hidden(), on=SCHEDULER_JOB),
                without(SCHEDULER_JOB),
            ),
            "example.httpTarget.body is in europe-north1, 1836 km away": setting("backup.min_distance_km", 9000),
        },
        undecided={
            f"example.httpTarget.body is {_NO_BUCKET}": (
                put("httpTarget.body.outputConfig.gcsDestination.uri", "gs://elsewhere/x.rdb", on=SCHEDULER_JOB),
                put("httpTarget.body.outputConfig.gcsDestination.uri", "copy/x.rdb", on=SCHEDULER_JOB),
                put("httpTarget.body", "{}", on=SCHEDULER_JOB),
                drop("httpTarget.body", on=SCHEDULER_JOB),
            )
        },
        accepted={
            "europe-north1 is 1836 km from europe-west1": (
                put("httpTarget.uri", Output(REDIS), on=SCHEDULER_JOB),
                put("httpTarget.body", Output(GCS_BUCKET, "away"), on=SCHEDULER_JOB),
            )
        },
    ),
)
def redis_exported_far(instance: Resource, inventory: Inventory) -> Judgement:
    home = home_region(instance, SettingsView.of(inventory.settings))
    name = str(read(instance, "name"))
    jobs = [job for job in inventory.of_type(SCHEDULER_JOB) if _exports(inventory, job, instance, name)]
    if not jobs:
        return failed("", "no scheduler job exports the instance", "an export to a bucket in the backup region")
    return best_of(_export_far(inventory, job, home) for job in jobs)


def _base64(request: Any) -> str:
    return base64.b64encode(json.dumps(request).encode()).decode()


def _exports(inventory: Inventory, job: Resource, instance: Resource, name: str) -> bool:
    if read(job, "paused") not in (ABSENT, False):
        return False
    uri = read(job, "httpTarget.uri")
    if is_hidden(uri):
        return instance in inventory.linked(job, "httpTarget", REDIS)
    return isinstance(uri, str) and uri.endswith(f"/instances/{name}:export")


def _export_far(inventory: Inventory, job: Resource, home: str) -> Judgement:
    path = f"{job.name}.httpTarget.body"
    body = read(job, "httpTarget.body")
    if is_hidden(body):
        buckets = inventory.linked(job, "httpTarget", GCS_BUCKET)
    else:
        named = _destination_bucket(body)
        buckets = tuple(b for b in inventory.of_type(GCS_BUCKET) if named in GCS.names(b))
    if len(buckets) != 1:
        return unknown(path, "an export to a bucket of this stack", _NO_BUCKET)
    return far_enough(SettingsView.of(inventory.settings), path, home, region_in(buckets[0]))


def _destination_bucket(body: object) -> str | None:
    """The bucket that a Memorystore export request (JSON, in base64 as Cloud Scheduler takes it) writes to."""
    if not isinstance(body, str):
        return None
    try:
        request = json.loads(base64.b64decode(body, validate=True))
        uri = request["outputConfig"]["gcsDestination"]["uri"]
    except (ValueError, KeyError, TypeError):
        return None
    return uri.removeprefix("gs://").split("/", 1)[0] if isinstance(uri, str) and uri.startswith("gs://") else None
