"""Where requests of a service go under rolling, shadow, A/B and bandits, with or without a fallback: pure functions.

A fallback lies in the same Envoy cluster as the service, one priority lower: a second attempt is made there. It is
an Envoy Gateway `Backend` at the cluster address of the fallback's Service: Envoy Gateway 1.9.1 gives a priority to
Backends only (internal/gatewayapi/route.go, `processBackendDestinationSetting`), and endpoints that are names, beside
others that are addresses, become clusters of their own, between which there are no attempts (internal/ir/xds.go,
`NeedsClusterPerSetting`; both read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from components.contracts import serving, variants
from components.contracts.bandit_specs import Bandit
from components.contracts.door import DoorSpec
from components.contracts.rollout_specs import BlueGreen
from components.contracts.services import ServiceSpec
from components.contracts.variant_specs import ABTest, FallbackSpec, Shadow
from components.kubernetes.custom import Manifest, manifest
from components.kubernetes.gateway.objects import ENVOY_GATEWAY_API, traffic
from components.kubernetes.routes import HeaderMatch, Mirror, Routes, Rule, To, fallback_backend
from components.kubernetes.variants.answers import Answering, answer_headers
from components.kubernetes.variants.experiment import context
from components.kubernetes.variants.scripts import ASSIGN, COUNT_FALLBACKS

TRIGGERS: Final[Mapping[str, tuple[str, ...]]] = {
    "unreachable": ("connect-failure", "refused-stream", "reset", "unavailable", "cancelled"),
    "server-error": ("5xx", "internal", "resource-exhausted", "deadline-exceeded"),
}
"""Kind of failure → Envoy's conditions for a further attempt, over HTTP and over gRPC."""
LATE: Final = ("reset", "deadline-exceeded")
"""An attempt that Envoy gave up because of its own time limit counts as reset."""
FALLBACK_RETRIES: Final = 2
"""The fallback, and then the service once more, whose own error a client is to see (Envoy's
`previous_priorities`: when all priorities were tried, it begins anew; seen on 1.39.1 and 1.40.0, 2026-11-22)."""


def recorder_service(service: str) -> str:
    """The Kubernetes Service of a shadow's recorder."""
    return f"{service}-recorder"


def answering(service: str, spec: ServiceSpec, challenger: str | None = None) -> Answering:
    """A variant of a service, as its answers tell of it; the stable one unless a challenger is named."""
    if challenger is None:
        return Answering(service, variants.STABLE, spec.release.version)
    return Answering(f"{service}-{challenger}", challenger, spec.challengers[challenger].release.version)


def fallback_of(service: str, fleet: Mapping[str, ServiceSpec]) -> Answering | None:
    """Who answers when a service does not.

    Args:
        fleet: its services by name.
    """
    asked = fleet[service].fallback
    if asked.service is not None:
        return answering(asked.service, fleet[asked.service])
    return None if asked.challenger is None else answering(service, fleet[service], asked.challenger)


def routes_of(service: str, fleet: Mapping[str, ServiceSpec]) -> Routes:
    """The routes of a service that are ours: all but a canary's."""
    spec, fallback = fleet[service], fallback_of(service, fleet)
    test = spec.traffic
    if isinstance(test, Bandit):
        return Routes(service, (Rule("all", first_shares(service, spec, test)),))
    if not isinstance(test, ABTest):
        live = test.live if isinstance(test, BlueGreen) and test.live != variants.STABLE else None
        own = answering(service, spec, live)
        return Routes(service, (_rule(service, "all", own, fallback, mirrors_of(service, spec)),))
    shown = (
        replace(_rule(service, name, answering(service, spec, name), fallback), headers=(_assigned(name),))
        for name in test.challengers
    )
    return Routes(service, (*shown, _rule(service, variants.STABLE, answering(service, spec), fallback)))


def _assigned(variant: str) -> HeaderMatch:
    """What the experiment's filter has put into the request."""
    return HeaderMatch(variants.VARIANT, variant)


def first_shares(service: str, spec: ServiceSpec, bandit: Bandit) -> tuple[To, ...]:
    """Where a bandit begins: the default variant has all that its ceiling allows, the others have the rest evenly.

    Its controller moves the weights from there (`traffic_weights`, whose `first_weights` are the same).
    """
    names = (variants.STABLE, *spec.challengers)
    others = [name for name in names if name != bandit.default]
    rest = 100 - min(bandit.ceiling_percent, 100 - bandit.floor_percent * len(others))
    shares = {name: rest // len(others) + (place < rest % len(others)) for place, name in enumerate(sorted(others))}
    own = (answering(service, spec, None if name == variants.STABLE else name) for name in names)
    return tuple(To(each.object, shares.get(each.variant, 100 - rest), each.headers) for each in own)


def _rule(
    service: str, name: str, own: Answering, fallback: Answering | None, mirrors: tuple[Mirror, ...] = ()
) -> Rule:
    other = None if fallback == own else fallback
    headers = answer_headers(service, own, other)
    return Rule(
        name, (To(own.object),), mirrors=mirrors, set_response_headers=headers, fallback=service if other else ""
    )


def mirrors_of(service: str, spec: ServiceSpec) -> tuple[Mirror, ...]:
    """The copies of a shadow: to the challenger, and to the recorder, which asks both variants over HTTP."""
    shadow = spec.traffic
    if not isinstance(shadow, Shadow):
        return ()
    copies = Mirror(answering(service, spec, shadow.challenger).object, shadow.percent)
    if not shadow.compare_percent:
        return (copies,)
    return (copies, Mirror(recorder_service(service), shadow.compare_percent, grpc=False))


def filters_of(service: str, spec: ServiceSpec) -> list[Manifest]:
    """The filters before and after the routes of a service: the experiment's, and the count of fallbacks."""
    filters: list[dict[str, Any]] = []
    if isinstance(spec.traffic, ABTest):
        filters.append({"type": "Inline", "inline": ASSIGN, "filterContext": context(spec.traffic)})
    if spec.fallback.answers:
        filters.append({"type": "Inline", "inline": COUNT_FALLBACKS})
    if not filters:
        return []
    told = {"targetRefs": _on_routes(service), "lua": filters}
    return [manifest(ENVOY_GATEWAY_API, "EnvoyExtensionPolicy", service, told, namespace=serving.NAMESPACE)]


def fallback_backends(service: str, address: Any) -> list[Manifest]:
    """What stands for the pods of the fallback of a service, over HTTP and gRPC.

    Args:
        address: the cluster address of the fallback's Service, or an output of it.
    """
    return [
        manifest(
            ENVOY_GATEWAY_API,
            "Backend",
            fallback_backend(service, port),
            {"fallback": True, "endpoints": [{"ip": {"address": address, "port": port}}]},
            namespace=serving.NAMESPACE,
        )
        for port in (serving.HTTP_PORT, serving.GRPC_PORT)
    ]


def fallback_policy(door: DoorSpec, service: str, fallback: FallbackSpec) -> Manifest:
    """How the door turns to the fallback; it takes the place of the whole policy of the Gateway."""
    told = traffic(door, repeatable=True)
    triggers = [trigger for kind in fallback.on for trigger in TRIGGERS[kind]]
    per_retry: dict[str, Any] = {
        "timeout": f"{door.retries.attempt_seconds}s",
        "backOff": {"baseInterval": "1ms", "maxInterval": "10ms"},
    }
    if fallback.after_ms is not None:
        triggers += LATE
        per_retry["timeout"] = f"{fallback.after_ms}ms"
    told["retry"] = {
        "numRetries": FALLBACK_RETRIES,
        "numAttemptsPerPriority": 1,
        "retryOn": {"triggers": list(dict.fromkeys(triggers))},
        "perRetry": per_retry,
    }
    # The budget spares a service its own retries. Here they go to another one, for each request if need be.
    told["circuitBreaker"] = {
        **told["circuitBreaker"],
        "retryBudget": {"percent": {"numerator": 100, "denominator": 100}, "minRetryConcurrency": 10},
    }
    spec = {"targetRefs": _on_routes(service), **told}
    return manifest(ENVOY_GATEWAY_API, "BackendTrafficPolicy", service, spec, namespace=serving.NAMESPACE)


def _on_routes(service: str) -> list[dict[str, str]]:
    return [
        {"group": "gateway.networking.k8s.io", "kind": kind, "name": service} for kind in ("HTTPRoute", "GRPCRoute")
    ]
