"""What an attacker does on AWS: keys, the table, recovery points in the far vault, versions in S3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from common.aws_api import aws_session
from common.errors import UserError
from common.target import Target
from ops.drill.aws import told
from ops.drill.model import RecoveryPoint
from ops.objects.store import ObjectInfo, ObjectStore
from stacks.outputs import StackOutputs

DELETION_DAYS: Final = 7
"""The shortest time after which KMS deletes a key (KMS cryptographic details, "Deleting keys", read 2026-11-21)."""


class AwsHarm:
    """Implements `ops.drill.harm.Harm`."""

    def __init__(self, outputs: StackOutputs, target: Target) -> None:
        self._outputs = outputs
        self._target = target
        self._session: boto3.session.Session = aws_session(target)

    def lose_key(self, key: str) -> None:
        with told(key):
            kms = self._client("kms", _region(key))
            kms.disable_key(KeyId=key)
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=DELETION_DAYS)

    def bring_key_back(self, key: str) -> None:
        with told(key):
            kms = self._client("kms", _region(key))
            kms.cancel_key_deletion(KeyId=key)
            kms.enable_key(KeyId=key)

    def delete_features(self) -> None:
        table = self._outputs.feature_store.name
        with told(f"table {table}"):
            dynamodb = self._client("dynamodb", self._outputs.region)
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            dynamodb.delete_table(TableName=table)

    def points(self) -> Sequence[RecoveryPoint]:
        outputs, vault = self._outputs, self._outputs.backup.vault
        arn = f"arn:aws:dynamodb:{outputs.region}:{outputs.account}:table/{outputs.feature_store.name}"
        with told(f"backup vault {vault}"):
            backup = self._client("backup", outputs.backup_region)
            pages = backup.get_paginator("list_recovery_points_by_backup_vault").paginate(
                BackupVaultName=vault, ByResourceArn=arn
            )
            found = [p for page in pages for p in page["RecoveryPoints"] if p["Status"] == "COMPLETED"]
            locked = bool(backup.describe_backup_vault(BackupVaultName=vault).get("Locked", False))
        return [
            RecoveryPoint(
                p["RecoveryPointArn"], p["CreationDate"].astimezone(UTC), vault, outputs.backup_region, locked
            )
            for p in sorted(found, key=lambda p: p["CreationDate"], reverse=True)
        ]

    def purge_point(self, point: RecoveryPoint) -> str:
        backup = self._client("backup", point.region)
        try:
            backup.delete_recovery_point(BackupVaultName=point.vault, RecoveryPointArn=point.id)
        except ClientError as error:
            return str(error)
        return ""

    def purge_version(self, bucket: ObjectStore, item: ObjectInfo) -> str:
        try:
            bucket.purge(item.key, item.version or "")
        except UserError as error:
            return error.what
        return ""

    def bring_versions_back(self, bucket: ObjectStore) -> int:
        del bucket  # what is deleted by its version is gone at once in S3
        return 0

    def bring_points_back(self) -> int:
        return 0  # a vault keeps nothing that is deleted

    def restorable(self, point: RecoveryPoint) -> RecoveryPoint:
        return point

    def clean_up(self) -> None:
        """A recovery point is restored as it is."""

    def _client(self, service: str, region: str) -> Any:
        known: Any = service  # the stubs know each service by a literal of its own
        return self._session.client(known, region_name=region, endpoint_url=self._target.aws_endpoint_url)


def _region(key_arn: str) -> str:
    return key_arn.split(":")[3]
