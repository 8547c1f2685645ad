"""Numbered writes that go on in the background until the loss: the newest that comes back tells what was lost.

Nobody who copies is told of them, nor of the moment of the loss. Each number is an object and a feature row.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.errors import UserError
from ops.drill.model import Check
from ops.features.rows import Row, encode
from ops.features.store import Rows
from ops.objects.store import ObjectStore

EVERY_S: Final = 0.1
LAST_WRITE_S: Final = 0.2
OBJECTS: Final = "objects"
ROWS: Final = "rows"
RPO_MEASURED: Final = "rpo.measured"


@dataclass
class Written:
    """One kind of data: number → when its write began, and the numbers that the cloud has acknowledged."""

    began: dict[int, float] = field(default_factory=dict)
    """Seconds on the drill's clock."""
    acknowledged: set[int] = field(default_factory=set)


class NumberedWrites:
    """Writes while its block runs, or until `stop`.

    Args:
        now_s: the drill's clock.
        ttl_hours: of the rows.
    """

    def __init__(
        self,
        drill_id: str,
        bucket: ObjectStore,
        rows: Rows,
        now_s: Callable[[], float],
        ttl_hours: float,
        every_s: float = EVERY_S,
    ) -> None:
        self._bucket = bucket
        self._rows = rows
        self._now_s = now_s
        self._ttl_hours = ttl_hours
        self._every_s = every_s
        self.key_prefix = f"drills/{drill_id}/numbered/"
        self.row_prefix = f"drill-numbered-{drill_id}-"
        self.written = {OBJECTS: Written(), ROWS: Written()}
        self.refusals: dict[str, tuple[float, str]] = {}
        """By kind: when a write failed, and why; from then on no more of it are made."""
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._go_on, args=(OBJECTS, self._put_object), name="numbered-objects", daemon=True
            ),
            threading.Thread(target=self._go_on, args=(ROWS, self._put_row), name="numbered-rows", daemon=True),
        ]

    def __enter__(self) -> NumberedWrites:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Write no more; a write that waits for a lost region ends by itself. Safe to call twice."""
        self._ended.set()
        for thread in self._threads:
            thread.join(LAST_WRITE_S)

    def objects(self, found: Iterable[str]) -> list[str]:
        """Which of these keys are numbered writes of this drill."""
        return [key for key in found if key.startswith(self.key_prefix)]

    def rows(self, found: Mapping[str, Row]) -> dict[str, Row]:
        """Which of these rows are numbered writes of this drill."""
        return {entity: row for entity, row in found.items() if entity.startswith(self.row_prefix)}

    def await_next(self, since_s: float, patience_s: float) -> None:
        """Wait until of each kind one is acknowledged that began after `since_s`, or a write was refused."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and not self.refusals:
            if all(_newest_began(written) > since_s for written in self.written.values()):
                return
            time.sleep(self._every_s / 4)

    def _go_on(self, kind: str, write: Callable[[int], None]) -> None:
        number, written = 0, self.written[kind]
        while not self._ended.is_set():
            number += 1
            written.began[number] = self._now_s()
            try:
                write(number)
            except Exception as error:
                told = error.what if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
                self.refusals[kind] = (self._now_s(), told)
                return
            written.acknowledged.add(number)
            self._ended.wait(self._every_s)

    def _put_object(self, number: int) -> None:
        self._bucket.put(f"{self.key_prefix}{number:06d}", content(number))

    def _put_row(self, number: int) -> None:
        self._rows.write(encode({f"{self.row_prefix}{number:06d}": [float(number)]}, self._ttl_hours))


def content(number: int) -> bytes:
    """Of a numbered object."""
    return f"numbered write {number}\n".encode()


def measured(
    survivors: Mapping[str, Iterable[int]],
    written: Mapping[str, Written],
    lost_s: float,
    at_most_s: float,
    late_s: Mapping[str, float],
) -> Check:
    """How far back what came back reaches, in seconds before the loss, over all kinds.

    A write that the cloud had not acknowledged at the loss may be gone or not; it counts neither way.
    """
    kinds = [_kind(of, sorted(set(survivors[of])), written[of], lost_s, late_s[of]) for of in sorted(survivors)]
    return Check(
        RPO_MEASURED,
        "marks",
        {"at_most_s": at_most_s, "kinds": sorted(survivors)},
        {"measured_s": max((kind["safe_s"] for kind in kinds), default=0.0), "kinds": kinds},
    )


def _kind(of: str, came_back: Sequence[int], written: Written, lost_s: float, late_s: float) -> dict[str, Any]:
    began = {number: at for number, at in written.began.items() if at <= lost_s}
    owed = sorted(number for number in written.acknowledged if number in began)
    first_lost = next((number for number in owed if number not in set(came_back)), None)
    newest = max(came_back, default=0)
    safe = max((number for number in came_back if first_lost is None or number < first_lost), default=0)

    def age(number: int) -> float:
        at = began.get(number) if number else min(began.values(), default=lost_s)
        return round(lost_s - at, 3) if at is not None else -1.0  # one that nobody wrote before the loss

    return {
        "of": of,
        "written": len(began),
        "newest": newest,
        "newest_s": age(newest),
        "safe_s": age(safe),
        "late_s": late_s,
    }


def _newest_began(written: Written) -> float:
    return max((written.began[number] for number in list(written.acknowledged)), default=-1.0)
