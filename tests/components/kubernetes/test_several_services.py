"""A fleet of several services, on GPUs and on CPUs: one line scales one of them, and rules judge each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.contracts.vocabulary import Cloud
from ops.plan.planner import plan_program
from policies.evaluation import evaluate
from policies.inventory import Inventory, Resource
from policies.model import Verdict
from stacks.compose import compose
from stacks.settings import Settings, stack_file

RELEASE: Final = {"version": "1.0.2", "manifest_sha256": "b" * 64, "signers": [f"SHA256:{'c' * 64}"]}
FIRST: Final = "tumour-risk"
SECOND: Final = "triage"
SERVING: Final[Mapping[Cloud, dict[str, Any]]] = {
    Cloud.AWS: {"machine_types": ["m7i.xlarge"], "min_nodes": 0, "max_nodes": 8, "capacity": ["on-demand"]},
    Cloud.GCP: {"machine_types": ["e2-standard-8"], "min_nodes": 0, "max_nodes": 8, "capacity": ["on-demand"]},
}
"""Machines without GPUs, beside those of the committed stacks."""
ON_CPU: Final[dict[str, Any]] = {
    "release": RELEASE,
    "accelerator": "cpu",
    "min_replicas": 1,
    "max_replicas": 2,
    "vcpus_per_replica": 1,
    "memory_gib_per_replica": 4,
    "objective": {"p99_ms": 500, "availability_percent": 99.0},
    "fallback": {"none_because": "A nurse reads what it leaves open."},
}
Changed = set[tuple[str, str, str]]


def pools(cloud: Cloud) -> dict[str, Any]:
    return {"serving": SERVING[cloud], "gpu": {"max_nodes": 20}}


def both(cloud: Cloud, **first: Any) -> dict[str, Any]:
    """A GPU service beside one on CPUs, as changes of a development stack."""
    services = {FIRST: {"hours": None, **first}, SECOND: ON_CPU}
    return {"fleet": {"services": services, "drilled": FIRST}, "pools": pools(cloud)}


def changed(before: Inventory, after: Inventory) -> Changed:
    """Kind, name and input of everything that two plans have otherwise; a whole resource is its input `*`."""
    found: Changed = set()
    one, other = before.by_urn, after.by_urn
    for urn in one.keys() | other.keys():
        known = one.get(urn) or other[urn]
        kind = known.type.rpartition(":")[2]
        if urn not in one or urn not in other:
            found.add((kind, known.name, "*"))
        else:
            found |= {(kind, known.name, path) for path in _differing(dict(one[urn].inputs), dict(other[urn].inputs))}
    return found


def _differing(one: Any, other: Any, path: str = "") -> set[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = one.keys() | other.keys()
        return set().union(*(_differing(one.get(k), other.get(k), f"{path}.{k}".strip(".")) for k in keys))
    return set() if one == other else {path}


# One line each


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(most=st.integers(3, 18), cloud=st.sampled_from(Cloud))
def test_scaling_out_is_one_line_and_changes_that_service_s_autoscaler_alone(
    most: int, cloud: Cloud, plan_platform: Callable[..., Any]
) -> None:
    before = plan_platform(cloud, **both(cloud)).inventory
    after = plan_platform(cloud, **both(cloud, max_replicas=most)).inventory
    assert changed(before, after) == {("HorizontalPodAutoscaler", FIRST, "spec.maxReplicas")}


LARGER: Final[Mapping[Cloud, tuple[str, str]]] = {
    Cloud.AWS: ("l40s", "g6e.xlarge"),
    Cloud.GCP: ("h100", "a3-highgpu-1g"),
}
"""Another GPU, and a machine that carries it."""


def test_scaling_up_is_one_line_and_moves_that_service_s_replicas_alone(
    cloud: Cloud, plan_platform: Callable[..., Any]
) -> None:
    accelerator, machine = LARGER[cloud]
    large = {"machine_types": [machine], "min_nodes": 0, "max_nodes": 20, "capacity": ["spot"]}
    fits = {"region": "us-central1"} if cloud is Cloud.GCP else {}
    common = {"pools": {**pools(cloud), "large": large}, "backup": fits}

    def planned(**first: Any) -> Inventory:
        return plan_platform(cloud, **{**both(cloud, **first), **common}).inventory

    found = changed(planned(), planned(accelerator=accelerator))
    assert ("Deployment", FIRST, "spec.template.spec.nodeSelector.seawall.dev/accelerator") in found
    others = {each for each in found if each[:2] != ("Deployment", FIRST)}
    assert {kind for kind, _, _ in others} <= {"ComputeClass", "ResourceQuota"}, "which machines, and how many GPUs"
    assert not [each for each in others if SECOND in str(each)]


# A service on CPUs


@pytest.fixture
def on_cpu(cloud: Cloud) -> Inventory:
    """A stack whose only service needs no GPU, and that has no machine with one."""
    stack = f"dev-{cloud}"
    values = Settings.load(stack_file(stack)).model_dump(mode="json")
    values["fleet"]["services"] = {FIRST: ON_CPU}
    values["pools"] = {"system": values["pools"]["system"], "serving": SERVING[cloud]}
    settings = Settings.parse(values, f"{stack} on CPUs")
    return plan_program(lambda: compose(settings).export(), stack, settings)


def failures(inventory: Inventory) -> set[tuple[str, str]]:
    """Rule and resource of each finding that fails."""
    return {(f.rule.id, f.name) for f in evaluate(inventory) if f.verdict is Verdict.FAIL}


def test_a_service_on_cpus_asks_for_no_gpu_and_breaks_no_rule(on_cpu: Inventory) -> None:
    (replicas,) = (r for r in on_cpu.resources if r.type.endswith(":Deployment") and r.name == FIRST)
    pod = replicas.inputs["spec"]["template"]["spec"]
    assert "nvidia.com/gpu" not in str(pod) and pod["nodeSelector"]["seawall.dev/accelerator"] == "cpu"
    assert failures(on_cpu) == set()


# Two services


@pytest.fixture
def two(cloud: Cloud, plan_platform: Callable[..., Any]) -> Inventory:
    """A GPU service with a challenger and a warm replica, beside one on CPUs."""
    by = {"kind": "user-header", "name": "x-user-id"}
    test = {"strategy": "a-b", "experiment": "net", "by": by, "shares": {"b": 30}, "salt": "0123456789abcdef"}
    challengers = {"b": {"release": {**RELEASE, "version": "1.0.3"}, "max_replicas": 2}}
    asked = both(cloud, traffic=test, challengers=challengers, warm_replicas=1)
    return plan_platform(cloud, **asked).inventory


def test_two_services_break_no_rule(two: Inventory) -> None:
    assert failures(two) == set()


def test_every_object_of_a_fleet_has_a_name_of_its_own(two: Inventory) -> None:
    objects = [r.inputs for r in two.resources if r.custom and "apiVersion" in r.inputs]
    names = Counter(
        (each["apiVersion"], each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in objects
    )
    assert [name for name, count in names.items() if count > 1] == []
    deployments = {name for _, kind, namespace, name in names if (kind, namespace) == ("Deployment", "serving")}
    assert {FIRST, f"{FIRST}-b", f"{FIRST}-warm", SECOND} <= deployments


def test_each_deployment_s_pods_are_selected_by_its_own_service_budget_and_autoscaler_alone(two: Inventory) -> None:
    objects = [r.inputs for r in two.resources if r.custom and "apiVersion" in r.inputs]
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in objects
        if (each["kind"], each["metadata"].get("namespace")) == ("Deployment", "serving")
    }

    def selected(selector: Mapping[str, str]) -> set[str]:
        return {name for name, labels in pods.items() if selector.items() <= labels.items()}

    for each in (each for each in objects if each["metadata"].get("namespace") == "serving"):
        name = each["metadata"]["name"]
        match each["kind"]:
            case "Service":
                assert selected(each["spec"]["selector"]) == {name}
            case "PodDisruptionBudget" | "Deployment":
                assert selected(each["spec"]["selector"]["matchLabels"]) == {name}
            case "HorizontalPodAutoscaler":
                assert each["spec"]["scaleTargetRef"]["name"] == name


def without_probe(spec: dict[str, Any]) -> None:
    del spec["template"]["spec"]["containers"][0]["readinessProbe"]


def as_root(spec: dict[str, Any]) -> None:
    spec["template"]["spec"]["securityContext"]["runAsNonRoot"] = False


def by_tag(spec: dict[str, Any]) -> None:
    spec["template"]["spec"]["containers"][0]["image"] = "docker.io/library/triton:latest"


def unbounded(spec: dict[str, Any]) -> None:
    del spec["template"]["spec"]["containers"][0]["resources"]


def with_fault(inventory: Inventory, kind: str, name: str, plant: Callable[[dict[str, Any]], None]) -> Inventory:
    """The plan with one object's spec changed."""

    def planted(resource: Resource) -> Resource:
        if not (resource.type.endswith(f":{kind}") and resource.name == name):
            return resource
        inputs = deepcopy(dict(resource.inputs))
        plant(inputs["spec"])
        return replace(resource, inputs=inputs)

    return replace(inventory, resources=tuple(planted(r) for r in inventory.resources))


def begins_to_serve(spec: dict[str, Any]) -> None:
    spec["template"]["spec"]["containers"][0]["command"] = ["tritonserver"]


@pytest.mark.parametrize(
    ("plant", "deployment"),
    [
        *product((as_root, by_tag, unbounded), (SECOND, f"{FIRST}-b", f"{FIRST}-warm")),
        *product((without_probe,), (SECOND, f"{FIRST}-b")),
        (begins_to_serve, f"{FIRST}-warm"),
    ],
)
def test_a_fault_in_any_deployment_of_the_fleet_is_found_there(
    two: Inventory, plant: Callable[[dict[str, Any]], None], deployment: str
) -> None:
    found = failures(with_fault(two, "Deployment", deployment, plant))
    assert {name for _, name in found} == {deployment}, found


def by_its_queue_alone(spec: dict[str, Any]) -> None:
    spec["metrics"] = [m for m in spec["metrics"] if "pending" in m["pods"]["metric"]["name"]]


def lets_nobody_go(spec: dict[str, Any]) -> None:
    del spec["maxUnavailable"]
    spec["minAvailable"] = 1


@pytest.mark.parametrize(
    ("kind", "plant", "rule"),
    [
        ("HorizontalPodAutoscaler", by_its_queue_alone, "k8s-autoscaler-beyond-queue"),
        ("PodDisruptionBudget", lets_nobody_go, "k8s-budget-lets-pods-go"),
    ],
)
def test_a_fault_beside_the_deployment_of_the_second_service_is_found(
    two: Inventory, kind: str, plant: Callable[[dict[str, Any]], None], rule: str
) -> None:
    assert failures(with_fault(two, kind, SECOND, plant)) == {(rule, SECOND)}
