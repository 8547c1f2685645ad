"""Steps that several scenarios share: what was restored is verified, served and asked, and the checks are tried."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence

from common.target import Pod
from localcloud.front import Release
from ops.drill import before, restoring
from ops.drill.controls import object_controls
from ops.drill.model import Check, Control
from ops.drill.run import Run
from ops.features.rows import Row
from ops.features.store import FeatureStore, open_rows
from ops.models import releases
from ops.objects import transfer
from ops.objects.store import ObjectStore
from ops.serving.golden import load_golden

HARM_ABSENT = "harm.absent"


def begin(run: Run) -> before.Seed:
    """Take down what a restore needs to know, and write what must come back."""
    with run.record.phase("seed"):
        run.record.fact(tool_versions=dict(run.cloud.versions()), noted_before=dict(run.cloud.note_primary()))
        return before.seed(run)


def verify(run: Run, bucket: ObjectStore, store: FeatureStore, seed: before.Seed) -> None:
    """Objects, rows, keys and settings of what was restored."""
    record = run.record
    with record.phase("verify objects, features, keys and settings"):
        record.check(restoring.check_objects(bucket, seed.objects))
        record.check(rows_check(run, store, seed))
        record.check(*restoring.check_keys(run, bucket, store))
        record.check(*restoring.setting_checks("settings.restored", run.cloud.settings(bucket, store)))


def serve(run: Run, bucket: ObjectStore, store: FeatureStore) -> None:
    """Serve from what was restored: the recovery time ends with the golden prediction."""
    with run.record.phase("serve from what was restored, and predict"):
        run.record.check(*restoring.predict(run, bucket, store))
    run.record.proven(60.0 * run.a.outputs.objectives.rto_minutes)


def rows_check(run: Run, store: FeatureStore, seed: before.Seed) -> Check:
    """Every row of a restored store beside those that were there."""
    return restoring.check_rows(run, store, dict(seed.rows))


def make_bucket(run: Run) -> ObjectStore:
    """A new bucket in the backup region."""
    return run.cloud.make_bucket(run.a.drill_id)


def predictions(
    run: Run, bucket: ObjectStore, store: FeatureStore, release: tuple[str, str], region: str
) -> list[Check]:
    """Serve a release (version, digest) as the fleet's pods do, with no more rights than their own."""
    a, fleet, wanted = run.a, run.a.outputs.identities.fleet, load_golden()
    service = a.serve(
        Release(releases.release_uri(bucket, release[0]), release[1], region),
        store,
        run.target,
        a.serving_python,
        pod=Pod(fleet.namespace, fleet.service_account, fleet.principal),
        log=a.log_dir / f"triton-{a.drill_id}-{release[0]}.log",
    )
    expected = {"requests": len(wanted.predictions), "tolerance": wanted.tolerance}
    return [Check("predictions", "answers", expected, each.to_json(), each.protocol) for each in service.results]


def controls(run: Run, bucket: ObjectStore, seed: before.Seed) -> None:
    """The checks of objects must find what is planted."""
    with run.record.phase("negative controls"):
        run.record.control(*object_controls(bucket, seed.objects))


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


def row_controls(run: Run, store: FeatureStore, seed: before.Seed, harmful: Mapping[str, Row]) -> Sequence[Control]:
    """A harmful row is put into the restored store, and must be found by both checks; then it goes again."""
    rows, entity = open_rows(store, run.target), min(seed.rows)

    def look() -> tuple[Check, Check]:
        return rows_check(run, store, seed), no_harmful_rows(run, store, harmful)

    clean = look()
    rows.write({entity: harmful[entity]})
    try:
        planted = look()
    finally:
        rows.write({entity: seed.rows[entity]})
    again = look()
    fault = f"the row of {entity} replaced by the attacker's"
    return [
        Control(name, fault, planted[index], (clean[index], again[index]))
        for index, name in enumerate(("row.harmed", "harm.kept"))
    ]


def next_second() -> None:
    """Clouds tell some moments by the second: what is written from now on is later than all that was."""
    time.sleep(1.05 - time.time() % 1)
