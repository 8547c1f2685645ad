"""The network that a restore needs in the backup region: it stands before the primary one is lost, and costs nothing.

A VPC, its subnets, route table and gateway endpoints have no price (Amazon VPC's pricing page; believed, 2026-11-21).
What has one waits until it is needed: interface endpoints, machines, a control plane. `components.contracts.restore`
counts the minutes that they take.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.aws.network import standby_endpoint_policies, subnet_cidr
from components.contracts.component import Component, ready
from components.contracts.offers import zones_of
from components.contracts.place import Place
from components.contracts.refs import NetworkRef, StandbyRef
from components.contracts.specs import StandbySpec
from components.contracts.vocabulary import Cloud


class Standby(Component):
    """A VPC of the backup region, a subnet in each of its zones, and ways to images' layers and to restored data.

    A machine in it needs no endpoint by the hour to fetch a release and to look features up: those two are gateways.
    """

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
        super().__init__("aws:Standby", name, provider)
        del network  # the primary region's, which goes with it
        region = place.backup_region
        options = pulumi.ResourceOptions(parent=self)
        vpc = aws.ec2.Vpc(
            "standby",
            region=region,
            cidr_block=spec.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={**place.labels, "Name": place.name("standby")},
            opts=options,
        )
        aws.ec2.DefaultSecurityGroup(
            "standby-closed", region=region, vpc_id=vpc.id, ingress=[], egress=[], tags=place.labels, opts=options
        )
        table = aws.ec2.RouteTable(
            "standby",
            region=region,
            vpc_id=vpc.id,
            tags={**place.labels, "Name": place.name("standby")},
            opts=options,
        )
        subnets = {zone: self._subnet(place, spec, zone, vpc, table) for zone in zones_of(Cloud.AWS, region)}
        gateways = [
            self._gateway(place, service, policy, vpc, table)
            for service, policy in standby_endpoint_policies(place).items()
        ]
        self.ref = StandbyRef(network=ready(vpc.id, *gateways), subnets=subnets, cidr=spec.cidr, region=region)
        self.finish({"network": self.ref.network})

    def _subnet(
        self, place: Place, spec: StandbySpec, zone: str, vpc: aws.ec2.Vpc, table: aws.ec2.RouteTable
    ) -> pulumi.Output[str]:
        region = place.backup_region
        options = pulumi.ResourceOptions(parent=self)
        subnet = aws.ec2.Subnet(
            f"standby-{zone}",
            region=region,
            vpc_id=vpc.id,
            availability_zone_id=zone,
            cidr_block=subnet_cidr(spec.cidr, zone),
            map_public_ip_on_launch=False,
            tags={**place.labels, "Name": place.name(f"standby-{zone}"), "kubernetes.io/role/internal-elb": "1"},
            opts=options,
        )
        route = aws.ec2.RouteTableAssociation(
            f"standby-{zone}", region=region, subnet_id=subnet.id, route_table_id=table.id, opts=options
        )
        return ready(subnet.id, route)

    def _gateway(
        self, place: Place, service: str, policy: str, vpc: aws.ec2.Vpc, table: aws.ec2.RouteTable
    ) -> aws.ec2.VpcEndpoint:
        region = place.backup_region
        return aws.ec2.VpcEndpoint(
            f"standby-{service}",
            region=region,
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{region}.{service}",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id],
            policy=policy,
            tags={**place.labels, "Name": place.name(f"standby-{service}")},
            opts=pulumi.ResourceOptions(parent=self),
        )
