"""What stands before the fleet's door on Google Cloud: a passthrough network load balancer, made by GKE.

`cloud.google.com/l4-rbs: enabled` makes an external one with a backend service (GKE, "About LoadBalancer Services",
read 2026-11-22); the internal one's annotation is in GKE's "Create an internal load balancer" (read 2026-11-22). GKE
lays the firewall's rules for `loadBalancerSourceRanges` and for the health checks itself (believed, 2026-11-22).

No web application firewall: Cloud Armor's rules by request are for proxies that end TLS ("Security policy overview",
as a copy of it has it, read 2026-11-22). What is there for a passthrough load balancer is protection from floods:
Google's own always, and by subscription to Cloud Armor Enterprise the advanced one with network edge security
policies, which see packets and no request ("Managed Protection overview", read 2026-11-22). That subscription is the
organization's, so a stack lays none of it: `public.firewall_because` says what stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.door import DoorSpec, Exposure
from components.contracts.place import Place

INTERNAL: Final = "networking.gke.io/load-balancer-type"
BACKEND_SERVICE: Final = "cloud.google.com/l4-rbs"


def exposure(place: Place, spec: DoorSpec, networks: Sequence[str]) -> Exposure:  # noqa: ARG001 - as AWS' needs it
    """The load balancer: internal and for `networks`, unless the door is public; GKE makes the firewall's rule of
    `source_ranges`."""
    if spec.public is not None:
        return Exposure({BACKEND_SERVICE: "enabled"}, source_ranges=spec.public.source_ranges)
    return Exposure({INTERNAL: "Internal"}, source_ranges=tuple(networks))


def ways_back(
    parent: pulumi.Resource, place: Place, network: gcp.compute.Network, clients: Sequence[str], tag: str
) -> tuple[pulumi.Resource, ...]:
    """Routes by which machines with this tag answer these `clients`, and nobody else: no default route.

    A passthrough load balancer hands packets on unchanged, and answers go from the machine straight to the client
    (load-balancing/docs/network, "direct server return", read 2026-11-22), so that the machine's network needs a
    route there; that the internet gateway takes such an answer from a machine without a public address is believed.
    It takes nothing else from one: there is no address translation.
    """
    return tuple(
        gcp.compute.Route(
            f"clients-{range_name}",
            name=place.name(f"clients-{range_name}"),
            project=place.account,
            network=network.id,
            dest_range=clients_range,
            tags=[tag],
            next_hop_gateway="default-internet-gateway",
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for clients_range in clients
        for range_name in (clients_range.replace(".", "-").replace("/", "-"),)
    )
