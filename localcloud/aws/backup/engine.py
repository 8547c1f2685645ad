"""Carries out AWS Backup's operations on the emulated tables: each method is one operation of the API."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from localcloud.aws.backup import plans
from localcloud.aws.backup.data import Job, RecoveryPoint, Selection
from localcloud.aws.backup.work import BackupError, BackupWork

Arguments = dict[str, Any]
Told = dict[str, Any]


class BackupEngine(BackupWork):
    """The operations, named as boto3's client names them; `region` is the one that the request is signed for."""

    # Plans and vaults: what moto answers half

    def create_backup_plan(self, region: str, a: Arguments) -> Told:
        plan = self._checked(a["BackupPlan"])
        made = self.state.backend("backup", region).create_backup_plan(
            plan, a.get("BackupPlanTags") or {}, a.get("CreatorRequestId") or uuid4().hex
        )
        return made.to_dict()

    def update_backup_plan(self, region: str, a: Arguments) -> Told:
        plan = self.plan(region, a["BackupPlanId"])
        self._checked(a["BackupPlan"])
        rules = {rule["RuleName"]: rule for rule in plan.backup_plan.get("Rules", [])}
        for rule in a["BackupPlan"]["Rules"]:
            rule["RuleId"] = rules.get(rule["RuleName"], {}).get("RuleId") or str(uuid4())
        plan.backup_plan = a["BackupPlan"]
        plan.version_id = uuid4().hex
        return {**plan.to_dict(), "VersionId": plan.version_id}

    def _checked(self, plan: dict[str, Any]) -> dict[str, Any]:
        for rule in plan.get("Rules") or []:
            wrong = plans.check_rule(rule)
            if wrong:
                raise BackupError("InvalidParameterValueException", f"rule {rule.get('RuleName')}: {wrong}")
        return plan

    def delete_backup_plan(self, region: str, a: Arguments) -> Told:
        plan = self.plan(region, a["BackupPlanId"])
        if any(s.plan_id == plan.backup_plan_id for s in self.data.selections.values()):
            raise BackupError("InvalidRequestException", "Related backup plan selections must be deleted first")
        del self.state.backend("backup", region).plans[plan.backup_plan_id]
        return plan.to_dict()

    def describe_backup_vault(self, region: str, a: Arguments) -> Told:
        vault = self.vault(region, a["BackupVaultName"])
        count = sum(1 for _ in self.points_in(region, vault.backup_vault_name))
        told = {**vault.to_list_dict(), "NumberOfRecoveryPoints": count, "VaultType": "BACKUP_VAULT"}
        return {**told, "VaultState": "AVAILABLE"}

    def delete_backup_vault(self, region: str, a: Arguments) -> Told:
        vault = self.vault(region, a["BackupVaultName"])
        if any(self.points_in(region, vault.backup_vault_name)):
            raise BackupError("InvalidRequestException", "Backup vault cannot be deleted: it has recovery points")
        self.state.backend("backup", region).delete_backup_vault(vault.backup_vault_name)
        self.data.policies.pop((region, vault.backup_vault_name), None)
        return {}

    def put_backup_vault_access_policy(self, region: str, a: Arguments) -> Told:
        self.data.policies[region, self.vault(region, a["BackupVaultName"]).backup_vault_name] = a["Policy"]
        return {}

    def get_backup_vault_access_policy(self, region: str, a: Arguments) -> Told:
        vault = self.vault(region, a["BackupVaultName"])
        policy = self.data.policies.get((region, vault.backup_vault_name))
        if policy is None:
            raise BackupError("ResourceNotFoundException", f"{vault.backup_vault_name} has no access policy")
        return {
            "BackupVaultName": vault.backup_vault_name,
            "BackupVaultArn": vault.backup_vault_arn,
            "Policy": policy,
        }

    def delete_backup_vault_access_policy(self, region: str, a: Arguments) -> Told:
        self.data.policies.pop((region, a["BackupVaultName"]), None)
        return {}

    # Selections

    def create_backup_selection(self, region: str, a: Arguments) -> Told:
        plan = self.plan(region, a["BackupPlanId"])
        body = a["BackupSelection"]
        same = (s for s in self.data.selections.values() if s.plan_id == plan.backup_plan_id)
        if any(s.body["SelectionName"] == body["SelectionName"] for s in same):
            raise BackupError("AlreadyExistsException", f"selection {body['SelectionName']} exists already")
        selection = Selection(str(uuid4()), plan.backup_plan_id, region, body, time.time())
        self.data.selections[selection.selection_id] = selection
        return {
            "SelectionId": selection.selection_id,
            "BackupPlanId": selection.plan_id,
            "CreationDate": selection.created,
        }

    def get_backup_selection(self, region: str, a: Arguments) -> Told:
        selection = self.selection(region, a)
        return {
            "SelectionId": selection.selection_id,
            "BackupPlanId": selection.plan_id,
            "CreationDate": selection.created,
            "BackupSelection": selection.body,
        }

    def list_backup_selections(self, region: str, a: Arguments) -> Told:
        plan = self.plan(region, a["BackupPlanId"])
        listed = [
            {
                "SelectionId": each.selection_id,
                "SelectionName": each.body["SelectionName"],
                "BackupPlanId": each.plan_id,
                "CreationDate": each.created,
                "IamRoleArn": each.body["IamRoleArn"],
            }
            for each in self.data.selections.values()
            if each.plan_id == plan.backup_plan_id and each.region == region
        ]
        return {"BackupSelectionsList": listed}

    def delete_backup_selection(self, region: str, a: Arguments) -> Told:
        del self.data.selections[self.selection(region, a).selection_id]
        return {}

    # Recovery points

    def list_recovery_points_by_backup_vault(self, region: str, a: Arguments) -> Told:
        vault = self.vault(region, a["BackupVaultName"])
        points = [
            p
            for p in self.points_in(region, vault.backup_vault_name)
            if p.completed <= time.time()
            and a.get("ByResourceArn") in (None, p.resource_arn)
            and a.get("ByResourceType") in (None, "DynamoDB")
            and a.get("ByBackupPlanId") in (None, p.plan_id)
        ]
        return {"RecoveryPoints": [self.told(p) for p in newest_first(points)]}

    def delete_recovery_point(self, region: str, a: Arguments) -> Told:
        point = self.point(region, a["BackupVaultName"], a["RecoveryPointArn"])
        vault = self.vault(region, point.vault)
        if vault.locked:
            raise BackupError("InvalidRequestException", "Backup vault is locked: its recovery points stay")
        del self.data.points[region, point.vault, point.arn]
        return {}

    # Jobs

    def start_backup_job(self, region: str, a: Arguments) -> Told:
        vault = self.vault(region, a["BackupVaultName"])
        days = (a.get("Lifecycle") or {}).get("DeleteAfterDays")
        job, _ = self.back_up(vault, a["ResourceArn"], a["IamRoleArn"], days)
        return {
            "BackupJobId": job.job_id,
            "CreationDate": job.created,
            **{k: v for k, v in job.details.items() if k == "RecoveryPointArn"},
        }

    def start_restore_job(self, region: str, a: Arguments) -> Told:
        found = [p for p in self.data.points.values() if p.region == region and p.arn == a["RecoveryPointArn"]]
        if not found:
            raise BackupError("ResourceNotFoundException", f"no recovery point {a['RecoveryPointArn']} in {region}")
        metadata = a.get("Metadata") or {}
        name = metadata.get("targetTableName")
        if not name:
            raise BackupError("InvalidParameterValueException", "Metadata lacks targetTableName")
        job = self.restore(found[0], name, metadata.get("kmsMasterKeyArn"), a["IamRoleArn"])
        return {"RestoreJobId": job.job_id}

    def describe_backup_job(self, _region: str, a: Arguments) -> Told:
        return _backup_job(self.job(a["BackupJobId"], "backup"))

    def list_backup_jobs(self, region: str, a: Arguments) -> Told:
        return {"BackupJobs": [_backup_job(j) for j in self.jobs("backup", region, a)]}

    def list_restore_jobs(self, region: str, a: Arguments) -> Told:
        return {"RestoreJobs": [_restore_job(j) for j in self.jobs("restore", region, a)]}

    def describe_copy_job(self, _region: str, a: Arguments) -> Told:
        return {"CopyJob": _copy_job(self.job(a["CopyJobId"], "copy"))}

    def list_copy_jobs(self, region: str, a: Arguments) -> Told:
        return {"CopyJobs": [_copy_job(j) for j in self.jobs("copy", region, a)]}

    def describe_restore_job(self, _region: str, a: Arguments) -> Told:
        return _restore_job(self.job(a["RestoreJobId"], "restore"))


def newest_first(points: Iterable[RecoveryPoint]) -> list[RecoveryPoint]:
    """In the order in which the API lists them."""
    return sorted(points, key=lambda p: p.created, reverse=True)


def _common(job: Job) -> Told:
    return {
        "CreationDate": job.created,
        **({} if job.state == "RUNNING" else {"CompletionDate": job.completed}),
        "ResourceArn": job.resource_arn,
        "ResourceType": "DynamoDB",
        "IamRoleArn": job.role_arn,
        "PercentDone": "0.0" if job.state == "RUNNING" else "100.0",
        "StatusMessage": job.message,
        **job.details,
    }


def _backup_job(job: Job) -> Told:
    return {"BackupJobId": job.job_id, "State": job.state, **_common(job)}


def _copy_job(job: Job) -> Told:
    return {"CopyJobId": job.job_id, "State": job.state, **_common(job)}


def _restore_job(job: Job) -> Told:
    return {"RestoreJobId": job.job_id, "Status": job.state, **_common(job)}
