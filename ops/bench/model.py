"""What a measurement is: samples of two things taken in turns, the ratio of their medians, and a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True)
class Sample:
    """One run of one thing."""

    wall_s: float
    cpu_s: float = 0.0
    """User and system time; 0 where several processes share the work."""
    peak_mb: float = 0.0
    """Largest resident set, in 10⁶ bytes; 0 where it was not read."""


@dataclass(frozen=True)
class Series:
    """Several runs of one thing."""

    what: str
    samples: tuple[Sample, ...]

    @property
    def median_s(self) -> float:
        """The middle of the wall-clock times, in seconds."""
        return median(sample.wall_s for sample in self.samples)

    @property
    def peak_mb(self) -> float:
        """The largest peak of all runs, in 10⁶ bytes."""
        return max(sample.peak_mb for sample in self.samples)

    def to_json(self) -> dict[str, Any]:
        """Times in seconds, memory in 10⁶ bytes."""
        walls = [sample.wall_s for sample in self.samples]
        told: dict[str, Any] = {
            "what": self.what,
            "runs": len(walls),
            "min_s": round(min(walls), 4),
            "median_s": round(self.median_s, 4),
            "max_s": round(max(walls), 4),
        }
        if any(sample.cpu_s for sample in self.samples):
            told["median_cpu_s"] = round(median(sample.cpu_s for sample in self.samples), 4)
        if self.peak_mb:
            told["peak_mb"] = round(self.peak_mb, 1)
        return told


@dataclass(frozen=True)
class Target:
    """What a figure has to reach."""

    bound: Literal["at most", "at least"]
    value: float
    unit: str

    def is_met(self, figure: float) -> bool:
        """Whether `figure` is on the right side; the bound itself counts as reached."""
        return figure <= self.value if self.bound == "at most" else figure >= self.value

    def __str__(self) -> str:
        return f"{self.bound} {self.value:g} {self.unit}"


@dataclass(frozen=True)
class Result:
    """One figure beside its target, and the series that it comes from."""

    name: str
    compared: str
    """What is set against what, in words."""
    figure: float
    target: Target
    series: tuple[Series, ...]
    rates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """For each side: of transfers objects and 10⁶ bytes per second, of judging verdicts; by the median."""

    @property
    def is_met(self) -> bool:
        """Whether the figure reaches its target."""
        return self.target.is_met(self.figure)

    def to_json(self) -> dict[str, Any]:
        """The result as `out/bench.json` holds it."""
        told: dict[str, Any] = {
            "name": self.name,
            "compared": self.compared,
            "figure": round(self.figure, 3),
            "target": {"bound": self.target.bound, "value": self.target.value, "unit": self.target.unit},
            "is_met": self.is_met,
            "series": [series.to_json() for series in self.series],
        }
        if self.rates:
            told["rates"] = {side: dict(rates) for side, rates in self.rates.items()}
        return told


def times_of(name: str, compared: str, subject: Series, baseline: Series, target: Target) -> Result:
    """How many times the baseline's median time the subject's takes."""
    return Result(name, compared, subject.median_s / baseline.median_s, target, (subject, baseline))


def speed_of(
    name: str, compared: str, subject: Series, baseline: Series, *, objects: int, size: int, target: Target
) -> Result:
    """How many times as fast as the baseline the subject moves `objects` objects of `size` bytes in all."""
    rates = {
        series.what: {
            "objects_per_s": round(objects / series.median_s, 1),
            "mb_per_s": round(size / 1e6 / series.median_s, 2),
        }
        for series in (subject, baseline)
    }
    return Result(name, compared, baseline.median_s / subject.median_s, target, (subject, baseline), rates)


def all_met(results: Sequence[Result]) -> bool:
    """Whether every figure reaches its target; nothing measured is nothing met."""
    return bool(results) and all(result.is_met for result in results)
