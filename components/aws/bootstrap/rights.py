"""What the plan and deploy roles may do, from the table of permissions; and the boundary of what a deployer makes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from common.permissions import needed
from common.permissions.aws import AWS, scope_of
from components.aws.bootstrap.state import bootstrap_stack, key_tags, state_bucket
from components.aws.documents import Statement, allow, bucket_arn, deny, document
from components.contracts.bootstrap import Deploys
from components.contracts.naming import PRODUCT, boundary_name
from components.contracts.place import Place
from components.contracts.vocabulary import Cloud

DOCUMENT_MAX: Final = 6144
"""Most characters of a managed policy, white space not counted (IAM quotas, believed, 2026-11-21)."""

OWNERS_ALONE: Final = frozenset(
    {
        "aws:budgets/budget:Budget",
        "aws:ebs/encryptionByDefault:EncryptionByDefault",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        "aws:iam/policy:Policy",
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
    }
)
"""Types that bootstrap makes, and that no deployer may make or change."""

_STORES: Final[Mapping[str, str]] = {"dynamodb": "aws:dynamodb/", "valkey": "aws:elasticache/"}
"""Kind of feature store → how its types begin."""

_BOUNDED: Final = frozenset(
    {
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePolicy",
    }
)
"""What can be limited to roles with a given boundary (condition key `iam:PermissionsBoundary`)."""
_PASSED_TO: Final = (
    "backup.amazonaws.com",
    "ec2.amazonaws.com",
    "ecr.amazonaws.com",
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "s3.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
_LINKED_SERVICES: Final = (
    "autoscaling.amazonaws.com",
    "backup.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "eks.amazonaws.com",
    "elasticache.amazonaws.com",
    "pullthroughcache.ecr.amazonaws.com",
    "replication.ecr.amazonaws.com",
    "spot.amazonaws.com",
)
_KEY_USE: Final = frozenset({"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:RetireGrant"})
_KEY_MANAGEMENT: Final = frozenset(
    {
        "kms:DisableKeyRotation",
        "kms:EnableKeyRotation",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateKeyDescription",
    }
)
_ALIASES: Final = frozenset({"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"})
_GLOBAL: Final = ("iam:", "route53:", "s3:", "sts:")
"""Services without a region of their own in a request."""

_NAMED: Final[Mapping[str, str]] = {"ecr": "{prefix}/*", "logs": "*{prefix}*"}
"""Service → how a stack's names begin where it is not by the prefix and a hyphen: images lie in a folder."""

_WORKLOADS: Final = (
    "autoscaling:*",
    "backup:*",
    "cloudwatch:*",
    "ec2:*",
    "ecr:*",
    "eks:*",
    "eks-auth:*",
    "elasticache:*",
    "elasticloadbalancing:*",
    "logs:*",
    "sns:Publish",
    "sts:GetCallerIdentity",
    "tag:GetResources",
)
"""What roles of a platform stack can be allowed at most; buckets and tables by their names beside it."""


def types_of(deploys: Deploys) -> tuple[str, ...]:
    """The types that the stack of an environment may have, sorted: all but those of other feature stores."""
    absent = [begin for kind, begin in _STORES.items() if kind != deploys.feature_store]
    return tuple(sorted(t for t in AWS if t not in OWNERS_ALONE and not any(t.startswith(begin) for begin in absent)))


def read_statements(place: Place, deploys: Sequence[Deploys]) -> list[Statement]:
    """To see how everything of these environments is configured, and nothing of what it holds."""
    types = {token for one in deploys for token in types_of(one)}
    return [allow("ReadConfiguration", sorted(needed(AWS, types, "read")), "*", condition=_in(place, deploys))]


def write_statements(place: Place, deploys: Deploys) -> list[Statement]:
    """To make, change and delete what an environment's stack has, by name or by region where it has no name yet."""
    actions = needed(AWS, types_of(deploys))
    roles = f"arn:aws:iam::{place.account}:role/{deploys.prefix}-*"
    keys = f"arn:aws:kms:*:{place.account}:key/*"
    stack = deploys.stack(Cloud.AWS)
    boundary = {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(place, deploys)}}
    special = [
        allow("RolesWithinTheBoundary", sorted(actions & _BOUNDED), roles, condition=boundary),
        allow(
            "PassRoles", ["iam:PassRole"], roles, condition={"StringEquals": {"iam:PassedToService": [*_PASSED_TO]}}
        ),
        allow(
            "ServiceLinkedRoles",
            ["iam:CreateServiceLinkedRole"],
            f"arn:aws:iam::{place.account}:role/aws-service-role/*",
            condition={"StringEquals": {"iam:AWSServiceName": [*_LINKED_SERVICES]}},
        ),
        # A key has no tags while it is made with some: then it is told by those that are asked for.
        allow(
            "MakeKeys",
            ["kms:CreateKey", "kms:TagResource"],
            "*",
            condition={"StringEquals": {"aws:RequestTag/stack": stack}, "Null": {"aws:ResourceTag/stack": "true"}},
        ),
        allow(
            "ManageKeys",
            sorted(actions & _KEY_MANAGEMENT),
            keys,
            condition={"StringEquals": {"aws:ResourceTag/stack": stack}},
        ),
        # Only as part of a request to a service that encrypts: nothing is decrypted for the deployer itself.
        allow(
            "UseKeysThroughServices",
            sorted(actions & _KEY_USE),
            keys,
            condition={"Null": {"kms:ViaService": "false"}},
        ),
        allow(
            "GrantKeysToServices",
            ["kms:CreateGrant"],
            keys,
            condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        # IAM asks for both: the alias, by its name, and the key that it points to.
        allow(
            "Aliases",
            sorted(actions & _ALIASES),
            [keys, f"arn:aws:kms:*:{place.account}:alias/{deploys.prefix}-*"],
        ),
    ]
    done = {action for statement in special for action in statement["Action"]}
    return [*special, *_by_scope(place, deploys, actions - done), *_never(place)]


def state_statements(place: Place, stacks: Iterable[str], *, write: bool) -> list[Statement]:
    """Pulumi's state of these stacks, its locks and its history, and the keys it is encrypted with.

    Pulumi's files: `.pulumi/{stacks,history,locks,backups}/…/<project>/<stack>…` (pkg/backend/diy of pulumi 3.259).
    """
    bucket = bucket_arn(state_bucket(place))
    own = [f"{bucket}/.pulumi/*{PRODUCT}/{stack}{end}" for stack in stacks for end in (".*", "/*")]
    objects = ["s3:GetObject", *(["s3:DeleteObject", "s3:PutObject"] if write else [])]
    through_s3 = {"kms:ViaService": f"s3.{place.region}.amazonaws.com"}
    return [
        allow("FindState", ["s3:GetBucketLocation", "s3:ListBucket"], bucket),
        allow("State", objects, [*own, f"{bucket}/.pulumi/meta.yaml"]),
        _use(place, "StateKey", "state", ["kms:Decrypt", *(["kms:GenerateDataKey"] if write else [])], through_s3),
        _use(
            place,
            "SecretsKey",
            "secrets",
            ["kms:Decrypt", "kms:DescribeKey", *(["kms:Encrypt"] if write else [])],
            {},
        ),
    ]


def boundary_document(place: Place, deploys: Deploys) -> str:
    """What no role that the deployer makes can exceed: no identity management, and nothing of bootstrap's."""
    prefix, account = deploys.prefix, place.account
    return document(
        allow("Workloads", _WORKLOADS, "*"),
        allow(
            "Keys",
            ["kms:*"],
            f"arn:aws:kms:*:{account}:key/*",
            condition={"StringEquals": {"aws:ResourceTag/stack": deploys.stack(Cloud.AWS)}},
        ),
        allow("Buckets", ["s3:*"], [f"arn:aws:s3:::{prefix}-*", f"arn:aws:s3:::{prefix}-*/*"]),
        allow("Tables", ["dynamodb:*"], [f"arn:aws:dynamodb:*:{account}:table/{prefix}-*", _points(account, prefix)]),
        allow("ListTables", ["dynamodb:ListTables", "s3:ListAllMyBuckets"], "*"),
        allow("CarryEvents", ["events:PutEvents"], f"arn:aws:events:*:{account}:event-bus/default"),
        allow(
            "HandOnOwnRoles",
            ["iam:GetRole", "iam:PassRole", "iam:SimulatePrincipalPolicy"],
            f"arn:aws:iam::{account}:role/{prefix}-*",
        ),
        allow(
            "LoadBalancers",
            ["iam:CreateServiceLinkedRole"],
            "*",
            condition={"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
        ),
        *_never(place, all_of_kms=True),
    )


def boundary_arn(place: Place, deploys: Deploys) -> str:
    """The ARN of an environment's boundary, known before it exists."""
    return f"arn:aws:iam::{place.account}:policy/{boundary_name(deploys.environment)}"


def documents(statements: Iterable[Statement]) -> list[str]:
    """The statements in as few policies as fit; one that does not fit in one is cut by its actions.

    Raises:
        ValueError: a statement does not fit even with one action.
    """
    packed: list[list[Statement]] = []
    for statement in (part for whole in statements for part in _cut(whole)):
        if packed and _size([*packed[-1], statement]) <= DOCUMENT_MAX:
            packed[-1].append(statement)
        else:
            packed.append([statement])
    return [document(*part) for part in packed]


def _cut(statement: Statement) -> list[Statement]:
    if _size([statement]) <= DOCUMENT_MAX:
        return [statement]
    actions = statement["Action"]
    if len(actions) == 1:
        raise ValueError(f"the statement {statement['Sid']} is too long for a policy")
    half = len(actions) // 2
    parts = (("A", actions[:half]), ("B", actions[half:]))
    return [c for end, some in parts for c in _cut({**statement, "Sid": f"{statement['Sid']}{end}", "Action": some})]


def _size(statements: Sequence[Statement]) -> int:
    return len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))


def _by_scope(place: Place, deploys: Deploys, actions: Iterable[str]) -> list[Statement]:
    """The actions, grouped by what they can be limited to."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for action in sorted(actions):
        scope = scope_of(action)
        service = scope.pattern.split(":")[2] if ":" in scope.pattern else ""
        name = _NAMED.get(service, "{prefix}-*").format(prefix=deploys.prefix)
        regions = (deploys.region, deploys.backup_region)
        groups.setdefault(tuple(sorted(scope.resources(place.account, regions, [name]))), []).append(action)
    statements = []
    for number, (resources, grouped) in enumerate(sorted(groups.items()), 1):
        everywhere = resources == ("*",)
        local = [action for action in grouped if everywhere and not action.startswith(_GLOBAL)]
        rest = [action for action in grouped if action not in local]
        if local:
            statements.append(allow(f"InTheRegions{number}", local, "*", condition=_in(place, [deploys])))
        if rest:
            statements.append(allow(f"ByName{number}", rest, list(resources)))
    return statements


def _in(place: Place, deploys: Sequence[Deploys]) -> Mapping[str, Any]:
    """Requests to the regions of these environments; `us-east-1` is where global services are asked."""
    regions = {"us-east-1", place.region, *(r for one in deploys for r in (one.region, one.backup_region))}
    return {"StringEquals": {"aws:RequestedRegion": sorted(regions)}}


def _use(place: Place, sid: str, purpose: str, actions: Sequence[str], through: Mapping[str, str]) -> Statement:
    """Use of one of bootstrap's keys, told by its tags: an alias can be moved to another key by whoever may."""
    tags = {f"aws:ResourceTag/{key}": value for key, value in key_tags(place, purpose).items()}
    resource = f"arn:aws:kms:{place.region}:{place.account}:key/*"
    return allow(sid, actions, resource, condition={"StringEquals": {**tags, **through}})


def _never(place: Place, *, all_of_kms: bool = False) -> list[Statement]:
    """Nothing may touch bootstrap's keys but through what names their tags."""
    own = {"StringEquals": {"aws:ResourceTag/stack": bootstrap_stack(place)}}
    actions = ["kms:*"] if all_of_kms else [*sorted(_KEY_MANAGEMENT), "kms:CreateGrant"]
    return [_without_principal(deny("NotBootstrapsKeys", actions, "*", condition=own))]


def _without_principal(statement: Statement) -> Statement:
    """An identity's own policy names no principal."""
    return {key: value for key, value in statement.items() if key != "Principal"}


def _points(account: str, prefix: str) -> str:
    return f"arn:aws:dynamodb:*:{account}:table/{prefix}-*/*"
