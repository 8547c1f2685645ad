"""The network that waits in the backup region: there before it is needed, free, and apart from the primary's."""

from __future__ import annotations

import ipaddress
from typing import Any

from components.contracts.vocabulary import Cloud

SUBNETS = ("aws:ec2/subnet:Subnet", "gcp:compute/subnetwork:Subnetwork")
RANGES = {Cloud.AWS: "cidrBlock", Cloud.GCP: "ipCidrRange"}
FREE = {
    "aws:ec2/vpc:Vpc",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "gcp:compute/subnetwork:Subnetwork",
}


def _standby(platform: Any) -> list[Any]:
    (component,) = (r for r in platform.inventory.resources if r.type.endswith(":Standby"))
    return [r for r in platform.inventory.resources if r.parent == component.urn]


def test_it_stands_in_the_backup_region(platform: Any) -> None:
    regions = {r.region for r in _standby(platform)}
    assert regions == {platform.place.backup_region}


def test_it_costs_nothing_while_it_waits(platform: Any) -> None:
    for resource in _standby(platform):
        assert resource.type in FREE, "this one may have a price: say why it has none, or make it in the restore"
        assert resource.get("vpcEndpointType") in (None, "Gateway"), "an interface endpoint is paid by the hour"


def test_its_addresses_are_beside_the_primarys(platform: Any) -> None:
    found = [
        (r.region, ipaddress.IPv4Network(r.get(RANGES[platform.cloud]))) for r in platform.inventory.of_type(*SUBNETS)
    ]
    away = [range_ for region, range_ in found if region == platform.place.backup_region]
    here = [range_ for region, range_ in found if region == platform.place.region]
    assert away and here and not any(one.overlaps(other) for one in away for other in here)


def test_no_route_leads_out_of_it(aws_platform: Any) -> None:
    types = {r.type for r in _standby(aws_platform)}
    assert not {t for t in types if "nat" in t.lower() or "internetGateway" in t}
    for subnet in (r for r in _standby(aws_platform) if r.type.startswith("aws:ec2/subnet")):
        assert subnet.get("mapPublicIpOnLaunch") is False


def test_valkeys_second_group_stands_in_it(plan_platform: Any, stores: Any) -> None:
    _, changes = stores["valkey"]
    platform = plan_platform(Cloud.AWS, **changes)
    subnets = {r.urn for r in _standby(platform) if r.type.startswith("aws:ec2/subnet")}
    (group,) = (
        g
        for g in platform.inventory.of_type("aws:elasticache/subnetGroup:SubnetGroup")
        if g.region == platform.place.backup_region
    )
    linked = {s.urn for s in platform.inventory.linked(group, "subnetIds", "aws:ec2/subnet:Subnet")}
    assert len(linked) == 2 and linked <= subnets
