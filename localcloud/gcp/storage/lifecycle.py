"""Lifecycle rules of a bucket: which versions of objects they take away, and what they make of others.

https://cloud.google.com/storage/docs/lifecycle (believed, 2026-11-21). Cloud Storage acts within a day of the moment
that a version meets all conditions of a rule; here it does within a second. Uploads that were broken off are not
kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from localcloud.gcp import clock
from localcloud.gcp.store import Document

_OF_UPLOADS: Final = "AbortIncompleteMultipartUpload"
_NO_CONDITIONS: Final = frozenset({"noAge", "sendAgeIfZero", "sendDaysSinceNoncurrentTimeIfZero",
                                   "sendDaysSinceCustomTimeIfZero", "sendNumNewerVersionsIfZero"})  # fmt: skip
"""What the provider keeps among a rule's conditions, for itself."""


def rules_of(bucket: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A bucket's rules that act on objects."""
    rules = (bucket.get("lifecycle") or {}).get("rule") or []
    return [rule for rule in rules if (rule.get("action") or {}).get("type") != _OF_UPLOADS]


def decide(
    rules: Iterable[Mapping[str, Any]], version: Document, *, live: bool, newer: int, now: datetime
) -> Mapping[str, Any] | None:
    """The action on a version: deletion goes before any change of its class; None if no rule wants anything.

    Args:
        live: whether it is the live version.
        newer: how many versions of the same name are newer.
    """
    due = [
        rule["action"]
        for rule in rules
        if rule.get("condition") and all(
            _met(name, wanted, version, live, newer, now)
            for name, wanted in rule["condition"].items() if name not in _NO_CONDITIONS
        )
    ]  # fmt: skip
    deletions = [action for action in due if action.get("type") == "Delete"]
    changes = [
        action
        for action in due
        if action.get("type") == "SetStorageClass" and action.get("storageClass") != version.get("storageClass")
    ]
    return next(iter([*deletions, *changes]), None)


def _met(name: str, wanted: Any, version: Document, live: bool, newer: int, now: datetime) -> bool:
    """Whether one condition is met; one that is not known is not."""
    match name:
        case "age":
            return _older(version.get("timeCreated"), wanted, now)
        case "createdBefore":
            return _before(version.get("timeCreated"), wanted)
        case "daysSinceNoncurrentTime":
            return not live and _older(version.get("timeDeleted"), wanted, now)
        case "noncurrentTimeBefore":
            return not live and _before(version.get("timeDeleted"), wanted)
        case "daysSinceCustomTime":
            return _older(version.get("customTime"), wanted, now)
        case "customTimeBefore":
            return _before(version.get("customTime"), wanted)
        case "isLive":
            return live == bool(wanted)
        case "numNewerVersions":
            return newer >= int(wanted)
        case "matchesPrefix":
            return not wanted or any(version["name"].startswith(prefix) for prefix in wanted)
        case "matchesSuffix":
            return not wanted or any(version["name"].endswith(suffix) for suffix in wanted)
        case "matchesStorageClass":
            return not wanted or version.get("storageClass") in wanted
        case _:
            return False


def _older(moment: Any, days: Any, now: datetime) -> bool:
    return bool(moment) and clock.parse(str(moment)) + timedelta(days=float(days)) <= now


def _before(moment: Any, day: Any) -> bool:
    return bool(moment) and clock.parse(str(moment)) < datetime.fromisoformat(str(day)).replace(tzinfo=UTC)
