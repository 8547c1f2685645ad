"""All emulated Google Cloud APIs behind one base URL: which path belongs to which service.

`/storage/v1`, `/upload/storage/v1` and `/download/storage/v1` are Cloud Storage's own paths; the other services
lie below a first segment of their own: `/kms/v1`, `/redis/v1`, `/storagetransfer/v1`,
`/cloudscheduler/v1`, `/iam/v1`, `/cloudresourcemanager/v1`, `/serviceusage/v1`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from common.errors import UserError
from localcloud.gcp.iam.agents import Agents
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.iam.projects import Projects
from localcloud.gcp.iam.tokens import MetadataServer, PodIdentity, Tokens
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.redis.api import Memorystore
from localcloud.gcp.regions import Regions
from localcloud.gcp.scheduler.api import Scheduler
from localcloud.gcp.storage import callers
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
        project_number: names the service agents.
        bootstrapped: whether the project begins with what a bootstrap stack makes in one.
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
        project_number: str = "",
        bootstrapped: bool = True,
    ) -> None:
        agents = Agents(store, project_number, prepared=bootstrapped)
        policies = Policies(store, agents)
        self._tokens = Tokens(store, policies)
        self._metadata_servers: list[MetadataServer] = []
        self._regions = Regions(store)
        self.kms = Kms(store, policies, self._regions)
        self.storage = Storage(store, self.kms, policies, self._regions, objects)
        self.memorystore = Memorystore(store, self.kms, self.storage, self._regions, redis_server, scratch)
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
            "serviceusage": agents.handle,
        }

    def handle(self, request: Request) -> Response:
        """Answer any request. Raises ApiError."""
        segment = request.path.split("/", 2)[1] if "/" in request.path else ""
        service = self._services.get(segment)
        caller = self._tokens.caller(request)
        if caller is not None:
            if service is not None or request.path.startswith(CONTROL):
                raise ApiError(403, f"{caller} may not call {request.method} {request.path}.")
            callers.check(request, caller, self.storage.buckets)
        if service is not None:
            self._regions.require_of(request.path)
            return service(request, request.path.removeprefix(f"/{segment}"))
        if request.path.startswith(f"{CONTROL}/"):
            return self._control(request, request.path.removeprefix(CONTROL))
        return self.storage.handle(request)

    def _admit(self, pod: PodIdentity) -> int:
        """Serve a pod's metadata, for as long as this process lives; returns the port."""
        made = MetadataServer(pod, self._tokens.issue)
        self._metadata_servers.append(made)
        threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True).start()
        return made.server.port

    def _lose(self, region: str) -> None:
        self.memorystore.suspend(region)  # while its keys still answer
        self._regions.lose(region)

    def _control(self, request: Request, path: str) -> Response:
        try:
            if path == "/health":
                self._health()
                return Response.of({})
            if path == "/addresses":
                return Response.of(self.memorystore.addresses())
            if path == "/admit" and request.method == "POST":
                return Response.of({"port": self._admit(PodIdentity(**request.json()))})
            if path == "/lose" and request.method == "POST":
                self._lose(str(request.json()["region"]))
                return Response.of({})
            if path == "/restore" and request.method == "POST":
                self._regions.restore(region := str(request.json()["region"]))
                self.memorystore.resume(region)
                return Response.of({})
            if path == "/save" and request.method == "POST":
                self._save(Path(str(request.json()["into"])))
                return Response.of({})
        except UserError as e:
            return Response.of({"what": e.what, "where": e.where, "remedy": e.remedy}, 503)
        raise ApiError(404, f"no such control request: {path}")
