"""The bucket of Pulumi's state is lost with its region: the state comes back from its copy, and the engine agrees.

No other scenario needs Pulumi. This one proves with the real engine that the restored state is that of the stack as
it stands: a refresh finds no drift, and a preview has nothing to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from ops.drill import copies
from ops.drill.before import objects_in
from ops.drill.comparing import objects_check
from ops.drill.controls import object_controls
from ops.drill.model import Check, Control
from ops.drill.restoring import OBJECTS_RESTORED, read_objects
from ops.drill.run import Run
from ops.objects import transfer
from ops.objects.store import ObjectStore

STATE_SAME = "state.same"


class StateHands(Protocol):
    """The state's buckets, and an engine that keeps the stack's state in one of them."""

    @property
    def bucket(self) -> ObjectStore:
        """The state's bucket, as the bootstrap stack made it."""
        ...

    @property
    def copy(self) -> ObjectStore:
        """Its copy in the other region."""
        ...

    def put_state(self) -> None:
        """Let the engine keep the stack's state in the bucket, as it is now."""
        ...

    def hurry_copies(self) -> None:
        """Start what copies the bucket now, where it would come due later."""
        ...

    def lose(self) -> None:
        """The bucket's region is lost."""
        ...

    def make_bucket(self, name: str) -> ObjectStore:
        """A new bucket in the copy's region."""
        ...

    def deployment(self, where: ObjectStore) -> Mapping[str, Any]:
        """The stack's deployment as the engine exports it from a bucket."""
        ...

    def changes(self, where: ObjectStore, operation: str) -> list[str]:
        """What `refresh` or `preview` of the stack would change, with the state in a bucket."""
        ...


class StateLost:
    """Implements `ops.drill.run.Scenario`."""

    name = "state-lost"
    title = "the bucket of Pulumi's state is lost with its region"

    def __init__(self, hands: StateHands) -> None:
        self._hands = hands

    def run(self, run: Run) -> None:
        """Keep the state in the bucket, wait for its copy, lose it, restore it, and let the engine judge."""
        record, hands = run.record, self._hands
        with record.phase("keep the stack's state in the bucket"):
            hands.put_state()
            before = hands.deployment(hands.bucket)
            expected = objects_in(hands.bucket)
        with record.phase("wait for the copy of the state"):
            hands.hurry_copies()
            wanted = {item.key: item.sha256 for item in expected}
            copies.patiently(
                run,
                lambda: transfer.digests(hands.copy, wanted) == wanted or None,
                f"the copy {hands.copy.uri} has not all of the state",
            )
        with record.phase("lose the state's region"):
            hands.lose()
            record.lost()
        with record.phase("restore the state from its copy"):
            bucket = hands.make_bucket(f"{hands.copy.bucket[:50]}-drill")
            keys = {item.key: item.key for item in hands.copy.list()}
            transfer.copy(bucket, hands.copy.bucket, keys)
        with record.phase("verify the state"):
            digests = read_objects(bucket, expected)
            sizes = {item.key: item.size for item in bucket.list() if item.key in wanted}
            record.check(objects_check(OBJECTS_RESTORED, bucket.uri, expected, sizes, digests))
            after = hands.deployment(bucket)
            same = state_check(before, after)
            record.check(same)
        with record.phase("negative controls"):
            # Before the engine works on the state: a refresh writes it anew.
            record.control(*object_controls(bucket, expected, digests))
            stale = {**after, "resources": after["resources"][:-1]}
            record.control(
                Control("state.stale", "a state that lacks one resource", state_check(before, stale), (same,))
            )
        for operation in ("refresh", "preview"):
            with record.phase(f"{operation} with the restored state"):
                found = hands.changes(bucket, operation)
                record.check(Check(f"{operation}.empty", "none", [], found, run.a.stack))
        record.proven(60.0 * run.a.outputs.objectives.rto_minutes)


def state_check(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Check:
    """The same resources in the same order, with the same inputs and outputs."""
    return Check(STATE_SAME, "same", _told(expected), _told(found), "the stack's deployment")


def _told(deployment: Mapping[str, Any]) -> dict[str, Any]:
    resources = deployment.get("resources") or []
    text = json.dumps([{k: v for k, v in r.items() if k != "modified"} for r in resources], sort_keys=True)
    return {"resources": len(resources), "sha256": hashlib.sha256(text.encode()).hexdigest()}
