"""Steps that several scenarios share: what was restored is verified, served and asked, and the checks are tried."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localcloud.front import Release
from ops.drill import before, copies, restoring
from ops.drill.controls import golden_controls, object_controls, place_controls, row_controls
from ops.drill.model import Check, Control, RecoveryPoint
from ops.drill.run import Run
from ops.drill.scenarios.region_lost import apart
from ops.features.rows import Row
from ops.features.store import FeatureStore, open_rows
from ops.models import releases
from ops.objects import transfer
from ops.objects.store import ObjectStore
from ops.serving.golden import load_golden

HARM_ABSENT = "harm.absent"


@dataclass(frozen=True)
class Restored:
    """What stands in the other region, and what was looked at in it."""

    bucket: ObjectStore
    store: FeatureStore
    rows: Mapping[str, Row]
    """Those that must be there."""
    digests: Mapping[str, str | None]
    """Of the objects that must be there, as they were read."""


def begin(run: Run) -> before.Seed:
    """Look at what stands, take down what a restore needs to know, and write what must come back."""
    record, cloud = run.record, run.cloud
    record.check(apart(run))
    record.fact(tool_versions=dict(cloud.versions()))
    with record.phase("look at what stands before the loss"):
        before.look(run)
        record.fact(noted_before=dict(cloud.note_primary()))
    with record.phase("seed"):
        return before.seed(run)


def await_copies(run: Run, seed: before.Seed) -> RecoveryPoint:
    """Until the other region holds the seed; its recovery point."""
    with run.record.phase("wait for the copies in the other region"):
        run.record.fact(hurried=run.cloud.hurry_copies())
        copies.await_objects(run, seed)
        return copies.await_point(run, seed)


def make_bucket(run: Run) -> ObjectStore:
    """A new bucket in the backup region."""
    return run.cloud.make_bucket(run.a.drill_id, run.a.settings)


def verify(run: Run, bucket: ObjectStore, store: FeatureStore, seed: before.Seed) -> Restored:
    """Objects, rows, keys and settings of what was restored."""
    record = run.record
    with record.phase("verify objects, features, keys and settings"):
        restored = Restored(
            bucket, store, restoring.expected_rows(seed.rows), restoring.read_objects(bucket, seed.objects)
        )
        record.check(restoring.check_objects(bucket, seed.objects, restored.digests), rows_check(run, restored))
        record.check(*restoring.check_keys(run, bucket, store))
        record.check(
            *restoring.setting_checks("settings.restored", run.cloud.restored(bucket, store, run.a.settings))
        )
    return restored


def rows_check(run: Run, restored: Restored) -> Check:
    """Every row of the restored store beside those that were there."""
    return restoring.check_rows(restored.store, restored.rows, open_rows(restored.store, run.target).read())


def serve(run: Run, restored: Restored) -> None:
    """Serve from what was restored: the recovery time ends with the golden prediction."""
    with run.record.phase("serve from what was restored, and predict"):
        run.record.check(*restoring.predict(run, restored.bucket, restored.store))
    run.record.proven(60.0 * run.a.outputs.objectives.rto_minutes)


def controls(run: Run, restored: Restored, seed: before.Seed) -> None:
    """What is planted in what was restored must be found by the verdict's own checks."""
    record, rows = run.record, open_rows(restored.store, run.target)
    with record.phase("negative controls"):
        record.control(
            *object_controls(restored.bucket, seed.objects, restored.digests),
            *row_controls(restoring.ROWS_RESTORED, restored.store.name, restored.rows, rows.read, rows.write),
            *golden_controls(
                record.checked("predictions")[0], record.checked("goldens.set")[0], load_golden(run.a.goldens)
            ),
            *place_controls(record.checked("encryption.restored")[0], record.checked("regions.apart")[0]),
        )


def predictions(
    run: Run, bucket: ObjectStore, store: FeatureStore, release: tuple[str, str], region: str
) -> list[Check]:
    """Serve a release (version, digest) as the fleet's pods do, with no more rights than their own."""
    version, digest = release
    fetched = Release(releases.release_uri(bucket, version), digest, region, run.a.outputs.fleet.drilled.signers)
    return restoring.served(run, fetched, store, f"triton-{run.a.drill_id}-{version}.log")[1]


def rubbish(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Rows of the same shape that hold something else: what nobody sees who looks at the form alone."""
    return {
        entity: Row(json.dumps([secrets.randbelow(1000) / 7 for _ in json.loads(row.features)]), row.expires_at)
        for entity, row in rows.items()
    }


def no_harmful_objects(bucket: ObjectStore, harmful: Mapping[str, str]) -> Check:
    """No object holds what the attacker wrote under its key."""
    digests = transfer.digests(bucket, [item.key for item in bucket.list() if item.key in harmful])
    found = sorted(key for key, digest in digests.items() if digest == harmful[key])
    return Check(HARM_ABSENT, "none", [], found, bucket.uri)


def no_harmful_rows(run: Run, store: FeatureStore, harmful: Mapping[str, Row]) -> Check:
    """No row holds what the attacker wrote."""
    rows = open_rows(store, run.target).read()
    found = sorted(e for e, row in rows.items() if e in harmful and row.features == harmful[e].features)
    return Check(HARM_ABSENT, "none", [], found, f"rows of {store.name}")


def harm_controls(run: Run, restored: Restored, harmful: Mapping[str, Row]) -> Sequence[Control]:
    """A harmful row is put into the restored store, and must be found by both checks; then it goes again."""
    rows, entity = open_rows(restored.store, run.target), min(restored.rows)

    def look() -> tuple[Check, Check]:
        return rows_check(run, restored), no_harmful_rows(run, restored.store, harmful)

    clean = look()
    rows.write({entity: harmful[entity]})
    try:
        planted = look()
    finally:
        rows.write({entity: restored.rows[entity]})
    again = look()
    fault = f"the row of {entity} replaced by the attacker's"
    return [
        Control(name, fault, planted[index], (clean[index], again[index]))
        for index, name in enumerate(("row.harmed", "harm.kept"))
    ]
