"""The few settings that rules depend on, read from an inventory's settings.

An inventory may come from a file, and has no settings where the engine's were refused: what is absent or malformed
takes the specs' own default, or else the careful value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.contracts.apart import MACHINES_APART
from components.contracts.backup import BackupSpec
from components.contracts.bootstrap import STATE_COPY_MINUTES
from components.contracts.feature_store import DynamoDBSpec
from components.contracts.specs import MonitoringSpec, StorageSpec
from components.contracts.vocabulary import SYSTEM_POOL, Cloud, Environment
from policies.inventory import Inventory

_DEFAULT_LOG_RETENTION_DAYS = MonitoringSpec.model_fields["log_retention_days"].default
_DEFAULT_MIN_DISTANCE_KM = BackupSpec.model_fields["min_distance_km"].default

_DEFAULT = BackupSpec(region="-", rpo_minutes=15, rto_minutes=5)
_DEFAULT_NONCURRENT_DAYS = StorageSpec.model_fields["noncurrent_retention_days"].default
_DEFAULT_GIB = DynamoDBSpec.model_fields["expected_gib"].default
_LEAST_RPO_MINUTES = 15.0


@dataclass(frozen=True)
class SettingsView:
    """What rules and reports need to know of a stack's settings."""

    cloud: Cloud | None
    production: bool
    region: str
    backup_region: str
    min_distance_km: float
    rpo_minutes: float
    """The recovery point objective; where it is missing, the shortest that a stack may have."""
    rto_minutes: float
    """The recovery time objective; where it is missing, none at all: only what is there at once is in time."""
    frequency_hours: int
    """Hours between two recovery points of the feature store."""
    keep_all_days: int
    keep_daily_days: int
    retention_days: int
    """Days that every point, one of each day, and one of each week are kept."""
    noncurrent_days: int
    """Days that overwritten and deleted objects are kept."""
    store_gib: float
    """What a copy of the feature store has, as it is planned."""
    account: str
    log_retention_days: int
    machines_kept: int
    """Fewest machines of the pool that carries everything beside the fleet."""
    opt_outs: Mapping[str, str]
    """Safe defaults given up → the reason."""

    @staticmethod
    def of(settings: Mapping[str, Any]) -> SettingsView:
        """Read `settings`, whose shape is not trusted: what is missing or malformed takes the careful value."""
        backup = settings.get("backup")
        backup = backup if isinstance(backup, Mapping) else {}
        distance = backup.get("min_distance_km", _DEFAULT_MIN_DISTANCE_KM)
        rpo = backup.get("rpo_minutes", STATE_COPY_MINUTES if "copy_region" in settings else _LEAST_RPO_MINUTES)
        monitoring = settings.get("monitoring")
        kept = monitoring.get("log_retention_days") if isinstance(monitoring, Mapping) else None
        pools = settings.get("pools")
        system = pools.get(SYSTEM_POOL) if isinstance(pools, Mapping) else None
        machines = system.get("min_nodes") if isinstance(system, Mapping) else None
        opt_outs = settings.get("opt_outs")
        cloud = settings.get("cloud")
        return SettingsView(
            cloud=Cloud(cloud) if cloud in list(Cloud) else None,
            production=str(settings.get("environment", Environment.PROD)) == Environment.PROD,
            region=str(settings.get("region", "")),
            backup_region=str(settings.get("copy_region") or backup.get("region", "")),
            min_distance_km=float(distance) if isinstance(distance, int | float) else _DEFAULT_MIN_DISTANCE_KM,
            rpo_minutes=float(rpo) if isinstance(rpo, int | float) else _LEAST_RPO_MINUTES,
            rto_minutes=_number(backup, "rto_minutes", 0),
            frequency_hours=int(_number(backup, "frequency_hours", _DEFAULT.frequency_hours)),
            keep_all_days=int(_number(backup, "keep_all_days", _DEFAULT.keep_all_days)),
            keep_daily_days=int(_number(backup, "keep_daily_days", _DEFAULT.keep_daily_days)),
            retention_days=int(_number(backup, "retention_days", _DEFAULT.retention_days)),
            noncurrent_days=int(_noncurrent_days(settings)),
            store_gib=_store_gib(settings.get("feature_store")),
            account=str(settings.get("account", "")),
            log_retention_days=kept if isinstance(kept, int) else _DEFAULT_LOG_RETENTION_DAYS,
            machines_kept=machines if isinstance(machines, int) else MACHINES_APART,
            opt_outs={str(k): str(v) for k, v in opt_outs.items()} if isinstance(opt_outs, Mapping) else {},
        )


def _noncurrent_days(settings: Mapping[str, Any]) -> float:
    storage = settings.get("storage")
    kept = settings.get("state_retention_days")
    if isinstance(storage, Mapping):
        return _number(storage, "noncurrent_retention_days", _DEFAULT_NONCURRENT_DAYS)
    return kept if isinstance(kept, int) else _DEFAULT_NONCURRENT_DAYS


def _store_gib(store: object) -> float:
    if not isinstance(store, Mapping):
        return _DEFAULT_GIB
    return next(
        (
            _number(store, name, _DEFAULT_GIB)
            for name in ("expected_gib", "memory_gib")
            if isinstance(store.get(name), int | float)
        ),
        _DEFAULT_GIB,
    )


def _number(section: Mapping[str, Any], name: str, default: float) -> float:
    value = section.get(name, default)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def door_reason(inventory: Inventory, section: str, key: str) -> str:
    """What the settings of the fleet's door give as a reason to do without something; empty where they give none."""
    found: Any = inventory.settings
    for part in ("fleet", "door", section, key):
        found = found.get(part) if isinstance(found, Mapping) else None
    return str(found or "")
