"""What connects a network on Google Cloud with others, or with the internet: only what the settings name."""

from __future__ import annotations

from typing import Final

from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, not_applicable, passed, read, shown, unknown
from policies.examples import Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.addresses import addresses
from policies.reach.declared import declared
from policies.reach.openings import How, Opening, found
from policies.reach.values import texts
from policies.settings_view import door_reason
from policies.tokens import GCP_NETWORK

family = Family("Connections of networks on Google Cloud")

ROUTE: Final = "gcp:compute/route:Route"
APIS: Final = ("199.36.153.4/30", "199.36.153.8/30")
"""restricted.googleapis.com and private.googleapis.com, which lie within Google's network."""
WAY_OUT: Final = "default-internet-gateway"
_CLOSED: Final = "nothing, as fleet.door.public is not set"
_CLIENTS: Final = "a range of fleet.door.public.source_ranges"
_CONNECTED: Final = "the stack's own networks, or one of fleet.door.client_cidrs"
_HOPS: Final = ("nextHopInstance", "nextHopIp", "nextHopIlb", "nextHopVpnTunnel")
_PEERING: Final = "gcp:compute/networkPeering:NetworkPeering"
_PEERED_ROUTES: Final = tuple(
    Opening("routes that another network announces", How.FLAG, name)
    for name in ("importCustomRoutes", "importSubnetRoutesWithPublicIp", "exportSubnetRoutesWithPublicIp")
)
_BY_HAND: Final = (
    Opening("a way in for every project", How.OTHER, "connectionPreference", ("ACCEPT_MANUAL",), "ACCEPT_AUTOMATIC"),
)
_OPENINGS: Final = {
    "gcp:compute/routerNat:RouterNat": (Opening("a translation of addresses, by which machines reach the internet"),),
    "gcp:compute/sharedVPCHostProject:SharedVPCHostProject": (Opening("a network that other projects use"),),
    "gcp:networkconnectivity/policyBasedRoute:PolicyBasedRoute": (Opening("a route past those of the network"),),
    "gcp:compute/networkPeeringRoutesConfig:NetworkPeeringRoutesConfig": _PEERED_ROUTES,
    "gcp:compute/serviceAttachment:ServiceAttachment": _BY_HAND,
    "gcp:compute/networkAttachment:NetworkAttachment": _BY_HAND,
    "gcp:servicenetworking/connection:Connection": (
        Opening(
            "a peering with somebody else than Google's own services",
            How.OTHER,
            "service",
            ("servicenetworking.googleapis.com",),
        ),
    ),
}
_LINES: Final = (
    _PEERING,
    "gcp:compute/vPNTunnel:VPNTunnel",
    "gcp:compute/vPNGateway:VPNGateway",
    "gcp:compute/haVpnGateway:HaVpnGateway",
    "gcp:compute/interconnectAttachment:InterconnectAttachment",
    "gcp:networkconnectivity/spoke:Spoke",
)
"""What joins two networks: with those that the settings connect."""


def gcp_led(route: Resource, inventory: Inventory) -> Judgement:
    """Whether a route leads where the settings say: a door's clients, Google's APIs, or a network of theirs."""
    networks, path = declared(inventory), f"{route.name}.destRange"
    out = read(route, "nextHopGateway")
    by_gateway = is_hidden(out) or str(out).endswith(WAY_OUT)
    if not by_gateway and out is ABSENT and all(read(route, hop) is ABSENT for hop in _HOPS):
        return PASS
    ranges, hidden = texts(route, "destRange")
    named = networks.clients | addresses(*APIS) if by_gateway else networks.private
    required = (_CLIENTS if networks.clients else _CLOSED) if by_gateway else _CONNECTED
    if hidden:
        return unknown(path, required)
    if not ranges:
        return failed(path, shown(read(route, "destRange")), required)
    if addresses(*ranges) - named:
        if is_hidden(out):
            return unknown(path, required)
        return failed(path, shown(read(route, "destRange")), required)
    to_clients = by_gateway and not addresses(*ranges).within(addresses(*APIS))
    return passed(door_reason(inventory, "public", "firewall_because")) if to_clients else PASS


@family.rule(
    "gcp-connections-declared",
    Severity.CRITICAL,
    "What joins a network with another, or with the internet, is what the settings name",
    types=(*_OPENINGS, *_LINES, ROUTE),
    rationale="Each connection makes the other side's intruders one's own, and is a way out for data.",
    remedy="Remove it, or name the other network in fleet.door.client_cidrs.",
    frameworks={Framework.NIST_800_53: ("SC-7",)},
    examples=lambda: examples(
        given("gcp:compute/networkAttachment:NetworkAttachment", {"connectionPreference": "ACCEPT_MANUAL"}),
        broken={
            'connectionPreference is "ACCEPT_AUTOMATIC", so a way in for every project': put(
                "connectionPreference", "ACCEPT_AUTOMATIC"
            ),
            "connectionPreference is absent, so a way in for every project": drop("connectionPreference"),
        },
        undecided={
            "connectionPreference is known only to the provider": put("connectionPreference", Hidden()),
        },
        accepted={"": (put("connectionPreference", "accept_manual"), setting("network", {"cidr": "10.20.0.0/16"}))},
    ),
)
def gcp_connections_declared(resource: Resource, inventory: Inventory) -> Judgement:
    if resource.type == ROUTE:
        lost = not inventory.linked(resource, "network", GCP_NETWORK)
        judged = gcp_led(resource, inventory) if lost else PASS
        return judged if judged.problems else not_applicable("it is judged with its network")
    if resource.type in _LINES and not declared(inventory).connected:
        return failed("", "a connection with another network", _CONNECTED)
    tests = _OPENINGS.get(resource.type, _PEERED_ROUTES if resource.type == _PEERING else ())
    judged = all_of(
        unknown(each.path, "closed")
        if each.hidden
        else failed(each.path, f"{each.value}, so {test.what}" if each.path else test.what, "no such way")
        for test in tests
        for each in found(resource, test)
    )
    return judged if judged.problems else PASS
