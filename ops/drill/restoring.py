"""Restores objects, and looks at what was restored: objects, rows, keys, settings and predictions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from common.target import Pod
from localcloud.front import Release
from ops.drill.comparing import objects_check, rows_check
from ops.drill.model import Check, ExpectedObject, Setting
from ops.drill.numbered import NumberedWrites
from ops.drill.run import Run
from ops.features.rows import Row
from ops.features.store import FeatureStore
from ops.models import releases
from ops.objects import transfer
from ops.objects.store import ObjectStore
from ops.serving.golden import load_golden
from ops.serving.service import Service

OBJECTS_RESTORED: Final = "objects.restored"
ROWS_RESTORED: Final = "rows.restored"


def restore_objects(run: Run) -> ObjectStore:
    """A new bucket in the backup region with every object of the replica, copied inside the cloud."""
    bucket, replica = run.cloud.make_bucket(run.a.drill_id, run.a.settings), run.cloud.replica
    copy_all(replica, bucket)
    return bucket


def copy_all(source: ObjectStore, into: ObjectStore) -> None:
    """Every object of a bucket, copied inside the cloud under the same key."""
    for _ in transfer.each(lambda item: into.copy(source.bucket, item.key, item.key), source.list()):
        pass


def read_objects(bucket: ObjectStore, expected: Iterable[ExpectedObject]) -> dict[str, str | None]:
    """The digests of these objects, each read in full and kept nowhere; None for one that is not there."""
    return transfer.digests(bucket, [item.key for item in expected])


def check_objects(
    bucket: ObjectStore, expected: Sequence[ExpectedObject], digests: Mapping[str, str | None], *, beside: str = ""
) -> Check:
    """Compare what `bucket` lists, and the digests that were read from it, with what must be there.

    Args:
        beside: objects below this prefix may be there too; empty: none may.
    """
    sizes = {item.key: item.size for item in bucket.list() if not (beside and item.key.startswith(beside))}
    return objects_check(OBJECTS_RESTORED, bucket.uri, expected, sizes, digests)


def expected_rows(rows: Mapping[str, Row], numbered: NumberedWrites | None = None) -> dict[str, Row]:
    """The rows that must be there now: those that have expired since may be gone."""
    own = numbered.rows(rows) if numbered else {}
    now_s = time.time()
    return {e: r for e, r in rows.items() if e not in own and (r.expires_at is None or r.expires_at > now_s)}


def check_rows(store: FeatureStore, expected: Mapping[str, Row], found: Mapping[str, Row]) -> Check:
    """Compare every row of a restored store."""
    return rows_check(ROWS_RESTORED, store.name, expected, found)


def check_keys(run: Run, bucket: ObjectStore, store: FeatureStore) -> list[Check]:
    """What was restored lies under the recovery region's own key."""
    wanted = run.a.outputs.keys.recovery.id
    return [
        Check("encryption.restored", "same", {"key": wanted, "region": run.a.outputs.backup_region},
              {"key": found.key, "region": found.region}, found.resource)
        for found in run.cloud.encryption(bucket, store)
    ]  # fmt: skip


def setting_checks(name: str, settings: Sequence[Setting]) -> list[Check]:
    """Settings beside what the stack promises."""
    return [Check(name, "same", each.expected, each.found, f"{each.resource}: {each.setting}") for each in settings]


def predict(run: Run, bucket: ObjectStore, store: FeatureStore, *, as_drill: bool = False) -> list[Check]:
    """Serve as the fleet's pods do, of what the settings pin and with no more rights than the fleet's own.

    Args:
        as_drill: the server reads as the drill's own identity, where the cluster's pods are out of reach.
    """
    a = run.a
    if not as_drill:
        run.cloud.let_read(bucket, a.outputs.identities.fleet.principal)
    pinned = Release(
        releases.release_uri(bucket, a.outputs.fleet.drilled.model_release),
        a.outputs.fleet.drilled.manifest_sha256,
        a.outputs.backup_region,
        a.outputs.fleet.drilled.signers,
    )
    service, checks = served(run, pinned, store, f"triton-{a.drill_id}.log")
    run.record.fact(service={"ready_s": service.ready_s, "answers": [each.to_json() for each in service.results]})
    return checks


def served(run: Run, release: Release, store: FeatureStore, log: str) -> tuple[Service, list[Check]]:
    """Serve a release as the fleet's pods do, and ask it for the golden predictions.

    Args:
        log: the server's log file, by its name in the drill's folder of logs.
    """
    a, fleet, wanted = run.a, run.a.outputs.identities.fleet, load_golden(run.a.goldens)
    service = a.serve(
        release,
        store,
        run.target,
        a.serving_python,
        pod=Pod(fleet.namespace, fleet.service_account, fleet.principal),
        log=a.log_dir / log,
        wanted=wanted,
    )
    expected = {"requests": len(wanted.predictions), "tolerance": wanted.tolerance}
    return service, [
        Check("predictions", "answers", expected, each.to_json(), each.protocol) for each in service.results
    ]
