"""What the role of drills may do: read every copy, and restore it to tables and buckets of their own, far away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components.aws.documents import (
    Statement,
    allow,
    bucket_arn,
    bucket_key_access,
    table_arn,
    table_key_access,
    vault_arn,
)
from components.contracts.feature_store import FeatureStoreKind, FeatureStoreRef
from components.contracts.naming import PRODUCT, drill_name
from components.contracts.place import Place
from components.contracts.refs import BackupRef, BucketRef, StorageRef

BUCKET_SETTINGS: Final = (
    "s3:GetBucketLocation",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListBucketVersions",
)
"""To look at a bucket's settings and list it; `ListBucketVersions` is what `ListObjectVersions` asks for."""

OBJECTS: Final = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:PutObjectTagging",
)
TABLE: Final = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateTimeToLive",
)


def drilling(
    place: Place, storage: StorageRef, feature_store: FeatureStoreRef, backup: BackupRef
) -> Sequence[Statement]:
    """Nothing of the stack's own is written: what a drill makes begins with `drill_name`, in the backup region."""
    copies = (*_reading(place, "Models", storage.models), *_reading(place, "Copies", storage.replica))
    role = f"arn:aws:iam::{place.account}:role/{PRODUCT}-{place.environment}-drill"
    own = allow("AskForItsOwnRights", ["iam:GetRole", "iam:SimulatePrincipalPolicy"], role)
    if feature_store.kind is not FeatureStoreKind.DYNAMODB:
        return (*copies, own)
    return (
        *copies,
        own,
        *_own_bucket(place),
        *_own_table(place, feature_store),
        *_recovery_points(place, backup),
    )


def _reading(place: Place, what: str, bucket: BucketRef) -> Sequence[Statement]:
    arn = bucket_arn(bucket.name)
    return (
        allow(f"Find{what}", BUCKET_SETTINGS, arn),
        allow(f"Read{what}", ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"], f"{arn}/*"),
        bucket_key_access(f"Decrypt{what}", place, bucket.name, ["kms:Decrypt"], region=bucket.region),
    )


def _own_bucket(place: Place) -> Sequence[Statement]:
    arn = bucket_arn(f"{drill_name(place.environment)}*")
    return (
        allow(
            "OwnBuckets",
            [
                *BUCKET_SETTINGS,
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:GetBucketTagging",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
            ],
            arn,
        ),
        allow("OwnObjects", OBJECTS, f"{arn}/*"),
        allow("FindOwnBuckets", ["s3:ListAllMyBuckets"], "*"),
        bucket_key_access(
            "EncryptOwnBuckets",
            place,
            f"{drill_name(place.environment)}*",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            region=place.backup_region,
        ),
    )


def _own_table(place: Place, feature_store: FeatureStoreRef) -> Sequence[Statement]:
    name = f"{drill_name(place.environment)}*"
    keys = f"arn:aws:kms:{place.backup_region}:{place.account}:key/*"
    through_dynamodb = {"kms:ViaService": f"dynamodb.{place.backup_region}.amazonaws.com"}
    looks = [action for action in TABLE if action.startswith("dynamodb:Describe")]
    return (
        allow("OwnTables", TABLE, f"arn:aws:dynamodb:{place.backup_region}:{place.account}:table/{name}"),
        allow("FindOwnTables", ["dynamodb:ListTables"], "*"),
        allow("LookAtFeatures", [*looks, "dynamodb:Scan"], table_arn(place, feature_store.name)),
        table_key_access("DecryptFeatures", place, feature_store.name, ["kms:Decrypt"]),
        allow("UseKeysOfOwnTables", ["kms:Decrypt"], keys, condition={"StringEquals": through_dynamodb}),
        allow("LookAtKeys", ["kms:DescribeKey"], f"arn:aws:kms:*:{place.account}:key/*"),
    )


def _recovery_points(place: Place, backup: BackupRef) -> Sequence[Statement]:
    region = place.backup_region
    vault = vault_arn(place, backup.vault, region)
    return (
        allow(
            "FindRecoveryPoints",
            [
                "backup:DescribeBackupVault",
                "backup:GetBackupVaultAccessPolicy",
                "backup:ListRecoveryPointsByBackupVault",
            ],
            vault,
        ),
        allow(
            "LookAtVaultsNearby",
            ["backup:DescribeBackupVault"],
            vault_arn(place, f"{PRODUCT}-{place.environment}-*", place.region),
        ),
        allow(
            "Restore",
            ["backup:DescribeRecoveryPoint", "backup:GetRecoveryPointRestoreMetadata", "backup:StartRestoreJob"],
            f"arn:aws:backup:{region}:{place.account}:recovery-point:*",
        ),
        allow("FollowRestores", ["backup:DescribeRestoreJob"], "*"),
        allow(
            "LookAtPlans",
            ["backup:GetBackupPlan", "backup:GetBackupSelection", "backup:ListBackupSelections"],
            f"arn:aws:backup:{place.region}:{place.account}:backup-plan:*",
        ),
        allow("FindPlans", ["backup:ListBackupPlans"], "*"),
        allow(
            "RestoreByItsRole",
            ["iam:PassRole"],
            f"arn:aws:iam::{place.account}:role/{place.name('restore', max_length=64)}",
            condition={"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
        ),
    )
