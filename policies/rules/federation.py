"""Federation and deployers: tokens of one repository alone are taken, and no deployer makes a role above its own."""

from __future__ import annotations

import re

from common.iam.meaning import binds, covers_all_of
from common.permissions.dangers import MAKES_ROLES
from policies.aws_holders import DOCUMENT_TYPES
from policies.cel import every_way
from policies.checks import PASS, expect, failed, shown
from policies.examples import Hidden, allow, document, drop, examples, given, put
from policies.family import Family
from policies.google_iam import ACCOUNT_GRANTS, members_named
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.rights import Granted, judged
from policies.tokens import GCP_ACCOUNT_MEMBER, GCP_POOL_PROVIDER, IAM_POLICY

family = Family("Federation and deployers")

_ABOUT = r"(?:assertion|attribute)\.(?:repository(?:_id|_owner|_owner_id)?|sub|project_path|hd|tid)"
_TEXT = r"'[^'*]+'"
_COMPARES = re.compile(
    rf"{_ABOUT} == {_TEXT}|{_TEXT} == {_ABOUT}|{_ABOUT} in \[ {_TEXT}(?: , {_TEXT})* \]"
    r"|(?:assertion|google)\.(?:sub|subject)\.startsWith \( '[^'*]{8,}' \)"
)
_BOUNDARY = "iam:permissionsboundary"
_POOL = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github"


@family.rule(
    "gcp-federation-conditioned",
    Severity.HIGH,
    "Providers of workload identity take the tokens of named repositories alone",
    types=(GCP_POOL_PROVIDER,),
    rationale="GitHub signs tokens for everyone: without a condition every repository of the world can log in.",
    remedy="Set attributeCondition to compare assertion.repository, and the repository's number.",
    examples=lambda: examples(
        given(GCP_POOL_PROVIDER, {"attributeCondition": "assertion.repository == 'acme/seawall'"}),
        broken={
            "attributeCondition is absent": drop("attributeCondition"),
            'attributeCondition is ""': put("attributeCondition", ""),
            'attributeCondition is "true"': put("attributeCondition", "true"),
            **{
                f"attributeCondition is {shown(e)}": put("attributeCondition", e)
                for e in (
                    "assertion.repository == 'acme/seawall' || true",
                    "(assertion.repository == 'acme/seawall' || true)",
                    "!(assertion.repository == 'acme/seawall')",
                    "assertion.repository == 'acme/seawall' || !(false)",
                    "assertion.repository != ''",
                    "assertion.aud == 'sts'",
                    "assertion.ref == 'refs/heads/main'",
                )
            },
        },
        undecided={"attributeCondition is known only to the provider": put("attributeCondition", Hidden())},
    ),
)
def federation_conditioned(provider: Resource, _: Inventory) -> Judgement:
    return expect(provider, "attributeCondition", "a comparison of an assertion", _names_whose_tokens)


def _names_whose_tokens(expression: str) -> bool:
    """Whether each way to meet a condition compares an assertion about the repository, or its owner, with a value."""
    return every_way(expression, lambda atom: bool(_COMPARES.fullmatch(atom)))


@family.rule(
    "gcp-federation-members-narrow",
    Severity.HIGH,
    "Who acts as a service account from outside is one subject, or holds one attribute",
    types=ACCOUNT_GRANTS,
    rationale="A grant to a whole pool lets every workflow that the pool knows act as the account.",
    remedy="Name principal://…/subject/SUBJECT, or principalSet://…/attribute.NAME/VALUE.",
    examples=lambda: examples(
        given(
            GCP_ACCOUNT_MEMBER,
            {"role": "roles/browser", "member": f"principal://{_POOL}/subject/repo:acme/seawall:environment:dev"},
        ),
        broken={
            'member is "allUsers"': put("member", "allUsers"),
            f'member is "principalSet://{_POOL}/*"': put("member", f"principalSet://{_POOL}/*"),
            f'member is "principalSet://{_POOL}/attribute.actor/*"': put(
                "member", f"principalSet://{_POOL}/attribute.actor/*"
            ),
        },
        undecided={"member is known only to the provider": put("member", Hidden())},
        accepted={
            "": (
                put("member", f"principalSet://{_POOL}/attribute.repository/acme/seawall"),
                put("member", "serviceAccount:111122223333.svc.id.goog[serving/triton]"),
            )
        },
    ),
)
def federation_members_narrow(grant: Resource, inventory: Inventory) -> Judgement:
    return members_named(grant, inventory)


@family.rule(
    "aws-iam-makes-bounded-roles",
    Severity.HIGH,
    "Who may make roles makes them within a permissions boundary",
    types=DOCUMENT_TYPES,
    rationale="A deployer that makes roles without a boundary makes one that may do everything, and takes it on.",
    remedy="Add a StringEquals condition on iam:PermissionsBoundary to the statement.",
    examples=lambda: examples(
        given(
            IAM_POLICY,
            {
                "policy": document(
                    allow(
                        Action=["iam:CreateRole"],
                        Resource="arn:aws:iam::111122223333:role/seawall-dev-*",
                        Condition={"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/b"}},
                    )
                )
            },
        ),
        broken={
            "policy.Statement.0.Condition is no condition on iam:PermissionsBoundary with iam:CreateRole": (
                drop("policy.Statement.0.Condition"),
                put("policy.Statement.0.Condition", {"StringNotEquals": {"iam:PermissionsBoundary": "x"}}),
                put(
                    "policy.Statement.0.Condition",
                    {"Null": {"iam:PermissionsBoundary": "false"}},
                ),
            ),
            "policy.Statement.0.Condition is no condition on iam:PermissionsBoundary with iam:AttachRolePolicy": put(
                "policy.Statement.0", allow(Action=["iam:AttachRolePolicy"], Resource="*")
            ),
            'policy.Statement.0.Condition is ["*"]': put(
                "policy.Statement.0.Condition", {"StringLike": {"iam:PermissionsBoundary": "*"}}
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"": put("policy.Statement.0", allow(Action=["iam:GetRole"], Resource="*"))},
    ),
)
def iam_makes_bounded_roles(policy: Resource, inventory: Inventory) -> Judgement:
    seen = set[str]()

    def judge(given: Granted, _: str) -> Judgement:
        if given.path in seen or covers_all_of(given.allowed.statement, "iam"):  # the findings of other rules
            return PASS
        seen.add(given.path)
        path, required = f"{given.path}.Condition", "iam:PermissionsBoundary with one policy's ARN"
        told = [c for c in given.allowed.statement.conditions if c.key.lower() == _BOUNDARY]
        if any(binds(c) and not any(set("*?$") & set(v) for v in c.values) for c in told):
            return PASS
        asked = [c for c in told if "Not" not in c.operator.base and c.operator.base != "Null"]
        found = (
            shown(list(asked[0].values)) if asked else f"no condition on iam:PermissionsBoundary with {given.action}"
        )
        return failed(path, found, required)

    return judged(inventory, policy, MAKES_ROLES, judge)
