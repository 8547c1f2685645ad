"""The model bucket, and a transfer job that copies it to the backup region every hour."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import KeysRef, StorageRef
from components.contracts.specs import StorageSpec
from components.contracts.stateful import CopiedBy, NotCopied, Stateful
from components.gcp.agents import Agent, agent_member
from components.gcp.buckets import grant, private_bucket

COPY_INTERVAL_SECONDS: Final = 3600
"""The least that Storage Transfer Service allows; `backup.rpo_minutes` is never below it."""

SOURCE_ROLES: Final = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")
SINK_ROLES: Final = ("roles/storage.legacyBucketWriter", "roles/storage.objectViewer")
"""What Storage Transfer Service's agent needs, by its pages on Cloud Storage as a source and as a sink."""

MODELS: Final = Stateful("model releases, with all their versions", CopiedBy.TRANSFER_JOB)
REPLICA: Final = Stateful("the copy of the model releases", NotCopied("it is the copy"))


class Storage(Component):
    """Models and their replica, each under its own region's key.

    TLS: Cloud Storage has no switch for it on a bucket, and its endpoints answer plain HTTP too. So the project gets
    the organization policy `storage.secureHttpTransport`, which refuses that. Whoever deploys needs
    `orgpolicy.policies.create` on the project, which must belong to an organization.

    The copy carries over new and changed objects, never deletions: what is deleted here stays there.
    """

    ref: StorageRef

    def __init__(
        self, name: str, place: Place, spec: StorageSpec, *, keys: KeysRef, provider: pulumi.ProviderResource
    ) -> None:
        super().__init__("gcp:Storage", name, provider)
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
        self._copy(place, models_bucket, replica_bucket)
        self._tls_only(place)
        self.ref = StorageRef(models=models, replica=replica, copy_job=copy_job_name(place))
        self.finish({"models": models.uri, "replica": replica.uri})

    def _copy(self, place: Place, source: gcp.storage.Bucket, sink: gcp.storage.Bucket) -> None:
        grants: list[pulumi.Resource] = [
            grant(
                f"copy-{end}-{role.rpartition('.')[2].lower()}",
                parent=self,
                bucket=bucket.name,
                role=role,
                member=agent_member(place, Agent.STORAGE_TRANSFER),
            )
            for end, bucket, roles in (("from-models", source, SOURCE_ROLES), ("to-replica", sink, SINK_ROLES))
            for role in roles
        ]
        gcp.storage.TransferJob(
            "copy",
            name=copy_job_name(place),
            project=place.account,
            description=f"{place.stack}: models to {place.backup_region}, hourly",
            status="ENABLED",
            schedule={
                # In the past, so that the program needs no clock; the first copy then runs within a day.
                "schedule_start_date": {"year": 2024, "month": 1, "day": 1},
                "start_time_of_day": {"hours": 0, "minutes": 0, "seconds": 0, "nanos": 0},
                "repeat_interval": f"{COPY_INTERVAL_SECONDS}s",
            },
            transfer_spec={
                "gcs_data_source": {"bucket_name": source.name},
                "gcs_data_sink": {"bucket_name": sink.name},
                "transfer_options": {
                    "overwrite_when": "DIFFERENT",
                    "delete_objects_unique_in_sink": False,
                    "delete_objects_from_source_after_transfer": False,
                    "metadata_options": {
                        "kms_key": "KMS_KEY_DESTINATION_BUCKET_DEFAULT",
                        "storage_class": "STORAGE_CLASS_DESTINATION_BUCKET_DEFAULT",
                    },
                },
            },
            logging_config={"log_actions": ["FIND", "COPY"], "log_action_states": ["FAILED"]},
            opts=pulumi.ResourceOptions(parent=self, depends_on=grants),
        )

    def _tls_only(self, place: Place) -> None:
        project = f"projects/{place.project_number}"
        gcp.orgpolicy.Policy(
            "tls-only",
            name=f"{project}/policies/storage.secureHttpTransport",
            parent=project,
            spec={"rules": [{"enforce": "TRUE"}]},
            opts=pulumi.ResourceOptions(parent=self),
        )


def copy_job_name(place: Place) -> str:
    """The transfer job's full name, which metrics and the API use."""
    return f"transferJobs/{place.name('copy-models', max_length=100)}"
