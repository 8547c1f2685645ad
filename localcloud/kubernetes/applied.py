"""Objects on a real API server: applied, waited for, read and deleted as pulumi-kubernetes does it.

Server-side apply under a field manager of each resource's own; refusals are the API server's own words
(await/await.go and provider.go of pulumi-kubernetes, at 010f5d8, read 2026-11-21). Fields are validated strictly,
where pulumi-kubernetes asks for warnings: a field that the API server would drop fails here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from localcloud.kubernetes.control_plane.client import ClusterClient, RefusedError
from localcloud.kubernetes.live import inputs_of, without_bookkeeping
from localcloud.kubernetes.waiting import what_is_missing
from localcloud.providers.base import Kind, ProviderError, Request, State, physical_name, stable_hex
from localcloud.providers.values import has_unknown

DEFAULT_TIMEOUT_SECONDS: Final = 600.0
"""pulumi-kubernetes' own, for what it waits for."""
_POLL_SECONDS: Final = 0.2


class Applied(Kind):
    """Any kind that the API server has.

    Args:
        client: calls with the rights of whoever deploys.
    """

    def __init__(self, client: ClusterClient) -> None:
        self._client = client

    def create(self, request: Request) -> State:
        return self._apply(request)

    def update(self, request: Request) -> State:
        return self._apply(request)

    def read(self, request: Request) -> State | None:
        manifest = self._manifest(request)
        live = self._live(manifest)
        if live is None:
            return None
        found = inputs_of(request.inputs, live) if request.inputs else without_bookkeeping(live)
        return State(request.id, without_bookkeeping(live), inputs=found if found != request.inputs else None)

    def delete(self, request: Request) -> None:
        manifest = self._manifest(request)
        metadata = manifest["metadata"]
        self._client.delete(
            manifest["apiVersion"],
            manifest["kind"],
            metadata["name"],
            metadata.get("namespace"),
            propagation="Foreground",
        )
        deadline = time.monotonic() + (request.timeout_seconds or DEFAULT_TIMEOUT_SECONDS)
        while (left := self._live(manifest)) is not None:
            if time.monotonic() > deadline:
                raise ProviderError(f"{_name(manifest)} was told to go and is still there: {_why_there(left)}")
            time.sleep(_POLL_SECONDS)

    def preview_refusal(self, request: Request) -> str | None:
        """What the API server says against it, as long as everything is known; a missing namespace may come yet."""
        if has_unknown(request.inputs):
            return None
        try:
            self._client.apply(self._manifest(request), manager=_manager(request), dry_run=True)
        except RefusedError as error:
            # As the provider does: a kind may come with a definition of this very update.
            return None if error.reason in ("NotFound", "Forbidden") else str(error)
        return None

    def _apply(self, request: Request) -> State:
        manifest = self._manifest(request)
        self._client.apply(manifest, manager=_manager(request))
        live = self._ready(manifest, request.timeout_seconds or DEFAULT_TIMEOUT_SECONDS)
        metadata = live["metadata"]
        namespace = metadata.get("namespace")
        name = f"{namespace}/{metadata['name']}" if namespace else metadata["name"]
        return State(name, without_bookkeeping(live))

    def _ready(self, manifest: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            live = self._live(manifest)
            if live is None:
                raise ProviderError(f"{_name(manifest)} was applied, and something has deleted it since")
            missing = what_is_missing(live, self._client)
            if missing is None:
                return live
            if time.monotonic() > deadline:
                raise ProviderError(
                    f"{_name(manifest)} was applied, but it did not become ready within {seconds:.0f} s: {missing}"
                )
            time.sleep(_POLL_SECONDS)

    def _live(self, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
        metadata = manifest["metadata"]
        return self._client.get(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace"))

    def _manifest(self, request: Request) -> dict[str, Any]:
        inputs = dict(request.inputs or request.outputs)
        metadata = dict(inputs.get("metadata") or {})
        named = Request(request.urn, request.token, request.name, metadata)
        metadata["name"] = physical_name(named, "name")
        if self._client.resource(inputs["apiVersion"], inputs["kind"]).namespaced:
            metadata["namespace"] = str(metadata.get("namespace") or "default")
        return {**inputs, "metadata": metadata}


def _manager(request: Request) -> str:
    return f"pulumi-kubernetes-{stable_hex(8, request.urn)}"


def _name(manifest: Mapping[str, Any]) -> str:
    metadata = manifest["metadata"]
    namespace = metadata.get("namespace")
    return f"{manifest['kind']} {f'{namespace}/' if namespace else ''}{metadata['name']}"


def _why_there(live: Mapping[str, Any]) -> str:
    conditions = (live.get("status") or {}).get("conditions") or []
    told = [str(c["message"]) for c in conditions if c.get("status") == "True" and c.get("message")]
    finalizers = live["metadata"].get("finalizers") or []
    return "; ".join(told) or f"finalizers {', '.join(finalizers) or 'are gone'}"
