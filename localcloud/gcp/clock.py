"""Times as Google's APIs write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, as in `2026-01-31T12:00:00.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now_text() -> str:
    """The present as text."""
    return text(now())


def parse(moment: str) -> datetime:
    """The inverse of `text`; any RFC 3339 time. Raises ValueError."""
    return datetime.fromisoformat(moment)


def seconds(duration: str) -> timedelta:
    """A protobuf duration such as `2592000s`. Raises ValueError."""
    if not duration.endswith("s"):
        raise ValueError(f"{duration!r} is no duration in seconds, such as '3600s'")
    return timedelta(seconds=float(duration[:-1]))
