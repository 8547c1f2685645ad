"""Network ACLs on AWS: what passes a subnet's border, in the order of their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.checks import ABSENT, is_hidden, read
from policies.inventory import Inventory, Resource
from policies.links import refers_to
from policies.reach.addresses import EVERYTHING, addresses
from policies.reach.aws_routes import vpc_of
from policies.reach.traffic import EVERY_PORT, EVERY_PROTOCOL, Box, Rule, Traffic, allowed, ports, protocols
from policies.reach.values import flag, number, paths, texts
from policies.tokens import SUBNET

ACL: Final = "aws:ec2/networkAcl:NetworkAcl"
DEFAULT_ACL: Final = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
ACL_RULE: Final = "aws:ec2/networkAclRule:NetworkAclRule"
_ASSOCIATION: Final = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
ACLS: Final = (ACL, DEFAULT_ACL)

OPEN: Final[Traffic] = (Box(EVERY_PROTOCOL, EVERY_PORT, EVERYTHING),)
"""What a network's own list lets through as long as nobody changes it."""


@dataclass(frozen=True)
class Entry:
    """One line, with its place in the order."""

    order: int
    rule: Rule
    holder: Resource
    path: str
    hidden: bool


def entries(acl: Resource, inventory: Inventory, *, inward: bool) -> tuple[Entry, ...]:
    """The lines of a list for one direction, in the order in which they decide."""
    found = [_entry(acl, path, "ruleNo", "action") for path in paths(acl, "ingress" if inward else "egress")]
    for rule in inventory.of_type(ACL_RULE):
        if acl in inventory.linked(rule, "networkAclId") and flag(rule, "egress", default=False) is not inward:
            found.append(_entry(rule, "", "ruleNumber", "ruleAction"))
    return tuple(sorted(found, key=lambda entry: entry.order))


def _entry(holder: Resource, path: str, order: str, action: str) -> Entry:
    at = f"{path}." if path else ""
    cidrs, hidden = [], False
    for name in ("cidrBlock", "ipv6CidrBlock"):
        found, unread = texts(holder, f"{at}{name}")
        cidrs, hidden = [*cidrs, *found], hidden or unread
    asked, protocol = read(holder, f"{at}{action}"), read(holder, f"{at}protocol")
    of = EVERY_PROTOCOL if protocol is ABSENT or is_hidden(protocol) else protocols(protocol)
    box = Box(of, ports(read(holder, f"{at}fromPort"), read(holder, f"{at}toPort"), of), addresses(*cidrs))
    return Entry(
        number(read(holder, f"{at}{order}")) or 0,
        Rule(str(asked).lower() != "deny", box),
        holder,
        path,
        hidden or is_hidden(asked),
    )


def passes(acl: Resource | None, inventory: Inventory, *, inward: bool) -> Traffic:
    """What a list lets through in one direction; all of it without a list of the stack's own."""
    if acl is None:
        return OPEN
    # A denial that cannot be read closes nothing for sure.
    listed = entries(acl, inventory, inward=inward)
    return allowed(entry.rule for entry in listed if entry.rule.allows or not entry.hidden)


def acl_of(subnet: Resource, inventory: Inventory) -> Resource | None:
    """The list at a subnet's border; None where it is the network's own, which nobody changed."""
    return inventory.derived(_by_subnet).get(subnet.urn) or next(_default(subnet, inventory), None)


def _by_subnet(inventory: Inventory) -> Mapping[str, Resource]:
    found: dict[str, Resource] = {}
    for acl in inventory.of_type(*ACLS):
        for subnet in inventory.linked(acl, "subnetIds", SUBNET):
            found[subnet.urn] = acl
    for association in inventory.of_type(_ASSOCIATION):
        for subnet in inventory.linked(association, "subnetId", SUBNET):
            for acl in inventory.linked(association, "networkAclId", *ACLS):
                found[subnet.urn] = acl
    return found


def _default(subnet: Resource, inventory: Inventory) -> Iterator[Resource]:
    vpc = vpc_of(subnet, inventory)
    for acl in inventory.of_type(DEFAULT_ACL) if vpc is not None else ():
        if vpc is not None and refers_to(inventory, acl, "defaultNetworkAclId", vpc):
            yield acl
