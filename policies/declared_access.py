"""Whom a stack's settings let into its cluster, and as what."""

from __future__ import annotations

from collections.abc import Mapping

from policies.inventory import Inventory

ADMINISTRATORS, DEPLOYERS, READERS = "administrators", "deployers", "readers"


def principals(inventory: Inventory) -> Mapping[str, str]:
    """Principal → the group of the settings that names it; the first where several do."""
    cluster = inventory.settings.get("cluster")
    access = cluster.get("access") if isinstance(cluster, Mapping) else None
    groups = access if isinstance(access, Mapping) else {}
    found: dict[str, str] = {}
    for group in (ADMINISTRATORS, DEPLOYERS, READERS):
        named = groups.get(group)
        for name in named.values() if isinstance(named, Mapping) else ():
            found.setdefault(str(name), group)
    return found
