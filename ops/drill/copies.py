"""Waits until what was seeded has reached the backup region."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from ops.drill.before import Seed
from ops.drill.model import NotRecoverableError, RecoveryPoint
from ops.drill.run import Run
from ops.objects import transfer

POLL_S: Final = 0.5
T = TypeVar("T")


def await_objects(run: Run, seed: Seed) -> None:
    """Until the replica has every seeded object, byte by byte.

    Raises:
        NotRecoverableError: it has not within the drill's patience.
    """
    replica, wanted = run.cloud.replica, {item.key: item.sha256 for item in seed.objects}

    def copied() -> bool | None:
        present = {item.key for item in replica.list()}
        if not wanted.keys() <= present:
            return None
        return transfer.digests(replica, wanted) == wanted or None

    patiently(run, copied, f"the replica {replica.uri} has not all objects of the primary")


def await_point(run: Run, seed: Seed) -> RecoveryPoint:
    """Until the backup region has a recovery point that holds the seed.

    Raises:
        NotRecoverableError: it has none within the drill's patience.
    """
    since = seed.written.replace(microsecond=0)
    where = f"{run.a.outputs.backup.vault} in {run.a.outputs.backup_region}"
    return patiently(
        run, lambda: run.cloud.recovery_point(since), f"{where} has no recovery point of the feature store"
    )


def newest_point(run: Run, seed: Seed) -> RecoveryPoint:
    """The newest recovery point that the backup region has after the loss.

    Raises:
        NotRecoverableError: it has none that holds the seed, though it had one before.
    """
    found = run.cloud.recovery_point(seed.written.replace(microsecond=0))
    if found is None:
        raise NotRecoverableError(
            "the recovery points that were there before the loss cannot be found after it",
            f"{run.a.outputs.backup.vault} in {run.a.outputs.backup_region}",
            "See what of them depends on the lost region.",
        )
    return found


def patiently(run: Run, ask: Callable[[], T | None], otherwise: str) -> T:
    """Ask again and again until there is an answer.

    Raises:
        NotRecoverableError: there is none within the drill's patience, in the words of `otherwise`.
    """
    deadline = time.monotonic() + run.a.patience_s
    while True:
        found = ask()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise NotRecoverableError(
                f"{otherwise} after {run.a.patience_s:.0f} s",
                f"stack {run.a.stack}",
                "check the replication rule or copy job, the backup plan, its selection and its copy action",
            )
        time.sleep(POLL_S)
