"""Routes through the door: a pure value that says where a service's requests go, and the objects made of it.

Only calls that may be repeated pass the door. Triton's inference has no side effect, so that a request which failed
may be asked again at another replica; a request of a *sequence* has one (the server keeps state for its id), and what
loads models, registers shared memory or sets logging and tracing changes the server. Those calls, and streams, which
cannot be repeated once they run, have no route: they are answered 404 (Triton's docs/protocol/ and
docs/user_guide/architecture.md "Stateful Models", read 2026-11-21).
A service that serves sequences sets `Routes.repeatable` to False: its requests are asked again only if they reached
no server.

HTTP and gRPC have host names of their own: an HTTPRoute and a GRPCRoute of one name on one listener exclude each
other (Gateway API 1.6.1, apis/v1/grpcroute_types.go: "MUST accept exactly one of these two routes").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from components.contracts import serving
from components.contracts.door import GATEWAY, LISTENER
from components.kubernetes.custom import Manifest, manifest

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
ENVOY_GATEWAY_GROUP: Final = "gateway.envoyproxy.io"
_NOT_STATS: Final = "[^/]{1,4}|[^/]{6,}|[^/s][^/]{4}|s[^/t][^/]{3}|st[^/a][^/]{2}|sta[^/t][^/]|stat[^/s]"
"""Every name but `stats`, in RE2, which has no negation: what Triton answers at `/v2/models/stats` are the statistics
of all models, which tell each client what the others ask (2.51.0, seen 2026-11-22)."""
HTTP_CALLS: Final = (
    ("POST", "/v2/models/[^/]+(/versions/[0-9]+)?/infer"),
    ("GET", f"/v2/models/([^/]+(/versions/[0-9]+)?/(ready|config)|[^/]+/versions/[0-9]+|{_NOT_STATS})"),
    ("GET", "/v2(/health/(live|ready))?"),
)
"""Method and path (RE2, the whole path) of each call that passes: all of them may be repeated."""
GRPC_SERVICE: Final = "inference.GRPCInferenceService"
GRPC_CALLS: Final = (
    "ModelInfer",
    "ModelReady",
    "ModelMetadata",
    "ModelConfig",
    "ServerLive",
    "ServerReady",
    "ServerMetadata",
)
"""Methods of Triton's gRPC service that pass."""


@dataclass(frozen=True)
class To:
    """A Kubernetes Service that takes requests, in the namespace of the fleet."""

    service: str
    weight: int = 1
    """Its share of the sum of all weights; 0 takes none."""
    set_response_headers: Mapping[str, str] = field(default_factory=dict)
    """Response headers that say which variant answered."""
    set_request_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HeaderMatch:
    """A request header that must be so."""

    name: str
    value: str
    kind: Literal["Exact", "RegularExpression"] = "Exact"


@dataclass(frozen=True)
class Mirror:
    """A share of the requests is copied to another Service, whose answers are dropped."""

    service: str
    percent: int = 100
    grpc: bool = True
    """Whether gRPC calls are copied too."""


@dataclass(frozen=True)
class Session:
    """A client stays with the variant that answered it first, by a cookie or a header that the door sets."""

    name: str
    kind: Literal["Cookie", "Header"] = "Cookie"
    seconds: int = 3600


@dataclass(frozen=True)
class Rule:
    """Requests that match go to these Services by weight. More specific rules win over less specific ones."""

    name: str
    to: Sequence[To]
    headers: Sequence[HeaderMatch] = ()
    mirrors: Sequence[Mirror] = ()
    set_request_headers: Mapping[str, str] = field(default_factory=dict)
    remove_request_headers: Sequence[str] = ()
    set_response_headers: Mapping[str, str] = field(default_factory=dict)
    fallback: str = ""
    """The service whose Backends (`fallback_backend`) are asked when the others fail; left out: none."""
    session: Session | None = None
    request_seconds: int | None = None
    """Seconds that a request may take; left out: the door's own."""
    attempt_seconds: int | None = None
    """Seconds that one attempt may take; left out: the door's own."""


@dataclass(frozen=True)
class Routes:
    """All routes of one service."""

    service: str
    rules: Sequence[Rule]
    repeatable: bool = True
    """Whether a request that may have reached a server may be asked again."""


def straight(service: str) -> Routes:
    """All requests to the service's one variant."""
    return Routes(service, (Rule("all", (To(service),)),))


def http_host(service: str, domain: str) -> str:
    """The name by which a service is asked over HTTP."""
    return f"{service}.{domain}"


def grpc_host(service: str, domain: str) -> str:
    """The name by which a service is asked over gRPC."""
    return f"{service}-grpc.{domain}"


def fallback_backend(service: str, port: int) -> str:
    """The name of the Envoy Gateway Backend that stands for the fallback of a service at a port."""
    return f"{service}-fallback-{'grpc' if port == serving.GRPC_PORT else 'http'}"


def http_matches(headers: Sequence[HeaderMatch] = ()) -> list[dict[str, Any]]:
    """The calls that pass over HTTP, each with these headers: for a route of ours or of a rollout's controller."""
    told = {"headers": _header_matches(headers)} if headers else {}
    return [
        {"path": {"type": "RegularExpression", "value": path}, "method": method, **told}
        for method, path in HTTP_CALLS
    ]


def grpc_matches(headers: Sequence[HeaderMatch] = ()) -> list[dict[str, Any]]:
    """The calls that pass over gRPC, each with these headers."""
    told = {"headers": _header_matches(headers)} if headers else {}
    return [{"method": {"type": "Exact", "service": GRPC_SERVICE, "method": name}, **told} for name in GRPC_CALLS]


def http_route(routes: Routes, domain: str) -> Manifest:
    """The HTTPRoute of a service."""
    rules = [
        {**_rule(rule, serving.HTTP_PORT), "matches": http_matches(rule.headers), **_timeouts(rule)}
        for rule in routes.rules
    ]
    return _route("HTTPRoute", routes, http_host(routes.service, domain), rules)


def grpc_route(routes: Routes, domain: str) -> Manifest:
    """The GRPCRoute of a service: it has no timeouts of its own (GRPCRouteRule of Gateway API 1.6.1), so the door's
    hold."""
    rules = [{**_rule(rule, serving.GRPC_PORT), "matches": grpc_matches(rule.headers)} for rule in routes.rules]
    return _route("GRPCRoute", routes, grpc_host(routes.service, domain), rules)


def parent() -> list[dict[str, Any]]:
    """What a route hangs on: the door's one listener."""
    return [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": GATEWAY, "sectionName": LISTENER}]


def _route(kind: str, routes: Routes, host: str, rules: list[dict[str, Any]]) -> Manifest:
    spec = {"parentRefs": parent(), "hostnames": [host], "rules": rules}
    labels = {"app.kubernetes.io/instance": routes.service, "app.kubernetes.io/part-of": "seawall"}
    return manifest(GATEWAY_API, kind, routes.service, spec, namespace=serving.NAMESPACE, labels=labels)


def _rule(rule: Rule, port: int) -> dict[str, Any]:
    filters = [
        *_header_filter("RequestHeaderModifier", rule.set_request_headers, rule.remove_request_headers),
        *_header_filter("ResponseHeaderModifier", rule.set_response_headers),
        *(_mirror(mirror, port) for mirror in rule.mirrors if mirror.grpc or port != serving.GRPC_PORT),
    ]
    told: dict[str, Any] = {"name": rule.name, "backendRefs": [_backend(to, port) for to in rule.to]}
    if rule.fallback:
        backend = {"group": ENVOY_GATEWAY_GROUP, "kind": "Backend", "name": fallback_backend(rule.fallback, port)}
        told["backendRefs"].append({**backend, "weight": 1})
    if filters:
        told["filters"] = filters
    if rule.session is not None:
        told["sessionPersistence"] = {
            "sessionName": rule.session.name,
            "type": rule.session.kind,
            "absoluteTimeout": f"{rule.session.seconds}s",
            **({"cookieConfig": {"lifetimeType": "Permanent"}} if rule.session.kind == "Cookie" else {}),
        }
    return told


def _backend(to: To, port: int) -> dict[str, Any]:
    filters = [
        *_header_filter("RequestHeaderModifier", to.set_request_headers),
        *_header_filter("ResponseHeaderModifier", to.set_response_headers),
    ]
    told: dict[str, Any] = {"group": "", "kind": "Service", "name": to.service, "port": port, "weight": to.weight}
    return {**told, "filters": filters} if filters else told


def _mirror(mirror: Mirror, port: int) -> dict[str, Any]:
    backend = {"group": "", "kind": "Service", "name": mirror.service, "port": port}
    return {"type": "RequestMirror", "requestMirror": {"backendRef": backend, "percent": mirror.percent}}


def _header_filter(kind: str, put: Mapping[str, str], removed: Sequence[str] = ()) -> list[dict[str, Any]]:
    if not put and not removed:
        return []
    told: dict[str, Any] = {}
    if put:
        told["set"] = [{"name": name, "value": value} for name, value in put.items()]
    if removed:
        told["remove"] = list(removed)
    return [{"type": kind, kind[0].lower() + kind[1:]: told}]


def _header_matches(headers: Sequence[HeaderMatch]) -> list[dict[str, str]]:
    return [{"type": header.kind, "name": header.name, "value": header.value} for header in headers]


def _timeouts(rule: Rule) -> dict[str, Any]:
    told = {"request": rule.request_seconds, "backendRequest": rule.attempt_seconds}
    found = {key: f"{seconds}s" for key, seconds in told.items() if seconds is not None}
    return {"timeouts": found} if found else {}
