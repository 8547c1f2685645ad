"""Security groups: who gets in and what gets out, however the lines are split and wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.checks import PASS, all_of, failed, is_hidden, not_applicable, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.addresses import Addresses, is_wide, union
from policies.reach.aws_groups import (
    DEFAULT_GROUP,
    EGRESS,
    INGRESS,
    PREFIX_LIST,
    RULE,
    Line,
    groups,
    lines,
    name_of,
    users,
)
from policies.reach.declared import declared
from policies.tokens import SECURITY_GROUP

family = Family("Security groups")

_WORLD: Final = "0.0.0.0/0"
_IN: Final = "the stack's networks and those that the settings connect, or another group"
_OUT: Final = "the stack's networks and what the settings name"
_CLIENTS: Final = setting("fleet.door.public", {"source_ranges": ["203.0.113.0/24"], "firewall_because": "a reason"})
_OWN: Final = setting("network", {"cidr": "10.20.0.0/16"})
INGRESS_LINE: Final = {
    "securityGroupId": Output(SECURITY_GROUP, "group"),
    "cidrIpv4": "10.64.0.0/16",
    "fromPort": 443,
    "toPort": 443,
    "ipProtocol": "tcp",
}
_WAY: Final = "→ group (tcp 443)"


@family.rule(
    "aws-ingress-from-named-networks",
    Severity.CRITICAL,
    "No security group is open to networks that the settings do not name",
    types=(INGRESS, RULE, SECURITY_GROUP, DEFAULT_GROUP),
    rationale="Machines, control plane and the endpoints of AWS' services answer whoever a group admits.",
    remedy="Name the stack's own network, one of cluster.private_cidrs, or another security group.",
    frameworks={
        Framework.AWS_FSBP: ("EC2.18", "EC2.19"),
        Framework.CHECKOV: ("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260"),
    },
    examples=lambda: examples(
        given(INGRESS, INGRESS_LINE),
        broken={
            **{
                f'cidrIpv4 is "{wide}", so {who} {_WAY}': put("cidrIpv4", wide)
                for wide, who in ((_WORLD, "the world"), ("203.0.113.7/32", "203.0.113.7/32"))
            },
            # One half of the world is as open: the other half stands in the next line.
            f'cidrIpv4 is "0.0.0.0/1", so the world {_WAY}': put("cidrIpv4", "0.0.0.0/1"),
            f'cidrIpv6 is "::/0", so the world {_WAY}': both(drop("cidrIpv4"), put("cidrIpv6", "::/0")),
            f'prefixListId is "", so 198.51.100.0/24 {_WAY}': both(
                drop("cidrIpv4"),
                put("prefixListId", Output(PREFIX_LIST)),
                plus(given(PREFIX_LIST, {"entries": [{"cidr": "198.51.100.0/24"}]})),
            ),
            f'cidrIpv4 is "10.64.0.0/16", so 10.64.0.0/16 {_WAY}': _OWN,
        },
        undecided={
            "cidrIpv4 is known only to the provider": put("cidrIpv4", Hidden()),
            "prefixListId is known only to the provider": both(drop("cidrIpv4"), put("prefixListId", "pl-1")),
        },
        accepted={
            "": (
                both(drop("cidrIpv4"), put("referencedSecurityGroupId", "sg-1")),
                both(_OWN, setting("cluster.private_cidrs", {"vpn": "10.64.0.0/15"})),
                both(_CLIENTS, put("cidrIpv4", "203.0.113.128/25")),
            )
        },
    ),
)
def ingress_from_named_networks(holder: Resource, inventory: Inventory) -> Judgement:
    networks = declared(inventory)
    return _judged(holder, inventory, networks.private | networks.clients, inward=True)


@family.rule(
    "aws-egress-to-named-networks",
    Severity.HIGH,
    "No security group lets data out to networks that the settings do not name",
    types=(EGRESS, RULE, SECURITY_GROUP, DEFAULT_GROUP),
    rationale="What has been broken into sends what it found to an address of the intruder's.",
    remedy="Name the stack's own network, or leave the line out.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_382",)},
    examples=lambda: examples(
        given(EGRESS, {**INGRESS_LINE, "cidrIpv4": "10.20.0.0/16"}),
        broken={
            f'cidrIpv4 is "{_WORLD}", so group → the world (tcp 443)': put("cidrIpv4", _WORLD),
            'cidrIpv6 is "2000::/3", so group → the world (tcp 443)': put("cidrIpv6", "2000::/3"),
        },
        undecided={"cidrIpv4 is known only to the provider": put("cidrIpv4", Hidden())},
        accepted={"": put("cidrIpv4", "10.20.225.0/24")},
    ),
)
def egress_to_named_networks(holder: Resource, inventory: Inventory) -> Judgement:
    networks = declared(inventory)
    return _judged(holder, inventory, networks.private | networks.clients | networks.services, inward=False)


def _judged(holder: Resource, inventory: Inventory, named: Addresses, *, inward: bool) -> Judgement:
    found = [line for line in lines(holder, inventory) if line.inward is inward]
    if not found:
        return not_applicable(f"no line of it lets anything {'in' if inward else 'out'}")
    judged = all_of(each for line in found for each in _line(line, inventory, named, inward=inward))
    return judged if judged.problems else PASS


def _line(line: Line, inventory: Inventory, named: Addresses, *, inward: bool) -> Iterator[Judgement]:
    required = _IN if inward else _OUT
    path = line.path or "its peers"
    if line.box.addresses - named:
        group = name_of(line.group, inventory)
        value = read(line.holder, line.path)
        # Together with the other lines of its group: the world in two halves is the world.
        together = union(
            each.box.addresses for each in groups(inventory).get(line.group, ()) if each.inward is inward
        )
        who = "the world" if is_wide(together - named) else str(line.box.addresses)
        way = (
            f"{who} → {group} ({line.ports}){_reached(line, inventory)}"
            if inward
            else f"{group} → {who} ({line.ports})"
        )
        yield failed(path, f"{shown('' if is_hidden(value) else value)}, so {way}", required)
    elif line.hidden:
        yield unknown(path, required)


def _reached(line: Line, inventory: Inventory) -> str:
    """What stands in the group, as far as the plan knows."""
    found = [each.name for each in users(inventory).get(line.group, ())]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f" → {', '.join(found[:3])}{more}" if found else ""
