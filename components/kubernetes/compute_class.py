"""The order in which GKE's autoscaler tries the groups of the fleet's pools, as a compute class; nothing elsewhere.

Not here: the cluster autoscaler's order on AWS, which `node_autoscaler` has.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.contracts.refs import NodeGroupRef, NodePoolRef
from components.contracts.serving import COMPUTE_CLASS_LABEL
from components.kubernetes.pods import metadata


def in_order(pools: Sequence[NodePoolRef]) -> list[list[NodeGroupRef]]:
    """The pools' groups, first choice first; groups of one rank are equal."""

    def rank(group: NodeGroupRef) -> int:
        return group.rank

    groups = sorted((group for pool in pools for group in pool.groups), key=rank)
    return [list(equals) for _, equals in groupby(groups, key=rank)]


def selector(pools: Sequence[NodePoolRef]) -> dict[str, str]:
    """What a pod for `pools` asks for; nothing where the cloud has no compute classes."""
    name = _class_of(pools)
    return {COMPUTE_CLASS_LABEL: name} if name else {}


def _class_of(pools: Sequence[NodePoolRef]) -> str:
    (name,) = {pool.compute_class for pool in pools}
    return name


def ready_pools(pools: Sequence[NodePoolRef]) -> pulumi.Output[str]:
    """The names of the pools' groups, once all of them take pods."""
    return pulumi.Output.all(*(pool.ready for pool in pools)).apply(lambda names: " ".join(map(str, names)))


def priorities(pools: Sequence[NodePoolRef]) -> list[dict[str, Any]]:
    """The class's rules: one for each rank. The pools that one rule names have no order among them."""
    return [{"nodepools": [group.name for group in equals]} for equals in in_order(pools)]


def compute_class(
    pools: Sequence[NodePoolRef], parent: pulumi.Resource, *, formerly: str | None = None
) -> CustomResource | None:
    """The class of `pools`, which all serve on the same accelerator.

    It makes no pools of its own, and never moves a running pod.

    Args:
        formerly: the logical name that a stack of before may have it under. Without it the class would be made under
            the new name before it is deleted under the old one, and both are one object of the cluster.
    """
    name = _class_of(pools)
    if not name:
        return None
    return CustomResource(
        name,
        api_version="cloud.google.com/v1",
        kind="ComputeClass",
        # The names are known before the pools are there; the annotation waits for them.
        metadata=metadata(name, annotations={"seawall.dev/pools": ready_pools(pools)}),
        spec={
            "priorities": priorities(pools),
            "nodePoolAutoCreation": {"enabled": False},
            "whenUnsatisfiable": "DoNotScaleUp",
        },
        opts=pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name=formerly)] if formerly else None),
    )
