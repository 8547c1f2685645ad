"""A private network without a way to or from the internet; Google's APIs have restricted addresses in it.

The way of a public door's answers to its clients is `components.gcp.door.ways_back`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.place import Place
from components.contracts.refs import NetworkRef
from components.contracts.specs import NetworkSpec
from components.gcp.door import ways_back

PODS_RANGE: Final = "pods"
SERVICES_RANGE: Final = "services"

API_RANGE: Final = "199.36.153.4/30"
"""restricted.googleapis.com: those of Google's APIs that obey service perimeters, and no others.

The addresses are routed within Google's network only. A token cannot use the rest from here; inside a perimeter it
cannot use another project's resources either (VPC Service Controls, "Configure restricted access for GKE private
clusters", and Artifact Registry, "Securing repositories in a service perimeter", read 2026-11-21).
"""
API_DOORS: Final = (Door(API_RANGE, 443),)
API_ADDRESSES: Final = tuple(str(address) for address in ipaddress.IPv4Network(API_RANGE))
PRIVATE_ZONES: Final[Mapping[str, tuple[str, str]]] = {
    "googleapis": ("googleapis.com.", "restricted.googleapis.com."),
    "gcr": ("gcr.io.", "gcr.io."),
    "pkg": ("pkg.dev.", "pkg.dev."),
}
"""Zone → (domain, the name in it that has the addresses; all others point to that name)."""

CONTROL_PLANE_PORTS: Final = ("443", "6443", "8443", "9443", "10250")
"""Kubelets, admission webhooks and aggregated APIs, as the metrics adapter's; GKE itself opens 443 and 10250."""


@dataclass(frozen=True)
class AddressPlan:
    """Who gets which part of the network's /16, in CIDR notation."""

    nodes: str
    pods: str
    services: str
    control_plane: str
    private_services: str


def address_plan(cidr: str) -> AddressPlan:
    """Cut a /16 into parts that do not overlap.

    A half for pods: as `contracts.capacity` counts, a /25 for each of `GKE_NODES_MAX` machines.
    The control plane must be a /28; Memorystore takes a /29 of the private services for each instance.

    Raises:
        ValueError: `cidr` is not a /16.
    """
    network = ipaddress.IPv4Network(cidr)
    if network.prefixlen != 16:
        raise ValueError(f"{cidr} is not a /16; choose a private /16, as 10.20.0.0/16")
    _, upper_half = network.subnets(new_prefix=17)
    nodes, services, control_planes, private_services, *_ = network.subnets(new_prefix=20)
    return AddressPlan(
        nodes=str(nodes),
        pods=str(upper_half),
        services=str(services),
        control_plane=str(next(control_planes.subnets(new_prefix=28))),
        private_services=str(private_services),
    )


def node_tag(place: Place) -> str:
    """The network tag of all machines, which firewall rules aim at."""
    return place.name("node")


def subnetwork(
    parent: Component, purpose: str, place: Place, plan: AddressPlan, network: pulumi.Output[str], *, region: str
) -> gcp.compute.Subnetwork:
    """A subnet for machines, pods and services that reaches Google's APIs privately and records its connections."""
    return gcp.compute.Subnetwork(
        purpose,
        name=place.name(purpose),
        project=place.account,
        region=region,
        network=network,
        ip_cidr_range=plan.nodes,
        private_ip_google_access=True,
        secondary_ip_ranges=[
            {"range_name": PODS_RANGE, "ip_cidr_range": plan.pods},
            {"range_name": SERVICES_RANGE, "ip_cidr_range": plan.services},
        ],
        log_config={
            "aggregation_interval": "INTERVAL_10_MIN",
            "flow_sampling": 0.5,
            "metadata": "INCLUDE_ALL_METADATA",
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )


class Network(Component):
    """One VPC with one subnet: no default route, not for a public door's `clients` either, no NAT, no public
    address.

    Images come from the stack's own registry. GKE adds its own firewall rules between nodes, pods and the control
    plane when the cluster is made.
    """

    ref: NetworkRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: NetworkSpec,
        *,
        clients: Sequence[str] = (),
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Network", name, provider)
        plan = address_plan(spec.cidr)
        network = gcp.compute.Network(
            "network",
            name=place.name("network"),
            project=place.account,
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,
            routing_mode="REGIONAL",
            opts=pulumi.ResourceOptions(parent=self),
        )
        subnet = subnetwork(self, "subnet", place, plan, network.id, region=place.region)
        self._firewall(place, plan, network)
        api_route = self._google_apis(place, network)
        services = self._managed_services(place, plan, network)
        self.ref = NetworkRef(
            id=network.id,
            subnet_ids=(ready(subnet.id, *api_route),),
            cidr=spec.cidr,
            managed_services_ready=ready(network.id, services),
            doors=API_DOORS,
            internet=ways_back(self, place, network, clients, node_tag(place)),
        )
        self.finish({"id": network.id, "subnet": subnet.id})

    def _firewall(self, place: Place, plan: AddressPlan, network: gcp.compute.Network) -> None:
        gcp.compute.Firewall(
            "deny-ingress",
            name=place.name("deny-ingress"),
            project=place.account,
            network=network.id,
            direction="INGRESS",
            priority=65534,
            source_ranges=["0.0.0.0/0"],
            denies=[{"protocol": "all"}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        gcp.compute.Firewall(
            "control-plane-to-nodes",
            name=place.name("control-plane"),
            project=place.account,
            network=network.id,
            direction="INGRESS",
            priority=1000,
            source_ranges=[plan.control_plane],
            target_tags=[node_tag(place)],
            allows=[{"protocol": "tcp", "ports": list(CONTROL_PLANE_PORTS)}],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _google_apis(self, place: Place, network: gcp.compute.Network) -> list[pulumi.Resource]:
        """The only route out of the network, and names that lead to it."""
        made: list[pulumi.Resource] = [
            gcp.compute.Route(
                "google-apis",
                name=place.name("google-apis"),
                project=place.account,
                network=network.id,
                dest_range=API_RANGE,
                next_hop_gateway="default-internet-gateway",
                opts=pulumi.ResourceOptions(parent=self),
            )
        ]
        for key, (domain, canonical) in PRIVATE_ZONES.items():
            zone = gcp.dns.ManagedZone(
                key,
                name=place.name(f"{key}-private"),
                project=place.account,
                dns_name=domain,
                description=f"{domain} by restricted.googleapis.com",
                visibility="private",
                private_visibility_config={"networks": [{"network_url": network.id}]},
                labels=place.labels,
                opts=pulumi.ResourceOptions(parent=self),
            )
            made.append(self._record(key, "A", canonical, API_ADDRESSES, place, zone))
            made.append(self._record(f"{key}-all", "CNAME", f"*.{domain}", (canonical,), place, zone))
        return made

    def _record(
        self, name: str, kind: str, host: str, data: tuple[str, ...], place: Place, zone: gcp.dns.ManagedZone
    ) -> gcp.dns.RecordSet:
        return gcp.dns.RecordSet(
            name,
            name=host,
            project=place.account,
            managed_zone=zone.name,
            type=kind,
            ttl=300,
            rrdatas=list(data),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _managed_services(
        self, place: Place, plan: AddressPlan, network: gcp.compute.Network
    ) -> gcp.servicenetworking.Connection:
        """The peering through which Memorystore is reached (private services access)."""
        block = ipaddress.IPv4Network(plan.private_services)
        reserved = gcp.compute.GlobalAddress(
            "managed-services",
            name=place.name("managed-services"),
            project=place.account,
            network=network.id,
            purpose="VPC_PEERING",
            address_type="INTERNAL",
            address=str(block.network_address),
            prefix_length=block.prefixlen,
            labels=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return gcp.servicenetworking.Connection(
            "managed-services",
            network=network.id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[reserved.name],
            # Memorystore gives its side back days after the last instance: a plain deletion is then refused
            # ("Producer services … still using", terraform-provider-google#18834), and an abandoned peering keeps the
            # network from going (pulumi-gcp 10.2.0, `deletionPolicy`; read 2026-11-21).
            deletion_policy="REMOVE_PEERING",
            opts=pulumi.ResourceOptions(parent=self),
        )
