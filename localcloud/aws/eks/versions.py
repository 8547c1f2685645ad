"""What EKS refuses about versions: steps of the control plane, and machines or add-ons that do not fit it.

An upgrade in the wrong order then fails as it does on AWS (EKS
guide, "Update existing cluster to new Kubernetes version"; Kubernetes' version skew policy; 2026-11-21).
"""

from __future__ import annotations

from typing import Final

from components.contracts.releases import NODES_BEHIND_MAX, minor_of
from localcloud.providers.base import ProviderError, Request
from localcloud.providers.store import Store

CLUSTER: Final = "aws:eks/cluster:Cluster"
_NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
ADDON: Final = "aws:eks/addon:Addon"
_FOLLOWS: Final = {_NODE_GROUP: "version", ADDON: "addonVersion"}
"""Type → the input that must fit the control plane's version."""


def check_versions(store: Store, request: Request) -> None:
    """Refuse a create or update that EKS refuses; other types pass.

    Raises:
        ProviderError: the control plane would skip a minor version or go back, or what runs on it would be newer
            than it, or too old.
    """
    if request.token == CLUSTER:
        _check_step(str(request.old_inputs.get("version") or ""), str(request.inputs.get("version") or ""))
    elif request.token in _FOLLOWS:
        _check_fit(store, request, _FOLLOWS[request.token])


def _check_step(before: str, after: str) -> None:
    if before and after and minor_of(after) - minor_of(before) not in (0, 1):
        raise ProviderError(
            f"Unsupported Kubernetes minor version update from {before} to {after}: one at a time, and not back",
            "version",
        )


def _check_fit(store: Store, request: Request, argument: str) -> None:
    asked = str(request.inputs.get(argument) or "")
    if not asked or (request.token == ADDON and request.inputs.get("addonName") != "kube-proxy"):
        return  # only kube-proxy is numbered as Kubernetes is
    named = (found for found in store.all(CLUSTER) if found.inputs.get("name") == request.inputs.get("clusterName"))
    cluster = next(named, None)
    version = str(cluster.inputs.get("version") or "") if cluster else ""
    if version and not 0 <= minor_of(version) - minor_of(asked) <= NODES_BEHIND_MAX:
        raise ProviderError(
            f"{asked} does not fit the control plane's {version}: it may be up to {NODES_BEHIND_MAX} minor versions "
            "behind, and not ahead; upgrade the control plane first",
            argument,
        )
