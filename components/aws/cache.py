"""The feature store on AWS: a DynamoDB table that bills by request, restores to any second, and forgets by itself."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import FeatureCacheRef, KeysRef, NetworkRef
from components.contracts.specs import FeatureCacheSpec
from components.contracts.stateful import stateful_options

HASH_KEY: Final = "entity_id"
TTL_ATTRIBUTE: Final = "expires_at"
"""Seconds since 1970; DynamoDB removes an item within days after it."""
PITR_DAYS: Final = 35
"""How far back the table can be restored to any second; DynamoDB's maximum."""


class FeatureCache(Component):
    """One table, found by its name: pods reach it through the network's gateway endpoint.

    Raises:
        ValueError: `spec.memory_gib` is given, which DynamoDB has no use for.
    """

    ref: FeatureCacheRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: FeatureCacheSpec,
        *,
        network: NetworkRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:FeatureCache", name, provider)
        del network  # DynamoDB has no address inside it
        if spec.memory_gib is not None:
            raise ValueError(
                f"features.memory_gib is {spec.memory_gib}, but DynamoDB is not sold by size: leave it out on AWS"
            )
        table_name = place.name("features", max_length=255)
        table = aws.dynamodb.Table(
            "features",
            name=table_name,
            billing_mode="PAY_PER_REQUEST",
            hash_key=HASH_KEY,
            attributes=[aws.dynamodb.TableAttributeArgs(name=HASH_KEY, type="S")],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=TTL_ATTRIBUTE, enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
                enabled=True, recovery_period_in_days=PITR_DAYS
            ),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=keys.data.id),
            deletion_protection_enabled=place.protected,
            tags=place.labels,
            opts=stateful_options(self, place),
        )
        self.ref = FeatureCacheRef(kind="dynamodb", name=table_name, region=place.region, id=ready(table_name, table))
        self.finish({"id": self.ref.id, "arn": table.arn})
