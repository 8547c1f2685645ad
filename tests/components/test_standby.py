"""The network that waits in the backup region: there before it is needed, free, and apart from the primary's."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from common.iam import Principal, Request, decide, parse
from components.aws.documents import table_arn
from components.aws.identity import fleet_role
from components.contracts.naming import drill_name
from components.contracts.vocabulary import Cloud

EVERYTHING = parse('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}')

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


def _passes(
    platform: Any, service: str, action: str, resource: str, *, only_what_the_fleet_may: bool = False, other: str = ""
) -> bool:
    """Whether the standby network's gateway to a service lets a request through, of the fleet's role or of any.

    Args:
        other: the condition key that names another account than the stack's.
    """
    place = platform.place
    (gateway,) = (r for r in _standby(platform) if str(r.get("serviceName")).endswith(f".{service}"))
    assert gateway.get("routeTableIds"), "a gateway that no route table knows leads nowhere"
    (role,) = (r for r in platform.inventory.of_type("aws:iam/role:Role") if r.get("name") == fleet_role(place))
    policies = [
        parse(policy.get("policy"))
        for policy in platform.inventory.of_type("aws:iam/rolePolicy:RolePolicy")
        if any(linked.urn == role.urn for linked in platform.inventory.linked(policy, "role"))
    ]
    context = {"aws:PrincipalAccount": place.account, "aws:ResourceAccount": place.account}
    if other:
        context[other] = "999999999999"
    request = Request(
        Principal.role(f"arn:aws:iam::{place.account}:role/{fleet_role(place)}", "pod"), action, resource, context
    )
    identity = policies if only_what_the_fleet_may else [EVERYTHING]
    return decide(request, identity=identity, limits=[parse(gateway.get("policy"))]).yes


@pytest.mark.parametrize("name", ["replica", "{}-restored", "drill"])
def test_a_restored_fleet_reads_its_release_through_it(aws_platform: Any, name: str) -> None:
    place = aws_platform.place
    replica = place.bucket_name("models", place.backup_region)
    bucket = {"replica": replica, "drill": f"{drill_name(place.environment)}0a1b"}.get(name, name.format(replica))
    assert _passes(aws_platform, "s3", "s3:ListBucket", f"arn:aws:s3:::{bucket}", only_what_the_fleet_may=True)
    assert _passes(
        aws_platform,
        "s3",
        "s3:GetObject",
        f"arn:aws:s3:::{bucket}/releases/v1/manifest.json",
        only_what_the_fleet_may=True,
    )
    assert not _passes(aws_platform, "s3", "s3:PutObject", f"arn:aws:s3:::{bucket}/releases/v1/manifest.json")


def test_a_restored_fleet_looks_features_up_through_it(aws_platform: Any) -> None:
    place = aws_platform.place
    table = table_arn(place, f"{place.name('features')}-restored", region=place.backup_region)
    assert _passes(aws_platform, "dynamodb", "dynamodb:BatchGetItem", table, only_what_the_fleet_may=True)
    assert not _passes(aws_platform, "dynamodb", "dynamodb:PutItem", table)


@pytest.mark.parametrize(
    ("service", "action", "resource"),
    [
        ("s3", "s3:GetObject", "arn:aws:s3:::somebody-elses/secret"),
        ("dynamodb", "dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:999999999999:table/seawall-dev-features"),
    ],
)
def test_nothing_else_passes_it(aws_platform: Any, service: str, action: str, resource: str) -> None:
    assert not _passes(aws_platform, service, action, resource)


@pytest.mark.parametrize("side", ["aws:PrincipalAccount", "aws:ResourceAccount"])
def test_no_other_accounts_token_or_bucket_passes_it(aws_platform: Any, side: str) -> None:
    place = aws_platform.place
    item = f"arn:aws:s3:::{place.bucket_name('models', place.backup_region)}/releases/v1/manifest.json"
    assert not _passes(aws_platform, "s3", "s3:GetObject", item, other=side)


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
