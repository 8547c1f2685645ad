"""A public door: the ways that the network gets for it, and all that stays closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.contracts.vocabulary import Cloud
from components.gcp.network import API_RANGE, node_tag
from policies.evaluation import evaluate
from policies.inventory import Inventory, Resource
from policies.model import Verdict
from tests.components.kubernetes.gateway.doors import PUBLIC

DOOR = {"public": PUBLIC, "client_cidrs": []}
RANGES = PUBLIC["source_ranges"]
GATEWAY = "aws:ec2/internetGateway:InternetGateway"
ROUTE = "aws:ec2/route:Route"
SUBNET = "aws:ec2/subnet:Subnet"


@pytest.fixture
def public(plan_platform: Any, cloud: Cloud) -> Any:
    """The development stack of each cloud, with a public door."""
    return plan_platform(cloud, fleet={"door": DOOR})


@pytest.fixture
def on_aws(plan_platform: Any) -> Any:
    """The one on AWS."""
    return plan_platform(Cloud.AWS, fleet={"door": DOOR})


@pytest.fixture
def on_gcp(plan_platform: Any) -> Any:
    """The one on Google Cloud."""
    return plan_platform(Cloud.GCP, fleet={"door": DOOR})


def failing(inventory: Inventory) -> set[str]:
    """The rules that fail."""
    return {found.rule.id for found in evaluate(inventory) if found.verdict is Verdict.FAIL}


def changed(inventory: Inventory, resource: Resource, **inputs: Any) -> Inventory:
    """The plan with other inputs of one resource."""
    twin = replace(resource, inputs={**resource.inputs, **inputs})
    return replace(inventory, resources=tuple(twin if r is resource else r for r in inventory.resources))


def test_a_public_door_breaks_no_rule(public: Any) -> None:
    assert failing(public.inventory) == set()


def test_a_public_door_adds_its_ways_and_changes_no_other_resource(public: Any, plan_platform: Any) -> None:
    before = {r.urn: r for r in plan_platform(public.cloud).inventory.resources}
    after = {r.urn: r for r in public.inventory.resources}
    assert before.keys() <= after.keys()
    network = {r.urn for r in after.values() if r.type.startswith(("aws:", "gcp:"))}
    assert [urn for urn in network & before.keys() if before[urn].inputs != after[urn].inputs] == []


def test_the_load_balancer_is_on_the_internet_for_the_named_ranges_only(public: Any) -> None:
    (proxy,) = public.inventory.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")
    service = proxy.get("spec.provider.kubernetes.envoyService")
    assert service["loadBalancerSourceRanges"] == RANGES
    assert not {
        "service.beta.kubernetes.io/aws-load-balancer-internal",
        "networking.gke.io/load-balancer-type",
    } & set(service["annotations"])


def test_the_door_waits_for_its_ways(public: Any) -> None:
    (proxy,) = public.inventory.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")
    ways = {r.urn for r in public.inventory.of_type(GATEWAY, ROUTE)} | {
        r.urn for r in public.inventory.of_type("gcp:compute/route:Route") if r.get("destRange") in RANGES
    }
    assert ways and ways <= set(proxy.dependencies)


def test_public_subnets_are_small_and_give_no_address(on_aws: Any) -> None:
    found = [s for s in on_aws.inventory.of_type(SUBNET) if "kubernetes.io/role/elb" in s.get("tags")]
    assert len(found) == len(on_aws.place.zones)
    assert {s.get("mapPublicIpOnLaunch") for s in found} == {False}
    assert all(s.get("cidrBlock").endswith("/27") for s in found)


def test_only_public_subnets_are_routed_to_the_internet(on_aws: Any) -> None:
    inventory = on_aws.inventory
    tables = {t.urn for r in inventory.of_type(ROUTE) for t in inventory.linked(r, "routeTableId")}
    associations = inventory.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
    open_ones = {
        s.name
        for a in associations
        if {t.urn for t in inventory.linked(a, "routeTableId")} & tables
        for s in inventory.linked(a, "subnetId", SUBNET)
    }
    assert open_ones == {f"public-{zone}" for zone in on_aws.place.zones}
    assert [r.get("destinationCidrBlock") for r in inventory.of_type(ROUTE)] == RANGES


def test_nothing_of_the_stack_stands_in_a_public_subnet(on_aws: Any) -> None:
    inventory = on_aws.inventory
    public = {s.urn for s in inventory.of_type(SUBNET) if s.name.startswith("public-")}
    association = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    there = {
        r.urn
        for r in inventory.resources
        if r.type != association and not r.type.startswith("kubernetes:")
        for prop in r.property_dependencies.values()
        if public & set(prop)
    }
    assert there == set()


def test_machines_on_google_cloud_have_routes_to_clients_and_apis_alone(on_gcp: Any) -> None:
    routes = {r.get("destRange"): r for r in on_gcp.inventory.of_type("gcp:compute/route:Route")}
    assert routes.keys() == {API_RANGE, *RANGES}
    assert routes[RANGES[0]].get("tags") == [node_tag(on_gcp.place)]
    (network,) = on_gcp.inventory.of_type("gcp:compute/network:Network")
    assert network.get("deleteDefaultRoutesOnCreate") is True


def test_the_ways_fail_where_the_door_is_not_public(public: Any) -> None:
    door = {**public.inventory.settings["fleet"]["door"], "public": None}
    settings = {**public.inventory.settings, "fleet": {**public.inventory.settings["fleet"], "door": door}}
    found = failing(replace(public.inventory, settings=settings))
    assert {f"{public.cloud}-vpc-internet-door-only", "k8s-door-narrow"} <= found


def test_a_default_route_fails_beside_a_public_door(public: Any) -> None:
    token, path = {
        Cloud.AWS: (ROUTE, "destinationCidrBlock"),
        Cloud.GCP: ("gcp:compute/route:Route", "destRange"),
    }[public.cloud]
    (route,) = [r for r in public.inventory.of_type(token) if r.get(path) in RANGES]
    assert f"{public.cloud}-vpc-internet-door-only" in failing(
        changed(public.inventory, route, **{path: "0.0.0.0/0"})
    )


def test_machines_in_a_public_subnet_fail(on_aws: Any) -> None:
    inventory = on_aws.inventory
    group = next(iter(inventory.of_type("aws:eks/nodeGroup:NodeGroup")))
    public = next(s for s in inventory.of_type(SUBNET) if s.name.startswith("public-"))
    links = {**group.property_dependencies, "subnetIds": (public.urn,)}
    twin = replace(group, property_dependencies=links)
    moved = replace(inventory, resources=tuple(twin if r is group else r for r in inventory.resources))
    assert "aws-eks-nodes-private" in failing(moved)


def test_a_public_subnet_that_gives_addresses_fails(on_aws: Any) -> None:
    public = next(s for s in on_aws.inventory.of_type(SUBNET) if s.name.startswith("public-"))
    found = failing(changed(on_aws.inventory, public, mapPublicIpOnLaunch=True))
    assert "aws-vpc-internet-door-only" in found


def test_a_door_for_everyone_fails(public: Any) -> None:
    (proxy,) = public.inventory.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")
    spec = proxy.inputs["spec"]
    provider = spec["provider"]
    service = {**provider["kubernetes"]["envoyService"], "loadBalancerSourceRanges": ["0.0.0.0/0"]}
    wide = {**spec, "provider": {**provider, "kubernetes": {**provider["kubernetes"], "envoyService": service}}}
    assert "k8s-door-narrow" in failing(changed(public.inventory, proxy, spec=wide))
