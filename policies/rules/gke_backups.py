"""Backup for GKE: the cluster whole, far enough away, often enough, and kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from policies.checks import (
    ABSENT,
    absent_or,
    all_equal,
    all_of,
    at_least,
    best_of,
    equals,
    expect,
    failed,
    if_given,
    is_hidden,
    passed,
    read,
    shown,
    unreadable,
)
from policies.examples import Hidden, Output, both, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import far_enough, home_region, refers_to, region_in
from policies.model import Framework, Judgement, Severity
from policies.schedules import Line, silence_minutes
from policies.settings_view import SettingsView
from policies.tokens import GKE_BACKUP_PLAN, GKE_CLUSTER

family = Family("Backups of clusters")

_GKE_PLAN = GKE_BACKUP_PLAN
_WHOLE: dict[str, object] = dict.fromkeys(
    ("backupConfig.allNamespaces", "backupConfig.includeVolumeData", "backupConfig.includeSecrets"), True
)
_CRON = "backupSchedule.cronSchedule"
_RPO = "backupSchedule.rpoConfig.targetRpoMinutes"
_POINTS_MOST: Final = 360
"""Backup for GKE refuses a retention beyond 360 times the interval, so that a long one asks for rarer backups."""
_DAY_PARTS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
_LEAST_LOCK_DAYS: Final = 7


@family.rule(
    "gcp-gke-backed-up-far",
    Severity.HIGH,
    "GKE clusters are backed up whole, to a region far enough away",
    types=(GKE_CLUSTER,),
    rationale="A backup without volumes or secrets restores no service, and one nearby is lost with the cluster.",
    remedy="Place a plan in the backup region, include all namespaces, volumes and secrets, and do not pause it.",
    frameworks={Framework.NIST_800_53: ("CP-6", "CP-9")},
    examples=lambda: examples(
        given(GKE_CLUSTER),
        given(_GKE_PLAN, {"location": "europe-north1", "cluster": Output(GKE_CLUSTER), **_WHOLE}, away=True),
        broken={
            "no backup plan names the cluster": (
                without(_GKE_PLAN),
                put("cluster", "projects/p/locations/europe-west1/clusters/other", on=_GKE_PLAN),
            ),
            **{f"example.{path} is false": put(path, False, on=_GKE_PLAN) for path in _WHOLE},
            "example.backupConfig.includeSecrets is absent": drop("backupConfig.includeSecrets", on=_GKE_PLAN),
            "example.backupSchedule.paused is true": put("backupSchedule.paused", True, on=_GKE_PLAN),
            "example.location is in europe-north1, 1836 km away": setting("backup.min_distance_km", 9000),
        },
        undecided={
            "example.backupSchedule.paused is known only to the provider": put(
                "backupSchedule.paused", Hidden(), on=_GKE_PLAN
            )
        },
    ),
)
def gke_backed_up_far(cluster: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    plans = [
        plan
        for plan in inventory.of_type(_GKE_PLAN)
        if refers_to(inventory, plan, "cluster", cluster, _full_name(cluster))
    ]
    if not plans:
        return failed("", "no backup plan names the cluster", "a backup plan for the cluster")
    return best_of(_backs_up_far(plan, settings, home_region(cluster, settings)) for plan in plans)


def _backs_up_far(plan: Resource, settings: SettingsView, home: str) -> Judgement:
    paused = "backupSchedule.paused"
    judged = all_of(
        (
            far_enough(settings, "location", home, region_in(plan)),
            all_equal(plan, _WHOLE),
            absent_or(plan, paused, lambda: equals(plan, paused, False)),
        )
    )
    return replace(judged, problems=tuple(replace(p, path=f"{plan.name}.{p.path}") for p in judged.problems))


def _full_name(cluster: Resource) -> str:
    parts = [read(cluster, name) for name in ("project", "location", "name")]
    known = [part for part in parts if isinstance(part, str) and not is_hidden(part)]
    return "projects/{}/locations/{}/clusters/{}".format(*known) if len(known) == len(parts) else ""


@family.rule(
    "gcp-gke-backed-up-often",
    Severity.HIGH,
    "GKE clusters are backed up as often as their retention allows, and all that is promised is kept",
    types=(_GKE_PLAN,),
    rationale="What changed since the newest backup is lost, and a bad change that is found late needs an old one.",
    remedy="Give the plan a cron schedule that never ends, backup.retention_days, and 7 days of delete lock.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(
            _GKE_PLAN,
            {
                _CRON: "30 */3 * * *",
                "retentionPolicy.backupRetainDays": 35,
                "retentionPolicy.backupDeleteLockDays": 7,
            },
            "often",
        ),
        broken={
            f"{_CRON} is 240 min without a backup": put(_CRON, "30 */4 * * *"),
            f"{_CRON} is 3060 min without a backup": put(_CRON, "30 */3 * * MON-FRI"),
            f"{_CRON} is 'never' has not five fields": put(_CRON, "never"),
            f"{_CRON} is absent": drop(_CRON),
            "retentionPolicy.backupRetainDays is 34": put("retentionPolicy.backupRetainDays", 34),
            "retentionPolicy.backupRetainDays is absent": drop("retentionPolicy.backupRetainDays"),
            "retentionPolicy.backupDeleteLockDays is 6": put("retentionPolicy.backupDeleteLockDays", 6),
            "deactivated is true": put("deactivated", True),
            f"{_RPO} is 181": both(drop(_CRON), put(_RPO, 181)),
        },
        undecided={f"{_CRON} is known only to the provider": put(_CRON, Hidden())},
        accepted={
            "": (put(_CRON, "15 * * * *"), put("retentionPolicy.backupRetainDays", 36)),
            f"{_RPO} is the schedule": both(drop(_CRON), put(_RPO, 60)),
        },
    ),
)
def gke_backed_up_often(plan: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    lock = "retentionPolicy.backupDeleteLockDays"
    kept = at_least(plan, "retentionPolicy.backupRetainDays", settings.retention_days, "days")
    locked = at_least(plan, lock, _LEAST_LOCK_DAYS, "days") if settings.production else passed()
    active = if_given(plan, "deactivated", lambda: equals(plan, "deactivated", False))
    return all_of((_due(plan, settings), kept, locked, active))


def _due(plan: Resource, settings: SettingsView) -> Judgement:
    """As often as features, or as often as the retention allows (see `_POINTS_MOST`)."""
    least = max(settings.frequency_hours, settings.retention_days * 24 / _POINTS_MOST)
    most = 60 * next((hours for hours in _DAY_PARTS if hours >= least), 24)
    required = f"a backup at least every {most} min"
    if read(plan, "backupSchedule.rpoConfig") is not ABSENT:
        judged = expect(plan, _RPO, required, lambda minutes: int(minutes) <= most)
        excluded = "backupSchedule.rpoConfig.exclusionWindows"
        none = if_given(plan, excluded, lambda: failed(excluded, shown(read(plan, excluded)), "no windows without"))
        return all_of((passed(f"{_RPO} is the schedule"), judged, none))
    hidden = unreadable(plan, _CRON, required)
    if hidden:
        return hidden
    text = read(plan, _CRON)
    if text is ABSENT:
        return failed(_CRON, "absent", required)
    try:
        silence = silence_minutes([Line(str(text), "Etc/UTC", unix=True)])
    except ValueError as error:
        return failed(_CRON, str(error), required)
    return passed() if silence <= most else failed(_CRON, f"{silence} min without a backup", required)
