"""Rights to keys: what they hinge on is not for anyone else to move."""

from __future__ import annotations

from policies.aws_holders import DOCUMENT_TYPES, DOCUMENTS, paths_of
from policies.checks import PASS, absent_or, all_of, failed, shown
from policies.documents import Statement, statements
from policies.examples import Hidden, allow, document, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import IAM_ROLE_POLICY, KMS_KEY, KMS_KEY_POLICY

family = Family("Rights to keys")

_ALIASES = ("kms:resourcealiases", "kms:requestalias")


@family.rule(
    "aws-kms-no-alias-rights",
    Severity.HIGH,
    "Rights to a key do not hinge on its alias",
    types=DOCUMENT_TYPES,
    rationale="Whoever may move an alias to another key moves the rights with it, and takes them from the first.",
    remedy="Name the key's ARN, or bind the statement to kms:EncryptionContext and kms:ViaService.",
    examples=lambda: examples(
        given(
            IAM_ROLE_POLICY,
            {
                "policy": document(
                    allow(
                        Action=["kms:Decrypt"],
                        Resource="arn:aws:kms:eu-west-1:111122223333:key/*",
                        Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
                    )
                )
            },
            "rights",
        ),
        broken={
            "policy.Statement.0.Condition is kms:resourcealiases": (
                put(
                    "policy.Statement.0.Condition",
                    {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/data"}},
                ),
                put(
                    "policy.Statement.0",
                    {
                        "Effect": "Deny",
                        "Action": "kms:*",
                        "Resource": "*",
                        "Condition": {"ForAllValues:StringNotEquals": {"kms:ResourceAliases": "alias/data"}},
                    },
                ),
            ),
            "policy.Statement.0.Condition is kms:requestalias": put(
                "policy.Statement.0.Condition", {"StringLike": {"kms:RequestAlias": "alias/*"}}
            ),
            'policy.Statement.0.Resource is "arn:aws:kms:eu-west-1:111122223333:alias/data"': put(
                "policy.Statement.0.Resource", ["arn:aws:kms:eu-west-1:111122223333:alias/data"]
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": put(
                "policy.Statement.0",
                allow(Action="kms:UpdateAlias", Resource="arn:aws:kms:eu-west-1:111122223333:alias/data"),
            )
        },
    ),
)
def no_alias_rights(holder: Resource, _: Inventory) -> Judgement:
    return _free_of_aliases(holder)


@family.rule(
    "aws-kms-policy-no-alias",
    Severity.HIGH,
    "A key's own policy does not hinge on its aliases",
    types=(KMS_KEY, KMS_KEY_POLICY),
    rationale="Whoever may move the key's aliases decides who may use the key.",
    remedy="Leave out kms:ResourceAliases and kms:RequestAlias: the policy speaks of this key alone.",
    examples=lambda: examples(
        given(
            KMS_KEY, {"policy": document(allow(Principal={"AWS": "arn:aws:iam::111122223333:root"}, Action="kms:*"))}
        ),
        broken={
            "policy.Statement.1.Condition is kms:requestalias": put(
                "policy.Statement.1",
                allow(
                    Principal={"AWS": "arn:aws:iam::111122223333:role/one"},
                    Action="kms:Decrypt",
                    Condition={"StringEquals": {"kms:RequestAlias": "alias/data"}},
                ),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": put("policy.Statement.0.Condition", {"StringEquals": {"kms:CallerAccount": "111122223333"}}),
            "policy is left to its safe default": drop("policy"),
        },
    ),
)
def policy_no_alias(key: Resource, _: Inventory) -> Judgement:
    return absent_or(key, "policy", lambda: _free_of_aliases(key))


def _free_of_aliases(holder: Resource) -> Judgement:
    paths = paths_of(holder) if holder.type in DOCUMENTS else ("policy",)
    return all_of(_document_free_of_aliases(holder, path) for path in paths)


def _document_free_of_aliases(holder: Resource, path: str) -> Judgement:
    found = statements(holder, path)
    return found if isinstance(found, Judgement) else all_of(_names_no_alias(statement) for statement in found)


def _names_no_alias(statement: Statement) -> Judgement:
    keys = {condition.key.lower() for condition in statement.conditions}
    used = next((alias for alias in _ALIASES if alias in keys), None)
    if used:
        return failed(f"{statement.path}.Condition", used, "a condition that no alias decides")
    alias = next((r for r in statement.resources if ":kms:" in r and ":alias/" in r), None)
    if alias and any(statement.acts_on(action) for action in ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")):
        return failed(f"{statement.path}.Resource", shown(alias), "the key's ARN")
    return PASS
