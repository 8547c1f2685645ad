"""What a drill does before the loss: it looks at production, and writes what must come back."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from common.errors import UserError
from ops.drill import production
from ops.drill.model import Check, ExpectedObject, NotRecoverableError
from ops.drill.restoring import setting_checks
from ops.drill.run import Run
from ops.features.loads import loaded, without_note
from ops.features.rows import Row, load_rows
from ops.features.store import open_rows, write_rows
from ops.models import releases
from ops.models.trusting import trust_of
from ops.objects import transfer
from ops.objects.store import ObjectStore
from ops.serving.golden import RELEASED, GoldenSet, load_golden

CANARY_PREFIX: Final = "drills"
SKEW_ALLOWED_S: Final = 5.0
"""Between this machine and the cloud: ages of copies are told from both clocks."""
STAMP_GRAIN_S: Final = 1.0
"""S3 tells the time of an object in whole seconds."""


@dataclass(frozen=True)
class Seed:
    """What a restore must bring back."""

    objects: tuple[ExpectedObject, ...]
    rows: Mapping[str, Row]
    written: datetime


def look(run: Run) -> None:
    """Verify what the stack deployed and what it holds, before anything is written or lost.

    Raises:
        NotRecoverableError: releases or rows are not sound, so that a restore would bring back what is broken.
        UserError: nothing is published at all.
    """
    a, cloud, record = run.a, run.cloud, run.record
    objects = {item.key: item for item in objects_in(cloud.primary)}
    if not any(key.startswith(releases.RELEASES) for key in objects):
        raise UserError(
            "no release is published, so nothing can be restored",
            cloud.primary.uri,
            f"Run `seawall models publish {a.stack} --version {a.outputs.fleet.drilled.model_release} "
            f"--target {run.target.name}`.",
        )
    fleet = a.outputs.fleet
    trust = trust_of(a.stack, fleet.signers)
    record.check(*production.release_checks(cloud.primary, objects, fleet.pins, trust))
    record.check(_goldens(run, objects))
    rows, now_s = open_rows(cloud.feature_store, run.target).read(), time.time()
    record.check(production.rows_check(cloud.feature_store.name, without_note(rows), loaded(rows, now_s), now_s))
    record.check(*setting_checks("settings.deployed", cloud.deployed(a.settings)))
    record.check(*_bounds(run))
    if not record.passed(production.SOUND):
        raise NotRecoverableError(
            "what stands before the loss is not sound, so nothing was lost and nothing restored",
            f"stack {a.stack}",
            "Bring the releases and rows in order that the findings name, and run the drill again.",
        )


def seed(run: Run) -> Seed:
    """Write a canary and the feature rows of the golden predictions, and note all that is there."""
    a, bucket = run.a, run.cloud.primary
    canary = f"{CANARY_PREFIX}/{a.drill_id}/canary"
    run.record.check(clock(bucket, canary, f"canary of drill {a.drill_id}\n".encode()))
    store = run.cloud.feature_store
    write_rows(store, run.target, load_rows(), a.outputs.feature_store.entry_ttl_hours)
    return Seed(objects_in(bucket), open_rows(store, run.target).read(), next_second())


def next_second() -> datetime:
    """The next whole second, once it has come: clouds tell when a copy was made in whole seconds, and one that was
    made earlier in the same second would pass for a copy of what was written since."""
    now = datetime.now(UTC)
    coming = now.replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((coming - now).total_seconds())
    return coming


def clock(bucket: ObjectStore, key: str, data: bytes) -> Check:
    """Write an object, and compare the time that the cloud gives it with this machine's."""
    began = datetime.now(UTC)
    bucket.put(key, data)
    ended = datetime.now(UTC)
    told = bucket.head(key)
    return clock_check(began, ended, told.modified if told else None, bucket.uri)


def clock_check(began: datetime, ended: datetime, told: datetime | None, subject: str) -> Check:
    """How far the cloud's clock is from this machine's, by the stamp of an object that was written in between."""
    if told is None:
        return Check("clock.skew", "at most", SKEW_ALLOWED_S, "the cloud tells no time", subject)
    ahead = (told - ended).total_seconds()
    behind = (began - told).total_seconds() - STAMP_GRAIN_S
    return Check("clock.skew", "at most", SKEW_ALLOWED_S, round(max(0.0, ahead, behind), 3), subject)


def objects_in(bucket: ObjectStore) -> tuple[ExpectedObject, ...]:
    """Every object of a bucket, read in full for its digest and kept nowhere."""
    sizes = {item.key: item.size for item in bucket.list()}
    digests = transfer.digests(bucket, sizes)
    return tuple(ExpectedObject(key, size, digests[key] or "") for key, size in sizes.items())


def _goldens(run: Run, objects: Mapping[str, ExpectedObject]) -> Check:
    """The golden set is the one that the fleet's release names: its digest is within what the settings pin."""
    wanted = load_golden(run.a.goldens)
    return goldens_check(_released(run, objects, wanted), wanted)


def goldens_check(released: Any, wanted: GoldenSet) -> Check:
    """A golden set beside what the release says of its own."""
    return Check("goldens.set", "goldens", released, wanted.told(), wanted.model)


def _released(run: Run, objects: Mapping[str, ExpectedObject], wanted: GoldenSet) -> Any:
    prefix = f"{releases.repository_prefix(run.a.outputs.fleet.drilled.model_release)}{wanted.model}/"
    keys = [key for key in objects if key.startswith(prefix) and key.endswith(f"/{RELEASED}")]
    if len(keys) != 1:
        return f"the release has {len(keys)} files {prefix}…/{RELEASED}, and must have one"
    try:
        return json.loads(run.cloud.primary.get(keys[0]))
    except ValueError:
        return f"{keys[0]} is no JSON"


def _bounds(run: Run) -> list[Check]:
    allowed_s = 60.0 * run.a.outputs.objectives.rpo_minutes
    found = run.cloud.bounds(run.a.settings)
    run.record.fact(bounds=[bound if isinstance(bound, str) else bound.to_json() for bound in found])
    return [
        Check("rpo.bound", "at most", allowed_s, bound, "as deployed")
        if isinstance(bound, str)
        else Check("rpo.bound", "at most", allowed_s, 60.0 * bound.minutes, f"{bound.of}, as deployed")
        for bound in found
    ]
