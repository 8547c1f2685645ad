"""Access tokens of pods: made by the metadata server, and judged where they are shown.

The metadata server's paths: https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity and
https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys (believed, 2026-11-21).
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import unquote

from localcloud.gcp import clock
from localcloud.gcp.iam import resources
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import ACCOUNTS
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import OPERATOR, ApiError, FrontServer, Principal, Request, Response, service_account

LIFETIME_S: Final = 3600
_GENERATE: Final = re.compile(r"/v1/projects/-/serviceAccounts/(?P<email>[^/:]+):generateAccessToken")
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
    def principal(self) -> Principal:
        """As IAM knows the pod."""
        return Principal(f"serviceAccount:{self.project}.svc.id.goog[{self.namespace}/{self.service_account}]")


class Tokens:
    """Who holds which token; nothing of it outlives the process."""

    def __init__(self, store: DocumentStore, judge: Judge) -> None:
        self._store = store
        self._judge = judge
        self._held: dict[str, tuple[str, float]] = {}

    def issue(self, principal: Principal, project: str, email: str) -> str:
        """A token of the account that the principal becomes. Raises ApiError (403, 404) if it may not become it."""
        name = f"projects/{project}/serviceAccounts/{email}"
        if self._store.get(ACCOUNTS, name) is None:
            raise ApiError(404, f"Service account {email} does not exist.")
        self._judge.require(principal, "iam.serviceAccounts.getAccessToken", resources.account(name))
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self._held[token] = email, time.monotonic() + LIFETIME_S
        return token

    def handle(self, request: Request, path: str) -> Response:
        """Answer a request of the IAM Service Account Credentials API, by which one becomes a service account.

        https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
        """
        found = _GENERATE.fullmatch(path)
        if found is None or request.method != "POST":
            raise ApiError(404, f"The local cloud has no method for {request.method} {path}.")
        token = self.issue(
            request.principal, unquote(found["email"]).partition("@")[2].partition(".")[0], unquote(found["email"])
        )
        until = clock.now() + timedelta(seconds=LIFETIME_S)
        return Response.of({"accessToken": token, "expireTime": until.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def caller(self, request: Request) -> Principal:
        """Whose token a request shows; the operator's are all that show none.

        Raises ApiError (401) for a token that was never given, or is over.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return OPERATOR
        email, until = self._held.get(token, ("", 0.0)) if scheme == "Bearer" else ("", 0.0)
        if time.monotonic() >= until:
            raise ApiError(401, "Invalid Credentials", reason="authError")
        return service_account(email)


class MetadataServer:
    """GKE's metadata server as one pod sees it, on a loopback port of its own."""

    def __init__(self, pod: PodIdentity, issue: Callable[[Principal, str, str], str]) -> None:
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
                token = self._issue(self._pod.principal, self._pod.project, self._pod.email)
                return {"access_token": token, "expires_in": LIFETIME_S, "token_type": "Bearer"}
        raise ApiError(404, f"The metadata server has no {path}.")
