"""Rules for Cloud Storage buckets: closed, encrypted, versioned, and copied far away."""

from __future__ import annotations

from policies.checks import (
    ABSENT,
    PASS,
    absent_or,
    all_of,
    any_of,
    equals,
    expect,
    failed,
    holds_none,
    is_hidden,
    not_applicable,
    read,
    unknown,
)
from policies.inventory import Inventory, Resource
from policies.links import customer_key, far_enough, key_region, keys_behind, refers_to
from policies.model import Framework, Judgement, Rule, Severity
from policies.settings_view import SettingsView

BUCKET = "gcp:storage/bucket:Bucket"
_TRANSFER = "gcp:storage/transferJob:TransferJob"
_IAM = (
    "gcp:storage/bucketIAMMember:BucketIAMMember",
    "gcp:storage/bucketIAMBinding:BucketIAMBinding",
)
_ANYONE = ("allUsers", "allAuthenticatedUsers")
_SEVEN_DAYS_SECONDS = 7 * 24 * 3600


def _name(bucket: Resource) -> str:
    return str(read(bucket, "name"))


def _public_access_prevented(bucket: Resource, _: Inventory) -> Judgement:
    return equals(bucket, "publicAccessPrevention", "enforced")


def _uniform_access(bucket: Resource, _: Inventory) -> Judgement:
    return equals(bucket, "uniformBucketLevelAccess", True)


def _versioned(bucket: Resource, _: Inventory) -> Judgement:
    return equals(bucket, "versioning.enabled", True)


def _customer_key(bucket: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, bucket, "encryption.defaultKmsKeyName")


def _location(bucket: Resource) -> str:
    location = read(bucket, "location")
    return location.lower() if isinstance(location, str) and not is_hidden(location) else ""


def _soft_delete(bucket: Resource, _: Inventory) -> Judgement:
    path = "softDeletePolicy.retentionDurationSeconds"
    required = f"at least {_SEVEN_DAYS_SECONDS} seconds (7 days)"
    return absent_or(bucket, path, lambda: expect(bucket, path, required, lambda v: int(v) >= _SEVEN_DAYS_SECONDS))


def granted_to_names(grant: Resource, _: Inventory) -> Judgement:
    """Whether a grant of either kind (one member, or a list of them) names nobody that is everyone."""
    path = "member" if read(grant, "member") is not ABSENT else "members"
    if grant.property_dependencies.get(path):
        return PASS if is_hidden(read(grant, path)) else holds_none(grant, path, _ANYONE, "named members")
    return holds_none(grant, path, _ANYONE, "named members")


def _jobs_from(inventory: Inventory, bucket: Resource) -> list[tuple[Resource, str]]:
    """Enabled transfer jobs that copy all of `bucket`, as (job, path of its transfer or replication spec)."""
    jobs = []
    for job in inventory.of_type(_TRANSFER):
        status = read(job, "status")
        for spec in ("transferSpec", "replicationSpec"):
            source = f"{spec}.gcsDataSource"
            narrowed = any(
                read(job, path) not in (ABSENT, "", [])
                for path in (f"{source}.path", f"{spec}.objectConditions.includePrefixes")
            )
            named = refers_to(inventory, job, f"{source}.bucketName", bucket, _name(bucket))
            if named and not narrowed and status in (ABSENT, "ENABLED"):
                jobs.append((job, spec))
    return jobs


def _destination(inventory: Inventory, job: Resource, spec: str) -> Resource | None:
    path = f"{spec}.gcsDataSink.bucketName"
    return next((b for b in inventory.of_type(BUCKET) if refers_to(inventory, job, path, b, _name(b))), None)


def _needs_copy(bucket: Resource, settings: SettingsView) -> bool:
    return _location(bucket) != settings.backup_region


def _copied_far(bucket: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    if not _needs_copy(bucket, settings):
        return not_applicable("the bucket lies in the backup region")
    jobs = _jobs_from(inventory, bucket)
    if not jobs:
        return failed("", "no enabled transfer job copies the whole bucket", "a copy in the backup region")
    judged = [_far_copy(bucket, inventory, settings, job, spec) for job, spec in jobs]
    return any_of(judged, otherwise=judged[0])


def _far_copy(bucket: Resource, inventory: Inventory, settings: SettingsView, job: Resource, spec: str) -> Judgement:
    path = f"{job.name}.{spec}.gcsDataSink.bucketName"
    destination = _destination(inventory, job, spec)
    if destination is None:
        return unknown(path, "a bucket of this stack", "no bucket of this stack, so its region is not known")
    versioning = _versioned(destination, inventory)
    return all_of((far_enough(settings, path, _location(bucket), _location(destination)), versioning))


def _copy_has_own_key(bucket: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    jobs = _jobs_from(inventory, bucket)
    if not _needs_copy(bucket, settings) or not jobs:
        return not_applicable("the bucket is not copied")
    return all_of(_own_key(bucket, inventory, job, spec) for job, spec in jobs)


def _own_key(bucket: Resource, inventory: Inventory, job: Resource, spec: str) -> Judgement:
    path = "encryption.defaultKmsKeyName"
    destination = _destination(inventory, job, spec)
    if destination is None:
        return unknown(f"{spec}.gcsDataSink.bucketName", "a bucket of this stack")
    home = _location(destination)
    source_keys = {key.urn for key in keys_behind(inventory, bucket, path)}
    keys = keys_behind(inventory, destination, path)
    return all_of(
        (
            customer_key(inventory, destination, path),
            *(_is_own(f"{destination.name}.{path}", inventory, key, source_keys, home) for key in keys),
        )
    )


def _is_own(path: str, inventory: Inventory, key: Resource, source_keys: set[str], home: str) -> Judgement:
    region = key_region(inventory, key)
    if key.urn in source_keys:
        return failed(path, f"{key.name}, the key of the source", "a key of the copy's own")
    required = f"a key in {home or 'the region'} where the copy lies"
    if not region or not home:
        return unknown(path, required, f"{key.name}, whose region the plan cannot tell")
    return PASS if region == home else failed(path, f"{key.name} in {region}", required)


GCP_STORAGE: tuple[Rule, ...] = (
    Rule(
        id="gcp-gcs-public-access-prevented",
        severity=Severity.CRITICAL,
        title="Cloud Storage buckets enforce public access prevention",
        rationale="One wrong binding opens a bucket to the world; prevention makes such a mistake void.",
        remedy='Set publicAccessPrevention to "enforced".',
        types=(BUCKET,),
        check=_public_access_prevented,
        frameworks={Framework.CHECKOV: ("CKV_GCP_114",)},
    ),
    Rule(
        id="gcp-gcs-no-public-grant",
        severity=Severity.CRITICAL,
        title="No Cloud Storage grant names everyone",
        rationale="allUsers and allAuthenticatedUsers are anyone with a browser or a Google account.",
        remedy="Grant to service accounts or groups.",
        types=_IAM,
        check=granted_to_names,
        frameworks={Framework.CHECKOV: ("CKV_GCP_28",)},
    ),
    Rule(
        id="gcp-gcs-uniform-access",
        severity=Severity.MEDIUM,
        title="Cloud Storage buckets do not use ACLs",
        rationale="Object ACLs are a second permission system that a review of IAM does not see.",
        remedy="Set uniformBucketLevelAccess.",
        types=(BUCKET,),
        check=_uniform_access,
        frameworks={Framework.CHECKOV: ("CKV_GCP_29",)},
    ),
    Rule(
        id="gcp-gcs-versioned",
        severity=Severity.HIGH,
        title="Cloud Storage buckets keep versions",
        rationale="An overwritten or deleted model can be brought back only if its old version is kept.",
        remedy="Set versioning.enabled.",
        types=(BUCKET,),
        check=_versioned,
        frameworks={Framework.CHECKOV: ("CKV_GCP_78",)},
    ),
    Rule(
        id="gcp-gcs-customer-key",
        severity=Severity.HIGH,
        title="Cloud Storage buckets are encrypted with a customer-managed key",
        rationale="Only a key of one's own can be audited, withdrawn, and kept from one who has bucket access alone.",
        remedy="Set encryption.defaultKmsKeyName to the stack's key.",
        types=(BUCKET,),
        check=_customer_key,
    ),
    Rule(
        id="gcp-gcs-soft-delete",
        severity=Severity.MEDIUM,
        title="Cloud Storage keeps deleted objects for a week",
        rationale="Soft deletion is the only way back from a deletion of versions.",
        remedy="Leave softDeletePolicy out (7 days), or set 604800 seconds or more.",
        types=(BUCKET,),
        check=_soft_delete,
        frameworks={Framework.NIST_800_53: ("CP-9",)},
    ),
    Rule(
        id="gcp-gcs-copied-far",
        severity=Severity.HIGH,
        title="Cloud Storage buckets are copied to a versioned bucket in a region far enough away",
        rationale="A copy in the same or a neighbouring region is lost in the same disaster.",
        remedy="Add a transfer job to a versioned bucket in a region at least backup.min_distance_km away.",
        types=(BUCKET,),
        check=_copied_far,
        frameworks={Framework.NIST_800_53: ("CP-6",)},
    ),
    Rule(
        id="gcp-gcs-copy-own-key",
        severity=Severity.HIGH,
        title="Copies of Cloud Storage buckets have a key of their own, in their own region",
        rationale="A copy under the primary region's key cannot be read once that region or key is lost.",
        remedy="Set the copy's encryption.defaultKmsKeyName to a key in its own region.",
        types=(BUCKET,),
        check=_copy_has_own_key,
        frameworks={Framework.NIST_800_53: ("CP-6",)},
    ),
)
