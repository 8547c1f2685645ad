"""What a report of something else shows of a forecast: a flash crowd in a sentence and a picture."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ops.capacity.forecast import FLASH_CROWD, forecast
from ops.capacity.report import duration, picture
from ops.capacity.service import first_service, service_of
from policies.inventory import Inventory
from stacks.settings import Settings


@dataclass(frozen=True)
class Crowd:
    """A forecast for a page."""

    said: str
    picture: str
    """A data URI: a picture in a page of its own runs no script."""


def crowd_of(inventory: Inventory, settings: Settings) -> Crowd:
    """A flash crowd at the stack's first service, as `seawall capacity` simulates it.

    Raises:
        UserError: its autoscaler is of a kind that is not simulated.
    """
    told = forecast(service_of(inventory, settings, first_service(inventory)), FLASH_CROWD)
    peak = max(phase.last_rps for phase in told.profile.phases)
    unanswered = 100 * told.result.latencies.unserved / told.result.latencies.requests
    said = (
        f"{told.service.name}: {told.profile.rps(0):.0f} requests a second become {peak:.0f} within a minute; each "
        f"takes {1000 * told.server.service_seconds:g} ms in the model (assumed). The objective of "
        f"{told.service.objective_ms} ms is {'kept' if told.met else 'missed'}: {100 * told.part_within:.1f} % are "
        f"answered within it, {unanswered:.1f} % not at all, and the longest while beyond it is "
        f"{duration(told.late_seconds)}."
    )
    drawn = base64.b64encode(picture(told).encode()).decode()
    return Crowd(said, f"data:image/svg+xml;base64,{drawn}")
