"""A region is lost, the service runs in the other one and is written to; the region comes back, and takes over again.

Two sides hold what the other has not: the restored side what was written meanwhile, the primary what was written in
the last moments before the loss and never copied. So only what changed since the restore is carried back, compared by
content with what was restored: a copy of everything would overwrite newer data of the primary with older.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ops.drill import copies, restoring
from ops.drill.before import Seed, next_second, objects_in
from ops.drill.comparing import objects_check, rows_check
from ops.drill.controls import planted
from ops.drill.model import Check, ExpectedObject
from ops.drill.run import Run
from ops.drill.scenarios import common
from ops.features.rows import Row, encode
from ops.features.store import FeatureStore, open_rows
from ops.objects import transfer
from ops.objects.store import ObjectStore

OBJECTS_BACK, ROWS_BACK = "objects.back", "rows.back"


@dataclass(frozen=True)
class Side:
    """Objects (key → SHA-256) and rows of one side, at one time."""

    objects: Mapping[str, str]
    rows: Mapping[str, Row]


Carry = Callable[[Run, ObjectStore, FeatureStore, Side], None]


class Failback:
    """Implements `ops.drill.run.Scenario`."""

    name = "failback"
    title = "the primary region is lost and comes back; what was written meanwhile returns to it"

    def __init__(self, carry: Carry | None = None) -> None:
        """`carry` brings what was written meanwhile back to the primary; `carry_changes` by default."""
        self._carry: Carry = carry or carry_changes

    def run(self, run: Run) -> None:
        """Lose the region, serve and write in the other one, and return."""
        record, a, cloud = run.record, run.a, run.cloud
        seed = common.begin(run)
        before = write(run, cloud.primary, cloud.feature_store, "before")
        with record.phase("wait for the copies in the other region"):
            run.record.fact(hurried=cloud.hurry_copies())
            copies.await_objects(run, Seed((*seed.objects, *before.seed), {**seed.rows, **before.rows}, before.at))
            point = copies.await_point(run, Seed(seed.objects, seed.rows, before.at))
        with record.phase("write what no recovery point holds"):
            late = write(run, cloud.primary, cloud.feature_store, "late", again=("shared", "kept", "late"))
        with record.phase("lose the primary region"):
            record.lost()
            run.disaster.lose_region(a.outputs.region)
        with record.phase("restore, and serve from the other region"):
            bucket = restoring.restore_objects(run)
            store = cloud.restore_features(point, a.drill_id)
            base = side_of(run, bucket, store)
            record.check(*restoring.predict(run, bucket, store))
        record.proven(60.0 * a.outputs.objectives.rto_minutes)
        with record.phase("write in the other region"):
            next_second()
            meanwhile = write(run, bucket, store, "meanwhile", again=("shared", "meanwhile"))
        with record.phase("the primary region comes back"):
            returned = record.now_s()
            run.disaster.restore_region(a.outputs.region)
        with record.phase("carry back what was written meanwhile"):
            self._carry(run, bucket, store, base)
        objects = {**{o.key: o for o in seed.objects}, **before.objects, **late.objects, **meanwhile.objects}
        rows = {**seed.rows, **before.rows, **late.rows, **meanwhile.rows}
        with record.phase("verify the primary"):
            record.check(_objects_back(cloud.primary, objects), _rows_back(run, cloud.feature_store, rows))
        with record.phase("replicate in the old direction again"):
            since = datetime.now(UTC).replace(microsecond=0)
            record.check(self._replicated(run, objects))
            again = copies.patiently(
                run, lambda: cloud.recovery_point(since), "no recovery point was made after the return"
            )
            record.fact(recovery_point_after_return={"id": again.id, "created": again.created.isoformat()})
        with record.phase("serve from the primary, and predict"):
            pin = a.outputs.fleet.drilled.model_release, a.outputs.fleet.drilled.manifest_sha256
            answers = common.predictions(run, cloud.primary, cloud.feature_store, pin, a.outputs.region)
            record.check(*(Check("predictions.back", c.rule, c.expected, c.found, c.subject) for c in answers))
        took = round(record.now_s() - returned, 3)
        record.check(Check("failback.measured", "at most", 60.0 * a.outputs.objectives.rto_minutes, took))
        with record.phase("negative controls"):
            self._controls(run, objects, rows, base)

    def _replicated(self, run: Run, objects: Mapping[str, ExpectedObject]) -> Check:
        replica = run.cloud.replica
        run.cloud.hurry_copies()

        def followed() -> bool | None:
            return transfer.digests(replica, objects) == {k: o.sha256 for k, o in objects.items()} or None

        copies.patiently(run, followed, f"the replica {replica.uri} does not follow the primary after its return")
        digests = transfer.digests(replica, objects)
        sizes = {key: item.size for key, item in objects.items() if digests[key] is not None}
        return objects_check("replica.back", replica.uri, list(objects.values()), sizes, digests)

    def _controls(self, run: Run, objects: Mapping[str, ExpectedObject], rows: Mapping[str, Row], base: Side) -> None:
        """Older data in the place of newer, in the primary: what a copy of everything would leave."""
        primary, store = run.cloud.primary, run.cloud.feature_store
        key, entity = object_name(run, "shared"), entity_name(run, "shared")
        newest = primary.get(key)
        table = open_rows(store, run.target)
        run.record.control(
            planted(
                "object.older",
                f"{key} as it was before the loss",
                lambda: _objects_back(primary, objects),
                lambda: primary.put(key, _content(run, "shared", "before")),
                lambda: primary.put(key, newest),
            ),
            planted(
                "row.older",
                f"the row of {entity} as it was before the loss",
                lambda: _rows_back(run, store, rows),
                lambda: table.write({entity: base.rows[entity]}),
                lambda: table.write({entity: rows[entity]}),
            ),
        )


@dataclass(frozen=True)
class Written:
    """What was written at one time, as it must be found."""

    objects: Mapping[str, ExpectedObject]
    rows: Mapping[str, Row]
    at: datetime

    @property
    def seed(self) -> tuple[ExpectedObject, ...]:
        """The objects as a seed has them."""
        return tuple(self.objects.values())


def object_name(run: Run, name: str) -> str:
    """The key of one of this scenario's objects."""
    return f"drills/{run.a.drill_id}/{name}"


def entity_name(run: Run, name: str) -> str:
    """The id of one of this scenario's entities."""
    return f"drill-{run.a.drill_id}-{name}"


def write(
    run: Run, bucket: ObjectStore, store: FeatureStore, when: str, again: tuple[str, ...] = ("shared", "kept")
) -> Written:
    """Write objects and rows whose content says when; those named again overwrite older ones."""
    contents = {object_name(run, name): _content(run, name, when) for name in again}
    for key, data in contents.items():
        bucket.put(key, data)
    values = {entity_name(run, name): [float(_NUMBERS[when])] for name in again}
    rows = encode(values, run.a.outputs.feature_store.entry_ttl_hours)
    open_rows(store, run.target).write(rows)
    objects = {key: _expected(key, data) for key, data in contents.items()}
    return Written(objects, rows, datetime.now(UTC))


_NUMBERS = {"before": 1, "late": 2, "meanwhile": 3}


def side_of(run: Run, bucket: ObjectStore, store: FeatureStore) -> Side:
    """What a side holds now, every object read in full."""
    objects = {item.key: item.sha256 for item in objects_in(bucket)}
    return Side(objects, open_rows(store, run.target).read())


def carry_changes(run: Run, bucket: ObjectStore, store: FeatureStore, base: Side) -> None:
    """Carry back what is other than what was restored; the primary's own version stays as an older one."""
    now, primary = side_of(run, bucket, store), run.cloud.primary
    changed = [key for key, digest in now.objects.items() if base.objects.get(key) != digest]
    for key in changed:
        primary.copy(bucket.bucket, key, key)
    rows = {entity: row for entity, row in now.rows.items() if base.rows.get(entity) != row}
    if rows:
        open_rows(run.cloud.feature_store, run.target).write(rows)
    run.record.fact(carried={"objects": sorted(changed), "rows": sorted(rows)})


def _objects_back(primary: ObjectStore, objects: Mapping[str, ExpectedObject]) -> Check:
    sizes = {item.key: item.size for item in primary.list()}
    digests = transfer.digests(primary, [key for key in objects if key in sizes])
    return objects_check(OBJECTS_BACK, primary.uri, list(objects.values()), sizes, digests)


def _rows_back(run: Run, store: FeatureStore, rows: Mapping[str, Row]) -> Check:
    return rows_check(ROWS_BACK, store.name, rows, open_rows(store, run.target).read())


def _content(run: Run, name: str, when: str) -> bytes:
    return json.dumps({"drill": run.a.drill_id, "object": name, "written": when}).encode()


def _expected(key: str, data: bytes) -> ExpectedObject:
    return ExpectedObject(key, len(data), hashlib.sha256(data).hexdigest())
