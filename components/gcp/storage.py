"""The model bucket, and a transfer job that copies it to the backup region every hour."""

from __future__ import annotations

from typing import Final

import pulumi

from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import KeysRef, NetworkRef, StorageRef
from components.contracts.specs import StorageSpec
from components.contracts.stateful import CopiedBy, NotCopied, Stateful
from components.gcp.buckets import ACCESS_LOG_DAYS, access_log_bucket, access_log_bucket_name, private_bucket
from components.gcp.copies import copy_hourly
from components.gcp.network import API_DOORS

MODELS: Final = Stateful("model releases, with all their versions", CopiedBy.TRANSFER_JOB)
REPLICA: Final = Stateful("the copy of the model releases", NotCopied("it is the copy"))


class Storage(Component):
    """Models and their replica, each under its own region's key.

    TLS: Cloud Storage has no switch for it on a bucket, and its endpoints answer plain HTTP too. What refuses that is
    the project's organization policy `storage.secureHttpTransport`, which its bootstrap stack sets.

    The copy carries over new and changed objects, never deletions: what is deleted here stays there.
    """

    ref: StorageRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: StorageSpec,
        *,
        network: NetworkRef,  # noqa: ARG002 - Google's APIs have the same addresses in every network
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Storage", name, provider)
        for purpose, key in (("logs", keys.data), ("replica-logs", keys.recovery)):
            access_log_bucket(purpose, parent=self, place=place, key=key, retention_days=ACCESS_LOG_DAYS)
        models_bucket, models = private_bucket(
            "models",
            MODELS,
            parent=self,
            place=place,
            physical_name=place.bucket_name("models", place.region),
            key=keys.data,
            noncurrent_retention_days=spec.noncurrent_retention_days,
        )
        replica_bucket, replica = private_bucket(
            "replica",
            REPLICA,
            parent=self,
            place=place,
            physical_name=place.bucket_name("models", place.backup_region),
            key=keys.recovery,
            noncurrent_retention_days=spec.noncurrent_retention_days,
        )
        copy_hourly(
            "copy",
            parent=self,
            place=place,
            job_name=copy_job_name(place),
            description=f"{place.stack}: models to {place.backup_region}, hourly",
            source=("models", models_bucket),
            sink=("replica", replica_bucket),
        )
        self.ref = StorageRef(
            models=models,
            replica=replica,
            access_logs=pulumi.Output.from_input(access_log_bucket_name(place, place.region)),
            copy_job=copy_job_name(place),
            doors=API_DOORS,
        )
        self.finish({"models": models.uri, "replica": replica.uri})


def copy_job_name(place: Place) -> str:
    """The transfer job's full name, which metrics and the API use."""
    return f"transferJobs/{place.again(place.name('copy-models', max_length=100))}"
