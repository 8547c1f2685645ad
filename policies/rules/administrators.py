"""Administrators: no policy or role of the platform holds the whole account or project."""

from __future__ import annotations

from policies.checks import (
    PASS,
    expect,
    failed,
    is_hidden,
    read,
    shown,
    unknown,
)
from policies.documents import Statement
from policies.examples import Hidden, Output, allow, document, examples, given, put
from policies.family import Family
from policies.grants import each_allowed
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity

family = Family("Administrators")

_POLICIES = ("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy")
_ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
)
_PROJECT_GRANTS = ("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")
_ADMINISTRATOR_POLICIES = ("AdministratorAccess", "IAMFullAccess", "PowerUserAccess")


@family.rule(
    "aws-iam-no-full-admin",
    Severity.CRITICAL,
    "No IAM policy allows every action",
    types=_POLICIES,
    rationale="Whoever holds such a policy holds the account.",
    remedy="Name the actions that the task needs.",
    frameworks={Framework.AWS_FSBP: ("IAM.1",), Framework.CHECKOV: ("CKV_AWS_62", "CKV_AWS_63")},
    examples=lambda: examples(
        given(_POLICIES[1], {"policy": document(allow(Action=["s3:GetObject"], Resource="arn:aws:s3:::models/*"))}),
        broken={
            'policy.Statement.0.Action is "*"': (
                put("policy.Statement.0.Action", "*"),
                put("policy.Statement.0.Action.1", "*:*"),
            ),
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
        if statement.not_actions and statement.everything:
            return failed(f"{statement.path}.NotAction", "an Allow of all actions but some", "named actions")
        everything = any(action in ("*", "*:*") for action in statement.actions)
        return failed(f"{statement.path}.Action", '"*"', "named actions") if everything else PASS

    return each_allowed(policy, "policy", judge)


@family.rule(
    "aws-iam-no-admin-attached",
    Severity.HIGH,
    "No administrator policy is attached",
    types=_ATTACHMENTS,
    rationale="AWS' administrator policies open the account to whoever reaches the role.",
    remedy="Attach a policy for the task at hand.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_274",)},
    examples=lambda: examples(
        given(_ATTACHMENTS[0], {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}),
        broken={
            f'policyArn is "arn:aws:iam::aws:policy/{name}"': put("policyArn", f"arn:aws:iam::aws:policy/{name}")
            for name in _ADMINISTRATOR_POLICIES
        },
        undecided={"policyArn is known only to the provider": put("policyArn", Hidden())},
        accepted={"": put("policyArn", Output("aws:iam/policy:Policy"))},
    ),
)
def iam_no_admin_attached(attachment: Resource, inventory: Inventory) -> Judgement:
    arn = read(attachment, "policyArn")
    if is_hidden(arn):
        own = inventory.linked(attachment, "policyArn", "aws:iam/policy:Policy")
        return PASS if own else unknown("policyArn", "a policy that is not for administrators")
    if str(arn).endswith(tuple(f":policy/{name}" for name in _ADMINISTRATOR_POLICIES)):
        return failed("policyArn", shown(arn), "a policy for the task at hand")
    return PASS


@family.rule(
    "gcp-iam-no-broad-role",
    Severity.HIGH,
    "No owner, editor or admin role on the project",
    types=_PROJECT_GRANTS,
    rationale="A broad role reaches every resource of the project, not only this platform's.",
    remedy="Grant a role for the task at hand, on the resource rather than the project.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_117",)},
    examples=lambda: examples(
        given(_PROJECT_GRANTS[0], {"role": "roles/logging.logWriter"}),
        broken={
            f'role is "{role}"': put("role", role)
            for role in (
                "roles/owner",
                "roles/editor",
                "roles/storage.admin",
                "roles/resourcemanager.projectIamAdmin",
            )
        },
    ),
)
def gcp_no_broad_role(grant: Resource, _: Inventory) -> Judgement:
    basic = ("roles/owner", "roles/editor")
    return expect(
        grant, "role", "a role for the task at hand", lambda v: v not in basic and not v.lower().endswith("admin")
    )
