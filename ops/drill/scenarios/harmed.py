"""An attacker overwrites or deletes all objects, or all rows, with an operator's rights: the copies carry it along.

So the newest copy is harmful, and an older one must be found: the drill finds it by content, as whoever is on call
would have to. What keeps the attacker from taking the older ones away too is tried, and every refusal is recorded.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from ops.drill import before, copies, older, restoring
from ops.drill.before import Seed
from ops.drill.clouds import harm_of
from ops.drill.controls import planted
from ops.drill.harm import Harm
from ops.drill.model import Check, NotRecoverableError
from ops.drill.run import Run
from ops.drill.scenarios import common
from ops.features.rows import Row, encode, load_rows
from ops.features.store import FeatureStore, open_rows
from ops.objects import transfer

How = Literal["deleted", "encrypted"]
LEAST_RUBBISH_BYTES = 16


class ObjectsHarmed:
    """Implements `ops.drill.run.Scenario`."""

    def __init__(self, how: How) -> None:
        self._how: How = how
        self.name = f"object-{how}"
        self.title = f"all models are {how} by an attacker, in both regions; the region stands"

    def run(self, run: Run) -> None:
        """Harm the models, find the last good versions, restore and serve them."""
        record, a, cloud, harm = run.record, run.a, run.cloud, harm_of(run.a.outputs, run.target)
        seed = common.begin(run)
        point = common.await_copies(run, seed)
        before.next_second()
        with record.phase("harm every object, and wait until the copies carry it"):
            record.lost()
            harmful = harm_objects(run, seed, self._how)
        with record.phase("try to take the older versions away"):
            record.check(purge_versions(run, harm, seed))
        with record.phase("find the last good versions, and restore them"):
            current = {item.key: item.version for key in harmful.digests if (item := cloud.replica.head(key))}
            brought_back = harm.bring_versions_back(cloud.replica)
            chosen = older.last_good(cloud.replica, a.outputs.fleet.pins)
            record.check(passed_over(chosen, current, cloud.replica.uri))
            record.fact(chosen={key: str(c.item.version) for key, c in sorted(chosen.choices.items())})
            record.fact(versions_brought_back=brought_back)
            bucket = common.make_bucket(run)
            older.restore(chosen, cloud.replica, bucket)
        with record.phase("restore features"):
            store = cloud.restore_features(point, a.drill_id)
        restored = common.verify(run, bucket, store, seed)
        record.check(common.no_harmful_objects(bucket, harmful.digests))
        common.serve(run, restored)
        common.controls(run, restored, seed)
        victim = a.outputs.fleet.drilled.model_release
        key = next(item.key for item in seed.objects if victim in item.key)
        good = bucket.get(key)
        record.control(
            planted(
                "harm.kept",
                f"what the attacker wrote is put in the place of {key}",
                lambda: common.no_harmful_objects(bucket, harmful.digests),
                lambda: bucket.put(key, harmful.contents[key]),
                lambda: bucket.put(key, good),
            )
        )


class TableHarmed:
    """Implements `ops.drill.run.Scenario`."""

    def __init__(self, how: How) -> None:
        self._how: How = how
        self.name = f"table-{how}"
        done = "overwritten with rubbish" if how == "encrypted" else "overwritten, and the feature store deleted"
        self.title = f"all rows are {done} by an attacker; the region stands"

    def run(self, run: Run) -> None:
        """Harm the rows, find the last good recovery point, restore and serve it."""
        record, harm = run.record, harm_of(run.a.outputs, run.target)
        seed = common.begin(run)
        common.await_copies(run, seed)
        before.next_second()
        with record.phase("harm every row, and wait until a recovery point carries it"):
            record.lost()
            harmful = harm_rows(run, seed)
        if self._how == "deleted":
            with record.phase("delete the feature store"):
                harm.delete_features()
        with record.phase("try to take the recovery points away"):
            record.check(purge_points(run, harm))
        try:
            with record.phase("find the last good recovery point, and restore it"):
                store = restore_last_good(run, harm)
            with record.phase("restore objects"):
                bucket = restoring.restore_objects(run)
        finally:
            harm.clean_up()
        restored = common.verify(run, bucket, store, seed)
        record.check(common.no_harmful_rows(run, store, harmful))
        common.serve(run, restored)
        common.controls(run, restored, seed)
        record.control(*common.harm_controls(run, restored, harmful))


class Harmful:
    """What an attacker wrote, by key; what the copies must not bring back."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self.digests = {key: hashlib.sha256(data).hexdigest() for key, data in contents.items()}


def harm_objects(run: Run, seed: Seed, how: How) -> Harmful:
    """Overwrite every object with rubbish of its size; or do so and delete them, in both buckets."""
    primary, replica = run.cloud.primary, run.cloud.replica
    harmful = Harmful({o.key: secrets.token_bytes(max(o.size, LEAST_RUBBISH_BYTES)) for o in seed.objects})
    for key, data in harmful.contents.items():
        primary.put(key, data)
    run.cloud.hurry_copies()

    def carried() -> bool | None:
        return transfer.digests(replica, harmful.digests) == harmful.digests or None

    copies.patiently(run, carried, f"the replica {replica.uri} does not carry the harm, so that nothing is tried")
    if how == "deleted":
        for bucket in (primary, replica):
            for key in harmful.contents:
                bucket.delete(key)
    return harmful


def purge_versions(run: Run, harm: Harm, seed: Seed) -> Check:
    """Try to delete each good version in the replica; those that went."""
    replica, gone, refusals = run.cloud.replica, [], set[str]()
    good = {(item.key, item.sha256) for item in seed.objects}
    sizes = {(item.key, item.size) for item in seed.objects}
    for item in list(replica.versions()):
        if (item.key, item.size) in sizes and (item.key, replica.sha256(item.key, item.version)) in good:
            reason = harm.purge_version(replica, item)
            refusals.add(reason[:300])
            if not reason:
                gone.append(f"{item.key} ({item.version})")
    run.record.fact(refusals=sorted(refusals - {""})[:3])
    return Check("versions.kept", "none", [], sorted(gone), replica.uri)


def purge_points(run: Run, harm: Harm) -> Check:
    """Try to delete each recovery point; those that went."""
    points = harm.points()
    reasons = {point.id: harm.purge_point(point) for point in points}
    run.record.fact(refusals=sorted({reason[:300] for reason in reasons.values() if reason})[:3])
    gone = sorted(point for point, reason in reasons.items() if not reason)
    return Check("points.kept", "none", [], gone, points[0].vault if points else "no recovery point")


def harm_rows(run: Run, seed: Seed) -> dict[str, Row]:
    """Overwrite every row, and let the next recovery point take it along."""
    harmful = common.rubbish(seed.rows)
    open_rows(run.cloud.feature_store, run.target).write(harmful)
    harmed = datetime.now(UTC).replace(microsecond=0)
    run.cloud.hurry_copies()
    copies.patiently(
        run, lambda: run.cloud.recovery_point(harmed), "no recovery point carries the harm, so that nothing is tried"
    )
    return harmful


def restore_last_good(run: Run, harm: Harm) -> FeatureStore:
    """Restore recovery points, the newest first, until one holds the rows that the golden predictions ask for.

    Raises:
        NotRecoverableError: none does.
    """
    run.record.fact(points_brought_back=harm.bring_points_back())
    golden = {entity: row.features for entity, row in encode(load_rows(), None).items()}
    for index, point in enumerate(harm.points()):
        store = run.cloud.restore_features(harm.restorable(point), run.a.drill_id)
        rows = open_rows(store, run.target).read()
        if all(entity in rows and rows[entity].features == features for entity, features in golden.items()):
            run.record.check(Check("older.chosen", "at least", 1, index, "harmful recovery points passed over"))
            run.record.fact(recovery_point={"id": point.id, "created": point.created.isoformat()})
            return store
        run.cloud.clean_up(run.a.drill_id)
    raise NotRecoverableError(
        "no recovery point that is kept holds the golden rows",
        run.a.outputs.backup.vault,
        "Load the features anew from their source with `seawall features load`.",
    )


def passed_over(chosen: older.Chosen, current: Mapping[str, str | None], subject: str) -> Check:
    """How many objects are restored from another version than the one that the harm left as the current one."""
    count = sum(1 for key, choice in chosen.choices.items() if current.get(key) != choice.item.version)
    return Check("older.chosen", "at least", 1, count, f"objects of {subject} that come from an older version")
