"""Transfer jobs, made and read through the emulator's Storage Transfer API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from localcloud.gcp.context import project_of
from localcloud.gcp.fields import Field, renamed
from localcloud.gcp.rest import RestKind
from localcloud.providers.base import ProviderError, Request, State

_ON_PREMISES: Final = renamed({"enableOnPremGcsTransferLogs": "enableOnpremGcsTransferLogs"})


class TransferJob(RestKind):
    pulumi_type = "gcp:storage/transferJob:TransferJob"
    not_enforced = "its schedule starts nothing here; a drill reads it, and starts the job"
    service = "storagetransfer"
    fields = (
        Field("description"),
        Field("eventStream"),
        Field("loggingConfig", "", *_ON_PREMISES),
        Field("name"),
        Field("notificationConfig"),
        Field("replicationSpec"),
        Field("schedule"),
        Field("serviceAccount"),
        Field("status"),
        Field("transferSpec"),
    )

    def create(self, request: Request) -> State:
        wanted = {**self._body(request.inputs), "projectId": project_of(request, self._context)}
        return self._state(request, self._api.post(self.service, "v1/transferJobs", wanted))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        project, name = _job_of(request.id)
        if mask:
            wanted = {"projectId": project, "transferJob": patch, "updateTransferJobFieldMask": ",".join(mask)}
            self._api.patch(self.service, f"v1/{name}", wanted)
        found = self._find(request)
        if found is None:
            raise ProviderError(f"{name} is gone")
        return self._state(request, found)

    def delete(self, request: Request) -> None:
        project, name = _job_of(request.id)
        if self._find(request) is not None:
            self._api.delete(self.service, f"v1/{name}", {"projectId": project})

    def _find(self, request: Request) -> dict[str, Any] | None:
        project, name = _job_of(request.id)
        return self._api.find(self.service, f"v1/{name}", {"projectId": project})

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        project, name = str(found["projectId"]), str(found["name"])
        outputs = {
            "name": name,
            "project": project,
            "status": found["status"],
            "creationTime": found["creationTime"],
            "lastModificationTime": found["lastModificationTime"],
            "deletionTime": "",
        }
        return State(f"{project}/{name.removeprefix('transferJobs/')}", outputs)


def _job_of(physical_id: str) -> tuple[str, str]:
    project, _, name = physical_id.partition("/")
    return project, f"transferJobs/{name}"


KINDS: Final = (TransferJob,)
