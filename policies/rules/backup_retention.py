"""How long AWS Backup keeps recovery points: in which tiers, and as the vaults' locks accept them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import all_of, failed, if_given, items, not_applicable, passed, read, shown, unknown, unreadable
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.schedules import silence_minutes
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_PLAN, BACKUP_VAULT, VAULT_LOCK
from policies.vaults import days_at, locks_of, plan_lines, vault_at

family = Family("Retention of backups")

_NO_RULE = "the plan has no rule, which is a finding of its own"
_AWAY = "arn:aws:backup:eu-central-1:111122223333:backup-vault:away"
_COPY = "rules.0.copyActions.0.destinationVaultArn"
_TIMES = {"schedule": "cron(5 * ? * * *)", "startWindow": 60, "completionWindow": 120}
_DAY_MINUTES: Final = 1440
_CLOCK_CHANGE_MINUTES: Final = 65
"""What a change of the clock, or points that are staggered, may add to a day."""


@family.rule(
    "aws-backup-points-kept",
    Severity.HIGH,
    "Recovery points are kept for as long as the stack's settings promise",
    types=(BACKUP_PLAN,),
    rationale="A bad write that is found after a week can be undone only from a point of before it.",
    remedy="Keep all copies for keep_all_days, one a day for keep_daily_days and one a week for retention_days.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(
            BACKUP_PLAN,
            {
                _COPY: _AWAY,
                "rules.0.copyActions.0.lifecycle.deleteAfter": 35,
                "rules.0.lifecycle.deleteAfter": 7,
                "rules.0.targetVaultName": "primary",
                **{f"rules.0.{name}": value for name, value in _TIMES.items()},
            },
        ),
        given(BACKUP_VAULT, {"name": "away", "region": "eu-central-1"}, "away"),
        given(BACKUP_VAULT, {"name": "primary"}),
        given(VAULT_LOCK, {"backupVaultName": "primary", "minRetentionDays": 7}),
        broken={
            "rules.0.lifecycle.deleteAfter is 6": put("rules.0.lifecycle.deleteAfter", 6),
            "rules.0.copyActions.0.lifecycle.deleteAfter is 6": put("rules.0.copyActions.0.lifecycle.deleteAfter", 6),
            "rules is no point of each day, kept 14 days": put("rules.0.copyActions.0.lifecycle.deleteAfter", 13),
            "rules is no point of each week, kept 35 days": put("rules.0.copyActions.0.lifecycle.deleteAfter", 34),
            "rules.0.copyActions.0.lifecycle.coldStorageAfter is 1": put(
                "rules.0.copyActions.0.lifecycle.coldStorageAfter", 1
            ),
            "rules.0.targetVaultName is no vault of this stack": put("rules.0.targetVaultName", "another"),
            "rules.0.lifecycle.deleteAfter is 7, which the lock of example refuses": put(
                "minRetentionDays", 8, on=VAULT_LOCK
            ),
        },
        undecided={
            "rules.0.lifecycle.deleteAfter is known only to the provider": put(
                "rules.0.lifecycle.deleteAfter", Hidden()
            )
        },
        accepted={"": drop("rules.0.copyActions.0.lifecycle")},
    ),
)
def aws_backup_points_kept(plan: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    rules = list(items(plan, "rules"))
    if not rules:
        return unreadable(plan, "rules", "a rule") or not_applicable(_NO_RULE)
    copies = {f"{copy}.lifecycle.deleteAfter": rule for rule in rules for copy in items(plan, f"{rule}.copyActions")}
    return all_of(
        (
            *(_kept(plan, inventory, settings, f"{rule}.targetVaultName", f"{rule}.lifecycle") for rule in rules),
            *(
                _kept(
                    plan,
                    inventory,
                    settings,
                    _vault_of(path),
                    path.removesuffix(".deleteAfter"),
                )
                for path in copies
            ),
            *_tiers(plan, copies, settings),
        )
    )


def _tiers(plan: Resource, copies: Mapping[str, str], settings: SettingsView) -> Iterator[Judgement]:
    if copies:  # without any there is a finding of its own
        yield _one_of_each(plan, copies, "day", settings.keep_daily_days, _DAY_MINUTES)
        yield _one_of_each(plan, copies, "week", settings.retention_days, 7 * _DAY_MINUTES)


def _vault_of(path: str) -> str:
    return path.replace("lifecycle.deleteAfter", "destinationVaultArn")


def _kept(plan: Resource, inventory: Inventory, settings: SettingsView, vault_path: str, lifecycle: str) -> Judgement:
    """Whether points are kept for `keep_all_days`, within reach, and as the vault's lock accepts them."""
    path, cold = f"{lifecycle}.deleteAfter", f"{lifecycle}.coldStorageAfter"
    required = f"at least {settings.keep_all_days} days"
    days = days_at(plan, path)
    if days is None:
        return unknown(path, required)
    vault = vault_at(inventory, plan, vault_path)
    if vault is None and vault_path.endswith("Name"):
        hidden = unreadable(plan, vault_path, "a vault of the plan's region")
        return hidden or failed(vault_path, "no vault of this stack", "a vault of the plan's region")
    locks = locks_of(inventory, vault) if vault else ()
    for lock in locks:
        if days_at(lock, "minRetentionDays") is None or days_at(lock, "maxRetentionDays") is None:
            return unknown(path, "days within the lock's bounds", f"what {lock.name} may refuse")
    refused = [lock for lock in locks if not _accepts(lock, days)]
    return all_of(
        (
            passed() if days >= settings.keep_all_days else failed(path, f"{days:g}", required),
            if_given(plan, cold, lambda: failed(cold, shown(read(plan, cold)), "no slow cold storage")),
            failed(path, f"{days:g}, which the lock of {vault.name} refuses", "days within the lock's bounds")
            if refused and vault
            else passed(),
        )
    )


def _accepts(lock: Resource, days: float) -> bool:
    least, most = days_at(lock, "minRetentionDays"), days_at(lock, "maxRetentionDays")
    return (not least or least == float("inf") or days >= least) and (not most or days <= most)


def _one_of_each(plan: Resource, copies: Mapping[str, str], what: str, kept: int, minutes: int) -> Judgement:
    long = [rule for path, rule in copies.items() if (days_at(plan, path) or 0) >= kept]
    required = f"a copy of each {what} that is kept {kept} days"
    try:
        gap = silence_minutes(line for rule in long for line in plan_lines(plan, rule))
    except ValueError:  # a schedule that cannot be read is a finding of its own, and none is not
        gap = 0 if long else None
    if gap is not None and gap <= minutes + _CLOCK_CHANGE_MINUTES:
        return passed()
    return failed("rules", f"no point of each {what}, kept {kept} days", required)
