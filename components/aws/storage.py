"""The model bucket and its replica in the backup region, and the buckets that their access logs go to."""

from __future__ import annotations

from typing import Final

import pulumi

from components.aws.buckets import access_log_bucket, model_bucket
from components.aws.documents import allow, document
from components.aws.network import own_resources, store_endpoint
from components.aws.replication import replicate
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import BucketRef, KeysRef, NetworkRef, StorageRef
from components.contracts.specs import StorageSpec
from components.contracts.stateful import CopiedBy, NotCopied, Stateful

MODELS: Final = Stateful("model releases, with all their versions", CopiedBy.REPLICATION)
REPLICA: Final = Stateful("the copy of the model releases", NotCopied("it is the copy"))


class Storage(Component):
    """Two buckets made by one function, each in its own region under that region's key, and replication between.

    Replication covers what is written after it is in force: the bucket and its rule come up together, before anything
    can be published. Deletions are replicated as markers, so the replica keeps the versions for
    `noncurrent_retention_days`.
    """

    ref: StorageRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: StorageSpec,
        *,
        network: NetworkRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Storage", name, provider)
        models_name = place.bucket_name("models", place.region)
        replica_name = place.bucket_name("models", place.backup_region)
        models_logs = access_log_bucket(
            self, "logs", place, place.region, [models_name, place.bucket_name("audit", place.region)]
        )
        replica_logs = access_log_bucket(self, "replica-logs", place, place.backup_region, [replica_name])
        models = model_bucket(self, "models", MODELS, place, spec, models_name, keys.data, models_logs)
        replica = model_bucket(
            self, "replica", REPLICA, place, spec, replica_name, keys.recovery, replica_logs, is_copy=True
        )
        rule = replicate(
            self,
            "models",
            place,
            what="the model bucket",
            source=(models_name, models),
            target=(replica_name, replica),
            key=keys.recovery,
        )
        door = store_endpoint(self, place, network, "s3", buckets_endpoint_policy(place))
        self.ref = StorageRef(
            models=BucketRef(
                name=models_name,
                uri=f"s3://{models_name}",
                region=place.region,
                id=ready(models_name, models.bucket, rule, *models.settings),
            ),
            replica=BucketRef(
                name=replica_name,
                uri=f"s3://{replica_name}",
                region=place.backup_region,
                id=ready(replica_name, replica.bucket, *replica.settings),
            ),
            access_logs=ready(place.bucket_name("logs", place.region), models_logs.bucket, *models_logs.settings),
            environment={"AWS_ENDPOINT_URL_S3": door.url},
            doors=door.doors,
        )
        self.finish({"models": self.ref.models.id, "replica": self.ref.replica.id})


def buckets_endpoint_policy(place: Place) -> str:
    """This account's roles on this account's buckets."""
    return document(allow("OwnRolesOnOwnBuckets", ["s3:*"], "*", principal="*", condition=own_resources(place)))
