"""Rights of roles end with them: pods leave nothing behind, and no role takes on another."""

from __future__ import annotations

from typing import Final

from common.iam.meaning import arn_covers, narrows_resource
from policies.aws_holders import DOCUMENT_TYPES, Holder, holders
from policies.buckets import s3_names
from policies.checks import PASS, failed, shown
from policies.declared_access import principals
from policies.documents import statements
from policies.examples import Hidden, allow, document, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.rights import Granted, judged, judged_grants, made_here
from policies.tokens import IAM_ROLE, IAM_ROLE_POLICY, S3_BUCKET

family = Family("Rights that end with their role")

_POD_WRITES: Final = (
    "s3:PutObject", "s3:DeleteObject", "s3:ReplicateObject", "dynamodb:PutItem", "dynamodb:UpdateItem",
    "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete", "ecr:PutImage", "ecr:CompleteLayerUpload", "ec2:RunInstances",
    "ec2:TerminateInstances", "ec2:StopInstances", "ec2:ModifySnapshotAttribute", "ec2:CreateTags",
    "ec2:AuthorizeSecurityGroupIngress", "autoscaling:SetDesiredCapacity",
    "autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup",
    "autoscaling:CreateLaunchConfiguration", "eks:UpdateNodegroupConfig", "eks:DeleteNodegroup", "sns:Publish",
    "sqs:SendMessage", "lambda:InvokeFunction", "backup:StartBackupJob",
    "backup:StartRestoreJob", "secretsmanager:PutSecretValue", "ssm:PutParameter",
)  # fmt: skip
"""Actions by which what a pod is made to do leaves something behind, or changes what others rely on."""
_NARROW: Final = frozenset({"autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"})
"""What the cluster's autoscaler does to the groups that carry its tag."""
_READS: Final = allow(Action=["s3:GetObject"], Resource="arn:aws:s3:::models/*")
_CODE: Final = ("pods.eks.amazonaws.com", ":oidc-provider/oidc.eks.")


def _taken_by(**principal: str) -> dict[str, object]:
    return allow(Principal=principal, Action=["sts:AssumeRole", "sts:TagSession"])


@family.rule(
    "aws-pods-leave-nothing",
    Severity.HIGH,
    "What pods may do on AWS is to read, and to resize the cluster's own groups",
    types=DOCUMENT_TYPES,
    rationale="Pods face requests: what one of them is made to do must not stay in models, features or images.",
    remedy="Give the right to a role that people or workflows take on; bind the autoscaler's to its own tag.",
    frameworks={Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(IAM_ROLE_POLICY, {"role": "serves", "policy": document(_READS)}, "serves"),
        given(IAM_ROLE, {"name": "serves", "assumeRolePolicy": document(_taken_by(Service=_CODE[0]))}, "serves"),
        broken={
            "policy.Statement.1 is s3:PutObject for pods": put(
                "policy.Statement.1", allow(Action="s3:Put?bject", Resource="arn:aws:s3:::models/*")
            ),
            "policy.Statement.1 is dynamodb:PutItem for pods": put(
                "policy.Statement.1",
                allow(Action="dynamodb:PutItem", Resource="arn:aws:dynamodb:eu-west-1:111122223333:table/features"),
            ),
            "policy.Statement.1 is autoscaling:SetDesiredCapacity for pods": put(
                "policy.Statement.1", allow(Action="autoscaling:SetDesiredCapacity", Resource="*")
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": (
                put("role", "learns"),
                put(
                    "policy.Statement.1",
                    allow(
                        Action="autoscaling:SetDesiredCapacity",
                        Resource="*",
                        Condition={"StringEquals": {"aws:ResourceTag/cluster": "owned"}},
                    ),
                ),
            )
        },
    ),
)
def pods_leave_nothing(document_: Resource, inventory: Inventory) -> Judgement:
    def judge(given: Granted, path: str) -> Judgement:
        if not any(_of_pods(holder) for holder in _held(inventory, document_, path)):
            return PASS
        if given.action in _NARROW and narrows_resource(given.allowed.statement.conditions):
            return PASS
        return failed(given.path, f"{given.action} for pods", "rights to read")

    return judged(inventory, document_, _POD_WRITES, judge)


def _held(inventory: Inventory, document_: Resource, path: str) -> tuple[Holder, ...]:
    return holders(inventory).by_document.get((document_.urn, path), ())


def _of_pods(holder: Holder) -> bool:
    return any(mark in name for _, name in _takers(holder) for mark in _CODE)


def _of_services(holder: Holder) -> bool:
    """Whether a role is no workflow's: those come from outside, and step from role to role."""
    takers = _takers(holder)
    return holder.resource.type == IAM_ROLE and not any(
        kind == "Federated" and _CODE[1] not in name for kind, name in takers
    )


def _takers(holder: Holder) -> tuple[tuple[str, str], ...]:
    """(kind, name) of whoever may take on a role."""
    if holder.resource.type != IAM_ROLE:
        return ()
    found = statements(holder.resource, "assumeRolePolicy")
    listed = () if isinstance(found, Judgement) else found
    return tuple(entry for s in listed if s.allows for entry in s.meaning.principals or ())


@family.rule(
    "aws-iam-roles-not-chained",
    Severity.HIGH,
    "No role that a service or another role takes on takes on one that runs or changes the stack",
    types=DOCUMENT_TYPES,
    rationale="A role that takes on another holds the other's rights too, which no review of its own policy shows.",
    remedy="Give the role what it needs itself, or let people take on the other one.",
    frameworks={Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(IAM_ROLE_POLICY, {"role": "ends-here", "policy": document(_READS)}, "ends-here"),
        given(IAM_ROLE, {"name": "ends-here", "assumeRolePolicy": document(_by_deployer())}, "ends-here"),
        broken={
            f'policy.Statement.1.Resource is "arn:aws:iam::111122223333:role/{name}" with sts:AssumeRole': put(
                "policy.Statement.1", allow(Action=action, Resource=f"arn:aws:iam::111122223333:role/{name}")
            )
            for name, action in {
                "ends-here": "sts:AssumeRole",
                "deploys": "sts:Assume?ole",
                "deplo*": "sts:AssumeRole",
                "platform/admin": "STS:AssumeRole",
            }.items()
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": put(
                "policy.Statement.1",
                allow(Action="sts:AssumeRole", Resource="arn:aws:iam::111122223333:role/reporting"),
            )
        },
    ),
)
def roles_not_chained(document_: Resource, inventory: Inventory) -> Judgement:
    strong = inventory.derived(_strong_roles)

    def judge(given: Granted, path: str) -> Judgement:
        if given.allowed.widest or not any(_of_services(holder) for holder in _held(inventory, document_, path)):
            return PASS
        # A pattern of accounts is a finding of aws-iam-no-escalation.
        patterns = [arn for arn in given.allowed.resources if not set("*?") & set("".join(arn.split(":")[4:5]))]
        taken = next((arn for arn in patterns if any(arn_covers(arn, role) for role in strong)), "")
        found = f"{shown(taken)} with {given.action}"
        return failed(f"{given.path}.Resource", found, "no role that it takes on") if taken else PASS

    return judged(inventory, document_, ("sts:AssumeRole",), judge)


def _strong_roles(inventory: Inventory) -> tuple[str, ...]:
    """The plan's roles, those that its trusts name, and the administrators that the settings name."""
    own = {made.arn for made in made_here(inventory) if made.resource.type == IAM_ROLE}
    trusts = [found for role in inventory.of_type(IAM_ROLE) for found in (statements(role, "assumeRolePolicy"),)]
    trusted = {
        name
        for found in trusts
        for s in (() if isinstance(found, Judgement) else found)
        for name in (*s.principals, *(value for c in s.conditions for value in c.values))
        if ":role/" in name
    }
    return tuple(sorted({*own, *trusted, *principals(inventory)}))


def _by_deployer() -> dict[str, object]:
    return allow(
        Principal={"AWS": "arn:aws:iam::111122223333:root"},
        Action="sts:AssumeRole",
        Condition={"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/deploys"}},
    )


@family.rule(
    "aws-iam-replicates-to-stack",
    Severity.HIGH,
    "Roles replicate objects to buckets of the stack alone",
    types=DOCUMENT_TYPES,
    rationale="Who replicates to a bucket that nobody planned copies all models out, quietly and for ever.",
    remedy="Name the bucket of the backup region, which the stack makes.",
    frameworks={Framework.NIST_800_53: ("AC-4", "AC-20")},
    examples=lambda: examples(
        given(
            IAM_ROLE_POLICY,
            {"policy": document(allow(Action=["s3:ReplicateObject"], Resource="arn:aws:s3:::far-copy/*"))},
            "far-copy",
        ),
        given(S3_BUCKET, {"bucket": "far-copy"}, "far-copy", away=True),
        broken={
            f'policy.Statement.0.Resource is "{arn}" with s3:ReplicateObject': put("policy.Statement.0.Resource", arn)
            for arn in ("arn:aws:s3:::elsewhere/*", "arn:aws:s3:::far-copy*/*")
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"": put("policy.Statement.0.Resource", "arn:aws:s3:::far-copy/releases/*")},
    ),
)
def replicates_to_stack(document_: Resource, inventory: Inventory) -> Judgement:
    known = inventory.derived(_planned_buckets)

    def judge(given: Granted, _: str) -> Judgement:
        if given.allowed.widest:
            return PASS
        elsewhere = [arn for arn in given.allowed.resources if arn.split("/", 1)[0] not in known]
        found = f"{shown(elsewhere[0])} with {given.action}" if elsewhere else ""
        return failed(f"{given.path}.Resource", found, "buckets of the stack") if elsewhere else PASS

    return judged_grants(inventory, document_, ("s3:ReplicateObject", "s3:ReplicateDelete"), judge)


def _planned_buckets(inventory: Inventory) -> frozenset[str]:
    return frozenset(f"arn:aws:s3:::{name}" for b in inventory.of_type(S3_BUCKET) for name in s3_names(b))
