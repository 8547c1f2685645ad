"""A DynamoDB table that bills by request, restores to any second, and forgets by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi_aws as aws

from components.aws.alarms import Alarm
from components.aws.documents import Statement, allow, document, restored, table_arn, table_key_access
from components.aws.events import EventPattern
from components.aws.feature_store.kind import Recovery
from components.aws.network import store_endpoint
from components.aws.vaults import COPY_ARRIVED, back_up_by_plan, copy_events, vault_alarms
from components.contracts import serving
from components.contracts.backup import BackupSpec
from components.contracts.component import Component, ready
from components.contracts.feature_store import DynamoDBSpec, FeatureStoreKind, FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeysRef, NetworkRef
from components.contracts.stateful import CopiedBy, Stateful

HASH_KEY: Final = "entity_id"
TTL_ATTRIBUTE: Final = "expires_at"
"""Seconds since 1970; DynamoDB removes an item within days after it."""
PITR_DAYS: Final = 35
"""How far back the table can be restored to any second; DynamoDB's maximum."""

FEATURES: Final = Stateful("the features of every entity", CopiedBy.BACKUP_PLAN)


def make(parent: Component, place: Place, spec: DynamoDBSpec, network: NetworkRef, keys: KeysRef) -> FeatureStoreRef:
    """One table, found by its name, and the only door through which pods reach it."""
    table_name = place.name("features", max_length=255)
    kept = parent.keep(aws.dynamodb.Table, "features", FEATURES, place)
    table = aws.dynamodb.Table(
        kept.name,
        name=table_name,
        billing_mode="PAY_PER_REQUEST",
        hash_key=HASH_KEY,
        attributes=[aws.dynamodb.TableAttributeArgs(name=HASH_KEY, type="S")],
        ttl=aws.dynamodb.TableTtlArgs(attribute_name=TTL_ATTRIBUTE, enabled=True),
        point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
            enabled=True, recovery_period_in_days=PITR_DAYS
        ),
        server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=keys.data.id),
        deletion_protection_enabled=kept.protected,
        tags=place.labels,
        opts=kept.options,
    )
    door = store_endpoint(parent, place, network, "dynamodb", table_endpoint_policy(place, table_name))
    return FeatureStoreRef(
        kind=FeatureStoreKind.DYNAMODB,
        name=table_name,
        region=place.region,
        id=ready(table_name, table),
        gib=spec.gib,
        environment={
            serving.FEATURES_TABLE: table_name,
            serving.FEATURES_REGION: place.region,
            serving.DYNAMODB_ENDPOINT: door.url,
            **spec.lookup_variables,
        },
        doors=door.doors,
    )


def table_endpoint_policy(place: Place, table: str) -> str:
    """This account's roles on this table, to read it."""
    reads = ["dynamodb:GetItem", "dynamodb:BatchGetItem"]
    own = {"StringEquals": {"aws:PrincipalAccount": place.account}}
    return document(allow("ReadFeatures", reads, table_arn(place, table), principal="*", condition=own))


def reading(place: Place, ref: FeatureStoreRef) -> Sequence[Statement]:
    """Items by their keys, and the key that decrypts them, only through DynamoDB; of restored tables too."""
    actions, away = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], restored(place, ref.name)
    tables = [table_arn(place, name, region=place.backup_region) for name in away]
    return (
        allow("LookUpFeatures", actions, table_arn(place, ref.name)),
        table_key_access("DecryptFeatures", place, ref.name, ["kms:Decrypt"]),
        allow("LookUpRestored", actions, tables),
        table_key_access("DecryptRestored", place, away, ["kms:Decrypt"], region=place.backup_region),
    )


def writing(place: Place, ref: FeatureStoreRef) -> Sequence[Statement]:
    """Items, one by one and in batches, and the key that encrypts them, only through DynamoDB."""
    actions = ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:BatchGetItem", "dynamodb:GetItem"]
    return (
        allow("WriteFeatures", actions, table_arn(place, ref.name)),
        table_key_access("EncryptFeatures", place, ref.name, ["kms:Decrypt"]),
    )


def back_up(parent: Component, place: Place, spec: BackupSpec, ref: FeatureStoreRef, keys: KeysRef) -> Recovery:
    """By AWS Backup, which copies to a locked vault in the backup region."""
    return back_up_by_plan(parent, place, spec, ref.gib, ref.id.apply(lambda table: table_arn(place, table)), keys)


def events(place: Place) -> Mapping[str, EventPattern]:
    """Recovery points that arrive in the backup region."""
    return {COPY_ARRIVED: copy_events(place)}


def alarms(place: Place, ref: FeatureStoreRef, backup: BackupRef) -> Mapping[str, Alarm]:
    """Recovery points that are missing, and look-ups that are refused."""
    return {
        **vault_alarms(place, backup.rpo_minutes),
        "features-throttled": Alarm(
            "AWS/DynamoDB", "ReadThrottleEvents", {"TableName": ref.name}, "Sum", 300, 0,
            "Feature look-ups are throttled, so predictions fall back to training means.",
        ),
    }  # fmt: skip
