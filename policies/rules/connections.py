"""What connects a network on AWS with others: only what the settings name, and each connection leads there alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, not_applicable, passed, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.addresses import Addresses
from policies.reach.aws_routes import HOLDERS, Target, Way, vpc_of, ways
from policies.reach.declared import declared
from policies.reach.values import flag, texts
from policies.tokens import (
    INTERNET_GATEWAY,
    INTERNET_GATEWAY_ATTACHMENT,
    NAT_GATEWAY,
    ROUTE,
    TRANSIT_ATTACHMENT,
    VPC,
    VPC_ENDPOINT,
    VPN_GATEWAY,
)

family = Family("Connections of networks")

_CLIENTS: Final = "a range of fleet.door.public.source_ranges"
_CLOSED: Final = "nothing, as fleet.door.public is not set"
_CONNECTED: Final = "the stack's own networks, or one of cluster.private_cidrs and fleet.door.client_cidrs"
_GATEWAYS: Final = {
    INTERNET_GATEWAY: "an internet gateway",
    INTERNET_GATEWAY_ATTACHMENT: "an internet gateway",
}
"""A public door has one; the rule about networks judges it where it stands in one of the stack's."""
_NEVER: Final = {
    NAT_GATEWAY: "a translation of addresses, by which machines reach the internet",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": "a gateway by which machines reach the internet",
    "aws:ec2/carrierGateway:CarrierGateway": "a gateway to a carrier's network",
    "aws:ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation": "routes that another network announces",
    "aws:ec2clientvpn/networkAssociation:NetworkAssociation": "a VPN into the network for single machines",
    "aws:vpclattice/serviceNetworkVpcAssociation:ServiceNetworkVpcAssociation": "a network of services of others",
    "aws:ec2/localGatewayRouteTableVpcAssociation:LocalGatewayRouteTableVpcAssociation": "a way to an outpost",
}
_LINES: Final = (
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
    TRANSIT_ATTACHMENT,
    VPN_GATEWAY,
    "aws:ec2/vpnGatewayAttachment:VpnGatewayAttachment",
    "aws:ec2/vpnConnection:VpnConnection",
    "aws:networkmanager/vpcAttachment:VpcAttachment",
    "aws:directconnect/gatewayAssociation:GatewayAssociation",
)
"""What joins two networks: its routes say which part of the other is reached."""
_PEERING: Final = _LINES[0]
_SERVICE: Final = "aws:ec2/vpcEndpointService:VpcEndpointService"
_PRINCIPAL: Final = "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple"
_SHARE: Final = "aws:ram/resourceShare:ResourceShare"
_AWS_SERVICE: Final = re.compile(r"com\.amazonaws\.(?!vpce\.)[a-z0-9.-]+|aws\.[a-z0-9.-]+")
_PRINCIPALS: Final = "principals of the stack's own account"
_VPN: Final = setting("cluster.private_cidrs", {"vpn": "10.64.0.0/16"})
_OWN: Final = setting("network", {"cidr": "10.20.0.0/16"})


def _route(to: Any, name: str = "peer") -> Any:
    return plus(
        given(
            ROUTE,
            {"routeTableId": "rtb-1", "vpcPeeringConnectionId": Output(_PEERING), "destinationCidrBlock": to},
            name,
        )
    )


def led_by(way: Way, inventory: Inventory) -> Judgement:
    """Whether a route leads where the settings say: to a public door's clients, or to a connected network."""
    networks = declared(inventory)
    path = f"{way.holder.name}.{way.to}"
    to_clients = networks.clients
    named: Addresses = to_clients if way.target is Target.INTERNET else networks.private
    required = (_CLIENTS if to_clients else _CLOSED) if way.target is Target.INTERNET else _CONNECTED
    if way.target is Target.UNKNOWN and (way.hidden or way.destination - networks.private):
        return unknown(f"{way.holder.name}.{way.by}", f"no internet gateway, or {way.to} {_CLIENTS}")
    if way.hidden:
        absent = read(way.holder, way.to) is ABSENT
        return failed(path, "absent", required) if absent else unknown(path, required)
    if way.destination - named:
        return failed(path, shown(read(way.holder, way.to)), required)
    return PASS


@family.rule(
    "aws-connections-declared",
    Severity.CRITICAL,
    "What joins a network with another leads only where the settings say",
    types=(*_GATEWAYS, *_NEVER, *_LINES, *HOLDERS),
    rationale="Each connection makes the other side's intruders one's own, and is a way out for data.",
    remedy="Remove it, or name the other network in cluster.private_cidrs and route to nothing else.",
    frameworks={Framework.NIST_800_53: ("SC-7",)},
    examples=lambda: examples(
        given(_PEERING, {"vpcId": Output(VPC), "peerVpcId": "vpc-1"}),
        given(
            ROUTE,
            {
                "routeTableId": "rtb-1",
                "vpcPeeringConnectionId": Output(_PEERING),
                "destinationCidrBlock": "10.64.0.0/20",
            },
            "vpn",
        ),
        broken={
            "no route by it leads to a network that the settings connect": put(
                "vpcPeeringConnectionId", "pcx-another", ROUTE, "vpn"
            ),
            'vpn.destinationCidrBlock is "0.0.0.0/0"': put("destinationCidrBlock", "0.0.0.0/0", ROUTE, "vpn"),
            'peer.destinationCidrBlock is "203.0.113.0/24"': _route("203.0.113.0/24"),
            'vpn.destinationCidrBlock is "10.64.0.0/20"': _OWN,
        },
        undecided={
            "vpn.destinationCidrBlock is known only to the provider": put(
                "destinationCidrBlock", Hidden(), ROUTE, "vpn"
            )
        },
        accepted={"": (both(_OWN, _VPN), both(_OWN, _VPN, _route("10.64.128.0/17")))},
    ),
)
def connections_declared(resource: Resource, inventory: Inventory) -> Judgement:
    if resource.type in _NEVER:
        return failed("", _NEVER[resource.type], "no such way, for no setting opens one")
    if resource.type in _GATEWAYS:
        if declared(inventory).public_door:
            return passed("the settings open the door to the internet")
        return failed("", _GATEWAYS[resource.type], _CLOSED)
    if resource.type in HOLDERS:
        lost = vpc_of(resource, inventory) is None
        judged = _all(led_by(way, inventory) for way in ways(resource, inventory)) if lost else PASS
        return judged if judged.problems else not_applicable("it is judged with its network")
    by_it = inventory.derived(_by_line).get(resource.urn, ())
    if not by_it:
        return failed("", "no route by it leads to a network that the settings connect", _CONNECTED)
    return _all(led_by(way, inventory) for way in by_it)


def _all(judgements: Iterator[Judgement]) -> Judgement:
    judged = all_of(judgements)
    return judged if judged.problems else PASS


def _by_line(inventory: Inventory) -> Mapping[str, list[Way]]:
    """The URN of what joins two networks → the routes by it, also by what it is attached to."""
    found: dict[str, list[Way]] = {}
    for holder in inventory.of_type(*HOLDERS):
        for way in ways(holder, inventory):
            for target in inventory.linked(way.holder, way.by.partition(".")[0]):
                found.setdefault(target.urn, []).append(way)
    for line in inventory.of_type(*_LINES):
        for urns in line.property_dependencies.values():
            for urn in urns:
                found.setdefault(line.urn, []).extend(found.get(urn, ()))
    return {urn: each for urn, each in found.items() if each}


@family.rule(
    "aws-private-link-closed",
    Severity.HIGH,
    "Endpoints lead to AWS' own services, and nobody else's account may make one to the stack",
    types=(VPC_ENDPOINT, _SERVICE, _PRINCIPAL, _SHARE),
    rationale="An endpoint to a stranger's service takes data out past every route; one of ours lets strangers in.",
    remedy="Name AWS' services; accept connections one by one, from the stack's own account.",
    frameworks={Framework.NIST_800_53: ("SC-7",), Framework.CHECKOV: ("CKV_AWS_123",)},
    examples=lambda: examples(
        given(_SERVICE, {"acceptanceRequired": True, "allowedPrincipals": ["arn:aws:iam::111122223333:root"]}),
        broken={
            'allowedPrincipals is ["*"]': put("allowedPrincipals", ["*"]),
            'allowedPrincipals is ["arn:aws:iam::*:root"]': put("allowedPrincipals", ["arn:aws:iam::*:root"]),
            'allowedPrincipals is ["arn:aws:iam::111122223333:root"]': setting("account", "444455556666"),
            "acceptanceRequired is false": put("acceptanceRequired", False),
        },
        undecided={
            "acceptanceRequired is known only to the provider": put("acceptanceRequired", Hidden()),
            "allowedPrincipals is known only to the provider": put("allowedPrincipals", Hidden()),
        },
        accepted={"": (put("acceptanceRequired", "true"), drop("allowedPrincipals"))},
    ),
)
def private_link_closed(resource: Resource, inventory: Inventory) -> Judgement:
    return _all(_private_link(resource, declared(inventory).account))


def _private_link(resource: Resource, account: str) -> Iterator[Judgement]:
    if resource.type == VPC_ENDPOINT:
        name = read(resource, "serviceName")
        if name is not ABSENT:  # a resource or a service network has another input
            yield _hidden_or(resource, "serviceName", "a service of AWS'", _AWS_SERVICE.fullmatch(str(name)))
        for other in ("resourceConfigurationArn", "serviceNetworkArn"):
            if read(resource, other) is not ABSENT:
                yield failed(other, shown(read(resource, other)), "a service of AWS'")
        return
    if resource.type == _SHARE:
        yield _hidden_or(
            resource,
            "allowExternalPrincipals",
            "false",
            flag(resource, "allowExternalPrincipals", default=False) is False,
        )
        return
    if resource.type == _SERVICE:
        asked = flag(resource, "acceptanceRequired", default=False)
        yield _hidden_or(resource, "acceptanceRequired", "true: each connection is accepted by hand", asked)
    path = "allowedPrincipals" if resource.type == _SERVICE else "principalArn"
    named, _ = texts(resource, path)
    foreign = [arn for arn in named if not _is_own(arn, account)]
    yield _hidden_or(resource, path, _PRINCIPALS, not foreign)


def _hidden_or(resource: Resource, path: str, required: str, holds: object) -> Judgement:
    value = read(resource, path)
    listed = value if isinstance(value, list) else [value]
    if holds and any(map(is_hidden, listed)):
        return unknown(path, required)
    if any(map(is_hidden, listed)) and not isinstance(value, list):
        return unknown(path, required)
    return PASS if holds else failed(path, shown(value), required)


def _is_own(arn: str, account: str) -> bool:
    part = arn.split(":")[4] if arn.count(":") >= 5 else ""
    return bool(re.fullmatch(r"\d{12}", part)) and (not account or part == account)
