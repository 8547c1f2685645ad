"""Copies of buckets: the whole bucket, versioned, and far enough away."""

from __future__ import annotations

from policies.buckets import (
    GCS,
    S3,
    BucketKind,
    Copy,
    declares_copies,
    given_to_gcs_logs,
    given_to_s3_logs,
    s3_companions,
)
from policies.checks import all_of, best_of, equals, failed, if_given, not_applicable, unknown
from policies.copy_examples import COPY, OUTSIDE, REPLICA, gcs_copy, s3_copy
from policies.examples import both, examples, given, plus, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import far_enough, home_region, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCS_BUCKET, S3_BUCKET, S3_REPLICATION, S3_VERSIONING, TRANSFER_JOB

family = Family("Copies of buckets")

_NOT_FOR_LOGS = "logs are not needed to restore the service"


def _in_backup_region(bucket: Resource, settings: SettingsView) -> bool:
    return region_in(bucket) == settings.backup_region and not declares_copies(bucket)


def _copied_far(kind: BucketKind, bucket: Resource, inventory: Inventory, absent: str) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    if kind.holds_logs(bucket, inventory):
        return not_applicable(_NOT_FOR_LOGS)
    if _in_backup_region(bucket, settings):
        return not_applicable("the bucket lies in the backup region")
    copies = kind.copies(inventory, bucket)
    if not copies:
        return failed("", absent, "a copy in the backup region")
    configs = s3_companions(inventory, bucket, S3_REPLICATION) if kind is S3 else ()
    if len(configs) > 1:
        return failed("", f"{len(configs)} replication configurations, of which the last one written stands", "one")
    return best_of(_far_copy(kind, bucket, inventory, settings, copy) for copy in copies)


def _far_copy(
    kind: BucketKind, bucket: Resource, inventory: Inventory, settings: SettingsView, copy: Copy
) -> Judgement:
    path = f"{copy.job.name}.{copy.destination_path}"
    destination = kind.destination(inventory, copy)
    if destination is None:
        return unknown(path, "a bucket of this stack", OUTSIDE)
    far = far_enough(settings, path, home_region(bucket, settings), region_in(destination))
    if kind is not S3:
        return all_of((far, kind.versioned(destination, inventory)))
    owner = copy.destination_path.replace(".bucket", ".account")
    mine = if_given(copy.job, owner, lambda: equals(copy.job, owner, inventory.settings.get("account")))
    return all_of((far, kind.versioned(destination, inventory), mine))


@family.rule(
    "aws-s3-replicated-far",
    Severity.HIGH,
    "S3 buckets are replicated to a versioned bucket in a region far enough away",
    types=(S3_BUCKET,),
    rationale="A replica in the same or a neighbouring region is lost in the same disaster.",
    remedy="Replicate the whole bucket to a versioned bucket in a region at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6",), Framework.CHECKOV: ("CKV_AWS_144",)},
    examples=lambda: examples(
        *s3_copy(),
        broken={
            "no enabled rule replicates the whole bucket": (
                put("rules.0.status", "Disabled", on=S3_REPLICATION),
                put("rules.0.filter.prefix", "releases/", on=S3_REPLICATION),
                put("rules.0.filter.tag", {"key": "copied", "value": "yes"}, on=S3_REPLICATION),
                put("rules.0.filter.and", {"prefix": "releases/"}, on=S3_REPLICATION),
                without(S3_REPLICATION),
            ),
            f"example.{REPLICA} is in eu-west-1, the same region": both(
                without(S3_BUCKET, "away"), plus(given(S3_BUCKET, {"bucket": "replica"}, "away"))
            ),
            f"example.{REPLICA} is in eu-central-1, 1088 km away": setting("backup.min_distance_km", 9000),
            "the bucket has no versioning configuration": without(S3_VERSIONING, "away"),
            "2 replication configurations, of which the last one written stands": plus(
                given(S3_REPLICATION, {"bucket": "models", "rules": []}, "another")
            ),
            'rules.0.destination.account is "999999999999"': put(
                "rules.0.destination.account", "999999999999", on=S3_REPLICATION
            ),
            'versioningConfiguration.status is "Suspended"': put(
                "versioningConfiguration.status", "Suspended", on=S3_VERSIONING, name="away"
            ),
        },
        undecided={f"example.{REPLICA} is {OUTSIDE}": without(S3_BUCKET, "away")},
        accepted={
            "the bucket lies in the backup region": setting("backup.region", "eu-west-1"),
            "eu-central-1 is 1088 km from eu-west-1": (
                setting("backup.min_distance_km", 1000),
                setting("backup", {"region": "eu-central-1"}),
            ),
            _NOT_FOR_LOGS: both(without(S3_REPLICATION), given_to_s3_logs("models")),
        },
    ),
)
def s3_replicated_far(bucket: Resource, inventory: Inventory) -> Judgement:
    return _copied_far(S3, bucket, inventory, "no enabled rule replicates the whole bucket")


@family.rule(
    "gcp-gcs-copied-far",
    Severity.HIGH,
    "Cloud Storage buckets are copied to a versioned bucket in a region far enough away",
    types=(GCS_BUCKET,),
    rationale="A copy in the same or a neighbouring region is lost in the same disaster.",
    remedy="Add a transfer job to a versioned bucket in a region at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        *gcs_copy(),
        broken={
            "no enabled transfer job copies the whole bucket": (
                put("status", "DISABLED", on=TRANSFER_JOB),
                put("transferSpec.gcsDataSource.path", "releases/", on=TRANSFER_JOB),
                put("transferSpec.objectConditions", {"excludePrefixes": ["releases/"]}, on=TRANSFER_JOB),
                without(TRANSFER_JOB),
            ),
            f"example.{COPY} is in europe-north1, 1836 km away": setting("backup.min_distance_km", 9000),
            "versioning.enabled is false": put("versioning.enabled", False, on=GCS_BUCKET, name="away"),
        },
        undecided={f"example.{COPY} is {OUTSIDE}": without(GCS_BUCKET, "away")},
        accepted={
            "the bucket lies in the backup region": setting("backup.region", "europe-west1"),
            _NOT_FOR_LOGS: both(without(TRANSFER_JOB), given_to_gcs_logs("models")),
        },
    ),
)
def gcs_copied_far(bucket: Resource, inventory: Inventory) -> Judgement:
    return _copied_far(GCS, bucket, inventory, "no enabled transfer job copies the whole bucket")
