"""Lifecycles of buckets: what is current stays, what was overwritten stays long enough, and all of it at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.buckets import GCS, S3, given_to_gcs_logs, given_to_s3_logs, s3_companions
from policies.checks import ABSENT, all_of, failed, is_hidden, items, passed, read, shown, unknown, unreadable
from policies.examples import Hidden, both, drop, examples, given, put, without
from policies.exports import holds_exports
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCS_BUCKET, S3_BUCKET, S3_LIFECYCLE

family = Family("Lifecycles")

_RESTORE_MINUTES: Final = {"GLACIER": 300, "DEEP_ARCHIVE": 720}
"""What a standard retrieval takes (S3 user guide, "Archive retrieval options", read 2026-11-22)."""
_OF_OLD: Final = "daysSinceNoncurrentTime"
_CURRENT: Final = "current objects, which nothing brings back"


@family.rule(
    "aws-s3-lifecycle-keeps",
    Severity.HIGH,
    "Lifecycles of S3 buckets keep what is current, and old versions for as long as is promised",
    types=(S3_BUCKET,),
    rationale="A lifecycle deletes without a trace of who did it, and moves what a restore needs out of its reach.",
    remedy="Expire noncurrent versions alone, after storage.noncurrent_retention_days, and archive nothing.",
    frameworks={Framework.NIST_800_53: ("CP-9", "SI-12")},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(
            S3_LIFECYCLE,
            {
                "bucket": "models",
                "rules.0.status": "Enabled",
                "rules.0.noncurrentVersionExpiration.noncurrentDays": 90,
                "rules.0.expiration.expiredObjectDeleteMarker": True,
            },
        ),
        broken={
            f"rules.0.expiration.days is 30: {_CURRENT}": put("rules.0.expiration.days", 30, on=S3_LIFECYCLE),
            f'rules.0.expiration.date is "2030-01-01T00:00:00Z": {_CURRENT}': put(
                "rules.0.expiration.date", "2030-01-01T00:00:00Z", on=S3_LIFECYCLE
            ),
            "rules.0.noncurrentVersionExpiration.noncurrentDays is 89": put(
                "rules.0.noncurrentVersionExpiration.noncurrentDays", 89, on=S3_LIFECYCLE
            ),
            'rules.0.transitions.0.storageClass is "DEEP_ARCHIVE"': put(
                "rules.0.transitions", [{"days": 1, "storageClass": "DEEP_ARCHIVE"}], on=S3_LIFECYCLE
            ),
            'rules.0.noncurrentVersionTransitions.0.storageClass is "GLACIER"': put(
                "rules.0.noncurrentVersionTransitions", [{"storageClass": "GLACIER"}], on=S3_LIFECYCLE
            ),
        },
        undecided={
            "rules is known only to the provider": put("rules", Hidden(), on=S3_LIFECYCLE),
            "rules.0.expiration.days is known only to the provider": put(
                "rules.0.expiration.days", Hidden(), on=S3_LIFECYCLE
            ),
        },
        accepted={
            "": (
                without(S3_LIFECYCLE),
                both(
                    put("rules.0.expiration.days", 30, on=S3_LIFECYCLE),
                    put("rules.0.status", "Disabled", on=S3_LIFECYCLE),
                ),
                both(put("rules.0.expiration.days", 365, on=S3_LIFECYCLE), given_to_s3_logs("models")),
                put("rules.0.transitions", [{"days": 1, "storageClass": "STANDARD_IA"}], on=S3_LIFECYCLE),
            )
        },
    ),
)
def s3_lifecycle_keeps(bucket: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    logs = S3.holds_logs(bucket, inventory)
    return all_of(
        judged
        for config in s3_companions(inventory, bucket, S3_LIFECYCLE)
        for judged in _rules_keep(config, settings, logs)
    )


def _rules_keep(config: Resource, settings: SettingsView, logs: bool) -> Iterator[Judgement]:
    hidden = unreadable(config, "rules", "rules that keep what is current")
    if hidden:
        yield hidden
    for rule in items(config, "rules"):
        if read(config, f"{rule}.status") != "Disabled":
            yield from _rule_keeps(config, rule, settings, logs)


def _rule_keeps(config: Resource, rule: str, settings: SettingsView, logs: bool) -> Iterator[Judgement]:
    kept_days = settings.log_retention_days
    yield _at_least_or_never(config, f"{rule}.expiration.days", kept_days if logs else None)
    yield _at_least_or_never(config, f"{rule}.expiration.date", None)
    if not logs:
        path = f"{rule}.noncurrentVersionExpiration.noncurrentDays"
        yield _at_least_or_never(config, path, settings.noncurrent_days)
        for moves in ("transitions", "noncurrentVersionTransitions"):
            yield from _within_reach(config, f"{rule}.{moves}", settings)


def _at_least_or_never(resource: Resource, path: str, days: int | None) -> Judgement:
    """A time after which something goes is given as at least `days`, or not at all; None: it may never go."""
    value = read(resource, path)
    required = "nothing that expires" if days is None else f"at least {days} days"
    if value is ABSENT or (days is None and value in (0, "0", "")):
        return passed()
    if is_hidden(value):
        return unknown(path, required)
    if days is None:
        return failed(path, f"{shown(value)}: {_CURRENT}", required)
    return passed() if _number(value) >= days else failed(path, shown(value), required)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return -1


def _within_reach(config: Resource, path: str, settings: SettingsView) -> Iterator[Judgement]:
    hidden = unreadable(config, path, "classes that are restored in time")
    if hidden:
        yield hidden
    for move in items(config, path):
        name = f"{move}.storageClass"
        minutes = _RESTORE_MINUTES.get(str(read(config, name)), 0)
        required = f"a class that is restored within {settings.rto_minutes:g} min"
        if is_hidden(read(config, name)):
            yield unknown(name, required)
        elif minutes > settings.rto_minutes:
            yield failed(name, shown(read(config, name)), required)


@family.rule(
    "gcp-gcs-lifecycle-keeps",
    Severity.HIGH,
    "Lifecycles of Cloud Storage buckets keep what is current, and old versions for as long as is promised",
    types=(GCS_BUCKET,),
    rationale="A lifecycle deletes without a trace of who did it, and a restore finds nothing when it is needed.",
    remedy="Delete by daysSinceNoncurrentTime alone, after storage.noncurrent_retention_days.",
    frameworks={Framework.NIST_800_53: ("CP-9", "SI-12")},
    examples=lambda: examples(
        given(
            GCS_BUCKET,
            {
                "name": "models",
                "location": "europe-west1",
                "lifecycleRules": [
                    {"action": {"type": "Delete"}, "condition": {_OF_OLD: 90, "withState": "ARCHIVED"}},
                    {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
                ],
            },
            "kept",
        ),
        broken={
            f"lifecycleRules.0.condition.{_OF_OLD} is 89": put(f"lifecycleRules.0.condition.{_OF_OLD}", 89),
            'lifecycleRules.0.condition is {"withState": "ARCHIVED"}': drop(f"lifecycleRules.0.condition.{_OF_OLD}"),
            'lifecycleRules.0.condition is {"age": 90}': put("lifecycleRules.0.condition", {"age": 90}),
            'lifecycleRules.0.condition is {"numNewerVersions": 3}': put(
                "lifecycleRules.0.condition", {"numNewerVersions": 3}
            ),
            'lifecycleRules.1.condition is {"age": 7}': put("lifecycleRules.1.action.type", "Delete"),
        },
        undecided={
            "lifecycleRules is known only to the provider": put("lifecycleRules", Hidden()),
            f"lifecycleRules.0.condition.{_OF_OLD} is known only to the provider": put(
                f"lifecycleRules.0.condition.{_OF_OLD}", Hidden()
            ),
        },
        accepted={
            "": (
                drop("lifecycleRules"),
                put(f"lifecycleRules.0.condition.{_OF_OLD}", "91"),
                put("lifecycleRules.1.action", {"type": "SetStorageClass", "storageClass": "NEARLINE"}),
                both(
                    put("lifecycleRules", [{"action": {"type": "Delete"}, "condition": {"age": 365}}]),
                    given_to_gcs_logs("models"),
                ),
            )
        },
    ),
)
def gcs_lifecycle_keeps(bucket: Resource, inventory: Inventory) -> Judgement:
    hidden = unreadable(bucket, "lifecycleRules", "rules that keep what is current")
    if hidden:
        return hidden
    settings = SettingsView.of(inventory.settings)
    logs = GCS.holds_logs(bucket, inventory)
    exports = holds_exports(inventory, bucket)
    return all_of(
        _deletes_late(bucket, rule, settings, logs, exports)
        for rule in items(bucket, "lifecycleRules")
        if read(bucket, f"{rule}.action.type") not in ("SetStorageClass", "AbortIncompleteMultipartUpload")
    )


def _deletes_late(bucket: Resource, rule: str, settings: SettingsView, logs: bool, exports: bool) -> Judgement:
    """Conditions hold together: one that speaks of noncurrent versions spares what is current.

    Exports are new objects each time, and thinned by age: how long is `gcp-exports-often-enough`'s to judge.
    """
    condition = f"{rule}.condition"
    old, age = f"{condition}.{_OF_OLD}", f"{condition}.age"
    if logs or exports:
        days = settings.log_retention_days if logs else 1
        found = [_at_least_or_never(bucket, path, days) for path in (old, age) if read(bucket, path) is not ABSENT]
        return all_of(found) if found else failed(condition, shown(read(bucket, condition)), "a time to keep")
    if read(bucket, old) is ABSENT:
        required = f"{_OF_OLD} of {settings.noncurrent_days}"
        return failed(condition, shown(read(bucket, condition)), required)
    return _at_least_or_never(bucket, old, settings.noncurrent_days)
