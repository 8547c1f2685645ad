"""Disruption budgets: each is one workload's, and each workload that serves has one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from policies.checks import PASS, failed, is_hidden, is_masked, not_applicable, read, shown, unknown
from policies.examples import Given, Hidden, both, drop, examples, given, plus, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.kubernetes import restricts, selects
from policies.reach.values import mapping, number
from policies.tokens import BUDGET, CANARY, DEPLOYMENT, HPA, RELEASE, STATEFUL_SET
from policies.workloads import LONG_RUNNING, pod_labels, same_namespace

family = Family("Disruption budgets")

_LABELS: Final = {"app.kubernetes.io/name": "budgeted"}
_MATCHED: Final = "spec.selector.matchLabels"
_OWN: Final = "the labels of one workload's pods"
_APP: Final = "app.kubernetes.io/name"
_INSTANCE: Final = "app.kubernetes.io/instance"
_FEWEST_OF_CHART: Final = 2
"""A chart's replicas, where one that is away must leave another."""
_FEW: Final = "one replica, which no budget can keep"
_KEEPS: Final = "fewer than the replicas that there are at least"


def _workload(name: str = "budgeted") -> Given:
    told = {
        "metadata": {"namespace": "budgets"},
        "spec": {"replicas": 3, "template": {"metadata": {"labels": dict(_LABELS)}}},
    }
    return given(DEPLOYMENT, told, name)


def _budget(name: str = "budgeted") -> Given:
    told = {
        "metadata": {"namespace": "budgets"},
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": dict(_LABELS)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
    return given(BUDGET, told, name)


def _chart(namespace: str) -> Given:
    told = {"name": "released", "namespace": namespace, "chart": "oci://example.com/charts/charted@sha256:0"}
    return given(RELEASE, told, "charted")


@family.rule(
    "k8s-budget-of-one-workload",
    Severity.HIGH,
    "A disruption budget is one workload's, and keeps some of its pods",
    types=(BUDGET,),
    rationale="A budget that selects nothing keeps nothing; one of several lets all pods of one of them go; "
    "one that lets as many go as there are is none.",
    remedy="Let its selector name the labels of one workload's pods, in the workload's namespace.",
    examples=lambda: examples(
        _budget(),
        _workload(),
        broken={
            "spec.selector selects no workload of the stack": (
                put(_MATCHED, {"app.kubernetes.io/name": "other"}),
                put("metadata.namespace", "elsewhere"),
                without(DEPLOYMENT, "budgeted"),
                both(put(_MATCHED, {_APP: "charted"}), plus(_chart("elsewhere"))),
                both(put(_MATCHED, {_APP: "other"}), plus(_chart("budgets"))),
            ),
            "spec.maxUnavailable is 2, of at least 2": both(
                put(_MATCHED, {_APP: "charted"}), put("spec.maxUnavailable", 2), plus(_chart("budgets"))
            ),
            "spec.selector selects budgeted and sibling": plus(_workload("sibling")),
            "spec.selector is {}": put("spec.selector", {}),
            "spec.selector is absent": drop("spec.selector"),
            "spec.maxUnavailable is 300, of at least 3": put("spec.maxUnavailable", 300),
            'spec.maxUnavailable is "100%", of at least 3': put("spec.maxUnavailable", "100%"),
        },
        undecided={
            "spec.selector is known only to the provider": (
                put("spec.selector", Hidden()),
                put(_MATCHED, Hidden()),
            ),
        },
        accepted={
            "": (
                put("spec.maxUnavailable", "34%"),
                both(put("spec.replicas", 1, on=DEPLOYMENT, name="budgeted"), put("spec.maxUnavailable", 1)),
                both(
                    put(_MATCHED, {"app.kubernetes.io/instance": "budgeted-primary"}),
                    plus(given(CANARY, {"metadata.namespace": "budgets", "spec.targetRef.name": "budgeted"})),
                ),
                both(put(_MATCHED, {_APP: "charted"}), plus(_chart("budgets"))),
                both(put(_MATCHED, {_INSTANCE: "released"}), plus(_chart("budgets"))),
            )
        },
    ),
)
def budget_of_one_workload(budget: Resource, inventory: Inventory) -> Judgement:
    if is_masked(budget, "spec.selector") or is_hidden(read(budget, "spec.selector")):
        return unknown("spec.selector", _OWN)
    selector = read(budget, "spec.selector")
    if not restricts(selector):
        return failed("spec.selector", shown(selector), _OWN)
    found = [each for each in inventory.of_type(*LONG_RUNNING) if _covers(inventory, budget, each)]
    if not found and _is_held(inventory, budget):
        return PASS
    if not found and _is_charts(inventory, budget):
        return _keeps_some(budget, _FEWEST_OF_CHART)
    if len(found) != 1:
        names = " and ".join(each.name for each in found) or "no workload of the stack"
        return failed("", f"spec.selector selects {names}", _OWN)
    return _keeps_some(budget, _fewest(inventory, found[0]))


def _keeps_some(budget: Resource, fewest: int | None) -> Judgement:
    taken = read(budget, "spec.maxUnavailable")
    if is_hidden(taken):
        return unknown("spec.maxUnavailable", _KEEPS)
    if fewest is not None and fewest > 1 and _gone(taken, fewest) >= fewest:
        return failed("", f"spec.maxUnavailable is {shown(taken)}, of at least {fewest}", _KEEPS)
    return PASS


def _covers(inventory: Inventory, budget: Resource, workload: Resource) -> bool:
    return same_namespace(inventory, budget, workload) and selects(
        read(budget, "spec.selector"), pod_labels(workload)
    )


def _is_held(inventory: Inventory, budget: Resource) -> bool:
    """Whether its pods are those of the release that Flagger holds, which Flagger makes and no plan has."""
    named = {str(label) for label in mapping(read(budget, _MATCHED)).values()}
    return any(
        f"{read(canary, 'spec.targetRef.name')}-primary" in named and same_namespace(inventory, budget, canary)
        for canary in inventory.of_type(CANARY)
    )


def _is_charts(inventory: Inventory, budget: Resource) -> bool:
    """Whether its pods are those of a chart in its namespace, which Helm makes and no plan has.

    Charts label their pods with their own name and with the release's (Helm's guide, "Labels and annotations",
    2026-11-22).
    """
    labels, namespace = mapping(read(budget, _MATCHED)), read(budget, "metadata.namespace")
    if is_hidden(namespace):
        return False
    for release in inventory.of_type(RELEASE):
        chart = str(read(release, "chart")).partition("@")[0].rpartition("/")[2]
        named = (labels.get(_APP) == chart, labels.get(_INSTANCE) == read(release, "name"))
        if any(named) and read(release, "namespace") == namespace:
            return True
    return False


def _scalers(inventory: Inventory, workload: Resource) -> Iterator[Resource]:
    kind, name = workload.type.rpartition(":")[2], read(workload, "metadata.name")
    for scaler in inventory.of_type(HPA) if isinstance(name, str) else ():
        target = (read(scaler, "spec.scaleTargetRef.kind"), read(scaler, "spec.scaleTargetRef.name"))
        if target == (kind, name) and same_namespace(inventory, scaler, workload):
            yield scaler


def _fewest(inventory: Inventory, workload: Resource) -> int | None:
    """The fewest replicas, or the least that an autoscaler leaves; None where the plan does not know."""
    scaler = next(_scalers(inventory, workload), None)
    value = read(scaler, "spec.minReplicas") if scaler else read(workload, "spec.replicas")
    return None if is_hidden(value) else number(value) or 1


def _gone(value: Any, replicas: int) -> int:
    """How many pods may be gone at once; a part is rounded up."""
    text = str(value)
    part = number(text.removesuffix("%")) or 0
    return math.ceil(part * replicas / 100) if text.endswith("%") else part


@family.rule(
    "k8s-workloads-budgeted",
    Severity.HIGH,
    "What runs in more than one replica has one disruption budget",
    types=(DEPLOYMENT, STATEFUL_SET),
    rationale="Without a budget machines are emptied of all replicas at once; with two, the cluster refuses to evict "
    "any pod, and no machine is upgraded.",
    remedy="Add one PodDisruptionBudget with the labels of its pods.",
    examples=lambda: examples(
        _workload(),
        _budget(),
        broken={
            "no disruption budget selects its pods": (
                without(BUDGET, "budgeted"),
                put("metadata.namespace", "elsewhere", on=BUDGET, name="budgeted"),
                put(_MATCHED, {"app.kubernetes.io/name": "other"}, on=BUDGET, name="budgeted"),
                put("spec.template.metadata.labels", {"app.kubernetes.io/name": "other"}),
            ),
            "the disruption budgets budgeted and again select its pods": plus(_budget("again")),
        },
        undecided={
            "spec.replicas is known only to the provider": put("spec.replicas", Hidden()),
            "a disruption budget of its namespace is known only to the provider": put(
                "spec.selector", Hidden(), on=BUDGET, name="budgeted"
            ),
        },
        accepted={_FEW: (drop("spec.replicas"), put("spec.replicas", 1))},
    ),
)
def workloads_budgeted(workload: Resource, inventory: Inventory) -> Judgement:
    required = "one disruption budget of its own"
    fewest = _fewest(inventory, workload)
    if fewest is None:
        return unknown("spec.replicas", required)
    if fewest < 2 and not any(_scalers(inventory, workload)):
        return not_applicable(_FEW)
    near = [each for each in inventory.of_type(BUDGET) if same_namespace(inventory, each, workload)]
    if any(is_masked(each, "spec.selector") or is_hidden(read(each, "spec.selector")) for each in near):
        return unknown("", required, "a disruption budget of its namespace is known only to the provider")
    found = [
        each.name for each in near if mapping(read(each, "spec.selector")) and _covers(inventory, each, workload)
    ]
    if not found:
        return failed("", "no disruption budget selects its pods", required)
    if len(found) > 1:
        return failed("", f"the disruption budgets {' and '.join(found)} select its pods", required)
    return PASS
