"""Edits of what runs on either cloud's cluster: harmful ones with the rule that must find each, and harmless ones."""

from __future__ import annotations

from typing import Any

from policies.inventory import UNKNOWN
from tests.policies.reach.planting import GONE, Change, add, edit, several

_POLICY = "networking.k8s.io/v1:NetworkPolicy"
_DOOR = "envoy"
_EVERY = "0.0.0.0/0"
_PROXY = "v1alpha1:EnvoyProxy"
_SERVICE_PATH = "spec.provider.kubernetes.envoyService"
IN, OUT, CLOSED = "k8s-ingress-bounded", "k8s-egress-bounded", "k8s-namespace-closed"
SERVICE, BESIDE, DOOR = "k8s-service-inside-only", "k8s-nothing-beside-the-door", "k8s-door-narrow"
CHARTS = "k8s-releases-open-nothing"


def policy(way: str = "ingress", **rule: Any) -> Change:
    told = {"ports": [{"port": 8000}], **rule}
    return add(
        f"kubernetes:{_POLICY}",
        {
            "metadata": {"name": "planted", "namespace": "serving"},
            "spec": {
                "podSelector": {},
                "policyTypes": [way.capitalize()],
                way: [{key: value for key, value in told.items() if value is not GONE}],
            },
        },
    )


def service(kind: str = "LoadBalancer", **inputs: Any) -> Change:
    notes = inputs.pop("annotations", {})
    return add(
        "kubernetes:core/v1:Service",
        {
            "metadata": {"name": "planted", "namespace": "serving", "annotations": notes},
            "spec": {"type": kind, "selector": {"app.kubernetes.io/name": "triton"}, **inputs},
        },
    )


def block(cidr: str, *left_out: str) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": cidr, **({"except": list(left_out)} if left_out else {})}}]


def outward(**rule: Any) -> Change:
    return policy("egress", **rule)


def _from(found: Any, **rule: Any) -> Change:
    return policy("ingress", **{**rule, "from": found})


HARMFUL: dict[str, tuple[str, Change]] = {
    "a policy for everyone": (IN, policy()),
    "a policy for no one named": (IN, _from([])),
    "a policy for the world": (IN, _from(block(_EVERY))),
    "a policy for the world in halves": (IN, _from([*block("0.0.0.0/1"), *block("128.0.0.0/1")])),
    "a policy for the world but one": (IN, _from(block(_EVERY, "10.0.0.0/8"))),
    "a policy for the world by IPv6": (IN, _from(block("::/0"))),
    "a policy for a public network": (IN, _from(block("203.0.113.0/24"))),
    "a policy for every namespace": (IN, _from([{"namespaceSelector": {}}])),
    "a policy for every namespace but one": (
        IN,
        _from([{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}}]),
    ),
    "a policy for whatever has a name": (
        IN,
        _from(
            [
                {
                    "namespaceSelector": {
                        "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]
                    }
                }
            ]
        ),
    ),
    "a policy for what all namespaces have": (
        IN,
        _from([{"namespaceSelector": {"matchLabels": {"pod-security.kubernetes.io/enforce": "restricted"}}}]),
    ),
    "a policy for every pod": (IN, _from([{"podSelector": {}}])),
    "a policy for a hidden peer": (IN, _from([UNKNOWN])),
    "a policy for every port": (IN, _from(block("10.20.0.0/16"), ports=GONE)),
    "a policy for a range of ports": (
        IN,
        _from(block("10.20.0.0/16"), ports=[{"port": 1, "endPort": 65535}]),
    ),
    "the door's policy opened": (IN, edit(_POLICY, "spec.ingress.0.from.0.ipBlock.cidr", _EVERY, _DOOR)),
    "the door's policy without peers": (IN, edit(_POLICY, "spec.ingress.0.from", GONE, _DOOR)),
    "the door's policy with an empty rule": (IN, edit(_POLICY, "spec.ingress.0", {}, _DOOR)),
    "a patch that opens": (
        IN,
        add(
            "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch",
            {"metadata": {"name": "deny-all", "namespace": "serving"}, "spec": {"ingress": [{}]}},
        ),
    ),
    "out to the world": (OUT, outward(to=block(_EVERY))),
    "out to half of the world": (OUT, outward(to=block("128.0.0.0/1"))),
    "out to the world by IPv6": (OUT, outward(to=block("::/0"))),
    "out to a stranger": (OUT, outward(to=block("198.51.100.7/32"))),
    "out to everyone": (OUT, outward()),
    "out on every port": (OUT, outward(ports=GONE, to=block("10.20.0.0/16"))),
    "out to every namespace": (OUT, outward(to=[{"namespaceSelector": {}}])),
    "the door's way out opened": (OUT, edit(_POLICY, "spec.egress.0", {}, _DOOR)),
    "a namespace that denies nothing": (CLOSED, add("kubernetes:core/v1:Namespace", {"metadata": {"name": "open"}})),
    "a denial with a hole": (CLOSED, edit(_POLICY, "spec.ingress", [{}], "envoy-gateway-system-deny-all")),
    "a denial of one way": (CLOSED, edit(_POLICY, "spec.policyTypes", ["Ingress"], "envoy-gateway-system-deny-all")),
    "a public load balancer": (SERVICE, service()),
    "a load balancer for the world": (SERVICE, service(loadBalancerSourceRanges=[_EVERY])),
    "a port of each machine": (SERVICE, service("NodePort")),
    "addresses of the outside": (SERVICE, service("ClusterIP", externalIPs=["203.0.113.7"])),
    "a load balancer said to be internal in vain": (
        SERVICE,
        service(annotations={"networking.gke.io/internal": "true"}),
    ),
    "a load balancer that is not internal": (
        SERVICE,
        service(
            annotations={
                "service.beta.kubernetes.io/aws-load-balancer-internal": "false",
                "networking.gke.io/load-balancer-type": "External",
            }
        ),
    ),
    "a load balancer that faces the internet": (
        SERVICE,
        service(
            annotations={
                "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
                "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
                "networking.gke.io/load-balancer-type": "External",
            }
        ),
    ),
    "endpoints for a load balancer elsewhere": (
        SERVICE,
        service("ClusterIP", annotations={"cloud.google.com/neg": '{"exposed_ports": {"8000": {}}}'}),
    ),
    "the service of models opened": (SERVICE, edit("core/v1:Service", "spec.type", "LoadBalancer", "tumour-risk")),
    "a patch of a Service": (
        SERVICE,
        add(
            "kubernetes:core/v1:ServicePatch",
            {"metadata": {"name": "tumour-risk", "namespace": "serving"}, "spec": {"type": "NodePort"}},
        ),
    ),
    "an Ingress": (BESIDE, add("kubernetes:networking.k8s.io/v1:Ingress", {"spec": {"ingressClassName": "alb"}})),
    "another Gateway": (
        BESIDE,
        add(
            "kubernetes:gateway.networking.k8s.io/v1:Gateway",
            {
                "metadata": {"name": "g"},
                "spec": {"gatewayClassName": "gke-l7-global-external-managed", "listeners": []},
            },
        ),
    ),
    "another controller's class": (
        BESIDE,
        add(
            "kubernetes:gateway.networking.k8s.io/v1:GatewayClass",
            {"metadata": {"name": "c"}, "spec": {"controllerName": "networking.gke.io/gateway"}},
        ),
    ),
    "a Gateway at an address of its own": (
        BESIDE,
        edit("v1:Gateway", "spec.addresses", [{"value": "203.0.113.7"}], "gateway-door"),
    ),
    "a Gateway with annotations of its own": (
        BESIDE,
        edit("v1:Gateway", "spec.infrastructure", {"annotations": {"a": "b"}}, "gateway-door"),
    ),
    "a route of bytes": (BESIDE, add("kubernetes:gateway.networking.k8s.io/v1alpha2:TCPRoute", {"spec": {}})),
    "a route of TLS": (BESIDE, add("kubernetes:gateway.networking.k8s.io/v1alpha3:TLSRoute", {"spec": {}})),
    "a grant to other namespaces": (
        BESIDE,
        add("kubernetes:gateway.networking.k8s.io/v1beta1:ReferenceGrant", {"spec": {}}),
    ),
    "targets of a load balancer elsewhere": (
        BESIDE,
        add("kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding", {"spec": {}}),
    ),
    "a policy of another kind": (BESIDE, add("kubernetes:cilium.io/v2:CiliumNetworkPolicy", {"spec": {}})),
    "endpoints by hand": (
        BESIDE,
        add(
            "kubernetes:discovery.k8s.io/v1:EndpointSlice",
            {"addressType": "IPv4", "endpoints": [{"addresses": ["203.0.113.7"]}]},
        ),
    ),
    "the door for the world": (DOOR, edit(_PROXY, f"{_SERVICE_PATH}.loadBalancerSourceRanges", [_EVERY])),
    "the door for the world in halves": (
        DOOR,
        edit(_PROXY, f"{_SERVICE_PATH}.loadBalancerSourceRanges", ["0.0.0.0/1", "128.0.0.0/1"]),
    ),
    "the door for whoever": (DOOR, edit(_PROXY, f"{_SERVICE_PATH}.loadBalancerSourceRanges", GONE)),
    "the door on the internet": (DOOR, edit(_PROXY, f"{_SERVICE_PATH}.annotations", {})),
    "the door at a port of each machine": (DOOR, edit(_PROXY, f"{_SERVICE_PATH}.type", "NodePort")),
    "a chart with a load balancer": (
        CHARTS,
        edit("v3:Release", "values.service", {"type": "LoadBalancer"}, "cert-manager"),
    ),
    "a chart in the machine's network": (CHARTS, edit("v3:Release", "values.hostNetwork", "true", "envoy-gateway")),
}
"""What is planted → the rule that must find it."""

HARMLESS: dict[str, Change] = {
    "the door's clients in halves": several(
        edit(_POLICY, "spec.ingress.0.from.0.ipBlock.cidr", "10.20.0.0/17", _DOOR),
        edit(_POLICY, "spec.ingress.0.from.2", {"ipBlock": {"cidr": "10.20.128.0/17"}}, _DOOR),
    ),
    "a policy for one namespace": _from([{"namespaceSelector": {"matchLabels": {"client": "true"}}}]),
    "a policy by an expression": _from(
        [
            {
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["serving"]}
                    ]
                }
            }
        ]
    ),
    "a policy for some pods": _from([{"podSelector": {"matchLabels": {"a": "b"}}}]),
    "a policy with a hole": _from(block("10.20.0.0/16", "10.20.225.0/24")),
    "ports as text": _from(block("10.20.0.0/20"), ports=[{"port": "8000", "protocol": "TCP"}]),
    "a few ports": _from(block("10.20.0.0/20"), ports=[{"port": 8000, "endPort": 8002}]),
    "out to a part of the network": outward(to=block("10.20.0.0/24")),
    "a policy that lets nothing in": edit(_POLICY, "spec.ingress", GONE, "certgen"),
    "kinds left to their defaults": edit(_POLICY, "spec.policyTypes", GONE, "prometheus"),
    "a Service for the cluster": service("ClusterIP"),
    "a Service of the default kind": edit("core/v1:Service", "spec.type", GONE, "tumour-risk"),
    "a load balancer for the network": service(
        loadBalancerSourceRanges=["10.20.0.0/16"],
        annotations={
            "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
            "networking.gke.io/load-balancer-type": "Internal",
        },
    ),
    "the door for half of the network": edit(
        _PROXY, f"{_SERVICE_PATH}.loadBalancerSourceRanges", ["10.20.128.0/18", "10.20.192.0/18"]
    ),
    "a chart that opens nothing": edit(
        "v3:Release", "values.ingress", {"enabled": "false", "className": "none"}, "cert-manager"
    ),
}
"""What changes nothing about who gets where, or narrows it."""
