"""The AWS network: addresses by zone, and no way in or out."""

from __future__ import annotations

import ipaddress
import json
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.aws.network import (
    INTERFACE_ENDPOINTS,
    control_plane_cidr,
    endpoint_url,
    public_cidr,
    store_cidr,
    subnet_cidr,
)
from components.contracts.offers import zones_of
from components.contracts.vocabulary import Cloud

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
NUMBERS = "1234567"
SUBNETS = (subnet_cidr, control_plane_cidr, store_cidr, public_cidr)
CIDRS = st.integers(0, 255).map(lambda second: f"10.{second}.0.0/16")


@given(CIDRS)
def test_subnets_lie_in_the_network_and_never_overlap(cidr: str) -> None:
    zones = [f"use1-az{number}" for number in NUMBERS]
    subnets = [ipaddress.IPv4Network(of(cidr, zone)) for of in SUBNETS for zone in zones]
    assert all(subnet.subnet_of(ipaddress.IPv4Network(cidr)) for subnet in subnets)
    assert not any(a.overlaps(b) for a, b in combinations(subnets, 2))


@pytest.mark.parametrize("zone", ["us-east-1a", "use1-az8", "use1-az0", ""])
def test_a_zone_without_room_is_refused_with_what_is_allowed(zone: str) -> None:
    for of in (subnet_cidr, control_plane_cidr):
        with pytest.raises(ValueError, match="ids end in 1 to 7"):
            of("10.20.0.0/16", zone)


def test_a_zone_keeps_its_subnet_when_others_come(aws_platform: Any, plan_platform: Any) -> None:
    more = plan_platform(aws_platform.cloud, zones=list(reversed(zones_of(Cloud.AWS, aws_platform.place.region))))
    before, after = (
        {s.name: s.get("cidrBlock") for s in p.inventory.of_type("aws:ec2/subnet:Subnet")}
        for p in (aws_platform, more)
    )
    assert before.items() <= after.items(), "a subnet that moves is a subnet that is replaced, with all in it"


def test_nothing_leads_to_the_internet(aws_platform: Any) -> None:
    doors = {
        r.type
        for r in aws_platform.inventory.resources
        if r.type.startswith(("aws:ec2/internetGateway", "aws:ec2/natGateway", "aws:ec2/route:", "aws:ec2/eip"))
    }
    assert not doors
    tables = aws_platform.inventory.of_type("aws:ec2/routeTable:RouteTable")
    assert not [t.name for t in tables if t.get("routes")]


def test_every_subnet_is_routed_and_private(aws_platform: Any) -> None:
    subnets = list(aws_platform.inventory.of_type("aws:ec2/subnet:Subnet"))
    assert [s.name for s in subnets if s.get("mapPublicIpOnLaunch") is not False] == []
    associations = aws_platform.inventory.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
    routed = {s.urn for a in associations for s in aws_platform.inventory.linked(a, "subnetId")}
    assert routed == {s.urn for s in subnets}, "the gateway endpoints reach routed subnets only"


def test_endpoints_answer_the_network_alone(aws_platform: Any) -> None:
    rule = aws_platform.one("network", "endpoints-https")
    assert (rule.get("cidrIpv4"), rule.get("fromPort"), rule.get("toPort")) == ("10.20.0.0/16", 443, 443)


def test_machines_wait_for_the_endpoints(aws_platform: Any) -> None:
    endpoints = {"s3", *INTERFACE_ENDPOINTS}
    for group in aws_platform.inventory.of_type("aws:eks/nodeGroup:NodeGroup"):
        waits_for = {e.name for e in aws_platform.inventory.linked(group, "subnetIds", ENDPOINT)}
        assert waits_for == endpoints, "a machine that starts first cannot join, and its group fails"


def test_every_connection_is_logged(aws_platform: Any) -> None:
    (log,) = aws_platform.inventory.of_type("aws:ec2/flowLog:FlowLog")
    assert log.get("trafficType") == "ALL"
    assert [v.name for v in aws_platform.inventory.linked(log, "vpcId")] == ["vpc"]


MANAGED_CALLS = {
    "AmazonEKSWorkerNodePolicy": {"ec2", "eks", "eks-auth"},
    "AmazonEC2ContainerRegistryPullOnly": {"ecr"},
    "AmazonEKS_CNI_Policy": {"ec2"},
}
"""AWS' own policies → the services whose actions they grant (AWS managed policy reference, read 2026-11-21;
that of the registry believed)."""
INSIDE = ("ec2.amazonaws.com", "pods.eks.amazonaws.com")
"""Who trusts one of these runs in the network."""
GATEWAYS = {"s3", "dynamodb"}
NOT_CALLED = {
    "kms": "the services that keep the data use the keys, as each statement's ViaService says",
    "elasticache": "a token is signed where it is used",
}


def called_from_inside(inventory: Any) -> set[str]:
    """The services that roles of machines and pods may call."""
    roles = {
        r.urn: r
        for r in inventory.of_type("aws:iam/role:Role")
        if any(service in str(r.get("assumeRolePolicy")) for service in INSIDE)
    }
    found: set[str] = set()
    for token in ("aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        for policy in inventory.of_type(token):
            if not any(role.urn in roles for role in inventory.linked(policy, "role")):
                continue
            if arn := policy.get("policyArn"):
                found |= MANAGED_CALLS[str(arn).rpartition("/")[2]]
            else:
                statements = json.loads(policy.get("policy"))["Statement"]
                found |= {
                    a.partition(":")[0]
                    for s in statements
                    for a in ([*s["Action"]] if isinstance(s["Action"], list) else [s["Action"]])
                }
    return found


def test_each_endpoint_has_a_caller_in_the_network_and_each_call_an_endpoint(aws_platform: Any) -> None:
    paid = set(INTERFACE_ENDPOINTS.values())
    called = called_from_inside(aws_platform.inventory)
    assert paid - called == set(), "an endpoint that nobody uses costs as much as one that is used"
    assert called - paid - GATEWAYS - set(NOT_CALLED) == set(), "there is no other way out of the network"


def statements(endpoint: Any) -> list[dict[str, Any]]:
    """What may pass an endpoint."""
    return json.loads(endpoint.get("policy"))["Statement"]


def test_what_could_carry_data_elsewhere_passes_only_to_own_resources(aws_platform: Any) -> None:
    """The bucket and table by their endpoints, and all but reading of images."""
    own = {"aws:PrincipalAccount", "aws:ResourceAccount"}
    tables = f"arn:aws:dynamodb:{aws_platform.place.region}:{aws_platform.place.account}:table/"
    open_doors = {
        (endpoint.name, statement["Sid"])
        for endpoint in aws_platform.inventory.of_type(ENDPOINT)
        if endpoint.name in {"s3-endpoint", "dynamodb-endpoint", "ecr.api", "ecr.dkr"}
        for statement in statements(endpoint)
        if not own <= statement.get("Condition", {}).get("StringEquals", {}).keys()
        and not str(statement["Resource"]).startswith(tables)
    }
    assert open_doors == {("ecr.api", "ReadImages"), ("ecr.dkr", "ReadImages")}


def test_reading_others_images_writes_nothing(aws_platform: Any) -> None:
    reads = {
        action
        for endpoint in aws_platform.inventory.of_type(ENDPOINT)
        for statement in statements(endpoint)
        if statement["Sid"] == "ReadImages"
        for action in statement["Action"]
    }
    assert reads and not [action for action in reads if not action.startswith(("ecr:Get", "ecr:Batch"))]
    assert not any("*" in action for action in reads)


@pytest.mark.parametrize(
    ("names", "url"),
    [
        (
            ["*.vpce-0a-1b.s3.eu-central-1.vpce.amazonaws.com"],
            "https://bucket.vpce-0a-1b.s3.eu-central-1.vpce.amazonaws.com",
        ),
        (
            [
                "vpce-0a-1b-eu-central-1a.dynamodb.eu-central-1.vpce.amazonaws.com",
                "vpce-0a-1b.dynamodb.eu-central-1.vpce.amazonaws.com",
            ],
            "https://vpce-0a-1b.dynamodb.eu-central-1.vpce.amazonaws.com",
        ),
    ],
)
def test_a_store_is_called_by_its_endpoints_name_for_all_zones(names: list[str], url: str) -> None:
    assert endpoint_url([{"dns_name": name} for name in names]) == url
