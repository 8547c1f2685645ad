"""Helm charts: a release is remembered, and on a real control plane the definitions that it brings are made.

No Helm runs: the chart's own programs are not there, and its values change nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from common.console import Steps
from common.errors import UserError
from localcloud.kubernetes.control_plane.client import ClusterClient
from localcloud.kubernetes.waiting import what_is_missing
from localcloud.providers.base import Kind, ProviderError, Recorded, Request, State
from localcloud.providers.store import Store
from localcloud.toolchain.definitions import definitions

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_CHART: Final = re.compile(r"^oci://.+/(?P<repository>(envoyproxy|jetstack|fluxcd)/[a-z/-]+)@sha256:[0-9a-f]{64}$")
_ESTABLISHED_SECONDS: Final = 60.0
PROJECTS: Final[Mapping[str, str]] = {
    "envoyproxy/gateway-helm": "envoy-gateway",
    "jetstack/charts/cert-manager": "cert-manager",
    "fluxcd/charts/flagger": "flagger",
}
"""A chart's repository at its source → the project whose definitions it brings."""


def identify(request: Request) -> str:
    """As pulumi-kubernetes names a release."""
    return f"{request.inputs.get('namespace') or 'default'}/{request.inputs['name']}"


def computed(request: Request, _: str) -> Mapping[str, Any]:
    """What Helm says of a release that came up."""
    name, namespace = request.inputs["name"], request.inputs.get("namespace") or "default"
    status = {"name": name, "namespace": namespace, "revision": 1, "status": "deployed"}
    return {"status": {**status, "version": str(request.inputs.get("version", ""))}}


def project_of(chart: str) -> str:
    """Whose chart it is.

    Raises:
        ProviderError: it is not named by digest, or it is none that the local cloud knows.
    """
    found = _CHART.match(chart)
    if found is None or found["repository"] not in PROJECTS:
        raise ProviderError(f"{chart} is no chart by digest that the local cloud knows", "chart")
    return PROJECTS[found["repository"]]


def chart_definitions(chart: str, steps: Steps | None = None) -> list[dict[str, Any]]:
    """The definitions that a chart, named by digest, brings.

    Raises:
        UserError: the chart is none that is known here, or its definitions cannot be fetched.
    """
    try:
        return definitions(project_of(chart), steps)
    except ProviderError as error:
        raise UserError(str(error), chart, "Name a chart that the local cloud knows, by digest.") from None


class Charts(Kind):
    """Releases of Helm charts."""

    not_enforced = "no Helm runs, so that of a chart only its definitions of custom resources are there"

    def __init__(self, store: Store, client: ClusterClient | None) -> None:
        self._recorded = Recorded(store, identify, computed, exclusive=True)
        self._client = client

    def create(self, request: Request) -> State:
        self._define(request)
        return self._recorded.create(request)

    def update(self, request: Request) -> State:
        self._define(request)
        return self._recorded.update(request)

    def read(self, request: Request) -> State | None:
        return self._recorded.read(request)

    def delete(self, request: Request) -> None:
        """Definitions stay, as Helm's do that come from a chart's `crds`, and cert-manager's that are to be kept."""
        self._recorded.delete(request)

    def _define(self, request: Request) -> None:
        project = project_of(str(request.inputs["chart"]))
        if self._client is not None:
            define(self._client, project)


def define_all(client: ClusterClient, charts: Iterable[str]) -> None:
    """Make the definitions that these charts bring.

    Raises:
        ProviderError: a chart is none that the local cloud knows, or its definitions are not served in time.
    """
    for project in sorted({project_of(chart) for chart in charts}):
        define(client, project)


def define(client: ClusterClient, project: str) -> None:
    """Make a project's definitions, and wait until their kinds are served.

    Raises:
        ProviderError: they are not served in time.
    """
    made = definitions(project)
    for item in made:
        client.apply(item, manager="charts-local")
    deadline = time.monotonic() + _ESTABLISHED_SECONDS
    for item in made:
        while (missing := _missing(client, item["metadata"]["name"])) is not None:
            if time.monotonic() > deadline:
                raise ProviderError(f"{item['metadata']['name']}: {missing}")
            time.sleep(0.1)


def _missing(client: ClusterClient, name: str) -> str | None:
    live = client.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
    return "it is not there yet" if live is None else what_is_missing(live, client)
