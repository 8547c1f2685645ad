"""Vaults: what lies in them outlives whoever can delete the data."""

from __future__ import annotations

from typing import Final

from policies.checks import any_of, at_least, failed, not_applicable, passed, read
from policies.documents import Statement, statements
from policies.examples import Hidden, Text, both, document, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions
from policies.model import Judgement, Severity, Verdict
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_VAULT, VAULT_LOCK, VAULT_POLICY
from policies.vaults import locks_of

family = Family("Vaults")

_KEPT: Final = (
    "backup:DeleteRecoveryPoint",
    "backup:DisassociateRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
)
_OPEN: Final = "no statement denies everyone " + ", ".join(_KEPT)
_IN_PRODUCTION: Final = "vaults are locked in production"
_LEAST_DAYS: Final = 7
_DENIED: Final = {"Effect": "Deny", "Principal": "*", "Action": list(_KEPT), "Resource": "*"}


def _denying(**fields: object) -> Text:
    return document({**_DENIED, **fields})


@family.rule(
    "aws-backup-vault-locked",
    Severity.HIGH,
    "Production backup vaults are locked for as long as every recovery point is kept",
    types=(BACKUP_VAULT,),
    rationale="Without a lock, whoever can delete the data can delete its recovery points too.",
    remedy="Add a VaultLockConfiguration with minRetentionDays of backup.keep_all_days or more.",
    examples=lambda: examples(
        given(BACKUP_VAULT, {"name": "primary"}),
        given(VAULT_LOCK, {"backupVaultName": "primary", "minRetentionDays": 7}),
        broken={
            "the vault has no lock": (
                without(VAULT_LOCK),
                put("minRetentionDays", 6, on=VAULT_LOCK),
                drop("minRetentionDays", on=VAULT_LOCK),
            ),
        },
        undecided={
            "minRetentionDays is known only to the provider": put("minRetentionDays", Hidden(), on=VAULT_LOCK)
        },
        accepted={_IN_PRODUCTION: setting("environment", "staging")},
    ),
)
def aws_backup_vault_locked(vault: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    if not settings.production:
        return not_applicable(_IN_PRODUCTION)
    least = max(_LEAST_DAYS, settings.keep_all_days)
    return any_of(
        (at_least(lock, "minRetentionDays", least, "days") for lock in locks_of(inventory, vault)),
        otherwise=failed("", "the vault has no lock", f"a VaultLockConfiguration with minRetentionDays of {least}"),
    )


@family.rule(
    "aws-backup-vault-keeps-points",
    Severity.HIGH,
    "Production backup vaults let nobody delete or shorten recovery points",
    types=(BACKUP_VAULT,),
    rationale="A lock in governance mode can be lifted by an administrator; the vault's policy is a second bar.",
    remedy="Add a VaultPolicy that denies everyone, without a condition, to delete, release or shorten points.",
    examples=lambda: examples(
        given(BACKUP_VAULT, {"name": "primary"}),
        given(VAULT_POLICY, {"backupVaultName": "primary", "policy": _denying()}),
        broken={
            _OPEN: (
                without(VAULT_POLICY),
                put("backupVaultName", "another", on=VAULT_POLICY),
                put("policy", _denying(Effect="Allow"), on=VAULT_POLICY),
                put("policy", _denying(Action=list(_KEPT[1:])), on=VAULT_POLICY),
                put("policy", _denying(Principal={"AWS": "arn:aws:iam::111122223333:role/one"}), on=VAULT_POLICY),
                put("policy", _denying(Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}), on=VAULT_POLICY),
                put("policy", _denying(Resource="arn:aws:backup:eu-west-1:1:recovery-point:one"), on=VAULT_POLICY),
                put("policy", "no JSON", on=VAULT_POLICY),
            )
        },
        undecided={"policy is known only to the provider": put("policy", Hidden(), on=VAULT_POLICY)},
        accepted={
            "": put("policy", _denying(Action="backup:*"), on=VAULT_POLICY),
            _IN_PRODUCTION: both(setting("environment", "staging"), without(VAULT_POLICY)),
        },
    ),
)
def aws_backup_vault_keeps_points(vault: Resource, inventory: Inventory) -> Judgement:
    if not SettingsView.of(inventory.settings).production:
        return not_applicable(_IN_PRODUCTION)
    policies = companions(inventory, vault, "backupVaultName", (read(vault, "name"),), VAULT_POLICY)
    return any_of((_keeps(policy) for policy in policies), otherwise=failed("", _OPEN, "a VaultPolicy that does"))


def _keeps(policy: Resource) -> Judgement:
    found = statements(policy, "policy")
    if isinstance(found, Judgement):
        return found if found.verdict is Verdict.UNKNOWN else failed("", _OPEN, "a VaultPolicy that does")
    denies = [s for s in found if _is_plain_denial(s)]
    if all(any(s.acts_on(action) for s in denies) for action in _KEPT):
        return passed()
    return failed("", _OPEN, "a VaultPolicy that does")


def _is_plain_denial(statement: Statement) -> bool:
    whole = any(r == "*" or r.startswith(("arn:*", "arn:aws:backup:")) for r in statement.resources)
    plain = statement.effect == "Deny" and statement.anyone and not statement.conditions
    return plain and whole and bool(statement.everything)
