"""Harmful edits of what resources on AWS let in, and harmless ones of rights and trust."""

from __future__ import annotations

from tests.policies.aws_faults.documents import (
    AWAY,
    BOUNDARY,
    HERE,
    MODELS,
    OTHER,
    OWN,
    REPLICA,
    ROLE,
    ROLES,
    TABLE,
    allow,
    granted,
    restated,
    role,
    stated,
    text,
    trusted,
    trusts,
    unstated,
)  # fmt: skip
from tests.policies.aws_faults.entering import READ, access, hub
from tests.policies.reach.planting import GONE, Change, To, add, edit, remove

HARMFUL: dict[str, tuple[str, Change]] = {
    # resource policies
    "a key for everyone": (
        "aws-kms-no-public-principal",
        stated("kms/key:Key", "data", "policy", allow("kms:Decrypt", Principal={"AWS": "*"})),
    ),
    "a key for everyone of an organisation by pattern": (
        "aws-kms-no-public-principal",
        stated(
            "kms/key:Key",
            "data",
            "policy",
            allow("kms:Decrypt", "*", {"StringLike": {"aws:PrincipalOrgID": "o-*"}}, Principal="*"),
        ),
    ),
    "a key for services of anyone": (
        "aws-resource-policy-no-deputy",
        restated("kms/key:Key", "data", "policy", "AlarmsPublishToEncryptedTopic", Condition=None),
    ),
    "a key for logs of anyone": (
        "aws-resource-policy-no-deputy",
        restated("kms/key:Key", "logs", "policy", "LogGroupsOfThisAccount", Condition=None),
    ),
    "a key for grants without a service": (
        "",
        stated("kms/key:Key", "data", "policy", allow("kms:CreateGrant", Principal={"AWS": f"{ROLES}/intern"})),
    ),
    "a key that its account does not decide": (
        "aws-kms-policy-usable",
        unstated("kms/key:Key", "data", "policy", "AccountDecidesByIam"),
    ),
    "a key of another account": (
        "aws-resource-policy-own-account",
        restated(
            "kms/key:Key",
            "recovery",
            "policy",
            "AccountDecidesByIam",
            Principal={"AWS": f"arn:aws:iam::{OTHER}:root"},
        ),
    ),
    "a grant": (
        "",
        add(
            "aws:kms/grant:Grant",
            {"keyId": To("kms/key:Key", "data"), "granteePrincipal": f"{ROLES}/intern", "operations": ["Decrypt"]},
        ),
    ),
    "a grant to another account": (
        "aws-resource-policy-own-account",
        add(
            "aws:kms/grant:Grant",
            {
                "keyId": To("kms/key:Key", "data"),
                "operations": ["Decrypt"],
                "granteePrincipal": f"arn:aws:iam::{OTHER}:root",
            },
        ),
    ),
    "a key's policy besides": (
        "aws-resource-policy-no-public",
        add(
            "aws:kms/keyPolicy:KeyPolicy",
            {"keyId": To("kms/key:Key", "data"), "policy": text(allow("kms:*", Principal="*"))},
        ),
    ),
    "a replica of a key": (
        "aws-resource-policy-no-public",
        add(
            "aws:kms/replicaKey:ReplicaKey",
            {
                "primaryKeyArn": f"arn:aws:kms:{HERE}:{OWN}:key/mrk-1",
                "policy": text(allow("kms:*", Principal={"AWS": "*"})),
            },
        ),
    ),
    "a registry for everyone": (
        "aws-resource-policy-no-public",
        add(
            "aws:ecr/repositoryPolicy:RepositoryPolicy",
            {"repository": "seawall-prod/serving", "policy": text(allow("ecr:BatchGetImage", None, Principal="*"))},
        ),
    ),
    "a registry that another account pushes to": (
        "aws-resource-policy-own-account",
        add(
            "aws:ecr/repositoryPolicy:RepositoryPolicy",
            {
                "repository": "seawall-prod/serving",
                "policy": text(allow("ecr:PutImage", None, Principal={"AWS": OTHER})),
            },
        ),
    ),
    "the account's registry for another": (
        "aws-resource-policy-own-account",
        add(
            "aws:ecr/registryPolicy:RegistryPolicy",
            {
                "policy": text(
                    allow(
                        ["ecr:ReplicateImage", "ecr:CreateRepository"],
                        f"arn:aws:ecr:{HERE}:{OWN}:repository/*",
                        Principal={"AWS": f"arn:aws:iam::{OTHER}:root"},
                    )
                )
            },
        ),
    ),
    "a table for another account": (
        "aws-resource-policy-own-account",
        add(
            "aws:dynamodb/resourcePolicy:ResourcePolicy",
            {"resourceArn": TABLE, "policy": text(allow("dynamodb:GetItem", TABLE, Principal={"AWS": OTHER}))},
        ),
    ),
    "a queue for everyone": (
        "aws-resource-policy-no-public",
        add(
            "aws:sqs/queuePolicy:QueuePolicy",
            {"queueUrl": "x", "policy": text(allow("sqs:SendMessage", Principal="*"))},
        ),
    ),
    "a queue's own policy for everyone": (
        "aws-resource-policy-no-public",
        add(
            "aws:sqs/queue:Queue",
            {
                "name": "x",
                "kmsMasterKeyId": "alias/seawall-prod-data",
                "policy": text(allow("sqs:ReceiveMessage", Principal="*")),
            },
        ),
    ),
    "a queue for topics of anyone": (
        "aws-resource-policy-no-deputy",
        add(
            "aws:sqs/queuePolicy:QueuePolicy",
            {"queueUrl": "x", "policy": text(allow("sqs:SendMessage", Principal={"Service": "sns.amazonaws.com"}))},
        ),
    ),
    "a topic's own policy for everyone": (
        "aws-resource-policy-no-public",
        edit("sns/topic:Topic", "policy", text(allow("sns:Subscribe", Principal="*")), "alerts"),
    ),
    "a topic that everyone subscribes to": (
        "aws-resource-policy-no-public",
        stated(
            "sns/topicPolicy:TopicPolicy",
            "alerts",
            "policy",
            allow("sns:Subscribe", "*", {"StringLike": {"sns:Endpoint": "*"}}, Principal="*"),
        ),
    ),
    "a topic for alarms of anyone": (
        "aws-resource-policy-no-deputy",
        restated("sns/topicPolicy:TopicPolicy", "alerts", "policy", "AlarmsOfThisAccount", Condition=None),
    ),
    "a function for everyone": (
        "aws-resource-policy-own-account",
        add(
            "aws:lambda/permission:Permission", {"action": "lambda:InvokeFunction", "function": "x", "principal": "*"}
        ),
    ),
    "a function for buckets of anyone": (
        "",
        add(
            "aws:lambda/permission:Permission",
            {
                "action": "lambda:InvokeFunction",
                "function": "x",
                "principal": "s3.amazonaws.com",
                "sourceArn": "arn:aws:s3:::x",
            },
        ),
    ),
    "a layer for everyone": (
        "aws-resource-policy-own-account",
        add(
            "aws:lambda/layerVersionPermission:LayerVersionPermission",
            {
                "action": "lambda:GetLayerVersion",
                "layerName": "x",
                "principal": "*",
                "statementId": "x",
                "versionNumber": 1,
            },
        ),
    ),
    "events from everyone": (
        "aws-resource-policy-own-account",
        add("aws:cloudwatch/eventPermission:EventPermission", {"principal": "*", "statementId": "x"}),
    ),
    "a bus for another account": (
        "aws-resource-policy-own-account",
        add(
            "aws:cloudwatch/eventBusPolicy:EventBusPolicy",
            {"policy": text(allow("events:PutEvents", Principal={"AWS": OTHER}))},
        ),
    ),
    "logs for a stranger's service": (
        "aws-resource-policy-no-public",
        stated(
            "cloudwatch/logResourcePolicy:LogResourcePolicy",
            "recovery-events",
            "policyDocument",
            allow("logs:*", Principal="*"),
        ),
    ),
    "a log destination for everyone": (
        "aws-resource-policy-no-public",
        add(
            "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy",
            {"destinationName": "x", "accessPolicy": text(allow("logs:PutSubscriptionFilter", Principal="*"))},
        ),
    ),
    "secrets for another account": (
        "aws-resource-policy-own-account",
        add(
            "aws:secretsmanager/secretPolicy:SecretPolicy",
            {"secretArn": "x", "policy": text(allow("secretsmanager:GetSecretValue", Principal={"AWS": OTHER}))},
        ),
    ),
    "a vault for everyone": (
        "aws-resource-policy-no-public",
        stated(
            "backup/vaultPolicy:VaultPolicy",
            "recovery",
            "policy",
            allow("backup:StartRestoreJob", Principal={"AWS": "*"}),
        ),
    ),
    "a way to S3 for all": (
        "aws-endpoint-policy-narrow",
        edit("ec2/vpcEndpoint:VpcEndpoint", "policy", text(allow("*", Principal="*")), "s3"),
    ),
    "a way to S3 for all buckets": (
        "aws-endpoint-policy-narrow",
        stated(
            "ec2/vpcEndpoint:VpcEndpoint", "s3", "policy", allow("s3:PutObject", "arn:aws:s3:::*/*", Principal="*")
        ),
    ),
    "a way to S3 without a policy": (
        "aws-endpoint-policy-narrow",
        edit("ec2/vpcEndpoint:VpcEndpoint", "policy", GONE, "s3"),
    ),
    "a way to images of anyone's account": (
        "aws-endpoint-policy-narrow",
        edit(
            "ec2/vpcEndpoint:VpcEndpoint",
            "policy",
            text(allow("ecr:*", "*", {"StringLike": {"aws:PrincipalAccount": "*"}}, Principal="*")),
            "ecr.api",
        ),
    ),
    "an endpoint's policy besides": (
        "seawall-type-judged",
        add(
            "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy",
            {"vpcEndpointId": To("ec2/vpcEndpoint:VpcEndpoint", "s3"), "policy": text(allow("*", Principal="*"))},
        ),
    ),
    "a bucket for a role of the account by pattern": (
        "aws-s3-no-public-policy",
        stated(
            "s3/bucketPolicy:BucketPolicy",
            "models",
            "policy",
            allow(
                "s3:PutObject",
                f"arn:aws:s3:::{MODELS}/*",
                {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/seawall-*"}},
                Principal="*",
            ),
        ),
    ),
    "a bucket for services of anyone": (
        "aws-resource-policy-no-deputy",
        stated(
            "s3/bucketPolicy:BucketPolicy",
            "models",
            "policy",
            allow("s3:GetObject", f"arn:aws:s3:::{MODELS}/*", Principal={"Service": "cloudfront.amazonaws.com"}),
        ),
    ),
    "a bucket for access points of anyone": (
        "aws-s3-no-public-policy",
        stated(
            "s3/bucketPolicy:BucketPolicy",
            "models",
            "policy",
            allow(
                "s3:*",
                [f"arn:aws:s3:::{MODELS}", f"arn:aws:s3:::{MODELS}/*"],
                {"StringLike": {"s3:DataAccessPointAccount": "*"}},
                Principal="*",
            ),
        ),
    ),
    "the log bucket takes logs of anyone": (
        "aws-resource-policy-no-deputy",
        restated("s3/bucketPolicy:BucketPolicy", "logs", "policy", "AccessLogsOfTheStacksBuckets", Condition=None),
    ),
    "the replica's versions may go": (
        "aws-s3-copies-not-denied",
        unstated("s3/bucketPolicy:BucketPolicy", "replica", "policy", "KeepVersions"),
    ),
    "the replica's versions may go for one": (
        "aws-s3-copies-not-denied",
        restated(
            "s3/bucketPolicy:BucketPolicy",
            "replica",
            "policy",
            "KeepVersions",
            Condition={"StringNotLike": {"aws:PrincipalArn": "*"}},
        ),
    ),
    "the replica's versions are another bucket's": (
        "aws-s3-copies-not-denied",
        restated(
            "s3/bucketPolicy:BucketPolicy", "replica", "policy", "KeepVersions", Resource=f"arn:aws:s3:::{MODELS}/*"
        ),
    ),
    "the models by plain HTTP": (
        "aws-s3-tls-only",
        unstated("s3/bucketPolicy:BucketPolicy", "models", "policy", "TlsOnly"),
    ),
    "the models by old TLS": ("", unstated("s3/bucketPolicy:BucketPolicy", "models", "policy", "ModernTls")),
    "the models unencrypted": ("", unstated("s3/bucketPolicy:BucketPolicy", "models", "policy", "NoOtherEncryption")),
    "the vault's points may go": (
        "aws-backup-vault-keeps-points",
        unstated("backup/vaultPolicy:VaultPolicy", "recovery", "policy", "KeepRecoveryPoints"),
    ),
    "the vault's points may go for most": (
        "aws-backup-vault-keeps-points",
        restated(
            "backup/vaultPolicy:VaultPolicy",
            "recovery",
            "policy",
            "KeepRecoveryPoints",
            Principal={"AWS": f"{ROLES}/intern"},
        ),
    ),
    "the vault's points live shorter": (
        "aws-backup-vault-keeps-points",
        restated(
            "backup/vaultPolicy:VaultPolicy",
            "recovery",
            "policy",
            "KeepRecoveryPoints",
            Action=["backup:DeleteRecoveryPoint"],
        ),
    ),
    "the vault has no policy": (
        "aws-backup-vault-keeps-points",
        remove("backup/vaultPolicy:VaultPolicy", "recovery"),
    ),
    "the bucket has no policy": ("aws-s3-tls-only", remove("s3/bucketPolicy:BucketPolicy", "models")),
    "the topic has no policy": ("links-lead-into-the-plan", remove("sns/topicPolicy:TopicPolicy", "alerts")),
}

HARMLESS: dict[str, Change] = {
    "the boundary is named by text": edit(ROLE, "permissionsBoundary", BOUNDARY, "fleet"),
    "a new role within the boundary": role(text(trusts({"Service": "ec2.amazonaws.com"}))),
    "a workflow of an environment": hub("repo:acme/seawall:environment:prod"),
    "a workflow of the main branch": hub("repo:acme/seawall:ref:refs/heads/main"),
    "a workflow of two environments": hub(["repo:acme/seawall:environment:prod", "repo:acme/seawall:environment:x"]),
    "a statement that denies": granted({"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"}),
    "reads models again": granted(READ),
    "reads the replica again": granted(allow("s3:GetObject", f"arn:aws:s3:::{REPLICA}/releases/*")),
    "the trust in two statements": trusted(
        trusts({"Service": "backup.amazonaws.com"}, condition={"StringEquals": {"aws:SourceAccount": OWN}}),
        role="backup",
    ),
    "another reader's namespace": access(
        f"{ROLES}/on-call", "AmazonEKSViewPolicy", {"type": "namespace", "namespaces": ["serving"]}
    ),
    "the administrator's entry by name": edit(
        "eks/accessEntry:AccessEntry", "userName", f"{ROLES}/platform-admin", "platform"
    ),
    "the key denies more": stated(
        "kms/key:Key",
        "data",
        "policy",
        {"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"},
    ),
    "the vault keeps more": stated(
        "backup/vaultPolicy:VaultPolicy",
        "recovery",
        "policy",
        {"Effect": "Deny", "Principal": "*", "Action": "backup:PutBackupVaultAccessPolicy", "Resource": "*"},
    ),
    "a registry for the own account": add(
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        {
            "repository": "seawall-prod/serving",
            "policy": text(allow("ecr:BatchGetImage", None, Principal={"AWS": f"arn:aws:iam::{OWN}:root"})),
        },
    ),
    "a topic for the other region's alarms": stated(
        "sns/topicPolicy:TopicPolicy",
        "alerts",
        "policy",
        allow(
            "sns:Publish",
            f"arn:aws:sns:{HERE}:{OWN}:seawall-prod-alerts",
            {
                "StringEquals": {"aws:SourceAccount": OWN},
                "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{AWAY}:{OWN}:alarm:*"},
            },
            Principal={"Service": "cloudwatch.amazonaws.com"},
        ),
    ),
}
