"""Backups of feature stores: taken, copied far enough away, and safe from whoever can delete the data."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from policies.checks import (
    ABSENT,
    absent_or,
    all_equal,
    all_of,
    any_of,
    at_least,
    best_of,
    equals,
    failed,
    is_hidden,
    items,
    not_applicable,
    passed,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import aws_region_of, far_enough, home_region, refers_to, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_VAULT, DYNAMODB_TABLE, GKE_CLUSTER

family = Family("Backups")

_PLAN = "aws:backup/plan:Plan"
_SELECTION = "aws:backup/selection:Selection"
_LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
_GKE_PLAN = "gcp:gkebackup/backupPlan:BackupPlan"
_WHOLE: dict[str, object] = dict.fromkeys(
    ("backupConfig.allNamespaces", "backupConfig.includeVolumeData", "backupConfig.includeSecrets"), True
)
_COPY = "rules.0.copyActions.0.destinationVaultArn"


@family.rule(
    "aws-dynamodb-in-backup-plan",
    Severity.HIGH,
    "DynamoDB tables are in a backup plan",
    types=(DYNAMODB_TABLE,),
    rationale="Point-in-time recovery dies with the table's region and account; recovery points do not.",
    remedy="Name the table's ARN in a backup selection.",
    frameworks={Framework.AWS_FSBP: ("DynamoDB.4",), Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(DYNAMODB_TABLE, {"name": "features"}),
        given(_SELECTION, {"resources": ["arn:aws:dynamodb:eu-west-1:111122223333:table/features"]}),
        broken={
            "the table is in no backup selection": (
                put("resources", [], on=_SELECTION),
                put("resources.0", "arn:aws:s3:::models", on=_SELECTION),
                put("resources.0", "arn:aws:dynamodb:eu-west-1:111122223333:table/other-*", on=_SELECTION),
                put("resources.0", "arn:aws:dynamodb:eu-west-1:111122223333:table/feature", on=_SELECTION),
                without(_SELECTION),
            )
        },
        undecided={
            "example.resources is known only to the provider": (
                put("resources", Hidden(), on=_SELECTION),
                put("resources.0", Hidden(), on=_SELECTION),
            )
        },
        accepted={
            "example selects it": (
                put("resources.0", "*", on=_SELECTION),
                put("resources.0", Output(DYNAMODB_TABLE), on=_SELECTION),
                put("resources.0", "arn:aws:dynamodb:*:*:table/feat*", on=_SELECTION),
            )
        },
    ),
)
def dynamodb_in_backup_plan(table: Resource, inventory: Inventory) -> Judgement:
    required = "a backup selection that names the table"
    return any_of(
        (_selects(inventory, selection, table) for selection in inventory.of_type(_SELECTION)),
        otherwise=failed("", "the table is in no backup selection", required),
    )


def _selects(inventory: Inventory, selection: Resource, table: Resource) -> Judgement:
    required = f"the ARN of {table.name}"
    resources = read(selection, "resources")
    if is_hidden(resources) or (isinstance(resources, list) and any(is_hidden(entry) for entry in resources)):
        if table in inventory.linked(selection, "resources", DYNAMODB_TABLE):
            return passed(f"{selection.name} selects it")
        return unknown(f"{selection.name}.resources", required)
    suffix = f":table/{read(table, 'name')}"
    listed = resources if isinstance(resources, list) else []
    if any(isinstance(entry, str) and _covers(entry, suffix) for entry in listed):
        return passed(f"{selection.name} selects it")
    return failed(f"{selection.name}.resources", "without the table", required)


def _covers(pattern: str, suffix: str) -> bool:
    return pattern == "*" or (
        ":table/" in pattern and fnmatchcase(suffix, f":table/{pattern.split(':table/', 1)[1]}")
    )


@family.rule(
    "aws-backup-copied-far",
    Severity.HIGH,
    "Recovery points are copied to a region far enough away",
    types=(_PLAN,),
    rationale="A recovery point beside the data is lost in the same disaster.",
    remedy="Give each rule of the plan a copy action to a vault at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        given(_PLAN, {f"{_COPY}": "arn:aws:backup:eu-central-1:111122223333:backup-vault:away"}),
        broken={
            "rules is []": put("rules", []),
            "rules.0.copyActions is absent": drop("rules.0.copyActions"),
            "rules.1.copyActions is absent": put("rules.1", {"ruleName": "another"}),
            f"{_COPY} is absent": drop(_COPY),
            f"{_COPY} is in eu-west-1, the same region": put(
                _COPY, "arn:aws:backup:eu-west-1:111122223333:backup-vault:primary"
            ),
            f"{_COPY} is in eu-central-1, 1088 km away": setting("backup.min_distance_km", 9000),
        },
        undecided={
            "rules is known only to the provider": put("rules", Hidden()),
            "rules.0.copyActions is known only to the provider": put("rules.0.copyActions", Hidden()),
            f"{_COPY} is a region that the plan does not know": put(_COPY, "backup-vault:away"),
        },
        accepted={
            "eu-central-1 is 1088 km from eu-west-1": both(
                plus(given(BACKUP_VAULT, {}, "away", away=True)), put(_COPY, Output(BACKUP_VAULT, "away"))
            )
        },
    ),
)
def aws_backup_copied_far(plan: Resource, inventory: Inventory) -> Judgement:
    rules = list(items(plan, "rules"))
    if not rules:
        required = "a rule with a copy action"
        return unreadable(plan, "rules", required) or failed("rules", shown(read(plan, "rules")), required)
    return all_of(_rule_copies_far(plan, inventory, rule) for rule in rules)


def _rule_copies_far(plan: Resource, inventory: Inventory, rule: str) -> Judgement:
    copies = list(items(plan, f"{rule}.copyActions"))
    if not copies:
        path, required = f"{rule}.copyActions", "a copy to a vault in the backup region"
        return unreadable(plan, path, required) or failed(path, shown(read(plan, path)), required)
    return best_of(_vault_far(plan, inventory, f"{copy}.destinationVaultArn") for copy in copies)


def _vault_far(plan: Resource, inventory: Inventory, path: str) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    home = home_region(plan, settings)
    value = read(plan, path)
    if is_hidden(value):
        vaults = inventory.linked(plan, "rules", BACKUP_VAULT)
        away = next((region_in(vault) for vault in vaults if region_in(vault) != home), home if vaults else "")
        return far_enough(settings, path, home, away)
    if value is ABSENT:
        return failed(path, "absent", "the ARN of a vault in the backup region")
    return far_enough(settings, path, home, aws_region_of(str(value)))


@family.rule(
    "aws-backup-vault-locked",
    Severity.HIGH,
    "Production backup vaults are locked",
    types=(BACKUP_VAULT,),
    rationale="Without a lock, whoever can delete the data can delete its recovery points too.",
    remedy="Add a VaultLockConfiguration with minRetentionDays of 7 or more.",
    examples=lambda: examples(
        given(BACKUP_VAULT, {"name": "primary"}),
        given(_LOCK, {"backupVaultName": "primary", "minRetentionDays": 7}),
        broken={"the vault has no lock": (without(_LOCK), put("minRetentionDays", 6, on=_LOCK))},
        accepted={"vaults are locked in production": setting("environment", "staging")},
    ),
)
def aws_backup_vault_locked(vault: Resource, inventory: Inventory) -> Judgement:
    if not SettingsView.of(inventory.settings).production:
        return not_applicable("vaults are locked in production")
    locks = (
        lock
        for lock in inventory.of_type(_LOCK)
        if refers_to(inventory, lock, "backupVaultName", vault, str(read(vault, "name")))
    )
    return any_of(
        (at_least(lock, "minRetentionDays", 7, "days") for lock in locks),
        otherwise=failed("", "the vault has no lock", "a VaultLockConfiguration with minRetentionDays"),
    )


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
    plans = [plan for plan in inventory.of_type(_GKE_PLAN) if refers_to(inventory, plan, "cluster", cluster)]
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
