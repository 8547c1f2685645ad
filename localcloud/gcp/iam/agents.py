"""Service agents: which of them a project has, and what makes one come to be.

In a project that no bootstrap stack has prepared an agent exists once its service was asked for it, and a policy that
names it before is refused ("Service account … does not exist", IAM; believed, 2026-11-21).
"""

from __future__ import annotations

from typing import Final

from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError, Principal, Request, Response, Routes, service_account

_KIND: Final = "iam/agents"
ENV_PREPARED: Final = "SEAWALL_LOCAL_BOOTSTRAPPED"
"""Set where the project begins with what a bootstrap stack makes in one: `<project>/<environment>`."""
ENV_PROJECT: Final = "SEAWALL_LOCAL_PROJECT"
ENV_NUMBER: Final = "SEAWALL_LOCAL_PROJECT_NUMBER"

_NAMES: Final = {
    "artifactregistry": "service-{}@gcp-sa-artifactregistry",
    "bigtableadmin": "service-{}@gcp-sa-bigtable",
    "compute": "service-{}@compute-system",
    "container": "service-{}@container-engine-robot",
    "firestore": "service-{}@gcp-sa-firestore",
    "gkebackup": "service-{}@gcp-sa-gkebackup",
    "logging": "service-{}@gcp-sa-logging",
    "redis": "service-{}@cloud-redis",
    "storage": "service-{}@gs-project-accounts",
    "storagetransfer": "project-{}@storage-transfer-service",
}
"""API → its agent, over the project's number (IAM, "Service agents")."""
_WITH_ITS_API: Final = frozenset({"compute"})
_AT_THE_FIRST_QUESTION: Final = frozenset({"logging", "storage", "storagetransfer"})
"""Made by asking the service for its address; to generate their identity does nothing and tells none."""


class Agents:
    """The project's agents.

    Args:
        number: the project's number; without one addresses cannot be told.
        prepared: whether all of them exist from the beginning.
    """

    def __init__(self, store: DocumentStore, number: str, *, prepared: bool) -> None:
        self._store = store
        self._number = number
        self._prepared = prepared
        self._routes = Routes()
        service = r"/v1/projects/[^/]+/services/(?P<service>[a-z]+)\.googleapis\.com"
        self._routes.add("POST", f"{service}:generateServiceIdentity", self._generate)
        self._routes.add("GET", f"{service}:agent", self._ask)

    def handle(self, request: Request, path: str) -> Response:
        """Answer an API request."""
        return self._routes.handle(request, path)

    def principal(self, service: str) -> Principal:
        """The agent of a service: `storage`, `redis`, `storagetransfer`."""
        return service_account(f"{_NAMES[service].format(self._number)}.iam.gserviceaccount.com")

    def exists(self, email: str) -> bool:
        """Whether an agent of this address is there."""
        name = email.removesuffix(".iam.gserviceaccount.com")
        with_api = {_NAMES[service].format(self._number) for service in _WITH_ITS_API}
        return self._prepared or name in with_api or self._store.get(_KIND, name) is not None

    def _generate(self, _request: Request, service: str) -> Response:
        if service in _AT_THE_FIRST_QUESTION:
            return Response.of({})
        return Response.of({"email": self._make(service)})

    def _ask(self, _request: Request, service: str) -> Response:
        if service not in _AT_THE_FIRST_QUESTION:
            raise ApiError(404, f"{service} has no method that tells its agent.")
        return Response.of({"email": self._make(service)})

    def _make(self, service: str) -> str:
        name = _NAMES.get(service)
        if name is None:
            raise ApiError(400, f"Service {service}.googleapis.com has no service identity.")
        found = name.format(self._number)
        self._store.put(_KIND, found, {"service": service})
        return f"{found}.iam.gserviceaccount.com"
