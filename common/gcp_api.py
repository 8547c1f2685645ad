"""A small client of Google Cloud's REST APIs for operators' code, the same against the real cloud and a local one.

Usage:

    api = GcpApi(target, "acme-serving-prod")
    instance = api.get("redis", "v1/projects/acme-serving-prod/locations/europe-west1/instances/features")
    api.wait("redis", api.post("redis", f"v1/{instance['name']}:export", {"outputConfig": …}))

Objects themselves are read and written with `google.cloud.storage`, see `storage_client`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from common.errors import UserError
from common.target import Target

if TYPE_CHECKING:
    import requests
    from google.cloud import storage

Service = Literal[
    "kms",
    "serviceusage",
    "redis",
    "firestore",
    "bigtable",
    "storagetransfer",
    "cloudscheduler",
    "storage",
    "iam",
    "cloudresourcemanager",
    "artifactregistry",
    "cloudquotas",
    "compute",
    "container",
    "serviceusage",
]

HOSTS: Final[Mapping[Service, str]] = {
    "kms": "cloudkms.googleapis.com",
    "redis": "redis.googleapis.com",
    "firestore": "firestore.googleapis.com",
    "bigtable": "bigtable.googleapis.com",
    "storagetransfer": "storagetransfer.googleapis.com",
    "cloudscheduler": "cloudscheduler.googleapis.com",
    "storage": "storage.googleapis.com",
    "iam": "iam.googleapis.com",
    "cloudresourcemanager": "cloudresourcemanager.googleapis.com",
    "artifactregistry": "artifactregistry.googleapis.com",
    "cloudquotas": "cloudquotas.googleapis.com",
    "compute": "compute.googleapis.com",
    "container": "container.googleapis.com",
    "serviceusage": "serviceusage.googleapis.com",
}
"""Service → its host on the real cloud. On a local one it is the first segment of the path, but for storage's own."""

NAMES: Final[Mapping[Service, str]] = {
    "kms": "Cloud KMS",
    "redis": "Memorystore",
    "firestore": "Firestore",
    "bigtable": "Bigtable",
    "storagetransfer": "Storage Transfer",
    "cloudscheduler": "Cloud Scheduler",
    "storage": "Cloud Storage",
    "iam": "IAM",
    "cloudresourcemanager": "Resource Manager",
    "artifactregistry": "Artifact Registry",
    "cloudquotas": "Cloud Quotas",
    "compute": "Compute Engine",
    "container": "Kubernetes Engine",
    "serviceusage": "Service Usage",
}

REQUEST_SECONDS: Final = 60.0
DEFAULT_WAIT_SECONDS: Final = 1800.0
_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 5.0
_RETRIED: Final = (429, 500, 502, 503, 504)


class GcpError(UserError):
    """An API's refusal, or a failed operation.

    `code` is the HTTP status (0 for an operation's error), `status` the google.rpc name, `reason` Cloud Storage's.
    """

    def __init__(self, what: str, where: str, remedy: str, *, code: int, status: str = "", reason: str = "") -> None:
        super().__init__(what, where, remedy)
        self.code = code
        self.status = status
        self.reason = reason


class GcpApi:
    """Calls to the APIs of one project. Paths begin with the version: `v1/projects/…`, `storage/v1/b/…`.

    Every method raises GcpError if the API refuses, and UserError if it cannot be reached or there are no
    credentials.

    Args:
        target: the real cloud (application default credentials) or a local one (none).
        project: the project's id.
        request_seconds: longest that one request may take.
    """

    def __init__(self, target: Target, project: str, *, request_seconds: float = REQUEST_SECONDS) -> None:
        self.target = target
        self.project = project
        self.request_seconds = request_seconds

    @cached_property
    def _session(self) -> requests.Session:
        return _session(self.target)

    def close(self) -> None:
        """Drop the kept connections; later calls open new ones."""
        self._session.close()

    def get(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read a resource."""
        return self.call("GET", service, path, params=params)

    def find(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """Read a resource; None if there is none."""
        try:
            return self.call("GET", service, path, params=params)
        except GcpError as e:
            if e.code == 404:
                return None
            raise

    def list(
        self, service: Service, path: str, member: str, params: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """All items of a collection, page by page; `member` is the name of the list in a page."""
        token = ""
        while True:
            page = self.get(service, path, {**(params or {}), **({"pageToken": token} if token else {})})
            yield from page.get(member, [])
            token = page.get("nextPageToken", "")
            if not token:
                return

    def post(
        self, service: Service, path: str, body: Any = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Create a resource, or call one of its methods."""
        return self.call("POST", service, path, {} if body is None else body, params)

    def put(self, service: Service, path: str, body: Any, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Replace a resource."""
        return self.call("PUT", service, path, body, params)

    def patch(
        self, service: Service, path: str, body: Any, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Change a resource; most APIs want `updateMask` among the parameters."""
        return self.call("PATCH", service, path, body, params)

    def delete(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Remove a resource."""
        return self.call("DELETE", service, path, params=params)

    def stream(self, service: Service, path: str, body: Any) -> Sequence[dict[str, Any]]:
        """Call a method that answers in a stream, as Bigtable's do; all of its JSON objects."""
        return self._ask("POST", service, path, body, None) or []

    def call(
        self,
        method: str,
        service: Service,
        path: str,
        body: Any = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One request; the answer's JSON object, empty where it has none."""
        return self._ask(method, service, path, body, params) or {}

    def content(self, service: Service, path: str, params: Mapping[str, str] | None = None) -> bytes:
        """Read what is no JSON, or whose bytes matter."""
        return self.answer("GET", service, path, None, params).content

    @property
    def caller(self) -> str:
        """Whose credentials these are: a service account's address, or empty where they do not say."""
        credentials = getattr(self._session, "credentials", None)
        return str(getattr(credentials, "service_account_email", "") or getattr(credentials, "account", "") or "")

    def _ask(self, method: str, service: Service, path: str, body: Any, params: Mapping[str, str] | None) -> Any:
        answer = self.answer(method, service, path, body, params)
        return answer.json() if answer.content.strip() else None

    def answer(
        self, method: str, service: Service, path: str, body: Any, params: Mapping[str, str] | None
    ) -> requests.Response:
        """One request, whose answer is no refusal; every other method goes through here."""
        import requests

        url = f"{base_url(self.target, service)}/{path}"
        try:
            answer = self._session.request(
                method, url, params=dict(params or {}), json=body, timeout=self.request_seconds
            )
        except requests.RequestException as e:
            raise UserError(
                f"{NAMES[service]} cannot be reached: {e}", url, "Check the network, or that the local cloud runs."
            ) from e
        except Exception as e:
            if not type(e).__module__.startswith("google.auth"):  # not imported against a local cloud
                raise
            raise UserError(
                f"Google Cloud's credentials are not accepted: {e}",
                "application default credentials",
                "Run `gcloud auth application-default login` again.",
            ) from e
        if answer.status_code >= 400:
            raise _refusal(service, method, url, answer)
        return answer

    def wait(
        self, service: Service, operation: Mapping[str, Any], timeout_seconds: float = DEFAULT_WAIT_SECONDS
    ) -> dict[str, Any]:
        """Ask for a long-running operation until it is done; returns the finished operation.

        Raises GcpError if it failed, and UserError if it takes longer than `timeout_seconds`.
        """
        name = str(operation["name"])
        deadline = time.monotonic() + timeout_seconds
        pause = _FIRST_PAUSE_SECONDS
        current = dict(operation)
        while not current.get("done"):
            if time.monotonic() > deadline:
                raise UserError(
                    f"{NAMES[service]} did not finish within {timeout_seconds:.0f} s", name, "Ask for it again later."
                )
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            current = self.get(service, f"v1/{name}")
        error = current.get("error")
        if error:
            what = f"{NAMES[service]} failed: {error.get('message', error)}"
            raise GcpError(what, name, "Fix what it says and start it again.", code=0)
        return current

    def storage_client(self) -> storage.Client:
        """Google's own client for objects, bound to the same target."""
        return storage_client(self.target, self.project)


def storage_client(target: Target, project: str | None = None) -> storage.Client:
    """Google's own client for objects.

    Raises:
        UserError: there are no credentials.
    """
    with _without_import_warnings():
        from google.cloud import storage

        from common.gcp_credentials import credentials_of

    credentials = credentials_of(target)
    if target.gcp_endpoint_url is None:
        return storage.Client(project=project, credentials=credentials)
    return storage.Client(
        project=project or "local", credentials=credentials, client_options={"api_endpoint": target.gcp_endpoint_url}
    )


def base_url(target: Target, service: Service) -> str:
    """What the addresses of a service's API begin with."""
    local = target.gcp_endpoint_url
    if local is None:
        return f"https://{HOSTS[service]}"
    return local if service == "storage" else f"{local}/{service}"


def _session(target: Target) -> requests.Session:
    # Imported here and in `call`: a stand-in provider loads this module for each preview, which makes no calls.
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    if target.gcp_endpoint_url is not None and target.act_as is None:
        return requests.Session()
    with _without_import_warnings():
        from google.auth.transport.requests import AuthorizedSession

        from common.gcp_credentials import credentials_of

    credentials = credentials_of(target)
    session = AuthorizedSession(credentials)
    retries = Retry(
        total=5, backoff_factor=0.5, status_forcelist=_RETRIED, allowed_methods={"GET", "HEAD"}, raise_on_status=False
    )
    session.mount("https://", HTTPAdapter(max_retries=retries))
    return session


@contextmanager
def _without_import_warnings() -> Iterator[None]:
    """Google's libraries warn on import about Python versions a year before their end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _refusal(service: Service, method: str, url: str, answer: requests.Response) -> GcpError:
    try:
        refused = answer.json()
        error = (refused[0] if isinstance(refused, list) else refused)["error"]
        message, status = str(error["message"]), str(error.get("status", ""))
        reason = str((error.get("errors") or [{}])[0].get("reason", ""))
    except (ValueError, KeyError, TypeError, IndexError):
        message, status, reason = answer.text.strip()[:500] or answer.reason, "", ""
    return GcpError(
        f"{NAMES[service]} refused {method}: {message} ({answer.status_code}{f' {status}' if status else ''})",
        url,
        "Fix what it says, or grant the caller what it lacks, and run the command again.",
        code=answer.status_code,
        status=status,
        reason=reason,
    )
