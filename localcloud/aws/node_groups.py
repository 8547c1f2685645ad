"""EKS node groups as far as their number of machines goes: who sets it, and what EKS refuses. No machine starts.

As EKS' UpdateNodegroupConfig and the provider that calls it: any change of `scalingConfig` sends all of it, with the
desired size that the program has (`resourceNodeGroupUpdate` in terraform-provider-aws' node_group.go at 012e0a3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from localcloud.providers.base import ProviderError, Recorded, Request, State, scoped
from localcloud.providers.store import Store, Stored

TOKEN: Final = "aws:eks/nodeGroup:NodeGroup"  # noqa: S105 - a resource's type
_SIZES: Final = "scalingConfig"


class NodeGroups(Recorded):
    """Recorded, with the sizes that EKS would have."""

    def create(self, request: Request) -> State:
        _check(request.inputs.get(_SIZES) or {})
        return super().create(request)

    def update(self, request: Request) -> State:
        sent = request.inputs.get(_SIZES) or {}
        if sent != (request.old_inputs.get(_SIZES) or {}):
            _check(sent)
            return super().update(request)
        found = self._store.get(request.token, self._key(request, request.id))
        kept = (found.inputs if found else request.inputs).get(_SIZES)
        return super().update(replace(request, inputs={**request.inputs, _SIZES: kept}))


def set_desired_size(store: Store, region: str, group_id: str, size: int) -> None:
    """Scale a group as its autoscaler does: by SetDesiredCapacity, behind EKS' back.

    Raises:
        ProviderError: the group is not there, or `size` is outside its Auto Scaling group's bounds.
    """
    found = _group(store, region, group_id)
    sizes = found.inputs[_SIZES]
    if not sizes["minSize"] <= size <= sizes["maxSize"]:
        raise ProviderError(f"{size} is outside {sizes['minSize']} to {sizes['maxSize']}")
    scaled = {_SIZES: {**sizes, "desiredSize": size}}
    store.put(Stored(TOKEN, found.id, found.urn, {**found.inputs, **scaled}, {**found.outputs, **scaled}))


def desired_size(store: Store, region: str, group_id: str) -> int:
    """How many machines the group shall have.

    Raises:
        ProviderError: the group is not there.
    """
    return int(_group(store, region, group_id).inputs[_SIZES]["desiredSize"])


def _group(store: Store, region: str, group_id: str) -> Stored:
    found = store.get(TOKEN, scoped(region, group_id))
    if found is None:
        raise ProviderError(f"there is no node group {group_id} in {region}")
    return found


def _check(sizes: Mapping[str, Any]) -> None:
    least, most, desired = (int(sizes.get(key, 0)) for key in ("minSize", "maxSize", "desiredSize"))
    if least > desired:
        raise ProviderError(
            f"Minimum capacity {least} can't be greater than desired size {desired}", f"{_SIZES}.minSize"
        )
    if desired > most:
        raise ProviderError(
            f"desired size {desired} can't be greater than maximum capacity {most}", f"{_SIZES}.maxSize"
        )
