"""Lays a stack's Kubernetes objects on a control plane without an engine: as its plan has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from localcloud.cluster import ControlPlane
from policies.inventory import SECRET, UNKNOWN, Inventory

KNOWN_LATER: Final = "known-later"
"""Stands where only a provider knows a value, as an address of another resource."""
_FIRST: Final = (
    "CustomResourceDefinition",
    "PriorityClass",
    "Namespace",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ConfigMap",
)


def planned_objects(inventory: Inventory) -> list[dict[str, Any]]:
    """Every Kubernetes object of a plan, with words where it knows no value."""
    return [_filled(dict(r.inputs)) for r in inventory.resources if r.custom and "apiVersion" in r.inputs]


def charts_of(inventory: Inventory) -> list[str]:
    """The Helm charts of a plan: what they define is made before the objects are laid; their programs are not."""
    return [str(release.get("chart")) for release in inventory.of_type("kubernetes:helm.sh/v3:Release")]


def lay(plane: ControlPlane, objects: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Apply them, what others need first; returns them as the API server has them.

    Raises:
        RefusedError: it refuses one.
    """
    ordered = sorted(objects, key=lambda item: _rank(item["kind"]))
    for item in ordered:
        plane.client.apply(item)
    return read_back(plane, ordered)


def read_back(plane: ControlPlane, objects: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The objects as the API server has them; what it does not have is left out."""
    found = []
    for item in objects:
        metadata = item["metadata"]
        live = plane.client.get(item["apiVersion"], item["kind"], metadata["name"], metadata.get("namespace"))
        if live is not None:
            found.append(live)
    return found


def _rank(kind: str) -> int:
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


def _filled(value: Any, key: str = "") -> Any:
    if value in (UNKNOWN, SECRET):
        return {KNOWN_LATER: KNOWN_LATER} if key == "stringData" else KNOWN_LATER
    if isinstance(value, Mapping):
        return {name: _filled(item, name) for name, item in value.items()}
    return [_filled(item) for item in value] if isinstance(value, list) else value
