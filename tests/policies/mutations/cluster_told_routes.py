"""Listeners and routes that open another way in, or lead elsewhere, each with its rule."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, Mutation, put

HARMFUL: Final = (
    Mutation(
        "gateway: any name", put("Gateway", "gateway-door", ("spec.listeners.0.hostname", GONE)), "k8s-door-listeners"
    ),
    Mutation(
        "gateway: every name",
        put("Gateway", "gateway-door", ("spec.listeners.0.hostname", "*.com")),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: another's name",
        put("Gateway", "gateway-door", ("spec.listeners.0.hostname", "*.example.org")),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: another namespace's certificate",
        put("Gateway", "gateway-door", ("spec.listeners.0.tls.certificateRefs.0.namespace", "default")),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: no certificate",
        put("Gateway", "gateway-door", ("spec.listeners.0.tls.certificateRefs", [])),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: another port", put("Gateway", "gateway-door", ("spec.listeners.0.port", 8443)), "k8s-door-listeners"
    ),
    Mutation("gateway: no listeners", put("Gateway", "gateway-door", ("spec.listeners", [])), "k8s-door-listeners"),
    Mutation(
        "gateway: other kinds of routes",
        put("Gateway", "gateway-door", ("spec.listeners.0.allowedRoutes.kinds", [{"kind": "TCPRoute"}])),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: listeners from others",
        put("Gateway", "gateway-door", ("spec.allowedListeners", {"namespaces": {"from": "All"}})),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: options of TLS",
        put("Gateway", "gateway-door", ("spec.listeners.0.tls.options", {"a": "b"})),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: a certificate shown to backends",
        put("Gateway", "gateway-door", ("spec.tls", {"backend": {"clientCertificateRef": {"name": "x"}}})),
        "k8s-door-listeners",
    ),
    Mutation(
        "gateway: another shape",
        put("GatewayClass", "gatewayclass-door", ("spec.parametersRef.name", "other")),
        "k8s-door-listeners",
    ),
    Mutation(
        "routes: another Gateway",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.parentRefs.0.name", "other")),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a Gateway elsewhere",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.parentRefs.0.namespace", "default")),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: one more Gateway",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.parentRefs.+", {"name": "public"})),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: no Gateway",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.parentRefs", GONE)),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: another listener",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.parentRefs.0.sectionName", "other")),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a Service as parent",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.parentRefs.0", {"group": "", "kind": "Service", "name": "prometheus"}),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: all names",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.hostnames", GONE)),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: another's names",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.hostnames", ["*.prod-aws.models.example.com"])),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a name outside of the domain",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.hostnames", ["models.example.org"])),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: pods of another namespace",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.backendRefs.0.namespace", "default")),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: another Service",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.backendRefs.0.name", "prometheus")),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: nobody",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.backendRefs", [])),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: no weight",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.backendRefs.0.weight", 0)),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a part elsewhere",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.rules.0.backendRefs.+", {"kind": "Service", "name": "other", "port": 80, "weight": 50}),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a Backend elsewhere",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.rules.0.backendRefs.0", {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "x"}),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: the port of metrics",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.backendRefs.0.port", 8002)),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a copy elsewhere",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            (
                "spec.rules.0.filters.+",
                {
                    "type": "RequestMirror",
                    "requestMirror": {"backendRef": {"name": "other", "namespace": "default", "port": 80}},
                },
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a redirect elsewhere",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            (
                "spec.rules.0.filters.+",
                {"type": "RequestRedirect", "requestRedirect": {"scheme": "http", "hostname": "example.org"}},
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: another path",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            (
                "spec.rules.0.filters.+",
                {
                    "type": "URLRewrite",
                    "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/v2/repository/index"}},
                },
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: another host",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.rules.0.filters.+", {"type": "URLRewrite", "urlRewrite": {"hostname": "example.org"}}),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: the client's name made up",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            (
                "spec.rules.0.filters.+",
                {
                    "type": "RequestHeaderModifier",
                    "requestHeaderModifier": {"set": [{"name": "x-seawall-client", "value": "admin"}]},
                },
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: the client's name removed",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            (
                "spec.rules.0.filters.+",
                {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x-seawall-client"]}},
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a cross-origin filter",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            ("spec.rules.0.filters.+", {"type": "CORS", "cors": {"allowOrigins": ["*"], "allowCredentials": True}}),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: a filter of another kind",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            (
                "spec.rules.0.filters.+",
                {
                    "type": "ExtensionRef",
                    "extensionRef": {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": "x"},
                },
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: filters of the backend",
        put(
            "HTTPRoute",
            "httproute-tumour-risk",
            (
                "spec.rules.0.backendRefs.0.filters",
                [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "other", "port": 80}}}],
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: requests of a day",
        put("HTTPRoute", "httproute-tumour-risk", ("spec.rules.0.timeouts", {"request": "24h"})),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: gRPC for another Gateway",
        put("GRPCRoute", "grpcroute-tumour-risk", ("spec.parentRefs.0.name", "other")),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: gRPC to another Service",
        put("GRPCRoute", "grpcroute-tumour-risk", ("spec.rules.0.backendRefs.0.name", "prometheus")),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: gRPC of all names",
        put("GRPCRoute", "grpcroute-tumour-risk", ("spec.hostnames", GONE)),
        "k8s-routes-lead-to-the-fleet",
    ),
    Mutation(
        "routes: gRPC copied",
        put(
            "GRPCRoute",
            "grpcroute-tumour-risk",
            (
                "spec.rules.0.filters.+",
                {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "prometheus", "port": 9090}}},
            ),
        ),
        "k8s-routes-lead-to-the-fleet",
    ),
)
