"""AWS policy documents and ARNs, made of names that are known before anything exists.

Documents name no key: AWS assigns a key's ARN, and a document that held one would be unreadable in every plan, diff
and policy verdict until the key exists; an alias anyone can move. Rights to a key are bound to what it encrypts
instead, by the encryption context that the service sends with each call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.contracts.naming import drill_name
from components.contracts.place import Place

Statement = Mapping[str, Any]
"""One statement of a policy document, as AWS spells it."""


def document(*statements: Statement) -> str:
    """The statements as one policy document, in a stable order of keys."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)


def allow(
    sid: str,
    actions: Sequence[str],
    resources: str | Sequence[str],
    *,
    principal: str | Mapping[str, Any] | None = None,
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """An Allow statement; `principal` is for resource policies only."""
    return _statement("Allow", sid, actions, resources, principal, condition)


def deny(
    sid: str,
    actions: Sequence[str],
    resources: str | Sequence[str],
    *,
    principal: str | Mapping[str, Any] = "*",
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """A Deny statement for everyone, unless `principal` narrows it."""
    return _statement("Deny", sid, actions, resources, principal, condition)


def _statement(
    effect: str,
    sid: str,
    actions: Sequence[str],
    resources: str | Sequence[str],
    principal: str | Mapping[str, Any] | None,
    condition: Mapping[str, Any] | None,
) -> Statement:
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": effect,
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    if principal is not None:
        statement["Principal"] = principal
    if condition:
        statement["Condition"] = condition
    return statement


def service(*names: str) -> Mapping[str, Any]:
    """AWS services as principals."""
    return {"Service": names[0] if len(names) == 1 else list(names)}


def service_trust(name: str, *, condition: Mapping[str, Any] | None = None) -> str:
    """A role that the AWS service `name` may assume."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": service(name), "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return document(statement)


def pod_trust(place: Place, cluster: str, namespace: str, service_account: str) -> str:
    """A role for the pods of exactly one service account of one cluster, through EKS Pod Identity.

    The association alone would bind it too; the conditions hold even if someone adds a second association.
    Pod Identity sends these tags with each request (EKS user guide, "ABAC with Pod Identity").
    """
    tags = {
        "aws:RequestTag/eks-cluster-arn": cluster_arn(place, cluster),
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": service_account,
    }
    return document(
        {
            "Effect": "Allow",
            "Principal": service("pods.eks.amazonaws.com"),
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": tags},
        }
    )


def bucket_key_access(
    sid: str, place: Place, bucket: str | Sequence[str], actions: Sequence[str], *, region: str = ""
) -> Statement:
    """Use of keys through S3, and only for what lies in one bucket, or in several.

    The encryption context is the bucket's ARN where it has a bucket key, as ours do, else the object's (Amazon S3
    user guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys", read 2026-11-21).
    """
    arns = [bucket_arn(name) for name in ([bucket] if isinstance(bucket, str) else bucket)]
    protected = [part for arn in arns for part in (arn, f"{arn}/*")]
    return _key_access(
        sid, place, actions, "s3", region or place.region, {"StringLike": {_CONTEXT + "s3:arn": protected}}
    )


def table_key_access(
    sid: str, place: Place, table: str | Sequence[str], actions: Sequence[str], *, region: str = ""
) -> Statement:
    """Use of keys through DynamoDB, and only for one table of this account, or for those that patterns name.

    The encryption context names both (DynamoDB developer guide, "Encryption at rest: how it works", read 2026-11-21).
    """
    named, owned = _CONTEXT + "dynamodb:tableName", {_CONTEXT + "dynamodb:subscriberId": place.account}
    context: Mapping[str, Mapping[str, str | list[str]]] = (
        {"StringEquals": {named: table, **owned}}
        if isinstance(table, str)
        else {"StringEquals": owned, "StringLike": {named: list(table)}}
    )
    return _key_access(sid, place, actions, "dynamodb", region or place.region, context)


_CONTEXT = "kms:EncryptionContext:aws:"


def _key_access(
    sid: str,
    place: Place,
    actions: Sequence[str],
    via: str,
    region: str,
    context: Mapping[str, Mapping[str, str | list[str]]],
) -> Statement:
    """Use of the account's keys in a region, only through one AWS service and for one encryption context."""
    service_name = {"kms:ViaService": f"{via}.{region}.amazonaws.com"}
    condition = {**context, "StringEquals": {**context.get("StringEquals", {}), **service_name}}
    return allow(sid, actions, f"arn:aws:kms:{region}:{place.account}:key/*", condition=condition)


def account_root(place: Place) -> str:
    """The account itself: as a principal it hands the decision to the account's IAM policies."""
    return f"arn:aws:iam::{place.account}:root"


def bucket_arn(name: str) -> str:
    """ARN of an S3 bucket."""
    return f"arn:aws:s3:::{name}"


def table_arn(place: Place, name: str, *, region: str = "") -> str:
    """ARN of a DynamoDB table, in the stack's region where no other is given."""
    return f"arn:aws:dynamodb:{region or place.region}:{place.account}:table/{name}"


def restored(place: Place, name: str) -> list[str]:
    """What a copy of `name` is called in the backup region: the runbook's name, and what a drill calls its own."""
    return [f"{name}-restored", f"{drill_name(place.environment)}*"]


def cluster_arn(place: Place, name: str) -> str:
    """ARN of an EKS cluster in the stack's region."""
    return f"arn:aws:eks:{place.region}:{place.account}:cluster/{name}"


def vault_arn(place: Place, name: str, region: str) -> str:
    """ARN of an AWS Backup vault."""
    return f"arn:aws:backup:{region}:{place.account}:backup-vault:{name}"


def managed_policy(name: str) -> str:
    """ARN of a policy that AWS maintains."""
    return f"arn:aws:iam::aws:policy/{name}"
