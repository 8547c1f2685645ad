"""Encryption with keys that the customer manages: can be audited, withdrawn, and kept from others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.checks import all_equal, all_of
from policies.examples import EXAMPLE, Hidden, Output, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import customer_key
from policies.model import Framework, Judgement, Severity
from policies.tokens import (
    ARTIFACT_REGISTRY,
    BACKUP_VAULT,
    DYNAMODB_TABLE,
    ECR_REPOSITORY,
    EKS_CLUSTER,
    FIRESTORE,
    GCP_KEY,
    GCS_BUCKET,
    GKE_BACKUP_PLAN,
    GKE_CLUSTER,
    GKE_NODE_POOL,
    KMS_KEY,
    LOG_GROUP,
    REDIS,
    SNS_TOPIC,
)

family = Family("Customer-managed keys")

_ETCD = "Without it, whoever reads etcd's storage reads every credential in the cluster."
_BUCKET = "Only a key of one's own can be audited, withdrawn, and kept from one who has bucket access alone."
_IMAGES = "Images carry code and models; a key of one's own can be audited and withdrawn."


def _encrypted(
    id: str,
    severity: Severity,
    what: str,
    token: str,
    path: str,
    *,
    rationale: str,
    remedy: str,
    settings: Mapping[str, Any] | None = None,
    key: str = EXAMPLE,
    frameworks: Mapping[Framework, tuple[str, ...]] | None = None,
) -> None:
    """The rule that the input at `path` of a `token` names a customer's key, and that `settings` are as stated.

    `key` is the name of the key in the example.
    """
    wanted = settings or {}
    aws = token.startswith("aws:")
    other = ('"alias/aws/example"', put(path, "alias/aws/example")) if aws else ('""', put(path, ""))

    @family.rule(
        id,
        severity,
        f"{what} encrypted with a customer-managed key",
        types=(token,),
        rationale=rationale,
        remedy=remedy,
        frameworks=frameworks,
        examples=lambda: examples(
            given(token, {**wanted, path: Output(KMS_KEY if aws else GCP_KEY, key)}),
            broken={
                f"{path} is absent": drop(path),
                f"{path} is {other[0]}": other[1],
                **{f"{setting} is absent": drop(setting) for setting in wanted},
            },
            undecided={f"{path} is known only to the provider": put(path, Hidden())},
        ),
    )
    def check(resource: Resource, inventory: Inventory) -> Judgement:
        return all_of((all_equal(resource, wanted), customer_key(inventory, resource, path)))


_encrypted(
    "aws-dynamodb-customer-key",
    Severity.MEDIUM,
    "DynamoDB tables are",
    DYNAMODB_TABLE,
    "serverSideEncryption.kmsKeyArn",
    settings={"serverSideEncryption.enabled": True},
    rationale="Only a key of one's own can be audited and withdrawn; the default is a key that AWS owns.",
    remedy="Set serverSideEncryption.enabled and kmsKeyArn to the stack's key.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_119",)},
)
_encrypted(
    "aws-backup-vault-customer-key",
    Severity.MEDIUM,
    "Backup vaults are",
    BACKUP_VAULT,
    "kmsKeyArn",
    rationale="Recovery points hold the same data as the table, and deserve the same key control.",
    remedy="Set kmsKeyArn to a key in the vault's region.",
    frameworks={Framework.AWS_FSBP: ("Backup.1",), Framework.CHECKOV: ("CKV_AWS_166",)},
)
_encrypted(
    "aws-eks-secrets-encrypted",
    Severity.HIGH,
    "Kubernetes secrets in EKS are",
    EKS_CLUSTER,
    "encryptionConfig.provider.keyArn",
    settings={"encryptionConfig.resources": ["secrets"]},
    rationale=_ETCD,
    remedy='Set encryptionConfig with resources ["secrets"] and the stack\'s cluster key.',
    frameworks={Framework.AWS_FSBP: ("EKS.3",), Framework.CIS_EKS: ("5.3.1",), Framework.CHECKOV: ("CKV_AWS_58",)},
)
_encrypted(
    "aws-ecr-customer-key",
    Severity.MEDIUM,
    "ECR repositories are",
    ECR_REPOSITORY,
    "encryptionConfigurations.0.kmsKey",
    settings={"encryptionConfigurations.0.encryptionType": "KMS"},
    rationale=_IMAGES,
    remedy="Set encryptionConfigurations with the type KMS and the stack's key.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_136",)},
)
_encrypted(
    "aws-logs-customer-key",
    Severity.MEDIUM,
    "Log groups are",
    LOG_GROUP,
    "kmsKeyId",
    rationale="Audit logs name people, roles and resources.",
    remedy="Set kmsKeyId to the stack's log key.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_158",)},
)
_encrypted(
    "gcp-gcs-customer-key",
    Severity.HIGH,
    "Cloud Storage buckets are",
    GCS_BUCKET,
    "encryption.defaultKmsKeyName",
    rationale=_BUCKET,
    remedy="Set encryption.defaultKmsKeyName to the stack's key.",
)
_encrypted(
    "gcp-redis-customer-key",
    Severity.HIGH,
    "Memorystore is",
    REDIS,
    "customerManagedKey",
    rationale="Only a key of one's own can be audited and withdrawn.",
    remedy="Set customerManagedKey to the stack's key.",
)
_encrypted(
    "gcp-firestore-customer-key",
    Severity.HIGH,
    "Firestore databases are",
    FIRESTORE,
    "cmekConfig.kmsKeyName",
    rationale="Only a key of one's own can be audited and withdrawn.",
    remedy="Set cmekConfig.kmsKeyName to a key of the stack; it cannot be set later.",
)
_encrypted(
    "gcp-gke-secrets-encrypted",
    Severity.HIGH,
    "Kubernetes secrets in GKE are",
    GKE_CLUSTER,
    "databaseEncryption.keyName",
    settings={"databaseEncryption.state": "ENCRYPTED"},
    rationale=_ETCD,
    remedy="Set databaseEncryption with the state ENCRYPTED and the stack's cluster key.",
    frameworks={Framework.CIS_GKE: ("5.3.1",)},
)
_encrypted(
    "gcp-gke-node-disk-customer-key",
    Severity.MEDIUM,
    "GKE machines' disks are",
    GKE_NODE_POOL,
    "nodeConfig.bootDiskKmsKey",
    rationale="Models and container layers lie on the disk.",
    remedy="Set nodeConfig.bootDiskKmsKey to the stack's cluster key.",
)
_encrypted(
    "gcp-registry-customer-key",
    Severity.MEDIUM,
    "Artifact Registry repositories are",
    ARTIFACT_REGISTRY,
    "kmsKeyName",
    rationale=_IMAGES,
    remedy="Set kmsKeyName to the stack's key.",
)
_encrypted(
    "gcp-gke-backup-customer-key",
    Severity.MEDIUM,
    "Backups of GKE clusters are",
    GKE_BACKUP_PLAN,
    "backupConfig.encryptionKey.gcpKmsEncryptionKey",
    key="away",
    rationale="A backup holds the cluster's secrets and volumes, and deserves the same key control.",
    remedy="Set backupConfig.encryptionKey.gcpKmsEncryptionKey to a key in the plan's region.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
)
_encrypted(
    "aws-sns-customer-key",
    Severity.MEDIUM,
    "SNS topics are",
    SNS_TOPIC,
    "kmsMasterKeyId",
    rationale="Alarms name resources, accounts and failures; only a key of one's own can be audited and withdrawn.",
    remedy="Set kmsMasterKeyId to the stack's key.",
    # SNS.1 left the foundational practices in April 2024; it stays in NIST's (Security Hub's user guide, 2026-11).
    frameworks={Framework.NIST_800_53: ("SC-28",), Framework.CHECKOV: ("CKV_AWS_26",)},
)
