"""Buckets and their grants, made and read through the emulator's Cloud Storage API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from localcloud.gcp.context import project_of
from localcloud.gcp.fields import Field
from localcloud.gcp.members import PolicyMember
from localcloud.gcp.rest import RestKind
from localcloud.providers.base import Request, State, force_delete, physical_name

_LIVE: Final = {"LIVE": True, "ARCHIVED": False}
_AFFIXES: Final = {"matchesPrefixes": "matchesPrefix", "matchesSuffixes": "matchesSuffix"}
"""What the provider calls a condition → what the API does."""


def _rules_to_api(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    converted: list[dict[str, Any]] = []
    for rule in rules:
        condition = dict(rule.get("condition") or {})
        for ours, theirs in _AFFIXES.items():
            if condition.get(ours):
                condition[theirs] = condition.pop(ours)
        state = condition.pop("withState", None)
        if state in _LIVE:
            condition["isLive"] = _LIVE[state]
        converted.append({"action": rule["action"], "condition": condition})
    return converted


def _rules_from_api(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    states = {live: name for name, live in _LIVE.items()}
    converted: list[dict[str, Any]] = []
    for rule in rules:
        condition = dict(rule.get("condition") or {})
        if "isLive" in condition:
            condition["withState"] = states[condition.pop("isLive")]
        for ours, theirs in _AFFIXES.items():
            if theirs in condition:
                condition[ours] = condition.pop(theirs)
        converted.append({"action": rule["action"], "condition": condition})
    return converted


def _seconds_from_api(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"retentionDurationSeconds": int(value.get("retentionDurationSeconds") or 0)}


def _retention_from_api(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"retentionPeriod": str(value["retentionPeriod"]), "isLocked": bool(value.get("isLocked"))}


def _upper(value: Any) -> str:
    return str(value).upper()


def _lower(value: Any) -> str:
    return str(value).lower()


def bucket_path(name: str) -> str:
    """Where the API has a bucket; `name` may be its id too."""
    return f"storage/v1/b/{quote(name.removeprefix('b/'), safe='')}"


class Bucket(RestKind):
    pulumi_type = "gcp:storage/bucket:Bucket"
    not_enforced = "ACLs of a bucket without uniform access, access logs, and autoclass"
    service = "storage"
    fields = (
        Field("autoclass"),
        Field("cors"),
        Field("customPlacementConfig"),
        Field("defaultEventBasedHold"),
        Field("encryption"),
        Field("hierarchicalNamespace"),
        Field("labels", exact=True),
        Field("lifecycleRules", "lifecycle.rule", _rules_to_api, _rules_from_api),
        Field("location", "", _upper, _lower),
        Field("logging"),
        Field("name"),
        Field("publicAccessPrevention", "iamConfiguration.publicAccessPrevention"),
        Field("requesterPays", "billing.requesterPays"),
        Field("retentionPolicy", "", lambda v: v, _retention_from_api),
        Field("rpo"),
        Field("softDeletePolicy", "", lambda v: v, _seconds_from_api),
        Field("storageClass"),
        Field("uniformBucketLevelAccess", "iamConfiguration.uniformBucketLevelAccess.enabled"),
        Field("versioning"),
        Field("website"),
    )

    def create(self, request: Request) -> State:
        wanted = {**self._body(request.inputs), "name": physical_name(request, "name")}
        project = project_of(request, self._context)
        return self._state(request, self._api.post(self.service, "storage/v1/b", wanted, {"project": project}))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        path = bucket_path(request.id)
        found = self._api.patch(self.service, path, patch) if mask else self._api.get(self.service, path)
        return self._state(request, found)

    def delete(self, request: Request) -> None:
        if self._find(request) is None:
            return
        if request.inputs.get("forceDestroy") or force_delete():
            self._empty(request.id)
        self._api.delete(self.service, bucket_path(request.id))

    def _empty(self, bucket: str) -> None:
        items = list(self._api.list(self.service, f"{bucket_path(bucket)}/o", "items", {"versions": "true"}))
        for item in items:
            path = f"{bucket_path(bucket)}/o/{quote(item['name'], safe='')}"
            self._api.delete(self.service, path, {"generation": str(item["generation"])})

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find(self.service, bucket_path(request.id))

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        name = str(found["name"])
        outputs = {
            "name": name,
            "project": found["project"],
            "location": found["location"],
            "url": f"gs://{name}",
            "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
            "projectNumber": int(found["projectNumber"]),
            "timeCreated": found["timeCreated"],
            "updated": found["updated"],
            "softDeletePolicy": {
                **(_request.inputs.get("softDeletePolicy") or {}),
                "retentionDurationSeconds": int(found["softDeletePolicy"]["retentionDurationSeconds"]),
                "effectiveTime": found["softDeletePolicy"].get("effectiveTime"),
            },
        }
        return State(name, outputs)


class BucketMember(PolicyMember):
    pulumi_type = "gcp:storage/bucketIAMMember:BucketIAMMember"
    not_enforced = "grants to groups and domains"
    argument = "bucket"
    id_prefix = "b/"

    def _get(self, resource: str) -> dict[str, Any]:
        return self._api.get("storage", f"{bucket_path(resource)}/iam")

    def _set(self, resource: str, policy: dict[str, Any]) -> dict[str, Any]:
        return self._api.put("storage", f"{bucket_path(resource)}/iam", policy)


KINDS: Final = (Bucket, BucketMember)
