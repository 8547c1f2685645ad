"""The subnet that a restore needs in the backup region: it stands before the primary one is lost, and costs nothing.

A VPC is global on Google Cloud: its routes, private names, firewall rules and the range for managed services reach
the backup region already, and only a subnet is missing. Subnets have no price (VPC's pricing page; believed,
2026-11-21).
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import NetworkRef, StandbyRef
from components.contracts.specs import StandbySpec
from components.gcp.network import address_plan, subnetwork


class Standby(Component):
    """A subnet of the stack's network in the backup region, with ranges for pods and services."""

    ref: StandbyRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: StandbySpec,
        *,
        network: NetworkRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Standby", name, provider)
        region = place.backup_region
        subnet: gcp.compute.Subnetwork = subnetwork(
            self, "standby", place, address_plan(spec.cidr), network.id, region=region
        )
        self.ref = StandbyRef(network=network.id, subnets={region: subnet.id}, cidr=spec.cidr, region=region)
        self.finish({"network": self.ref.network, "subnet": subnet.id})
