"""Administrators: no policy or role of the platform holds the whole account."""

from __future__ import annotations

from common.permissions import aws_managed
from policies.aws_holders import ATTACHMENT_TYPES, DOCUMENT_TYPES, attached_to, named_policies, paths_of, policy_named
from policies.checks import PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.documents import Statement, statements
from policies.examples import Hidden, Output, Text, allow, both, document, examples, given, put
from policies.family import Family
from policies.grants import each_allowed
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.rights import is_admin
from policies.tokens import IAM_POLICY, IAM_ROLE, IAM_ROLE_ATTACHMENT, IAM_ROLE_POLICY

family = Family("Administrators")

_POLICIES = DOCUMENT_TYPES
_SERVICE_POLICY = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
_RUNS_ANYTHING = ("ec2.", "lambda.", "pods.eks.", "ecs-tasks.", "codebuild.", "sagemaker.", "glue.", "batch.", "ssm.")
"""Services that run code of one's own with the role: what the role may do, that code may do."""


@family.rule(
    "aws-iam-no-full-admin",
    Severity.CRITICAL,
    "No IAM policy allows every action",
    types=_POLICIES,
    rationale="Whoever holds such a policy holds the account.",
    remedy="Name the actions that the task needs.",
    frameworks={Framework.AWS_FSBP: ("IAM.1",), Framework.CHECKOV: ("CKV_AWS_62", "CKV_AWS_63")},
    examples=lambda: examples(
        given(
            IAM_ROLE_POLICY, {"policy": document(allow(Action=["s3:GetObject"], Resource="arn:aws:s3:::models/*"))}
        ),
        broken={
            'policy.Statement.0.Action is "*"': put("policy.Statement.0.Action", "*"),
            'policy.Statement.0.Action is "*:*"': put("policy.Statement.0.Action", ["s3:GetObject", "*:*"]),
            'policy.Statement.0.Action is "**"': put("policy.Statement.0.Action", "**"),
            'policy.Statement.0.Action is "?*"': put("policy.Statement.0", allow(Action="?*", Resource="*")),
            "policy.Statement.0.NotAction is an Allow of all actions but some": put(
                "policy.Statement.0", allow(NotAction="iam:*", Resource="*")
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": (
                put("policy.Statement.0", allow(Action="s3:ListAllMyBuckets", Resource="*")),
                put("policy.Statement.0", allow(NotAction="s3:PutObject", Resource="arn:aws:s3:::models/*")),
            )
        },
    ),
)
def iam_no_full_admin(policy: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        if not is_admin(statement):
            return PASS
        if statement.meaning.not_actions is not None:
            return failed(f"{statement.path}.NotAction", "an Allow of all actions but some", "named actions")
        widest = min(statement.actions, key=len)
        return failed(f"{statement.path}.Action", shown(widest), "named actions")

    return all_of(each_allowed(policy, path, judge) for path in paths_of(policy))


@family.rule(
    "aws-iam-no-admin-attached",
    Severity.HIGH,
    "No policy of AWS' own that opens the account is attached",
    types=ATTACHMENT_TYPES,
    rationale="AWS' broad policies open all of the account's data or rights to whoever reaches the role.",
    remedy="Attach a policy for the task at hand.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_274",), Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(
            IAM_ROLE_ATTACHMENT,
            {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "role": Output(IAM_ROLE, "node")},
        ),
        given(IAM_ROLE, {"assumeRolePolicy": _trusts("ec2.amazonaws.com")}, "node"),
        broken={
            f'policyArn is "arn:aws:iam::aws:policy/{name}", which opens {what}': put(
                "policyArn", f"arn:aws:iam::aws:policy/{name}"
            )
            for name, what in {
                "AdministratorAccess": "everything",
                "PowerUserAccess": "everything",
                "IAMFullAccess": "iam:CreatePolicyVersion",
                "AmazonS3FullAccess": "s3:PutBucketPolicy",
                "AmazonS3ReadOnlyAccess": "s3:GetObject",
                "AmazonDynamoDBReadOnlyAccess": "dynamodb:GetItem",
                "ReadOnlyAccess": "s3:GetObject",
                "service-role/AWSBackupServiceRolePolicyForBackup": "eks:CreateAccessEntry",
            }.items()
        },
        undecided={
            "policyArn is known only to the provider": put("policyArn", Hidden()),
            'policyArn is "arn:aws:iam::111122223333:policy/elsewhere"': put(
                "policyArn", "arn:aws:iam::111122223333:policy/elsewhere"
            ),
            'policyArn is "arn:aws:iam::aws:policy/OfNextYear"': put(
                "policyArn", "arn:aws:iam::aws:policy/OfNextYear"
            ),
        },
        accepted={
            "": (
                put("policyArn", Output(IAM_POLICY)),
                both(
                    put("policyArn", _SERVICE_POLICY),
                    put("assumeRolePolicy", _trusts("backup.amazonaws.com"), on=IAM_ROLE, name="node"),
                ),
            ),
        },
    ),
)
def iam_no_admin_attached(attachment: Resource, inventory: Inventory) -> Judgement:
    return all_of(_attached(attachment, inventory, path) for path in named_policies(attachment))


def _attached(attachment: Resource, inventory: Inventory, path: str) -> Judgement:
    required = "a policy for the task at hand"
    arn = read(attachment, path)
    if policy_named(inventory, attachment, path) is not None:
        return PASS
    if is_hidden(arn):
        return unknown(path, required)
    opened = aws_managed.opens(str(arn)) if aws_managed.is_managed(str(arn)) else None
    if opened is None:
        return unknown(path, required, shown(arn))
    if not opened or (aws_managed.is_for_services(str(arn)) and _for_services(attachment, inventory)):
        return PASS
    what = "everything" if opened == "*" else opened.split(" ", 1)[1]
    return failed(path, f"{shown(arn)}, which opens {what}", required)


def _for_services(attachment: Resource, inventory: Inventory) -> bool:
    """Whether whom a policy is attached to are roles that a service of AWS alone takes on, for its own work."""
    found = [holder.resource for holder in attached_to(inventory, attachment)]
    return bool(found) and all(role.type == IAM_ROLE and _trusts_services_alone(role) for role in found)


def _trusts_services_alone(role: Resource) -> bool:
    trusted = statements(role, "assumeRolePolicy")
    if isinstance(trusted, Judgement):
        return False
    named = [entry for s in trusted if s.allows for entry in s.meaning.principals or (("*", "*"),)]
    return bool(named) and all(kind == "Service" and not name.startswith(_RUNS_ANYTHING) for kind, name in named)


def _trusts(service: str) -> Text:
    return document(allow(Principal={"Service": service}, Action="sts:AssumeRole"))
