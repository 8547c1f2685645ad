"""A drill's hands on AWS: S3 replica, AWS Backup's recovery points, DynamoDB restored in the backup region."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.aws_api import aws_session
from common.errors import UserError
from common.target import Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.naming import drill_name
from components.contracts.recovery import Bound
from components.contracts.specs import StorageSpec
from ops.deployed import open_bucket
from ops.drill import aws_deployed
from ops.drill.ids import drills_among, merged
from ops.drill.model import KeyFound, NotRecoverableError, RecoveryPoint, Setting
from ops.features.store import FeatureStore
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore
from stacks.outputs import StackOutputs
from stacks.settings import Settings

POLL_S: Final = 0.5
RESTORE_TIMEOUT_S: Final = 3600
TTL_ATTRIBUTE: Final = "expires_at"
_DRILL_TAG: Final = "seawall-drill"


class AwsDrill:
    """Implements `ops.drill.ports.DrillCloud`."""

    def __init__(self, outputs: StackOutputs, target: Target) -> None:
        self._outputs = outputs
        self._target = target
        self._session = aws_session(target)
        self._clients: dict[tuple[str, str], Any] = {}
        self._region: str = outputs.region
        self._far: str = outputs.backup_region
        self._recovery_key: str = outputs.keys.recovery.id
        self.feature_store = FeatureStore.of(outputs)
        self.primary: ObjectStore = open_bucket(outputs.model_bucket, target)
        self.replica: ObjectStore = open_bucket(outputs.model_replica, target)

    def note_primary(self) -> Mapping[str, Any]:
        return {}

    def hurry_copies(self) -> list[str]:
        return []

    def recovery_point(self, since: datetime) -> RecoveryPoint | None:
        vault = self._outputs.backup.vault
        with told(f"backup vault {vault}"):
            backup = self._client("backup", self._far)
            pages = backup.get_paginator("list_recovery_points_by_backup_vault").paginate(
                BackupVaultName=vault, ByResourceArn=self._table_arn
            )
            found = [p for page in pages for p in page["RecoveryPoints"] if p["Status"] == "COMPLETED"]
            newest = max(found, key=lambda p: p["CreationDate"], default=None)
            if newest is None or newest["CreationDate"].timestamp() < since.timestamp():
                return None
            locked = backup.describe_backup_vault(BackupVaultName=vault).get("Locked", False)
        created = newest["CreationDate"].astimezone(UTC)
        return RecoveryPoint(newest["RecoveryPointArn"], created, vault, self._far, bool(locked))

    def make_bucket(self, drill_id: str, promised: Settings) -> ObjectStore:
        name = self._restored_name(drill_id)
        with told(f"bucket {name}"):
            s3 = self._client("s3", self._far)
            s3.create_bucket(
                Bucket=name,
                CreateBucketConfiguration={"LocationConstraint": self._far},
                ObjectOwnership="BucketOwnerEnforced",
            )
            s3.put_public_access_block(
                Bucket=name,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            rule = {
                "ApplyServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": self._recovery_key,
                },
                "BucketKeyEnabled": True,
            }
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
            s3.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": [_old_versions(promised.storage)]}
            )
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": _DRILL_TAG, "Value": drill_id}]})
        return open_store(f"s3://{name}", self._target, self._far)

    def let_read(self, bucket: ObjectStore, principal: str) -> None:
        arn = f"arn:aws:s3:::{bucket.bucket}"
        statements = [
            {"Sid": f"Fleet{action}", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": f"s3:{action}",
             "Resource": resource}
            for action, resource in (("ListBucket", arn), ("GetObject", f"{arn}/*"))
        ]  # fmt: skip
        with told(bucket.uri):
            self._client("s3", self._far).put_bucket_policy(
                Bucket=bucket.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
            )

    def restore_features(self, point: RecoveryPoint, drill_id: str) -> FeatureStore:
        name = self._restored_name(drill_id)
        with told(f"recovery point {point.id}"):
            backup = self._client("backup", self._far)
            job = backup.start_restore_job(
                RecoveryPointArn=point.id,
                ResourceType="DynamoDB",
                IamRoleArn=self._outputs.backup.restore_identity,
                Metadata={
                    "targetTableName": name,
                    "encryptionType": "KMS",
                    "kmsMasterKeyArn": self._recovery_key,
                },
            )["RestoreJobId"]
            self._await_restore(backup, job)
            self._bring_settings_back(name)
        environment = {serving.FEATURES_TABLE: name, serving.FEATURES_REGION: self._far}
        return FeatureStore(FeatureStoreKind.DYNAMODB, name, self._far, name, environment)

    def encryption(self, bucket: ObjectStore, store: FeatureStore) -> list[KeyFound]:
        with told("the restored resources' keys"):
            objects = list(bucket.list())
            heads = self._client("s3", self._far)
            keys = {heads.head_object(Bucket=bucket.bucket, Key=o.key).get("SSEKMSKeyId", "none") for o in objects}
            table = self._client("dynamodb", self._far).describe_table(TableName=store.name)["Table"]
            table_key = table.get("SSEDescription", {}).get("KMSMasterKeyArn", "none")
        found = [(bucket.uri, key) for key in sorted(keys)] + [(f"table {store.name}", table_key)]
        return [KeyFound(resource, key, self._far) for resource, key in found]

    def deployed(self, promised: Settings) -> list[Setting]:
        with told("what is deployed"):
            return list(aws_deployed.settings(self._client, self._outputs, promised))

    def bounds(self, promised: Settings) -> list[Bound | str]:
        with told("what copies the stack's data"):
            return aws_deployed.bounds(self._client, self._outputs, promised)

    def restored(self, bucket: ObjectStore, store: FeatureStore, promised: Settings) -> list[Setting]:
        with told("the restored resources' settings"):
            s3, dynamodb = self._client("s3", self._far), self._client("dynamodb", self._far)
            days = promised.storage.noncurrent_retention_days
            return [
                *aws_deployed.bucket_settings(s3, bucket.bucket, self._far, self._recovery_key, days),
                *aws_deployed.table_settings(dynamodb, store.name, self._recovery_key, protected=True),
            ]

    def off_schedule(self, point: RecoveryPoint) -> list[str]:
        with told("the backup plan"):
            plan = aws_deployed.plan_of(self._client("backup", self._region), self._outputs)
        if aws_deployed.is_due(plan, point.created):
            return []
        return [f"{self._outputs.backup.plan}, whose rules were not due at {point.created.isoformat()}"]

    def still_answering(self) -> list[str]:
        table, data = self.feature_store.name, self._outputs.keys.data.id
        asks: dict[str, Callable[[Any], object]] = {
            "s3": lambda client: client.head_bucket(Bucket=self.primary.bucket),
            "dynamodb": lambda client: client.describe_table(TableName=table),
            "kms": lambda client: client.describe_key(KeyId=data),
            "backup": lambda client: client.list_backup_plans(),
        }
        once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        return [service for service, ask in asks.items() if _answers(self._make(service, self._region, once), ask)]

    def drills(self) -> Mapping[str, list[str]]:
        prefix = drill_name(self._outputs.environment)
        with told("the backup region's resources"):
            buckets = [b["Name"] for b in self._client("s3", self._far).list_buckets()["Buckets"]]
            pages = self._client("dynamodb", self._far).get_paginator("list_tables").paginate()
            tables = [table for page in pages for table in page["TableNames"]]
        return merged(drills_among(buckets, prefix, "bucket"), drills_among(tables, prefix, "table"))

    def leftovers(self, drill_id: str) -> list[str]:
        return self.drills().get(drill_id, [])

    def clean_up(self, drill_id: str) -> list[str]:
        name, deleted = self._restored_name(drill_id), []
        for left in self.leftovers(drill_id):
            with told(left):
                if left.startswith("bucket"):
                    self._empty_bucket(name, self._far)
                    self._client("s3", self._far).delete_bucket(Bucket=name)
                else:
                    dynamodb = self._client("dynamodb", self._far)
                    # A table that is still being restored cannot be deleted.
                    dynamodb.get_waiter("table_exists").wait(TableName=name)
                    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
                    dynamodb.delete_table(TableName=name)
                    dynamodb.get_waiter("table_not_exists").wait(TableName=name)
            deleted.append(left)
        return deleted

    def versions(self) -> Mapping[str, str]:
        return {"boto3": boto3.__version__, "botocore": botocore.__version__}

    def _restored_name(self, drill_id: str) -> str:
        """Within the names that the environment's boundary leaves to its roles, as the one is that restores."""
        return drill_name(self._outputs.environment, drill_id)

    @property
    def _table_arn(self) -> str:
        return f"arn:aws:dynamodb:{self._region}:{self._outputs.account}:table/{self.feature_store.name}"

    def _client(self, service: str, region: str) -> Any:
        """Made once: a client loads its service's whole description."""
        if (service, region) not in self._clients:
            retries: Any = {"max_attempts": 3, "mode": "standard"}
            config = Config(retries=retries, connect_timeout=5, read_timeout=60)
            self._clients[service, region] = self._make(service, region, config)
        return self._clients[service, region]

    def _make(self, service: str, region: str, config: Config) -> Any:
        known: Any = service  # the stubs know each service by a literal of its own
        return self._session.client(
            known, region_name=region, endpoint_url=self._target.aws_endpoint_url, config=config
        )

    def _empty_bucket(self, bucket: str, region: str) -> None:
        s3 = self._client("s3", region)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            doomed = [
                {"Key": v["Key"], "VersionId": v["VersionId"]}
                for v in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            ]
            if doomed:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})

    def _await_restore(self, backup: Any, job: str) -> None:
        deadline = time.monotonic() + RESTORE_TIMEOUT_S
        while time.monotonic() < deadline:
            found = backup.describe_restore_job(RestoreJobId=job)
            if found["Status"] == "COMPLETED":
                return
            if found["Status"] in ("ABORTED", "FAILED"):
                raise NotRecoverableError(
                    f"the restore job failed: {found.get('StatusMessage', 'no reason given')}",
                    f"restore job {job}",
                    "Fix what AWS Backup says and run the drill again.",
                )
            time.sleep(POLL_S)
        raise UserError(f"the restore job is not done after {RESTORE_TIMEOUT_S} s", job, "Look at it in AWS Backup.")

    def _bring_settings_back(self, table: str) -> None:
        """A restored table has no TTL, no point-in-time recovery and no protection, whatever the original had."""
        dynamodb = self._client("dynamodb", self._far)
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE}
        )
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)


def _old_versions(spec: StorageSpec) -> dict[str, Any]:
    return {
        "ID": "expire-old-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": spec.noncurrent_retention_days},
    }


def _answers(client: Any, ask: Callable[[Any], object]) -> bool:
    """Whether a call is answered: a refusal is an answer, a server's failure and silence are none."""
    try:
        ask(client)
    except ClientError as error:
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500
    except BotoCoreError:
        return False
    return True


@contextmanager
def told(where: str) -> Iterator[None]:
    """Refusals and silence of AWS, while the block runs, as errors that name the place.

    Raises:
        UserError: AWS refused a call, or did not answer.
    """
    try:
        yield
    except ClientError as error:
        refusal = error.response.get("Error", {})
        raise UserError(
            f"AWS refused {error.operation_name}: {refusal.get('Code')}: {refusal.get('Message')}",
            where,
            "Check the stack and the drill's rights, and run it again.",
        ) from error
    except BotoCoreError as error:
        raise UserError(f"AWS did not answer: {error}", where, "Check the endpoint and the credentials.") from error
