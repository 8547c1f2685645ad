"""Nothing is lost: the newest copies are restored beside the stack, served from, measured, and removed.

It is what runs in a real account. It writes nothing of its own into the stack, so that it measures how old the newest
copies happen to be, and not what a write at the moment of the loss would have suffered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ops.drill import before, controls, restoring
from ops.drill.comparing import rows_check
from ops.drill.model import Check, NotRecoverableError, RecoveryPoint
from ops.drill.run import Run
from ops.drill.scenarios.region_lost import apart, not_measured
from ops.features.rows import Row, encode, load_rows
from ops.features.store import FeatureStore, Rows, open_rows
from ops.models import releases
from ops.objects.store import ObjectInfo
from ops.serving.golden import load_golden

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
UNTOUCHED_MARGIN: Final = timedelta(minutes=5)
"""A row that was written within this time of the recovery point may or may not be in it."""
CLOCK_KEY: Final = "drill/clock"
VERIFIED: Final = "releases.verified"


class RestoreTest:
    """Implements `ops.drill.run.Scenario`."""

    name = "restore-test"
    title = "nothing is lost: the newest copies are restored to a drill's own resources in the backup region"

    def run(self, run: Run) -> None:
        """Find the newest copies, restore them aside, verify, serve from them, and try the checks themselves."""
        record, a, cloud = run.record, run.a, run.cloud
        distance = apart(run)
        record.check(distance)
        record.fact(tool_versions=dict(cloud.versions()), not_measured=not_measured(run))
        with record.phase("look at the stack"):
            before.look(run)
            record.fact(noted_before=dict(cloud.note_primary()))
        with record.phase("find the newest copies"):
            point = _newest_point(run)
            ages = _age_of_features(run, point), _age_of_objects(run)
            record.check(*ages)
            objects = before.objects_in(cloud.replica)
            record.check(_verified(run))
        record.lost()
        with record.phase("restore objects"):
            bucket = restoring.restore_objects(run)
        with record.phase("restore features"):
            store = cloud.restore_features(point, a.drill_id)
        with record.phase("verify objects, features, keys and settings"):
            record.check(before.clock(bucket, CLOCK_KEY, b"a drill's"))
            bucket.delete(CLOCK_KEY)
            digests = restoring.read_objects(bucket, objects)
            keys = restoring.check_keys(run, bucket, store)
            record.check(restoring.check_objects(bucket, objects, digests), *keys)
            record.check(*restoring.setting_checks("settings.restored", cloud.restored(bucket, store, a.settings)))
            rows = _rows(run, store, point)
        with record.phase("serve from what was restored, and predict"):
            predictions = restoring.predict(run, bucket, store, as_drill=True)
            record.check(*predictions)
        record.proven(60.0 * a.outputs.objectives.rto_minutes)
        with record.phase("negative controls"):
            [goldens] = record.checked("goldens.set")
            record.control(
                *controls.object_controls(bucket, objects, digests),
                *controls.row_controls(restoring.ROWS_RESTORED, store.name, rows.expected, rows.read, rows.write),
                *controls.golden_controls(predictions[0], goldens, load_golden(a.goldens)),
                *controls.place_controls(keys[0], distance),
                controls.stale_copy_control(ages[0]),
            )
        record.fact(recovery_point=point.to_json())


@dataclass(frozen=True)
class _Compared:
    """Rows of the restored store that must be as they are expected, and no others."""

    expected: Mapping[str, Row]
    store: Rows

    def read(self) -> dict[str, Row]:
        """Those of them that are there."""
        return {entity: row for entity, row in self.store.read().items() if entity in self.expected}

    def write(self, rows: Mapping[str, Row]) -> None:
        """Over older ones."""
        self.store.write(rows)


def _newest_point(run: Run) -> RecoveryPoint:
    point = run.cloud.recovery_point(LONG_AGO)
    if point is None:
        raise NotRecoverableError(
            "there is no recovery point of the feature store",
            f"{run.a.outputs.backup.vault} in {run.a.outputs.backup_region}",
            "Look at the backup plan or the exports, and at their copies.",
        )
    return point


def _age_of_features(run: Run, point: RecoveryPoint) -> Check:
    age = (datetime.now(UTC) - point.created).total_seconds()
    return Check(
        "copies.age", "at most", 60.0 * run.a.outputs.objectives.rpo_minutes, round(age, 3), "features, in s"
    )


def _age_of_objects(run: Run) -> Check:
    """How long the oldest object waits that the primary has and the replica has not."""
    copies = {item.key: item for item in run.cloud.replica.list()}
    waiting = [item.modified for item in run.cloud.primary.list() if not is_copied(item, copies.get(item.key))]
    age = (datetime.now(UTC) - min(waiting)).total_seconds() if waiting else 0.0
    return Check("copies.age", "at most", 60.0 * run.a.outputs.objectives.rpo_minutes, round(age, 3), "objects, in s")


def is_copied(item: ObjectInfo, copy: ObjectInfo | None) -> bool:
    """Whether a copy is of this writing of the object: none is older than what it is a copy of."""
    return copy is not None and copy.size == item.size and copy.modified >= item.modified - timedelta(seconds=1)


def _verified(run: Run) -> Check:
    """The replica holds the release that the fleet serves, and nothing else under its name."""
    a, replica = run.a, run.cloud.replica
    version, pinned = a.outputs.fleet.drilled.model_release, a.outputs.fleet.drilled.manifest_sha256
    manifest = releases.read_manifest(replica, version)
    if manifest is None:
        raise NotRecoverableError(
            f"the release {version!r} that the fleet serves is not in the replica",
            replica.uri,
            "Look at the replication, and at what was published.",
        )
    found = releases.compare(replica, manifest)
    faults = [*found.missing, *found.extra, *found.mismatched]
    told = {"manifest_sha256": manifest.sha256, "faults": faults}
    return Check(VERIFIED, "same", {"manifest_sha256": pinned, "faults": []}, told, f"{version} in {replica.uri}")


def _rows(run: Run, store: FeatureStore, point: RecoveryPoint) -> _Compared:
    """Every restored row can be read, and those that production has not written since are as production has them.

    The golden entities' rows are then written over them, in the restored store alone: what production holds of them
    is its own affair.
    """
    a, rows = run.a, open_rows(store, run.target)
    restored = rows.read()
    run.record.check(Check("rows.readable", "at least", 1, len(restored), store.name))
    ttl_hours = a.outputs.feature_store.entry_ttl_hours
    production = restoring.expected_rows(open_rows(run.cloud.feature_store, run.target).read())
    untouched = written_before(production, point.created - UNTOUCHED_MARGIN, timedelta(hours=ttl_hours))
    run.record.fact(rows_compared=len(untouched))
    if untouched:
        same = {entity: row for entity, row in restored.items() if entity in untouched}
        run.record.check(rows_check("rows.untouched", store.name, untouched, same))
    golden = encode(load_rows(), ttl_hours)
    rows.write(golden)
    compared = _Compared({**untouched, **golden}, rows)
    run.record.check(restoring.check_rows(store, compared.expected, compared.read()))
    return compared


def written_before(rows: Mapping[str, Row], moment: datetime, ttl: timedelta) -> dict[str, Row]:
    """The rows that were written before a moment, as their expiry tells: a row without one does not tell."""
    return {
        entity: row
        for entity, row in rows.items()
        if row.expires_at is not None and datetime.fromtimestamp(row.expires_at, UTC) - ttl < moment
    }
