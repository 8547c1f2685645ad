"""The door's policies hold what rules know, within what the settings say."""

from __future__ import annotations

from typing import Any, Final

from components.contracts.door import CLIENT_HEADER
from policies.checks import all_of, failed, items, read
from policies.examples import Change, Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.shapes import Field, Shape, between, exactly, known_fields, lasting, number_of
from policies.shapes import setting as settled
from policies.tokens import BACKEND_TRAFFIC, CLIENT_TRAFFIC

family = Family("The door as the settings have it")

_RULES: Final = "spec.rateLimit.local.rules"
_TARGETS: Final[Shape] = {"targetRefs.*.group": exactly("gateway.networking.k8s.io"), "targetRefs.**": None}
_NAMES: Final = (CLIENT_HEADER, "x-forwarded-client-cert")
_MOST: Final = {
    "connections": 100_000,
    "requests_per_minute": 10_000_000,
    "request_mib": 64,
    "parallel_requests": 100_000,
    "pending_requests": 100_000,
    "request_seconds": 600,
}
"""The most that settings can ask for (components/contracts/door.py), where a stack shows none."""


def _most(inventory: Inventory, part: str, name: str) -> float:
    return number_of(inventory, _MOST[name], "fleet", "door", part, name)


def _asked(inventory: Inventory, part: str, name: str) -> Field:
    """What the settings ask for, or, where a stack shows none, no more than they can ask for."""
    told = settled(inventory, "fleet", "door", part, name)
    return exactly(told) if told is not None else between(1, _MOST[name])


def extra(path: str, value: Any, said: str) -> tuple[str, Change]:
    """An example's change, after what a finding says of it."""
    return f"{path} is {said}", put(path, value)


@family.rule(
    "k8s-door-clients-as-settled",
    Severity.HIGH,
    "What is asked of the door's clients is what rules know, within the settings",
    types=(CLIENT_TRAFFIC,),
    rationale="One field more believes what clients say of their address, keeps slow ones for ever, or takes what "
    "filters read differently from the fleet.",
    remedy="Change fleet.door.limits; for a new field, write down in the rule what it may hold.",
    examples=lambda: examples(
        given(CLIENT_TRAFFIC, {"spec.path.escapedSlashesAction": "RejectRequest"}, "settled"),
        broken=dict(
            (
                extra("spec.path.escapedSlashesAction", "KeepUnchanged", '"KeepUnchanged"'),
                extra("spec.clientIPDetection.xForwardedFor.numTrustedHops", 5, "5"),
                extra("spec.enableProxyProtocol", True, "true"),
                extra("spec.headers.withUnderscoresAction", "Allow", '"Allow"'),
                extra("spec.headers.xForwardedClientCert.mode", "ForwardOnly", '"ForwardOnly"'),
                extra("spec.connection.connectionLimit.value", 10**9, "1000000000"),
                extra("spec.timeout.http.idleTimeout", "0s", '"0s"'),
                extra("spec.tls.ciphers", ["ECDHE-RSA-AES128-SHA"], '["ECDHE-RSA-AES128-SHA"]'),
                extra("spec.tls.clientValidation.optional", True, "true"),
            )
        ),
        undecided={"spec.path is known only to the provider": put("spec.path", Hidden())},
        accepted={"": (drop("spec.path"), put("spec.http2.maxConcurrentStreams", 100))},
    ),
)
def door_clients_as_settled(policy: Resource, inventory: Inventory) -> Judgement:
    most = _most(inventory, "limits", "request_seconds")
    shape: Shape = {
        **_TARGETS,
        "tls.minVersion": exactly("1.2", "1.3"),
        "tls.maxVersion": exactly("1.2", "1.3"),
        "tls.alpnProtocols.*": exactly("h2", "http/1.1"),
        "tls.clientValidation.optional": exactly(False),
        "tls.clientValidation.caCertificateRefs.**": None,
        "tls.clientValidation.subjectAltNames.**": None,
        "headers.withUnderscoresAction": exactly("RejectRequest"),
        "headers.enableEnvoyHeaders": exactly(False),
        "headers.requestID": exactly("Generate"),
        "headers.earlyRequestHeaders.removeOnMatch.**": None,
        "headers.earlyRequestHeaders.remove.*": None,
        "headers.xForwardedClientCert.mode": exactly("Sanitize", "SanitizeSet"),
        "headers.xForwardedClientCert.certDetailsToAdd.*": None,
        "path.escapedSlashesAction": exactly("RejectRequest"),
        "path.disableMergeSlashes": exactly(False),
        "clientIPDetection.directSourceIP.**": None,
        "connection.connectionLimit.value": _asked(inventory, "limits", "connections"),
        "connection.connectionLimit.closeDelay": lasting(0, 60),
        "connection.connectionLimit.maxRequestsPerConnection": between(1, 10_000_000),
        "connection.bufferLimit": between(1024, 2**20),
        "http2.maxConcurrentStreams": between(1, 1024),
        "http2.onInvalidMessage": None,
        "timeout.tcp.tlsHandshakeTimeout": lasting(1, 60),
        "timeout.http.requestHeadersReceivedTimeout": lasting(1, 60),
        "timeout.http.requestReceivedTimeout": lasting(1, most),
        "timeout.http.idleTimeout": lasting(1, 3600),
        "timeout.http.streamIdleTimeout": lasting(1, most),
    }
    return known_fields(policy, shape)


@family.rule(
    "k8s-door-backends-as-settled",
    Severity.HIGH,
    "What spares the fleet at the door is what rules know, within the settings",
    types=(BACKEND_TRAFFIC,),
    rationale="A rate of a billion is no rate, a fault put in for a test fails each request, and a body without a "
    "bound fills the door's memory.",
    remedy="Change fleet.door.limits and fleet.door.protection; for a new field, write down what it may hold.",
    examples=lambda: examples(
        given(BACKEND_TRAFFIC, {"spec.loadBalancer.type": "LeastRequest"}, "settled"),
        broken=dict(
            (
                extra("spec.loadBalancer.type", "ConsistentHash", '"ConsistentHash"'),
                extra("spec.loadBalancer.zoneAware.preferLocal.percentageEnabled", 100, "100"),
                extra("spec.faultInjection.abort.percentage", 100, "100"),
                extra("spec.circuitBreaker.maxParallelRequests", 4294967295, "4294967295"),
                extra("spec.requestBuffer.limit", "10Gi", '"10Gi"'),
                extra("spec.timeout.http.requestTimeout", "24h", '"24h"'),
                extra("spec.healthCheck.panicThreshold", 0, "0"),
                extra("spec.healthCheck.passive.maxEjectionPercent", 100, "100"),
                extra("spec.rateLimit.type", "Global", '"Global"'),
            )
        )
        | {
            f"{_RULES}.0.limit.requests is 1000000000": put(
                _RULES, [{"clientSelectors": [_BY_ADDRESS], "limit": {"requests": 10**9, "unit": "Minute"}}]
            ),
            f"{_RULES} bounds nobody without a name": put(
                _RULES,
                [
                    {
                        "clientSelectors": [{"headers": [{"type": "Distinct", "name": CLIENT_HEADER}]}],
                        "limit": {"requests": 10, "unit": "Minute"},
                    }
                ],
            ),
        },
        undecided={"spec.loadBalancer is known only to the provider": put("spec.loadBalancer", Hidden())},
        accepted={"": (drop("spec.loadBalancer"), put("spec.circuitBreaker.maxParallelRequests", 10))},
    ),
)
def door_backends_as_settled(policy: Resource, inventory: Inventory) -> Judgement:
    most = _most(inventory, "limits", "request_seconds")
    rates: dict[str, Field | None] = {
        "clientSelectors.*.headers.*.type": exactly("Distinct", "RegularExpression"),
        "clientSelectors.*.headers.*.name": exactly(*_NAMES),
        "clientSelectors.*.headers.*.value": exactly(".+"),
        "clientSelectors.*.headers.*.invert": exactly(True),
        "clientSelectors.*.sourceCIDR.type": exactly("Distinct"),
        "clientSelectors.*.sourceCIDR.value": exactly("0.0.0.0/0"),
        "limit.requests": between(1, _most(inventory, "limits", "requests_per_minute")),
        "limit.unit": exactly("Minute"),
    }
    shape: Shape = {
        **_TARGETS,
        "loadBalancer.type": exactly("LeastRequest", "RoundRobin", "Random"),
        # Keeps the releases of a canary apart, and prefers no zone.
        "loadBalancer.zoneAware.preferLocal.percentageEnabled": exactly(0),
        **{f"rateLimit.local.rules.*.{path}": field for path, field in rates.items()},
        "requestBuffer.limit": between(1, 2**20 * _most(inventory, "limits", "request_mib")),
        "timeout.tcp.connectTimeout": lasting(0.1, 60),
        "timeout.http.requestTimeout": lasting(0, most),
        "timeout.http.connectionIdleTimeout": lasting(1, 3600),
        "timeout.http.maxConnectionDuration": lasting(1, 86400),
        "circuitBreaker.maxParallelRequests": _asked(inventory, "protection", "parallel_requests"),
        "circuitBreaker.maxPendingRequests": _asked(inventory, "protection", "pending_requests"),
        "circuitBreaker.retryBudget.**": None,
        "healthCheck.panicThreshold": between(1, 99),
        "healthCheck.passive.interval": lasting(1, 60),
        "healthCheck.passive.baseEjectionTime": lasting(1, 600),
        "healthCheck.passive.maxEjectionPercent": between(1, 90),
        "healthCheck.passive.consecutiveGatewayErrors": between(1, 100),
        "healthCheck.passive.consecutiveLocalOriginFailures": between(1, 100),
        "healthCheck.passive.consecutive5XxErrors": between(0, 100),
        "healthCheck.passive.splitExternalLocalOriginErrors": None,
        "tcpKeepalive.**": None,
        "retry.**": None,
    }
    rules = [each for path in items(policy, _RULES) for each in items(policy, f"{path}.clientSelectors")]
    unnamed = any(isinstance(read(policy, f"{each}.sourceCIDR"), dict) for each in rules)
    judged = [known_fields(policy, shape)]
    if rules and not unnamed:
        judged.append(failed("", f"{_RULES} bounds nobody without a name", "a rate by address for whoever has none"))
    return all_of(judged)


_BY_ADDRESS: Final = {"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}
