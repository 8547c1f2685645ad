"""Every service of the committed stacks has its routes at the door, and they lead to what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policies.inventory import Inventory
from stacks.files import platform_names

ROUTES = {"HTTPRoute": 8000, "GRPCRoute": 8001}
BY_A_CONTROLLER = ("canary",)
"""Strategies whose HTTPRoute a rollout's controller makes."""


def objects(inventory: Inventory, kind: str) -> dict[str, Mapping[str, Any]]:
    """The objects of a kind in the fleet's namespace, by name."""
    return {
        each.inputs["metadata"]["name"]: each.inputs
        for each in inventory.resources
        if each.inputs.get("kind") == kind and each.inputs["metadata"].get("namespace") == "serving"
    }


def our_routes(inventory: Inventory) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each service with each of its routes."""
    services = inventory.settings["fleet"]["services"]
    for name, told in services.items():
        if told["traffic"]["strategy"] not in BY_A_CONTROLLER:
            for kind in ROUTES:
                yield name, objects(inventory, kind)[name]


@pytest.mark.parametrize("stack", platform_names())
def test_each_service_has_a_route_for_each_protocol(stack: str, plans: dict[str, Inventory]) -> None:
    inventory = plans[stack]
    domain = inventory.settings["fleet"]["door"]["domain"]
    found = {(route["kind"], host) for _, route in our_routes(inventory) for host in route["spec"]["hostnames"]}
    assert found
    for name, told in inventory.settings["fleet"]["services"].items():
        if told["traffic"]["strategy"] in BY_A_CONTROLLER:
            continue
        assert {("HTTPRoute", f"{name}.{domain}"), ("GRPCRoute", f"{name}-grpc.{domain}")} <= found


@pytest.mark.parametrize("stack", platform_names())
def test_routes_lead_to_ports_of_services_that_are_there(stack: str, plans: dict[str, Inventory]) -> None:
    inventory = plans[stack]
    services = objects(inventory, "Service")
    for name, route in our_routes(inventory):
        backends = [each for rule in route["spec"]["rules"] for each in rule["backendRefs"]]
        assert backends, name
        for backend in backends:
            ports = [port["port"] for port in services[backend["name"]]["spec"]["ports"]]
            assert backend["port"] in ports
            assert backend["port"] == ROUTES[route["kind"]]


@pytest.mark.parametrize("stack", platform_names())
def test_routes_hang_on_the_door_s_own_listener(stack: str, plans: dict[str, Inventory]) -> None:
    inventory = plans[stack]
    (gateway,) = objects(inventory, "Gateway").values()
    listeners = [each["name"] for each in gateway["spec"]["listeners"]]
    for _, route in our_routes(inventory):
        (parent,) = route["spec"]["parentRefs"]
        assert parent["name"] == gateway["metadata"]["name"]
        assert parent["sectionName"] in listeners
