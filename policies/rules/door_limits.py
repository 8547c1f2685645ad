"""What the fleet's door bounds: clients, sizes, times, and what clients may say of themselves."""

from __future__ import annotations

import re
from typing import Final

from components.contracts.door import RESERVED_PREFIXES
from policies.checks import ABSENT, PASS, all_of, equals, expect, failed, is_hidden, items, read, unknown, unreadable
from policies.examples import Given, Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.hanging import hanging
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import BACKEND_TRAFFIC as BACKENDS
from policies.tokens import CLIENT_TRAFFIC as CLIENTS
from policies.tokens import GATEWAY

family = Family("Limits at the door")

_RULES: Final = "spec.rateLimit.local.rules"
_BY_ADDRESS: Final = [{"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}]
_LIMITS: Final = {
    CLIENTS: ("spec.connection.connectionLimit.value", "spec.timeout.http.requestHeadersReceivedTimeout"),
    BACKENDS: (
        "spec.rateLimit.local.rules.0.limit.requests",
        "spec.rateLimit.local.rules.0.limit.unit",
        "spec.requestBuffer.limit",
        "spec.timeout.http.requestTimeout",
        "spec.circuitBreaker.maxParallelRequests",
        "spec.healthCheck.passive.baseEjectionTime",
    ),
}


def _clients() -> Given:
    told = {
        "spec.headers.earlyRequestHeaders.removeOnMatch": [
            {"type": "Prefix", "value": prefix} for prefix in RESERVED_PREFIXES
        ],
        "spec.connection.connectionLimit.value": 1000,
        "spec.timeout.http.requestHeadersReceivedTimeout": "10s",
    }
    return given(CLIENTS, told)


def _backends() -> Given:
    told = {
        "spec.rateLimit.local.rules": [
            {"clientSelectors": _BY_ADDRESS, "limit": {"requests": 3000, "unit": "Minute"}},
        ],
        "metadata.namespace": "serving",
        "spec.targetRefs": [{"kind": "Gateway", "name": "door"}],
        "spec.requestBuffer.limit": "8Mi",
        "spec.timeout.http.requestTimeout": "30s",
        "spec.circuitBreaker.maxParallelRequests": 1024,
        "spec.circuitBreaker.retryBudget.percent.numerator": 20,
        "spec.healthCheck.passive.baseEjectionTime": "30s",
        "spec.retry.retryOn.triggers": ["connect-failure", "gateway-error"],
    }
    return given(BACKENDS, told)


@family.rule(
    "k8s-door-limits",
    Severity.HIGH,
    "The door has limits for clients, sizes, times and services",
    types=(CLIENTS, BACKENDS),
    rationale="Without them one client, or one slow replica, takes the whole fleet down.",
    remedy="Keep fleet.door.limits and fleet.door.protection.",
    examples=lambda: examples(
        _backends(),
        _clients(),
        broken={f"{path} is absent": drop(path) for path in _LIMITS[BACKENDS]}
        | {
            'spec.timeout.http.requestTimeout is "0s"': put("spec.timeout.http.requestTimeout", "0s"),
            f"{_RULES}.0.clientSelectors is one count for all": drop(f"{_RULES}.0.clientSelectors"),
        },
    ),
)
def door_limits(policy: Resource, _: Inventory) -> Judgement:
    limits = [expect(policy, path, "a limit", _bounds) for path in _LIMITS[policy.type]]
    return all_of((*limits, *(_each_client(policy, rule) for rule in items(policy, _RULES))))


def _bounds(value: object) -> bool:
    """Whether a limit is one: 0 seconds stand for none at all (Envoy's route timeout)."""
    if isinstance(value, int | float):
        return value > 0
    return bool(value) and (not isinstance(value, str) or not re.fullmatch(r"0+(ms|s|m|h)?", value))


def _each_client(policy: Resource, rule: str) -> Judgement:
    required = "a selector that counts each client by itself (Distinct)"
    hidden = unreadable(policy, f"{rule}.clientSelectors", required)
    distinct = [
        read(policy, f"{path}.type") == "Distinct"
        for selector in items(policy, f"{rule}.clientSelectors")
        for path in (f"{selector}.sourceCIDR", *items(policy, f"{selector}.headers"))
    ]
    return hidden or (PASS if any(distinct) else failed(f"{rule}.clientSelectors", "one count for all", required))


@family.rule(
    "k8s-door-fenced",
    Severity.HIGH,
    "A Gateway takes routes of its own namespace alone, and has limits as a whole",
    types=(GATEWAY,),
    rationale="A route of another namespace, or a listener without limits, lets requests past what was reviewed.",
    remedy="Leave allowedRoutes at Same, and keep the BackendTrafficPolicy of the door.",
    examples=lambda: examples(
        given(
            GATEWAY,
            {
                "metadata.name": "door",
                "metadata.namespace": "serving",
                "spec.listeners.0.allowedRoutes.namespaces.from": "Same",
            },
        ),
        _backends(),
        broken={
            'spec.listeners.0.allowedRoutes.namespaces.from is "All"': put(
                "spec.listeners.0.allowedRoutes.namespaces.from", "All"
            ),
            "no policy of the Gateway has limits": (
                without(BACKENDS),
                put("spec.targetRefs.0.name", "other", on=BACKENDS),
                put("spec.targetRefs.0.kind", "HTTPRoute", on=BACKENDS),
                put("spec.targetRefs.0.sectionName", "https", on=BACKENDS),
            ),
        },
        undecided={"spec.listeners is known only to the provider": put("spec.listeners", Hidden())},
    ),
)
def door_fenced(gateway: Resource, inventory: Inventory) -> Judgement:
    listeners = list(items(gateway, "spec.listeners"))
    paths = [f"{listener}.allowedRoutes.namespaces.from" for listener in listeners]
    taken = [PASS if read(gateway, path) is ABSENT else equals(gateway, path, "Same") for path in paths]
    if not any(hanging(gateway, inventory, BACKENDS, whole=True)):
        taken.append(failed("", "no policy of the Gateway has limits", "a BackendTrafficPolicy for all of it"))
    return unreadable(gateway, "spec.listeners", "routes of its own namespace") or all_of(taken)


@family.rule(
    "k8s-door-reserved-headers",
    Severity.HIGH,
    "Clients cannot set the platform's own headers",
    types=(CLIENTS,),
    rationale="They say who a client is and which variant answers, and some steer Envoy itself.",
    remedy="Remove headers by their prefix before anything reads them.",
    examples=lambda: examples(
        _clients(),
        broken={
            f"{prefix} passes": put("spec.headers.earlyRequestHeaders.removeOnMatch.0.value", "x-other-")
            for prefix in RESERVED_PREFIXES[:1]
        }
        | {"x-seawall- and x-envoy- pass": drop("spec.headers")},
        undecided={"spec.headers is known only to the provider": put("spec.headers", Hidden())},
    ),
)
def door_reserved_headers(policy: Resource, _: Inventory) -> Judgement:
    required = "removed from requests as they come"
    if is_hidden(read(policy, "spec.headers")):
        return unknown("spec.headers", required)
    matches = list(items(policy, "spec.headers.earlyRequestHeaders.removeOnMatch"))
    removed = [read(policy, f"{m}.value") for m in matches if read(policy, f"{m}.type") == "Prefix"]
    left = [prefix for prefix in RESERVED_PREFIXES if prefix not in removed]
    return failed("", f"{' and '.join(left)} pass{'es' if len(left) == 1 else ''}", required) if left else PASS
