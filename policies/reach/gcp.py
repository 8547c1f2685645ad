"""Reach on Google Cloud: what firewall rules and policies let in and out, in the order in which they decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policies.checks import ABSENT, is_hidden, read
from policies.inventory import Inventory, Resource
from policies.reach.addresses import EVERYTHING, Addresses, addresses
from policies.reach.spans import spans
from policies.reach.traffic import EVERY_PORT, Box, Rule, Traffic, allowed, port_range, protocols, sources
from policies.reach.values import flag, members, number, paths, texts
from policies.tokens import GCP_FIREWALL, GCP_NETWORK, GCP_POLICY_RULE

POLICY_RULES: Final = (
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    GCP_POLICY_RULE,
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
POLICIES_WITH_RULES: Final = (
    "gcp:compute/firewallPolicyWithRules:FirewallPolicyWithRules",
    "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules",
    "gcp:compute/regionNetworkFirewallPolicyWithRules:RegionNetworkFirewallPolicyWithRules",
)
HOLDERS: Final = (GCP_FIREWALL, *POLICY_RULES, *POLICIES_WITH_RULES)

_TARGETS: Final = ("targetTags", "targetServiceAccounts", "targetResources", "targetSecureTags")
_BY_NAME: Final = ("sourceTags", "sourceServiceAccounts")
_ANYBODY: Final = ("srcFqdns", "srcRegionCodes", "srcThreatIntelligences", "srcAddressGroups")
_ANYBODY_OUT: Final = ("destFqdns", "destRegionCodes", "destThreatIntelligences", "destAddressGroups")
_FIRST: Final = 65536
"""One more than the last priority: a rule that sorts behind all others."""


@dataclass(frozen=True)
class Line:
    """One rule of a firewall or of a policy."""

    holder: Resource
    path: str
    """Where its addresses stand."""
    inward: bool
    allows: bool
    priority: int
    everywhere: bool
    """Whether it is for every machine, and not for some tags or accounts."""
    boxes: tuple[Box, ...]
    hidden: bool
    listed: str
    """The list that it is part of: the network's own rules, or one policy."""
    at: str = ""
    """The path of the rule itself, with a dot; empty where it is a resource of its own."""


def lines(holder: Resource, inventory: Inventory) -> Iterator[Line]:
    """The rules that stand in one resource and are not switched off."""
    if holder.type == GCP_FIREWALL:
        yield from _firewall(holder, inventory)
    elif holder.type in POLICY_RULES:
        yield from _policy_rule(holder, "")
    else:
        for path in paths(holder, "rules"):
            yield from _policy_rule(holder, f"{path}.")


def _firewall(rule: Resource, inventory: Inventory) -> Iterator[Line]:
    if flag(rule, "disabled", default=False) is True:
        return
    direction = read(rule, "direction")
    inward = str(direction).upper() != "EGRESS"
    path = "sourceRanges" if inward else "destinationRanges"
    ranges, hidden = texts(rule, path)
    named = inward and any(read(rule, name) not in (ABSENT, []) for name in _BY_NAME)
    found = addresses(*ranges) if ranges or hidden or named else EVERYTHING
    for kind in ("allows", "denies"):
        parts = list(paths(rule, kind))
        if parts:
            yield Line(
                rule,
                path,
                inward,
                kind == "allows",
                _priority(read(rule, "priority"), 1000),
                all(read(rule, name) in (ABSENT, []) for name in _TARGETS),
                tuple(_box(rule, part, "protocol", "ports", found) for part in parts),
                hidden or is_hidden(direction) or is_hidden(read(rule, kind)),
                _network(rule, inventory),
            )


def _policy_rule(holder: Resource, at: str) -> Iterator[Line]:
    if flag(holder, f"{at}disabled", default=False) is True:
        return
    direction, action = read(holder, f"{at}direction"), str(read(holder, f"{at}action")).lower()
    inward = str(direction).upper() != "EGRESS"
    path = f"{at}match.{'srcIpRanges' if inward else 'destIpRanges'}"
    ranges, hidden = texts(holder, path)
    others = _ANYBODY if inward else _ANYBODY_OUT
    anybody = any(read(holder, f"{at}match.{name}") not in (ABSENT, []) for name in others)
    by_tag = any(read(holder, f"{at}match.{name}") not in (ABSENT, []) for name in ("srcSecureTags", "srcNetworks"))
    found = addresses(*ranges) if ranges or hidden or by_tag else EVERYTHING
    # Threat lists, countries and names: nobody can say which addresses these are.
    found = EVERYTHING if anybody and not ranges else found
    parts = list(paths(holder, f"{at}match.layer4Configs")) or [""]
    yield Line(
        holder,
        path,
        inward,
        action not in ("deny", "goto_next"),
        _priority(read(holder, f"{at}priority"), _FIRST),
        all(read(holder, f"{at}{name}") in (ABSENT, []) for name in _TARGETS),
        tuple(_box(holder, part, "ipProtocol", "ports", found) for part in parts) if action != "goto_next" else (),
        hidden or is_hidden(read(holder, f"{at}match")) or is_hidden(read(holder, f"{at}action")),
        str(read(holder, "firewallPolicy")) if not at else holder.urn,
        at,
    )


def _priority(value: object, default: int) -> int:
    found = number(value)
    return default if found is None else found


def _box(holder: Resource, part: str, protocol: str, ports: str, found: Addresses) -> Box:
    named = read(holder, f"{part}.{protocol}") if part else ABSENT
    of = protocols("all" if named is ABSENT or is_hidden(named) else named)
    listed = members(read(holder, f"{part}.{ports}") if part else ABSENT)
    through = spans(i for each in listed for i in port_range(each).parts) if listed else EVERY_PORT
    return Box(of, through, found)


def _network(rule: Resource, inventory: Inventory) -> str:
    linked = inventory.linked(rule, "network", GCP_NETWORK)
    return linked[0].urn if linked else str(read(rule, "network"))


def _lists(inventory: Inventory) -> Mapping[str, tuple[Line, ...]]:
    found: dict[str, list[Line]] = {}
    for holder in inventory.of_type(*HOLDERS):
        for line in lines(holder, inventory):
            found.setdefault(line.listed, []).append(line)
    # At one priority, what denies decides before what allows.
    return {key: tuple(sorted(each, key=lambda line: (line.priority, line.allows))) for key, each in found.items()}


def let_through(line: Line, inventory: Inventory) -> Addresses:
    """Whom a line lets through: its addresses without those that lines before it deny to every machine."""
    return sources(passing(line, inventory))


def passing(line: Line, inventory: Inventory) -> Traffic:
    """What a line lets through, without what lines before it deny to every machine."""
    if not line.allows:
        return ()
    before: list[Rule] = []
    for other in inventory.derived(_lists).get(line.listed, ()):
        if (other.priority, other.allows) >= (line.priority, line.allows) or other.inward is not line.inward:
            continue
        if not other.allows and other.everywhere and not other.hidden:
            before.extend(Rule(False, box) for box in other.boxes)
    return tuple(each for box in line.boxes for each in allowed([*before, Rule(True, box)]))
