"""What the controller is told, as JSON, by the component that lays it on the cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .deciding import TOTAL, Bounds


@dataclass(frozen=True)
class Settings:
    """One service's bandit. Times in seconds."""

    service: str
    """Names the routes, and stands in each record."""
    namespace: str
    kinds: tuple[str, ...]
    """Plurals of the kinds of routes: `httproutes`, `grpcroutes`."""
    arms: Mapping[str, str]
    """Arm → the Service that a route refers to."""
    bounds: Bounds
    interval: int
    window: int
    half_life: int
    stale_after: int
    minimum_trials: int
    successes: str
    """A selector of counters in PromQL, as `orders_total{shop="a"}`."""
    trials: str
    label: str
    """The label whose value names the arm."""
    prometheus: str
    """Address of its API."""

    @classmethod
    def of_json(cls, text: str) -> Settings:
        """Read what the component wrote.

        Raises:
            ValueError: it is not that.
        """
        told: dict[str, Any] = json.loads(text)
        try:
            bounds = Bounds(**told.pop("bounds"))
            found = cls(**{**told, "bounds": bounds, "kinds": tuple(told["kinds"])})
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"--settings is not what this version reads: {error}") from error
        wrong = found.fault()
        if wrong:
            raise ValueError(f"--settings cannot hold: {wrong}")
        return found

    def fault(self) -> str:
        """Why no weights could keep to these settings; empty: some can."""
        arms, bounds = len(self.arms), self.bounds
        if arms < 2 or not self.kinds:
            return f"{arms} arms on {len(self.kinds)} kinds of routes are nothing to choose from"
        if not 0 <= bounds.floor * arms <= TOTAL:
            return f"{arms} arms with a floor of {bounds.floor} % each take more than {TOTAL} %, or less than none"
        if bounds.ceiling * arms < TOTAL or bounds.ceiling > TOTAL:
            return f"{arms} arms with a ceiling of {bounds.ceiling} % each do not take {TOTAL} %"
        times = (bounds.step, self.interval, self.window, self.half_life, self.stale_after, self.minimum_trials)
        return "" if min(times) > 0 else "a step, a time or a number of trials is not more than 0"
