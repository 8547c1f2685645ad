"""Bounds of the fleet on the cluster: GPUs, replicas and how fast they change, against the stack's own settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, failed, items, read, shown, unknown
from policies.checks import is_hidden as hidden
from policies.examples import Hidden, both, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.quantities import quantity
from policies.shapes import number_of
from policies.shapes import setting as settled
from policies.tokens import DEPLOYMENT, HPA, LIMIT_RANGE, RESOURCE_QUOTA

family = Family("Bounds of the fleet")

_GPU: Final = "requests.nvidia.com/gpu"
_MOST_GPUS: Final = 1000
"""Where a stack shows no pools: no fleet of the platform has more (an assumption, stated here)."""
_MOST_REPLICAS: Final = 1000
_SERVING: Final = "serving"
_FLEETS: Final = f'"{_SERVING}", the fleet\'s own'


def _machines(inventory: Inventory) -> float | None:
    """The most machines that the pools of the settings may have; each has at least one GPU, or none at all."""
    pools = settled(inventory, "pools")
    if not isinstance(pools, Mapping) or not pools:
        return None
    return sum(float(pool.get("max_nodes") or 0) for pool in pools.values() if isinstance(pool, Mapping))


@family.rule(
    "k8s-quota-bounds-gpus",
    Severity.HIGH,
    "The fleet's namespace may take the pools' GPUs, and no more",
    types=(RESOURCE_QUOTA, LIMIT_RANGE),
    rationale="Each group of machines may grow to serve the whole fleet alone: only the quota keeps them from doing "
    "so together, at a GPU's price each hour; one of 0 stops the fleet.",
    remedy="Build it by components.kubernetes.fleet, and change max_nodes of the pools.",
    examples=lambda: examples(
        given(
            RESOURCE_QUOTA,
            {"metadata.name": "gpus", "metadata.namespace": _SERVING, "spec.hard": {_GPU: "13"}},
            "gpus",
        ),
        broken={
            f'spec.hard.{_GPU} is "100000"': put("spec.hard", {_GPU: "100000"}),
            f'spec.hard.{_GPU} is "0"': put("spec.hard", {_GPU: "0"}),
            f'spec.hard.{_GPU} is "13"': setting("pools", {"gpu": {"max_nodes": 1}}),
            f"spec.hard.{_GPU} is absent": drop("spec.hard"),
            'metadata.namespace is "elsewhere"': both(put("metadata.namespace", "elsewhere")),
            'spec.hard.pods is "0"': put("spec.hard.pods", "0"),
            'spec.scopes is ["Terminating"]': put("spec.scopes", ["Terminating"]),
        },
        undecided={"spec.hard is known only to the provider": put("spec.hard", Hidden())},
        accepted={"": put("spec.hard", {_GPU: 12})},
    ),
)
def quota_bounds_gpus(found: Resource, inventory: Inventory) -> Judgement:
    if found.type == LIMIT_RANGE:
        return failed("", "a LimitRange", "sizes that each container says of itself")
    bounds = read(found, "spec.hard")
    required = "as many GPUs as the pools may have"
    if hidden(bounds):
        return unknown("spec.hard", required)
    told = bounds if isinstance(bounds, Mapping) else {}
    gpus = told.get(_GPU)
    most = _machines(inventory)
    judged = [_bounded(f"spec.hard.{_GPU}", gpus, _needed(inventory), 8 * most if most else _MOST_GPUS)]
    judged += [
        failed(f"spec.hard.{key}", shown(value), "nothing but GPUs bounded, and not by 0")
        for key, value in told.items()
        if key != _GPU and (quantity(value) or 0) <= 0
    ]
    place = read(found, "metadata.namespace")
    if hidden(place) or hidden(read(found, "metadata")):
        judged.append(unknown("metadata.namespace", _FLEETS))
    elif place != _SERVING:
        judged.append(failed("metadata.namespace", shown(place), _FLEETS))
    for path in ("spec.scopes", "spec.scopeSelector"):
        if read(found, path) not in (ABSENT, []):
            judged.append(failed(path, shown(read(found, path)), "absent: for all pods"))
    return all_of(judged)


def _needed(inventory: Inventory) -> float:
    """GPUs of the fewest replicas that the settings keep."""
    services = settled(inventory, "fleet", "services")
    told = [each for each in services.values() if isinstance(each, Mapping)] if isinstance(services, Mapping) else []
    return max(1, sum(float(s.get("min_replicas") or 1) * float(s.get("gpus_per_replica") or 1) for s in told))


def _bounded(path: str, value: Any, least: float, most: float) -> Judgement:
    required = f"between {least:g} and {most:g}"
    if value is None or value is ABSENT:
        return failed(path, "absent", required)
    if hidden(value):
        return unknown(path, required)
    number = quantity(value)
    return PASS if number is not None and least <= number <= most else failed(path, shown(value), required)


_BEHAVIOUR: Final = "spec.behavior"


@family.rule(
    "k8s-autoscaler-as-settled",
    Severity.HIGH,
    "Autoscalers stay within the settings, one for each Deployment, and change as fast as machines can",
    types=(HPA,),
    rationale="A fewest below the settings breaks the objective at night, a most above them the bill; replicas that "
    "go all at once, or never, are an outage or a standing cost.",
    remedy="Build it by components.kubernetes.autoscaling, and change min_replicas and max_replicas of the service.",
    examples=lambda: examples(
        given(
            HPA,
            {
                "metadata.namespace": _SERVING,
                "metadata.name": "settled",
                "spec.minReplicas": 3,
                "spec.maxReplicas": 12,
                "spec.scaleTargetRef": {"kind": "Deployment", "name": "settled"},
                "spec.metrics.0.pods.metric.name": "seawall_busy_requests",
                "spec.behavior.scaleDown.stabilizationWindowSeconds": 300,
            },
            "settled",
        ),
        given(DEPLOYMENT, {"metadata.namespace": _SERVING, "metadata.name": "settled"}, "settled"),
        broken={
            "spec.maxReplicas is 10000": put("spec.maxReplicas", 10000),
            "spec.maxReplicas is 12": setting("fleet.services", {"settled": {"min_replicas": 1, "max_replicas": 4}}),
            "spec.minReplicas is 3": setting("fleet.services", {"settled": {"min_replicas": 4, "max_replicas": 20}}),
            'spec.scaleTargetRef.kind is "StatefulSet"': put("spec.scaleTargetRef.kind", "StatefulSet"),
            f'{_BEHAVIOUR}.scaleDown.selectPolicy is "Disabled"': put(
                f"{_BEHAVIOUR}.scaleDown.selectPolicy", "Disabled"
            ),
            f"{_BEHAVIOUR}.scaleDown.stabilizationWindowSeconds is 0": put(
                f"{_BEHAVIOUR}.scaleDown.stabilizationWindowSeconds", 0
            ),
            f"{_BEHAVIOUR}.scaleUp.stabilizationWindowSeconds is 3600": put(
                f"{_BEHAVIOUR}.scaleUp.stabilizationWindowSeconds", 3600
            ),
            f'{_BEHAVIOUR}.scaleUp.tolerance is "10"': put(f"{_BEHAVIOUR}.scaleUp.tolerance", "10"),
            f"{_BEHAVIOUR}.scaleUp.policies.0.value is 10000": put(
                f"{_BEHAVIOUR}.scaleUp.policies", [{"type": "Percent", "value": 10000, "periodSeconds": 60}]
            ),
            f"{_BEHAVIOUR}.scaleUp.policies.0.periodSeconds is 1": put(
                f"{_BEHAVIOUR}.scaleUp.policies", [{"type": "Pods", "value": 4, "periodSeconds": 1}]
            ),
            'spec.metrics.0.type is "Resource"': put("spec.metrics.0.type", "Resource"),
            'spec.metrics.0.pods.target.averageValue is "1000000"': put(
                "spec.metrics.0.pods.target.averageValue", "1000000"
            ),
        },
        undecided={"spec.maxReplicas is known only to the provider": put("spec.maxReplicas", Hidden())},
        accepted={"": put("spec.maxReplicas", 6)},
    ),
)
def autoscaler_as_settled(scaler: Resource, inventory: Inventory) -> Judgement:
    name = str(read(scaler, "spec.scaleTargetRef.name"))
    most = number_of(inventory, _MOST_REPLICAS, "fleet", "services", name, "max_replicas")
    fewest = number_of(inventory, 0, "fleet", "services", name, "min_replicas")
    judged = [
        *(
            _bounded(path, read(scaler, path), fewest, most)
            for path in ("spec.maxReplicas", "spec.minReplicas")
            if read(scaler, path) is not ABSENT
        ),
        *_targets(scaler, inventory, name),
        *_paces(scaler),
    ]
    settled_most, told = (
        settled(inventory, "fleet", "services", name, "max_replicas"),
        read(scaler, "spec.maxReplicas"),
    )
    if isinstance(settled_most, int) and isinstance(told, int) and told < settled_most:
        judged.append(failed("spec.maxReplicas", shown(told), f"{settled_most}, as the settings say"))
    return all_of(judged)


def _targets(scaler: Resource, inventory: Inventory, name: str) -> Iterator[Judgement]:
    kind = read(scaler, "spec.scaleTargetRef.kind")
    if kind is not ABSENT and kind != "Deployment":
        yield failed("spec.scaleTargetRef.kind", shown(kind), '"Deployment"')
    same = [
        each
        for each in inventory.of_type(HPA)
        if read(each, "spec.scaleTargetRef.name") == name
        and read(each, "metadata.namespace") == read(scaler, "metadata.namespace")
        and name != str(ABSENT)
    ]
    if len(same) > 1:
        yield failed("", f"{len(same)} autoscalers of {name}", "one")
    for metric in items(scaler, "spec.metrics"):
        what = read(scaler, f"{metric}.type")
        if what is not ABSENT and what != "Pods":
            yield failed(f"{metric}.type", shown(what), '"Pods": a measure of requests')
        if read(scaler, f"{metric}.pods.metric.selector") is not ABSENT:
            path = f"{metric}.pods.metric.selector"
            yield failed(path, shown(read(scaler, path)), "absent: all of the pods")
        target = read(scaler, f"{metric}.pods.target.averageValue")
        if target is not ABSENT:
            yield _bounded(f"{metric}.pods.target.averageValue", target, 0.1, 1000)


def _paces(scaler: Resource) -> Iterator[Judgement]:
    for way, least, most in (("scaleUp", 0, 600), ("scaleDown", 60, 3600)):
        path = f"{_BEHAVIOUR}.{way}"
        for key, low, high in (("stabilizationWindowSeconds", least, most), ("tolerance", 0, 0.5)):
            if read(scaler, f"{path}.{key}") is not ABSENT:
                yield _bounded(f"{path}.{key}", read(scaler, f"{path}.{key}"), low, high)
        chosen = read(scaler, f"{path}.selectPolicy")
        if way == "scaleDown" and chosen not in (ABSENT, "Max", "Min"):
            yield failed(f"{path}.selectPolicy", shown(chosen), "Max or Min")
        if hidden(read(scaler, f"{path}.policies")):
            yield unknown(f"{path}.policies", "steps that the plan knows")
        for step in items(scaler, f"{path}.policies"):
            high = 200 if read(scaler, f"{step}.type") == "Percent" else 100
            if way == "scaleDown" and high == 200:
                high = 50
            yield _bounded(f"{step}.value", read(scaler, f"{step}.value"), 1, high)
            yield _bounded(f"{step}.periodSeconds", read(scaler, f"{step}.periodSeconds"), 15, 600)
