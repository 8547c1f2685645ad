"""How requests reach the fleet, and what the fleet itself may reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from components.contracts import serving
from components.contracts.doors import Door
from components.contracts.refs import ApiServerPath
from components.contracts.services import Variant
from components.kubernetes.pods import metadata, selecting
from components.kubernetes.triton import labels

CLIENT_LABEL: Final = "seawall.dev/client"
"""A namespace with this label set to "true" may send requests to the fleet."""
NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"


def ports(*numbers: int, protocol: str = "TCP") -> list[NetworkPolicyPortArgs]:
    """Ports of one protocol."""
    return [NetworkPolicyPortArgs(port=number, protocol=protocol) for number in numbers]


def in_namespace(name: str) -> NetworkPolicyPeerArgs:
    """All pods of one namespace."""
    return NetworkPolicyPeerArgs(namespace_selector=selecting({NAMESPACE_LABEL: name}))


def in_app(app: str) -> NetworkPolicyPeerArgs:
    """The pods of one application in the policy's own namespace."""
    return NetworkPolicyPeerArgs(pod_selector=selecting({"app.kubernetes.io/name": app}))


def in_range(cidr: str) -> NetworkPolicyPeerArgs:
    """All addresses of a range."""
    return NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=cidr))


def from_api_server(path: ApiServerPath) -> list[NetworkPolicyPeerArgs]:
    """The API server, and nobody else."""
    peers = [in_range(cidr) for cidr in path.cidrs]
    if path.agent is not None:
        namespace, label, value = path.agent
        # One peer with both selectors: as two they would mean all of the namespace, or such a pod anywhere.
        both = NetworkPolicyPeerArgs(
            namespace_selector=selecting({NAMESPACE_LABEL: namespace}), pod_selector=selecting({label: value})
        )
        peers.append(both)
    return peers


def dns() -> NetworkPolicyEgressRuleArgs:
    """Name resolution by the cluster's own DNS."""
    return NetworkPolicyEgressRuleArgs(
        to=[in_namespace("kube-system")],
        ports=[*ports(53), *ports(53, protocol="UDP")],
    )


def to_doors(doors: Iterable[Door]) -> list[NetworkPolicyEgressRuleArgs]:
    """One rule for each address range, with its ports."""
    by_range: dict[str, dict[int, None]] = {}
    for door in doors:
        by_range.setdefault(door.cidr, {})[door.port] = None
    return [NetworkPolicyEgressRuleArgs(to=[in_range(cidr)], ports=ports(*found)) for cidr, found in by_range.items()]


def deny_all(namespace: str, options: pulumi.ResourceOptions) -> NetworkPolicy:
    """The ground state of a namespace: nothing in, nothing out."""
    return NetworkPolicy(
        f"{namespace}-deny-all",
        metadata=metadata("deny-all", namespace),
        spec=NetworkPolicySpecArgs(pod_selector=selecting({}), policy_types=["Ingress", "Egress"]),
        opts=options,
    )


def allow(
    app: str,
    namespace: str,
    *,
    ingress: Sequence[NetworkPolicyIngressRuleArgs],
    egress: Sequence[NetworkPolicyEgressRuleArgs],
    options: pulumi.ResourceOptions,
    label: str = "app.kubernetes.io/name",
) -> NetworkPolicy:
    """What `app` may receive and send, on top of `deny_all`; `label` is what its pods bear its name as."""
    return NetworkPolicy(
        app,
        metadata=metadata(app, namespace),
        spec=NetworkPolicySpecArgs(
            pod_selector=selecting({label: app}),
            policy_types=["Ingress", "Egress"],
            ingress=list(ingress),
            egress=list(egress),
        ),
        opts=options,
    )


def fleet_rules(
    scraper_namespace: str, entrance: NetworkPolicyPeerArgs, doors: Iterable[Door]
) -> tuple[list[NetworkPolicyIngressRuleArgs], list[NetworkPolicyEgressRuleArgs]]:
    """Requests from the entrance and client namespaces, scrapes from the scraper's; names and these doors out."""
    ingress = [
        NetworkPolicyIngressRuleArgs(
            from_=[entrance, NetworkPolicyPeerArgs(namespace_selector=selecting({CLIENT_LABEL: "true"}))],
            ports=ports(serving.HTTP_PORT, serving.GRPC_PORT),
        ),
        NetworkPolicyIngressRuleArgs(
            from_=[in_namespace(scraper_namespace)],
            ports=ports(serving.METRICS_PORT),
        ),
    ]
    return ingress, [dns(), *to_doors(doors)]


def service(namespace: str, variant: Variant, options: pulumi.ResourceOptions) -> Service:
    """One name for all replicas of a variant that are ready, inside the cluster only."""
    named = (
        ("http", serving.HTTP_PORT, None),
        # Envoy speaks HTTP/2 without TLS to it (KEP 3726's names of protocols).
        ("grpc", serving.GRPC_PORT, "kubernetes.io/h2c"),
        ("metrics", serving.METRICS_PORT, None),
    )
    return Service(
        variant.object_name,
        metadata=metadata(variant.object_name, namespace, labels=labels(variant)),
        spec=ServiceSpecArgs(
            type="ClusterIP",
            selector=labels(variant),
            ports=[
                ServicePortArgs(name=name, port=number, target_port=name, protocol="TCP", app_protocol=spoken)
                for name, number, spoken in named
            ],
        ),
        opts=options,
    )
