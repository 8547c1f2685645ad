"""The settings of the strategies that learn from rewards: the multi-armed bandit and the contextual one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from components.contracts.spec import Reason, Spec, check_each_once, check_member, check_order, refused
from components.contracts.traffic_base import Traffic

_MATCHER: Final = r"""[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*("[^"\\{}\[\]()]*"|'[^'\\{}\[\]()]*')"""
SELECTOR_PATTERN: Final = rf"^[a-zA-Z_:][a-zA-Z0-9_:]*(\{{\s*({_MATCHER}(\s*,\s*{_MATCHER})*\s*,?\s*)?\}})?$"
"""A counter in PromQL by its name and matchers: no function, range or operator around it."""
MODEL_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
"""A model of a release by its name."""
BANDIT_INTERVAL_SECONDS_MIN: Final = 30
"""Six scrapes of the autoscaler's Prometheus; an increase over fewer is mostly extrapolated."""
BANDIT_WINDOW_MINUTES_MAX: Final = 110
"""The autoscaler's Prometheus keeps two hours, without a disk."""
PROMETHEUS_LOOKBACK_SECONDS: Final = 300
"""How far back Prometheus looks for a sample unless told otherwise (docs/command-line/prometheus.md of its source,
`--query.lookback-delta`: 5m; read 2026-11-22): a counter that was last seen before that is missing, not stale."""


class RewardSpec(Spec):
    """What a bandit goes by: of so many trials, so many were rewarded. Both are counters in Prometheus."""

    successes: Annotated[str, Field(pattern=SELECTOR_PATTERN, max_length=300)]
    """Trials that were rewarded: a counter by name, with matchers where it needs them, as `orders_total{shop="a"}`.
    The controller takes its increase itself, so that a counter that begins anew does no harm."""
    trials: Annotated[str, Field(pattern=SELECTOR_PATTERN, max_length=300)]
    """All trials that can have been rewarded by now, in the same form."""
    label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "variant"
    """The label of both whose value is the variant's name. Export both from 0 on for each variant."""

    @model_validator(mode="after")
    def _two_counters_of_all_variants(self) -> RewardSpec:
        if self.successes == self.trials:
            raise refused(
                f"successes and trials are both {self.trials}",
                allowed="two counters: every arm would always be rewarded",
                remedy="Name the counter of rewarded trials under successes.",
            )
        for name, selector in (("successes", self.successes), ("trials", self.trials)):
            if re.search(rf"[{{,]\s*{self.label}\s*[=!]", selector):
                raise refused(
                    f"{name} is {selector}, which chooses by {self.label}",
                    allowed=f"a counter of all variants, told apart by its label {self.label}",
                    remedy=f"Remove the matcher on {self.label}.",
                )
        return self


class Bandit(Traffic):
    """Shares follow the variants' reward: Thompson sampling moves the weights of the service's routes."""

    takes_challengers: ClassVar[bool] = True

    strategy: Literal["bandit"] = "bandit"
    """Its name."""
    reward: RewardSpec
    """What the variants are judged by."""
    default: str = "stable"
    """The variant that has the most at the start; the others begin with their floor."""
    floor_percent: Annotated[int, Field(ge=1, le=50)] = 5
    """What every variant keeps, in percent of the requests: without it, one that has become better is never seen."""
    ceiling_percent: Annotated[int, Field(ge=50, le=99)] = 95
    """What no variant gets beyond, in percent of the requests."""
    step_percent: Annotated[int, Field(ge=1, le=100)] = 20
    """How many percentage points a weight moves in one interval at most."""
    interval_seconds: Annotated[int, Field(ge=BANDIT_INTERVAL_SECONDS_MIN, le=3600)] = 60
    """How often the weights are drawn anew."""
    window_minutes: Annotated[int, Field(ge=5, le=BANDIT_WINDOW_MINUTES_MAX)] = 60
    """What is older does not count; at most what the autoscaler's Prometheus keeps."""
    half_life_minutes: Annotated[int, Field(ge=1, le=BANDIT_WINDOW_MINUTES_MAX)] = 30
    """Evidence this old counts half, so that the weights follow a world that drifts."""
    stale_after_seconds: Annotated[int, Field(ge=15, le=PROMETHEUS_LOOKBACK_SECONDS)] = 60
    """A counter not seen for this long freezes the weights."""
    minimum_trials: Annotated[int, Field(ge=10, le=1_000_000)] = 200
    """Fewer of all variants in the window: the weights stay. Fewer of one: it does not rise above an equal share."""

    @model_validator(mode="after")
    def _times_that_fit(self) -> Bandit:
        if self.window_minutes * 60 < 3 * self.interval_seconds:
            raise refused(
                f"window_minutes is {self.window_minutes}, and interval_seconds is {self.interval_seconds}",
                allowed="a window of at least three intervals",
                remedy="Raise window_minutes, or lower interval_seconds.",
            )
        check_order("half_life_minutes", self.half_life_minutes, "window_minutes", self.window_minutes)
        return self

    def check_service(self, variants: Sequence[str], p99_ms: int) -> None:
        """Weights that sum to 100 must fit between floor and ceiling, and the default must be a variant."""
        del p99_ms
        count = len(variants)
        check_member("traffic.default", self.default, variants)
        if self.floor_percent * count > 100:
            raise refused(
                f"floor_percent is {self.floor_percent}, and there are {count} variants",
                allowed=f"at most {100 // count}, so that all floors together are at most 100",
                remedy="Lower floor_percent, or remove challengers.",
            )
        # With two variants one's floor is the other's ceiling: what is left of 100 must be allowed.
        if self.ceiling_percent * count < 100:
            raise refused(
                f"ceiling_percent is {self.ceiling_percent}, and there are {count} variants",
                allowed=f"at least {-(-100 // count)}, so that all ceilings together are at least 100",
                remedy="Raise ceiling_percent.",
            )


class Contextual(Traffic):
    """A router model picks the variant for each request by its features, inside one server.

    Its variants are models of the service's one release: the router calls them by Triton's BLS, which reaches models
    of its own server alone. So there are no challengers, and router, variants and policy change together.
    """

    strategy: Literal["contextual"] = "contextual"
    """Its name."""
    router: Annotated[str, Field(pattern=MODEL_PATTERN)] = "router"
    """The release's router model, which clients call; made by `serving_image/router`."""
    arms: Annotated[
        dict[
            Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")],
            Annotated[str, Field(pattern=MODEL_PATTERN)],
        ],
        Field(min_length=2, max_length=20),
    ]
    """Variant → the model of the release that answers for it."""
    default: str
    """The variant that answers where the router fails, or the picked one fails or is late."""
    features: Annotated[tuple[Annotated[str, Field(pattern=MODEL_PATTERN)], ...], Field(min_length=1, max_length=200)]
    """What the policy was trained on, by name; a release whose policy has others does not start."""
    log_values_of: dict[str, Reason] = Field(default_factory=dict)
    """Features whose values stand in the log → the reason why they may. All others stay out of it: the log has a
    digest, by which training finds that it joined the right row."""
    explore_percent: Annotated[int, Field(ge=1, le=50)] = 5
    """Requests of a hundred that are shared out evenly, whatever the policy says. Each variant keeps its part, so
    that what another policy would have earned can be told from the log."""
    latency_budget_ms: Annotated[int, Field(ge=5, le=60_000)]
    """How long the picked variant may take before the default one answers instead; less than `objective.p99_ms`."""

    @model_validator(mode="after")
    def _names_that_are_there(self) -> Contextual:
        check_each_once("features", self.features)
        check_each_once("the models of arms", list(self.arms.values()))
        check_member("default", self.default, tuple(self.arms))
        for feature in self.log_values_of:
            check_member("log_values_of", feature, self.features)
        if self.router in self.arms.values():
            raise refused(
                f"the router {self.router} is one of its own arms",
                allowed="arms that are other models of the release: it would call itself for ever",
                remedy="Name the models that answer.",
            )
        return self

    def check_service(self, variants: Sequence[str], p99_ms: int) -> None:
        """There must be time left for the default variant to answer within the promise."""
        del variants
        if self.latency_budget_ms >= p99_ms:
            raise refused(
                f"latency_budget_ms is {self.latency_budget_ms}, and objective.p99_ms is {p99_ms}",
                allowed="a budget below the promise: what is late is answered again, by the default variant",
                remedy="Lower latency_budget_ms, to about half of objective.p99_ms.",
            )
