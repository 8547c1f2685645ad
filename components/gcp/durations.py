"""Durations as Google's APIs write them."""

from __future__ import annotations

from typing import Final

DAY_SECONDS: Final = 24 * 60 * 60


def days(count: int) -> str:
    """`count` days as a protobuf duration in JSON: whole seconds and an `s`."""
    return f"{count * DAY_SECONDS}s"
