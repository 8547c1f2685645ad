"""What a closed network on AWS needs so that its machines reach what they call."""

from __future__ import annotations

from typing import Final

from policies.checks import (
    ABSENT,
    all_of,
    any_of,
    best_of,
    equals,
    failed,
    if_given,
    is_hidden,
    not_applicable,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, Output, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions, region_in
from policies.model import Judgement, Severity
from policies.reach.values import truth
from policies.tokens import (
    EKS_CLUSTER,
    EKS_POD_IDENTITY,
    INTERNET_GATEWAY,
    INTERNET_GATEWAY_ATTACHMENT,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SUBNET,
    TRANSIT_ATTACHMENT,
    VPC,
    VPC_ENDPOINT,
)

family = Family("The parts of a network on AWS")

_TAG: Final = "aws:autoscaling/tag:Tag"
_WAYS_OUT: Final = (
    INTERNET_GATEWAY,
    INTERNET_GATEWAY_ATTACHMENT,
    TRANSIT_ATTACHMENT,
)
_HIDDEN_SERVICE: Final = "an endpoint whose service is known only to the provider"
_BY_GATEWAY: Final = ("s3", "dynamodb")
_CALLED: Final = ("ec2", "ecr.api", "ecr.dkr", "s3")
"""Services that nodes call: docs.aws.amazon.com/eks/latest/userguide/private-clusters.html, read 2026-11-22."""


@family.rule(
    "aws-subnets-routed",
    Severity.MEDIUM,
    "A subnet has a route table of the stack",
    types=(SUBNET,),
    rationale="A subnet without one takes the network's main table, which no rule judges and which any later "
    "change of the network opens.",
    remedy="Associate it with the table of its network.",
    examples=lambda: examples(
        given(SUBNET, {}, "routed"),
        given(
            ROUTE_TABLE_ASSOCIATION,
            {"subnetId": Output(SUBNET, "routed"), "routeTableId": Output(ROUTE_TABLE, "routed")},
            "routed",
        ),
        broken={
            "no route table": (
                without(ROUTE_TABLE_ASSOCIATION, "routed"),
                drop("routeTableId", ROUTE_TABLE_ASSOCIATION, "routed"),
            ),
        },
        undecided={
            "routed.routeTableId is known only to the provider": put(
                "routeTableId", Hidden(), ROUTE_TABLE_ASSOCIATION, "routed"
            )
        },
        accepted={"": put("mapPublicIpOnLaunch", "false")},
    ),
)
def subnets_routed(subnet: Resource, inventory: Inventory) -> Judgement:
    routed = companions(inventory, subnet, "subnetId", (read(subnet, "id"),), ROUTE_TABLE_ASSOCIATION)
    return any_of(
        (_leads(each, inventory) for each in routed),
        failed("", "no route table", "an association with a table of the stack"),
    )


def _leads(association: Resource, inventory: Inventory) -> Judgement:
    table = read(association, "routeTableId")
    if is_hidden(table) and not inventory.linked(association, "routeTableId", ROUTE_TABLE):
        return unknown(f"{association.name}.routeTableId", "a table of the stack")
    return passed() if table not in (ABSENT, "") else failed("", "no route table", "a table of the stack")


@family.rule(
    "aws-closed-network-reaches-services",
    Severity.HIGH,
    "A network without a way out reaches the services that its cluster calls",
    types=(VPC,),
    rationale="Machines of a closed network that miss an endpoint, or its name, pull no image and never join.",
    remedy="Plan an endpoint for the service, with private names, and leave the network's DNS on.",
    examples=lambda: examples(
        given(VPC, {"enableDnsSupport": True, "enableDnsHostnames": True}, "closed"),
        given(SUBNET, {"vpcId": Output(VPC, "closed")}, "closed"),
        given(EKS_CLUSTER, {"vpcConfig.subnetIds": [Output(SUBNET, "closed")]}, "closed"),
        *(
            given(
                VPC_ENDPOINT,
                {
                    "vpcId": Output(VPC, "closed"),
                    "serviceName": f"com.amazonaws.eu-west-1.{service}",
                    "vpcEndpointType": "Gateway" if service == "s3" else "Interface",
                    **({} if service == "s3" else {"privateDnsEnabled": True}),
                },
                f"closed-{service}",
            )
            for service in _CALLED
        ),
        broken={
            "no endpoint for ecr.api": without(VPC_ENDPOINT, "closed-ecr.api"),
            "no endpoint for s3": (
                without(VPC_ENDPOINT, "closed-s3"),
                put("serviceName", "com.amazonaws.eu-west-1.dynamodb", VPC_ENDPOINT, "closed-s3"),
            ),
            "closed-ec2 has no private names": (
                put("privateDnsEnabled", False, VPC_ENDPOINT, "closed-ec2"),
                drop("privateDnsEnabled", VPC_ENDPOINT, "closed-ec2"),
            ),
            "enableDnsHostnames is absent": drop("enableDnsHostnames"),
            "enableDnsHostnames is false": put("enableDnsHostnames", False),
            "enableDnsSupport is false": put("enableDnsSupport", "false"),
        },
        undecided={
            _HIDDEN_SERVICE: put("serviceName", Hidden(), VPC_ENDPOINT, "closed-s3"),
        },
        accepted={
            "": drop("enableDnsSupport"),
            "no cluster is in it, or it has a way out": without(EKS_CLUSTER, "closed"),
        },
    ),
)
def closed_network_reaches_services(vpc: Resource, inventory: Inventory) -> Judgement:
    clusters = [c for c in inventory.of_type(EKS_CLUSTER) if _is_in(c, vpc, inventory)]
    if not clusters or companions(inventory, vpc, "vpcId", (read(vpc, "id"),), *_WAYS_OUT):
        return not_applicable("no cluster is in it, or it has a way out")
    endpoints = companions(inventory, vpc, "vpcId", (read(vpc, "id"),), VPC_ENDPOINT)
    return all_of(
        (
            if_given(vpc, "enableDnsSupport", lambda: equals(vpc, "enableDnsSupport", True)),
            equals(vpc, "enableDnsHostnames", True),
            *(_served(service, endpoints, region_in(vpc)) for service in _services(clusters, inventory)),
        )
    )


def _is_in(cluster: Resource, vpc: Resource, inventory: Inventory) -> bool:
    subnets = inventory.linked(cluster, "vpcConfig", SUBNET)
    return any(vpc in inventory.linked(subnet, "vpcId", VPC) for subnet in subnets)


def _services(clusters: list[Resource], inventory: Inventory) -> list[str]:
    by_pods = any(companions(inventory, c, "clusterName", (read(c, "name"),), EKS_POD_IDENTITY) for c in clusters)
    return [*_CALLED, *(["eks-auth"] if by_pods else []), *(["autoscaling"] if any(inventory.of_type(_TAG)) else [])]


def _served(service: str, endpoints: tuple[Resource, ...], region: str | None) -> Judgement:
    called = [(each, read(each, "serviceName")) for each in endpoints]
    fitting = [each for each, name in called if isinstance(name, str) and _calls(name, service, region)]
    if not fitting:
        if any(is_hidden(name) for _, name in called):
            return unknown("", f"an endpoint for {service}", _HIDDEN_SERVICE)
        return failed("", f"no endpoint for {service}", "one in this network")
    return best_of(_by_name(each, service) for each in fitting)


def _calls(name: str, service: str, region: str | None) -> bool:
    parts = name.split(".", 3)
    return parts[3:] == [service] and (not region or parts[2] == region)


def _by_name(endpoint: Resource, service: str) -> Judgement:
    """Whether who calls the service by its own name comes to the endpoint; a gateway lies on the way."""
    kind, named = read(endpoint, "vpcEndpointType"), read(endpoint, "privateDnsEnabled")
    if service in _BY_GATEWAY and kind in (ABSENT, "Gateway"):
        return passed()
    if is_hidden(kind) or is_hidden(named):
        return unknown("", "privateDnsEnabled", f"whether {endpoint.name} has private names, only the provider knows")
    if kind != "Interface" or truth(named, default=False) is False:
        return failed("", f"{endpoint.name} has no private names", "privateDnsEnabled, of an interface endpoint")
    return passed()
