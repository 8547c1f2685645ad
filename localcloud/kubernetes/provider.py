"""The stand-in Kubernetes provider: an object store with the defaults, checks and status that an API server adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from localcloud.kubernetes.status import CLUSTER_SCOPED, status_of
from localcloud.providers.base import (
    Kind,
    LocalProvider,
    ProviderError,
    Recorded,
    Request,
    physical_name,
    stable_hex,
    stable_uuid,
)
from localcloud.providers.serve import serve
from localcloud.providers.store import Store

_NAMESPACE = "kubernetes:core/v1:Namespace"
_BUILT_IN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})

REPLACE_ON: Mapping[str, tuple[str, ...]] = {
    "apps/v1:Deployment": ("spec.selector",),
    "apps/v1:DaemonSet": ("spec.selector",),
    "apps/v1:StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "batch/v1:Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "core/v1:ConfigMap": ("binaryData", "data"),
    "core/v1:Secret": ("type", "stringData", "data"),
    "core/v1:Service": ("spec.clusterIP",),
    "core/v1:PersistentVolumeClaim": ("spec",),
    "core/v1:ResourceQuota": ("spec.scopes",),
    "rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef",),
    "storage.k8s.io/v1:StorageClass": ("parameters", "provisioner"),
}
"""From pulumi-kubernetes' provider/pkg/provider/diff.go, which also replaces on a change of name or namespace."""


class KubernetesProvider(LocalProvider):
    """Keeps objects in the stack's store; no API server runs."""

    package = "kubernetes"

    def kind(self, token: str) -> Kind:  # noqa: ARG002 - every type is kept alike
        return Recorded(self.store, partial(_identify, self.store), _computed, exclusive=True)

    def replace_on(self, token: str) -> Iterable[str]:
        return ("apiVersion", "kind", "metadata.name", "metadata.namespace", *REPLACE_ON.get(_short(token), ()))

    def name_property(self, token: str) -> str | None:  # noqa: ARG002 - the same for every type
        return "metadata.name"

    def secret_outputs(self, token: str) -> Iterable[str]:
        return ("data", "stringData") if _short(token) == "core/v1:Secret" else ()

    def check(self, token: str, inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        metadata = inputs.get("metadata")
        if isinstance(metadata, Mapping) and _is_cluster_scoped(token) and metadata.get("namespace"):
            return [("metadata.namespace", f"{token.rsplit(':', 1)[-1]} belongs to no namespace")]
        return ()


def _short(token: str) -> str:
    return token.removeprefix("kubernetes:")


def _is_cluster_scoped(token: str) -> bool:
    return token.rsplit(":", 1)[-1] in CLUSTER_SCOPED


def _name_and_namespace(request: Request) -> tuple[str, str]:
    metadata = request.inputs.get("metadata") or {}
    named = Request(request.urn, request.token, request.name, metadata)
    namespace = "" if _is_cluster_scoped(request.token) else str(metadata.get("namespace") or "default")
    return physical_name(named, "name"), namespace


def _identify(store: Store, request: Request) -> str:
    name, namespace = _name_and_namespace(request)
    known = namespace in _BUILT_IN_NAMESPACES or store.get(_NAMESPACE, namespace) is not None
    if namespace and not known:
        raise ProviderError(f'namespaces "{namespace}" not found', "metadata.namespace")
    return f"{namespace}/{name}" if namespace else name


def _computed(request: Request, physical_id: str) -> Mapping[str, Any]:
    name, namespace = _name_and_namespace(request)
    previous = request.outputs.get("metadata") or {}
    metadata = {
        **(request.inputs.get("metadata") or {}),
        "name": name,
        "uid": stable_uuid(request.urn, physical_id),
        "generation": int(previous.get("generation") or 0) + 1,
        "resourceVersion": stable_hex(8, request.urn, repr(sorted(request.inputs.items()))),
    }
    if namespace:
        metadata["namespace"] = namespace
    computed: dict[str, Any] = {"metadata": metadata}
    spec = request.inputs.get("spec")
    if _short(request.token) == "core/v1:Service":
        address = f"10.100.{int(stable_hex(2, physical_id), 16)}.{int(stable_hex(4, physical_id)[2:], 16)}"
        computed["spec"] = {"clusterIP": address, "type": "ClusterIP", **(spec or {})}
    status = status_of(request.token.rsplit(":", 1)[-1], spec or {}, metadata["generation"])
    if status is not None:
        computed["status"] = status
    return computed


if __name__ == "__main__":
    raise SystemExit(serve(KubernetesProvider))
