"""The primary region is lost: nothing there answers, and the service comes back from the copies in the other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from components.contracts import restore
from components.contracts.recovery import RTC_MINUTES, TRANSFER_INTERVAL_MINUTES, TRANSFER_RUN_MINUTES
from components.contracts.regions import distance_km
from components.contracts.vocabulary import Cloud
from ops.drill import before, controls, copies, restoring
from ops.drill.model import Check, NotRecoverableError, RecoveryPoint
from ops.drill.numbered import OBJECTS, ROWS, NumberedWrites, content, measured
from ops.drill.rules import is_figure
from ops.drill.run import Run
from ops.features.rows import Row
from ops.features.store import open_rows
from ops.objects.store import ObjectStore
from ops.serving.golden import load_golden

LATE_S: Final[Mapping[Cloud, float]] = {
    Cloud.AWS: 60.0 * RTC_MINUTES,
    Cloud.GCP: 60.0 * (TRANSFER_INTERVAL_MINUTES + TRANSFER_RUN_MINUTES),
}
"""How much older than the newest copied object one may be that is not copied yet: copies promise a time, no order."""
ROWS_LATE_S: Final = 1.0
"""DynamoDB's backups have no order of rows, which are "usually much less than a second" apart
(awsdocs/amazon-dynamodb-developer-guide of 2023-06, CreateBackup.md, read 2026-11-21); an export of Redis is of one
moment."""
NOT_MEASURED: Final = (("Notice the loss", "alarms look back over the objective at most"),)
"""What a real loss adds and no estimate stands for elsewhere."""


class RegionLost:
    """Implements `ops.drill.run.Scenario`."""

    name = "region-lost"
    title = "the primary region is lost: objects and their versions, the feature store, the keys"

    def run(self, run: Run) -> None:
        """Look, seed, lose the region while writes go on, restore, verify, predict, and try the checks themselves."""
        record, a, cloud = run.record, run.a, run.cloud
        distance = apart(run)
        record.check(distance)
        record.fact(tool_versions=dict(cloud.versions()), not_measured=not_measured(run))
        with record.phase("look at what stands before the loss"):
            before.look(run)
            record.fact(noted_before=dict(cloud.note_primary()))
        with record.phase("seed"):
            seed = before.seed(run)
        with _numbered(run) as numbered:
            with record.phase("wait for the copies in the other region"):
                numbered.await_next(0.0, a.patience_s)
                hurried = cloud.hurry_copies()
                copies.await_objects(run, seed)
                record.fact(hurried=[*hurried, *cloud.off_schedule(copies.await_point(run, seed))])
                numbered.await_next(record.now_s(), a.patience_s)
            with record.phase("lose the primary region"):
                if numbered.refusals:
                    raise _refused(numbered.refusals)
                run.disaster.lose_region(a.outputs.region)
                lost_s = record.lost()
        with record.phase("restore objects"):
            bucket = restoring.restore_objects(run)
        with record.phase("restore features"):
            point = copies.newest_point(run, seed)
            store = cloud.restore_features(point, a.drill_id)
        with record.phase("verify objects, features, keys and settings"):
            rows = open_rows(store, run.target)
            found, expected = rows.read(), restoring.expected_rows(seed.rows)
            own = numbered.rows(found)
            others = {entity: row for entity, row in found.items() if entity not in own}
            digests = restoring.read_objects(bucket, seed.objects)
            objects = restoring.check_objects(bucket, seed.objects, digests, beside=numbered.key_prefix)
            keys = restoring.check_keys(run, bucket, store)
            record.check(objects, restoring.check_rows(store, expected, others), *keys)
            record.check(*restoring.setting_checks("settings.restored", cloud.restored(bucket, store, a.settings)))
            survivors = {OBJECTS: _objects(bucket, numbered), ROWS: _rows(own, numbered)}
        with record.phase("serve from what was restored, and predict"):
            predictions = restoring.predict(run, bucket, store)
            record.check(*predictions)
        record.proven(60.0 * a.outputs.objectives.rto_minutes)

        def lost_at(at_s: float) -> Check:
            late = {OBJECTS: LATE_S[a.outputs.cloud], ROWS: ROWS_LATE_S}
            return measured(survivors, numbered.written, at_s, rpo_s, late)

        rpo_s = 60.0 * a.outputs.objectives.rpo_minutes
        rpo = lost_at(lost_s)
        [skew] = record.checked("clock.skew")
        record.check(rpo, _honest(point, rpo, record.lost_at, skew.found))
        record.fact(recovery_point=_told(point, record.lost_at))
        with record.phase("negative controls"):
            record.check(Check("region.lost", "none", [], cloud.still_answering(), a.outputs.region))
            [goldens] = record.checked("goldens.set")
            record.control(
                *controls.object_controls(bucket, seed.objects, digests, beside=numbered.key_prefix),
                *controls.row_controls(
                    restoring.ROWS_RESTORED,
                    store.name,
                    expected,
                    lambda: {e: r for e, r in rows.read().items() if e not in own},
                    rows.write,
                ),
                *controls.golden_controls(predictions[0], goldens, load_golden(a.goldens)),
                *controls.place_controls(keys[0], distance),
                controls.stale_control(rpo, lost_at(lost_s + rpo_s + 1), rpo_s + 1),
            )


def _numbered(run: Run) -> NumberedWrites:
    store, a = run.cloud.feature_store, run.a
    ttl_hours = a.outputs.feature_store.entry_ttl_hours
    return NumberedWrites(a.drill_id, run.cloud.primary, open_rows(store, run.target), run.record.now_s, ttl_hours)


def _objects(bucket: ObjectStore, numbered: NumberedWrites) -> list[int]:
    """Numbers whose object came back with its own content."""
    keys = [item.key for item in bucket.list(numbered.key_prefix)]
    numbers = [(key, int(key.removeprefix(numbered.key_prefix))) for key in keys]
    return [number for key, number in numbers if bucket.get(key) == content(number)]


def _rows(own: Mapping[str, Row], numbered: NumberedWrites) -> list[int]:
    numbers = [(int(entity.removeprefix(numbered.row_prefix)), row) for entity, row in own.items()]
    return [number for number, row in numbers if row.features == f"[{float(number)}]"]


def _honest(point: RecoveryPoint, rpo: Check, lost_at: datetime | None, skew_s: Any) -> Check:
    """Nothing that was written after the moment of the recovery point is in it, but for what the clocks differ by."""
    age_s = (lost_at - point.created).total_seconds() if lost_at else 0.0
    newest_s = next(kind["newest_s"] for kind in rpo.found["kinds"] if kind["of"] == ROWS)
    differ_s = before.STAMP_GRAIN_S + (skew_s if is_figure(skew_s) else 0.0)
    least = round(max(0.0, age_s - differ_s), 3)
    return Check("rpo.point", "at least", least, newest_s, f"{point.id}, seconds before the loss")


def _refused(refusals: Mapping[str, tuple[float, str]]) -> NotRecoverableError:
    kind, (_, why) = next(iter(refusals.items()))
    return NotRecoverableError(
        f"production took no write of {kind} before the loss: {why}", kind, "See why the primary refuses writes."
    )


def apart(run: Run) -> Check:
    """How far the copies lie from the data."""
    outputs, least = run.a.outputs, run.a.settings.backup.min_distance_km
    found = distance_km(outputs.cloud, outputs.region, outputs.backup_region)
    subject = f"{outputs.region} and {outputs.backup_region}, in km"
    return Check("regions.apart", "at least", least, round(found, 1), subject)


def not_measured(run: Run) -> list[Sequence[str]]:
    """What a real loss adds, with the estimates that stand elsewhere."""
    steps = restore.steps(run.a.outputs.cloud, run.a.settings.feature_store)
    estimates = [(step.does, f"{step.minutes} min, {step.because} (2026-11-21)") for step in steps]
    return [*NOT_MEASURED, *estimates]


def _told(point: RecoveryPoint, lost_at: datetime | None) -> dict[str, Any]:
    age_s = lost_at and round((lost_at - point.created).total_seconds(), 3)
    return {**point.to_json(), "age_s": age_s}
