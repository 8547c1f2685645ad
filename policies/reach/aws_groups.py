"""Security groups on AWS: who gets in and out, by lines that stand in the group or in resources of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.checks import ABSENT, is_hidden, read
from policies.inventory import Inventory, Resource
from policies.reach.addresses import NOWHERE, Addresses, addresses
from policies.reach.traffic import EVERY_PORT, EVERY_PROTOCOL, Box, Traffic, ports, protocols
from policies.reach.values import paths, texts, truth
from policies.tokens import EKS_CLUSTER, SECURITY_GROUP, VPC

DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
PREFIX_LIST: Final = "aws:ec2/managedPrefixList:ManagedPrefixList"
PREFIX_ENTRY: Final = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
HOLDERS: Final = (SECURITY_GROUP, DEFAULT_GROUP, RULE, INGRESS, EGRESS)
"""Everything that lines of a group stand in."""

_RANGES: Final = ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
_LISTS: Final = ("prefixListIds", "prefixListId")
_GROUPS: Final = ("securityGroups", "sourceSecurityGroupId", "referencedSecurityGroupId")


@dataclass(frozen=True)
class Line:
    """One line of a group: addresses by one input, or other groups."""

    holder: Resource
    path: str
    """Where the addresses stand; the line's own path where it names groups alone."""
    inward: bool
    box: Box
    hidden: bool
    """Whether some of the addresses cannot be read in this plan."""
    group: str
    """The URN of the group, its id, or the URN of the line where the group is not known."""

    @property
    def ports(self) -> str:
        """Its protocol and ports, as a report prints them."""
        if self.box.protocols == EVERY_PROTOCOL:
            return "every protocol"
        number = self.box.protocols.parts[0][0]
        name = {6: "tcp", 17: "udp", 1: "icmp"}.get(number, f"protocol {number}")
        if self.box.ports == EVERY_PORT:
            return name if number not in (6, 17) else f"{name}, every port"
        return f"{name} " + ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in self.box.ports.parts)


Groups = Mapping[str, tuple[Line, ...]]


def groups(inventory: Inventory) -> Groups:
    """Each group's lines, wherever they stand."""
    return inventory.derived(_groups)


def _groups(inventory: Inventory) -> Groups:
    found: dict[str, list[Line]] = {}
    for holder in inventory.of_type(*HOLDERS):
        for line in lines(holder, inventory):
            found.setdefault(line.group, []).append(line)
    return {key: tuple(each) for key, each in found.items()}


def lines(holder: Resource, inventory: Inventory) -> Iterator[Line]:
    """The lines that stand in one resource, for each input that names addresses."""
    if holder.type in (SECURITY_GROUP, DEFAULT_GROUP):
        for direction in ("ingress", "egress"):
            for path in paths(holder, direction):
                yield from _line(holder, inventory, path, holder.urn, inward=direction == "ingress")
        return
    kind = read(holder, "type")
    inward = holder.type == INGRESS or (holder.type == RULE and kind != "egress")
    yield from _line(holder, inventory, "", group_of(holder, inventory), inward=inward)


def group_of(rule: Resource, inventory: Inventory) -> str:
    """The group that a line in a resource of its own is part of."""
    linked = inventory.linked(rule, "securityGroupId", SECURITY_GROUP, DEFAULT_GROUP, EKS_CLUSTER, VPC)
    if linked:
        return linked[0].urn
    value = read(rule, "securityGroupId")
    return rule.urn if is_hidden(value) or value is ABSENT else str(value)


def _line(holder: Resource, inventory: Inventory, path: str, group: str, *, inward: bool) -> Iterator[Line]:
    def at(name: str) -> str:
        return f"{path}.{name}" if path else name

    if path and not isinstance(read(holder, path), Mapping):
        yield Line(holder, path, inward, Box(EVERY_PROTOCOL, EVERY_PORT, NOWHERE), True, group)
        return
    protocol = read(holder, at("protocol"))
    protocol = read(holder, at("ipProtocol")) if protocol is ABSENT else protocol
    of = EVERY_PROTOCOL if protocol is ABSENT or is_hidden(protocol) else protocols(protocol)
    first, last = read(holder, at("fromPort")), read(holder, at("toPort"))
    through = EVERY_PORT if ABSENT in (first, last) or is_hidden(first) or is_hidden(last) else ports(first, last, of)
    yielded = False
    for name in (*_RANGES, *_LISTS):
        if read(holder, at(name)) in (ABSENT, [], ""):
            continue
        found, hidden = _addresses(holder, inventory, at(name))
        yielded = True
        yield Line(holder, at(name), inward, Box(of, through, found), hidden, group)
    if not yielded:
        by_group = any(read(holder, at(name)) not in (ABSENT, [], "") for name in _GROUPS)
        itself = truth(read(holder, at("self")), default=False)
        yield Line(holder, path, inward, Box(of, through, NOWHERE), not by_group and not itself, group)


def _addresses(holder: Resource, inventory: Inventory, path: str) -> tuple[Addresses, bool]:
    """The addresses that an input names, and whether there may be more of them."""
    if path.rpartition(".")[2] not in _LISTS:
        found, hidden = texts(holder, path)
        return addresses(*found), hidden
    prefix = path.partition(".")[0]
    total, hidden = NOWHERE, False
    listed = inventory.linked(holder, prefix, PREFIX_LIST)
    for each in listed:
        entries, unread = prefix_list(each, inventory)
        total, hidden = total | entries, hidden or unread
    named, unread = texts(holder, path)
    # An id says nothing of what stands in the list; one that a list of this stack gives does.
    return total, hidden or not listed or (bool(named) and not unread and len(listed) < len(named))


def prefix_list(listed: Resource, inventory: Inventory) -> tuple[Addresses, bool]:
    """What a prefix list of this stack holds, and whether some of it cannot be read."""
    total, hidden = NOWHERE, is_hidden(read(listed, "entries"))
    places = [(listed, f"{path}.cidr") for path in paths(listed, "entries")]
    places += [
        (entry, "cidr")
        for entry in inventory.of_type(PREFIX_ENTRY)
        if listed in inventory.linked(entry, "prefixListId", PREFIX_LIST)
    ]
    for holder, path in places:
        found, unread = texts(holder, path)
        total, hidden = total | addresses(*found), hidden or unread or not found
    return total, hidden


def traffic(found: Groups, group: str, *, inward: bool) -> Traffic:
    """What a group lets through by addresses."""
    return tuple(line.box for line in found.get(group, ()) if line.inward is inward)


def users(inventory: Inventory) -> Mapping[str, tuple[Resource, ...]]:
    """The URN of a group → what stands in it."""
    return inventory.derived(_users)


def _users(inventory: Inventory) -> Mapping[str, tuple[Resource, ...]]:
    kinds = (SECURITY_GROUP, DEFAULT_GROUP)
    found: dict[str, list[Resource]] = {}
    for resource in inventory.resources:
        if resource.type in HOLDERS:
            continue
        named = {urn for urns in resource.property_dependencies.values() for urn in urns}
        for urn in named:
            target = inventory.by_urn.get(urn)
            if target is not None and target.type in kinds:
                found.setdefault(urn, []).append(resource)
    return {urn: tuple(each) for urn, each in found.items()}


def name_of(group: str, inventory: Inventory) -> str:
    """A group, as a report prints it."""
    known = inventory.by_urn.get(group)
    if known is None:
        return group
    return known.name if known.type in (SECURITY_GROUP, DEFAULT_GROUP) else f"{known.name}'s own group"
