"""The stand-in Kubernetes provider: applies to a real control plane where one runs, and else remembers objects.

Without one it is an object store with the defaults, checks and status that an API server adds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from common.sdk.replacement_kubernetes import replace_on
from localcloud.kubernetes.applied import Applied
from localcloud.kubernetes.charts import RELEASE, Charts
from localcloud.kubernetes.control_plane.client import ClusterClient, RefusedError
from localcloud.kubernetes.live import inputs_of
from localcloud.kubernetes.recorded import CLUSTER, RECORDED
from localcloud.kubernetes.status import status_of
from localcloud.providers.base import (
    ENV_KUBECONFIG,
    Kind,
    LocalProvider,
    ProviderError,
    Recorded,
    Request,
    physical_name,
    stable_hex,
    stable_uuid,
    unknown_type,
)
from localcloud.providers.serve import serve
from localcloud.providers.store import Store

_NAMESPACE = "kubernetes:core/v1:Namespace"
_SERVICE = "kubernetes:core/v1:Service"
_BUILT_IN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


class KubernetesProvider(LocalProvider):
    """Keeps objects in the stack's store, or on an API server.

    Args:
        kubeconfig: the deployer's, for the control plane that runs; None if there is none.
    """

    package = "kubernetes"

    def __init__(self, store: Store, kubeconfig: Path | None = None) -> None:
        super().__init__(store)
        self._client = ClusterClient(kubeconfig) if kubeconfig is not None else None
        self._applied = Applied(self._client) if self._client is not None else None

    def replaced_by(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
        """As `DiffConfig` of pulumi-kubernetes: what else changes is an update while the identifier stays."""
        before, now = old.get("clusterIdentifier"), new.get("clusterIdentifier")
        if now and before == now:
            return ()
        # Adding or removing the identifier replaces nothing by itself.
        return ("clusterIdentifier", "kubeconfig") if now and before else ("kubeconfig",)

    def kind(self, token: str) -> Kind:
        if token == RELEASE:
            return Charts(self.store, self._client)
        if self._applied is not None:
            return self._applied
        if token not in RECORDED:
            raise unknown_type(token, "localcloud/kubernetes/recorded.py")
        return Recorded(self.store, partial(_identify, self.store), _computed, exclusive=True)

    def replace_on(self, token: str) -> Iterable[str]:
        return replace_on(token, mutable=[name for name, value in self.config.items() if value in (True, "true")])

    # pulumi-kubernetes compares the names (provider/pkg/provider/provider.go, Diff).
    new_name_creates_first = True

    def name_property(self, token: str) -> str | None:
        return "name" if token == RELEASE else "metadata.name"

    def deployed_inputs(self, request: Request) -> Mapping[str, Any]:
        return (
            request.inputs
            if self._applied is None or request.token == RELEASE
            else inputs_of(request.inputs, request.outputs)
        )

    def preview_refusal(self, request: Request) -> str | None:
        if self._applied is None or request.token == RELEASE:
            return None
        return self._applied.preview_refusal(request)

    def translate(self, error: Exception, request: Request) -> ProviderError:
        return ProviderError(str(error)) if isinstance(error, RefusedError) else super().translate(error, request)

    def secret_outputs(self, token: str) -> Iterable[str]:
        return ("data", "stringData") if token.endswith(":core/v1:Secret") else ()

    def check(self, token: str, inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        metadata = inputs.get("metadata")
        if isinstance(metadata, Mapping) and RECORDED.get(token) is CLUSTER and metadata.get("namespace"):
            return [("metadata.namespace", f"{token.rsplit(':', 1)[-1]} belongs to no namespace")]
        return ()


def _name_and_namespace(request: Request) -> tuple[str, str]:
    metadata = request.inputs.get("metadata") or {}
    named = Request(request.urn, request.token, request.name, metadata)
    namespace = "" if RECORDED[request.token] is CLUSTER else str(metadata.get("namespace") or "default")
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
    if request.token == _SERVICE:
        address = f"10.100.{int(stable_hex(2, physical_id), 16)}.{int(stable_hex(4, physical_id)[2:], 16)}"
        computed["spec"] = {"clusterIP": address, "type": "ClusterIP", **(spec or {})}
    status = status_of(request.token.rsplit(":", 1)[-1], spec or {}, metadata["generation"])
    if status is not None:
        computed["status"] = status
    return computed


def _build(store: Store) -> KubernetesProvider:
    kubeconfig = os.environ.get(ENV_KUBECONFIG)
    return KubernetesProvider(store, Path(kubeconfig) if kubeconfig else None)


if __name__ == "__main__":
    raise SystemExit(serve(_build))
