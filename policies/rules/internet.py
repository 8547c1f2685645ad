"""Ways between a network and the internet: none, but for a public door's clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, equals, failed, is_hidden, passed, read, shown, unknown
from policies.examples import Given, Hidden, Output, both, drop, examples, given, plus, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions
from policies.model import Judgement, Severity
from policies.reach.aws_routes import HOLDERS, vpc_of, ways
from policies.reach.values import flag
from policies.rules.connections import led_by
from policies.rules.gcp_connections import APIS, WAY_OUT, gcp_led
from policies.rules.gcp_connections import ROUTE as GCP_ROUTE
from policies.settings_view import door_reason
from policies.tokens import (
    GCP_NETWORK,
    INTERNET_GATEWAY,
    INTERNET_GATEWAY_ATTACHMENT,
    ROUTE,
    ROUTE_TABLE,
    SUBNET,
    VPC,
)

family = Family("Ways to the internet")

_TO: Final = "destinationCidrBlock"
_GIVES: Final = ("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation")
_FOR_LOAD_BALANCERS: Final = "kubernetes.io/role/elb"
_NO_DEFAULT: Final = "deleteDefaultRoutesOnCreate"
_CLOSED: Final = "nothing, as fleet.door.public is not set"
_CLIENTS: Final = "a range of fleet.door.public.source_ranges"
_REASON: Final = "two partners' networks only, by mutual TLS"
_RANGE: Final = "203.0.113.0/24"
_PUBLIC: Final = setting("fleet.door.public", {"source_ranges": [_RANGE], "firewall_because": _REASON})


def _way_in(extra: Mapping[str, Any] | None = None) -> tuple[Given, ...]:
    return (
        given(INTERNET_GATEWAY, {"vpcId": Output(VPC)}, "door"),
        given(ROUTE_TABLE, {"vpcId": Output(VPC)}, "door"),
        given(
            ROUTE,
            {
                "routeTableId": Output(ROUTE_TABLE, "door"),
                "gatewayId": Output(INTERNET_GATEWAY, "door"),
                **({_TO: _RANGE} if extra is None else extra),
            },
            "door",
        ),
    )


def _subnet(**inputs: Any) -> Given:
    return given(SUBNET, {"vpcId": Output(VPC), **inputs}, "door")


def _with(*added: Given) -> Any:
    return both(*(plus(each) for each in added))


@family.rule(
    "aws-vpc-internet-door-only",
    Severity.CRITICAL,
    "A network has no way to the internet, but for a public door's clients",
    types=(VPC,),
    rationale="With a gateway and a default route, one wrong subnet or address opens machines, and lets data out.",
    remedy="Remove the gateway, or set fleet.door.public with the clients' ranges and its reason.",
    examples=lambda: examples(
        given(VPC, {"cidrBlock": "10.20.0.0/16"}),
        broken={
            "door is an internet gateway": (
                plus(_way_in()[0]),
                plus(given(INTERNET_GATEWAY_ATTACHMENT, {"vpcId": Output(VPC)}, "door")),
            ),
            "door is a subnet for public load balancers": plus(_subnet(tags={_FOR_LOAD_BALANCERS: "1"})),
            "door.mapPublicIpOnLaunch is true": (
                plus(_subnet(mapPublicIpOnLaunch=True)),
                both(_PUBLIC, plus(_subnet(mapPublicIpOnLaunch=True))),
            ),
            f"door.{_TO} is {shown('0.0.0.0/0')}": (
                both(_PUBLIC, _with(*_way_in({_TO: "0.0.0.0/0"}))),
                _with(*_way_in({_TO: "0.0.0.0/0"})),
            ),
            f"door.{_TO} is {shown('203.0.112.0/23')}": both(_PUBLIC, _with(*_way_in({_TO: "203.0.112.0/23"}))),
            'door.destinationIpv6CidrBlock is "::/0"': both(
                _PUBLIC, _with(*_way_in({"destinationIpv6CidrBlock": "::/0"}))
            ),
            "door.assignIpv6AddressOnCreation is true": plus(_subnet(assignIpv6AddressOnCreation=True)),
            f"door.routes.0.cidrBlock is {shown('0.0.0.0/0')}": both(
                _PUBLIC,
                plus(
                    given(
                        ROUTE_TABLE,
                        {"vpcId": Output(VPC), "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-0123"}]},
                        "door",
                    )
                ),
            ),
        },
        undecided={
            f"door.{_TO} is known only to the provider": both(_PUBLIC, _with(*_way_in({_TO: Hidden()}))),
            "door.tags is known only to the provider": plus(_subnet(tags=Hidden())),
            "door.mapPublicIpOnLaunch is known only to the provider": plus(_subnet(mapPublicIpOnLaunch=Hidden())),
            "door.gatewayId is known only to the provider": _with(
                _way_in()[1],
                given(
                    ROUTE,
                    {"routeTableId": Output(ROUTE_TABLE, "door"), "gatewayId": Hidden(), _TO: "0.0.0.0/0"},
                    "door",
                ),
            ),
            "door.routes is known only to the provider": plus(
                given(ROUTE_TABLE, {"vpcId": Output(VPC), "routes": Hidden()}, "door")
            ),
        },
        accepted={
            _REASON: both(_PUBLIC, _with(*_way_in(), _subnet(tags={_FOR_LOAD_BALANCERS: "1"}))),
            "": (_PUBLIC, plus(_subnet(mapPublicIpOnLaunch=False)), both(_PUBLIC, plus(_subnet(tags=Hidden())))),
        },
    ),
)
def vpc_internet_door_only(vpc: Resource, inventory: Inventory) -> Judgement:
    reason = door_reason(inventory, "public", "firewall_because")
    return all_of(
        (
            *_gateways(vpc, inventory, reason),
            *_public_subnets(vpc, inventory, reason),
            *(
                led_by(way, inventory)
                for holder in inventory.derived(_route_holders).get(vpc.urn, ())
                for way in ways(holder, inventory)
            ),
        )
    )


def _gateways(vpc: Resource, inventory: Inventory, reason: str) -> Iterator[Judgement]:
    for gateway in companions(inventory, vpc, "vpcId", (), INTERNET_GATEWAY, INTERNET_GATEWAY_ATTACHMENT):
        yield passed(reason) if reason else failed(gateway.name, "an internet gateway", _CLOSED)


def _public_subnets(vpc: Resource, inventory: Inventory, reason: str) -> Iterator[Judgement]:
    for subnet in companions(inventory, vpc, "vpcId", (), SUBNET):
        for name in _GIVES:
            gives = flag(subnet, name, default=False)
            if is_hidden(read(subnet, name)):
                yield unknown(f"{subnet.name}.{name}", "false")
            elif gives is not False:
                value = shown(read(subnet, name))
                yield failed(f"{subnet.name}.{name}", value, "false: only load balancers stand there")
        tags = read(subnet, "tags")
        if not reason and is_hidden(tags):
            yield unknown(f"{subnet.name}.tags", f"no {_FOR_LOAD_BALANCERS}")
        elif not reason and isinstance(tags, Mapping) and _FOR_LOAD_BALANCERS in tags:
            yield failed(subnet.name, "a subnet for public load balancers", _CLOSED)


def _route_holders(inventory: Inventory) -> Mapping[str, list[Resource]]:
    """The URN of a network → everything that its routes stand in."""
    found: dict[str, list[Resource]] = {}
    for holder in inventory.of_type(*HOLDERS):
        vpc = vpc_of(holder, inventory)
        if vpc is not None:
            found.setdefault(vpc.urn, []).append(holder)
    return found


def _gcp_way(to: Any, out: str = WAY_OUT) -> Given:
    return given(GCP_ROUTE, {"network": Output(GCP_NETWORK), "destRange": to, "nextHopGateway": out}, "door")


@family.rule(
    "gcp-vpc-internet-door-only",
    Severity.CRITICAL,
    "A network has no route to the internet, but to a public door's clients",
    types=(GCP_NETWORK,),
    rationale="With a default route, an address or a translation is all that a machine lacks to send data anywhere.",
    remedy="Set deleteDefaultRoutesOnCreate, and route to Google's APIs and fleet.door.public.source_ranges only.",
    examples=lambda: examples(
        given(GCP_NETWORK, {_NO_DEFAULT: True}),
        given(GCP_ROUTE, {"network": Output(GCP_NETWORK), "destRange": APIS[0], "nextHopGateway": WAY_OUT}),
        broken={
            f"{_NO_DEFAULT} is false": put(_NO_DEFAULT, False),
            f"{_NO_DEFAULT} is absent": drop(_NO_DEFAULT),
            f"door.destRange is {shown('0.0.0.0/0')}": (
                plus(_gcp_way("0.0.0.0/0")),
                plus(_gcp_way("0.0.0.0/0", "projects/p/global/gateways/default-internet-gateway")),
                both(_PUBLIC, plus(_gcp_way("0.0.0.0/0"))),
            ),
            f"door.destRange is {shown(_RANGE)}": plus(_gcp_way(_RANGE)),
        },
        undecided={"door.destRange is known only to the provider": plus(_gcp_way(Hidden()))},
        accepted={_REASON: both(_PUBLIC, plus(_gcp_way(_RANGE))), "": plus(_gcp_way("10.0.0.0/8", "vpn"))},
    ),
)
def gcp_vpc_internet_door_only(network: Resource, inventory: Inventory) -> Judgement:
    routes = companions(inventory, network, "network", (), GCP_ROUTE)
    return all_of((equals(network, _NO_DEFAULT, True), *(gcp_led(route, inventory) for route in routes)))
