"""Customer-managed KMS keys: three for the primary region's purposes, one of the backup region's own."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.aws.documents import Statement, account_root, allow, document, service
from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import KeyRef, KeysRef
from components.contracts.specs import KeysSpec
from components.contracts.stateful import NotCopied, Stateful

_USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


class Keys(Component):
    """The stack's keys, by purpose: `cluster` (Kubernetes secrets), `data`, `logs`, and `recovery` far away.

    Every key's policy hands use of the key to the account's IAM policies; services that act in nobody's name
    (CloudWatch Logs, CloudWatch alarms, EC2 Auto Scaling) are named one by one. S3, DynamoDB, ECR, EKS and AWS
    Backup use the key in the name of a role of this stack, or by a grant that such a role makes.

    KMS refuses a policy that names a role that does not exist: the service-linked roles are made by the account's
    bootstrap stack.
    """

    ref: KeysRef

    def __init__(self, name: str, place: Place, spec: KeysSpec, *, provider: pulumi.ProviderResource) -> None:
        super().__init__("aws:Keys", name, provider)
        region = place.region
        cluster = self._key("cluster", "Kubernetes secrets", place, spec, region, ())
        data = self._key(
            "data", "models, features, images, disks and alerts", place, spec, region, data_users(place, region)
        )
        logs = self._key("logs", "logs", place, spec, region, (log_service(place, region), *log_deliveries(place)))
        away = place.backup_region
        users = (*data_users(place, away), log_service(place, away))
        recovery = self._key("recovery", "copies in the backup region", place, spec, away, users)
        self.ref = KeysRef(cluster=cluster, data=data, logs=logs, recovery=recovery)
        self.finish({"cluster": cluster.id, "data": data.id, "logs": logs.id, "recovery": recovery.id})

    def _key(
        self, purpose: str, protects: str, place: Place, spec: KeysSpec, region: str, users: Sequence[Statement]
    ) -> KeyRef:
        kept = self.keep(aws.kms.Key, purpose, encrypted(protects), place)
        key = aws.kms.Key(
            kept.name,
            description=f"{place.stack}: {protects}",
            region=region,
            policy=key_policy(place, users),
            enable_key_rotation=True,
            rotation_period_in_days=spec.rotation_days,
            deletion_window_in_days=spec.deletion_window_days,
            tags=place.labels,
            opts=kept.options,
        )
        alias = f"alias/{place.name(purpose, max_length=250)}"
        aws.kms.Alias(
            purpose,
            name=alias,
            region=region,
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return KeyRef(id=key.arn, alias=alias, region=region)


def encrypted(content: str) -> Stateful:
    """What a key holds: the content that nobody can read without it."""
    return Stateful(f"everything encrypted under the key: {content}", NotCopied("key material never leaves KMS"))


def key_policy(place: Place, users: Sequence[Statement]) -> str:
    """The account decides through IAM; `users` are the services that have no role of ours to decide about."""
    root = allow("AccountDecidesByIam", ["kms:*"], "*", principal={"AWS": account_root(place)})
    return document(root, *users)


def log_service(place: Place, region: str) -> Statement:
    """CloudWatch Logs of one region, for log groups of this account only."""
    return allow(
        "LogGroupsOfThisAccount",
        ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "*",
        principal=service(f"logs.{region}.amazonaws.com"),
        condition={
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{place.account}:log-group:*"}
        },
    )


def trail_delivery(place: Place) -> tuple[Statement, ...]:
    """CloudTrail, which encrypts what it writes into the audit bucket."""
    trail = {
        "StringLike": {
            "aws:SourceArn": f"arn:aws:cloudtrail:{place.region}:{place.account}:trail/*",
            "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{place.account}:trail/*",
        }
    }
    return (
        allow(
            "TrailEncrypts",
            ["kms:GenerateDataKey*"],
            "*",
            principal=service("cloudtrail.amazonaws.com"),
            condition=trail,
        ),
        allow(
            "TrailAsksForTheKey",
            ["kms:DescribeKey"],
            "*",
            principal=service("cloudtrail.amazonaws.com"),
            condition={"StringEquals": {"aws:SourceAccount": place.account}},
        ),
    )


def log_deliveries(place: Place) -> tuple[Statement, ...]:
    """CloudTrail and the delivery of flow logs, which encrypt what they write into the audit bucket."""
    return (
        *trail_delivery(place),
        allow(
            "FlowLogsEncrypt",
            ["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
            "*",
            principal=service("delivery.logs.amazonaws.com"),
            condition={"StringEquals": {"aws:SourceAccount": place.account}},
        ),
    )


def data_users(place: Place, region: str) -> tuple[Statement, ...]:
    """Who uses a region's data beside the stack's roles: alarms that publish, and machines that mount disks.

    The recovery key has them too, so that a service that is brought up in the backup region finds its key there.
    """
    linked = f"arn:aws:iam::{place.account}:role/aws-service-role"
    # Spot machines are started by EC2's own role (EC2 guide, "Service-linked role for Spot Instance requests": for
    # encrypted AMIs and snapshots; believed for the disks of a launch template too; read 2026-11-21).
    auto_scaling = {
        "AWS": [
            f"{linked}/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
            f"{linked}/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
        ]
    }
    disks = allow("MachinesUseTheirDisks", _USE, "*", principal=auto_scaling)
    attach = allow(
        "MachinesAttachTheirDisks",
        ["kms:CreateGrant"],
        "*",
        principal=auto_scaling,
        condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )
    return alarm_service(place, region), disks, attach


def alarm_service(place: Place, region: str) -> Statement:
    """CloudWatch alarms of one region, which publish to an encrypted topic."""
    return allow(
        "AlarmsPublishToEncryptedTopic",
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        "*",
        principal=service("cloudwatch.amazonaws.com"),
        condition={
            "StringEquals": {"aws:SourceAccount": place.account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{region}:{place.account}:alarm:*"},
        },
    )
