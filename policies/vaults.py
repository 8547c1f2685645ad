"""AWS Backup's vaults as rules look for them: which one an input names, and what its lock asks of recovery points."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks import ABSENT, is_hidden, read
from policies.inventory import Inventory, Resource
from policies.links import aws_region_of, companions, feeders, region_in, same_region
from policies.schedules import Line
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_VAULT, VAULT_LOCK


def vault_at(inventory: Inventory, plan: Resource, path: str) -> Resource | None:
    """The one vault of the stack that the input at `path` of a plan names, by its ARN, its name or its link."""
    value = read(plan, path)
    if is_hidden(value):
        fed = feeders(inventory, plan, path, BACKUP_VAULT)
        return fed[0] if len(fed) == 1 else None
    if not isinstance(value, str):
        return None
    by_arn = value.startswith("arn:")
    return next(
        (vault for vault in inventory.of_type(BACKUP_VAULT) if _named(inventory, plan, vault, value, by_arn)), None
    )


def _named(inventory: Inventory, plan: Resource, vault: Resource, value: str, by_arn: bool) -> bool:
    name = read(vault, "name")
    if not isinstance(name, str) or is_hidden(name):
        return False
    if not by_arn:
        return value == name and same_region(vault, plan)
    account = SettingsView.of(inventory.settings).account
    parts = value.split(":")
    return (
        parts[-2:] == ["backup-vault", name]
        and aws_region_of(value) == region_in(vault)
        and (not account or parts[4:5] == [account])
    )


def locks_of(inventory: Inventory, vault: Resource) -> tuple[Resource, ...]:
    """The locks of a vault."""
    return companions(inventory, vault, "backupVaultName", (read(vault, "name"),), VAULT_LOCK)


def days_at(resource: Resource, path: str) -> float | None:
    """Days that something is kept; endless where nothing is said, and None where the plan does not know."""
    value = read(resource, path)
    if value is ABSENT:
        return float("inf")
    if is_hidden(value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0


def plan_lines(plan: Resource, rule: str) -> Iterator[Line]:
    """The schedule of a plan's rule, if it states one."""
    text, zone = read(plan, f"{rule}.schedule"), read(plan, f"{rule}.scheduleExpressionTimezone")
    if text is not ABSENT:
        yield Line(str(text), "Etc/UTC" if zone is ABSENT else str(zone), unix=False)
