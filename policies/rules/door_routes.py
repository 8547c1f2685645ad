"""Routes of the door: on its own Gateway, under its own names, to the fleet's own Services and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.contracts.door import CLIENT_HEADER
from policies.checks import ABSENT, all_of, failed, is_hidden, items, read, shown
from policies.examples import Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.rules.door_calls import GRPC_ROUTE, HTTP_ROUTE
from policies.rules.door_listeners import DOMAIN, domain, named
from policies.shapes import Field, Shape, between, exactly, known_fields, lacking, lasting
from policies.tokens import CANARY, GATEWAY, GATEWAY_BACKEND, SERVICE

family = Family("Routes of the door")

_API: Final = "gateway.networking.k8s.io"
_METRICS_PORT: Final = 8002


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
        given(SERVICE, {"metadata.name": "led", "metadata.namespace": "serving", "spec.ports.0.port": 8000}, "led"),
        broken={
            'spec.parentRefs.0.name is "other"': put("spec.parentRefs.0.name", "other"),
            'spec.parentRefs.0.namespace is "default"': put("spec.parentRefs.0.namespace", "default"),
            'spec.parentRefs.0.kind is "Service"': put("spec.parentRefs.0.kind", "Service"),
            'spec.hostnames.0 is "*.models.example.com"': put("spec.hostnames", ["*.models.example.com"]),
            'spec.hostnames.0 is "tumour-risk.models.example.com"': setting(DOMAIN, "other.example.com"),
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
    judged = [known_fields(route, _of_route(route, inventory)), *lacking(route, "spec", ("hostnames", "parentRefs"))]
    for parent in items(route, "spec.parentRefs"):
        judged += lacking(route, parent, ("name",))
    rules = list(items(route, "spec.rules"))
    if not rules and not any(is_hidden(read(route, path)) for path in ("spec", "spec.rules")):
        judged.append(failed("spec.rules", shown(read(route, "spec.rules")), "one that leads to the fleet"))
    for rule in rules:
        judged += _weighing(route, rule)
        judged += _reached(route, rule, inventory)
    return all_of(judged)


def _weighing(route: Resource, rule: str) -> Iterator[Judgement]:
    path = f"{rule}.backendRefs"
    asked = read(route, path)
    if is_hidden(asked) or is_hidden(read(route, rule)):
        return
    told = [each for each in asked if isinstance(each, Mapping)] if isinstance(asked, list) else []
    weights = [each.get("weight", 1) for each in told]
    if not any(is_hidden(each) or str(each) != "0" for each in weights):
        yield failed("", f"{path} has no weight", "Services that answer")


def _reached(route: Resource, rule: str, inventory: Inventory) -> Iterator[Judgement]:
    """Whether each backend is named, at a port that its Service has."""
    ports = {
        str(read(each, "metadata.name")): _ports(each)
        for each in inventory.of_type(SERVICE)
        if read(each, "metadata.namespace") == read(route, "metadata.namespace")
    }
    for backend in items(route, f"{rule}.backendRefs"):
        kind = read(route, f"{backend}.kind")
        yield from lacking(route, backend, ("name", "port") if kind in (ABSENT, "Service") else ("name",))
        path, known = f"{backend}.port", ports.get(str(read(route, f"{backend}.name")))
        port = read(route, path)
        if known and port is not ABSENT and not is_hidden(port) and str(port) not in known | {str(_METRICS_PORT)}:
            yield failed(path, shown(port), "a port of the Service")


def _of_route(route: Resource, inventory: Inventory) -> Shape:
    namespace, own = read(route, "metadata.namespace"), domain(inventory)
    services = {
        str(read(each, "metadata.name"))
        for each in inventory.of_type(SERVICE)
        if read(each, "metadata.namespace") == namespace
    }
    known = services | named(inventory, GATEWAY_BACKEND) | _of_canaries(inventory)
    any_known = known or any(inventory.of_type(SERVICE))
    to: dict[str, Field | None] = {
        "group": exactly("", "gateway.envoyproxy.io"),
        "kind": exactly("Service", "Backend"),
        "name": ("a Service of the stack, in its namespace", lambda name: not any_known or name in known),
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
        "hostnames.*": ("one name of the door's domain", lambda name: _within(str(name), own)),
        "parentRefs.*.group": exactly(_API),
        "parentRefs.*.kind": exactly("Gateway"),
        "parentRefs.*.name": _beside(route, inventory),
        "parentRefs.*.sectionName": exactly("https"),
        **{f"rules.*.{path}": field for path, field in rule.items()},
    }


def _of_canaries(inventory: Inventory) -> set[str]:
    """The Services that Flagger makes of a canary."""
    names = {str(read(each, "spec.targetRef.name")) for each in inventory.of_type(CANARY)}
    return {f"{name}{end}" for name in names for end in ("", "-primary", "-canary")}


def _ports(service: Resource) -> set[str]:
    if any(is_hidden(read(service, path)) for path in ("spec", "spec.ports")):
        return {"known only to the provider"}
    return {str(read(service, f"{port}.port")) for port in items(service, "spec.ports")}


def _within(name: str, domain: str) -> bool:
    return "*" not in name and "." in name and (not domain or (name.endswith(f".{domain}") and name != f".{domain}"))


def _beside(route: Resource, inventory: Inventory) -> Field:
    """The name of a Gateway in the route's namespace."""
    namespace = read(route, "metadata.namespace")
    gates = [each for each in inventory.of_type(GATEWAY) if read(each, "metadata.namespace") == namespace]
    names = {str(read(each, "metadata.name")) for each in gates}
    return "a Gateway of the stack, in its namespace", lambda name: name in names


def _not_the_client() -> Field:
    return "not what says who the client is", lambda name: str(name).lower() != CLIENT_HEADER
