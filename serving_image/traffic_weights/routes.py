"""Reads and writes the weights of a service's routes, and the record of the last changes, in one guarded patch."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .settings import Settings

GROUP = "gateway.networking.k8s.io/v1"
RECORD = "seawall.dev/traffic-weights"
"""The annotation with the last changes, newest first, as a JSON list."""
KEPT_CHANGES = 10
"""The log has them all; an object's annotations are bounded by 256 KiB together."""
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT_S = 10.0


class RouteError(Exception):
    """A route cannot be read or written; its text says which and why."""


class Api(Protocol):
    """The two requests of the Kubernetes API that are made."""

    def get(self, path: str) -> Any: ...

    def patch(self, path: str, operations: list[dict[str, Any]]) -> Any: ...


class ApiServer:
    """The Kubernetes API as a pod reaches it; the token is read anew each time, because the kubelet renews it."""

    def __init__(self, url: str, account: Path = ACCOUNT) -> None:
        self._url = url
        self._account = account
        trust = ssl.create_default_context(cafile=str(account / "ca.crt"))
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        ).open

    @classmethod
    def of_pod(cls, environment: Mapping[str, str] = os.environ) -> ApiServer:
        """The server that the kubelet names.

        Raises:
            KeyError: this is no pod.
        """
        host, port = environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"]
        return cls(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}")

    def get(self, path: str) -> Any:
        return self._send("GET", path, None)

    def patch(self, path: str, operations: list[dict[str, Any]]) -> Any:
        return self._send("PATCH", f"{path}?fieldManager=traffic-weights", operations)

    def _send(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(  # noqa: S310 - https, by construction
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {(self._account / 'token').read_text(encoding='utf-8').strip()}",
                "Accept": "application/json",
                **({} if body is None else {"Content-Type": "application/json-patch+json"}),
            },
        )
        try:
            with self._open(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = " ".join(error.read(300).decode(errors="replace").split())
            raise RouteError(f"{method} {path}: {error.code} {said}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RouteError(f"{method} {path}: {error}") from error


@dataclass(frozen=True)
class Route:
    """One route as it is now."""

    path: str
    version: str
    """The resource version that a change is guarded by."""
    weights: Mapping[str, int]
    """Arm → its weight in the first rule that has the arms."""
    places: Mapping[str, tuple[str, ...]]
    """Arm → JSON pointers to its weight, in every rule that has the arms."""
    settled: bool
    """Whether all those rules have the same weights."""
    record: str
    """The annotation's text; empty: none yet."""
    annotated: bool
    """Whether it has annotations at all."""


def path_of(settings: Settings, kind: str) -> str:
    return f"/apis/{GROUP}/namespaces/{settings.namespace}/{kind}/{settings.service}"


def read(api: Api, settings: Settings, kind: str) -> Route:
    """A route's weights.

    Raises:
        RouteError: it is not there, or has no rule with all arms.
    """
    path = path_of(settings, kind)
    try:
        return _route(api.get(path), settings, path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RouteError(f"{path} is not what a route is: {error!r}") from error


def _route(found: Any, settings: Settings, path: str) -> Route:
    arm_of = {service: arm for arm, service in settings.arms.items()}
    rules: list[dict[str, int]] = []
    places: dict[str, list[str]] = {arm: [] for arm in settings.arms}
    for i, rule in enumerate(found.get("spec", {}).get("rules") or []):
        refs = {arm_of.get(ref.get("name", "")): (j, ref) for j, ref in enumerate(rule.get("backendRefs") or [])}
        if not set(settings.arms) <= set(refs):
            continue
        # A weight that is left out is 1 (Gateway API, BackendRef).
        rules.append({arm: int(refs[arm][1].get("weight", 1)) for arm in settings.arms})
        for arm in settings.arms:
            places[arm].append(f"/spec/rules/{i}/backendRefs/{refs[arm][0]}/weight")
    if not rules:
        raise RouteError(f"{path} has no rule that names {', '.join(settings.arms.values())}")
    annotations = found["metadata"].get("annotations") or {}
    return Route(
        path,
        found["metadata"]["resourceVersion"],
        rules[0],
        {arm: tuple(where) for arm, where in places.items()},
        all(rule == rules[0] for rule in rules),
        annotations.get(RECORD, ""),
        bool(annotations),
    )


def write(api: Api, route: Route, weights: Mapping[str, int], change: Mapping[str, Any]) -> None:
    """Change a route's weights and its record together, unless somebody changed the route since it was read.

    Raises:
        RouteError: it was changed since, or the API server refuses.
    """
    record = json.dumps([change, *changes(route.record)][:KEPT_CHANGES], separators=(",", ":"))
    annotation: dict[str, Any] = {"op": "add", "path": "/metadata/annotations", "value": {RECORD: record}}
    if route.annotated:
        pointer = RECORD.replace("~", "~0").replace("/", "~1")
        annotation = {"op": "add", "path": f"/metadata/annotations/{pointer}", "value": record}
    api.patch(
        route.path,
        [
            {"op": "test", "path": "/metadata/resourceVersion", "value": route.version},
            *(
                {"op": "add", "path": place, "value": weights[arm]}
                for arm, where in route.places.items()
                for place in where
            ),
            annotation,
        ],
    )


def changes(record: str) -> list[Any]:
    """The changes in an annotation's text; none, where somebody else wrote it."""
    try:
        found = json.loads(record or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []
