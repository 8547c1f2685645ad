"""All emulated Google Cloud APIs behind one base URL: which path belongs to which service.

`/storage/v1`, `/upload/storage/v1` and `/download/storage/v1` are Cloud Storage's own paths; the other services
lie below a first segment of their own: `/kms/v1`, `/redis/v1`, `/storagetransfer/v1`,
`/cloudscheduler/v1`, `/iam/v1`, `/cloudresourcemanager/v1`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from common.errors import UserError
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.iam.projects import Projects
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.redis.api import Memorystore
from localcloud.gcp.scheduler.api import Scheduler
from localcloud.gcp.storage.api import Storage
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.transfer.api import Transfer
from localcloud.gcp.wire import ApiError, Request, Response

CONTROL: Final = "/_local"
"""Below it: what the local cloud itself asks of the emulator; no Google API."""


class Front:
    """The services, wired together.

    Args:
        store: their state.
        objects: a folder for the bytes of Cloud Storage's objects.
        redis_server: the executable.
        scratch: a folder for the servers of Memorystore's instances.
        save: writes a snapshot into a folder.
        health: raises UserError if a process is gone.
    """

    def __init__(
        self,
        store: DocumentStore,
        objects: Path,
        redis_server: Path,
        scratch: Path,
        *,
        save: Callable[[Path], None],
        health: Callable[[], None],
    ) -> None:
        policies = Policies(store)
        self.kms = Kms(store, policies)
        self.storage = Storage(store, self.kms, policies, objects)
        self.memorystore = Memorystore(store, self.kms, self.storage, redis_server, scratch)
        self.transfer = Transfer(store, self.storage)
        self.projects = Projects(store, policies)
        self.scheduler = Scheduler(store, self.handle, self.projects.refusal)
        self._save = save
        self._health = health
        self._services = {
            "kms": self.kms.handle,
            "redis": self.memorystore.handle,
            "storagetransfer": self.transfer.handle,
            "cloudscheduler": self.scheduler.handle,
            "iam": self.projects.handle,
            "cloudresourcemanager": self.projects.handle,
        }

    def handle(self, request: Request) -> Response:
        """Answer any request. Raises ApiError."""
        segment = request.path.split("/", 2)[1] if "/" in request.path else ""
        service = self._services.get(segment)
        if service is not None:
            return service(request, request.path.removeprefix(f"/{segment}"))
        if request.path.startswith(f"{CONTROL}/"):
            return self._control(request, request.path.removeprefix(CONTROL))
        return self.storage.handle(request)

    def _control(self, request: Request, path: str) -> Response:
        try:
            if path == "/health":
                self._health()
                return Response.of({})
            if path == "/addresses":
                return Response.of(self.memorystore.addresses())
            if path == "/save" and request.method == "POST":
                self._save(Path(str(request.json()["into"])))
                return Response.of({})
        except UserError as e:
            return Response.of({"what": e.what, "where": e.where, "remedy": e.remedy}, 503)
        raise ApiError(404, f"no such control request: {path}")
