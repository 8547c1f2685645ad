"""Canaries: releases that take over by themselves must be judged on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies.checks import (
    absent_or,
    all_of,
    equals,
    expect,
    failed,
    is_masked,
    items,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import CANARY

family = Family("Canaries")

TEMPLATE: Final = "kubernetes:flagger.app/v1beta1:MetricTemplate"
_FAILURES_MAX: Final = 5.0
"""Of a hundred requests."""
_CHECKS_MAX: Final = 21
"""What `failed_checks_allowed` may be at most, and the one that ends the release."""
_LATENCY_MAX_MS: Final = 60_000
"""What a release's p99 may be at most in the settings."""
_METRICS: Final = "spec.analysis.metrics"
_QUERIES: Final = {"e": 'sum(rate(rq{code_class="5"}[1m]))', "p": "histogram_quantile(0.99, rate(ms[1m]))"}
_COUNTED: Final = "sum(increase(rq[1m]))"
_EXAMPLE_METRICS: Final = [
    {"templateRef": {"name": "e"}, "thresholdRange": {"max": 1}},
    {"templateRef": {"name": "p"}, "thresholdRange": {"max": 1000}},
    {"templateRef": {"name": "n"}, "thresholdRange": {"min": 100}},
]


@family.rule(
    "k8s-canary-judged",
    Severity.HIGH,
    "A canary is judged by failures, by latency and by how many asked it, with bounds that a release can miss",
    types=(CANARY,),
    rationale="An analysis that is switched off, has no bound, or takes silence for success promotes any release.",
    remedy="Build Canaries by components.kubernetes.rollouts.objects, and keep max_error_percent small.",
    examples=lambda: examples(
        given(CANARY, {"spec.analysis": {"threshold": 2, "metrics": _EXAMPLE_METRICS}}),
        *(given(TEMPLATE, {"metadata.name": name, "spec.query": text}, name) for name, text in _QUERIES.items()),
        given(TEMPLATE, {"metadata.name": "n", "spec.query": _COUNTED}, "n"),
        broken={
            "spec.skipAnalysis is true": put("spec.skipAnalysis", True),
            "spec.analysis.threshold is absent": drop("spec.analysis.threshold"),
            "spec.analysis.threshold is 22": put("spec.analysis.threshold", 22),
            "spec.analysis.threshold is 0": put("spec.analysis.threshold", 0),
            "spec.analysis.metrics has no bound on failures": (
                drop(f"{_METRICS}.0"),
                put(f"{_METRICS}.0.thresholdRange.max", 80),
                put(f"{_METRICS}.0.thresholdRange", {"min": 0}),
                put(f"{_METRICS}.0.templateRef.name", "gone"),
                without(TEMPLATE, "e"),
                put("spec.query", f"{_QUERIES['e']} or vector(0)", TEMPLATE, "e"),
            ),
            "spec.analysis.metrics has no bound on latency": (
                drop(f"{_METRICS}.1"),
                put(f"{_METRICS}.1.thresholdRange.max", math.inf),
                put("spec.query", _COUNTED, TEMPLATE, "p"),
            ),
            "spec.analysis.metrics has no bound on the number of requests": (
                drop(f"{_METRICS}.2"),
                put(f"{_METRICS}.2.thresholdRange.min", 0),
            ),
        },
        undecided={
            f"{_METRICS} is known only to the provider": put(_METRICS, Hidden()),
            "spec.skipAnalysis is known only to the provider": put("spec.skipAnalysis", Hidden()),
        },
        accepted={"": put(f"{_METRICS}.0.thresholdRange.max", 0)},
    ),
)
def canary_judged(canary: Resource, inventory: Inventory) -> Judgement:
    required = "failures, latency and the number of requests, each with a bound"
    skips = absent_or(canary, "spec.skipAnalysis", lambda: equals(canary, "spec.skipAnalysis", False))
    survived = expect(
        canary, "spec.analysis.threshold", f"1 to {_CHECKS_MAX} failed checks", lambda v: 1 <= float(v) <= _CHECKS_MAX
    )
    told = list(_bounds(canary, inventory))
    asked: Mapping[str, Callable[[str, Mapping[str, Any]], bool]] = {
        "failures": lambda query, bound: 'code_class="5"' in query and _number(bound, "max") <= _FAILURES_MAX,
        "latency": lambda query, bound: "histogram_quantile" in query and _number(bound, "max") <= _LATENCY_MAX_MS,
        "the number of requests": lambda query, bound: "increase" in query and _number(bound, "min", 0) >= 1,
    }
    if is_masked(canary, _METRICS) or any(is_masked(each, "") for each in inventory.of_type(TEMPLATE)):
        return all_of((_without_note(skips), survived, unknown(_METRICS, required)))
    missing = [name for name, holds in asked.items() if not any(holds(*each) for each in told)]
    return all_of(
        (
            _without_note(skips),
            survived,
            *(failed("", f"{_METRICS} has no bound on {name}", required) for name in missing),
        )
    )


def _number(bound: Mapping[str, Any], key: str, absent: float = math.inf) -> float:
    value = bound.get(key, absent)
    return value if isinstance(value, int | float) else absent


def _without_note(judgement: Judgement) -> Judgement:
    return judgement if judgement.problems else passed()


def _bounds(canary: Resource, inventory: Inventory) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The query and the bounds of each check that has both, and has no number where nothing was measured."""
    queries = {str(each.get("metadata.name")): str(each.get("spec.query")) for each in inventory.of_type(TEMPLATE)}
    for metric in items(canary, _METRICS):
        query, bound = (
            queries.get(str(read(canary, f"{metric}.templateRef.name"))),
            read(canary, f"{metric}.thresholdRange"),
        )
        if query is not None and isinstance(bound, Mapping) and not query.rstrip().endswith("or vector(0)"):
            yield query, bound
