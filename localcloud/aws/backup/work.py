"""Makes recovery points, copies them and restores them, as the deployed plans, vaults and keys allow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from localcloud.aws.backup import plans, rights
from localcloud.aws.backup.data import BackupData, Job, RecoveryPoint, Selection
from localcloud.aws.decisions import KeyView, can_use
from localcloud.aws.dynamodb.expiry import expire
from localcloud.aws.dynamodb.tables import copy_table, restore_table
from localcloud.aws.iam.judge import Judge
from localcloud.aws.late import LateWork
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

if TYPE_CHECKING:
    from moto.backup.models import Plan, Vault

_DAY_SECONDS = 86_400


class BackupError(Exception):
    """An error of the API; `code` is the exception's name in AWS's model."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BackupWork:
    """Look-ups and jobs over the emulator's state. Backups and restores end at once; copies are late."""

    def __init__(self, state: AwsState) -> None:
        self.state = state
        self._judge = Judge(state)
        self._copies = LateWork("backup-copies", state.lock)

    @property
    def data(self) -> BackupData:
        """What is remembered beside moto."""
        return self.state.overlay.backup

    def vault(self, region: str, name: str) -> Vault:
        """A vault, or ResourceNotFoundException."""
        found = self.state.backend("backup", region).vaults.get(name)
        if found is None:
            raise BackupError("ResourceNotFoundException", f"Backup vault {name} does not exist in {region}")
        return found

    def plan(self, region: str, plan_id: str) -> Plan:
        """A plan, or ResourceNotFoundException."""
        found = self.state.backend("backup", region).plans.get(plan_id)
        if found is None:
            raise BackupError("ResourceNotFoundException", f"Backup plan {plan_id} does not exist")
        return found

    def selection(self, region: str, arguments: Mapping[str, Any]) -> Selection:
        """A selection, or ResourceNotFoundException."""
        found = self.data.selections.get(arguments["SelectionId"])
        if found is None or found.plan_id != arguments["BackupPlanId"] or found.region != region:
            raise BackupError("ResourceNotFoundException", f"no selection {arguments['SelectionId']}")
        return found

    def points_in(self, region: str, vault: str) -> Iterator[RecoveryPoint]:
        """A vault's recovery points."""
        return (p for p in list(self.data.points.values()) if p.region == region and p.vault == vault)

    def point(self, region: str, vault: str, arn: str) -> RecoveryPoint:
        """A recovery point, or ResourceNotFoundException."""
        found = self.data.points.get((region, vault, arn))
        if found is None:
            raise BackupError("ResourceNotFoundException", f"no recovery point {arn} in vault {vault}")
        return found

    def job(self, job_id: str, kind: Literal["backup", "copy", "restore"]) -> Job:
        """A job, or ResourceNotFoundException."""
        found = self.data.jobs.get(job_id)
        if found is None or found.kind != kind:
            raise BackupError("ResourceNotFoundException", f"no {kind} job {job_id}")
        return found

    def jobs(self, kind: str, region: str, arguments: Mapping[str, Any]) -> list[Job]:
        """Jobs of a kind, newest first, filtered as the API's arguments say."""
        state = arguments.get("ByState") or arguments.get("ByStatus")
        found = [
            j
            for j in self.data.jobs.values()
            if j.kind == kind
            and j.region == region
            and state in (None, j.state)
            and arguments.get("ByResourceArn") in (None, j.resource_arn)
        ]
        return sorted(found, key=lambda j: j.created, reverse=True)

    def told(self, point: RecoveryPoint) -> dict[str, Any]:
        """A recovery point as the API tells of it."""
        vault_arn = self._arn("backup", point.region, f"backup-vault:{point.vault}")
        told: dict[str, Any] = {
            "RecoveryPointArn": point.arn,
            "BackupVaultName": point.vault,
            "BackupVaultArn": vault_arn,
            "ResourceArn": point.resource_arn,
            "ResourceName": point.resource_name,
            "ResourceType": "DynamoDB",
            "Status": "COMPLETED",
            "CreationDate": point.created,
            "CompletionDate": point.completed,
            "BackupSizeInBytes": point.size_bytes,
            "IsEncrypted": True,
            "EncryptionKeyArn": point.key_arn,
        }
        if point.plan_id:
            told["CreatedBy"] = {
                "BackupPlanId": point.plan_id,
                "BackupPlanArn": point.plan_arn,
                "BackupRuleId": point.rule_id,
            }
        if point.source_vault_arn:
            told["SourceBackupVaultArn"] = point.source_vault_arn
        if point.delete_after_days:
            told["Lifecycle"] = {"DeleteAfterDays": point.delete_after_days}
            told["CalculatedLifecycle"] = {"DeleteAt": point.created + point.delete_after_days * _DAY_SECONDS}
        return told

    def drain(self) -> None:
        """Have every copy job end."""
        self._copies.drain()

    def run_schedules(self) -> None:
        """Let every rule of every plan that is due within `plans.AHEAD` come due once; see `backup.api`."""
        for selection in list(self.data.selections.values()):
            if self.state.is_lost(selection.region):
                continue
            plan = self.state.backend("backup", selection.region).plans.get(selection.plan_id)
            if plan is not None and plan.deletion_date is None:
                for rule in plans.rules_of(plan.backup_plan):
                    if plans.comes_due(rule, datetime.now(UTC)):
                        self._run_rule(plan, rule, selection)

    def _run_rule(self, plan: Plan, rule: Mapping[str, Any], selection: Selection) -> None:
        region, role = selection.region, selection.body["IamRoleArn"]
        vault = self.state.backend("backup", region).vaults.get(rule["TargetBackupVaultName"])
        if vault is None:
            return
        days = (rule.get("Lifecycle") or {}).get("DeleteAfterDays")
        for table in list(self.state.backend("dynamodb", region).tables.values()):
            tags = {t["Key"]: t["Value"] for t in table.tags}
            made = [
                p.created
                for p in self.points_in(region, vault.backup_vault_name)
                if p.resource_arn == table.table_arn and p.rule_id == rule["RuleId"]
            ]
            due = plans.is_due(max(made, default=None), self.data.written.get((region, table.name)))
            if not plans.is_selected(table.table_arn, tags, selection.body) or not due:
                continue
            _, point = self.back_up(vault, table.table_arn, role, days)
            if point is None:
                continue
            point.plan_id, point.plan_arn = plan.backup_plan_id, plan.backup_plan_arn
            point.rule_id = rule["RuleId"]
            for target, copy_days in plans.copy_targets(rule):
                if self.state.is_lost(target.split(":")[3]):
                    continue
                self.copy(point, target, copy_days, role)

    def back_up(
        self, vault: Vault, resource_arn: str, role: str, delete_after_days: int | None
    ) -> tuple[Job, RecoveryPoint | None]:
        """Make a recovery point of a table now; without one, the job says why."""
        region = vault.backup_vault_arn.split(":")[3]
        name = resource_arn.rsplit("/", 1)[-1]
        started = time.time()
        table = self.state.table(region, name) if resource_arn.split(":")[3] == region else None
        decision = self._can_back_up(table, vault, region, delete_after_days)
        if decision and table is not None:
            table_key = self._key_arn(_table_key(table), region)
            decision = rights.may_back_up(
                self._judge, role, table.table_arn, table_key, vault.backup_vault_arn, vault.encryption_key_arn or ""
            )
        details: dict[str, Any] = {
            "BackupVaultName": vault.backup_vault_name,
            "BackupVaultArn": vault.backup_vault_arn,
        }
        point = None
        if table is not None and decision:
            expire(table, started)
            contents = copy_table(table)
            point = RecoveryPoint(
                arn=self._arn("backup", region, f"recovery-point:{uuid4()}"),
                vault=vault.backup_vault_name,
                region=region,
                resource_arn=table.table_arn,
                resource_name=table.name,
                created=started,
                key_arn=vault.encryption_key_arn or "",
                size_bytes=len(contents),
                contents=contents,
                delete_after_days=delete_after_days,
                completed=time.time(),
            )
            self.data.points[region, point.vault, point.arn] = point
            details |= {"RecoveryPointArn": point.arn, "BackupSizeInBytes": point.size_bytes}
        return self._note("backup", region, resource_arn, role, started, decision, details), point

    def copy(self, point: RecoveryPoint, target_vault_arn: str, days: int | None, role: str) -> Job:
        """Begin to copy a recovery point to another vault; the job ends later, as the rights are by then.

        A copy without a lifecycle of its own keeps its source's (AWS Backup developer guide, "Backup and tag copy").
        """
        details: dict[str, Any] = {
            "SourceBackupVaultArn": self._arn("backup", point.region, f"backup-vault:{point.vault}"),
            "SourceRecoveryPointArn": point.arn,
            "DestinationBackupVaultArn": target_vault_arn,
            "BackupSizeInBytes": point.size_bytes,
        }
        now = time.time()
        job = Job(str(uuid4()), "copy", point.region, "RUNNING", "", now, now, point.resource_arn, role, details)
        self.data.jobs[job.job_id] = job
        kept_days = days if days is not None else point.delete_after_days
        self._copies.later(partial(self._finish_copy, job, point, kept_days))
        return job

    def _finish_copy(self, job: Job, point: RecoveryPoint, days: int | None) -> None:
        target_vault_arn = str(job.details["DestinationBackupVaultArn"])
        region, name = target_vault_arn.split(":")[3], target_vault_arn.rsplit(":", 1)[-1]
        vault = self.state.backend("backup", region).vaults.get(name)
        decision = self._can_copy(point, vault, region, days)
        if decision and vault is not None:
            source_vault = str(job.details["SourceBackupVaultArn"])
            target_key = vault.encryption_key_arn or ""
            decision = rights.may_copy(
                self._judge, job.role_arn, point.key_arn, source_vault, target_vault_arn, target_key
            )
        if decision and vault is not None:
            made = RecoveryPoint(
                arn=self._arn("backup", region, f"recovery-point:{uuid4()}"),
                vault=name,
                region=region,
                resource_arn=point.resource_arn,
                resource_name=point.resource_name,
                created=point.created,
                key_arn=vault.encryption_key_arn or "",
                size_bytes=point.size_bytes,
                contents=point.contents,
                plan_id=point.plan_id,
                plan_arn=point.plan_arn,
                rule_id=point.rule_id,
                source_vault_arn=str(job.details["SourceBackupVaultArn"]),
                delete_after_days=days,
                completed=time.time(),
            )
            self.data.points[region, name, made.arn] = made
            job.details["DestinationRecoveryPointArn"] = made.arn
        job.completed = time.time()
        job.message = "" if decision else decision.reason
        job.state = "COMPLETED" if decision else "FAILED"

    def _can_copy(self, point: RecoveryPoint, vault: Vault | None, region: str, days: int | None) -> Decision:
        if self.state.is_lost(point.region, region):
            return Decision(False, f"{point.region} or {region} does not answer")
        if (point.region, point.vault, point.arn) not in self.data.points:
            return Decision(False, f"{point.arn} is gone")
        if vault is not None:
            fits = plans.retention_fits(days, vault.min_retention_days, vault.max_retention_days)
            if not fits:
                return fits
        target_key = self._key((vault.encryption_key_arn if vault else "") or "", region)
        return plans.can_copy(self._key(point.key_arn, point.region), vault is not None, target_key)

    def restore(self, point: RecoveryPoint, table_name: str, key_arn: str | None, role: str) -> Job:
        """Restore a recovery point into a new table of its region."""
        started = time.time()
        decision = can_use(self._key(point.key_arn, point.region))
        if decision and key_arn:
            decision = can_use(self._key(key_arn, point.region))
        details: dict[str, Any] = {"RecoveryPointArn": point.arn, "BackupSizeInBytes": point.size_bytes}
        if decision:
            decision = rights.may_restore(
                self._judge,
                role,
                self._arn("dynamodb", point.region, f"table/{table_name}"),
                self._key_arn(key_arn or "", point.region),
                self._arn("backup", point.region, f"backup-vault:{point.vault}"),
                point.key_arn,
            )
        if decision:
            try:
                table = restore_table(self.state, point.region, table_name, point.contents, key_arn)
                details["CreatedResourceArn"] = table.table_arn
            except ValueError as e:
                decision = Decision(False, str(e))
        return self._note("restore", point.region, point.resource_arn, role, started, decision, details)

    def _can_back_up(self, table: Any, vault: Vault, region: str, days: int | None) -> Decision:
        if table is None:
            return Decision(False, f"there is no such table in {region}")
        fits = plans.retention_fits(days, vault.min_retention_days, vault.max_retention_days)
        if not fits:
            return fits
        for key_arn in (_table_key(table), vault.encryption_key_arn or ""):
            usable = can_use(self._key(key_arn, region))
            if not usable:
                return usable
        return Decision(True, "")

    def _note(
        self,
        kind: Literal["backup", "copy", "restore"],
        region: str,
        resource_arn: str,
        role: str,
        started: float,
        decision: Decision,
        details: dict[str, Any],
    ) -> Job:
        message = "" if decision else decision.reason
        state: Literal["COMPLETED", "FAILED"] = "COMPLETED" if decision else "FAILED"
        job_id = str(uuid4())
        job = Job(job_id, kind, region, state, message, started, time.time(), resource_arn, role, details)
        self.data.jobs[job_id] = job
        return job

    def _key(self, key_arn: str, region: str) -> KeyView:
        key = self.state.key(key_arn, region) if key_arn else None
        if key is not None and key.region != region:
            key = None  # a key serves its own region alone
        return KeyView(key_arn, key.key_state if key else "")

    def _key_arn(self, key_id: str, region: str) -> str:
        key = self.state.key(key_id, region) if key_id else None
        return key.arn if key is not None else key_id

    def _arn(self, service: str, region: str, rest: str) -> str:
        return f"arn:aws:{service}:{region}:{self.state.account}:{rest}"


def _table_key(table: Any) -> str:
    return (table.sse_specification or {}).get("KMSMasterKeyId") or ""
