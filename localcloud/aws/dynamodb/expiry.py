"""DynamoDB's time to live: items whose time is over go, as its guide says.

DynamoDB "typically deletes expired items within 48 hours"; here they are gone when the table is next asked
(awsdocs/amazon-dynamodb-developer-guide of 2023-06, howitworks-ttl.md, read 2026-11-21).
"""

from __future__ import annotations

from typing import Any, Final

_YEARS: Final = 5
"""An item that expired longer ago is not removed (the same guide, time-to-live-ttl-before-you-start.md)."""
_YEAR_SECONDS: Final = 365 * 86_400


def expired(table: Any, now: float) -> list[Any]:
    """The items of moto's table whose time is over."""
    ttl = table.ttl or {}
    if ttl.get("TimeToLiveStatus") != "ENABLED" or not ttl.get("AttributeName"):
        return []
    return [item for item in table.all_items() if is_over(item.attrs.get(ttl["AttributeName"]), now)]


def expire(table: Any, now: float) -> None:
    """Remove them."""
    for item in expired(table, now):
        table.delete_item(item.hash_key, item.range_key)


def is_over(value: Any, now: float) -> bool:
    """Whether an item's attribute says that its time is over: a number of seconds since 1970, and no other type."""
    if value is None or value.type != "N":
        return False
    ended = float(value.value)
    return now - _YEARS * _YEAR_SECONDS < ended < now
