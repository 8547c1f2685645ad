"""Refuses to begin a drill in an account whose drill identity could not end it, above all not clean up after it.

The questions are answered by the clouds themselves: `iam:SimulatePrincipalPolicy` on AWS, which judges the identity's
policies and its boundary and no resource's own, and `testIamPermissions` on Google Cloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from common.aws_api import aws_session
from common.errors import UserError
from common.gcp_api import GcpApi
from common.target import Target
from components.contracts.gcp_roles import own_roles
from components.contracts.naming import drill_name, drill_role_id
from components.contracts.vocabulary import Cloud
from stacks.outputs import StackOutputs

SHOWN: Final = 4
"""How many missing permissions an error names."""


@dataclass(frozen=True)
class Asked:
    """Actions on one resource, with the context that a real call would carry."""

    resource: str
    actions: Sequence[str]
    context: Mapping[str, str]


def check_rights(outputs: StackOutputs, target: Target, drill_id: str) -> None:
    """Ask the cloud, as the drill's identity.

    Raises:
        UserError: the identity cannot be taken on, or lacks something.
    """
    on_aws = outputs.cloud is Cloud.AWS
    missing = list(_missing_aws(outputs, target, drill_id) if on_aws else _missing_gcp(outputs, target))
    if missing:
        more = f", and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise UserError(
            f"the drill's identity may not {', '.join(missing[:SHOWN])}{more}",
            outputs.identities.drill,
            "Bring the stack up to date with `pulumi up`: it makes this identity. Nothing was restored.",
        )


def asked_of_aws(outputs: StackOutputs, drill_id: str) -> list[Asked]:
    """What a drill does on AWS: the calls without which it could not restore, verify or clean up."""
    account, far = outputs.account, outputs.backup_region
    name = drill_name(outputs.environment, drill_id)
    replica = f"arn:aws:s3:::{outputs.model_replica.name}"
    vault = f"arn:aws:backup:{far}:{account}:backup-vault:{outputs.backup.vault}"
    table = f"arn:aws:dynamodb:{far}:{account}:table/{name}"
    passed = {"iam:PassedToService": "backup.amazonaws.com"}
    return [
        Asked(replica, ["s3:ListBucket"], {}),
        Asked(f"{replica}/releases/x", ["s3:GetObject"], {}),
        Asked(f"arn:aws:s3:::{outputs.model_bucket.name}", ["s3:ListBucket"], {}),
        Asked(vault, ["backup:DescribeBackupVault", "backup:ListRecoveryPointsByBackupVault"], {}),
        Asked(f"arn:aws:backup:{far}:{account}:recovery-point:x", ["backup:StartRestoreJob"], {}),
        Asked("*", ["backup:DescribeRestoreJob", "dynamodb:ListTables", "s3:ListAllMyBuckets"], {}),
        Asked(str(outputs.backup.restore_identity), ["iam:PassRole"], passed),
        Asked(
            f"arn:aws:s3:::{name}",
            [
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:ListBucketVersions",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
            ],
            {},
        ),
        Asked(f"arn:aws:s3:::{name}/x", ["s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"], {}),
        Asked(
            table,
            [
                "dynamodb:BatchWriteItem",
                "dynamodb:DeleteTable",
                "dynamodb:DescribeTable",
                "dynamodb:Scan",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:UpdateTable",
                "dynamodb:UpdateTimeToLive",
            ],
            {},
        ),
    ]


def _missing_aws(outputs: StackOutputs, target: Target, drill_id: str) -> Iterator[str]:
    iam: Any = aws_session(target).client(
        "iam", region_name=outputs.backup_region, endpoint_url=target.aws_endpoint_url
    )
    try:
        for asked in asked_of_aws(outputs, drill_id):
            context = [
                {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in asked.context.items()
            ]
            results = iam.simulate_principal_policy(
                PolicySourceArn=outputs.identities.drill,
                ActionNames=list(asked.actions),
                ResourceArns=[asked.resource],
                ContextEntries=context,
            )["EvaluationResults"]
            allowed = {r["EvalActionName"] for r in results if r["EvalDecision"] == "allowed"}
            yield from (f"{action} on {asked.resource}" for action in asked.actions if action not in allowed)
    except ClientError as error:
        told = error.response.get("Error", {})
        raise UserError(
            f"AWS refused {error.operation_name}: {told.get('Code')}: {told.get('Message')}",
            outputs.identities.drill,
            "Run as an administrator of the stack or as bootstrap's drill role: they may take this role on.",
        ) from error
    except BotoCoreError as error:
        raise UserError(
            f"AWS did not answer: {error}", outputs.identities.drill, "Check the endpoint and the credentials."
        ) from error


def _missing_gcp(outputs: StackOutputs, target: Target) -> Iterator[str]:
    api = GcpApi(target, outputs.account)
    wanted = list(own_roles(outputs.environment, outputs.feature_store.kind)[drill_role_id(outputs.environment)])
    held = api.post(
        "cloudresourcemanager", f"v1/projects/{outputs.account}:testIamPermissions", {"permissions": wanted}
    ).get("permissions", [])
    yield from (f"{permission} on {outputs.account}" for permission in wanted if permission not in held)
    for bucket in (outputs.model_bucket.name, outputs.model_replica.name, outputs.backup.vault):
        for permission in ("storage.objects.get", "storage.objects.list"):
            path = f"storage/v1/b/{bucket}/iam/testPermissions"
            if permission not in api.get("storage", path, {"permissions": permission}).get("permissions", []):
                yield f"{permission} on {bucket}"
