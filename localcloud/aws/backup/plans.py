"""Decides what a deployed AWS Backup plan backs up and where it copies to; every decision carries its reason."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from common.aws_cron import parse
from localcloud.aws.decisions import KeyView, can_use
from localcloud.decisions import Decision

AHEAD: Final = timedelta(days=7)
"""How far the emulated clock runs ahead when somebody looks: what is due within it has come due. Weekly tiers do."""
DEFAULT_SCHEDULE: Final = "cron(0 5 ? * * *)"
"""Of a rule that names none (API reference, `BackupRuleInput`, as in botocore 1.44.5, read 2026-11-21)."""
DEFAULT_START_MINUTES: Final = 480
LEAST_WINDOW_MINUTES: Final = 60
LEAST_COLD_DAYS: Final = 90


def is_selected(resource_arn: str, tags: Mapping[str, str], selection: Mapping[str, Any]) -> Decision:
    """Whether a selection covers the resource.

    `Resources` and `ListOfTags` each add resources, any entry of either, and `Resources` must meet all `Conditions`
    (repost.aws/knowledge-center/backup-assign-resources, and `BackupSelection` of the API reference in botocore
    1.44.5; both read 2026-11-21). Believed: conditions bind what `ListOfTags` adds too, and a wildcard may stand
    anywhere in an ARN (AWS' example has it so, the reference wants it at the end). One that names nothing selects
    nothing here, where AWS takes all that it supports: nobody should rely on that.
    """
    named: list[str] = selection.get("Resources") or []
    tag_rules: list[Mapping[str, str]] = selection.get("ListOfTags") or []
    excluded = _first_match(resource_arn, selection.get("NotResources") or [])
    if excluded:
        return Decision(False, f"NotResources holds {excluded}")
    unmet = _unmet_condition(tags, selection.get("Conditions") or {})
    if unmet:
        return Decision(False, f"the condition {unmet} is not met")
    by_tag = any(tags.get(t["ConditionKey"]) == t["ConditionValue"] for t in tag_rules)
    if by_tag:
        return Decision(True, "a tag matches ListOfTags")
    match = _first_match(resource_arn, named)
    if not match:
        return Decision(False, "no entry of Resources or ListOfTags matches")
    return Decision(True, f"Resources holds {match}")


def _unmet_condition(tags: Mapping[str, str], conditions: Mapping[str, Any]) -> str:
    for operator, holds in _OPERATORS.items():
        for condition in conditions.get(operator) or []:
            name = str(condition["ConditionKey"]).removeprefix("aws:ResourceTag/")
            if not holds(tags.get(name), str(condition["ConditionValue"])):
                return f"{operator} {condition['ConditionKey']}={condition['ConditionValue']}"
    return ""


_OPERATORS: Final[Mapping[str, Callable[[str | None, str], bool]]] = {
    "StringEquals": lambda found, wanted: found == wanted,
    "StringNotEquals": lambda found, wanted: found != wanted,
    "StringLike": lambda found, wanted: found is not None and fnmatch.fnmatchcase(found, wanted),
    "StringNotLike": lambda found, wanted: found is None or not fnmatch.fnmatchcase(found, wanted),
}


def _first_match(arn: str, patterns: Iterable[str]) -> str:
    return next((p for p in patterns if fnmatch.fnmatchcase(arn, p)), "")


def rules_of(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The plan's rules."""
    return list(plan.get("Rules") or [])


def copy_targets(rule: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """Vault ARNs that the rule copies to, each with its own retention in days."""
    return [
        (action["DestinationBackupVaultArn"], (action.get("Lifecycle") or {}).get("DeleteAfterDays"))
        for action in rule.get("CopyActions") or []
    ]


def retention_fits(days: int | None, shortest: int | None, longest: int | None) -> Decision:
    """Whether a locked vault takes a recovery point that is kept so long; None: for ever, or no limit.

    A backup or copy job that does not fit fails (API reference of AWS Backup, `PutBackupVaultLockConfiguration`, as
    in botocore 1.44.5, read 2026-11-21).
    """
    if shortest is not None and days is not None and 0 <= days < shortest:
        return Decision(False, f"a retention of {days} days is shorter than the vault's minimum of {shortest}")
    if longest is not None and (days is None or days < 0 or days > longest):
        kept = "without end" if days is None or days < 0 else f"of {days} days"
        return Decision(False, f"a retention {kept} is longer than the vault's maximum of {longest}")
    return Decision(True, "the vault takes that retention")


def comes_due(rule: Mapping[str, Any], now: datetime) -> Decision:
    """Whether a rule's schedule comes due within the time that the emulated clock runs ahead (`AHEAD`)."""
    expression = str(rule.get("ScheduleExpression") or DEFAULT_SCHEDULE)
    schedule = parse(expression, str(rule.get("ScheduleExpressionTimezone") or "Etc/UTC"))
    at = next(schedule.times(now, now + AHEAD), None)
    if at is None:
        return Decision(False, f"{expression} does not come due within {AHEAD.days} days")
    return Decision(True, f"{expression} comes due at {at:%Y-%m-%d %H:%M} UTC")


def check_rule(rule: Mapping[str, Any]) -> str:
    """Why AWS Backup refuses a rule; empty if it does not.

    API reference of AWS Backup, `BackupRuleInput` and `Lifecycle` (botocore 1.44.5, read 2026-11-21): a start window
    has at least 60 minutes, and what moves to cold storage stays there for 90 days; believed of the completion
    window.
    """
    try:
        parse(
            str(rule.get("ScheduleExpression") or DEFAULT_SCHEDULE),
            str(rule.get("ScheduleExpressionTimezone") or "Etc/UTC"),
        )
    except ValueError as e:
        return f"invalid schedule expression: {e}"
    start, completion = rule.get("StartWindowMinutes"), rule.get("CompletionWindowMinutes")
    if start is not None and start < LEAST_WINDOW_MINUTES:
        return f"the start window must have at least {LEAST_WINDOW_MINUTES} minutes"
    if completion is not None and completion < (start or DEFAULT_START_MINUTES) + LEAST_WINDOW_MINUTES:
        return "the completion window must be at least 60 minutes longer than the start window"
    for lifecycle in (rule.get("Lifecycle"), *(a.get("Lifecycle") for a in rule.get("CopyActions") or [])):
        cold, gone = (lifecycle or {}).get("MoveToColdStorageAfterDays"), (lifecycle or {}).get("DeleteAfterDays")
        if cold is not None and cold >= 0 and gone is not None and 0 <= gone < cold + LEAST_COLD_DAYS:
            return f"DeleteAfterDays must be at least {LEAST_COLD_DAYS} days greater than MoveToColdStorageAfterDays"
    return ""


def is_due(last_recovery_point: float | None, last_write: float | None) -> Decision:
    """Whether a scheduled rule that came due has work that nobody did yet.

    Args:
        last_recovery_point: when the rule last backed the resource up (seconds since the epoch).
        last_write: when the resource was last written to.
    """
    if last_recovery_point is None:
        return Decision(True, "there is no recovery point yet")
    if last_write is not None and last_write >= last_recovery_point:
        return Decision(True, "it was written to since its last recovery point")
    return Decision(False, "nothing was written since its last recovery point")


def can_copy(source_key: KeyView, target_vault_exists: bool, target_key: KeyView) -> Decision:
    """Whether a recovery point can be copied from its vault to another."""
    if not target_vault_exists:
        return Decision(False, "the destination vault does not exist")
    usable = can_use(source_key)
    if not usable:
        return Decision(False, f"the source vault's key cannot be used: {usable.reason}")
    usable = can_use(target_key)
    if not usable:
        return Decision(False, f"the destination vault's key cannot be used: {usable.reason}")
    return Decision(True, "both vaults' keys are usable")
