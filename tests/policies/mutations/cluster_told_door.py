"""Changes of the door's listeners, routes and tokens that would harm production, each with its rule."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, Mutation, add, drop, put

_HTTPS: Final = {
    "group": "gateway.networking.k8s.io",
    "kind": "Gateway",
    "name": "door",
    "sectionName": "https",
}

HARMFUL: Final = (
    Mutation(
        "certificate: ten years",
        put("Certificate", "certificate-door", ("spec.duration", "87600h")),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: renewed at the last minute",
        put("Certificate", "certificate-door", ("spec.renewBefore", "1m")),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: every name of the domain",
        put("Certificate", "certificate-door", ("spec.dnsNames", ["*.example.com"])),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: another name",
        put("Certificate", "certificate-door", ("spec.dnsNames", ["models.example.org"])),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: no names",
        put("Certificate", "certificate-door", ("spec.dnsNames", GONE)),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: another issuer of certificates",
        put("Certificate", "certificate-door", ("spec.issuerRef.name", "other")),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: a self-signed issuer",
        put(
            "Certificate",
            "certificate-door",
            ("spec.issuerRef", {"group": "cert-manager.io", "kind": "Issuer", "name": "selfsigned"}),
        ),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: a short key",
        put("Certificate", "certificate-door", ("spec.privateKey", {"algorithm": "RSA", "size": 1024})),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: a key that stays",
        put("Certificate", "certificate-door", ("spec.privateKey.rotationPolicy", "Never")),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: an authority",
        put("Certificate", "certificate-door", ("spec.isCA", True)),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: signs certificates",
        put("Certificate", "certificate-door", ("spec.usages", ["cert sign"])),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: another Secret",
        put("Certificate", "certificate-door", ("spec.secretName", "other")),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: a Secret that is copied",
        put(
            "Certificate",
            "certificate-door",
            ("spec.secretTemplate", {"annotations": {"reflector.v1.k8s.emberstack.com/reflection-allowed": "true"}}),
        ),
        "k8s-certificates-sound",
    ),
    Mutation(
        "certificate: keystores",
        put("Certificate", "certificate-door", ("spec.keystores", {"jks": {"create": True}})),
        "k8s-certificates-sound",
    ),
    Mutation(
        "gateway: the door in another namespace",
        put("Gateway", "gateway-door", ("metadata.namespace", "cert-manager")),
        "k8s-door-authenticates",
    ),
    Mutation(
        "security: for another Gateway",
        put("SecurityPolicy", "securitypolicy-door", ("spec.targetRefs.0.name", "other")),
        "k8s-door-authenticates",
    ),
    Mutation(
        "security: for a route alone",
        put(
            "SecurityPolicy",
            "securitypolicy-door",
            ("spec.targetRefs.0", {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "tumour-risk"}),
        ),
        "k8s-door-authenticates",
    ),
    Mutation(
        "security: for nobody",
        put("SecurityPolicy", "securitypolicy-door", ("spec.targetRefs", [])),
        "k8s-door-authenticates",
    ),
    Mutation(
        "security: for a listener that is not there",
        put("SecurityPolicy", "securitypolicy-door", ("spec.targetRefs.0.sectionName", "other")),
        "k8s-door-authenticates",
    ),
    Mutation(
        "security: no tokens",
        put("SecurityPolicy", "securitypolicy-door", ("spec.jwt", GONE)),
        "k8s-door-authenticates",
    ),
    Mutation(
        "security: a policy elsewhere",
        put("SecurityPolicy", "securitypolicy-door", ("metadata.namespace", "cert-manager")),
        "k8s-door-authenticates",
    ),
    Mutation("security: no tokens asked", drop("SecurityPolicy", "securitypolicy-door"), "k8s-door-authenticates"),
    Mutation(
        "routes: no end of requests",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.timeouts", {"request": "0s"})),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: requests of a millisecond",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.timeouts", {"request": "1ms"})),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: every path",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.rules.0.matches", [{"path": {"type": "PathPrefix", "value": "/"}}]),
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: no matches",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.matches", GONE)),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: any method",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.matches.0.method", GONE)),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: the repository's API",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.rules.0.matches.+", {"method": "POST", "path": {"type": "PathPrefix", "value": "/v2/repository"}}),
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: a hundred retries",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.retry", {"attempts": 100})),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: one more rule",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.rules.+", {"backendRefs": [{"name": "tumour-risk", "port": 8000}]}),
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: every method",
        put("GRPCRoute", "grpcroute-tumour-risk", ("spec.rules.0.matches", GONE)),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: any method by expression",
        put(
            "GRPCRoute",
            "grpcroute-tumour-risk",
            ("spec.rules.0.matches.0.method", {"type": "RegularExpression", "service": ".*", "method": ".*"}),
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: the repository's calls",
        put(
            "GRPCRoute",
            "grpcroute-tumour-risk",
            (
                "spec.rules.0.matches.+",
                {"method": {"service": "inference.GRPCInferenceService", "method": "RepositoryModelLoad"}},
            ),
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: a route to Prometheus",
        add(
            "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "parentRefs": [_HTTPS],
                    "hostnames": ["metrics.prod-aws.models.example.com"],
                    "rules": [
                        {"backendRefs": [{"name": "prometheus", "namespace": "autoscaling-metrics", "port": 9090}]}
                    ],
                },
            },
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: a route to the metrics",
        add(
            "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "parentRefs": [_HTTPS],
                    "hostnames": ["metrics.prod-aws.models.example.com"],
                    "rules": [
                        {
                            "matches": [{"path": {"type": "Exact", "value": "/metrics"}}],
                            "backendRefs": [{"name": "tumour-risk", "port": 8002}],
                        }
                    ],
                },
            },
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: a route in another namespace",
        add(
            "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
            {
                "metadata": {"name": "new", "namespace": "cert-manager"},
                "spec": {
                    "parentRefs": [{"name": "door", "namespace": "serving"}],
                    "rules": [{"backendRefs": [{"name": "x", "port": 80}]}],
                },
            },
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "routes: a patch of a route",
        add(
            "kubernetes:gateway.networking.k8s.io/v1:HTTPRoutePatch",
            {
                "metadata": {"name": "tumour-risk", "namespace": "serving"},
                "spec": {"rules": [{"backendRefs": [{"name": "tumour-risk", "port": 8000}]}]},
            },
        ),
        "k8s-door-calls",
    ),
    Mutation(
        "security: a client policy of the listener",
        add(
            "kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "targetRefs": [_HTTPS],
                    "tls": {"minVersion": "1.0"},
                },
            },
        ),
        "k8s-door-clients-as-settled",
    ),
    Mutation(
        "gateway: routes from all",
        put("Gateway", "gateway-door", ("spec.listeners.0.allowedRoutes.namespaces.from", "All")),
        "k8s-door-fenced",
    ),
    Mutation(
        "gateway: routes from chosen",
        put(
            "Gateway",
            "gateway-door",
            ("spec.listeners.0.allowedRoutes.namespaces", {"from": "Selector", "selector": {}}),
        ),
        "k8s-door-fenced",
    ),
    Mutation(
        "gateway: one more listener with TLS for all",
        put(
            "Gateway",
            "gateway-door",
            (
                "spec.listeners.+",
                {
                    "name": "b",
                    "port": 8443,
                    "protocol": "HTTPS",
                    "allowedRoutes": {"namespaces": {"from": "All"}},
                    "tls": {"mode": "Terminate", "certificateRefs": [{"name": "door-certificate"}]},
                },
            ),
        ),
        "k8s-door-fenced",
    ),
    Mutation("security: no limits", drop("BackendTrafficPolicy", "backendtrafficpolicy-door"), "k8s-door-fenced"),
    Mutation(
        "security: limits of the route's own",
        add(
            "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "targetRefs": [
                        {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "tumour-risk"}
                    ],
                    "timeout": {"http": {"requestTimeout": "30s"}},
                },
            },
        ),
        "k8s-door-limits",
    ),
    Mutation(
        "gateway: without TLS", put("Gateway", "gateway-door", ("spec.listeners.0.protocol", "HTTP")), "k8s-door-tls"
    ),
    Mutation(
        "gateway: TLS passed through",
        put("Gateway", "gateway-door", ("spec.listeners.0.tls.mode", "Passthrough")),
        "k8s-door-tls",
    ),
    Mutation("gateway: bytes", put("Gateway", "gateway-door", ("spec.listeners.0.protocol", "TCP")), "k8s-door-tls"),
    Mutation(
        "gateway: no TLS at all", put("Gateway", "gateway-door", ("spec.listeners.0.tls", GONE)), "k8s-door-tls"
    ),
    Mutation(
        "gateway: one more listener",
        put(
            "Gateway",
            "gateway-door",
            (
                "spec.listeners.+",
                {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "Same"}}},
            ),
        ),
        "k8s-door-tls",
    ),
    Mutation(
        "security: no rules for clients", drop("ClientTrafficPolicy", "clienttrafficpolicy-door"), "k8s-door-tls"
    ),
    Mutation(
        "security: tokens if one likes",
        put("SecurityPolicy", "securitypolicy-door", ("spec.jwt.optional", True)),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: no audiences",
        put("SecurityPolicy", "securitypolicy-door", ("spec.jwt.providers.0.audiences", GONE)),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: an empty list of audiences",
        put("SecurityPolicy", "securitypolicy-door", ("spec.jwt.providers.0.audiences", [])),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: any issuer",
        put("SecurityPolicy", "securitypolicy-door", ("spec.jwt.providers.0.issuer", GONE)),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: keys from elsewhere",
        put(
            "SecurityPolicy",
            "securitypolicy-door",
            ("spec.jwt.providers.0.remoteJWKS", {"uri": "http://example.org/keys"}),
        ),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: tokens in the address",
        put("SecurityPolicy", "securitypolicy-door", ("spec.jwt.providers.0.extractFrom", {"params": ["token"]})),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: one more provider",
        put(
            "SecurityPolicy",
            "securitypolicy-door",
            (
                "spec.jwt.providers.+",
                {"name": "b", "issuer": "https://example.org", "localJWKS": {"type": "Inline", "inline": "{}"}},
            ),
        ),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: an empty policy of the route",
        add(
            "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "targetRefs": [
                        {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "tumour-risk"}
                    ],
                    "cors": {"allowOrigins": ["https://a.example.com"]},
                },
            },
        ),
        "k8s-door-tokens",
    ),
    Mutation(
        "security: an older policy of the door",
        add(
            "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy",
            {
                "metadata": {"name": "aaa", "namespace": "serving"},
                "spec": {
                    "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "door"}],
                    "authorization": {"defaultAction": "Allow"},
                },
            },
        ),
        "k8s-door-tokens",
    ),
    Mutation(
        "gateway: another class",
        put("Gateway", "gateway-door", ("spec.gatewayClassName", "other")),
        "k8s-nothing-beside-the-door",
    ),
    Mutation(
        "gateway: another proxy's shape",
        put(
            "Gateway",
            "gateway-door",
            (
                "spec.infrastructure",
                {"parametersRef": {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": "x"}},
            ),
        ),
        "k8s-nothing-beside-the-door",
    ),
    Mutation(
        "gateway: no shape",
        put("GatewayClass", "gatewayclass-door", ("spec.parametersRef", GONE)),
        "k8s-nothing-beside-the-door",
    ),
    Mutation(
        "gateway: another controller",
        put("GatewayClass", "gatewayclass-door", ("spec.controllerName", "example.com/x")),
        "k8s-nothing-beside-the-door",
    ),
    Mutation(
        "gateway: another class's name",
        put("GatewayClass", "gatewayclass-door", ("metadata.name", "other")),
        "k8s-nothing-beside-the-door",
    ),
    Mutation("gateway: no class", drop("GatewayClass", "gatewayclass-door"), "k8s-nothing-beside-the-door"),
    Mutation(
        "routes: a UDP route",
        add(
            "kubernetes:gateway.networking.k8s.io/v1alpha2:UDPRoute",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-nothing-beside-the-door",
    ),
    Mutation(
        "routes: a set of listeners",
        add(
            "kubernetes:gateway.networking.x-k8s.io/v1alpha1:XListenerSet",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-nothing-beside-the-door",
    ),
    Mutation(
        "security: patches of Envoy",
        add(
            "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyPatchPolicy",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"type": "JSONPatch"}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "security: a filter that answers",
        add(
            "kubernetes:gateway.envoyproxy.io/v1alpha1:HTTPRouteFilter",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"directResponse": {"statusCode": 200}}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "security: TLS of backends unverified",
        add(
            "kubernetes:gateway.networking.k8s.io/v1:BackendTLSPolicy",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-objects-known",
    ),
)
