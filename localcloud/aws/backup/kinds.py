"""AWS Backup's vaults, plans and selections, created in the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.aws.context import AwsContext
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, Request, State, force_delete, physical_name


class _BackupKind(Kind):
    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def _client(self, request: Request) -> Any:
        return self._aws.client("backup", self._aws.region_of(request))

    def _found(self, call: Any, **arguments: Any) -> dict[str, Any] | None:
        try:
            return call(**arguments)
        except Exception as e:
            if is_missing(e):
                return None
            raise


class Vault(_BackupKind):
    """`aws:backup/vault:Vault`; its id is its name."""

    def create(self, request: Request) -> State:
        name = physical_name(request, "name")
        arguments: dict[str, Any] = {"BackupVaultName": name, "BackupVaultTags": self._aws.tags_of(request)}
        if request.inputs.get("kmsKeyArn"):
            arguments["EncryptionKeyArn"] = request.inputs["kmsKeyArn"]
        self._client(request).create_backup_vault(**arguments)
        return self._state(request, name)

    def update(self, request: Request) -> State:
        return self._state(request, request.id)

    def read(self, request: Request) -> State | None:
        found = self._found(self._client(request).describe_backup_vault, BackupVaultName=request.id)
        return self._state(request, request.id) if found else None

    def delete(self, request: Request) -> None:
        backup = self._client(request)
        if request.inputs.get("forceDestroy") or force_delete():
            if force_delete():
                self._found(backup.delete_backup_vault_lock_configuration, BackupVaultName=request.id)
            points = self._found(backup.list_recovery_points_by_backup_vault, BackupVaultName=request.id) or {}
            for point in points.get("RecoveryPoints", []):
                backup.delete_recovery_point(BackupVaultName=request.id, RecoveryPointArn=point["RecoveryPointArn"])
        self._found(backup.delete_backup_vault, BackupVaultName=request.id)

    def _state(self, request: Request, name: str) -> State:
        found = self._client(request).describe_backup_vault(BackupVaultName=name)
        outputs = {
            "name": name,
            "arn": found["BackupVaultArn"],
            "recoveryPoints": int(found.get("NumberOfRecoveryPoints") or 0),
            "region": self._aws.region_of(request),
            "tagsAll": self._aws.tags_of(request),
        }
        if found.get("EncryptionKeyArn"):
            outputs["kmsKeyArn"] = found["EncryptionKeyArn"]
        # How full a vault is is no setting: what a refresh must not call drift stays as it was.
        outputs["recoveryPoints"] = request.outputs.get("recoveryPoints", 0)
        return State(name, outputs)


class VaultLock(_BackupKind):
    """`aws:backup/vaultLockConfiguration:VaultLockConfiguration`; its id is the vault's name."""

    def create(self, request: Request) -> State:
        return self._put(request, str(request.inputs["backupVaultName"]))

    def update(self, request: Request) -> State:
        return self._put(request, request.id)

    def read(self, request: Request) -> State | None:
        found = self._found(self._client(request).describe_backup_vault, BackupVaultName=request.id)
        if not found or not found.get("Locked"):
            return None
        told = dict(request.inputs)
        for prop, member in (("minRetentionDays", "MinRetentionDays"), ("maxRetentionDays", "MaxRetentionDays")):
            if prop in told:
                told[prop] = found.get(member)
        drifted = bool(request.inputs) and told != dict(request.inputs)
        return State(request.id, self._outputs(request, found), inputs=told if drifted else None)

    def delete(self, request: Request) -> None:
        self._found(self._client(request).delete_backup_vault_lock_configuration, BackupVaultName=request.id)

    def _put(self, request: Request, vault: str) -> State:
        backup, i = self._client(request), request.inputs
        days = {
            "MinRetentionDays": i.get("minRetentionDays"),
            "MaxRetentionDays": i.get("maxRetentionDays"),
            "ChangeableForDays": i.get("changeableForDays"),
        }
        given = {k: v for k, v in days.items() if v is not None}
        backup.put_backup_vault_lock_configuration(BackupVaultName=vault, **given)
        return State(vault, self._outputs(request, backup.describe_backup_vault(BackupVaultName=vault)))

    def _outputs(self, request: Request, found: Mapping[str, Any]) -> dict[str, Any]:
        return {"backupVaultArn": found["BackupVaultArn"], "region": self._aws.region_of(request)}


class VaultPolicy(_BackupKind):
    """`aws:backup/vaultPolicy:VaultPolicy`; its id is the vault's name."""

    def create(self, request: Request) -> State:
        return self._put(request, str(request.inputs["backupVaultName"]))

    def update(self, request: Request) -> State:
        return self._put(request, request.id)

    def read(self, request: Request) -> State | None:
        found = self._found(self._client(request).get_backup_vault_access_policy, BackupVaultName=request.id)
        if not found:
            return None
        drifted = "policy" in request.inputs and found["Policy"] != request.inputs["policy"]
        told = {**request.inputs, "policy": found["Policy"]} if drifted else None
        return State(request.id, self._outputs(request, found), inputs=told)

    def delete(self, request: Request) -> None:
        self._found(self._client(request).delete_backup_vault_access_policy, BackupVaultName=request.id)

    def _put(self, request: Request, vault: str) -> State:
        backup = self._client(request)
        backup.put_backup_vault_access_policy(BackupVaultName=vault, Policy=request.inputs["policy"])
        return State(vault, self._outputs(request, backup.get_backup_vault_access_policy(BackupVaultName=vault)))

    def _outputs(self, request: Request, found: Mapping[str, Any]) -> dict[str, Any]:
        return {"backupVaultArn": found["BackupVaultArn"], "region": self._aws.region_of(request)}


class Plan(_BackupKind):
    """`aws:backup/plan:Plan`; its id is the plan's UUID."""

    def create(self, request: Request) -> State:
        made = self._client(request).create_backup_plan(
            BackupPlan=_plan(request), BackupPlanTags=self._aws.tags_of(request)
        )
        return self._state(request, made)

    def update(self, request: Request) -> State:
        made = self._client(request).update_backup_plan(BackupPlanId=request.id, BackupPlan=_plan(request))
        return self._state(request, made)

    def read(self, request: Request) -> State | None:
        found = self._found(self._client(request).get_backup_plan, BackupPlanId=request.id)
        if not found or found.get("DeletionDate"):
            return None
        told = None
        if request.inputs:
            asked = {r["RuleName"]: r for r in _plan(request)["Rules"]}
            actual = {r["RuleName"]: r for r in found["BackupPlan"]["Rules"]}
            if any(not _within(asked.get(name), rule) for name, rule in actual.items()) or len(asked) != len(actual):
                told = {**request.inputs, "rules": [_rule_found(r) for r in actual.values()]}
        return State(request.id, self._state(request, found).outputs, inputs=told)

    def delete(self, request: Request) -> None:
        self._found(self._client(request).delete_backup_plan, BackupPlanId=request.id)

    def _state(self, request: Request, made: Mapping[str, Any]) -> State:
        outputs = {
            "arn": made["BackupPlanArn"],
            "version": made["VersionId"],
            "region": self._aws.region_of(request),
            "tagsAll": self._aws.tags_of(request),
        }
        return State(made["BackupPlanId"], outputs)


class Selection(_BackupKind):
    """`aws:backup/selection:Selection`; its id is the selection's UUID. No property changes in place."""

    def create(self, request: Request) -> State:
        i = request.inputs
        body: dict[str, Any] = {"SelectionName": physical_name(request, "name"), "IamRoleArn": i["iamRoleArn"]}
        if i.get("resources"):
            body["Resources"] = i["resources"]
        if i.get("notResources"):
            body["NotResources"] = i["notResources"]
        if i.get("selectionTags"):
            body["ListOfTags"] = [
                {"ConditionType": t["type"], "ConditionKey": t["key"], "ConditionValue": t["value"]}
                for t in i["selectionTags"]
            ]
        if i.get("conditions"):
            body["Conditions"] = _conditions(i["conditions"])
        made = self._client(request).create_backup_selection(BackupPlanId=i["planId"], BackupSelection=body)
        return State(made["SelectionId"], {"name": body["SelectionName"], "region": self._aws.region_of(request)})

    def update(self, request: Request) -> State:
        return State(request.id, {"name": request.outputs.get("name")})

    def read(self, request: Request) -> State | None:
        plan = request.inputs.get("planId") or request.outputs.get("planId")
        call = self._client(request).get_backup_selection
        found = self._found(call, BackupPlanId=plan, SelectionId=request.id)
        if found is None:
            return None
        outputs = {"name": found["BackupSelection"]["SelectionName"], "region": self._aws.region_of(request)}
        return State(request.id, outputs)

    def delete(self, request: Request) -> None:
        plan = request.inputs.get("planId") or request.outputs.get("planId")
        self._found(self._client(request).delete_backup_selection, BackupPlanId=plan, SelectionId=request.id)


def _conditions(groups: Any) -> dict[str, list[dict[str, str]]]:
    """As the API takes them; Pulumi has a list of groups with lists named as `stringEquals`."""
    found: dict[str, list[dict[str, str]]] = {}
    for group in groups if isinstance(groups, list) else [groups]:
        for operator, pairs in group.items():
            named = [{"ConditionKey": pair["key"], "ConditionValue": pair["value"]} for pair in pairs or []]
            found.setdefault(operator[:1].upper() + operator[1:], []).extend(named)
    return found


def _plan(request: Request) -> dict[str, Any]:
    return {
        "BackupPlanName": physical_name(request, "name"),
        "Rules": [_rule(rule) for rule in request.inputs["rules"]],
    }


_RULE = {
    "ruleName": "RuleName",
    "targetVaultName": "TargetBackupVaultName",
    "schedule": "ScheduleExpression",
    "scheduleExpressionTimezone": "ScheduleExpressionTimezone",
    "startWindow": "StartWindowMinutes",
    "completionWindow": "CompletionWindowMinutes",
    "enableContinuousBackup": "EnableContinuousBackup",
    "recoveryPointTags": "RecoveryPointTags",
}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    made = {member: rule[prop] for prop, member in _RULE.items() if rule.get(prop) is not None}
    if rule.get("lifecycle"):
        made["Lifecycle"] = _lifecycle(rule["lifecycle"])
    if rule.get("copyActions"):
        made["CopyActions"] = [
            {
                "DestinationBackupVaultArn": action["destinationVaultArn"],
                **({"Lifecycle": _lifecycle(action["lifecycle"])} if action.get("lifecycle") else {}),
            }
            for action in rule["copyActions"]
        ]
    return made


def _lifecycle(lifecycle: Mapping[str, Any]) -> dict[str, Any]:
    names = {"deleteAfter": "DeleteAfterDays", "coldStorageAfter": "MoveToColdStorageAfterDays"}
    return {names[k]: int(v) for k, v in lifecycle.items() if k in names and v is not None}


def _rule_found(rule: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {prop: rule[member] for prop, member in _RULE.items() if member in rule}
    if rule.get("Lifecycle"):
        told["lifecycle"] = {"deleteAfter": rule["Lifecycle"].get("DeleteAfterDays")}
    if rule.get("CopyActions"):
        told["copyActions"] = [{"destinationVaultArn": a["DestinationBackupVaultArn"]} for a in rule["CopyActions"]]
    return told


def _within(asked: Mapping[str, Any] | None, actual: Mapping[str, Any]) -> bool:
    return asked is not None and all(actual.get(k) == v for k, v in asked.items())
