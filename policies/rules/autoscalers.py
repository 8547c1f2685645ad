"""Autoscalers: measures under which a fleet comes to rest."""

from __future__ import annotations

import re

from policies.checks import ABSENT, PASS, all_of, at_least, expect, failed, is_hidden, items, read, shown, unknown
from policies.examples import Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import DEPLOYMENT, HPA

family = Family("Autoscalers")

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


@family.rule(
    "k8s-autoscaler-bounds",
    Severity.HIGH,
    "Autoscalers keep a replica, may grow, and scale what is there",
    types=(HPA,),
    rationale="With none, or with a most below the fewest, nothing answers; one that names no Deployment scales "
    "nothing, and says so to nobody.",
    remedy="Build it by components.kubernetes.autoscaling, and keep min_replicas at most max_replicas.",
    examples=lambda: examples(
        given(
            HPA,
            {
                "metadata.namespace": "serving",
                "spec.minReplicas": 2,
                "spec.maxReplicas": 4,
                "spec.scaleTargetRef": {"kind": "Deployment", "name": "scaled"},
            },
        ),
        given(DEPLOYMENT, {"metadata.namespace": "serving", "metadata.name": "scaled"}, "scaled"),
        broken={
            "spec.minReplicas is 0": put("spec.minReplicas", 0),
            "spec.minReplicas is absent": drop("spec.minReplicas"),
            "spec.maxReplicas is 1": put("spec.maxReplicas", 1),
            'spec.behavior.scaleUp.selectPolicy is "Disabled"': put("spec.behavior.scaleUp.selectPolicy", "Disabled"),
            'spec.scaleTargetRef.name is "gone"': put("spec.scaleTargetRef.name", "gone"),
            'spec.scaleTargetRef.name is "scaled"': (
                without(DEPLOYMENT, "scaled"),
                put("metadata.namespace", "elsewhere", DEPLOYMENT, "scaled"),
            ),
        },
        undecided={"spec.maxReplicas is known only to the provider": put("spec.maxReplicas", Hidden())},
    ),
)
def autoscaler_bounds(scaler: Resource, inventory: Inventory) -> Judgement:
    fewest, grow = read(scaler, "spec.minReplicas"), "spec.behavior.scaleUp.selectPolicy"
    there = {
        (str(read(each, "metadata.namespace")), str(read(each, "metadata.name")))
        for each in inventory.of_type(DEPLOYMENT)
    }
    namespace = str(read(scaler, "metadata.namespace"))
    return all_of(
        (
            at_least(scaler, "spec.minReplicas", 1, "replica"),
            at_least(scaler, "spec.maxReplicas", fewest if isinstance(fewest, int) else 1, "replicas"),
            PASS
            if read(scaler, grow) is ABSENT
            else expect(scaler, grow, "Max or Min", lambda v: v in ("Max", "Min")),
            expect(
                scaler,
                "spec.scaleTargetRef.name",
                "a Deployment of the stack, in its namespace",
                lambda name: (namespace, str(name)) in there,
            ),
        )
    )
