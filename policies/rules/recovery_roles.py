"""Roles on AWS by which points are made and events are carried: each is its service's to take, and may do it."""

from __future__ import annotations

from typing import Final

from common.iam.evaluation import Principal, Request, refused
from policies.aws_holders import holders
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, passed, read, shown, unknown
from policies.examples import Output, allow, both, document, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import aws_region_of, region_in
from policies.model import Framework, Judgement, Severity
from policies.role_rights import NO_ROLE, attached_policies, may_all, role_arn, role_of, trust_of, trusts
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_SELECTION, EVENT_TARGET, IAM_ROLE, IAM_ROLE_ATTACHMENT, IAM_ROLE_POLICY

family = Family("Roles of recovery")

_FOR_BACKUP: Final = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
_FOR_RESTORES: Final = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores"
_NONE_RESTORES: Final = "no role of the stack is AWS Backup's to restore with"
_CP9: Final = {Framework.NIST_800_53: ("CP-9",)}


@family.rule(
    "aws-backup-role-may",
    Severity.HIGH,
    "The role of a backup selection may back up, and another may restore",
    types=(BACKUP_SELECTION,),
    rationale="A selection whose role may not back up selects nothing, and a point that no role may restore is lost.",
    remedy="Attach AWS Backup's own policies to roles that backup.amazonaws.com may take, and deny them nothing.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(BACKUP_SELECTION, {"iamRoleArn": Output(IAM_ROLE, "backs-up")}, "by-a-role"),
        given(IAM_ROLE, {"name": "backs-up", "assumeRolePolicy": trust_of("backup.amazonaws.com")}, "backs-up"),
        given(IAM_ROLE_ATTACHMENT, {"role": "backs-up", "policyArn": _FOR_BACKUP}, "backs-up"),
        given(IAM_ROLE, {"name": "restores", "assumeRolePolicy": trust_of("backup.amazonaws.com")}, "restores"),
        given(IAM_ROLE_ATTACHMENT, {"role": "restores", "policyArn": _FOR_RESTORES}, "restores"),
        broken={
            "backs-up has not AWSBackupServiceRolePolicyForBackup": (
                without(IAM_ROLE_ATTACHMENT, "backs-up"),
                put("policyArn", _FOR_RESTORES, IAM_ROLE_ATTACHMENT, "backs-up"),
            ),
            "backs-up.assumeRolePolicy is not for backup.amazonaws.com": put(
                "assumeRolePolicy", trust_of("ec2.amazonaws.com"), IAM_ROLE, "backs-up"
            ),
            _NONE_RESTORES: (
                without(IAM_ROLE, "restores"),
                without(IAM_ROLE_ATTACHMENT, "restores"),
                put("assumeRolePolicy", trust_of("ec2.amazonaws.com"), IAM_ROLE, "restores"),
            ),
            'iamRoleArn is "arn:aws:iam::999988887777:role/x"': both(
                put("iamRoleArn", "arn:aws:iam::999988887777:role/x")
            ),
        },
        accepted={NO_ROLE: drop("iamRoleArn")},
    ),
)
def aws_backup_role_may(selection: Resource, inventory: Inventory) -> Judgement:
    role = role_of(inventory, selection, "iamRoleArn")
    if isinstance(role, Judgement):
        return role
    attached = inventory.derived(attached_policies)
    has = _FOR_BACKUP in attached.get(role.urn, set())
    name = _FOR_BACKUP.rpartition("/")[2]
    return all_of(
        (
            trusts(inventory, role, "backup.amazonaws.com"),
            passed() if has else failed("", f"{role.name} has not {name}", f"{name}, attached to the role"),
            _denied_nothing(inventory, role, selection),
            _somebody_restores(inventory, attached),
        )
    )


def _denied_nothing(inventory: Inventory, role: Resource, selection: Resource) -> Judgement:
    held = holders(inventory).by_urn[role.urn].policies
    listed = read(selection, "resources")
    tables = [r for r in listed if not is_hidden(r)] if isinstance(listed, list) else []
    account, region = SettingsView.of(inventory.settings).account, region_in(selection)
    vault = f"arn:aws:backup:{region}:{account}:backup-vault:x"
    asked = [("backup:CopyFromBackupVault", vault), ("backup:CopyIntoBackupVault", vault)]
    asked += [
        (f"dynamodb:{a}", str(t)) for t in tables for a in ("CreateBackup", "StartAwsBackupJob", "DescribeTable")
    ]
    principal = Principal.role(role_arn(inventory, role))
    return all_of(
        failed(role.name, f"denied {action}", "no denial of what a backup takes")
        for action, resource in asked
        if refused(held, Request(principal, action, resource)) is not None
    )


def _somebody_restores(inventory: Inventory, attached: dict[str, set[str]]) -> Judgement:
    for role in inventory.of_type(IAM_ROLE):
        is_there = _FOR_RESTORES in attached.get(role.urn, set())
        if is_there and trusts(inventory, role, "backup.amazonaws.com") == PASS:
            return passed()
    return failed("", _NONE_RESTORES, f"a role with {_FOR_RESTORES.rpartition('/')[2]}")


@family.rule(
    "aws-events-carried",
    Severity.HIGH,
    "What carries events to another region may, and carries them as they are",
    types=(EVENT_TARGET,),
    rationale="An alarm of the backup region hears nothing of what a target without rights, or with a text, sends.",
    remedy="Give the target a role that events.amazonaws.com may take and that may PutEvents there, and no input.",
    frameworks={Framework.NIST_800_53: ("SI-4",)},
    examples=lambda: examples(
        given(
            EVENT_TARGET,
            {
                "rule": "far",
                "arn": "arn:aws:events:eu-central-1:111122223333:event-bus/default",
                "roleArn": Output(IAM_ROLE, "carries"),
            },
            "far",
        ),
        given(IAM_ROLE, {"name": "carries", "assumeRolePolicy": trust_of("events.amazonaws.com")}, "carries"),
        given(
            IAM_ROLE_POLICY,
            {
                "role": "carries",
                "policy": document(
                    allow(
                        Action="events:PutEvents",
                        Resource="arn:aws:events:eu-central-1:111122223333:event-bus/default",
                    )
                ),
            },
            "carries",
        ),
        broken={
            "roleArn is absent": drop("roleArn"),
            'input is "{}"': put("input", "{}"),
            "carries is may not events:PutEvents on arn:aws:events:eu-central-1:111122223333:event-bus/default": (
                without(IAM_ROLE_POLICY, "carries"),
                put(
                    "policy.Statement.0.Resource",
                    "arn:aws:events:eu-west-1:1:event-bus/x",
                    IAM_ROLE_POLICY,
                    "carries",
                ),
            ),
            "carries.assumeRolePolicy is not for events.amazonaws.com": put(
                "assumeRolePolicy", trust_of("ec2.amazonaws.com"), IAM_ROLE, "carries"
            ),
        },
        accepted={"it leads to no other region": put("arn", "arn:aws:logs:eu-west-1:111122223333:log-group:x")},
    ),
)
def aws_events_carried(target: Resource, inventory: Inventory) -> Judgement:
    bus = read(target, "arn")
    if is_hidden(bus) and not inventory.linked(target, "arn"):
        return unknown("arn", "where it leads")
    if not isinstance(bus, str) or ":event-bus/" not in bus or aws_region_of(bus) in ("", region_in(target)):
        return passed("it leads to no other region")
    texts = [p for p in ("input", "inputPath", "inputTransformer") if read(target, p) is not ABSENT]
    changed = [failed(path, shown(read(target, path)), "the event as it is") for path in texts]
    if read(target, "roleArn") is ABSENT:
        return all_of((*changed, failed("roleArn", "absent", "a role that may put events there")))
    role = role_of(inventory, target, "roleArn")
    if isinstance(role, Judgement):
        return all_of((*changed, role))
    asked = may_all(inventory, role, [("events:PutEvents", bus, {})])
    return all_of((*changed, trusts(inventory, role, "events.amazonaws.com"), asked))
