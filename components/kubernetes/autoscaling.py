"""How many replicas a variant of a service has, and how many may be away at once."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_kubernetes.autoscaling.v2 import (
    CrossVersionObjectReferenceArgs,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehaviorArgs,
    HorizontalPodAutoscalerSpecArgs,
    HPAScalingPolicyArgs,
    HPAScalingRulesArgs,
    MetricIdentifierArgs,
    MetricSpecArgs,
    MetricTargetArgs,
    PodsMetricSourceArgs,
)
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from components.contracts.scaling import shrink_after_seconds
from components.contracts.services import Variant
from components.contracts.serving import BUSY_REQUESTS_METRIC, PENDING_REQUESTS_METRIC
from components.kubernetes.pods import metadata, selecting
from components.kubernetes.triton import labels

GROW_AFTER_SECONDS: Final = 30
"""A burst that is over sooner is over before a new replica could help."""
STEP_PERIOD_SECONDS: Final = 60
GROW_PODS: Final = 4
GROW_PERCENT: Final = 100
SHRINK_PODS: Final = 1
SHRINK_PERCENT: Final = 10


def _rules(window_seconds: int, pods: int, percent: int) -> HPAScalingRulesArgs:
    """The more of two steps in each period: so many replicas, and that part of them."""
    steps = (("Pods", pods), ("Percent", percent))
    return HPAScalingRulesArgs(
        stabilization_window_seconds=window_seconds,
        select_policy="Max",
        policies=[HPAScalingPolicyArgs(type=t, value=v, period_seconds=STEP_PERIOD_SECONDS) for t, v in steps],
    )


def quantity(milli: int) -> str:
    """Thousandths as the API server writes them: in whole numbers where they are."""
    return f"{milli}m" if milli % 1000 else str(milli // 1000)


def _per_pod(name: str, average_milli: int) -> MetricSpecArgs:
    return MetricSpecArgs(
        type="Pods",
        pods=PodsMetricSourceArgs(
            metric=MetricIdentifierArgs(name=name),
            target=MetricTargetArgs(type="AverageValue", average_value=quantity(average_milli)),
        ),
    )


def autoscaler(namespace: str, variant: Variant, options: pulumi.ResourceOptions) -> HorizontalPodAutoscaler:
    """Scale on busy time and on requests that wait; up soon, down after as long as a new machine needs.

    While machines start, their pods count as idle ones (Kubernetes' docs, Horizontal Pod Autoscaling, "Algorithm
    details", read 2026-11-21), so that waiting for them asks for no more.
    """
    asked, name = variant.spec.scaling, variant.object_name
    return HorizontalPodAutoscaler(
        name,
        metadata=metadata(name, namespace, labels=labels(variant)),
        spec=HorizontalPodAutoscalerSpecArgs(
            scale_target_ref=CrossVersionObjectReferenceArgs(api_version="apps/v1", kind="Deployment", name=name),
            min_replicas=variant.min_replicas,
            max_replicas=variant.max_replicas,
            metrics=[
                _per_pod(BUSY_REQUESTS_METRIC, asked.busy_requests_milli),
                _per_pod(PENDING_REQUESTS_METRIC, 1000 * asked.pending_requests),
            ],
            behavior=HorizontalPodAutoscalerBehaviorArgs(
                scale_up=_rules(GROW_AFTER_SECONDS, GROW_PODS, GROW_PERCENT),
                scale_down=_rules(
                    shrink_after_seconds(asked, variant.spec.repository_gib), SHRINK_PODS, SHRINK_PERCENT
                ),
            ),
        ),
        opts=options,
    )


def disruption_budget(namespace: str, variant: Variant, options: pulumi.ResourceOptions) -> PodDisruptionBudget:
    """Few replicas away for upkeep at once; never none, and an unhealthy one never holds a drain up."""
    return PodDisruptionBudget(
        variant.object_name,
        metadata=metadata(variant.object_name, namespace, labels=labels(variant)),
        spec=PodDisruptionBudgetSpecArgs(
            max_unavailable=variant.spec.max_unavailable if variant.stable else 1,
            selector=selecting(labels(variant)),
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
        opts=options,
    )
