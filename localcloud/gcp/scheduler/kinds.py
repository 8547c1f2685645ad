"""Scheduler jobs, made and read through the emulator's Cloud Scheduler API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from localcloud.gcp.context import project_of
from localcloud.gcp.fields import Field
from localcloud.gcp.rest import RestKind
from localcloud.providers.base import Request, State, physical_name


class SchedulerJob(RestKind):
    pulumi_type = "gcp:cloudscheduler/job:Job"
    not_enforced = "its schedule and its retries start nothing here; a drill reads them, and starts the job"
    service = "cloudscheduler"
    fields = (
        Field("appEngineHttpTarget"),
        Field("attemptDeadline"),
        Field("description"),
        Field("httpTarget"),
        Field("pubsubTarget"),
        Field("retryConfig"),
        Field("schedule"),
        Field("timeZone"),
    )

    def create(self, request: Request) -> State:
        region = request.inputs.get("region") or self._context.region
        parent = f"projects/{project_of(request, self._context)}/locations/{region}"
        wanted = {**self._body(request.inputs), "name": f"{parent}/jobs/{physical_name(request, 'name')}"}
        found = self._api.post(self.service, f"v1/{parent}/jobs", wanted)
        return self._state(request, self._pause(request, found))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        path = f"v1/{request.id}"
        params = {"updateMask": ",".join(mask)}
        if mask:
            self._api.patch(self.service, path, patch, params)
        return self._state(request, self._pause(request, self._api.get(self.service, path)))

    def _pause(self, request: Request, found: dict[str, Any]) -> dict[str, Any]:
        wanted = "PAUSED" if request.inputs.get("paused") else "ENABLED"
        if found["state"] == wanted:
            return found
        return self._api.post(self.service, f"v1/{found['name']}:{'pause' if wanted == 'PAUSED' else 'resume'}")

    def read(self, request: Request) -> State | None:
        found = self._find(request)
        state = super().read(request)
        if state is None or found is None:
            return None
        paused = found["state"] == "PAUSED"
        if paused == bool(request.inputs.get("paused")):
            return state
        return State(state.id, state.outputs, {**(state.inputs or request.inputs), "paused": paused})

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        _, project, _, region, _, name = str(found["name"]).split("/")
        outputs = {"name": name, "project": project, "region": region, "state": found["state"]}
        return State(str(found["name"]), outputs)


KINDS: Final = (SchedulerJob,)
