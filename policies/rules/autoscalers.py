"""Autoscalers: measures under which a fleet comes to rest."""

from __future__ import annotations

import re

from policies.checks import ABSENT, PASS, failed, is_hidden, items, read, shown, unknown
from policies.examples import Hidden, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity

family = Family("Autoscalers")

HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
_QUEUE = re.compile(r"pending|queue|waiting|backlog", re.IGNORECASE)
_NAMES = ("pods.metric.name", "object.metric.name", "external.metric.name", "resource.name", "containerResource.name")


@family.rule(
    "k8s-autoscaler-beyond-queue",
    Severity.MEDIUM,
    "Autoscalers go by more than a queue",
    types=(HPA,),
    rationale="A busy fleet without a queue reads 0, so it shrinks until requests wait, grows again, and so on.",
    remedy="Add a measure of busy time or of requests in flight.",
    examples=lambda: examples(
        given(
            HPA,
            {
                "spec.metrics.0.pods.metric.name": "seawall_busy_requests",
                "spec.metrics.1.pods.metric.name": "nv_inference_pending_request_count",
            },
        ),
        broken={
            'spec.metrics is "nv_inference_pending_request_count"': put(
                "spec.metrics", [{"pods": {"metric": {"name": "nv_inference_pending_request_count"}}}]
            ),
            "spec.metrics is absent": put("spec.metrics", []),
        },
        undecided={"spec.metrics is known only to the provider": put("spec.metrics", Hidden())},
    ),
)
def autoscaler_beyond_queue(scaler: Resource, _: Inventory) -> Judgement:
    required = "a measure of busy time or of requests in flight beside the queue"
    if is_hidden(read(scaler, "spec.metrics")):
        return unknown("spec.metrics", required)
    found = [read(scaler, f"{metric}.{name}") for metric in items(scaler, "spec.metrics") for name in _NAMES]
    named = [name for name in found if name is not ABSENT]
    if any(is_hidden(name) for name in named):
        return unknown("spec.metrics", required)
    if any(not _QUEUE.search(str(name)) for name in named):
        return PASS
    return failed("spec.metrics", shown(", ".join(map(str, named))) if named else "absent", required)
