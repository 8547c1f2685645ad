"""What a drill does before the loss: it looks at production, and writes what must come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from common.errors import UserError
from ops.drill.model import ExpectedObject
from ops.drill.run import Run
from ops.features.rows import Row, load_rows
from ops.features.store import open_rows, write_rows
from ops.models import releases
from ops.objects import transfer
from ops.objects.store import ObjectStore

CANARY_PREFIX: Final = "drills"


@dataclass(frozen=True)
class Seed:
    """What a restore must bring back."""

    objects: tuple[ExpectedObject, ...]
    rows: Mapping[str, Row]
    written: datetime


def seed(run: Run) -> Seed:
    """Write a canary and the feature rows of the golden predictions, and note all that is there.

    Raises:
        UserError: the release that the fleet serves is not published.
    """
    a, bucket = run.a, run.cloud.primary
    version = a.outputs.fleet.model_release
    if releases.read_manifest(bucket, version) is None:
        raise UserError(
            f"the release {version!r} that the fleet serves is not published, so nothing can be restored",
            bucket.uri,
            f"Run `seawall models publish {a.stack} --version {version} --target {run.target.name}`.",
        )
    bucket.put(f"{CANARY_PREFIX}/{a.drill_id}/canary", f"canary of drill {a.drill_id}\n".encode())
    store = run.cloud.feature_store
    write_rows(store, run.target, load_rows(), a.outputs.feature_store.entry_ttl_hours)
    written = datetime.now(UTC)
    return Seed(objects_in(bucket), open_rows(store, run.target).read(), written)


def objects_in(bucket: ObjectStore) -> tuple[ExpectedObject, ...]:
    """Every object of a bucket, read in full for its digest and kept nowhere."""
    sizes = {item.key: item.size for item in bucket.list()}
    digests = transfer.digests(bucket, sizes)
    return tuple(ExpectedObject(key, size, digests[key] or "") for key, size in sizes.items())
