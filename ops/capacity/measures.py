"""What the autoscaler reads of a simulated replica: scraped as Prometheus does, and rated as it rates."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from components.contracts.scaling import BUSY_WINDOW_SECONDS

SCRAPE_SECONDS: Final = 5
"""Between two looks at a replica; `tests/ops/capacity` holds it to the deployed configuration."""
_GAP: Final = 1.1
"""From so many mean intervals on Prometheus takes a series to begin or end in between (`extrapolatedRate`)."""


@dataclass
class Scrapes:
    """A replica's counter of busy time as Prometheus keeps it for one window, and its queue at the last look."""

    pending: int = 0
    _samples: deque[tuple[float, float]] = field(default_factory=deque)

    def scrape(self, at: float, busy_us: float, pending: int) -> None:
        """Note what the replica shows at this moment."""
        self.pending = pending
        self._samples.append((at, busy_us))
        while self._samples[0][0] <= at - BUSY_WINDOW_SECONDS:
            self._samples.popleft()

    def busy(self, now: float) -> float | None:
        """Requests that are worked on, as a mean over the window; None before the second look."""
        if len(self._samples) < 2:
            return None
        return rate(self._samples, now, BUSY_WINDOW_SECONDS) / 1e6


def rate(samples: deque[tuple[float, float]], now: float, window: float) -> float:
    """`rate()` of a counter that never falls: extrapolated to the window's edges where samples come near them.

    After `extrapolatedRate` in Prometheus 3.5's promql/functions.go (read 2026-11-21). A counter that began inside
    the window is spread over all of it: a new replica reads idle at first.

    Args:
        samples: at least two (moment, value), inside the window.
    """
    (first_at, first), (last_at, last) = samples[0], samples[-1]
    sampled, risen = last_at - first_at, last - first
    mean = sampled / (len(samples) - 1)
    before, after = first_at - (now - window), now - last_at
    if before >= _GAP * mean:
        before = mean / 2
    if risen > 0 and first >= 0:
        before = min(before, sampled * first / risen)
    if after >= _GAP * mean:
        after = mean / 2
    return risen * (sampled + before + after) / sampled / window
