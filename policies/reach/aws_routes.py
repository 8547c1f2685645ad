"""Routes on AWS: where a network's tables lead, and which table a subnet follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from policies.checks import ABSENT, is_hidden, read
from policies.inventory import Inventory, Resource
from policies.links import refers_to, same_region
from policies.reach.addresses import Addresses, addresses
from policies.reach.aws_groups import PREFIX_LIST, prefix_list
from policies.reach.values import paths, texts
from policies.tokens import INTERNET_GATEWAY, ROUTE, ROUTE_TABLE, ROUTE_TABLE_ASSOCIATION, SUBNET, VPC, VPN_GATEWAY

DEFAULT_TABLE: Final = "aws:ec2/defaultRouteTable:DefaultRouteTable"
MAIN: Final = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
TABLES: Final = (ROUTE_TABLE, DEFAULT_TABLE)
HOLDERS: Final = (ROUTE, *TABLES)


class Target(StrEnum):
    """What a route leads to."""

    INTERNET = "the internet"
    """Both ways, or out alone (NAT, egress-only): data leaves either way."""
    NETWORK = "another network"
    UNKNOWN = "something that only the provider knows"


_TARGETS: Final = {
    "gatewayId": Target.INTERNET,
    "natGatewayId": Target.INTERNET,
    "egressOnlyGatewayId": Target.INTERNET,
    "carrierGatewayId": Target.INTERNET,
    "transitGatewayId": Target.NETWORK,
    "vpcPeeringConnectionId": Target.NETWORK,
    "localGatewayId": Target.NETWORK,
    "coreNetworkArn": Target.NETWORK,
    "odbNetworkArn": Target.NETWORK,
    "networkInterfaceId": Target.NETWORK,
    "instanceId": Target.NETWORK,
    "vpcEndpointId": Target.NETWORK,
}
_TO: Final = ("destinationCidrBlock", "cidrBlock", "destinationIpv6CidrBlock", "ipv6CidrBlock")
_TO_LIST: Final = "destinationPrefixListId"


@dataclass(frozen=True)
class Way:
    """One route that leaves the network."""

    holder: Resource
    by: str
    """The input that names the target."""
    to: str
    """The input that names the destination."""
    target: Target
    destination: Addresses
    hidden: bool
    """Whether the destination cannot be read in this plan."""


def ways(holder: Resource, inventory: Inventory) -> Iterator[Way]:
    """The routes that stand in one resource and leave the network."""
    if holder.type == ROUTE:
        yield from _ways(holder, inventory, "")
        return
    if is_hidden(read(holder, "routes")):
        yield Way(holder, "routes", "routes", Target.UNKNOWN, addresses(), True)
        return
    for path in paths(holder, "routes"):
        yield from _ways(holder, inventory, f"{path}.")


def _ways(holder: Resource, inventory: Inventory, at: str) -> Iterator[Way]:
    for name, kind in _TARGETS.items():
        value = read(holder, f"{at}{name}")
        if value in (ABSENT, "", "local"):
            continue
        target = _gateway(holder, inventory, f"{at}{name}", value) if name == "gatewayId" else kind
        if target is None:
            continue
        for path in [f"{at}{to}" for to in _TO if read(holder, f"{at}{to}") not in (ABSENT, "")]:
            found, hidden = texts(holder, path)
            yield Way(holder, f"{at}{name}", path, target, addresses(*found), hidden)
        listed = f"{at}{_TO_LIST}"
        if read(holder, listed) not in (ABSENT, ""):
            lists = inventory.linked(holder, listed.partition(".")[0], PREFIX_LIST)
            entries, unread = prefix_list(lists[0], inventory) if lists else (addresses(), True)
            yield Way(holder, f"{at}{name}", listed, target, entries, unread)
        elif not any(read(holder, f"{at}{to}") not in (ABSENT, "") for to in _TO):
            yield Way(holder, f"{at}{name}", f"{at}{_TO[0]}", target, addresses(), True)


def _gateway(holder: Resource, inventory: Inventory, path: str, value: object) -> Target | None:
    """What a gateway's id leads to; None for a gateway endpoint, which leads to one service by its own policy."""
    linked = inventory.linked(holder, path.split(".")[0])
    if any(each.type == INTERNET_GATEWAY for each in linked) or str(value).startswith("igw-"):
        return Target.INTERNET
    if any(each.type == VPN_GATEWAY for each in linked) or str(value).startswith("vgw-"):
        return Target.NETWORK
    if str(value).startswith("vpce-"):
        return None
    return Target.UNKNOWN if is_hidden(value) or not linked else Target.NETWORK


def vpc_of(holder: Resource, inventory: Inventory) -> Resource | None:
    """The network of this stack that a table, a subnet or a gateway is part of."""
    for prop in ("vpcId", "defaultRouteTableId", "routeTableId", "subnetId"):
        linked = inventory.linked(holder, prop, VPC)
        if linked:
            return linked[0]
        for between in inventory.linked(holder, prop, *TABLES, SUBNET):
            return vpc_of(between, inventory)
    return None


def tables(inventory: Inventory) -> Mapping[str, tuple[Resource, ...]]:
    """The URN of a table → everything that routes of it stand in, the table first."""
    return inventory.derived(_tables)


def _tables(inventory: Inventory) -> Mapping[str, tuple[Resource, ...]]:
    found: dict[str, list[Resource]] = {table.urn: [table] for table in inventory.of_type(*TABLES)}
    for route in inventory.of_type(ROUTE):
        for table in inventory.linked(route, "routeTableId", *TABLES):
            found[table.urn].append(route)
        for vpc in inventory.linked(route, "routeTableId", VPC):  # the network's own main table
            found.setdefault(vpc.urn, []).append(route)
    return {urn: tuple(each) for urn, each in found.items()}


def routes_of(subnet: Resource, inventory: Inventory) -> tuple[Resource, ...]:
    """What the routes of a subnet stand in: of the table that it is associated with, or else the main one."""
    own = [
        table
        for association in inventory.derived(_associations).get(subnet.urn, ())
        for table in inventory.linked(association, "routeTableId", *TABLES)
        if same_region(association, subnet) and same_region(table, subnet)
    ]
    vpc = vpc_of(subnet, inventory)
    if not own and vpc is not None:
        own = list(_main(vpc, inventory))
    known = tables(inventory)
    holders = [holder for table in own for holder in known.get(table.urn, ())]
    return tuple(holders) if own or vpc is None else known.get(vpc.urn, ())


def _associations(inventory: Inventory) -> Mapping[str, tuple[Resource, ...]]:
    found: dict[str, list[Resource]] = {}
    for association in inventory.of_type(ROUTE_TABLE_ASSOCIATION):
        for subnet in inventory.linked(association, "subnetId", SUBNET):
            found.setdefault(subnet.urn, []).append(association)
    return {urn: tuple(each) for urn, each in found.items()}


def _main(vpc: Resource, inventory: Inventory) -> Iterator[Resource]:
    for association in inventory.of_type(MAIN):
        if refers_to(inventory, association, "vpcId", vpc):
            yield from inventory.linked(association, "routeTableId", *TABLES)
            return
    for table in inventory.of_type(DEFAULT_TABLE):
        if vpc in inventory.linked(table, "defaultRouteTableId", VPC):
            yield table


def ways_of(subnet: Resource, inventory: Inventory) -> tuple[Way, ...]:
    """Every way that leaves the network from a subnet."""
    return tuple(way for holder in routes_of(subnet, inventory) for way in ways(holder, inventory))
