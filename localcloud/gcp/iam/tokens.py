"""Access tokens of pods: made by the metadata server, and judged where they are shown.

The metadata server's paths: https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity and
https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys (read 2026-11-21).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from localcloud.gcp.iam.policies import ACCOUNTS, Policies
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError, FrontServer, Request, Response

LIFETIME_S: Final = 3600
_BECOMES: Final = frozenset({"roles/iam.workloadIdentityUser"})
_FLAVOR: Final = ("Metadata-Flavor", "Google")
_ACCOUNT: Final = "/computeMetadata/v1/instance/service-accounts/"


@dataclass(frozen=True)
class PodIdentity:
    """A pod's own service account, and the Google service account that it bears as an annotation."""

    project: str
    namespace: str
    service_account: str
    email: str

    @property
    def member(self) -> str:
        """As IAM knows the pod."""
        return f"serviceAccount:{self.project}.svc.id.goog[{self.namespace}/{self.service_account}]"


class Tokens:
    """Who holds which token; nothing of it outlives the process."""

    def __init__(self, store: DocumentStore, policies: Policies) -> None:
        self._store = store
        self._policies = policies
        self._held: dict[str, tuple[str, float]] = {}

    def issue(self, pod: PodIdentity) -> str:
        """A token of the account that the pod becomes. Raises ApiError (403, 404) if it may not become it."""
        name = f"projects/{pod.project}/serviceAccounts/{pod.email}"
        if self._store.get(ACCOUNTS, name) is None:
            raise ApiError(404, f"Service account {pod.email} does not exist.")
        bound = any(
            binding["role"] in _BECOMES and pod.member in binding["members"]
            for binding in self._policies.get(name)["bindings"]
        )
        if not bound:
            message = f"Permission 'iam.serviceAccounts.getAccessToken' denied on {name} for {pod.member}."
            raise ApiError(403, message)
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self._held[token] = pod.email, time.monotonic() + LIFETIME_S
        return token

    def caller(self, request: Request) -> str | None:
        """The email of the account whose token a request shows; None for the operator, who shows none.

        Raises ApiError (401) for a token that was never given, or is over.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return None
        email, until = self._held.get(token, ("", 0.0)) if scheme == "Bearer" else ("", 0.0)
        if time.monotonic() >= until:
            raise ApiError(401, "Invalid Credentials", reason="authError")
        return email


class MetadataServer:
    """GKE's metadata server as one pod sees it, on a loopback port of its own."""

    def __init__(self, pod: PodIdentity, issue: Callable[[PodIdentity], str]) -> None:
        self._pod = pod
        self._issue = issue
        self.server = FrontServer(self._answer)

    def _answer(self, request: Request) -> Response:
        if request.headers.get(_FLAVOR[0].lower()) != _FLAVOR[1]:
            raise ApiError(403, "The header Metadata-Flavor: Google is missing.")
        found = self._find(request)
        if isinstance(found, str):
            return Response(200, [_FLAVOR, ("Content-Type", "application/text")], found.encode())
        response = Response.of(found)
        response.headers.append(_FLAVOR)
        return response

    def _find(self, request: Request) -> str | Mapping[str, Any]:
        path = request.path
        if path == "/":
            return "computeMetadata/"
        if path == "/computeMetadata/v1/project/project-id":
            return self._pod.project
        if path == "/computeMetadata/v1/universe/universe-domain":
            return "googleapis.com"
        account, _, part = path.removeprefix(_ACCOUNT).partition("/")
        if path.startswith(_ACCOUNT) and account in ("default", self._pod.email):
            if part == "":
                scopes = ["https://www.googleapis.com/auth/cloud-platform"]
                return {"aliases": ["default"], "email": self._pod.email, "scopes": scopes}
            if part == "email":
                return self._pod.email
            if part == "token":
                token = self._issue(self._pod)
                return {"access_token": token, "expires_in": LIFETIME_S, "token_type": "Bearer"}
        raise ApiError(404, f"The metadata server has no {path}.")
