"""The private network: how its addresses are shared out, and that nothing leads to the internet."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.capacity import GKE_NODES_MAX, GKE_PODS_PER_NODE
from components.gcp.network import API_RANGE, address_plan

NETWORKS = st.integers(0, 255).map(lambda second: f"10.{second}.0.0/16")


def parts(cidr: str) -> dict[str, ipaddress.IPv4Network]:
    """The plan's parts by name."""
    return {name: ipaddress.IPv4Network(part) for name, part in asdict(address_plan(cidr)).items()}


@given(NETWORKS)
def test_parts_of_the_network_do_not_overlap(cidr: str) -> None:
    clashes = [(a, b) for a, b in combinations(parts(cidr).values(), 2) if a.overlaps(b)]
    assert not clashes, "GKE and private services access refuse overlapping ranges"


@given(NETWORKS)
def test_parts_lie_within_the_network(cidr: str) -> None:
    outside = [part for part in parts(cidr).values() if not part.subnet_of(ipaddress.IPv4Network(cidr))]
    assert not outside, "peered networks are routed by the whole /16"


def test_the_control_plane_has_the_size_that_gke_demands() -> None:
    assert parts("10.20.0.0/16")["control_plane"].prefixlen == 28


def test_pods_have_room_for_as_many_machines_as_pools_may_have() -> None:
    addresses_per_machine = 2 * GKE_PODS_PER_NODE  # GKE doubles it, so that addresses are not reused at once
    assert parts("10.20.0.0/16")["pods"].num_addresses // addresses_per_machine == GKE_NODES_MAX


def test_machines_have_an_address_each() -> None:
    assert parts("10.20.0.0/16")["nodes"].num_addresses > GKE_NODES_MAX


@pytest.mark.parametrize("cidr", ["10.20.0.0/20", "10.0.0.0/8"])
def test_a_network_of_another_size_is_refused(cidr: str) -> None:
    with pytest.raises(ValueError, match="not a /16"):
        address_plan(cidr)


def test_the_only_route_out_leads_to_googles_apis(gcp_platform: Any) -> None:
    (network,) = gcp_platform.inventory.of_type("gcp:compute/network:Network")
    routes = [route.get("destRange") for route in gcp_platform.inventory.of_type("gcp:compute/route:Route")]
    assert network.get("deleteDefaultRoutesOnCreate") is True
    assert routes == [API_RANGE]


def test_no_machine_gets_to_the_internet_by_translation(gcp_platform: Any) -> None:
    ways = gcp_platform.inventory.of_type("gcp:compute/routerNat:RouterNat", "gcp:compute/address:Address")
    assert not list(ways)


def test_names_of_googles_apis_lead_to_private_addresses(gcp_platform: Any) -> None:
    addresses = set(map(str, ipaddress.IPv4Network(API_RANGE)))
    records = gcp_platform.inventory.of_type("gcp:dns/recordSet:RecordSet")
    public = [r.name for r in records if r.get("type") == "A" and set(r.get("rrdatas")) != addresses]
    assert not public


@pytest.mark.parametrize("domain", ["googleapis.com.", "gcr.io.", "pkg.dev."])
def test_every_name_of_a_domain_is_answered_privately(gcp_platform: Any, domain: str) -> None:
    names = {r.get("name") for r in gcp_platform.inventory.of_type("gcp:dns/recordSet:RecordSet")}
    assert f"*.{domain}" in names, "an image or an API under it would be looked up in public DNS"


def test_what_no_rule_allows_is_refused_and_logged(gcp_platform: Any) -> None:
    rules = list(gcp_platform.inventory.of_type("gcp:compute/firewall:Firewall"))
    (deny,) = [rule for rule in rules if rule.get("denies")]
    assert deny.get("priority") > max(rule.get("priority") for rule in rules if rule.get("allows"))
    assert (deny.get("denies.0.protocol"), deny.get("sourceRanges")) == ("all", ["0.0.0.0/0"])
    assert deny.get("logConfig.metadata") == "INCLUDE_ALL_METADATA"


def test_only_the_control_plane_is_let_in(gcp_platform: Any) -> None:
    rules = gcp_platform.inventory.of_type("gcp:compute/firewall:Firewall")
    sources = [rule.get("sourceRanges") for rule in rules if rule.get("allows")]
    assert sources == [[address_plan(gcp_platform.settings.network.cidr).control_plane]]


def test_memorystore_waits_for_the_peering(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    (redis,) = inventory.of_type("gcp:redis/instance:Instance")
    (peering,) = inventory.of_type("gcp:servicenetworking/connection:Connection")
    assert peering in inventory.linked(redis, "authorizedNetwork"), "Memorystore fails while there is no peering"
