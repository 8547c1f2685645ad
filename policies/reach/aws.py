"""Reach on AWS: whether a place in a network is met from the internet, and by which way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.inventory import Inventory, Resource
from policies.reach.addresses import Addresses, public_part
from policies.reach.aws_fences import acl_of, passes
from policies.reach.aws_groups import DEFAULT_GROUP, groups, name_of, traffic
from policies.reach.aws_routes import Target, Way, ways_of
from policies.reach.traffic import Box, Traffic, both, sources
from policies.reach.values import flag
from policies.tokens import EC2_LAUNCH_TEMPLATE, SECURITY_GROUP, SUBNET


@dataclass(frozen=True)
class Place:
    """Where something stands: its subnets and its groups, as far as the plan knows."""

    subnets: tuple[Resource, ...]
    groups: tuple[Resource, ...]


def place_of(resource: Resource, inventory: Inventory) -> Place:
    """The subnets and groups that feed any input of a resource, or of the launch template that it names."""
    holders = [resource, *_templates(resource, inventory)]
    linked = [
        each
        for holder in holders
        for prop in holder.property_dependencies
        for each in inventory.linked(holder, prop, SUBNET, SECURITY_GROUP, DEFAULT_GROUP)
    ]
    return Place(
        _unique(linked, SUBNET),
        _unique(linked, SECURITY_GROUP, DEFAULT_GROUP),
    )


def _unique(found: Iterable[Resource], *kinds: str) -> tuple[Resource, ...]:
    return tuple({each.urn: each for each in found if each.type in kinds}.values())


def _templates(resource: Resource, inventory: Inventory) -> Iterator[Resource]:
    for prop in ("launchTemplate", "mixedInstancesPolicy", "launchTemplateConfigs"):
        yield from inventory.linked(resource, prop, EC2_LAUNCH_TEMPLATE)


def internet_ways(subnet: Resource, inventory: Inventory) -> tuple[Way, ...]:
    """The routes by which a subnet is on the internet."""
    return tuple(way for way in ways_of(subnet, inventory) if way.target is Target.INTERNET)


def gives_address(subnet: Resource) -> bool | None:
    """Whether what is started there gets a public address by itself; None where the plan does not know."""
    found = [flag(subnet, name, default=False) for name in ("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation")]
    return True if True in found else None if None in found else False


def admitted(place: Place, subnet: Resource, inventory: Inventory) -> Traffic:
    """What passes the border of a subnet and any of the groups of what stands there."""
    known = groups(inventory)
    lines: Traffic = tuple(box for group in place.groups for box in traffic(known, group.urn, inward=True))
    return both(lines, passes(acl_of(subnet, inventory), inventory, inward=True))


def answered(subnet: Resource, inventory: Inventory) -> Addresses:
    """Who gets an answer from a subnet: where its routes to the internet lead, and its stateless border lets out."""
    back: Traffic = tuple(
        Box(box.protocols, box.ports, box.addresses & way.destination)
        for way in internet_ways(subnet, inventory)
        for box in passes(acl_of(subnet, inventory), inventory, inward=False)
    )
    return sources(back)


def told(resource: Resource, inventory: Inventory) -> str:
    """How the internet gets to a resource with a public address, step by step, as far as the plan knows."""
    place = place_of(resource, inventory)
    steps = [f"world → {resource.name}"]
    for subnet in place.subnets:
        routes = internet_ways(subnet, inventory)
        reached = public_part(sources(admitted(place, subnet, inventory)) & answered(subnet, inventory))
        if not routes:
            steps.append(f"no route of {subnet.name} leads to the internet yet")
            continue
        by = routes[0]
        where = f"{by.holder.name}.{by.to} {by.destination}"
        let_in = ", ".join(name_of(group.urn, inventory) for group in place.groups) or "no group"
        steps.append(f"route {where} → subnet {subnet.name} → group {let_in} lets in {reached}")
    return "; ".join(steps)
