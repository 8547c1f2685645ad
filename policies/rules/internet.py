"""Ways between a network and the internet: none, but for a public door's clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import ABSENT, all_of, equals, failed, is_hidden, items, passed, read, shown, unknown
from policies.examples import Given, Hidden, Output, both, drop, examples, given, plus, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions, refers_to
from policies.model import Judgement, Severity
from policies.tokens import VPC

family = Family("Ways to the internet")

_GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
_ATTACHMENT: Final = "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment"
_TABLE: Final = "aws:ec2/routeTable:RouteTable"
_ROUTE: Final = "aws:ec2/route:Route"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_TO: Final = "destinationCidrBlock"
_FOR_LOAD_BALANCERS: Final = "kubernetes.io/role/elb"
_NETWORK: Final = "gcp:compute/network:Network"
_GCP_ROUTE: Final = "gcp:compute/route:Route"
_NO_DEFAULT: Final = "deleteDefaultRoutesOnCreate"
_WAY_OUT: Final = "default-internet-gateway"
_APIS: Final = ("199.36.153.4/30", "199.36.153.8/30")
"""restricted.googleapis.com and private.googleapis.com, which lie within Google's network."""
_CLOSED: Final = "nothing, as fleet.door.public is not set"
_CLIENTS: Final = "a range of fleet.door.public.source_ranges"
_REASON: Final = "two partners' networks only, by mutual TLS"
_RANGE: Final = "203.0.113.0/24"
_PUBLIC: Final = setting("fleet.door.public", {"source_ranges": [_RANGE], "firewall_because": _REASON})


def _public(inventory: Inventory) -> tuple[str, tuple[str, ...]]:
    """The reason for a public door, and its clients' ranges; empty where it is internal."""
    found: Any = inventory.settings
    for part in ("fleet", "door", "public"):
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        return "", ()
    ranges = found.get("source_ranges")
    return str(found.get("firewall_because") or ""), tuple(map(str, ranges)) if isinstance(ranges, list) else ()


def _way_in(extra: Mapping[str, Any] | None = None) -> tuple[Given, ...]:
    return (
        given(_GATEWAY, {"vpcId": Output(VPC)}, "door"),
        given(_TABLE, {"vpcId": Output(VPC)}, "door"),
        given(
            _ROUTE,
            {
                "routeTableId": Output(_TABLE, "door"),
                "gatewayId": Output(_GATEWAY, "door"),
                **({_TO: _RANGE} if extra is None else extra),
            },
            "door",
        ),
    )


def _subnet(**inputs: Any) -> Given:
    return given(_SUBNET, {"vpcId": Output(VPC), **inputs}, "door")


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
                plus(given(_ATTACHMENT, {"vpcId": Output(VPC)}, "door")),
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
            f"door.{_TO} is absent": both(_PUBLIC, _with(*_way_in({"destinationIpv6CidrBlock": "::/0"}))),
            f"door.routes.0.cidrBlock is {shown('0.0.0.0/0')}": both(
                _PUBLIC,
                plus(
                    given(
                        _TABLE,
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
                    _ROUTE,
                    {"routeTableId": Output(_TABLE, "door"), "gatewayId": Hidden(), _TO: "0.0.0.0/0"},
                    "door",
                ),
            ),
            "door.routes is known only to the provider": plus(
                given(_TABLE, {"vpcId": Output(VPC), "routes": Hidden()}, "door")
            ),
        },
        accepted={
            _REASON: both(_PUBLIC, _with(*_way_in(), _subnet(tags={_FOR_LOAD_BALANCERS: "1"}))),
            "": (_PUBLIC, plus(_subnet(mapPublicIpOnLaunch=False)), both(_PUBLIC, plus(_subnet(tags=Hidden())))),
        },
    ),
)
def vpc_internet_door_only(vpc: Resource, inventory: Inventory) -> Judgement:
    reason, ranges = _public(inventory)
    return all_of(
        (
            *_gateways(vpc, inventory, reason),
            *_public_subnets(vpc, inventory, reason),
            *_routes(vpc, inventory, ranges),
        )
    )


def _gateways(vpc: Resource, inventory: Inventory, reason: str) -> Iterator[Judgement]:
    for gateway in companions(inventory, vpc, "vpcId", (), _GATEWAY, _ATTACHMENT):
        yield passed(reason) if reason else failed(gateway.name, "an internet gateway", _CLOSED)


def _public_subnets(vpc: Resource, inventory: Inventory, reason: str) -> Iterator[Judgement]:
    for subnet in companions(inventory, vpc, "vpcId", (), _SUBNET):
        gives = read(subnet, "mapPublicIpOnLaunch")
        if is_hidden(gives):
            yield unknown(f"{subnet.name}.mapPublicIpOnLaunch", "false")
        elif gives not in (ABSENT, False):
            yield failed(f"{subnet.name}.mapPublicIpOnLaunch", shown(gives), "false: only load balancers stand there")
        tags = read(subnet, "tags")
        if not reason and is_hidden(tags):
            yield unknown(f"{subnet.name}.tags", f"no {_FOR_LOAD_BALANCERS}")
        elif not reason and isinstance(tags, Mapping) and _FOR_LOAD_BALANCERS in tags:
            yield failed(subnet.name, "a subnet for public load balancers", _CLOSED)


def _routes(vpc: Resource, inventory: Inventory, ranges: tuple[str, ...]) -> Iterator[Judgement]:
    """Each route to an internet gateway, of the network's tables and of their own lists."""
    for table in companions(inventory, vpc, "vpcId", (), _TABLE):
        if is_hidden(read(table, "routes")):
            yield unknown(f"{table.name}.routes", _CLIENTS)
            continue
        for route in items(table, "routes"):
            yield from _judged(inventory, table, f"{route}.gatewayId", f"{route}.cidrBlock", ranges)
        for route in inventory.of_type(_ROUTE):
            if refers_to(inventory, route, "routeTableId", table):
                yield from _judged(inventory, route, "gatewayId", _TO, ranges)


def _judged(
    inventory: Inventory, holder: Resource, by: str, path: str, ranges: tuple[str, ...]
) -> Iterator[Judgement]:
    """One route: nothing where it leads elsewhere than to the internet."""
    prop, gateway = by.split(".")[0], read(holder, by)
    if inventory.linked(holder, prop, _GATEWAY) or str(gateway).startswith("igw-"):
        yield _to_clients(holder, path, ranges)
    elif is_hidden(gateway) and not inventory.linked(holder, prop):
        yield unknown(f"{holder.name}.{by}", f"no internet gateway, or {path} {_CLIENTS}")


def _to_clients(route: Resource, path: str, ranges: tuple[str, ...]) -> Judgement:
    to = read(route, path)
    if is_hidden(to):
        return unknown(f"{route.name}.{path}", _CLIENTS)
    return passed() if to in ranges else failed(f"{route.name}.{path}", shown(to), _CLIENTS if ranges else _CLOSED)


def _gcp_way(to: Any, out: str = _WAY_OUT) -> Given:
    return given(_GCP_ROUTE, {"network": Output(_NETWORK), "destRange": to, "nextHopGateway": out}, "door")


@family.rule(
    "gcp-vpc-internet-door-only",
    Severity.CRITICAL,
    "A network has no route to the internet, but to a public door's clients",
    types=(_NETWORK,),
    rationale="With a default route, an address or a translation is all that a machine lacks to send data anywhere.",
    remedy="Set deleteDefaultRoutesOnCreate, and route to Google's APIs and fleet.door.public.source_ranges only.",
    examples=lambda: examples(
        given(_NETWORK, {_NO_DEFAULT: True}),
        given(_GCP_ROUTE, {"network": Output(_NETWORK), "destRange": _APIS[0], "nextHopGateway": _WAY_OUT}),
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
    reason, ranges = _public(inventory)
    judged = [equals(network, _NO_DEFAULT, True)]
    for route in companions(inventory, network, "network", (), _GCP_ROUTE):
        out, to = read(route, "nextHopGateway"), read(route, "destRange")
        if is_hidden(out) or (str(out).endswith(_WAY_OUT) and is_hidden(to)):
            judged.append(unknown(f"{route.name}.destRange", _CLIENTS))
        elif str(out).endswith(_WAY_OUT) and to not in _APIS:
            wanted = _CLIENTS if ranges else _CLOSED
            known = to in ranges
            judged.append(passed(reason) if known else failed(f"{route.name}.destRange", shown(to), wanted))
    return all_of(judged)
