"""What a stack's settings say of networks: its own, those connected to it, and who may come from the internet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.inventory import Inventory
from policies.reach.addresses import EVERYTHING, PRIVATE, Addresses, addresses, union
from policies.reach.values import members


@dataclass(frozen=True)
class Declared:
    """The networks that the settings name; what they leave out is nobody's.

    Where the settings name no network at all (an inventory from a file may have none), every private address counts
    as the stack's own.
    """

    inside: Addresses
    """The stack's own networks, here and in the backup region."""
    connected: Addresses
    """Private networks that are connected to them: runners, a VPN, the door's clients."""
    clients: Addresses
    """The clients of a public door."""
    administrators: Addresses
    """Who may reach the control plane over the internet."""
    services: Addresses
    """What the door itself asks: for keys of tokens, and for certificates."""
    account: str

    @property
    def private(self) -> Addresses:
        """Everything that is not the internet's."""
        return self.inside | self.connected

    @property
    def public_door(self) -> bool:
        """Whether the settings open the door to the internet."""
        return bool(self.clients)


def declared(inventory: Inventory) -> Declared:
    """What the settings of this stack declare."""
    return inventory.derived(_read)


def _read(inventory: Inventory) -> Declared:
    settings = inventory.settings
    own = _ranges(_at(settings, "network", "cidr")) | _ranges(_at(settings, "standby", "cidr"))
    private = _at(settings, "cluster", "private_cidrs")
    named = list(private.values()) if isinstance(private, Mapping) else private
    door = _at(settings, "fleet", "door")
    return Declared(
        inside=own or PRIVATE,
        connected=_ranges(named) | _ranges(_at(door, "client_cidrs")),
        clients=_ranges(_at(door, "public", "source_ranges")),
        administrators=_ranges(_at(settings, "cluster", "authorized_cidrs")),
        services=_ranges(_at(door, "authentication", "keys_cidrs"))
        | _ranges(_at(door, "certificate", "issuer_cidrs")),
        account=str(_at(settings, "account") or ""),
    )


def _at(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _ranges(value: object) -> Addresses:
    """Ranges of the settings; one that is none declares nothing."""
    found = [addresses(str(cidr)) for cidr in members(value)]
    return union(each for each in found if each != EVERYTHING)
