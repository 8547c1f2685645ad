"""How a new release takes over: replica by replica, in one switch, or by a share that grows while it does well.

What these settings are made into is `components.kubernetes.rollouts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, field_validator, model_validator

from components.contracts.scaling import ROLLOUT_SURGE
from components.contracts.spec import Spec, refused
from components.contracts.traffic_base import Traffic

STEP_SECONDS_MIN: Final = 30
"""Six scrapes of the metrics: over fewer a rate is noise. Flagger itself looks no oftener than every 10 s
(`GetAnalysisInterval` of 1.36.1, read 2026-11-22)."""
FIRST_STEP_MAX: Final = 50
CANARY_PODS: Final = "$canary"
"""In a quality query: a label selector of the pods with the new release."""
PRIMARY_PODS: Final = "$primary"
"""In a quality query: a label selector of the pods with the release that is to be replaced."""
WINDOW: Final = "$window"
"""In a quality query: the time between two checks, as a range."""
_NO_CODE: Final = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`""")
"""What says nothing in PromQL: comments, and what stands in quotes (prometheus.io, "Querying basics", read
2026-11-22)."""
_FROM_NOTHING: Final = re.compile(r"\b(vector|time|absent\w*)\s*\(|\bor\b", re.IGNORECASE)
"""What gives a number where nothing was measured."""


class Rolling(Traffic):
    """Replica by replica: a new one is ready before an old one goes."""

    strategy: Literal["rolling"] = "rolling"
    """Its name."""


class BlueGreen(Traffic):
    """All requests go from one release to the other in one switch, and back as fast: both run all the time.

    The service's own release is one colour, the one challenger is the other.
    """

    takes_challengers: ClassVar[bool] = True

    strategy: Literal["blue-green"] = "blue-green"
    """Its name."""
    second: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")] = "green"
    """The challenger that is the other colour."""
    live: str = "stable"
    """Who gets all requests: `stable`, or the name of `second`."""

    @model_validator(mode="after")
    def _live_is_a_colour(self) -> BlueGreen:
        if self.live not in ("stable", self.second):
            raise refused(
                f"live is {self.live}",
                allowed=f"stable or {self.second}",
                remedy="Name the colour that is to answer.",
            )
        return self

    def check_service(self, variants: Sequence[str], p99_ms: int) -> None:
        """Refuse a service whose variants are not the two colours."""
        del p99_ms
        if set(variants) != {"stable", self.second}:
            others = ", ".join(name for name in variants if name != "stable") or "none"
            raise refused(
                f"the other colour is {self.second}, and challengers has {others}",
                allowed=f"one challenger, {self.second}",
                remedy="Add it with the release that it is to serve, or rename second.",
            )


class QualitySpec(Spec):
    """A figure of the new release's answers that must stay within bounds, as how often it says each label."""

    query: Annotated[str, Field(min_length=1, max_length=4000)]
    """PromQL that gives one number. `$canary` and `$primary` stand for label selectors of the pods with the new and
    with the old release, `$window` for the time between two checks: `sum(rate(x{$canary,label="a"}[$window]))`."""
    answers: Annotated[str, Field(min_length=1, max_length=4000)]
    """PromQL that counts the answers which the figure is of: `sum(increase(x{$canary}[$window]))`."""
    min_answers: Annotated[int, Field(ge=10, le=1_000_000)] = 100
    """Fewest of them that are worth a judgement; with fewer the check has failed, and the figure is not looked at.
    Chance moves a share among 100 answers by up to 0.1, among n by up to 1/√n: let the bounds be further away."""
    min: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The least that is good."""
    max: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The most that is good."""

    @field_validator("query", "answers")
    @classmethod
    def _looks_at_the_canary(cls, value: str) -> str:
        if "{{" in value or "}}" in value:
            raise refused(
                "the query has doubled braces",
                allowed="PromQL, in which Flagger finds no template of its own",
                remedy="Write single braces, with a space between two that meet.",
            )
        code = _NO_CODE.sub('""', value)
        if not re.search(r"\{[^{}]*" + re.escape(CANARY_PODS) + r"\b[^{}]*\}", code):
            raise refused(
                f"no metric of the query is selected by {CANARY_PODS}",
                allowed=f"a query about the new release's pods: one without {CANARY_PODS} judges something else",
                remedy=f"Select the new release's pods by {CANARY_PODS}, within the braces of each metric.",
            )
        if _FROM_NOTHING.search(code):
            raise refused(
                "the query makes a number where nothing was measured",
                allowed="a query without vector(), time(), absent() and or: what cannot be measured has failed",
                remedy="Leave it out: a release that nobody asked is not promoted then.",
            )
        unknown = sorted(set(re.findall(r"\$\w+", value)) - {CANARY_PODS, PRIMARY_PODS, WINDOW})
        if unknown:
            raise refused(
                f"the query has {', '.join(unknown)}",
                allowed=f"{CANARY_PODS}, {PRIMARY_PODS} and {WINDOW}",
                remedy="Remove what stands for nothing.",
            )
        return value

    @field_validator("answers")
    @classmethod
    def _counts_the_window(cls, value: str) -> str:
        if f"[{WINDOW}" not in _NO_CODE.sub('""', value):
            raise refused(
                f"answers has no {WINDOW}",
                allowed="a count between two checks: a counter itself has the answers of all steps",
                remedy=f"Count what came within {WINDOW}, as `sum(increase(x{{$canary}}[$window]))`.",
            )
        return value

    @model_validator(mode="after")
    def _bounded(self) -> QualitySpec:
        if self.min is None and self.max is None:
            raise refused(
                "neither min nor max is set", allowed="at least one of them", remedy="Say which answers are good."
            )
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refused(
                f"min is {self.min:g}, more than max, which is {self.max:g}",
                allowed="min at most max",
                remedy="Lower min, or raise max.",
            )
        return self


class AnalysisSpec(Spec):
    """What a new release is judged by at each step. What cannot be measured counts as failed."""

    max_error_percent: Annotated[float, Field(ge=0, le=5)] = 1.0
    """Most of a hundred requests that may fail: 5xx or no answer, and 4xx beyond the old release's share. With more
    than 5 an analysis would take back almost nothing."""
    p99_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    """The slowest good p99 at the door, in milliseconds; left out: what the service's objective promises."""
    min_requests: Annotated[int, Field(ge=10, le=1_000_000)] = 100
    """Fewest requests between two checks that are worth a judgement; with fewer the check has failed."""
    failed_checks_allowed: Annotated[int, Field(ge=0, le=20)] = 1
    """Failed checks, all steps together, that a release survives; one more takes it back."""
    quality: QualitySpec | None = None
    """A figure of the answers themselves; left out: a wrong answer that comes in time is not noticed."""


class Canary(Traffic):
    """The new release gets a share of requests that grows step by step, and is taken back when it does badly.

    Requests by HTTP: gRPC goes to the old release until the new one has taken over.
    """

    strategy: Literal["canary"] = "canary"
    """Its name."""
    step_percents: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(min_length=1, max_length=20)] = (
        5,
        20,
        50,
    )
    """The new release's share of requests at each step; after the last one it takes over."""
    step_seconds: Annotated[int, Field(ge=STEP_SECONDS_MIN, le=86_400)] = 120
    """Seconds between two checks, and so of a step that goes well."""
    analysis: AnalysisSpec = AnalysisSpec()
    """What the new release is judged by."""

    @field_validator("step_percents")
    @classmethod
    def _growing(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)):
            raise refused(
                f"step_percents is {', '.join(map(str, value))}",
                allowed="shares that grow from step to step, as 5, 20, 50",
                remedy="Order them, and name each once.",
            )
        if value[0] > FIRST_STEP_MAX:
            raise refused(
                f"the first of step_percents is {value[0]}",
                allowed=f"at most {FIRST_STEP_MAX}: else most requests meet a release that nobody has judged",
                remedy="Begin with a small share, as 5.",
            )
        return value

    def check_service(self, variants: Sequence[str], p99_ms: int) -> None:
        """Refuse an analysis that lets a release pass which breaks the service's promise."""
        del variants
        if self.analysis.p99_ms is not None and self.analysis.p99_ms > p99_ms:
            raise refused(
                f"analysis.p99_ms is {self.analysis.p99_ms}, and the objective promises {p99_ms}",
                allowed=f"at most {p99_ms}: else a release that breaks the promise takes over",
                remedy="Lower analysis.p99_ms, or leave it out.",
            )

    def extra_replicas(self, max_replicas: int) -> int:
        """A whole second set: the new release runs beside the old one, and may have to serve as much."""
        return max_replicas + ROLLOUT_SURGE
