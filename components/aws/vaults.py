"""Recovery points by AWS Backup: in tiers, in a vault beside the data, copied to a locked vault far away.

Why a backup, and neither a global table nor an export to S3 (facts read 2026-11-21 where nothing else is said):

- Threat: a global table copies deletions and bad writes within seconds, so that it is no copy to go back to (DynamoDB
  developer guide, "Global tables"). A recovery point in a locked vault outlives whoever deletes the table.
- RPO: backups bound it to hours (`components.contracts.recovery`). In a region that stands, point-in-time recovery
  undoes a bad write to the second; what the bound speaks of is the region's loss. A stack that needs less is refused.
- Cost: a global table doubles every write and all storage. Incremental exports cost by what changed and would be
  cheaper than full points at size, but nothing of AWS' puts them together again into a table: a restore would be own
  code, run for the first time when the region is gone. Full points are thinned with age instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.alarms import HOUR_SECONDS, Alarm, silent
from components.aws.documents import deny, document, service_trust, vault_arn
from components.aws.events import MATCHED, METRICS, EventPattern, rule_name
from components.aws.feature_store.kind import Recovery
from components.aws.roles import make_role
from components.contracts.backup import DAYS_OF_A_WEEK, BackupSpec, Tier, TierName, tiers
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.recovery import PLAN_STAGGER_MINUTES, PLAN_START_MINUTES, run_minutes
from components.contracts.refs import KeyRef, KeysRef
from components.contracts.stateful import CopiedBy, NotCopied, Stateful

VAULT_NAME_MAX: Final = 50
COPY_ARRIVED: Final = "copy-arrived"
"""What the rule is named after that counts copies in the backup region."""
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
PRIMARY_POINTS: Final = Stateful("recovery points of the feature store, beside it", CopiedBy.BACKUP_PLAN)
RECOVERY_POINTS: Final = Stateful("recovery points of the feature store", NotCopied("they are the copies"))


def vault_name(place: Place, purpose: str) -> str:
    """The name of the vault `primary`, beside the data, or `recovery`, in the backup region."""
    return place.name(purpose, max_length=VAULT_NAME_MAX)


def schedule(tier: Tier) -> str:
    """The cron expression (UTC) of a tier; frequent points are due some minutes later, see `PLAN_STAGGER_MINUTES`."""
    minute = PLAN_STAGGER_MINUTES if tier.name is TierName.FREQUENT else 0
    hours = ",".join(str(hour) for hour in tier.hours)
    days = "*" if len(tier.weekdays) == DAYS_OF_A_WEEK else ",".join(WEEKDAYS[day] for day in tier.weekdays)
    return f"cron({minute} {hours} ? * {days} *)"


def back_up_by_plan(
    parent: Component, place: Place, spec: BackupSpec, gib: int, resource_arn: pulumi.Output[str], keys: KeysRef
) -> Recovery:
    """A plan that backs up one resource, and two vaults: one beside the data, one in the backup region.

    Both vaults are locked in governance mode: nothing in them goes before `keep_all_days`, unless someone first
    removes the lock, with a permission that no role of this stack has. The vault beside the data keeps nothing
    longer: there, point-in-time recovery reaches further back. Compliance mode is deliberately not used:
    after its grace time not even AWS can undo it, so a mistaken retention, or a stack that should go, would bind
    for years. Removing points needs a second step too: each vault's own policy denies it.

    AWS Backup needs its advanced features for DynamoDB to copy between regions. They are an account's setting, not
    a stack's, and on in every account that began with AWS Backup after November 2021.
    """
    plan_name = place.name("features", max_length=VAULT_NAME_MAX)
    primary_name = vault_name(place, "primary")
    recovery_name = vault_name(place, "recovery")
    primary = _vault(parent, "primary", PRIMARY_POINTS, primary_name, place, spec, keys.data)
    recovery = _vault(parent, "recovery", RECOVERY_POINTS, recovery_name, place, spec, keys.recovery)
    plan = _plan(
        parent,
        plan_name,
        place,
        spec,
        gib,
        target=ready(primary_name, *primary),
        copy_to=ready(vault_arn(place, recovery_name, place.backup_region), *recovery),
    )
    role = make_role(
        parent,
        place,
        "backup",
        description="AWS Backup makes recovery points and copies them",
        trust=service_trust("backup.amazonaws.com"),
        managed=["service-role/AWSBackupServiceRolePolicyForBackup"],
    )
    restore = make_role(
        parent,
        place,
        "restore",
        description="AWS Backup restores recovery points, for whoever may pass this role to it",
        trust=service_trust("backup.amazonaws.com"),
        managed=["service-role/AWSBackupServiceRolePolicyForRestores"],
    )
    selection = aws.backup.Selection(
        "features",
        name=plan_name,
        plan_id=plan.id,
        iam_role_arn=role.arn,
        resources=[resource_arn],
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return Recovery(
        plan=plan_name, vault=recovery_name, restore_identity=restore.arn, ready=ready(plan.id, selection)
    )


def copy_events(place: Place) -> EventPattern:
    """Recovery points that arrived in the backup region's vault."""
    return {
        "source": ["aws.backup"],
        "detail-type": ["Copy Job State Change"],
        "detail": {
            "state": ["COMPLETED"],
            "destinationBackupVaultArn": [vault_arn(place, vault_name(place, "recovery"), place.backup_region)],
        },
    }


def vault_alarms(place: Place, rpo_minutes: int) -> Mapping[str, Alarm]:
    """Recovery points that were not made or not copied.

    Backup and copy jobs are counted where they start, in the primary vault; that copies arrive is watched in the
    backup region, by events (`components.aws.events`).
    """
    vault = {"BackupVaultName": vault_name(place, "primary")}
    return {
        "backup-failed": Alarm(
            "AWS/Backup", "NumberOfBackupJobsFailed", vault, "Sum", HOUR_SECONDS, 0,
            "A recovery point of the feature store could not be made.",
        ),
        "backup-expired": Alarm(
            "AWS/Backup", "NumberOfBackupJobsExpired", vault, "Sum", HOUR_SECONDS, 0,
            "A backup of the feature store did not start or end within its window.",
        ),
        "backup-copy-failed": Alarm(
            "AWS/Backup", "NumberOfCopyJobsFailed", vault, "Sum", HOUR_SECONDS, 0,
            "A recovery point was not copied to the backup region.",
        ),
        "backup-missing": silent(
            "AWS/Backup", "NumberOfBackupJobsCompleted", vault,
            "No recovery point of the feature store was made within the recovery point objective: look at the plan.",
            rpo_minutes=rpo_minutes, away=False,
        ),
        "features-copy-missing": silent(
            METRICS, MATCHED, {"RuleName": rule_name(place, COPY_ARRIVED)},
            "No recovery point of the feature store reached the backup region within the recovery point objective.",
            rpo_minutes=rpo_minutes,
        ),
    }  # fmt: skip


def _vault(
    parent: Component, purpose: str, holds: Stateful, name: str, place: Place, spec: BackupSpec, key: KeyRef
) -> tuple[pulumi.Resource, ...]:
    options = pulumi.ResourceOptions(parent=parent)
    kept = parent.keep(aws.backup.Vault, purpose, holds, place)
    vault = aws.backup.Vault(
        kept.name,
        name=name,
        region=key.region,
        kms_key_arn=key.id,
        force_destroy=not kept.protected,
        tags=place.labels,
        opts=kept.options,
    )
    if not kept.protected:
        return (vault,)
    lock = aws.backup.VaultLockConfiguration(
        purpose,
        region=key.region,
        backup_vault_name=vault.name,
        # Without `changeable_for_days` the lock is in governance mode.
        min_retention_days=spec.keep_all_days,
        opts=options,
    )
    policy = aws.backup.VaultPolicy(
        purpose,
        region=key.region,
        backup_vault_name=vault.name,
        policy=document(
            deny(
                "KeepRecoveryPoints",
                [
                    "backup:DeleteRecoveryPoint",
                    "backup:DisassociateRecoveryPoint",
                    "backup:UpdateRecoveryPointLifecycle",
                ],
                "*",
            )
        ),
        opts=options,
    )
    return (vault, lock, policy)


def _plan(
    parent: Component,
    name: str,
    place: Place,
    spec: BackupSpec,
    gib: int,
    *,
    target: pulumi.Output[str],
    copy_to: pulumi.Output[str],
) -> aws.backup.Plan:
    return aws.backup.Plan(
        "features",
        name=name,
        rules=[
            aws.backup.PlanRuleArgs(
                rule_name=f"features-{tier.name}",
                target_vault_name=target,
                schedule=schedule(tier),
                schedule_expression_timezone="Etc/UTC",
                start_window=PLAN_START_MINUTES,
                completion_window=PLAN_START_MINUTES + run_minutes(gib),
                lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=spec.keep_all_days),
                recovery_point_tags=place.labels,
                copy_actions=[
                    aws.backup.PlanRuleCopyActionArgs(
                        destination_vault_arn=copy_to,
                        lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=tier.keep_days),
                    )
                ],
            )
            for tier in tiers(spec)
        ],
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent),
    )
