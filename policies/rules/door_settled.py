"""The door's policies, its proxy and its certificate hold what rules know, within what the settings say."""

from __future__ import annotations

from typing import Any, Final

from components.contracts.door import CLIENT_HEADER
from policies.checks import all_of, failed, items, read
from policies.examples import Change, Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.shapes import Field, Shape, between, exactly, known_fields, lasting, number_of
from policies.shapes import setting as settled
from policies.tokens import BACKEND_TRAFFIC, CLIENT_TRAFFIC, ENVOY_PROXY

family = Family("The door as the settings have it")

SECURITY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy"
CERTIFICATE: Final = "kubernetes:cert-manager.io/v1:Certificate"
_RULES: Final = "spec.rateLimit.local.rules"
_ENVOY: Final = "spec.provider.kubernetes"
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


def _extra(path: str, value: Any, said: str) -> tuple[str, Change]:
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
                _extra("spec.path.escapedSlashesAction", "KeepUnchanged", '"KeepUnchanged"'),
                _extra("spec.clientIPDetection.xForwardedFor.numTrustedHops", 5, "5"),
                _extra("spec.enableProxyProtocol", True, "true"),
                _extra("spec.headers.withUnderscoresAction", "Allow", '"Allow"'),
                _extra("spec.headers.xForwardedClientCert.mode", "ForwardOnly", '"ForwardOnly"'),
                _extra("spec.connection.connectionLimit.value", 10**9, "1000000000"),
                _extra("spec.timeout.http.idleTimeout", "0s", '"0s"'),
                _extra("spec.tls.ciphers", ["ECDHE-RSA-AES128-SHA"], '["ECDHE-RSA-AES128-SHA"]'),
                _extra("spec.tls.clientValidation.optional", True, "true"),
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
                _extra("spec.loadBalancer.type", "ConsistentHash", '"ConsistentHash"'),
                _extra("spec.faultInjection.abort.percentage", 100, "100"),
                _extra("spec.circuitBreaker.maxParallelRequests", 4294967295, "4294967295"),
                _extra("spec.requestBuffer.limit", "10Gi", '"10Gi"'),
                _extra("spec.timeout.http.requestTimeout", "24h", '"24h"'),
                _extra("spec.healthCheck.panicThreshold", 0, "0"),
                _extra("spec.healthCheck.passive.maxEjectionPercent", 100, "100"),
                _extra("spec.rateLimit.type", "Global", '"Global"'),
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


@family.rule(
    "k8s-door-tokens-as-settled",
    Severity.CRITICAL,
    "The door asks for the tokens that the settings name, and for nothing that weakens them",
    types=(SECURITY,),
    rationale="One more audience, another issuer or another's keys let in whoever that issuer knows; a claim that "
    "clients choose makes their limits their own.",
    remedy="Change fleet.door.authentication; for a new field, write down in the rule what it may hold.",
    examples=lambda: examples(
        given(
            SECURITY, {"spec.jwt.providers.0.claimToHeaders.0": {"claim": "sub", "header": CLIENT_HEADER}}, "asked"
        ),
        broken=dict(
            (
                _extra("spec.cors.allowOrigins", ["*"], '["*"]'),
                _extra("spec.authorization.defaultAction", "Allow", '"Allow"'),
                _extra("spec.jwt.providers.0.claimToHeaders.0.header", "x-other", '"x-other"'),
            )
        )
        | {
            "spec.jwt.providers.0.issuer is absent": setting(
                "fleet.door.authentication", {"kind": "jwt", "issuer": "https://login.example.com"}
            )
        },
        undecided={"spec.jwt is known only to the provider": put("spec.jwt", Hidden())},
        accepted={"": drop("spec.jwt")},
    ),
)
def door_tokens_as_settled(policy: Resource, inventory: Inventory) -> Judgement:
    asked = settled(inventory, "fleet", "door", "authentication")
    asked = asked if isinstance(asked, dict) and asked.get("kind") == "jwt" else {}
    audiences = asked.get("audiences")
    issuer, keys, claim = asked.get("issuer"), asked.get("keys"), asked.get("client_claim")
    provider: dict[str, Field | None] = {
        "name": None,
        "issuer": exactly(issuer) if issuer else None,
        "audiences.*": exactly(*audiences) if audiences else None,
        "claimToHeaders.*.claim": exactly(claim) if claim else None,
        "claimToHeaders.*.header": exactly(CLIENT_HEADER),
        "extractFrom.headers.*.name": exactly("Authorization"),
        "extractFrom.headers.*.valuePrefix": exactly("Bearer "),
        "localJWKS.type": exactly("Inline"),
        "localJWKS.inline": exactly(keys) if keys else None,
        "remoteJWKS.uri": None,
        "extractFrom.params.*": None,
        "remoteJWKS.cacheDuration": lasting(1, 86400),
    }
    shape: Shape = {
        **_TARGETS,
        "jwt.optional": None,
        "jwt.failOpen": None,
        **{f"jwt.providers.*.{path}": field for path, field in provider.items()},
    }
    judged = [known_fields(policy, shape)]
    needed = [
        path
        for path, said in {
            "issuer": issuer,
            "claimToHeaders.0.claim": claim,
            "localJWKS.inline": keys,
            "audiences.0": audiences,
        }.items()
        if said
    ]
    for one in items(policy, "spec.jwt.providers"):
        judged += [failed(f"{one}.{p}", "absent", "as settled") for p in needed if not _there(policy, f"{one}.{p}")]
    return all_of(judged)


def _there(found: Resource, path: str) -> bool:
    value = read(found, path)
    return isinstance(value, str) and bool(value)


@family.rule(
    "k8s-envoy-as-known",
    Severity.HIGH,
    "The door's Envoy is told what rules know, and tells only the stack's own",
    types=(ENVOY_PROXY,),
    rationale="A bootstrap, an argument or a patch changes each filter behind the policies; a log sent elsewhere "
    "tells who asked what; without a log nobody can say afterwards.",
    remedy="Build it by components.kubernetes.gateway.objects; for a new field, write down what it may hold.",
    examples=lambda: examples(
        given(ENVOY_PROXY, {"spec.provider.type": "Kubernetes"}, "told"),
        broken=dict(
            (
                _extra("spec.provider.type", "Host", '"Host"'),
                _extra("spec.extraArgs", ["--disable-extensions", "a"], '["--disable-extensions", "a"]'),
                _extra("spec.mergeGateways", True, "true"),
                _extra(f"{_ENVOY}.envoyService.externalTrafficPolicy", "Cluster", '"Cluster"'),
                _extra(f"{_ENVOY}.envoyService.loadBalancerIP", "203.0.113.7", '"203.0.113.7"'),
                _extra("spec.telemetry.tracing.provider.host", "203.0.113.9", '"203.0.113.9"'),
                _extra("spec.telemetry.accessLog.disable", True, "true"),
                _extra("spec.telemetry.metrics.prometheus.disable", True, "true"),
            )
        )
        | {
            "spec.telemetry.accessLog.settings has no log of all requests": (
                setting("fleet.door.domain", "models.example.com"),
                put("spec.telemetry.accessLog.settings", [{"matches": ["false"]}]),
            )
        },
        undecided={"spec.telemetry is known only to the provider": put("spec.telemetry", Hidden())},
        accepted={"": drop("spec.provider")},
    ),
)
def envoy_as_known(proxy: Resource, inventory: Inventory) -> Judgement:
    notes = (
        "service.beta.kubernetes.io/aws-load-balancer-additional-resource-tags",
        "service.beta.kubernetes.io/aws-load-balancer-cross-zone-load-balancing-enabled",
        "service.beta.kubernetes.io/aws-load-balancer-internal",
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        "service.beta.kubernetes.io/aws-load-balancer-type",
        "networking.gke.io/load-balancer-type",
        "cloud.google.com/l4-rbs",
    )
    pod = "envoyDeployment"
    kubernetes: dict[str, Field | None] = {
        f"{pod}.replicas": between(1, 100),
        f"{pod}.name": None,
        f"{pod}.patch.**": None,
        "envoyService.patch.**": None,
        "envoyPDB.patch.**": None,
        f"{pod}.strategy.type": exactly("RollingUpdate"),
        f"{pod}.strategy.rollingUpdate.**": None,
        f"{pod}.pod.priorityClassName": None,
        f"{pod}.pod.topologySpreadConstraints.**": None,
        f"{pod}.pod.securityContext.**": None,
        f"{pod}.container.image": None,
        f"{pod}.container.resources.**": None,
        f"{pod}.container.securityContext.**": None,
        "envoyPDB.**": None,
        "envoyService.type": None,
        "envoyService.name": None,
        "envoyService.externalTrafficPolicy": exactly("Local"),
        "envoyService.loadBalancerClass": None,
        "envoyService.loadBalancerSourceRanges.**": None,
        "envoyService.annotations": (
            f"none but {', '.join(notes)}",
            lambda told: all(each in notes for each in told),
        ),
    }
    shape: Shape = {
        "provider.type": exactly("Kubernetes"),
        **{f"provider.kubernetes.{path}": field for path, field in kubernetes.items()},
        "bootstrap.**": None,
        "routingType": exactly("Endpoint", "Service"),
        "shutdown.drainTimeout": lasting(0, 900),
        "shutdown.minDrainDuration": lasting(1, 600),
        "telemetry.accessLog.disable": exactly(False),
        "telemetry.accessLog.settings.*.format.type": None,
        "telemetry.accessLog.settings.*.format.json": (
            "no token, no cookie",
            lambda told: (
                not any(
                    secret in str(text).upper() for text in told.values() for secret in ("AUTHORIZATION", "COOKIE")
                )
            ),
        ),
        "telemetry.accessLog.settings.*.matches.*": None,
        "telemetry.accessLog.settings.*.sinks.*.type": exactly("File"),
        "telemetry.accessLog.settings.*.sinks.*.file.path": exactly("/dev/stdout", "/dev/stderr"),
        "telemetry.metrics.prometheus.disable": exactly(False),
        "telemetry.metrics.prometheus.compression.**": None,
    }
    judged = [known_fields(proxy, shape)]
    logs = list(items(proxy, "spec.telemetry.accessLog.settings"))
    whole = any(not isinstance(read(proxy, f"{each}.matches"), list | str) for each in logs)
    if (logs or settled(inventory, "fleet", "door", "domain")) and not whole:
        lacks = "spec.telemetry.accessLog.settings has no log of all requests"
        judged.append(failed("", lacks, "a line for each request"))
    return all_of(judged)


@family.rule(
    "k8s-certificates-sound",
    Severity.HIGH,
    "Certificates are short-lived, for the door's own names, with strong keys that change",
    types=(CERTIFICATE,),
    rationale="A certificate of ten years, for every name or with the right to sign is worth stealing; one that is "
    "renewed at the last minute, or by another issuer, shuts the door.",
    remedy="Build it by components.kubernetes.gateway.objects, and change fleet.door.certificate.",
    examples=lambda: examples(
        given(
            CERTIFICATE, {"spec.privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}}, "own"
        ),
        broken=dict(
            (
                _extra("spec.duration", "87600h", '"87600h"'),
                _extra("spec.renewBefore", "1m", '"1m"'),
                _extra("spec.privateKey.size", 1024, "1024"),
                _extra("spec.privateKey.rotationPolicy", "Never", '"Never"'),
                _extra("spec.isCA", True, "true"),
                _extra("spec.usages", ["cert sign"], '["cert sign"]'),
                _extra("spec.secretTemplate.annotations.a", "b", '"b"'),
                _extra("spec.dnsNames", ["*.com"], '["*.com"]'),
            )
        )
        | {
            "spec.dnsNames is absent": setting("fleet.door.domain", "models.example.com"),
            "spec.privateKey.rotationPolicy is absent": drop("spec.privateKey.rotationPolicy"),
        },
        undecided={"spec.privateKey.size is known only to the provider": put("spec.privateKey.size", Hidden())},
        accepted={"": put("spec.duration", "2160h")},
    ),
)
def certificates_sound(certificate: Resource, inventory: Inventory) -> Judgement:
    door = settled(inventory, "fleet", "door")
    door = door if isinstance(door, dict) else {}
    domain, asked = door.get("domain"), door.get("certificate")
    asked = asked if isinstance(asked, dict) else {}
    issuer = {part: asked.get(name) for part, name in (("name", "issuer"), ("kind", "issuer_kind"))}
    usages = ("digital signature", "server auth", "key encipherment")
    shape: Shape = {
        "secretName": exactly("door-certificate"),
        "dnsNames": (
            f"*.{domain} alone" if domain else "names of three parts or more",
            lambda names: (
                bool(names)
                and all(n == f"*.{domain}" if domain else len(n.removeprefix("*.").split(".")) > 2 for n in names)
            ),
        ),
        "duration": lasting(3600, 398 * 86400),
        "renewBefore": lasting(86400, 398 * 86400),
        "usages": (f"none but {', '.join(usages)}", lambda found: all(each in usages for each in found)),
        "privateKey.algorithm": exactly("ECDSA", "RSA"),
        "privateKey.size": (
            "256 or more of ECDSA, 2048 or more of RSA",
            lambda size: int(size) in ((256, 384) if _ecdsa(certificate) else (2048, 3072, 4096)),
        ),
        "privateKey.rotationPolicy": exactly("Always"),
        "isCA": exactly(False),
        "issuerRef.group": None,
        "issuerRef.kind": exactly(issuer["kind"]) if issuer["kind"] else None,
        "issuerRef.name": exactly(issuer["name"]) if issuer["name"] else None,
    }
    judged = [known_fields(certificate, shape)]
    needed = ("privateKey.rotationPolicy", *(("dnsNames",) if domain else ()))
    for path in (f"spec.{each}" for each in needed):
        if not isinstance(read(certificate, path), str | list):
            judged.append(failed(path, "absent", "said"))
    return all_of(judged)


def _ecdsa(certificate: Resource) -> bool:
    return read(certificate, "spec.privateKey.algorithm") == "ECDSA"
