"""Redis instances, transfer jobs and scheduler jobs, made and read through the emulator's APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.gcp.arguments import REDIS, SCHEDULER_JOB, TRANSFER_JOB
from localcloud.gcp.recorded import project_of
from localcloud.gcp.rest import RestKind
from localcloud.providers.base import ProviderError, Request, State, physical_name


class RedisInstance(RestKind):
    """`gcp:redis/instance:Instance`"""

    fields = REDIS

    def create(self, request: Request) -> State:
        region = request.inputs.get("region") or self._context.region
        parent = f"projects/{project_of(request, self._context)}/locations/{region}"
        name = physical_name(request, "name")
        wanted = self._body(request.inputs)
        operation = self._api.post("redis", f"v1/{parent}/instances", wanted, {"instanceId": name})
        self._api.wait("redis", operation)
        return self._state(request, self._api.get("redis", f"v1/{parent}/instances/{name}"))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        if "redisVersion" in mask:
            mask.remove("redisVersion")
            version = {"redisVersion": patch.pop("redisVersion")}
            self._api.wait("redis", self._api.post("redis", f"v1/{request.id}:upgrade", version))
        if mask:
            params = {"updateMask": ",".join(mask)}
            self._api.wait("redis", self._api.patch("redis", f"v1/{request.id}", patch, params))
        return self._state(request, self._api.get("redis", f"v1/{request.id}"))

    def delete(self, request: Request) -> None:
        if self._find(request) is not None:
            self._api.wait("redis", self._api.delete("redis", f"v1/{request.id}"))

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find("redis", f"v1/{request.id}")

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        name = str(found["name"])
        _, project, _, region, _, short = name.split("/")
        passed = (
            "connectMode",
            "createTime",
            "currentLocationId",
            "host",
            "locationId",
            "nodes",
            "persistenceIamIdentity",
            "port",
            "readReplicasMode",
            "redisVersion",
            "reservedIpRange",
            "serverCaCerts",
        )
        secret = self._api.get("redis", f"v1/{name}/authString") if found.get("authEnabled") else {}
        outputs = {
            **{k: found.get(k) for k in passed if k not in _request.inputs},
            "name": short,
            "project": project,
            "region": region,
            "authString": secret.get("authString", ""),
            "effectiveReservedIpRange": found.get("reservedIpRange"),
            "persistenceConfig": found["persistenceConfig"],
            "maintenanceSchedules": [],
            "serverCaCerts": found.get("serverCaCerts", []),
        }
        return State(name, outputs)


class TransferJob(RestKind):
    """`gcp:storage/transferJob:TransferJob`"""

    fields = TRANSFER_JOB

    def create(self, request: Request) -> State:
        wanted = {**self._body(request.inputs), "projectId": project_of(request, self._context)}
        return self._state(request, self._api.post("storagetransfer", "v1/transferJobs", wanted))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        project, name = _job_of(request.id)
        if mask:
            wanted = {"projectId": project, "transferJob": patch, "updateTransferJobFieldMask": ",".join(mask)}
            self._api.patch("storagetransfer", f"v1/{name}", wanted)
        found = self._find(request)
        if found is None:
            raise ProviderError(f"{name} is gone")
        return self._state(request, found)

    def delete(self, request: Request) -> None:
        project, name = _job_of(request.id)
        if self._find(request) is not None:
            self._api.delete("storagetransfer", f"v1/{name}", {"projectId": project})

    def _find(self, request: Request) -> dict[str, Any] | None:
        project, name = _job_of(request.id)
        return self._api.find("storagetransfer", f"v1/{name}", {"projectId": project})

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


class SchedulerJob(RestKind):
    """`gcp:cloudscheduler/job:Job`"""

    fields = SCHEDULER_JOB

    def create(self, request: Request) -> State:
        region = request.inputs.get("region") or self._context.region
        parent = f"projects/{project_of(request, self._context)}/locations/{region}"
        wanted = {**self._body(request.inputs), "name": f"{parent}/jobs/{physical_name(request, 'name')}"}
        found = self._api.post("cloudscheduler", f"v1/{parent}/jobs", wanted)
        return self._state(request, self._pause(request, found))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        path = f"v1/{request.id}"
        params = {"updateMask": ",".join(mask)}
        if mask:
            self._api.patch("cloudscheduler", path, patch, params)
        return self._state(request, self._pause(request, self._api.get("cloudscheduler", path)))

    def delete(self, request: Request) -> None:
        if self._find(request) is not None:
            self._api.delete("cloudscheduler", f"v1/{request.id}")

    def _pause(self, request: Request, found: dict[str, Any]) -> dict[str, Any]:
        wanted = "PAUSED" if request.inputs.get("paused") else "ENABLED"
        if found["state"] == wanted:
            return found
        return self._api.post("cloudscheduler", f"v1/{found['name']}:{'pause' if wanted == 'PAUSED' else 'resume'}")

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find("cloudscheduler", f"v1/{request.id}")

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
