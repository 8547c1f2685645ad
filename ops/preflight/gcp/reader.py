"""Reads from Google Cloud with the caller's credentials: GET, and the few POST methods that only answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from common.errors import UserError
from common.gcp_api import HOSTS, GcpApi, GcpError, Service
from common.target import Target
from ops.preflight.model import Unread

if TYPE_CHECKING:
    import requests

ANSWERING_METHODS: Final = (":getIamPolicy", ":testIamPermissions")
"""Methods that are called by POST and change nothing (Resource Manager and Cloud KMS API references, 2026-11-21)."""
MAKING_READS: Final = ("/serviceAccount", "googleServiceAccounts/")
"""GET requests that create what they read: a project's agent for Cloud Storage or Storage Transfer comes to be when
it is first asked for (Storage Transfer API reference, `googleServiceAccounts.get`, read 2026-11-21)."""
REQUEST_SECONDS: Final = 20.0


class NotAReadError(Exception):
    """A request that may change something: a fault of the caller's code."""


class _ReadingApi(GcpApi):
    """The API's client, with every request that is not a read refused before it is made."""

    def answer(
        self, method: str, service: Service, path: str, body: Any, params: Mapping[str, str] | None
    ) -> requests.Response:
        refuse_writes(method, path)
        return super().answer(method, service, path, body, params)


class GcpReader:
    """Calls to one project's APIs that read; refusals become Unread.

    Args:
        target: the real cloud or a local one.
        project: the project's id.
    """

    def __init__(self, target: Target, project: str) -> None:
        self.api = _ReadingApi(target, project, request_seconds=REQUEST_SECONDS)
        self.project = project

    def get(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A resource. Raises Unread."""
        with self._read(service):
            return self.api.get(service, path, params)

    def find(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """A resource; None if there is none. Raises Unread."""
        with self._read(service):
            return self.api.find(service, path, params)

    def list(
        self, service: Service, path: str, member: str, params: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """All items of a collection. Raises Unread."""
        with self._read(service):
            return list(self.api.list(service, path, member, params))

    def aggregated(self, collection: str, member: str, query: str = "") -> dict[str, list[dict[str, Any]]]:
        """Items of a Compute Engine collection by region or zone, as `zones/europe-west1-b`. Raises Unread."""
        found: dict[str, list[dict[str, Any]]] = {}
        params = {"filter": query} if query else {}
        while True:
            page = self.get("compute", f"compute/v1/projects/{self.project}/aggregated/{collection}", params)
            for where, scoped in page.get("items", {}).items():
                if scoped.get(member):
                    found.setdefault(where, []).extend(scoped[member])
            if not page.get("nextPageToken"):
                return found
            params = {**params, "pageToken": page["nextPageToken"]}

    def ask(self, service: Service, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One of the methods that only answer. Raises Unread."""
        with self._read(service):
            return self.api.post(service, path, body)

    def content(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> bytes | None:
        """An object's bytes; None if there is none. Raises Unread."""
        with self._read(service):
            try:
                return self.api.content(service, path, params)
            except GcpError as error:
                if error.code == 404:
                    return None
                raise

    @contextmanager
    def _read(self, service: Service) -> Iterator[None]:
        try:
            yield
        except GcpError as error:
            raise refused(error, service, self.project) from error
        except UserError as error:
            raise Unread(error.what, error.remedy) from error


class RefusedRequest(Unread):
    """The API says that the request itself is wrong, as for a permission that cannot be tested there."""


def refuse_writes(method: str, path: str) -> None:
    """Let through what reads.

    Raises:
        NotAReadError: for anything else.
    """
    making = any(part in path for part in MAKING_READS)
    if (method == "GET" and not making) or (method == "POST" and path.endswith(ANSWERING_METHODS)):
        return
    raise NotAReadError(f"{method} {path} is not a read that the preflight may make")


def refused(error: GcpError, service: Service, project: str) -> Unread:
    """What a refusal means, and what lets the thing be read."""
    off = any(said in error.what for said in ("has not been used in project", "it is disabled", "SERVICE_DISABLED"))
    if off:
        return Unread(
            f"{HOSTS[service]} is not enabled", f"gcloud services enable {HOSTS[service]} --project={project}"
        )
    if "quota project" in error.what:
        command = f"gcloud auth application-default set-quota-project {project}"
        return Unread("the credentials name no project for quota", command)
    if error.code in (401, 403):
        return Unread(
            error.what[:240],
            f"gcloud projects add-iam-policy-binding {project} --role=roles/viewer --member=MEMBER",
        )
    if error.code == 400:
        return RefusedRequest(error.what[:240], "Report it: the request was wrong.")
    return Unread(error.what[:240], "Run the command again later.")
