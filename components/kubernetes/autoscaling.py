"""How many replicas the fleet has, and how many may be away at once."""

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

from components.contracts.serving import PENDING_REQUESTS_METRIC
from components.contracts.specs import FleetSpec
from components.kubernetes.pods import app_labels, metadata, selecting
from components.kubernetes.triton import APP

SCALE_DOWN_WINDOW_SECONDS: Final = 90
STEP_PODS: Final = 2
STEP_PERIOD_SECONDS: Final = 15


def _rules(window_seconds: int) -> HPAScalingRulesArgs:
    return HPAScalingRulesArgs(
        stabilization_window_seconds=window_seconds,
        policies=[HPAScalingPolicyArgs(type="Pods", value=STEP_PODS, period_seconds=STEP_PERIOD_SECONDS)],
    )


def autoscaler(
    namespace: str, deployment: pulumi.Input[str], spec: FleetSpec, options: pulumi.ResourceOptions
) -> HorizontalPodAutoscaler:
    """Scale on requests that wait, Triton's own measure; up at once, down after a quiet window."""
    return HorizontalPodAutoscaler(
        APP,
        metadata=metadata(APP, namespace, labels=app_labels(APP)),
        spec=HorizontalPodAutoscalerSpecArgs(
            scale_target_ref=CrossVersionObjectReferenceArgs(
                api_version="apps/v1", kind="Deployment", name=deployment
            ),
            min_replicas=spec.min_replicas,
            max_replicas=spec.max_replicas,
            metrics=[
                MetricSpecArgs(
                    type="Pods",
                    pods=PodsMetricSourceArgs(
                        metric=MetricIdentifierArgs(name=PENDING_REQUESTS_METRIC),
                        target=MetricTargetArgs(type="AverageValue", average_value=str(spec.target_pending_requests)),
                    ),
                )
            ],
            behavior=HorizontalPodAutoscalerBehaviorArgs(
                scale_up=_rules(0), scale_down=_rules(SCALE_DOWN_WINDOW_SECONDS)
            ),
        ),
        opts=options,
    )


def disruption_budget(namespace: str, options: pulumi.ResourceOptions) -> PodDisruptionBudget:
    """At most one replica away for upkeep; an unhealthy one never holds a drain up."""
    return PodDisruptionBudget(
        APP,
        metadata=metadata(APP, namespace, labels=app_labels(APP)),
        spec=PodDisruptionBudgetSpecArgs(
            max_unavailable=1,
            selector=selecting(app_labels(APP)),
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
        opts=options,
    )
