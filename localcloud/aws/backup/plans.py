"""Decides what a deployed AWS Backup plan backs up and where it copies to; every decision carries its reason."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.aws.decisions import KeyView, can_use
from localcloud.decisions import Decision


def is_selected(resource_arn: str, tags: Mapping[str, str], selection: Mapping[str, Any]) -> Decision:
    """Whether a selection covers the resource.

    As AWS documents it: `Resources` and `ListOfTags` each add resources, `NotResources` takes away. `Conditions`
    are not judged, so the engine refuses a selection that has some.
    """
    named: list[str] = selection.get("Resources") or []
    tag_rules: list[Mapping[str, str]] = selection.get("ListOfTags") or []
    excluded = _first_match(resource_arn, selection.get("NotResources") or [])
    if excluded:
        return Decision(False, f"NotResources holds {excluded}")
    by_tag = any(tags.get(t["ConditionKey"]) == t["ConditionValue"] for t in tag_rules)
    if by_tag:
        return Decision(True, "a tag matches ListOfTags")
    match = _first_match(resource_arn, named)
    if not match:
        return Decision(False, "no entry of Resources or ListOfTags matches")
    return Decision(True, f"Resources holds {match}")


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


def is_due(last_recovery_point: float | None, last_write: float | None) -> Decision:
    """Whether a scheduled rule has work: the schedule always comes due before somebody looks, see `backup`.

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
