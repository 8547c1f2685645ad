"""What hangs on a Gateway: Envoy Gateway's policies, by their target references.

A policy on a listener or a route takes the place of the one on the whole Gateway there (Envoy Gateway 1.9.1,
api/v1alpha1, `PolicyTargetReferences`, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks import ABSENT, items, read
from policies.inventory import Inventory, Resource


def hanging(gateway: Resource, inventory: Inventory, token: str, *, whole: bool = False) -> Iterator[Resource]:
    """The policies of a type that hang on a Gateway, or on a listener of it.

    Args:
        whole: leave out those that are for one listener alone.
    """
    name, namespace = read(gateway, "metadata.name"), read(gateway, "metadata.namespace")
    for policy in inventory.of_type(token):
        targets = [
            target
            for target in items(policy, "spec.targetRefs")
            if (read(policy, f"{target}.kind"), read(policy, f"{target}.name")) == ("Gateway", name)
            and (not whole or read(policy, f"{target}.sectionName") is ABSENT)
        ]
        if targets and read(policy, "metadata.namespace") == namespace:
            yield policy
