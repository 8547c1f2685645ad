"""What a Google Cloud stack's cloud says of what was deployed: settings beside those promised, and copies' bounds."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from common.aws_cron import Schedule, longest_silence
from common.gcp_api import GcpApi
from common.unix_cron import parse
from components.contracts.backup import Tier, tiers
from components.contracts.recovery import SCHEDULER_START_MINUTES, TRANSFER_RUN_MINUTES, Bound, Part, export_minutes
from ops.drill.model import Setting
from stacks.outputs import StackOutputs
from stacks.settings import Settings

SOFT_DELETE_S: Final = 7 * 86_400
"""What every bucket of a stack is made with."""
_ACCOUNT_ID_MAX: Final = 30
DAYS_AHEAD: Final = 400
"""How far ahead schedules are read: a year, and what a leap makes of it."""


def settings(api: GcpApi, outputs: StackOutputs, promised: Settings) -> Iterator[Setting]:
    """Model bucket, replica, exports, instance, jobs and keys of the deployed stack."""
    models, recovery = promised.storage.noncurrent_retention_days, outputs.keys.recovery.id
    thinned = {f"{tier.name}/": tier.keep_days for tier in tiers(promised.backup)}
    yield from bucket_settings(api, outputs.model_bucket.name, outputs.region, outputs.keys.data.id, {"": models})
    yield from bucket_settings(api, outputs.model_replica.name, outputs.backup_region, recovery, {"": models})
    kept = {"": promised.backup.retention_days, **thinned}
    yield from bucket_settings(api, outputs.backup.vault, outputs.backup_region, recovery, kept)
    yield from instance_settings(api, outputs.feature_store.id, outputs.keys.data.id, outputs.region)
    for tier, job in _jobs(api, outputs, promised).items():
        yield from export_settings(tier, job or {}, outputs, promised)
    yield from _transfer(_job(api, outputs), outputs)
    for name, key in (("data", outputs.keys.data), ("recovery", outputs.keys.recovery)):
        primary = api.get("kms", f"v1/{key.id}").get("primary", {})
        yield Setting(f"key {name}", "state", "ENABLED", primary.get("state", "none"))


def bucket_settings(api: GcpApi, bucket: str, region: str, key: str, kept: Mapping[str, int]) -> Iterator[Setting]:
    """One bucket; `kept` has the days that old versions stay, by prefix."""
    subject, found = f"gs://{bucket}", api.get("storage", f"storage/v1/b/{bucket}")
    access = found.get("iamConfiguration", {})
    rules = [rule for rule in found.get("lifecycle", {}).get("rule", []) if rule["action"]["type"] == "Delete"]
    old: dict[str, int] = {}
    for rule in rules:
        for prefix in rule["condition"].get("matchesPrefix") or [""]:
            days = rule["condition"].get("daysSinceNoncurrentTime")
            old |= {} if days is None else {prefix: min(int(days), old.get(prefix, int(days)))}
    current = [rule["condition"] for rule in rules if "daysSinceNoncurrentTime" not in rule["condition"]]
    yield Setting(subject, "location", region.upper(), str(found.get("location", "")).upper())
    yield Setting(subject, "versioning", True, bool(found.get("versioning", {}).get("enabled")))
    yield Setting(subject, "public access prevention", "enforced", access.get("publicAccessPrevention", "none"))
    uniform = bool(access.get("uniformBucketLevelAccess", {}).get("enabled"))
    yield Setting(subject, "uniform access", True, uniform)
    yield Setting(subject, "key", key, found.get("encryption", {}).get("defaultKmsKeyName", "none"))
    soft = int(found.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    yield Setting(subject, "seconds of soft deletion", SOFT_DELETE_S, soft)
    yield Setting(subject, "days that old versions are kept", dict(kept), old)
    yield Setting(subject, "rules that remove current objects", [], current)


def instance_settings(api: GcpApi, instance: str, key: str, region: str) -> Iterator[Setting]:
    """One Memorystore instance."""
    found, subject = api.get("redis", f"v1/{instance}"), f"instance {instance.rpartition('/')[2]}"
    yield Setting(subject, "location", region, found.get("name", instance).split("/")[3])
    yield Setting(subject, "tier", "STANDARD_HA", found.get("tier", "none"))
    yield Setting(subject, "AUTH", True, bool(found.get("authEnabled")))
    yield Setting(subject, "TLS", "SERVER_AUTHENTICATION", found.get("transitEncryptionMode", "none"))
    yield Setting(subject, "persistence", "RDB", found.get("persistenceConfig", {}).get("persistenceMode", "none"))
    yield Setting(subject, "key", key, found.get("customerManagedKey", "none"))


def export_settings(
    tier: Tier, job: Mapping[str, Any], outputs: StackOutputs, promised: Settings
) -> Iterator[Setting]:
    """One of the scheduler's jobs that export the features; empty where there is none."""
    subject, target = f"export job {export_job(tier, promised)}", job.get("httpTarget", {})
    exporter = promised.place.name("exporter", max_length=_ACCOUNT_ID_MAX)
    into = _into(target)
    wanted = {
        "calls": f"POST https://redis.googleapis.com/v1/{outputs.feature_store.id}:export",
        "as": f"{exporter}@{outputs.account}.iam.gserviceaccount.com",
        "into": f"gs://{outputs.backup.vault}/{tier.name}/",
    }
    found = {
        "calls": f"{target.get('httpMethod', 'POST')} {target.get('uri', 'nothing')}",
        "as": target.get("oauthToken", {}).get("serviceAccountEmail", "nobody"),
        "into": f"{into.rpartition('/')[0]}/" if into else "nowhere",
    }
    yield Setting(subject, "state", "ENABLED", job.get("state", "none"))
    yield Setting(subject, "schedule", tier.unix_cron, job.get("schedule", "none"))
    yield Setting(subject, "time zone", "Etc/UTC", job.get("timeZone", "none"))
    yield Setting(subject, "exports", wanted, found)


def export_job(tier: Tier, promised: Settings) -> str:
    """The name of a tier's job."""
    return promised.place.name(f"feature-export-{tier.name}")


def bounds(api: GcpApi, outputs: StackOutputs, promised: Settings) -> list[Bound | str]:
    """How old copies can be by what is deployed; a text says why there is no bound."""
    jobs = [job for job in _jobs(api, outputs, promised).values() if job and _exports(job, outputs)]
    now = datetime.now(UTC)
    return [features_bound(jobs, promised.feature_store.gib, now), models_bound(_job(api, outputs), now.date())]


def features_bound(jobs: Sequence[Mapping[str, Any]], gib: float, now: datetime) -> Bound | str:
    """By the jobs that export the store to the backup region."""
    schedules: list[Schedule] = []
    for job in jobs:
        try:
            schedules.extend(parse(str(job.get("schedule", "")), str(job.get("timeZone", "Etc/UTC"))))
        except ValueError as error:
            return f"features: an export's schedule cannot be read: {error}"
    if not schedules:
        return "features: no enabled job exports the feature store to the backup region"
    silence = longest_silence(schedules, now.replace(second=0, microsecond=0), DAYS_AHEAD)
    return Bound(
        "features",
        (
            Part("between exports", math.ceil(silence.total_seconds() / 60)),
            Part("start by the scheduler", SCHEDULER_START_MINUTES),
            Part("export", export_minutes(gib)),
        ),
    )


def models_bound(job: Mapping[str, Any], today: date) -> Bound | str:
    """By the transfer job of the models."""
    schedule = job.get("schedule", {})
    if job.get("status") != "ENABLED":
        return f"models: the transfer job is {job.get('status', 'not there')}"
    begin = schedule.get("scheduleStartDate")
    if begin and date(begin["year"], begin["month"], begin["day"]) > today:
        return f"models: the transfer job begins on {begin['year']}-{begin['month']:02d}-{begin['day']:02d}"
    end = schedule.get("scheduleEndDate")
    if end and date(end["year"], end["month"], end["day"]) <= today + timedelta(days=DAYS_AHEAD):
        return f"models: the transfer job ends on {end['year']}-{end['month']:02d}-{end['day']:02d}"
    interval_s = float(str(schedule.get("repeatInterval", "86400s")).removesuffix("s"))
    parts = (Part("between transfers", math.ceil(interval_s / 60)), Part("copy", TRANSFER_RUN_MINUTES))
    return Bound("models", parts)


def _jobs(api: GcpApi, outputs: StackOutputs, promised: Settings) -> dict[Tier, dict[str, Any] | None]:
    parent = f"v1/projects/{outputs.account}/locations/{outputs.region}/jobs"
    return {
        tier: api.find("cloudscheduler", f"{parent}/{export_job(tier, promised)}") for tier in tiers(promised.backup)
    }


def _exports(job: Mapping[str, Any], outputs: StackOutputs) -> bool:
    """Whether a job is enabled and exports this store to this bucket."""
    target = job.get("httpTarget", {})
    into = _into(target)
    calls = str(target.get("uri", "")).endswith(f"/v1/{outputs.feature_store.id}:export")
    return job.get("state") == "ENABLED" and calls and into.startswith(f"gs://{outputs.backup.vault}/")


def _into(target: Mapping[str, Any]) -> str:
    """The address that a job's call asks Memorystore to export to; empty if it asks for none."""
    try:
        body = json.loads(base64.b64decode(target.get("body", ""), validate=True))
        return str(body["outputConfig"]["gcsDestination"]["uri"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return ""


def _job(api: GcpApi, outputs: StackOutputs) -> dict[str, Any]:
    job = outputs.model_replica.copy_job
    name = job if job.startswith("transferJobs/") else f"transferJobs/{job}"
    return api.find("storagetransfer", f"v1/{name}", {"projectId": outputs.account}) or {}


def _transfer(job: Mapping[str, Any], outputs: StackOutputs) -> Iterator[Setting]:
    spec = job.get("transferSpec", {})
    found = {
        "from": spec.get("gcsDataSource", {}).get("bucketName", "none"),
        "to": spec.get("gcsDataSink", {}).get("bucketName", "none"),
        "below": spec.get("gcsDataSink", {}).get("path", ""),
        "overwrites": spec.get("transferOptions", {}).get("overwriteWhen", "none"),
        "only": spec.get("objectConditions", {}),
        "deletes": [
            name
            for name in ("deleteObjectsUniqueInSink", "deleteObjectsFromSourceAfterTransfer")
            if spec.get("transferOptions", {}).get(name)
        ],
    }
    wanted = {
        "from": outputs.model_bucket.name,
        "to": outputs.model_replica.name,
        "below": "",
        "overwrites": "DIFFERENT",
        "only": {},
        "deletes": [],
    }
    yield Setting("transfer job of the models", "copies", wanted, found)
