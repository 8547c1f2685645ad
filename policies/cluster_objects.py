"""Objects of a cluster wherever a resource carries them: lists, patches, old versions, YAML text, custom resources.

Rules name the current type of a kind. So what is written by another version, as a patch of what is there, inside a
list, as a text of YAML, or as a pod inside a custom resource is brought into that shape here, once for all rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from policies.inventory import UNKNOWN, Inventory, Resource
from policies.tokens import CONFIG_MAP, ENVOY_PROXY, KUBE_SECRET, RELEASE

EVERY_OBJECT: Final = "kubernetes:*"
"""As a rule's type: any object of a cluster."""
POD: Final = "kubernetes:core/v1:Pod"
POD_TEMPLATE: Final = "kubernetes:core/v1:PodTemplate"
CUSTOM_POD: Final = POD_TEMPLATE
"""What a pod inside a custom resource is judged as."""

_TOKEN: Final = re.compile(r"kubernetes:(?P<group>[^/:]+)/(?P<version>[^:/]+):(?P<kind>[A-Z]\w*)")
_CURRENT: Final[Mapping[str, str]] = {
    "admissionregistration.k8s.io": "v1",
    "apiextensions.k8s.io": "v1",
    "apiregistration.k8s.io": "v1",
    "apps": "v1",
    "autoscaling": "v2",
    "batch": "v1",
    "certificates.k8s.io": "v1",
    "core": "v1",
    "networking.k8s.io": "v1",
    "policy": "v1",
    "rbac.authorization.k8s.io": "v1",
    "scheduling.k8s.io": "v1",
    "storage.k8s.io": "v1",
}
"""Kubernetes' own groups → the version by which rules name their kinds."""
_MOVED: Final[Mapping[tuple[str, str], str]] = {
    ("extensions", "Deployment"): "apps",
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "ReplicaSet"): "apps",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
    ("extensions", "Ingress"): "networking.k8s.io",
}
_GATEWAY: Final = ("Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute")
_OF_PODS: Final = frozenset(
    f"kubernetes:{group}/v1:{kind}"
    for group, kinds in {
        "apps": ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
        "batch": ("Job", "CronJob"),
        "core": ("Pod", "PodTemplate", "ReplicationController"),
    }.items()
    for kind in kinds
)
"""Kinds whose pod stands where every rule looks for it."""
_NO_PODS: Final = frozenset(
    {
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        CONFIG_MAP,
        KUBE_SECRET,
        RELEASE,
    }
)
"""Fields of the same names mean something else there; rules of their own read a chart's values."""
_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")
_ENVOYS: Final = ("envoyDeployment", "envoyDaemonSet")
_ENVOYS_OWN: Final[Mapping[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Envoy Gateway gives Envoy's container where nothing is said (v1.9, internal/infrastructure/kubernetes/proxy,
believed)."""
_MOST_DOCUMENTS: Final = 500


class Patch(Resource):
    """What an apply changes of an object: the rest of it is what the cluster holds, which no plan knows."""

    def get(self, path: str, default: object = None) -> Any:  # noqa: ARG002 - what is absent has no default here
        """As `Resource.get`; what the patch does not say is unknown."""
        missing = object()
        found = super().get(path, missing)
        return UNKNOWN if found is missing else found


@dataclass(frozen=True)
class Objects:
    """The stack with each object under the type that rules name, and whose each one is."""

    inventory: Inventory
    hosts: Mapping[str, tuple[Resource, str]]
    """URN in `inventory` → the resource as it was registered, and the path of the object in it (empty: all of it)."""


def expanded(inventory: Inventory) -> Objects:
    """All resources, those of a cluster as the objects that they are or carry."""
    made: list[Resource] = []
    hosts: dict[str, tuple[Resource, str]] = {}
    for resource in inventory.resources:
        found = tuple(_objects(resource)) if resource.type.startswith("kubernetes:") else ((resource, ""),)
        for each, path in found:
            made.append(each)
            hosts[each.urn] = (resource, path)
    return Objects(replace(inventory, resources=tuple(made)), hosts)


def canonical(token: str) -> str:
    """The token by which rules name an object's kind, whichever version or form it is written in."""
    match = _TOKEN.fullmatch(token)
    if not match:
        return token
    group, version, kind = match["group"], match["version"], match["kind"]
    kind = kind.removesuffix("Patch") or kind
    group = _MOVED.get((group, kind), group)
    if group == "gateway.networking.k8s.io" and kind in _GATEWAY:
        version = "v1"
    return f"kubernetes:{group}/{_CURRENT.get(group, version)}:{kind}"


def is_envoys(resource: Resource) -> bool:
    """Whether a pod is the one that Envoy Gateway makes of an EnvoyProxy."""
    _, _, path = resource.urn.partition("#")
    return resource.type == CUSTOM_POD and path.startswith(
        tuple(f"spec.provider.kubernetes.{key}" for key in _ENVOYS)
    )


def token_of(api_version: object, kind: object, fallback: str = "") -> str:
    """The token of an object that says what it is; `fallback` where it does not."""
    if not (isinstance(api_version, str) and isinstance(kind, str) and api_version and kind):
        return fallback
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def _objects(resource: Resource) -> Iterator[tuple[Resource, str]]:
    token = canonical(resource.type)
    shown = resource
    if _is_patch(resource.type):
        if not set(resource.inputs) - {"apiVersion", "kind", "metadata"} and not token.endswith(":Namespace"):
            yield resource, ""
            return
        shown = Patch(**{**_fields(resource), "type": token}).typed
    elif token != resource.type:
        shown = replace(resource, type=token).typed
    yield shown, ""
    for path, carried, fallback in _carried(resource, token):
        yield from _nested(resource, path, carried, fallback)
    if token not in _OF_PODS and token not in _NO_PODS:
        for path, pod in _pods(token, resource.inputs):
            inputs = {"metadata": _metadata(resource), "template": pod}
            yield _inside(resource, path, inputs, CUSTOM_POD, below="template.spec."), path


def _fields(resource: Resource) -> dict[str, Any]:
    return {name: getattr(resource, name) for name in resource.__dataclass_fields__}


def _is_patch(token: str) -> bool:
    match = _TOKEN.fullmatch(token)
    return bool(match and match["kind"].endswith("Patch") and match["kind"] != "Patch")


def _metadata(resource: Resource) -> Any:
    return resource.inputs.get("metadata", {})


def _nested(host: Resource, path: str, carried: Mapping[str, Any], fallback: str) -> Iterator[tuple[Resource, str]]:
    token = token_of(carried.get("apiVersion"), carried.get("kind"), fallback)
    if not token:
        return
    for each, inner in _objects(_inside(host, path, carried, token)):
        yield each, f"{path}.{inner}" if inner else path


def _inside(host: Resource, path: str, inputs: Mapping[str, Any], token: str, *, below: str = "") -> Resource:
    """An object that another resource carries; no input of it is linked to where it comes from.

    Args:
        below: where in the object stands what is at `path`.
    """

    def inner(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{below}{each.removeprefix(f'{path}.')}" for each in paths if each.startswith(f"{path}."))

    return Resource(
        urn=f"{host.urn}#{path}",
        type=token,
        name=host.name,
        custom=True,
        parent=host.urn,
        inputs=inputs,
        secret_paths=inner(host.secret_paths),
        unknown_paths=inner(host.unknown_paths),
        dependencies=host.dependencies,
    ).typed


def _carried(resource: Resource, token: str) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """The objects of a list, or of texts and values that a resource applies as they are."""
    items = resource.inputs.get("items")
    if token.endswith("List"):
        for index, item in enumerate(items if isinstance(items, list) else [items]):
            if isinstance(item, Mapping):
                yield f"items.{index}", item, token.removesuffix("List")
    if re.match(r"kubernetes:(yaml|kustomize)(/v\d)?:", resource.type):
        for key in ("objs", "yaml"):
            yield from _documents(key, resource.inputs.get(key))


def _documents(path: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    if isinstance(value, Mapping):
        yield path, value, ""
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _documents(f"{path}.{index}", each)
    elif isinstance(value, str) and value != UNKNOWN:
        for index, each in enumerate(documents_in(value) or ()):
            if isinstance(each, Mapping):
                yield f"{path}.{index}", each, ""


def documents_in(text: str) -> list[Any] | None:
    """The documents of a YAML text; None where it is none."""
    try:
        found = list(YAML(typ="safe", pure=True).load_all(StringIO(text)))
    except (YAMLError, ValueError, TypeError, RecursionError):
        return None
    return found[:_MOST_DOCUMENTS]


def _pods(token: str, value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Pods inside an object that is no workload of Kubernetes' own: (path, a template with metadata and spec)."""
    if isinstance(value, Mapping):
        if any(key in value for key in (*_CONTAINERS, *_HOST)):
            yield path, {"spec": value}
            return
        for key, item in value.items():
            here = f"{path}.{key}" if path else str(key)
            if token == ENVOY_PROXY and key in _ENVOYS and isinstance(item, Mapping):
                yield here, {"spec": _envoy(item)}
            elif isinstance(item, Mapping) and isinstance(item.get("spec"), Mapping) and _holds(item["spec"]):
                yield f"{here}.spec", item
            else:
                yield from _pods(token, item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _pods(token, item, f"{path}.{index}")


def _holds(spec: Mapping[str, Any]) -> bool:
    return any(key in spec for key in (*_CONTAINERS, *_HOST))


def _envoy(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pod that Envoy Gateway makes of what an EnvoyProxy says of it."""
    pod, container = (shape.get(key) if isinstance(shape.get(key), Mapping) else {} for key in ("pod", "container"))
    made = {"name": "envoy", "securityContext": dict(_ENVOYS_OWN), **(container or {})}
    first = {key: shape[key] for key in ("initContainers",) if key in shape}
    return {**(pod or {}), "automountServiceAccountToken": False, "containers": [made], **first}
