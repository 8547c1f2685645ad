"""Redis instances, made and read through the emulator's Memorystore API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from localcloud.gcp.context import project_of
from localcloud.gcp.fields import Field, renamed
from localcloud.gcp.rest import RestKind
from localcloud.providers.base import Request, State, physical_name

_WINDOWS: Final = renamed({"weeklyMaintenanceWindows": "weeklyMaintenanceWindow"})


class RedisInstance(RestKind):
    pulumi_type = "gcp:redis/instance:Instance"
    not_enforced = "its standby, its snapshots on disk, its maintenance, and the network that it is authorized for"
    secret_outputs = ("authString",)
    service = "redis"
    fields = (
        Field("alternativeLocationId"),
        Field("authEnabled"),
        Field("authorizedNetwork"),
        Field("connectMode"),
        Field("customerManagedKey"),
        Field("displayName"),
        Field("labels", exact=True),
        Field("locationId"),
        Field("maintenancePolicy", "", *_WINDOWS),
        Field("maintenanceVersion"),
        Field("memorySizeGb"),
        Field("persistenceConfig"),
        Field("readReplicasMode"),
        Field("redisConfigs", exact=True),
        Field("redisVersion"),
        Field("replicaCount"),
        Field("reservedIpRange"),
        Field("secondaryIpRange"),
        Field("tier"),
        Field("transitEncryptionMode"),
    )

    def create(self, request: Request) -> State:
        region = request.inputs.get("region") or self._context.region
        parent = f"projects/{project_of(request, self._context)}/locations/{region}"
        name = physical_name(request, "name")
        wanted = self._body(request.inputs)
        operation = self._api.post(self.service, f"v1/{parent}/instances", wanted, {"instanceId": name})
        self._api.wait(self.service, operation)
        return self._state(request, self._api.get(self.service, f"v1/{parent}/instances/{name}"))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        if "redisVersion" in mask:
            mask.remove("redisVersion")
            version = {"redisVersion": patch.pop("redisVersion")}
            self._api.wait(self.service, self._api.post(self.service, f"v1/{request.id}:upgrade", version))
        if mask:
            params = {"updateMask": ",".join(mask)}
            self._api.wait(self.service, self._api.patch(self.service, f"v1/{request.id}", patch, params))
        return self._state(request, self._api.get(self.service, f"v1/{request.id}"))

    def delete(self, request: Request) -> None:
        if self._find(request) is not None:
            self._api.wait(self.service, self._api.delete(self.service, f"v1/{request.id}"))

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
        secret = self._api.get(self.service, f"v1/{name}/authString") if found.get("authEnabled") else {}
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


KINDS: Final = (RedisInstance,)
