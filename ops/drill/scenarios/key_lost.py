"""The primary's data key is disabled and scheduled for deletion while its region lives: nothing under it can be read.

The way back is that of a lost region: the copies lie under a key of the other region, and nothing is asked of this
one. As a control the recovery key is lost too: then nothing restored may be readable, or the copies would not depend
on their key at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from common.errors import UserError
from ops.drill import restoring
from ops.drill.before import Seed
from ops.drill.clouds import harm_of
from ops.drill.harm import Harm
from ops.drill.model import Check, Control
from ops.drill.run import Run
from ops.drill.scenarios import common
from ops.features.store import FeatureStore, open_rows
from ops.objects.store import ChecksumMismatchError, ObjectMissingError, ObjectStore

READABLE, REFUSED = "readable", "refused"
KEY_TIMEOUT_S = 30.0
"""How long a key's state may take to bear on what is encrypted under it."""


class KeyLost:
    """Implements `ops.drill.run.Scenario`."""

    name = "key-lost"
    title = "the primary's data key is disabled and scheduled for deletion; the region stands"

    def run(self, run: Run) -> None:
        """Lose the key, see that it counts, restore from the other region's key, and lose that one as a control."""
        record, a, cloud, harm = run.record, run.a, run.cloud, harm_of(run.a.outputs, run.target)
        seed = common.begin(run)
        point = common.await_copies(run, seed)
        with record.phase("lose the data key"):
            record.lost()
            harm.lose_key(a.outputs.keys.data.id)
            record.check(*_state("primary.lost", REFUSED, _readers(run, cloud.primary, cloud.feature_store, seed)))
        with record.phase("restore objects"):
            bucket = restoring.restore_objects(run)
        with record.phase("restore features"):
            store = cloud.restore_features(point, a.drill_id)
        restored = common.verify(run, bucket, store, seed)
        common.serve(run, restored)
        common.controls(run, restored, seed)
        with record.phase("lose the recovery key as well, and bring it back"):
            for subject, read in _readers(run, bucket, store, seed):
                check, control = lose_recovery_key(harm, a.outputs.keys.recovery.id, subject, read)
                record.check(check)
                record.control(control)


def lose_recovery_key(harm: Harm, key: str, subject: str, read: Callable[[], object]) -> tuple[Check, Control]:
    """Whether what was restored can be read, and that it cannot be while its key is lost."""

    def look(expected: str) -> Check:
        return Check("restored.readable", "same", READABLE, _settled(read, expected), subject)

    before = look(READABLE)
    harm.lose_key(key)
    try:
        planted = look(REFUSED)
    finally:
        harm.bring_key_back(key)
    after = look(READABLE)
    return after, Control("recovery-key.lost", f"the recovery key is lost: {subject}", planted, (before, after))


def _readers(
    run: Run, bucket: ObjectStore, store: FeatureStore, seed: Seed
) -> Iterator[tuple[str, Callable[[], object]]]:
    """What to read of a bucket and of a feature store, by what it is called."""
    key = max(seed.objects, key=lambda item: item.size).key
    yield f"{bucket.uri}/{key}", lambda: bucket.get(key)
    yield f"feature store {store.name}", lambda: open_rows(store, run.target).fetch(sorted(seed.rows)[:1])


def _state(name: str, expected: str, readers: Iterator[tuple[str, Callable[[], object]]]) -> list[Check]:
    return [Check(name, "same", expected, _settled(read, expected), subject) for subject, read in readers]


def _settled(read: Callable[[], object], expected: str) -> str:
    """Whether a read is answered, once that is as expected or its time is over."""
    deadline = time.monotonic() + KEY_TIMEOUT_S
    while True:
        found = _answer(read)
        if found == expected or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _answer(read: Callable[[], object]) -> str:
    try:
        read()
    except (UserError, ObjectMissingError, ChecksumMismatchError):
        return REFUSED
    return READABLE
