"""Rules for AWS keys and identities: rotated, and no wildcard where a name can stand."""

from __future__ import annotations

from collections.abc import Callable

from policies.checks import PASS, absent_or, all_of, at_least, equals, failed, is_hidden, read, shown, unknown
from policies.documents import Statement, statements
from policies.inventory import Inventory, Resource
from policies.links import KMS_KEY
from policies.model import Framework, Judgement, Rule, Severity

_POLICIES = ("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy")
_ROLE = "aws:iam/role:Role"
_ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
)
_DATA_ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ScheduleKeyDeletion",
    "secretsmanager:GetSecretValue",
)


def _judge_statements(resource: Resource, path: str, judge: Callable[[Statement], Judgement]) -> Judgement:
    found = statements(resource, path)
    return found if isinstance(found, Judgement) else all_of(judge(s) for s in found if s.allows)


def _no_full_admin(policy: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        if statement.not_actions and "*" in statement.resources:
            return failed(f"{statement.path}.NotAction", "an Allow of all actions but some", "named actions")
        everything = any(action in ("*", "*:*") for action in statement.actions)
        if everything:
            return failed(f"{statement.path}.Action", '"*"', "named actions")
        return PASS

    return _judge_statements(policy, "policy", judge)


def _no_wildcard_data(policy: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        touched = [action for action in _DATA_ACTIONS if statement.acts_on(action)]
        if touched and "*" in statement.resources and not statement.conditions:
            return failed(
                f"{statement.path}.Resource", f'"*" with {touched[0]}', "the ARNs of the data, or a condition"
            )
        return PASS

    return _judge_statements(policy, "policy", judge)


def _no_admin_attached(attachment: Resource, inventory: Inventory) -> Judgement:
    arn = read(attachment, "policyArn")
    if is_hidden(arn):
        own = inventory.linked(attachment, "policyArn", "aws:iam/policy:Policy")
        return PASS if own else unknown("policyArn", "a policy that is not for administrators")
    if str(arn).endswith((":policy/AdministratorAccess", ":policy/IAMFullAccess", ":policy/PowerUserAccess")):
        return failed("policyArn", shown(arn), "a policy for the task at hand")
    return PASS


def _trust_is_scoped(role: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        if statement.not_principals or (statement.anyone and not statement.conditions):
            return failed(f"{statement.path}.Principal", "everyone", "a named principal")
        if statement.acts_on("sts:AssumeRoleWithWebIdentity"):
            return _bound_to_one_subject(statement)
        return PASS

    return _judge_statements(role, "assumeRolePolicy", judge)


def _bound_to_one_subject(statement: Statement) -> Judgement:
    subjects = [
        value
        for operator in ("StringEquals", "ForAnyValue:StringEquals", "StringLike")
        for key, values in statement.conditions.get(operator, {}).items()
        if key.endswith(":sub")
        for value in values
    ]
    required = "one service account, without a wildcard"
    path = f"{statement.path}.Condition"
    if not subjects:
        return failed(path, "no condition on the token's subject", required)
    loose = [subject for subject in subjects if "*" in subject or "?" in subject]
    return failed(path, shown(loose), required) if loose else PASS


def _rotated(key: Resource, _: Inventory) -> Judgement:
    asymmetric = read(key, "customerMasterKeySpec")
    if isinstance(asymmetric, str) and asymmetric != "SYMMETRIC_DEFAULT" and not is_hidden(asymmetric):
        return PASS
    return equals(key, "enableKeyRotation", True)


def _no_public_key(key: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        if statement.not_principals or (statement.anyone and not statement.conditions):
            return failed(f"{statement.path}.Principal", "everyone, without a condition", "named principals")
        return PASS

    return absent_or(key, "policy", lambda: _judge_statements(key, "policy", judge))


def _slow_deletion(key: Resource, _: Inventory) -> Judgement:
    path = "deletionWindowInDays"
    return absent_or(key, path, lambda: at_least(key, path, 14, "days"))


AWS_IDENTITY: tuple[Rule, ...] = (
    Rule(
        id="aws-kms-rotated",
        severity=Severity.MEDIUM,
        title="KMS keys rotate",
        rationale="Rotation bounds how much data one key's material ever protects.",
        remedy="Set enableKeyRotation.",
        types=(KMS_KEY,),
        check=_rotated,
        frameworks={Framework.AWS_FSBP: ("KMS.4",), Framework.CHECKOV: ("CKV_AWS_7",)},
    ),
    Rule(
        id="aws-kms-no-public-principal",
        severity=Severity.CRITICAL,
        title="No KMS key may be used by everyone",
        rationale="A key policy that names everyone makes the encryption decorative.",
        remedy="Name the account and the services in the key's policy.",
        types=(KMS_KEY,),
        check=_no_public_key,
        frameworks={Framework.AWS_FSBP: ("KMS.5",), Framework.CHECKOV: ("CKV_AWS_33",)},
    ),
    Rule(
        id="aws-kms-slow-deletion",
        severity=Severity.HIGH,
        title="KMS keys are deleted slowly",
        rationale="A deleted key takes all that it encrypted; the window is the time there is to notice.",
        remedy="Set deletionWindowInDays to 14 or more, or leave it at the default of 30.",
        types=(KMS_KEY,),
        check=_slow_deletion,
        frameworks={Framework.AWS_FSBP: ("KMS.3",)},
    ),
    Rule(
        id="aws-iam-no-full-admin",
        severity=Severity.CRITICAL,
        title="No IAM policy allows every action",
        rationale="Whoever holds such a policy holds the account.",
        remedy="Name the actions that the task needs.",
        types=_POLICIES,
        check=_no_full_admin,
        frameworks={Framework.AWS_FSBP: ("IAM.1",), Framework.CHECKOV: ("CKV_AWS_62", "CKV_AWS_63")},
    ),
    Rule(
        id="aws-iam-no-wildcard-data",
        severity=Severity.HIGH,
        title="IAM policies name the data and keys that they open",
        rationale="A grant on every bucket, table or key reaches the data of all other workloads in the account.",
        remedy="List the ARNs, or bind the statement with a condition.",
        types=_POLICIES,
        check=_no_wildcard_data,
        frameworks={Framework.CHECKOV: ("CKV_AWS_355",)},
    ),
    Rule(
        id="aws-iam-no-admin-attached",
        severity=Severity.HIGH,
        title="No administrator policy is attached",
        rationale="AWS' administrator policies open the account to whoever reaches the role.",
        remedy="Attach a policy for the task at hand.",
        types=_ATTACHMENTS,
        check=_no_admin_attached,
        frameworks={Framework.CHECKOV: ("CKV_AWS_274",)},
    ),
    Rule(
        id="aws-iam-trust-scoped",
        severity=Severity.HIGH,
        title="Roles trust named principals, and one service account each",
        rationale="A trust policy without a subject lets every pod of the cluster, or everyone, assume the role.",
        remedy="Name the principal; for web identities add a StringEquals condition on the token's subject.",
        types=(_ROLE,),
        check=_trust_is_scoped,
        frameworks={Framework.CIS_EKS: ("5.2.1",), Framework.CHECKOV: ("CKV_AWS_60", "CKV_AWS_61")},
    ),
)
