"""What a canary is judged by: PromQL over Envoy's own figures of the two releases, and over what their pods tell.

What gives no number fails a check (Flagger 1.36.1, `runMetricChecks`: "no values found"), so each query has none
where there was nothing to measure: without requests, without Envoy's figures, without Prometheus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts import serving
from components.contracts.rollout_specs import CANARY_PODS, PRIMARY_PODS, WINDOW, AnalysisSpec
from components.kubernetes.rollouts.rights import primary

PRIMARY_BACKEND: Final = 0
CANARY_BACKEND: Final = 1
"""Flagger's order in the route (`GatewayAPIRouter.Reconcile` of 1.36.1)."""


@dataclass(frozen=True)
class Check:
    """One figure, and its bounds."""

    name: str
    query: str
    least: float | None = None
    most: float | None = None

    @property
    def bounds(self) -> dict[str, float]:
        """As Flagger's `thresholdRange` has them."""
        told = {"min": self.least, "max": self.most}
        return {key: value for key, value in told.items() if value is not None}


def checks(service: str, asked: AnalysisSpec, promised_p99_ms: int, window_seconds: float) -> tuple[Check, ...]:
    """What a new release of the service must pass between two steps.

    Args:
        promised_p99_ms: of the service's objective.
        window_seconds: the time that each figure is of: the one between two checks.
    """
    window = f"{window_seconds:g}s"
    found = [
        Check("error-percent", error_percent(service, window), most=asked.max_error_percent),
        Check("p99-ms", p99_ms(service, window), most=asked.p99_ms or promised_p99_ms),
    ]
    if asked.quality is not None:
        told = asked.quality
        # First: Flagger tells the first that fails, and a figure of a few answers says nothing.
        found.append(Check("answers", quality_query(service, told.answers, window), least=told.min_answers))
        found.append(Check("quality", quality_query(service, told.query, window), told.min, told.max))
    # Flagger tells the first that fails: a release that is slow also answers less.
    found.append(Check("requests", requests(service, CANARY_BACKEND, window), least=asked.min_requests))
    return tuple(found)


def cluster(service: str, backend: int) -> str:
    """Envoy's name for one backend of the service's route (`irRouteDestinationName` and `irDestinationSettingName` of
    Envoy Gateway 1.9.1): each has figures of its own where the route's policy keeps them apart."""
    return f"httproute/{serving.NAMESPACE}/{service}/rule/0/backend/{backend}"


def requests(service: str, backend: int, window: str, *, code_class: str = "") -> str:
    """Requests within the window, as a number of them."""
    more = f',envoy_response_code_class="{code_class}"' if code_class else ""
    labels = f'envoy_cluster_name="{cluster(service, backend)}"{more}'
    return f"sum(increase(envoy_cluster_upstream_rq_xx{{{labels}}}[{window}]))"


def error_percent(service: str, window: str) -> str:
    """Failures among a hundred requests of the canary: 5xx, which Envoy also counts where no answer came, and 4xx
    beyond the primary's share. Clients' mistakes meet both releases alike; a release that refuses what the other
    answers is at fault."""

    def share(backend: int, code_class: str) -> str:
        counted = requests(service, backend, window, code_class=code_class)
        return f"(({counted}) or vector(0)) / {requests(service, backend, window)}"

    beyond = f"clamp_min({share(CANARY_BACKEND, '4')} - ({share(PRIMARY_BACKEND, '4')} or vector(0)), 0)"
    return f"100 * ({share(CANARY_BACKEND, '5')} + {beyond})"


def p99_ms(service: str, window: str) -> str:
    """The time within which 99 of a hundred requests were answered by the canary, in milliseconds, seen by Envoy."""
    name = cluster(service, CANARY_BACKEND)
    rates = f'rate(envoy_cluster_upstream_rq_time_bucket{{envoy_cluster_name="{name}"}}[{window}])'
    return f"histogram_quantile(0.99, sum by (le) ({rates}))"


def pods(deployment: str) -> str:
    """A label selector of the pods of one Deployment, and of no other whose name begins alike."""
    return f'namespace="{serving.NAMESPACE}",pod=~"{deployment}-[^-]+-[^-]+"'


def quality_query(service: str, query: str, window: str) -> str:
    """The user's query about this service's pods."""
    stands_for: Mapping[str, str] = {
        CANARY_PODS: pods(service),
        PRIMARY_PODS: pods(primary(service)),
        WINDOW: window,
    }
    for name, text in stands_for.items():
        query = query.replace(name, text)
    return query
