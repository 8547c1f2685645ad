"""All emulated Google Cloud APIs behind one base URL: which path belongs to which service.

`/storage/v1`, `/upload/storage/v1` and `/download/storage/v1` are Cloud Storage's own paths; the other services
lie below a first segment of their own: `/kms/v1`, `/redis/v1`, `/storagetransfer/v1`,
`/cloudscheduler/v1`, `/iam/v1`, `/iamcredentials/v1`, `/cloudresourcemanager/v1`, `/serviceusage/v1`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from common.errors import UserError
from common.target import LOCAL_ADDRESSES
from localcloud.gcp.iam.agents import Agents
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.methods import needed
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.iam.projects import Projects
from localcloud.gcp.iam.roles import Roles
from localcloud.gcp.iam.tokens import MetadataServer, PodIdentity, Tokens
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.operations import Background
from localcloud.gcp.redis.api import Memorystore
from localcloud.gcp.regions import Regions
from localcloud.gcp.scheduler.api import Scheduler
from localcloud.gcp.storage.api import Storage
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.transfer.api import Transfer
from localcloud.gcp.wire import OPERATOR, ApiError, Request, Response

CONTROL: Final = LOCAL_ADDRESSES.rpartition("/")[0]
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
        project: the project's id.
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
        project: str = "",
        project_number: str = "",
        bootstrapped: bool = True,
    ) -> None:
        agents = Agents(store, project_number, prepared=bootstrapped)
        roles = Roles(store)
        policies = Policies(store, agents, roles)
        self._judge = judge = Judge(store, policies, roles)
        self._project = project
        self._tokens = Tokens(store, judge)
        self._metadata_servers: list[MetadataServer] = []
        self._regions = Regions(store)
        self.kms = Kms(store, policies, judge, self._regions)
        self.storage = Storage(store, self.kms, policies, judge, agents.principal("storage"), self._regions, objects)
        self.background = Background()
        self.memorystore = Memorystore(
            store,
            self.kms,
            agents.principal("redis"),
            self.storage,
            self._regions,
            self.background,
            redis_server,
            scratch,
        )
        self.transfer = Transfer(store, self.storage, judge, agents.principal("storagetransfer"), self.background)
        self.projects = Projects(store, policies, judge)
        self.scheduler = Scheduler(store, self._dispatch)
        self._save = save
        self._health = health
        self._services = {
            "kms": self.kms.handle,
            "redis": self.memorystore.handle,
            "storagetransfer": self.transfer.handle,
            "cloudscheduler": self.scheduler.handle,
            "iam": self.projects.handle,
            "iamcredentials": self._tokens.handle,
            "cloudresourcemanager": self.projects.handle,
            "serviceusage": agents.handle,
        }

    def handle(self, request: Request) -> Response:
        """Answer any request, as whoever's token it shows. Raises ApiError."""
        request.principal = self._tokens.caller(request)
        return self._dispatch(request)

    def _dispatch(self, request: Request) -> Response:
        """Answer a request as its principal."""
        segment = request.path.split("/", 2)[1] if "/" in request.path else ""
        service = self._services.get(segment)
        path = request.path.removeprefix(f"/{segment}") if service is not None else request.path
        if service is not None:
            self._regions.require_of(path)
        if request.principal is not OPERATOR:
            self._check(request, segment if service is not None else "", path)
        if service is not None:
            return service(request, path)
        if request.path.startswith(f"{CONTROL}/"):
            return self._control(request, request.path.removeprefix(CONTROL))
        return self.storage.handle(request)

    def _check(self, request: Request, service: str, path: str) -> None:
        """Raise ApiError (403) unless the caller has every permission that the call needs."""
        if service == "iamcredentials":
            return  # judges by itself
        needs = needed(service, request, path, self._project, self.storage.buckets.require)
        if needs is None:
            message = f"{request.principal.member} may not call {request.method} {request.path}."
            raise ApiError(403, message, reason="forbidden")
        for permission, resource in needs:
            self._judge.require(request.principal, permission, resource)

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
            if path == "/not-understood":
                return Response.of({"expressions": self._judge.not_understood()})
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
