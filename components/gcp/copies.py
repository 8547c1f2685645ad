"""A transfer job that copies one bucket to another every hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.storage import TransferJobTransferSpecGcsDataSinkArgsDict

from components.contracts.place import Place
from components.contracts.recovery import TRANSFER_INTERVAL_MINUTES
from components.gcp.agents import Agent, agent_member
from components.gcp.buckets import grant

COPY_INTERVAL_SECONDS: Final = 60 * TRANSFER_INTERVAL_MINUTES

SOURCE_ROLES: Final = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")
SINK_ROLES: Final = ("roles/storage.legacyBucketWriter", "roles/storage.objectViewer")
"""What Storage Transfer Service's agent needs, by its pages on Cloud Storage as a source and as a sink."""


def let_copy(
    name: str, roles: Sequence[str], *, parent: pulumi.Resource, place: Place, bucket: gcp.storage.Bucket
) -> list[gcp.storage.BucketIAMMember]:
    """Let Storage Transfer Service use `bucket` as a source (`SOURCE_ROLES`) or a sink (`SINK_ROLES`)."""
    return [
        grant(
            f"{name}-{role.rpartition('.')[2].lower()}",
            parent=parent,
            bucket=bucket.name,
            role=role,
            member=agent_member(place, Agent.STORAGE_TRANSFER),
        )
        for role in roles
    ]


def copy_hourly(
    name: str,
    *,
    parent: pulumi.Resource,
    place: Place,
    job_name: str,
    description: str,
    source: tuple[str, gcp.storage.Bucket],
    sink: tuple[str, gcp.storage.Bucket],
    sink_path: str | None = None,
    sink_grants: Sequence[pulumi.Resource] | None = None,
    minute: int = 0,
) -> gcp.storage.TransferJob:
    """Copies what is new or changed, never deletions: what is deleted in the source stays in the sink.

    Args:
        source: what the bucket is called in the grants' logical names, and the bucket; `sink` likewise.
        sink_path: what copies' names begin with in the sink, ending in a slash; None: nothing.
        sink_grants: what lets the service write to the sink, where several jobs share one; None: made here.
        minute: of each hour, at which a copy begins.
    """
    grants = [
        *let_copy(f"{name}-from-{source[0]}", SOURCE_ROLES, parent=parent, place=place, bucket=source[1]),
        *(
            let_copy(f"{name}-to-{sink[0]}", SINK_ROLES, parent=parent, place=place, bucket=sink[1])
            if sink_grants is None
            else sink_grants
        ),
    ]
    into: TransferJobTransferSpecGcsDataSinkArgsDict = {"bucket_name": sink[1].name}
    if sink_path is not None:
        into["path"] = sink_path  # one that is there and empty would be another place
    return gcp.storage.TransferJob(
        name,
        name=job_name,
        project=place.account,
        description=description,
        status="ENABLED",
        schedule={
            # In the past, so that the program needs no clock; the first copy then runs within a day.
            "schedule_start_date": {"year": 2024, "month": 1, "day": 1},
            "start_time_of_day": {"hours": 0, "minutes": minute, "seconds": 0, "nanos": 0},
            "repeat_interval": f"{COPY_INTERVAL_SECONDS}s",
        },
        transfer_spec={
            "gcs_data_source": {"bucket_name": source[1].name},
            "gcs_data_sink": into,
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
        opts=pulumi.ResourceOptions(parent=parent, depends_on=grants),
    )
