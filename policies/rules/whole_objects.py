"""Objects that the stack's own settings ask for are there, and pods find what they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.asked_objects import METRICS, SERVING, asked_of
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, items, read, shown, unknown
from policies.examples import Hidden, both, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import CONFIG_MAP, DEPLOYMENT, KUBE_SECRET, NAMESPACE, RELEASE, SERVICE_ACCOUNT
from policies.workloads import CONTROLLED, pod_path

family = Family("Whole objects of the fleet")

_OBJECTS: Final = "every object that the settings ask for"
_FLEET: Final = setting("fleet.services", {"asked": {}})
_DOOR: Final = setting("fleet.door", {"domain": "models.example.com"})
_METRICS: Final = put("metadata.name", METRICS)


@family.rule(
    "k8s-fleet-whole",
    Severity.HIGH,
    "Each object that the settings ask for is in the plan",
    types=(NAMESPACE,),
    rationale="What is not there breaks no rule on how it must be: a fleet without an autoscaler, a route or "
    "a policy that lets requests in answers nobody, and production looks clean.",
    remedy="Build it by the component that makes its kind; change the settings where it is meant to go.",
    examples=lambda: examples(
        given(NAMESPACE, {"metadata.name": SERVING}, "asked"),
        broken={
            "no Deployment asked in serving": _FLEET,
            "no HorizontalPodAutoscaler asked in serving": _FLEET,
            "no HorizontalPodAutoscaler asked-b in serving": setting(
                "fleet.services", {"asked": {"challengers": {"b": {}}}}
            ),
            "no Service asked in serving": _FLEET,
            "no GRPCRoute asked in serving": _FLEET,
            "no HTTPRoute asked in serving": _FLEET,
            "no Canary asked in serving": setting("fleet.services", {"asked": {"traffic": {"strategy": "canary"}}}),
            "no CronJob asked-starts in serving": setting("fleet.services", {"asked": {"hours": {"from": "08:00"}}}),
            "no NetworkPolicy triton in serving": _FLEET,
            "no ResourceQuota gpus in serving": setting("fleet.services", {"asked": {"accelerator": "l4"}}),
            "no RoleBinding prometheus in serving": _FLEET,
            "no ConfigMap cluster-autoscaler-priority-expander in kube-system": _FLEET,
            "no ClusterRoleBinding seawall-platform": both(_FLEET, setting("cloud", "gcp")),
            "no ComputeClass seawall-l4": both(
                setting("cloud", "gcp"), setting("fleet.services", {"asked": {"accelerator": "l4"}})
            ),
            "no Gateway door in serving": both(_FLEET, _DOOR),
            "no EnvoyProxy door in serving": both(_FLEET, _DOOR),
            "no Certificate door in serving": both(
                _FLEET, _DOOR, setting("fleet.door.certificate", {"kind": "cert-manager"})
            ),
            "no Release envoy-gateway": both(_FLEET, _DOOR, put("metadata.name", "envoy-gateway-system")),
            "no NetworkPolicy envoy in envoy-gateway-system": both(
                _FLEET, _DOOR, put("metadata.name", "envoy-gateway-system")
            ),
            "no Release cert-manager": both(
                _FLEET,
                _DOOR,
                setting("fleet.door.certificate", {"kind": "cert-manager"}),
                put("metadata.name", "cert-manager"),
            ),
            "no NetworkPolicy prometheus-adapter in autoscaling-metrics": both(_FLEET, _METRICS),
            "no Service prometheus in autoscaling-metrics": both(_FLEET, _METRICS),
            "no ClusterRoleBinding prometheus-adapter-reader": both(_FLEET, _METRICS),
        },
        undecided={"metadata.name is known only to the provider": put("metadata.name", Hidden())},
        accepted={"": put("metadata.name", "elsewhere")},
    ),
)
def fleet_whole(namespace: Resource, inventory: Inventory) -> Judgement:
    name = read(namespace, "metadata.name")
    if is_hidden(name) or is_hidden(read(namespace, "metadata")):
        return unknown("metadata.name", _OBJECTS)
    there = inventory.derived(_there)
    missing = [
        failed("", str(each), _OBJECTS)
        for each in asked_of(inventory, str(name))
        if (each.token, each.namespace, each.name) not in there
    ]
    return all_of((PASS, *missing))


def _there(inventory: Inventory) -> frozenset[tuple[str, str, str]]:
    return frozenset(
        (each.type, _text(read(each, "metadata.namespace")), _name(each))
        for each in inventory.resources
        if each.type.startswith("kubernetes:")
    )


def _name(found: Resource) -> str:
    told = read(found, "metadata.name")
    return found.name if found.type == RELEASE else _text(told)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_OF_OTHERS: Final = ((SERVICE_ACCOUNT, "default"), (KUBE_SECRET, "door-certificate"))
"""Made by Kubernetes and by cert-manager; rules of their own judge who bears them."""
_VOLUMES: Final = (("configMap", "name", CONFIG_MAP), ("secret", "secretName", KUBE_SECRET))
_SOURCES: Final = (("configMap", "name", CONFIG_MAP), ("secret", "name", KUBE_SECRET))
_POD: Final = "spec.template.spec"


@family.rule(
    "k8s-pods-find-what-they-name",
    Severity.MEDIUM,
    "The account, ConfigMaps and Secrets that pods name are made by the stack, in their namespace",
    types=CONTROLLED,
    rationale="A pod that names what is not there never starts; one that names what somebody else makes takes its "
    "settings, or its rights, from there.",
    remedy="Make the object in the stack, in the namespace of the workload, or name the one that is made.",
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                "metadata.namespace": "finding",
                f"{_POD}.serviceAccountName": "found",
                f"{_POD}.volumes.0": {"configMap": {"name": "found"}},
            },
            "finds",
        ),
        given(SERVICE_ACCOUNT, {"metadata.namespace": "finding", "metadata.name": "found"}, "found"),
        given(CONFIG_MAP, {"metadata.namespace": "finding", "metadata.name": "found"}, "found"),
        broken={
            f'{_POD}.serviceAccountName is "gone"': put(f"{_POD}.serviceAccountName", "gone"),
            f'{_POD}.serviceAccountName is "found"': (
                without(SERVICE_ACCOUNT, "found"),
                put("metadata.namespace", "elsewhere", SERVICE_ACCOUNT, "found"),
            ),
            f'{_POD}.volumes.0.configMap.name is "gone"': put(f"{_POD}.volumes.0.configMap.name", "gone"),
            f'{_POD}.volumes.0.configMap.name is "found"': without(CONFIG_MAP, "found"),
            f'{_POD}.volumes.0.secret.secretName is "gone"': put(f"{_POD}.volumes.0.secret.secretName", "gone"),
        },
        undecided={
            f"{_POD}.volumes is known only to the provider": put(f"{_POD}.volumes", Hidden()),
            f"{_POD}.serviceAccountName is known only to the provider": put(f"{_POD}.serviceAccountName", Hidden()),
        },
        accepted={
            "": (
                drop(f"{_POD}.volumes"),
                put(f"{_POD}.serviceAccountName", "default"),
                put(f"{_POD}.volumes.0.configMap", {"name": "gone", "optional": True}),
            )
        },
    ),
)
def pods_find_what_they_name(workload: Resource, inventory: Inventory) -> Judgement:
    there = inventory.derived(_there)
    return all_of(_found(workload, there))


def _found(workload: Resource, there: frozenset[tuple[str, str, str]]) -> Iterator[Judgement]:
    pod, namespace = pod_path(workload), _text(read(workload, "metadata.namespace"))
    for path, token in _named(workload, pod):
        value, required = read(workload, path), f"a {token.rpartition(':')[2]} of the stack, in its namespace"
        if is_hidden(value):
            yield unknown(path, required)
        elif value is ABSENT or (token, _text(value)) in _OF_OTHERS:
            continue
        elif (token, namespace, _text(value)) not in there:
            yield failed(path, shown(value), required)


def _named(workload: Resource, pod: str) -> Iterator[tuple[str, str]]:
    """Where a pod names another object, and of which type."""
    yield f"{pod}.serviceAccountName", SERVICE_ACCOUNT
    if is_hidden(read(workload, f"{pod}.volumes")):
        yield f"{pod}.volumes", CONFIG_MAP
    for volume in items(workload, f"{pod}.volumes"):
        sources = ((each, _SOURCES) for each in items(workload, f"{volume}.projected.sources"))
        for source, keys in ((volume, _VOLUMES), *sources):
            for kind, key, token in keys:
                if read(workload, f"{source}.{kind}.optional") is not True:
                    yield f"{source}.{kind}.{key}", token
