"""Calls to a control plane's API server, in its own words: objects as it stores them, warnings, refusals.

A thin layer over the official client's transport (certificates, tokens, kubeconfig); objects stay plain data, as
what is applied comes from a stack's own program and is not changed on the way.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from common.errors import UserError

FIELD_MANAGER: Final = "seawall"
OPERATOR: Final = "operator"
"""Who changes objects by hand."""
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_WARNING: Final = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_TIMEOUT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409

Object = Mapping[str, Any]


class RefusedError(Exception):
    """The API server refused a call.

    Args:
        status: the HTTP status.
        reason: the server's word for it, such as `NotFound`, `Invalid`, `Conflict`.
        message: its own text.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Answer:
    """What a call gave."""

    object: dict[str, Any]
    warnings: tuple[str, ...] = ()
    """What the server warns of, as Pod Security does."""


@dataclass(frozen=True)
class Resource:
    """How a kind is called in paths."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None, subresource: str = "") -> str:
        """The path of one object, or of all of a namespace (None: of the cluster)."""
        root = "/api" if "/" not in self.api_version else "/apis"
        parts = [root, "/", self.api_version]
        if self.namespaced and namespace:
            parts += ["/namespaces/", quote(namespace, safe="")]
        parts += ["/", self.plural]
        parts += ["/", quote(name, safe="")] if name else []
        parts += ["/", subresource] if subresource else []
        return "".join(parts)


class ClusterClient:
    """Talks to the API server that a kubeconfig names.

    Args:
        kubeconfig: whose certificate or token says who calls.
    """

    def __init__(self, kubeconfig: Path) -> None:
        # Imported here: it takes a second, which only a running control plane is worth.
        from kubernetes.config import new_client_from_config

        self.api = new_client_from_config(str(kubeconfig))
        """The official client's, for its typed calls, as in `CoreV1Api(client.api)`."""
        self._resources: dict[tuple[str, str], Resource] = {}

    def close(self) -> None:
        """Close its connections."""
        self.api.close()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Sequence[tuple[str, str]] = (),
        content_type: str = "application/json",
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> Answer:
        """One call.

        Raises:
            RefusedError: the server says no.
            UserError: it does not answer.
        """
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if body is not None else {})
        url = self.api.configuration.host + path
        sent = None if body is None else json.dumps(body)
        try:
            answer = self.api.rest_client.pool_manager.request(
                method,
                url + (f"?{_encoded(query)}" if query else ""),
                body=sent,
                headers={**self.api.default_headers, **headers, **self._credentials()},
                timeout=timeout_seconds,
                retries=False,
            )
        except HTTPError as error:
            raise UserError(
                f"the local API server does not answer: {error}", url, "Read its log, and start it again."
            ) from error
        text = answer.data.decode()
        if answer.status >= 400:
            raise _refused(answer.status, text)
        read = json.loads(text) if text.startswith("{") else {"text": text}
        return Answer(read, _warnings(answer.headers.getlist("Warning")))

    def resource(self, api_version: str, kind: str) -> Resource:
        """How the API server calls a kind.

        Raises:
            RefusedError: it has no such kind.
        """
        known = self._resources.get((api_version, kind))
        if known is not None:
            return known
        root = "/api" if "/" not in api_version else "/apis"
        try:
            listed = self.request("GET", f"{root}/{api_version}").object.get("resources") or []
        except RefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            listed = []
        for entry in listed:
            if "/" not in entry["name"]:
                found = Resource(api_version, entry["kind"], entry["name"], entry["namespaced"])
                self._resources[api_version, entry["kind"]] = found
        if (api_version, kind) not in self._resources:
            raise RefusedError(_NOT_FOUND, "NotFound", f'no matches for kind "{kind}" in version "{api_version}"')
        return self._resources[api_version, kind]

    def apply(
        self,
        manifest: Object,
        *,
        manager: str = FIELD_MANAGER,
        dry_run: bool = False,
        force: bool = False,
        subresource: str = "",
    ) -> Answer:
        """Server-side apply, with fields validated strictly.

        Args:
            dry_run: only say what would come of it.
            force: take fields from other managers.
        """
        query = [("fieldManager", manager), ("fieldValidation", "Strict"), ("force", str(force).lower())]
        path = self._path(manifest, subresource)
        query += [("dryRun", "All")] if dry_run else []
        return self.request("PATCH", path, manifest, query=query, content_type=_APPLY)

    def create(self, manifest: Object, subresource: str = "", *, dry_run: bool = False) -> Answer:
        """Create an object, or a subresource such as an eviction of a pod."""
        resource = self.resource(manifest["apiVersion"], manifest["kind"])
        namespace = manifest["metadata"].get("namespace")
        name = manifest["metadata"]["name"] if subresource else None
        query = [("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
        return self.request("POST", resource.path(namespace, name, subresource), manifest, query=query)

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """An object, or None if there is none of that name."""
        try:
            return self.request("GET", self.resource(api_version, kind).path(namespace, name)).object
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, selector: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        """All objects of a kind, of the cluster or of a namespace, that match label and field selectors."""
        query = [
            *([("labelSelector", selector)] if selector else []),
            *([("fieldSelector", fields)] if fields else []),
        ]
        answer = self.request("GET", self.resource(api_version, kind).path(namespace, None), query=query).object
        return [{"apiVersion": api_version, "kind": kind, **item} for item in answer["items"]]

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        patch: Object,
        namespace: str | None = None,
        subresource: str = "",
        *,
        manager: str = OPERATOR,
    ) -> dict[str, Any]:
        """A merge patch, as `kubectl patch --type=merge` by a person; the fields are `manager`'s from then on."""
        path = self.resource(api_version, kind).path(namespace, name, subresource)
        return self.request("PATCH", path, patch, query=[("fieldManager", manager)], content_type=_MERGE).object

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        grace_seconds: int | None = None,
    ) -> bool:
        """Delete an object; returns whether it was there."""
        options: dict[str, Any] = {"propagationPolicy": propagation}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            self.request("DELETE", self.resource(api_version, kind).path(namespace, name), options)
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                return False
            raise
        return True

    def _path(self, manifest: Object, subresource: str) -> str:
        resource = self.resource(manifest["apiVersion"], manifest["kind"])
        metadata = manifest["metadata"]
        return resource.path(metadata.get("namespace"), metadata["name"], subresource)

    def _credentials(self) -> dict[str, str]:
        settings: Any = self.api.configuration.auth_settings().values()
        return {str(each["key"]): str(each["value"]) for each in settings if each["in"] == "header"}


def wait_until(
    what: str, seconds: float, is_so: Callable[[], bool], *, watched: Callable[[], None] = lambda: None
) -> None:
    """Wait until `is_so`; `watched` is called in between, and may raise.

    Raises:
        UserError: it is not so within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        watched()
        if time.monotonic() > deadline:
            raise UserError(f"{what}: not within {seconds:.0f} s", "the local control plane", "Read its logs.")
        time.sleep(_POLL_SECONDS)


def _encoded(query: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{key}={quote(value, safe='')}" for key, value in query)


def _refused(status: int, text: str) -> RefusedError:
    try:
        told = json.loads(text)
        return RefusedError(status, str(told.get("reason") or ""), str(told.get("message") or text))
    except (ValueError, AttributeError):
        return RefusedError(status, "", text.strip() or f"HTTP status {status}")


def _warnings(headers: Sequence[str]) -> tuple[str, ...]:
    found = [match for header in headers for match in _WARNING.findall(header)]
    return tuple(re.sub(r"\\(.)", r"\1", text) for text in found)
