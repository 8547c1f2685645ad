"""The arguments of the types that have a data plane, beside the fields of their REST APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from localcloud.gcp.fields import Field


def _renamed(pairs: Mapping[str, str]) -> tuple[Any, Any]:
    """Converters that rename members of a mapping: Pulumi's name → the API's."""
    back = {api: ours for ours, api in pairs.items()}

    def to_api(value: Mapping[str, Any]) -> dict[str, Any]:
        return {pairs.get(k, k): v for k, v in value.items()}

    def from_api(value: Mapping[str, Any]) -> dict[str, Any]:
        return {back.get(k, k): v for k, v in value.items()}

    return to_api, from_api


_LIVE: Final = {"LIVE": True, "ARCHIVED": False}


def _rules_to_api(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    converted: list[dict[str, Any]] = []
    for rule in rules:
        condition = dict(rule.get("condition") or {})
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


BUCKET: Final = (
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

CRYPTO_KEY: Final = (
    Field("destroyScheduledDuration"),
    Field("importOnly"),
    Field("labels", exact=True),
    Field("purpose"),
    Field("rotationPeriod"),
    Field("versionTemplate"),
)

_WINDOWS: Final = _renamed({"weeklyMaintenanceWindows": "weeklyMaintenanceWindow"})

REDIS: Final = (
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

_ON_PREMISES: Final = _renamed({"enableOnPremGcsTransferLogs": "enableOnpremGcsTransferLogs"})

TRANSFER_JOB: Final = (
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

SCHEDULER_JOB: Final = (
    Field("appEngineHttpTarget"),
    Field("attemptDeadline"),
    Field("description"),
    Field("httpTarget"),
    Field("pubsubTarget"),
    Field("retryConfig"),
    Field("schedule"),
    Field("timeZone"),
)

ACCOUNT: Final = (
    Field("description"),
    Field("disabled"),
    Field("displayName"),
)

CUSTOM_ROLE: Final = (
    Field("description"),
    Field("permissions", "includedPermissions", exact=True),
    Field("stage"),
    Field("title"),
)
