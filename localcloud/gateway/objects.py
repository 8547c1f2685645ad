"""Makes the objects of a plan run without a cluster: changes what it must, and says what and why."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.errors import UserError
from common.versions import ENVOY
from components.contracts.serving import GRPC_PORT

Object = Mapping[str, Any]
Backends = Mapping[tuple[str, str], Sequence[tuple[str, int, int]]]
"""(namespace, service) → its ready pods: address, HTTP port, gRPC port. A service of one port has it twice."""

GATEWAY_API: Final = "gateway.networking.k8s.io"
ENVOY_GATEWAY_API: Final = "gateway.envoyproxy.io"
LOOPBACK: Final = "127.0.0.1"
MARKER: Final = "seawall-generation"
"""Names what is laid beside the objects so that Envoy's configuration tells which generation of them it is."""
_CORE: Final = frozenset({"Namespace", "Secret", "ConfigMap"})
_DISCARD_PORT: Final = 9
_SERVICE_NAME: Final = re.compile(r"^(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(\.|$)")
_REFERENCES: Final = ("backendRef", "backendRefs")


@dataclass(frozen=True)
class Change:
    """One thing that is other than the plan has it."""

    object: str
    """As `Gateway serving/door`."""
    what: str
    why: str


@dataclass(frozen=True)
class Listener:
    """Where one listener of the Gateway is reached on this machine."""

    name: str
    protocol: str
    port: int
    planned_port: int


@dataclass(frozen=True)
class Localised:
    """Objects that Envoy Gateway runs on this machine."""

    objects: tuple[dict[str, Any], ...]
    changes: tuple[Change, ...]
    listeners: tuple[Listener, ...]
    controller: str
    """The controller name of the GatewayClass."""

    def text(self) -> str:
        """The objects as Envoy Gateway reads them; JSON is YAML."""
        return "\n---\n".join(json.dumps(each) for each in self.objects)


def localise(
    objects: Iterable[Object],
    backends: Backends,
    port_of: Callable[[str], int],
    *,
    generation: int = 1,
    key_sets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Localised:
    """What of `objects` Envoy Gateway reads, changed so that it runs on loopback and without a cluster.

    Args:
        objects: of a plan, of any kind; what Envoy Gateway does not read is left out.
        backends: the pods of every service that a route, mirror or policy refers to.
        port_of: the free port of a listener, by its name.
        generation: is found again in Envoy's configuration.
        key_sets: JSON web key sets by the URI that a SecurityPolicy would fetch them from.

    Raises:
        UserError: there is not one GatewayClass and one Gateway, or a reference to a service without `backends`.
    """
    planned = tuple(objects)
    work = _Work(
        backends, dict(key_sets or {}), {_place(each): each for each in planned if each["kind"] == "Service"}
    )
    read = [copy.deepcopy(dict(each)) for each in planned if _is_read(each)]
    gateway_class, gateway = _only(read, "GatewayClass"), _only(read, "Gateway")
    for each in read:
        work.on_references(each)
        work.on_key_sets(each)
        if each["kind"] == "ReferenceGrant":
            work.on_grant(each)
        if each["kind"] == "Backend":
            work.on_backend(each)
    listeners = work.on_listeners(gateway, port_of)
    work.on_proxy(read, gateway_class)
    read += work.made.values()
    read += work.marker(gateway, port_of(MARKER), generation)
    read += work.on_loopback(gateway)
    return Localised(tuple(read), tuple(work.changes), tuple(listeners), gateway_class["spec"]["controllerName"])


def describe(object_: Object) -> str:
    """As `HTTPRoute serving/tumour-risk`."""
    metadata = object_["metadata"]
    return f"{object_['kind']} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"


def _place(object_: Object) -> tuple[str, str]:
    metadata = object_["metadata"]
    return metadata.get("namespace", "default"), metadata["name"]


def _group(object_: Object) -> str:
    group, slash, _ = str(object_.get("apiVersion", "")).partition("/")
    return group if slash else ""


def _is_read(object_: Object) -> bool:
    group, kind = _group(object_), object_.get("kind")
    return group in (GATEWAY_API, ENVOY_GATEWAY_API) or (group == "" and kind in _CORE)


def _only(objects: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    found = [each for each in objects if each["kind"] == kind and _group(each) == GATEWAY_API]
    if len(found) != 1:
        raise UserError(
            f"there are {len(found)} objects of kind {kind}, and one is needed",
            ", ".join(map(describe, found)) or "the objects of the door",
            f"Give one {kind}: each Gateway has an Envoy of its own.",
        )
    return found[0]


@dataclass
class _Work:
    """What is known and made while the objects of one door are changed."""

    backends: Backends
    key_sets: dict[str, Mapping[str, Any]]
    services: Mapping[tuple[str, str], Object]
    """The plan's own, by namespace and name."""
    made: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """The Backends, by namespace and name."""
    changes: list[Change] = field(default_factory=list)
    mirrored: set[str] = field(default_factory=set)
    """Backends of GRPCRoutes, for the marker's route to name too: Envoy Gateway 1.9.1 does not load what only a
    GRPCRoute's mirror refers to (internal/provider/kubernetes/routes.go). On a cluster the HTTPRoute refers to the
    same Service."""

    def on_references(self, object_: dict[str, Any]) -> None:
        """Lead each reference to a Service to a Backend of its pods instead."""
        if object_["kind"] == "ReferenceGrant":
            return
        namespace = object_["metadata"].get("namespace", "default")
        for reference in _references(object_.get("spec", {})):
            if reference.get("kind", "Service") != "Service" or reference.get("group"):
                continue
            service, port = reference["name"], reference.pop("port", None)
            there = reference.get("namespace", namespace)
            name = f"{service}-{port}"
            self._make_backend(object_, there, service, port, name)
            reference.update(group=ENVOY_GATEWAY_API, kind="Backend", name=name)
            if object_["kind"] == "GRPCRoute" and there == namespace:
                self.mirrored.add(name)
            self._tell(object_, f"{service}:{port} → Backend {name}", "no cluster resolves a Service here")

    def _make_backend(self, object_: Object, namespace: str, service: str, port: int | None, name: str) -> None:
        annotations = self.services.get((namespace, service), {}).get("metadata", {}).get("annotations") or {}
        known = {key: value for key, value in annotations.items() if key.startswith(f"{ENVOY_GATEWAY_API}/")}
        self.made[namespace, name] = {
            "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
            "kind": "Backend",
            # Envoy Gateway hands on those of a Service, and those of a Backend in the same way.
            "metadata": {"name": name, "namespace": namespace, **({"annotations": known} if known else {})},
            "spec": {"endpoints": self._endpoints(object_, namespace, service, port)},
        }

    def _endpoints(self, object_: Object, namespace: str, service: str, port: int | None) -> list[dict[str, Any]]:
        try:
            pods = self.backends[namespace, service]
        except KeyError:
            raise UserError(
                f"{describe(object_)} refers to Service {namespace}/{service}, which has no backend here",
                "backends",
                f"Name its pods under ({namespace!r}, {service!r}); an empty list stands for none that is ready.",
            ) from None
        at = [(address, grpc if port == GRPC_PORT else http) for address, http, grpc in pods]
        # A Backend has at least one endpoint; nobody listens at this one, as at a Service without ready pods.
        return [{"ip": {"address": ip, "port": number}} for ip, number in at or [(LOOPBACK, _DISCARD_PORT)]]

    def on_backend(self, object_: dict[str, Any]) -> None:
        """Lead a planned Backend that names a Service by its DNS name to the Service's pods."""
        endpoints = object_["spec"].get("endpoints", ())
        for endpoint in tuple(endpoints):
            named = endpoint.get("fqdn", {})
            service = _SERVICE_NAME.match(named.get("hostname", ""))
            if service is None:
                continue
            endpoints.remove(endpoint)
            endpoints += self._endpoints(object_, service["namespace"], service["name"], named["port"])
            self._tell(
                object_, f"{named['hostname']}:{named['port']} → its pods", "no cluster resolves a Service here"
            )

    def on_grant(self, grant: dict[str, Any]) -> None:
        """Let who may refer to a Service of the namespace refer to its Backend."""
        services = [each for each in grant["spec"]["to"] if each["kind"] == "Service"]
        if services:
            also = [{"group": ENVOY_GATEWAY_API, "kind": "Backend"}]
            grant["spec"]["to"] += also
            self._tell(grant, "also for Backends", "they stand for the Services")

    def on_key_sets(self, object_: dict[str, Any]) -> None:
        """Give a SecurityPolicy the keys that it would fetch."""
        if object_["kind"] != "SecurityPolicy":
            return
        for provider in object_["spec"].get("jwt", {}).get("providers", ()):
            uri = provider.get("remoteJWKS", {}).get("uri")
            if uri in self.key_sets:
                del provider["remoteJWKS"]
                provider["localJWKS"] = {"type": "Inline", "inline": json.dumps(self.key_sets[uri])}
                self._tell(
                    object_, f"keys of {provider['name']} given, not fetched", f"{uri} is not reached from here"
                )

    def on_listeners(self, gateway: dict[str, Any], port_of: Callable[[str], int]) -> list[Listener]:
        """Move each listener to a port of its own."""
        listeners: list[Listener] = []
        for each in gateway["spec"]["listeners"]:
            planned, each["port"] = each["port"], port_of(each["name"])
            listeners.append(Listener(each["name"], each["protocol"], each["port"], planned))
            self._tell(
                gateway, f"listener {each['name']}: port {planned} → {each['port']}", "free, and not privileged"
            )
        return listeners

    def on_proxy(self, objects: list[dict[str, Any]], gateway_class: dict[str, Any]) -> None:
        """Have Envoy run as a process of this machine; make the EnvoyProxy that says so where there is none."""
        proxies = [each for each in objects if each["kind"] == "EnvoyProxy"]
        for proxy in proxies:
            proxy.setdefault("spec", {})["provider"] = _host_provider()
            self._tell(proxy, "provider Host", "Envoy runs as a process, not as pods")
        if not gateway_class["spec"].get("parametersRef"):
            own = {"name": "seawall-host", "namespace": "default"}
            gateway_class["spec"]["parametersRef"] = {"group": ENVOY_GATEWAY_API, "kind": "EnvoyProxy", **own}
            objects.append(
                {
                    "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
                    "kind": "EnvoyProxy",
                    "metadata": own,
                    "spec": {"provider": _host_provider()},
                }
            )
            self._tell(gateway_class, "parametersRef to an EnvoyProxy of provider Host", "Envoy runs as a process")

    def marker(self, gateway: dict[str, Any], port: int, generation: int) -> list[dict[str, Any]]:
        """A listener of its own, whose route, backend and policy bear the generation; the others are not touched.

        Envoy has all of a generation when it has these: a listener, a route, a cluster and its endpoints. The route
        also names those of mirrors: Envoy Gateway 1.9.1 does not find one that only the mirror of a GRPCRoute names.
        """
        namespace, name = gateway["metadata"]["namespace"], f"{MARKER}-{generation}"
        listener = {
            "name": MARKER,
            "protocol": "HTTP",
            "port": port,
            "allowedRoutes": {"namespaces": {"from": "Same"}},
        }
        gateway["spec"]["listeners"].append(listener)
        self._tell(gateway, f"listener {MARKER}, with a route and a policy", "tells which generation Envoy runs")
        own = {"name": name, "namespace": namespace}
        gateway_reference = {"name": gateway["metadata"]["name"], "sectionName": MARKER}
        return [
            {
                "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
                "kind": "Backend",
                "metadata": own,
                "spec": {"endpoints": [{"ip": {"address": LOOPBACK, "port": _DISCARD_PORT}}]},
            },
            {
                "apiVersion": f"{GATEWAY_API}/v1",
                "kind": "HTTPRoute",
                "metadata": own,
                "spec": {
                    "parentRefs": [gateway_reference],
                    "rules": [{"backendRefs": [_backend(each) for each in (name, *sorted(self.mirrored))]}],
                },
            },
            {
                "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
                "kind": "ClientTrafficPolicy",
                "metadata": own,
                "spec": {
                    "targetRefs": [{"group": GATEWAY_API, "kind": "Gateway", **gateway_reference}],
                    "headers": {"earlyRequestHeaders": {"set": [{"name": MARKER, "value": name}]}},
                },
            },
        ]

    def on_loopback(self, gateway: dict[str, Any]) -> list[dict[str, Any]]:
        """Bind every listener of Envoy to loopback alone."""
        namespace, name = gateway["metadata"]["namespace"], gateway["metadata"]["name"]
        patch = {"op": "replace", "path": "/address/socket_address/address", "value": LOOPBACK}
        self._tell(gateway, "its listeners bound to loopback", "else they were open to the network")
        return [
            {
                "apiVersion": f"{ENVOY_GATEWAY_API}/v1alpha1",
                "kind": "EnvoyPatchPolicy",
                "metadata": {"name": f"seawall-loopback-{each['name']}", "namespace": namespace},
                "spec": {
                    "targetRef": {"group": GATEWAY_API, "kind": "Gateway", "name": name},
                    "type": "JSONPatch",
                    "jsonPatches": [
                        {
                            "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
                            "name": f"{namespace}/{name}/{each['name']}",
                            "operation": patch,
                        }
                    ],
                },
            }
            for each in gateway["spec"]["listeners"]
        ]

    def _tell(self, object_: Object, what: str, why: str) -> None:
        change = Change(describe(object_), what, why)
        if change not in self.changes:
            self.changes.append(change)


def _backend(name: str) -> dict[str, Any]:
    return {"group": ENVOY_GATEWAY_API, "kind": "Backend", "name": name}


def _host_provider() -> dict[str, Any]:
    return {"type": "Host", "host": {"envoyVersion": ENVOY}}


def _references(value: object) -> Iterable[dict[str, Any]]:
    """Every reference to a backend, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _REFERENCES:
                yield from ([inner] if isinstance(inner, dict) else inner or ())
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
