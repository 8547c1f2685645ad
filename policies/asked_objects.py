"""The objects of a cluster that a stack's settings ask for, by kind, namespace and name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from components.contracts import serving
from policies.inventory import Inventory
from policies.shapes import setting

_TOKENS: Final[Mapping[str, str]] = {
    "Canary": "flagger.app/v1beta1",
    "Certificate": "cert-manager.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "ComputeClass": "cloud.google.com/v1",
    "ConfigMap": "core/v1",
    "CronJob": "batch/v1",
    "Deployment": "apps/v1",
    "EnvoyProxy": "gateway.envoyproxy.io/v1alpha1",
    "GRPCRoute": "gateway.networking.k8s.io/v1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Release": "helm.sh/v3",
    "ResourceQuota": "core/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "Service": "core/v1",
}
SERVING: Final = serving.NAMESPACE
METRICS: Final = "autoscaling-metrics"
GATEWAY: Final = "envoy-gateway-system"
CERTIFICATES: Final = "cert-manager"
_SYSTEM: Final = "kube-system"
_NO_GPU: Final = "cpu"


class Asked(NamedTuple):
    """One object that must be there."""

    kind: str
    namespace: str
    """Empty where it is of the whole cluster, or in the plan without one."""
    name: str

    @property
    def token(self) -> str:
        """Its type in a plan."""
        return f"kubernetes:{_TOKENS[self.kind]}:{self.kind}"

    def __str__(self) -> str:
        return f"no {self.kind} {self.name}" + (f" in {self.namespace}" if self.namespace else "")


def asked_of(inventory: Inventory, namespace: str) -> Iterator[Asked]:
    """What must be there for a namespace of the platform to do its work; nothing where no fleet is asked for."""
    services = _mapping(setting(inventory, "fleet", "services"))
    if not services:
        return
    if namespace == SERVING:
        for name, told in services.items():
            yield from _of_service(name, _mapping(told))
        yield from _around(inventory, services)
    elif namespace == METRICS:
        yield from _of_metrics()
    yield from _of_door(inventory, namespace)


def _of_service(name: str, told: Mapping[str, Any]) -> Iterator[Asked]:
    canary = _mapping(told.get("traffic")).get("strategy") == "canary"
    yield Asked("GRPCRoute", SERVING, name)
    for each in (name, *(f"{name}-{variant}" for variant in _mapping(told.get("challengers")))):
        yield Asked("Deployment", SERVING, each)
        yield Asked("HorizontalPodAutoscaler", SERVING, each)
        if told.get("hours"):
            yield from (Asked("CronJob", SERVING, f"{each}-{does}") for does in ("starts", "stops"))
        if not canary:
            yield Asked("Service", SERVING, each)
    if canary:
        yield Asked("Canary", SERVING, name)  # Flagger makes the route and the Services of it
    else:
        yield Asked("HTTPRoute", SERVING, name)


def _around(inventory: Inventory, services: Mapping[str, Any]) -> Iterator[Asked]:
    every = [_mapping(each) for each in services.values()]
    yield Asked("NetworkPolicy", SERVING, serving.APP)
    yield Asked("RoleBinding", SERVING, "prometheus")
    if any(each.get("accelerator") not in (None, _NO_GPU) for each in every):
        yield Asked("ResourceQuota", SERVING, "gpus")
    if any(each.get("hours") for each in every):
        yield from (Asked(kind, SERVING, "fleet-hours") for kind in ("NetworkPolicy", "RoleBinding"))
    if any(_mapping(each.get("traffic")).get("strategy") == "canary" for each in every):
        yield Asked("Release", "", "flagger")
    if setting(inventory, "cloud") == "gcp":
        access = _mapping(setting(inventory, "cluster", "access"))
        for group in ("administrators", "deployers", "readers"):
            yield from (Asked("ClusterRoleBinding", "", f"seawall-{who}") for who in _mapping(access.get(group)))
        kinds = sorted({str(each["accelerator"]) for each in every if each.get("accelerator")})
        yield from (Asked("ComputeClass", "", f"seawall-{kind}") for kind in kinds)
    elif setting(inventory, "cloud") == "aws":
        yield Asked("ConfigMap", _SYSTEM, "cluster-autoscaler-priority-expander")


def _of_metrics() -> Iterator[Asked]:
    for name in ("prometheus", "prometheus-adapter"):
        yield from (Asked(kind, METRICS, name) for kind in ("NetworkPolicy", "Service"))
    for what in ("delegator", "reader"):
        yield Asked("ClusterRoleBinding", "", f"prometheus-adapter-{what}")
    yield Asked("RoleBinding", _SYSTEM, "prometheus-adapter-auth-reader")


def _of_door(inventory: Inventory, namespace: str) -> Iterator[Asked]:
    door = _mapping(setting(inventory, "fleet", "door"))
    if not door.get("domain"):
        return
    own = _mapping(door.get("certificate")).get("kind") == "cert-manager"
    if namespace == SERVING:
        yield from (Asked(kind, SERVING, "door") for kind in ("EnvoyProxy", "Gateway"))
        if own:
            yield Asked("Certificate", SERVING, "door")
    elif namespace == GATEWAY:
        yield from (Asked("NetworkPolicy", GATEWAY, name) for name in ("certgen", "envoy", "gateway-helm"))
        yield Asked("RoleBinding", GATEWAY, "prometheus")
        yield Asked("Release", "", "envoy-gateway")
    elif namespace == CERTIFICATES and own:
        names = ("cainjector", "cert-manager", "webhook")
        yield from (Asked("NetworkPolicy", CERTIFICATES, name) for name in names)
        yield Asked("Release", "", "cert-manager")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
