"""What the changes on record tell the next step: a clock that went back, a second controller, a hand. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .routes import Route, changes
from .settings import Settings

RECENT_SHARE = 0.9
"""Of an interval: a change by another controller that is younger is this interval's."""


@dataclass(frozen=True)
class Past:
    """What was found."""

    hold: str = ""
    """Why no weight may be changed in this step; empty: one may."""
    doubtful: bool = False
    """Whether somebody must look."""
    noticed: tuple[str, ...] = ()
    """For the record: what happened without this controller."""


def judged(routes: Sequence[Route], settings: Settings, who: str, now: float) -> Past:
    """Judge the newest change of each route at `now`, in seconds since 1970."""
    noticed: list[str] = []
    for route in routes:
        newest = _newest(route)
        if newest is None:
            if route.record:
                noticed.append(f"the record of {route.path} cannot be read, and begins anew")
            continue
        age = now - newest[0]
        if age < -settings.interval:
            hold = f"the clock is {-age:.0f} s behind the last change of {route.path}: it went back"
            return Past(hold, doubtful=True, noticed=tuple(noticed))
        by, wrote = str(newest[1].get("who", "")), newest[1].get("new")
        if by != who and age < RECENT_SHARE * settings.interval:
            return Past(f"{by} changed {route.path} {max(0.0, age):.0f} s ago", noticed=tuple(noticed))
        if wrote != dict(route.weights):
            noticed.append(f"somebody else changed {route.path} from {wrote} to {dict(route.weights)}")
    return Past(noticed=tuple(noticed))


def _newest(route: Route) -> tuple[float, Mapping[str, Any]] | None:
    """When the newest change was made, and the change; None where there is none that can be read."""
    found = changes(route.record)
    try:
        moment = datetime.datetime.fromisoformat(found[0]["time"])
        return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp(), found[0]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
