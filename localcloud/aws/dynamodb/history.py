"""Point-in-time recovery: what a table held at each second since it was turned on, and a new table from that.

Moto takes the request and gives the newest rows, whatever time is asked for. What AWS does (read 2026-11-21): any
second between the earliest and the latest restorable time, else `InvalidRestoreTimeException` (botocore's
reference of that error); a new table, without TTL, point-in-time recovery, tags or streams (API reference,
RestoreTableToPointInTime; developer guide, "Point-in-time recovery: how it works"). That the latest is typically five
minutes before now (API reference, PointInTimeRecoveryDescription) is left out, as every wait for a schedule is. The
errors' names are those of botocore's model of the operation; their messages are believed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.aws.answers import Answer, json_error
from localcloud.aws.dynamodb.tables import copy_table, restore_table
from localcloud.aws.state import AwsState

_ERRORS = "com.amazonaws.dynamodb.v20120810"


class History:
    """Tables' contents by the second, kept beside moto's tables while point-in-time recovery is on."""

    def __init__(self, state: AwsState) -> None:
        self._state = state

    def about_to_write(self, table: Any, region: str) -> None:
        """Keep what the table holds, if this second has not begun to change it yet."""
        kept, now = self._of(region, table.name), int(time.time())
        if _enabled(table) and (not kept or kept[-1][0] < now):
            kept.append((now, copy_table(table)))

    def forget(self, region: str, name: str) -> None:
        """A table that goes takes its history along; one that is made anew begins one."""
        self._state.overlay.history.pop((region, name), None)

    def restore(self, region: str, request: Mapping[str, Any]) -> tuple[Any, Answer | None]:
        """Carry RestoreTableToPointInTime out: the new table, or why there is none."""
        source = self._state.table(region, request.get("SourceTableName") or request.get("SourceTableArn") or "")
        if source is None:
            return None, _refused("TableNotFoundException", "Source table not found")
        if not _enabled(source):
            told = f"Point in time recovery is not enabled for table '{source.name}'"
            return None, _refused("PointInTimeRecoveryUnavailableException", told)
        now, earliest = time.time(), _earliest(source)
        asked = now if request.get("UseLatestRestorableTime") else request.get("RestoreDateTime")
        moment = _seconds(asked)
        if moment is None or not int(earliest) <= moment <= now:
            told = f"RestoreDateTime must be between {_text(earliest)} and {_text(now)}"
            return None, _refused("InvalidRestoreTimeException", told)
        target, key = str(request["TargetTableName"]), _key_of(request, source)
        try:
            return restore_table(self._state, region, target, self._contents(source, region, moment), key), None
        except ValueError as error:
            return None, _refused("TableAlreadyExistsException", str(error))

    def _contents(self, table: Any, region: str, moment: float) -> bytes:
        """What the table held when the second of `moment` was over."""
        changed_later = (contents for second, contents in self._of(region, table.name) if second > int(moment))
        return next(changed_later, None) or copy_table(table)

    def _of(self, region: str, name: str) -> list[tuple[int, bytes]]:
        return self._state.overlay.history.setdefault((region, name), [])


def _enabled(table: Any) -> bool:
    described = table.continuous_backups.get("PointInTimeRecoveryDescription") or {}
    return described.get("PointInTimeRecoveryStatus") == "ENABLED"


def _earliest(table: Any) -> float:
    described = table.continuous_backups["PointInTimeRecoveryDescription"]
    return _seconds(described.get("EarliestRestorableDateTime")) or 0.0


def _seconds(moment: Any) -> float | None:
    """A moment as seconds since the epoch, as the API's JSON has it or as moto keeps it."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment) if isinstance(moment, int | float) else None


def _key_of(request: Mapping[str, Any], source: Any) -> str | None:
    override = request.get("SSESpecificationOverride") or {}
    return override.get("KMSMasterKeyId") or (source.sse_specification or {}).get("KMSMasterKeyId")


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _refused(code: str, message: str) -> Answer:
    return json_error(f"{_ERRORS}#{code}", message)
