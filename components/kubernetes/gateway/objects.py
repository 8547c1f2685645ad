"""The door as Gateway API and Envoy Gateway objects: pure functions of its settings, on a cluster and locally alike.

Fields: Envoy Gateway 1.9.1, api/v1alpha1, and Gateway API 1.6.1, apis/v1 (both read 2026-11-21).
"""

from __future__ import annotations

from math import ceil
from typing import Any, Final

from components.contracts import serving, variants
from components.contracts.apart import Apart
from components.contracts.door import (
    CLIENT_HEADER,
    GATEWAY,
    HTTPS_PORT,
    LISTENER,
    PROXY_NAMESPACE,
    RESERVED_PREFIXES,
    CertificateAuthentication,
    DoorSpec,
    Exposure,
    IssuedCertificate,
    NoAuthentication,
    TokenAuthentication,
)
from components.kubernetes.custom import Manifest, manifest
from components.kubernetes.routes import ENVOY_GATEWAY_GROUP, GATEWAY_API
from components.kubernetes.variants.experiment import exposure_log

ENVOY_GATEWAY_API: Final = f"{ENVOY_GATEWAY_GROUP}/v1alpha1"
CERT_MANAGER_API: Final = "cert-manager.io/v1"
CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
NAMESPACE: Final = PROXY_NAMESPACE
PROXY_LABELS: Final = {
    "gateway.envoyproxy.io/owning-gateway-name": GATEWAY,
    "gateway.envoyproxy.io/owning-gateway-namespace": serving.NAMESPACE,
}
"""What Envoy Gateway labels the door's pods and Service with (internal/gatewayapi/resource/infra.go)."""
PROXY_PORT_OFFSET: Final = 10000
"""Envoy listens on a privileged port's number plus this, as an ordinary user (internal/gatewayapi/helpers.go)."""
DRAIN_SECONDS_MIN: Final = 60
"""How long a replica that ends finishes what it has: at least this, and no less than a request may take."""
NOT_REPEATED_TRIGGERS: Final = ("connect-failure", "refused-stream", "reset-before-request")
"""Failures of requests that reached no server."""
REPEATED_TRIGGERS: Final = (*NOT_REPEATED_TRIGGERS, "reset", "gateway-error", "unavailable")
"""And those that did, or may have: 502, 503, 504, a connection that broke, gRPC's UNAVAILABLE."""
PRIORITY_CLASS: Final = "door"
"""Of our own: GKE lets pods outside kube-system have none of Kubernetes' critical ones without a quota for it."""


def door_objects(spec: DoorSpec, *, envoy_image: str, exposure: Exposure, apart: Apart) -> list[Manifest]:
    """Everything that makes the door, but routes; in the order in which it can be laid."""
    return [
        proxy(spec, envoy_image, exposure, apart),
        gateway_class(),
        *certificate(spec),
        gateway(spec),
        client_policy(spec),
        backend_policy(spec),
        *security_policy(spec),
    ]


def gateway_class() -> Manifest:
    """The class whose Gateways Envoy Gateway serves, each by a `proxy` as here."""
    parameters = {
        "group": "gateway.envoyproxy.io",
        "kind": "EnvoyProxy",
        "name": GATEWAY,
        "namespace": serving.NAMESPACE,
    }
    spec = {"controllerName": CONTROLLER, "parametersRef": parameters}
    return manifest(GATEWAY_API, "GatewayClass", GATEWAY, spec)


def proxy(spec: DoorSpec, envoy_image: str, exposure: Exposure, apart: Apart) -> Manifest:
    """How Envoy runs: its image, replicas over hosts and zones, its Service, and how it ends."""
    deployment = {
        "replicas": spec.replicas,
        "name": GATEWAY,
        # The old one goes when another is ready, often on its own machine, whose load balancer then sees no gap.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "pod": {"priorityClassName": PRIORITY_CLASS, "topologySpreadConstraints": apart.manifests(PROXY_LABELS)},
        "container": {
            "image": envoy_image,
            "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        },
    }
    service: dict[str, Any] = {
        "type": "LoadBalancer",
        "name": GATEWAY,
        "externalTrafficPolicy": exposure.external_traffic_policy,
    }
    if exposure.annotations:
        service["annotations"] = dict(exposure.annotations)
    if exposure.load_balancer_class:
        service["loadBalancerClass"] = exposure.load_balancer_class
    if exposure.source_ranges:
        service["loadBalancerSourceRanges"] = list(exposure.source_ranges)
    kubernetes = {
        "envoyDeployment": deployment,
        "envoyService": service,
        # A node can always be drained: one replica may be away, and there are at least two.
        "envoyPDB": {"maxUnavailable": 1, "name": GATEWAY},
    }
    told = {
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
        # Envoy balances over pods itself, each request anew, also of one HTTP/2 connection.
        "routingType": "Endpoint",
        "shutdown": {
            "drainTimeout": f"{max(DRAIN_SECONDS_MIN, spec.limits.request_seconds)}s",
            "minDrainDuration": "10s",
        },
        "telemetry": {
            "accessLog": {
                "settings": [
                    {"format": {"type": "JSON", "json": ACCESS_LOG}, "sinks": [_STDOUT]},
                    exposure_log([_STDOUT]),
                ]
            },
            "metrics": {"prometheus": {}},
        },
    }
    return manifest(ENVOY_GATEWAY_API, "EnvoyProxy", GATEWAY, told, namespace=serving.NAMESPACE)


_STDOUT: Final = {"type": "File", "file": {"path": "/dev/stdout"}}
ACCESS_LOG: Final = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "authority": "%REQ(:AUTHORITY)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
    "duration_ms": "%DURATION%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "client": f"%REQ({CLIENT_HEADER.upper()})%",
    "client_address": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "route": "%ROUTE_NAME%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_host": "%UPSTREAM_HOST%",
    "variant": f"%RESP({variants.VARIANT})%",
    "release": f"%RESP({variants.RELEASE})%",
    "fallback": f"%RESP({variants.FALLBACK})%",
}
"""One JSON line for each request: no token and no body."""


def certificate(spec: DoorSpec) -> list[Manifest]:
    """The order for a certificate, where cert-manager has one to fetch."""
    asked = spec.certificate
    if not isinstance(asked, IssuedCertificate):
        return []
    hours = asked.valid_days * 24
    told = {
        "secretName": spec.certificate_secret,
        "dnsNames": [f"*.{spec.domain}"],
        "duration": f"{hours}h",
        "renewBefore": f"{hours // 3}h",
        "usages": ["digital signature", "server auth"],
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "issuerRef": {"name": asked.issuer, "kind": asked.issuer_kind, "group": asked.issuer_group},
    }
    return [manifest(CERT_MANAGER_API, "Certificate", GATEWAY, told, namespace=serving.NAMESPACE)]


def gateway(spec: DoorSpec) -> Manifest:
    """One listener: TLS ends here, HTTP/1.1, HTTP/2 and gRPC alike; only routes beside it may hang on it."""
    listener = {
        "name": LISTENER,
        "protocol": "HTTPS",
        "port": HTTPS_PORT,
        "hostname": f"*.{spec.domain}",
        "tls": {
            "mode": "Terminate",
            "certificateRefs": [{"group": "", "kind": "Secret", "name": spec.certificate_secret}],
        },
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    told = {"gatewayClassName": GATEWAY, "listeners": [listener]}
    return manifest(GATEWAY_API, "Gateway", GATEWAY, told, namespace=serving.NAMESPACE)


def _on_gateway() -> dict[str, Any]:
    return {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": GATEWAY}]}


def client_policy(spec: DoorSpec) -> Manifest:
    """What is asked of clients: TLS, sound headers, and no more connections and seconds than they are given."""
    limits = spec.limits
    tls: dict[str, Any] = {"minVersion": spec.tls_version, "alpnProtocols": ["h2", "http/1.1"]}
    headers: dict[str, Any] = {
        "withUnderscoresAction": "RejectRequest",
        "enableEnvoyHeaders": False,
        "requestID": "Generate",
        "earlyRequestHeaders": {
            # (?i) is not needed: Envoy has header names in lower case by then.
            "removeOnMatch": [{"type": "Prefix", "value": prefix} for prefix in RESERVED_PREFIXES]
        },
        "xForwardedClientCert": {"mode": "Sanitize"},
    }
    asked = spec.authentication
    if isinstance(asked, CertificateAuthentication):
        validation: dict[str, Any] = {
            "optional": False,
            "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": asked.ca}],
        }
        if asked.dns_suffix:
            validation["subjectAltNames"] = {"dnsNames": [{"type": "Suffix", "value": f".{asked.dns_suffix}"}]}
        tls["clientValidation"] = validation
        headers["xForwardedClientCert"] = {"mode": "SanitizeSet", "certDetailsToAdd": ["Subject", "URI", "DNS"]}
    told = {
        **_on_gateway(),
        "tls": tls,
        "headers": headers,
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
        # The load balancers pass connections through, so that the connection's address is the client's.
        "clientIPDetection": {"directSourceIP": {}},
        "connection": {
            "connectionLimit": {
                "value": limits.connections,
                "closeDelay": "1s",
                "maxRequestsPerConnection": limits.requests_per_connection,
            },
            "bufferLimit": "32Ki",
        },
        "http2": {"maxConcurrentStreams": 256, "onInvalidMessage": "TerminateStream"},
        "timeout": {
            "tcp": {"tlsHandshakeTimeout": "10s"},
            "http": {
                "requestHeadersReceivedTimeout": f"{limits.header_seconds}s",
                "requestReceivedTimeout": f"{limits.request_seconds}s",
                "idleTimeout": f"{limits.idle_seconds}s",
                "streamIdleTimeout": f"{limits.request_seconds}s",
            },
        },
    }
    return manifest(ENVOY_GATEWAY_API, "ClientTrafficPolicy", GATEWAY, told, namespace=serving.NAMESPACE)


def backend_policy(spec: DoorSpec) -> Manifest:
    """How services are spared: balancing, limits, retries within a budget, a breaker, and ejection of outliers."""
    told = {**_on_gateway(), **traffic(spec, repeatable=True)}
    return manifest(ENVOY_GATEWAY_API, "BackendTrafficPolicy", GATEWAY, told, namespace=serving.NAMESPACE)


def careful_policy(spec: DoorSpec, service: str) -> Manifest:
    """The same for one service whose requests are repeated only if they reached no server (`Routes.repeatable`).

    A policy on a route takes the place of the whole policy on the Gateway.
    """
    targets = [
        {"group": "gateway.networking.k8s.io", "kind": kind, "name": service} for kind in ("HTTPRoute", "GRPCRoute")
    ]
    told = {"targetRefs": targets, **traffic(spec, repeatable=False)}
    return manifest(ENVOY_GATEWAY_API, "BackendTrafficPolicy", service, told, namespace=serving.NAMESPACE)


def traffic(spec: DoorSpec, *, repeatable: bool) -> dict[str, Any]:
    """The fields of a BackendTrafficPolicy."""
    limits, protection = spec.limits, spec.protection
    told: dict[str, Any] = {
        "loadBalancer": {"type": "LeastRequest"},
        "rateLimit": {"local": {"rules": _limits_per_client(spec)}},
        "requestBuffer": {"limit": f"{limits.request_mib}Mi"},
        "timeout": {
            "tcp": {"connectTimeout": "2s"},
            "http": {"requestTimeout": f"{limits.request_seconds}s", "connectionIdleTimeout": "300s"},
        },
        "circuitBreaker": {
            "maxParallelRequests": protection.parallel_requests,
            "maxPendingRequests": protection.pending_requests,
            "retryBudget": {
                "percent": {"numerator": spec.retries.budget_percent, "denominator": 100},
                "minRetryConcurrency": 3,
            },
        },
        "healthCheck": {
            "passive": {
                "interval": "5s",
                "consecutiveGatewayErrors": protection.failures,
                "consecutive5XxErrors": 0,
                "consecutiveLocalOriginFailures": protection.failures,
                "splitExternalLocalOriginErrors": True,
                "baseEjectionTime": f"{protection.ejection_seconds}s",
                "maxEjectionPercent": protection.ejected_percent,
            },
            "panicThreshold": 50,
        },
        "tcpKeepalive": {"probes": 3, "idleTime": "60s", "interval": "10s"},
    }
    if spec.retries.attempts:
        told["retry"] = {
            "numRetries": spec.retries.attempts,
            # A further attempt goes elsewhere.
            "numAttemptsPerPriority": 1,
            "retryOn": {"triggers": list(REPEATED_TRIGGERS if repeatable else NOT_REPEATED_TRIGGERS)},
            "perRetry": {
                "timeout": f"{spec.retries.attempt_seconds}s",
                "backOff": {"baseInterval": "25ms", "maxInterval": "250ms"},
            },
        }
    return told


def _limits_per_client(spec: DoorSpec) -> list[dict[str, Any]]:
    """Each replica of Envoy counts for itself and gets its share: a shared count needs a Redis and a service between,
    both in the path of every request, for a figure that the share comes close to.

    A client is told apart by its token's claim, or by its certificate. Who has neither (a token without the claim) is
    by address, and so has a limit too.
    """
    share = {"requests": ceil(spec.limits.requests_per_minute / spec.replicas), "unit": "Minute"}
    by_address = {"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}
    asked = spec.authentication
    if isinstance(asked, NoAuthentication):
        return [{"clientSelectors": [by_address], "limit": share}]
    name = CLIENT_HEADER if isinstance(asked, TokenAuthentication) else "x-forwarded-client-cert"
    absent = {"type": "RegularExpression", "name": name, "value": ".+", "invert": True}
    return [
        {"clientSelectors": [{"headers": [{"type": "Distinct", "name": name}]}], "limit": share},
        {"clientSelectors": [{"headers": [absent], **by_address}], "limit": share},
    ]


def security_policy(spec: DoorSpec) -> list[Manifest]:
    """Tokens are checked here; certificates are where TLS is (`client_policy`)."""
    asked = spec.authentication
    if not isinstance(asked, TokenAuthentication):
        return []
    provider: dict[str, Any] = {
        "name": "clients",
        "issuer": asked.issuer,
        "audiences": list(asked.audiences),
        "claimToHeaders": [{"claim": asked.client_claim, "header": CLIENT_HEADER}],
        # Only there: a token in a URL ends up in logs.
        "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
    }
    if asked.keys:
        provider["localJWKS"] = {"type": "Inline", "inline": asked.keys}
    else:
        provider["remoteJWKS"] = {"uri": asked.keys_uri, "cacheDuration": "300s"}
    told = {**_on_gateway(), "jwt": {"providers": [provider]}}
    return [manifest(ENVOY_GATEWAY_API, "SecurityPolicy", GATEWAY, told, namespace=serving.NAMESPACE)]


def authentication_reason(spec: DoorSpec) -> str:
    """Why nobody is asked who they are; empty where they are."""
    return spec.authentication.because if isinstance(spec.authentication, NoAuthentication) else ""
