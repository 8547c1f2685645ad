"""Listeners and routes of the door: TLS under its own names, to the fleet's own Services and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.contracts.door import CLIENT_HEADER
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, items, read
from policies.examples import Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.services import SERVICE
from policies.shapes import Field, Shape, between, exactly, known_fields, lasting
from policies.shapes import setting as settled
from policies.tokens import ENVOY_PROXY

family = Family("Listeners and routes of the door")

GATEWAY: Final = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
CLASS: Final = "kubernetes:gateway.networking.k8s.io/v1:GatewayClass"
HTTP_ROUTE: Final = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
GRPC_ROUTE: Final = "kubernetes:gateway.networking.k8s.io/v1:GRPCRoute"
BACKEND: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:Backend"
CERTIFICATE: Final = "kubernetes:cert-manager.io/v1:Certificate"
_API: Final = "gateway.networking.k8s.io"
_METRICS_PORT: Final = 8002
_HEADER_FILTERS: Final = ("requestHeaderModifier", "responseHeaderModifier")
_DOMAIN: Final = "fleet.door.domain"


def _domain(inventory: Inventory) -> str:
    return str(settled(inventory, "fleet", "door", "domain") or "")


def _named(inventory: Inventory, token: str) -> set[str]:
    return {str(read(each, "metadata.name")) for each in inventory.of_type(token)}


def _made(inventory: Inventory, token: str, what: str) -> Field:
    """A name of an object that the stack makes; any, where it makes none of the kind."""
    names = _named(inventory, token)
    return f"{what} of the stack", lambda value: not names or value in names


@family.rule(
    "k8s-door-listeners",
    Severity.CRITICAL,
    "The door listens with TLS, under its own names, with its own certificate, as its own proxy",
    types=(GATEWAY, CLASS),
    rationale="A second listener, a wider name or another namespace's certificate is a second door, which none of "
    "the policies was reviewed for.",
    remedy="Build it by components.kubernetes.gateway.objects: one HTTPS listener under the domain of the settings.",
    examples=lambda: examples(
        given(
            GATEWAY,
            {
                "metadata.name": "listening",
                "metadata.namespace": "serving",
                "spec.listeners.0": {
                    "name": "https",
                    "protocol": "HTTPS",
                    "port": 443,
                    "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": "door-certificate"}]},
                },
            },
            "listening",
        ),
        broken={
            "spec.listeners.0.port is 8443": put("spec.listeners.0.port", 8443),
            'spec.listeners.0.tls.certificateRefs.0.namespace is "default"': put(
                "spec.listeners.0.tls.certificateRefs.0.namespace", "default"
            ),
            'spec.listeners.0.hostname is "*.com"': put("spec.listeners.0.hostname", "*.com"),
            'spec.listeners.0.allowedRoutes.kinds is [{"kind": "TCPRoute"}]': put(
                "spec.listeners.0.allowedRoutes.kinds", [{"kind": "TCPRoute"}]
            ),
            'spec.allowedListeners.namespaces.from is "All"': put("spec.allowedListeners.namespaces.from", "All"),
            "spec.listeners.0.tls.certificateRefs is absent": put("spec.listeners.0.tls.certificateRefs", []),
            "spec.listeners is []": put("spec.listeners", []),
            "spec.listeners.0.hostname is absent": setting(_DOMAIN, "models.example.com"),
        },
        undecided={"spec.listeners.0.port is known only to the provider": put("spec.listeners.0.port", Hidden())},
        accepted={"": put("spec.listeners.0.hostname", "*.models.example.com")},
    ),
)
def door_listeners(found: Resource, inventory: Inventory) -> Judgement:
    if found.type == CLASS:
        return known_fields(found, _of_class(inventory))
    domain = _domain(inventory)
    judged = [known_fields(found, _of_gateway(domain))]
    listeners = list(items(found, "spec.listeners"))
    if read(found, "spec.listeners") == []:
        judged.append(failed("spec.listeners", "[]", "the door's one listener"))
    for listener in listeners:
        if not isinstance(read(found, listener), Mapping):
            continue
        for path in (f"{listener}.tls.certificateRefs", f"{listener}.hostname"):
            told = read(found, path)
            if told in ([], "") or (domain and not isinstance(told, list | str)):
                judged.append(failed(path, "absent", "named"))
    return all_of(judged)


def _of_gateway(domain: str) -> Shape:
    host = exactly(f"*.{domain}") if domain else ("a name of three parts or more", _narrow)
    listener: dict[str, Field | None] = {
        "name": ("named", bool),
        "protocol": None,
        "port": exactly(443),
        "hostname": host,
        "tls.mode": None,
        "tls.certificateRefs.*.group": exactly(""),
        "tls.certificateRefs.*.kind": exactly("Secret"),
        "tls.certificateRefs.*.name": ("named", bool),
        "allowedRoutes.namespaces.from": None,
    }
    return {
        "gatewayClassName": None,
        "addresses.**": None,
        "infrastructure.annotations.**": None,
        **{f"listeners.*.{path}": field for path, field in listener.items()},
    }


def _narrow(name: object) -> bool:
    return len([part for part in str(name).split(".") if part not in ("", "*")]) >= 3


def _of_class(inventory: Inventory) -> Shape:
    return {
        "controllerName": None,
        "description": None,
        "parametersRef.group": exactly("gateway.envoyproxy.io"),
        "parametersRef.kind": exactly("EnvoyProxy"),
        "parametersRef.name": _made(inventory, ENVOY_PROXY, "an EnvoyProxy"),
        "parametersRef.namespace": ("named", bool),
    }


@family.rule(
    "k8s-routes-lead-to-the-fleet",
    Severity.CRITICAL,
    "Routes hang on the stack's own door, under its names, and lead to the fleet's own Services",
    types=(HTTP_ROUTE, GRPC_ROUTE),
    rationale="A route to another Gateway goes past the door's policies; one to another namespace, or a copy of the "
    "requests, takes patients' data elsewhere.",
    remedy="Build it by components.kubernetes.routes.",
    examples=lambda: examples(
        given(
            HTTP_ROUTE,
            {
                "metadata.namespace": "serving",
                "metadata.name": "leading",
                "spec.hostnames": ["tumour-risk.models.example.com"],
                "spec.parentRefs.0": {"group": _API, "kind": "Gateway", "name": "listening", "sectionName": "https"},
                "spec.rules.0.backendRefs.0": {"kind": "Service", "name": "led", "port": 8000, "weight": 1},
            },
            "leading",
        ),
        given(GATEWAY, {"metadata.name": "listening", "metadata.namespace": "serving"}, "listening"),
        given(SERVICE, {"metadata.name": "led", "metadata.namespace": "serving"}, "led"),
        broken={
            'spec.parentRefs.0.name is "other"': put("spec.parentRefs.0.name", "other"),
            'spec.parentRefs.0.namespace is "default"': put("spec.parentRefs.0.namespace", "default"),
            'spec.parentRefs.0.kind is "Service"': put("spec.parentRefs.0.kind", "Service"),
            'spec.hostnames.0 is "*.models.example.com"': put("spec.hostnames", ["*.models.example.com"]),
            'spec.hostnames.0 is "tumour-risk.models.example.com"': setting(_DOMAIN, "other.example.com"),
            "spec.hostnames is absent": drop("spec.hostnames"),
            "spec.parentRefs is absent": drop("spec.parentRefs"),
            "spec.rules.0.backendRefs has no weight": (
                put("spec.rules.0.backendRefs", []),
                put("spec.rules.0.backendRefs.0.weight", 0),
            ),
            'spec.rules.0.backendRefs.0.namespace is "default"': put(
                "spec.rules.0.backendRefs.0.namespace", "default"
            ),
            'spec.rules.0.backendRefs.0.name is "gone"': put("spec.rules.0.backendRefs.0.name", "gone"),
            "spec.rules.0.backendRefs.0.port is 8002": put("spec.rules.0.backendRefs.0.port", 8002),
            'spec.rules.0.filters.0.urlRewrite.hostname is "a"': put(
                "spec.rules.0.filters", [{"type": "ResponseHeaderModifier", "urlRewrite": {"hostname": "a"}}]
            ),
            'spec.rules.0.filters.0.requestMirror.backendRef.name is "gone"': put(
                "spec.rules.0.filters", [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "gone"}}}]
            ),
            f'spec.rules.0.filters.0.requestHeaderModifier.remove.0 is "{CLIENT_HEADER}"': put(
                "spec.rules.0.filters",
                [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": [CLIENT_HEADER]}}],
            ),
            'spec.rules.0.timeouts.request is "24h"': put("spec.rules.0.timeouts.request", "24h"),
        },
        undecided={"spec.rules is known only to the provider": put("spec.rules", Hidden())},
    ),
)
def routes_lead_to_the_fleet(route: Resource, inventory: Inventory) -> Judgement:
    judged = [known_fields(route, _of_route(route, inventory))]
    needed = ("spec.hostnames", "spec.parentRefs")
    if _domain(inventory) or any(read(route, path) is not ABSENT for path in needed):
        judged += [failed(path, "absent", "named") for path in needed if read(route, path) in (ABSENT, [], "")]
    judged += _weighing(route, _domain(inventory))
    return all_of(judged)


def _weighing(route: Resource, domain: str) -> Iterator[Judgement]:
    for rule in items(route, "spec.rules"):
        path = f"{rule}.backendRefs"
        asked = read(route, path)
        if is_hidden(asked) or (asked is ABSENT and not domain) or not isinstance(read(route, rule), Mapping):
            continue
        weights = (
            [each.get("weight", 1) for each in asked if isinstance(each, Mapping)] if isinstance(asked, list) else []
        )
        if not any(is_hidden(each) or each not in (0, "0") for each in weights):
            yield failed("", f"{path} has no weight", "Services that answer")
        else:
            yield PASS


def _of_route(route: Resource, inventory: Inventory) -> Shape:
    namespace, domain = read(route, "metadata.namespace"), _domain(inventory)
    services = {
        str(read(each, "metadata.name"))
        for each in inventory.of_type(SERVICE)
        if read(each, "metadata.namespace") == namespace
    }
    known = services | _named(inventory, BACKEND)
    to: dict[str, Field | None] = {
        "group": exactly("", "gateway.envoyproxy.io"),
        "kind": exactly("Service", "Backend"),
        "name": ("a Service of the stack, in its namespace", lambda name: not known or name in known),
        "port": ("a port for requests", lambda port: str(port) != str(_METRICS_PORT)),
        "weight": ("a weight that the plan knows", lambda _: True),
    }
    headers: dict[str, Field | None] = {
        "requestHeaderModifier.set.*.name": _not_the_client(),
        "requestHeaderModifier.set.*.value": None,
        "requestHeaderModifier.remove.*": _not_the_client(),
        "responseHeaderModifier.**": None,
    }
    kinds = exactly("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror")
    rule: dict[str, Field | None] = {
        "name": None,
        "matches.**": None,
        "retry.**": None,
        "sessionPersistence.**": None,
        "timeouts.request": lasting(0, 600),
        "timeouts.backendRequest": lasting(0, 600),
        **{f"backendRefs.*.{path}": field for path, field in to.items()},
        "backendRefs.*.filters.*.type": exactly("RequestHeaderModifier", "ResponseHeaderModifier"),
        **{f"backendRefs.*.filters.*.{path}": field for path, field in headers.items()},
        "filters.*.type": kinds,
        **{f"filters.*.{path}": field for path, field in headers.items()},
        **{f"filters.*.requestMirror.backendRef.{path}": field for path, field in to.items() if path != "weight"},
        "filters.*.requestMirror.percent": between(0, 100),
    }
    return {
        "hostnames.*": ("one name of the door's domain", lambda name: _within(str(name), domain)),
        "parentRefs.*.group": exactly(_API),
        "parentRefs.*.kind": exactly("Gateway"),
        "parentRefs.*.name": _made(inventory, GATEWAY, "a Gateway"),
        "parentRefs.*.sectionName": exactly("https"),
        **{f"rules.*.{path}": field for path, field in rule.items()},
    }


def _within(name: str, domain: str) -> bool:
    return "*" not in name and (not domain or (name.endswith(f".{domain}") and name != f".{domain}"))


def _not_the_client() -> Field:
    return "not what says who the client is", lambda name: str(name).lower() != CLIENT_HEADER
