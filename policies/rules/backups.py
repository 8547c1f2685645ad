"""Plans of AWS Backup: recovery points often enough, copied far enough away, and kept for as long as is promised."""

from __future__ import annotations

from typing import Final

from components.contracts.recovery import copy_minutes
from policies.checks import (
    ABSENT,
    all_of,
    best_of,
    failed,
    items,
    not_applicable,
    passed,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Hidden, Output, both, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import aws_region_of, far_enough, home_region, region_in
from policies.model import Framework, Judgement, Severity, Verdict
from policies.schedules import silence_minutes
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_PLAN, BACKUP_VAULT
from policies.vaults import plan_lines, vault_at

family = Family("Backups")

_START_MINUTES: Final = 480
_COMPLETION_MINUTES: Final = 10_080
_SHORTEST_MINUTES: Final = 60
"""AWS Backup's windows where a rule names none, and the shortest (its developer guide: believed, 2026-11-21)."""
_TIMES = {"schedule": "cron(5 * ? * * *)", "startWindow": 60, "completionWindow": 120}
_WEEKLY = both(put("rules.0.schedule", "cron(0 0 ? * SUN *)"))
_NO_COPIES = "no rule copies to the backup region, which is a finding of its own"
_AWAY = "arn:aws:backup:eu-central-1:111122223333:backup-vault:away"
_COPY = "rules.0.copyActions.0.destinationVaultArn"


@family.rule(
    "aws-backup-copied-far",
    Severity.HIGH,
    "Recovery points are copied to a region far enough away",
    types=(BACKUP_PLAN,),
    rationale="A recovery point beside the data is lost in the same disaster.",
    remedy="Give each rule of the plan a copy action to a vault at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        given(BACKUP_PLAN, {f"{_COPY}": _AWAY}),
        given(BACKUP_VAULT, {"name": "away", "region": "eu-central-1"}, "away", away=True),
        broken={
            "rules is []": put("rules", []),
            "rules.0.copyActions is absent": drop("rules.0.copyActions"),
            "rules.1.copyActions is absent": both(put("rules.1", {"ruleName": "another"})),
            f"{_COPY} is absent": drop(_COPY),
            f"{_COPY} is in eu-west-1, the same region": put(
                _COPY, "arn:aws:backup:eu-west-1:111122223333:backup-vault:primary"
            ),
            f"{_COPY} is in eu-central-1, 1088 km away": setting("backup.min_distance_km", 9000),
        },
        undecided={
            "rules is known only to the provider": put("rules", Hidden()),
            "rules.0.copyActions is known only to the provider": put("rules.0.copyActions", Hidden()),
            f"{_COPY} is a region that the plan does not know": (
                put(_COPY, "backup-vault:away"),
                put(_COPY, Hidden()),
            ),
            f'{_COPY} is "{_AWAY}", no vault of this stack': (
                without(BACKUP_VAULT, "away"),
                put("name", "another", on=BACKUP_VAULT, name="away"),
                both(setting("account", "999999999999"), setting("environment", "prod")),
            ),
            "rules.1.copyActions.0.destinationVaultArn is a region that the plan does not know": both(
                put(_COPY, Output(BACKUP_VAULT, "away")),
                put("rules.1", {"copyActions": [{"destinationVaultArn": Hidden()}]}),
            ),
        },
        accepted={
            "eu-central-1 is 1088 km from eu-west-1": put(_COPY, Output(BACKUP_VAULT, "away")),
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
    if value is ABSENT:
        return failed(path, "absent", "the ARN of a vault in the backup region")
    away = aws_region_of(value) if isinstance(value, str) else ""
    vault = vault_at(inventory, plan, path)
    if vault is not None:
        return far_enough(settings, path, home, region_in(vault))
    if not away:
        return far_enough(settings, path, home, "")
    found = f"{shown(value)}, no vault of this stack"
    return all_of((far_enough(settings, path, home, away), unknown(path, "a vault of this stack", found)))


@family.rule(
    "aws-backup-often-enough",
    Severity.HIGH,
    "Recovery points reach the backup region within the recovery point objective",
    types=(BACKUP_PLAN,),
    rationale="What was written since the newest copy is lost with the region: an objective is what schedules keep.",
    remedy="Schedule the rules so that the longest gap, both windows and the copy fit into backup.rpo_minutes.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(BACKUP_PLAN, {_COPY: _AWAY, **{f"rules.0.{name}": value for name, value in _TIMES.items()}}),
        given(BACKUP_VAULT, {"name": "away", "region": "eu-central-1"}, "away", away=True),
        broken={
            "rules is at most 1641 min apart in the backup region (1440 + 60 + 120 + 21)": put(
                "rules.0.schedule", "cron(0 5 ? * * *)"
            ),
            "rules is at most 10281 min apart in the backup region (10080 + 60 + 120 + 21)": both(
                put("rules.0.schedule", "cron(0 0 ? * SUN *)")
            ),
            "rules is at most 1041 min apart in the backup region (840 + 60 + 120 + 21)": put(
                "rules.0.schedule", "cron(0 8-18 ? * * *)"
            ),
            "rules is at most 661 min apart in the backup region (60 + 480 + 100 + 21)": both(
                drop("rules.0.startWindow"), put("rules.0.completionWindow", 100)
            ),
            "rules is at most 10221 min apart in the backup region (60 + 60 + 10080 + 21)": drop(
                "rules.0.completionWindow"
            ),
            "rules is no schedule: 'cron(0 * ? * * 2026)' names years, and ends with them": put(
                "rules.0.schedule", "cron(0 * ? * * 2026)"
            ),
            "rules is no schedule: 'hourly' is neither cron(…) with six fields nor rate(…)": put(
                "rules.0.schedule", "hourly"
            ),
            "rules.0.completionWindow is 1": put("rules.0.completionWindow", 1),
            "rules is no schedule: nothing is ever due": drop("rules.0.schedule"),
            "rules is at most 261 min apart in the backup region (60 + 60 + 120 + 21)": setting(
                "backup.rpo_minutes", 260
            ),
        },
        undecided={
            "rules.0.schedule is known only to the provider": put("rules.0.schedule", Hidden()),
            "rules.0.startWindow is known only to the provider": put("rules.0.startWindow", Hidden()),
        },
        accepted={
            "": (
                put("rules.0.schedule", "rate(1 hour)"),
                put("rules.0.scheduleExpressionTimezone", "Asia/Kolkata"),
                put("rules.1", {**_TIMES, "schedule": "cron(0 0 1 * ? *)", "copyActions": []}),
            )
        },
    ),
)
def aws_backup_often_enough(plan: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    copying = [
        rule for rule in items(plan, "rules") if _rule_copies_far(plan, inventory, rule).verdict is Verdict.PASS
    ]
    if not copying:
        return not_applicable(_NO_COPIES)
    required = f"at most {settings.rpo_minutes:g} min, the stack's own objective"
    for rule in copying:
        for name in ("schedule", "scheduleExpressionTimezone", "startWindow", "completionWindow"):
            hidden = unreadable(plan, f"{rule}.{name}", required)
            if hidden:
                return hidden
    try:
        gap = silence_minutes(line for rule in copying for line in plan_lines(plan, rule))
        start = max(_minutes(plan, f"{rule}.startWindow", _START_MINUTES) for rule in copying)
        completion = max(_minutes(plan, f"{rule}.completionWindow", _COMPLETION_MINUTES) for rule in copying)
    except (TypeError, ValueError) as error:
        return failed("rules", f"no schedule: {error}", required)
    for path in (f"{rule}.{name}" for rule in copying for name in ("startWindow", "completionWindow")):
        if _minutes(plan, path, _START_MINUTES) < _SHORTEST_MINUTES:
            return failed(path, shown(read(plan, path)), f"at least {_SHORTEST_MINUTES} min, or jobs are given up")
    copy = copy_minutes(settings.store_gib)
    total = gap + start + completion + copy
    if total <= settings.rpo_minutes:
        return passed()
    found = f"at most {total} min apart in the backup region ({gap} + {start} + {completion} + {copy})"
    return failed("rules", found, required)


def _minutes(plan: Resource, path: str, default: int) -> int:
    value = read(plan, path)
    return default if value is ABSENT else int(value)
