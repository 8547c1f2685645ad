"""A plan's Kubernetes objects as files: one for each, in the order in which they are applied. Pure.

Charts are no objects: what Helm needs for each is written beside them. Values that only a deployment knows are filled
from one, or marked and listed. Objects with secret values are left out and listed: no secret is written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ruamel.yaml import YAML

from common.errors import UserError
from common.marks import SECRET, UNKNOWN
from policies.inventory import Inventory, Resource

MARK: Final = "SEAWALL-KNOWN-WHEN-DEPLOYED"
"""Stands where only a deployment knows a value."""
CRDS: Final = "crds"
CHARTS: Final = "charts"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_CHART_KEYS: Final = ("name", "namespace", "chart", "version", "values")
CLUSTER: Final = "cluster"
"""The folder of what is in no namespace."""
_FIRST: Final = (
    "CustomResourceDefinition",
    "Namespace",
    "PriorityClass",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "ResourceQuota",
    "NetworkPolicy",
    "ConfigMap",
    "Service",
)
"""What others need, in the order in which they need it; the rest follows in the plan's order of kinds."""
_LAST: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService")
"""What sends the API server's own calls to pods, which must be there."""
_HEAD: Final = ("apiVersion", "kind", "metadata")
Object = dict[str, Any]


@dataclass(frozen=True, order=True)
class Gap:
    """A value that is not in a file."""

    file: str
    path: str
    object: str


@dataclass(frozen=True)
class Withheld:
    """An object that is not written, since it has secret values."""

    object: str
    path: str
    """Which of its values are secret."""


@dataclass(frozen=True)
class Rendering:
    """The files of a stack, and what they lack."""

    stack: str
    kubernetes: str
    files: Mapping[str, str]
    """Path in the folder → text, `kustomization.yaml` among them."""
    objects: Mapping[str, Object]
    """Path in the folder → the object in it."""
    charts: Mapping[str, Object]
    """Path in the folder → what Helm installs: name, namespace, chart by digest, version and values."""
    unknown: Sequence[Gap]
    withheld: Sequence[Withheld]


def render(inventory: Inventory, kubernetes: str, live: Mapping[str, Object] | None = None) -> Rendering:
    """The files of a plan.

    Args:
        kubernetes: the cluster's version, as 1.35.
        live: URN → inputs of the stack as it is deployed, to fill what a plan does not know.

    Raises:
        UserError: the deployed stack lacks an object, or two objects would be one file.
    """
    objects: dict[str, Object] = {}
    unknown: list[Gap] = []
    withheld: list[Withheld] = []
    for resource in sorted(planned(inventory), key=_order):
        secret = [path for path in resource.secret_paths if not path.startswith("metadata.")]
        if secret or resource.inputs["kind"] == "Secret":
            withheld.append(Withheld(name_of(resource.inputs), ", ".join(secret) or "data"))
            continue
        file = file_of(resource.inputs)
        if file in objects:
            raise UserError(f"two objects would be {file}", inventory.stack, "Give one of them another name.")
        item, gaps = _filled(resource, live)
        objects[file] = item
        unknown += [Gap(file, path, name_of(item)) for path in gaps]
    charts: dict[str, Object] = {}
    for release in sorted(inventory.of_type(RELEASE), key=lambda r: str(r.inputs["name"])):
        told = replace(release, inputs={key: release.inputs[key] for key in _CHART_KEYS if key in release.inputs})
        file = f"{CHARTS}/{release.inputs['name']}.yaml"
        charts[file], gaps = _filled(told, live)
        unknown += [Gap(file, path, f"chart {release.inputs['name']}") for path in gaps]
    files = {file: as_yaml(item) for file, item in {**objects, **charts}.items()}
    files |= _kustomizations(objects)
    return Rendering(inventory.stack, kubernetes, files, objects, charts, tuple(unknown), tuple(withheld))


def planned(inventory: Inventory) -> Iterator[Resource]:
    """The resources that are objects of the cluster."""
    return (r for r in inventory.resources if r.custom and "apiVersion" in r.inputs and "kind" in r.inputs)


def name_of(item: Mapping[str, Any]) -> str:
    """An object by kind, namespace and name."""
    metadata = item["metadata"]
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{item['kind']} {where}{metadata['name']}"


def file_of(item: Mapping[str, Any]) -> str:
    """Where the object goes; colons, which names of roles may have, are no part of a file's name everywhere."""
    metadata = item["metadata"]
    folder = CRDS if item["kind"] == "CustomResourceDefinition" else metadata.get("namespace") or CLUSTER
    name = re.sub(r"[^a-z0-9.-]", "_", str(metadata["name"]).lower())
    return f"{folder}/{str(item['kind']).lower()}-{name}.yaml"


def as_yaml(item: Object) -> str:
    """The object as YAML, its head first."""
    head = {key: item[key] for key in _HEAD if key in item}
    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.sort_base_mapping_type_on_output = False, False  # type: ignore[assignment]
    yaml.width = 4096
    yaml.dump({**head, **{key: value for key, value in item.items() if key not in head}}, out)
    return out.getvalue()


def _order(resource: Resource) -> tuple[int, str, str, str]:
    item = resource.inputs
    kind, metadata = item["kind"], item["metadata"]
    rank = _FIRST.index(kind) if kind in _FIRST else len(_FIRST) + (1 + _LAST.index(kind) if kind in _LAST else 0)
    return rank, str(metadata.get("namespace", "")), kind, str(metadata["name"])


def _kustomizations(objects: Iterable[str]) -> dict[str, str]:
    """One for the definitions of kinds, which must be there before objects of them, and one for the rest."""
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    paths = list(objects)
    crds = [path.removeprefix(f"{CRDS}/") for path in paths if path.startswith(f"{CRDS}/")]
    rest = [path for path in paths if not path.startswith(f"{CRDS}/")]
    order = {"sortOptions": {"order": "fifo"}}
    found = {"kustomization.yaml": as_yaml({**head, **order, "resources": rest})}
    if crds:
        found[f"{CRDS}/kustomization.yaml"] = as_yaml({**head, **order, "resources": crds})
    return found


def _filled(resource: Resource, live: Mapping[str, Object] | None) -> tuple[Object, list[str]]:
    """The object, and the paths that it still lacks."""
    known: Any = None
    if live is not None and resource.unknown_paths:
        known = live.get(resource.urn)
        if known is None:
            raise UserError(
                f"the deployed stack has no {resource.name}",
                resource.urn,
                "Deploy these settings first, or leave --from out.",
            )
    gaps: list[str] = []
    return _value(dict(resource.inputs), known, "", gaps), gaps


def _value(asked: Any, known: Any, path: str, gaps: list[str]) -> Any:
    if asked in (UNKNOWN, SECRET):
        if asked == UNKNOWN and known is not None:
            return known
        gaps.append(path)
        return MARK
    if isinstance(asked, Mapping):
        inside = known if isinstance(known, Mapping) else {}
        return {key: _value(item, inside.get(key), f"{path}.{key}".lstrip("."), gaps) for key, item in asked.items()}
    if isinstance(asked, list):
        items = known if isinstance(known, list) and len(known) == len(asked) else [None] * len(asked)
        return [_value(item, items[n], f"{path}.{n}", gaps) for n, item in enumerate(asked)]
    return asked
