"""Reads the variables that set the lookup up; a wrong one stops the start with its name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from .rows import Freshness

DEFAULT_TIMEOUT_MS = 50


def timeout_s(environment: Mapping[str, str]) -> float:
    """The deadline of a batch, in seconds.

    Raises:
        ValueError: it is not a positive number.
    """
    text = environment.get("SEAWALL_FEATURES_TIMEOUT_MS", str(DEFAULT_TIMEOUT_MS))
    try:
        milliseconds = float(text)
    except ValueError:
        milliseconds = math.nan
    if not 0 < milliseconds < math.inf:
        raise ValueError(f"SEAWALL_FEATURES_TIMEOUT_MS is {text!r}; it must be a positive number of milliseconds")
    return milliseconds / 1000


def freshness(environment: Mapping[str, str]) -> Freshness:
    """What makes a row stale.

    Raises:
        ValueError: a variable is no positive number, or rows would be stale after they have expired.
    """
    lifetime_s, stale_after_s = (_hours(environment, f"SEAWALL_FEATURES_{name}_HOURS") for name in ("TTL", "STALE"))
    if stale_after_s is not None and (lifetime_s is None or stale_after_s >= lifetime_s):
        raise ValueError("SEAWALL_FEATURES_STALE_HOURS must be less than SEAWALL_FEATURES_TTL_HOURS")
    return Freshness(lifetime_s, stale_after_s)


def _hours(environment: Mapping[str, str], name: str) -> float | None:
    """What the variable says, in seconds; None if it is not set."""
    text = environment.get(name, "")
    if not text:
        return None
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours < math.inf:
        raise ValueError(f"{name} is {text!r}; it must be a positive number of hours")
    return hours * 3600


def required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise ValueError(f"{name} is not set; see the table at the top of feature_store/__init__.py")
    return value


def required_number(environment: Mapping[str, str], name: str) -> int:
    text = required(environment, name)
    if not text.isdigit():
        raise ValueError(f"{name} is {text!r}; it must be a number")
    return int(text)


def required_file(environment: Mapping[str, str], name: str) -> Path:
    path = Path(required(environment, name))
    if not path.is_file():
        raise ValueError(f"{name} is {str(path)!r}, which is not a file")
    return path
