"""Rules for DynamoDB tables and AWS Backup: encrypted, undeletable by mistake, and recoverable elsewhere."""

from __future__ import annotations

from fnmatch import fnmatchcase

from components.contracts.vocabulary import OptOut
from policies.checks import (
    ABSENT,
    all_of,
    any_of,
    at_least,
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
from policies.inventory import Inventory, Resource
from policies.links import aws_region_of, customer_key, far_enough, refers_to, region_in
from policies.model import Framework, Judgement, Rule, Severity
from policies.settings_view import SettingsView

TABLE = "aws:dynamodb/table:Table"
VAULT = "aws:backup/vault:Vault"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"


def _point_in_time(table: Resource, _: Inventory) -> Judgement:
    return equals(table, "pointInTimeRecovery.enabled", True)


def _table_key(table: Resource, inventory: Inventory) -> Judgement:
    return all_of(
        (
            equals(table, "serverSideEncryption.enabled", True),
            customer_key(inventory, table, "serverSideEncryption.kmsKeyArn"),
        )
    )


def _deletion_protected(table: Resource, inventory: Inventory) -> Judgement:
    reason = SettingsView.of(inventory.settings).opt_outs.get(OptOut.DELETION_PROTECTION)
    if reason:
        return not_applicable(f"the stack's settings opt out of deletion protection: {reason}")
    return equals(table, "deletionProtectionEnabled", True)


def _scales(table: Resource, _: Inventory) -> Judgement:
    return equals(table, "billingMode", "PAY_PER_REQUEST")


def _selected(table: Resource, inventory: Inventory) -> Judgement:
    required = "a backup selection that names the table"
    return any_of(
        (_selects(inventory, selection, table) for selection in inventory.of_type(SELECTION)),
        otherwise=failed("", "the table is in no backup selection", required),
    )


def _selects(inventory: Inventory, selection: Resource, table: Resource) -> Judgement:
    required = f"the ARN of {table.name}"
    resources = read(selection, "resources")
    if is_hidden(resources) or (isinstance(resources, list) and any(is_hidden(entry) for entry in resources)):
        if table in inventory.linked(selection, "resources", TABLE):
            return passed(f"{selection.name} selects it")
        return unknown(f"{selection.name}.resources", required)
    suffix = f":table/{read(table, 'name')}"
    listed = resources if isinstance(resources, list) else []
    if any(isinstance(entry, str) and (entry.endswith(suffix) or _covers(entry, suffix)) for entry in listed):
        return passed(f"{selection.name} selects it")
    return failed(f"{selection.name}.resources", "without the table", required)


def _covers(pattern: str, suffix: str) -> bool:
    return pattern == "*" or (
        ":table/" in pattern and fnmatchcase(suffix, f":table/{pattern.split(':table/', 1)[1]}")
    )


def _copied_far(plan: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    rules = list(items(plan, "rules"))
    if not rules:
        required = "a rule with a copy action"
        return unreadable(plan, "rules", required) or failed("rules", shown(read(plan, "rules")), required)
    return all_of(_rule_copies_far(plan, inventory, settings, rule) for rule in rules)


def _rule_copies_far(plan: Resource, inventory: Inventory, settings: SettingsView, rule: str) -> Judgement:
    copies = list(items(plan, f"{rule}.copyActions"))
    if not copies:
        path, required = f"{rule}.copyActions", "a copy to a vault in the backup region"
        return unreadable(plan, path, required) or failed(path, shown(read(plan, path)), required)
    home = region_in(plan) or settings.region
    judged = [_copy_far(plan, inventory, settings, f"{copy}.destinationVaultArn", home) for copy in copies]
    return any_of(judged, otherwise=judged[0])


def _copy_far(plan: Resource, inventory: Inventory, settings: SettingsView, path: str, home: str) -> Judgement:
    value = read(plan, path)
    if is_hidden(value):
        vaults = inventory.linked(plan, "rules", VAULT)
        away = next((region_in(vault) for vault in vaults if region_in(vault) != home), home if vaults else "")
        return far_enough(settings, path, home, away)
    if value is ABSENT:
        return failed(path, "absent", "the ARN of a vault in the backup region")
    return far_enough(settings, path, home, aws_region_of(str(value)))


def _vault_key(vault: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, vault, "kmsKeyArn")


def _vault_locked(vault: Resource, inventory: Inventory) -> Judgement:
    if not SettingsView.of(inventory.settings).production:
        return not_applicable("vaults are locked in production")
    locks = (
        lock
        for lock in inventory.of_type("aws:backup/vaultLockConfiguration:VaultLockConfiguration")
        if refers_to(inventory, lock, "backupVaultName", vault, str(read(vault, "name")))
    )
    return any_of(
        (at_least(lock, "minRetentionDays", 7, "days") for lock in locks),
        otherwise=failed("", "the vault has no lock", "a VaultLockConfiguration with minRetentionDays"),
    )


AWS_DATA: tuple[Rule, ...] = (
    Rule(
        id="aws-dynamodb-point-in-time-recovery",
        severity=Severity.HIGH,
        title="DynamoDB tables can be restored to any second",
        rationale="A bad write loses features between two backups unless each second can be restored.",
        remedy="Set pointInTimeRecovery.enabled.",
        types=(TABLE,),
        check=_point_in_time,
        frameworks={
            Framework.AWS_FSBP: ("DynamoDB.2",),
            Framework.NIST_800_53: ("CP-9",),
            Framework.CHECKOV: ("CKV_AWS_28",),
        },
    ),
    Rule(
        id="aws-dynamodb-customer-key",
        severity=Severity.MEDIUM,
        title="DynamoDB tables are encrypted with a customer-managed key",
        rationale="Only a key of one's own can be audited and withdrawn; the default is a key that AWS owns.",
        remedy="Set serverSideEncryption.enabled and kmsKeyArn to the stack's key.",
        types=(TABLE,),
        check=_table_key,
        frameworks={Framework.CHECKOV: ("CKV_AWS_119",)},
    ),
    Rule(
        id="aws-dynamodb-deletion-protection",
        severity=Severity.MEDIUM,
        title="DynamoDB tables cannot be deleted by mistake",
        rationale="A replaced or destroyed table takes its features with it at once.",
        remedy="Set deletionProtectionEnabled, or opt out in the settings with a reason.",
        types=(TABLE,),
        check=_deletion_protected,
        frameworks={Framework.AWS_FSBP: ("DynamoDB.6",)},
    ),
    Rule(
        id="aws-dynamodb-scales",
        severity=Severity.MEDIUM,
        title="DynamoDB tables scale with demand",
        rationale="A fixed capacity throttles feature look-ups just when traffic peaks.",
        remedy='Set billingMode to "PAY_PER_REQUEST".',
        types=(TABLE,),
        check=_scales,
        frameworks={Framework.AWS_FSBP: ("DynamoDB.1",)},
    ),
    Rule(
        id="aws-dynamodb-in-backup-plan",
        severity=Severity.HIGH,
        title="DynamoDB tables are in a backup plan",
        rationale="Point-in-time recovery dies with the table's region and account; recovery points do not.",
        remedy="Name the table's ARN in a backup selection.",
        types=(TABLE,),
        check=_selected,
        frameworks={Framework.AWS_FSBP: ("DynamoDB.4",), Framework.NIST_800_53: ("CP-9",)},
    ),
    Rule(
        id="aws-backup-copied-far",
        severity=Severity.HIGH,
        title="Recovery points are copied to a region far enough away",
        rationale="A recovery point beside the data is lost in the same disaster.",
        remedy="Give each rule of the plan a copy action to a vault at least backup.min_distance_km away.",
        types=(PLAN,),
        check=_copied_far,
        frameworks={Framework.NIST_800_53: ("CP-6",)},
    ),
    Rule(
        id="aws-backup-vault-customer-key",
        severity=Severity.MEDIUM,
        title="Backup vaults are encrypted with a customer-managed key",
        rationale="Recovery points hold the same data as the table, and deserve the same key control.",
        remedy="Set kmsKeyArn to a key in the vault's region.",
        types=(VAULT,),
        check=_vault_key,
        frameworks={Framework.AWS_FSBP: ("Backup.1",), Framework.CHECKOV: ("CKV_AWS_166",)},
    ),
    Rule(
        id="aws-backup-vault-locked",
        severity=Severity.HIGH,
        title="Production backup vaults are locked",
        rationale="Without a lock, whoever can delete the data can delete its recovery points too.",
        remedy="Add a VaultLockConfiguration with minRetentionDays of 7 or more.",
        types=(VAULT,),
        check=_vault_locked,
    ),
)
