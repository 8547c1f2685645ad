"""Services that other objects name: whether the stack makes them."""

from __future__ import annotations

from typing import Final

from policies.checks import PASS, failed, is_hidden, is_masked, read, shown, unknown
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.reach.values import mapping
from policies.tokens import SERVICE

OWN_SERVICE: Final = "a Service of the stack"


def of_the_stack(found: Resource, inventory: Inventory, path: str) -> Judgement:
    """Whether the Service named at `path` is one that the stack makes."""
    service = read(found, path)
    if is_hidden(service) or is_masked(found, f"{path}."):
        return unknown(path, OWN_SERVICE)
    named = (mapping(service).get("namespace"), mapping(service).get("name"))
    made = [(read(s, "metadata.namespace"), read(s, "metadata.name")) for s in inventory.of_type(SERVICE)]
    return PASS if named in made else failed(path, shown(service), OWN_SERVICE)
