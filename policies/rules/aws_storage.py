"""Rules for S3 buckets: closed, encrypted, versioned, and copied far away."""

from __future__ import annotations

from policies.checks import (
    PASS,
    all_of,
    any_of,
    at_least,
    equals,
    expect,
    failed,
    items,
    not_applicable,
    read,
    unknown,
)
from policies.documents import Statement, statements
from policies.inventory import Inventory, Resource
from policies.links import companions, customer_key, far_enough, key_region, keys_behind, refers_to, region_in
from policies.model import Check, Framework, Judgement, Rule, Severity
from policies.settings_view import SettingsView

BUCKET = "aws:s3/bucket:Bucket"
_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
_REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
_LOGGING = "aws:s3/bucketLogging:BucketLogging"
_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"

_BLOCK_FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _names(bucket: Resource) -> tuple[str, ...]:
    name = read(bucket, "bucket")
    return (name, f"arn:aws:s3:::{name}") if isinstance(name, str) else ()


def _companions(inventory: Inventory, bucket: Resource, token: str) -> tuple[Resource, ...]:
    return companions(inventory, bucket, "bucket", _names(bucket), token)


def _holds_access_logs(bucket: Resource, inventory: Inventory) -> bool:
    """Whether the bucket is where another's access logs go, and nothing else: its own accesses are not logged."""
    names = _names(bucket)
    is_target = any(refers_to(inventory, log, "targetBucket", bucket, *names) for log in inventory.of_type(_LOGGING))
    return is_target and not _companions(inventory, bucket, _LOGGING)


def _unless_log_bucket(why: str, judge: Check) -> Check:
    """A check that access-log buckets are exempt from."""

    def check(bucket: Resource, inventory: Inventory) -> Judgement:
        return not_applicable(why) if _holds_access_logs(bucket, inventory) else judge(bucket, inventory)

    return check


def _with_companion(token: str, kind: str, judge: Check) -> Check:
    """A check of the bucket's companion of a type; a bucket without one fails."""

    def check(bucket: Resource, inventory: Inventory) -> Judgement:
        found = _companions(inventory, bucket, token)
        if not found:
            return failed("", f"the bucket has no {kind}", f"a {kind} for this bucket")
        return all_of(judge(companion, inventory) for companion in found)

    return check


def _blocked(block: Resource, _: Inventory) -> Judgement:
    return all_of(equals(block, flag, True) for flag in _BLOCK_FLAGS)


def _denies_plain_http(statement: Statement) -> bool:
    insecure = statement.conditions.get("Bool", {}).get("aws:securetransport", ())
    everything = statement.acts_on("s3:GetObject") and statement.acts_on("s3:PutObject")
    objects = any(pattern == "*" or pattern.endswith("/*") for pattern in statement.resources)
    only_this = set(statement.conditions) == {"Bool"} and len(statement.conditions["Bool"]) == 1
    denied = [value.lower() for value in insecure] == ["false"]
    return statement.effect == "Deny" and statement.anyone and everything and objects and denied and only_this


def _tls_only(policy: Resource, _: Inventory) -> Judgement:
    found = statements(policy, "policy")
    if isinstance(found, Judgement):
        return found
    if any(_denies_plain_http(statement) for statement in found):
        return PASS
    return failed(
        "policy.Statement",
        f"{len(found)} statements, none of which denies plain HTTP",
        "a Deny of s3:* to everyone on the bucket and its objects where aws:SecureTransport is false",
    )


def _not_public(bucket: Resource, inventory: Inventory) -> Judgement:
    policies = _companions(inventory, bucket, _POLICY)
    return all_of(_grants_nobody_unknown(policy) for policy in policies)


def _grants_nobody_unknown(policy: Resource) -> Judgement:
    found = statements(policy, "policy")
    if isinstance(found, Judgement):
        return found
    return all_of(
        failed(f"{s.path}.Principal", "everyone, without a condition", "named principals")
        for s in found
        if s.allows and (s.not_principals or (s.anyone and not s.conditions))
    )


def _customer_encrypted(encryption: Resource, inventory: Inventory) -> Judgement:
    rules = list(items(encryption, "rules"))
    if not rules:
        return expect(encryption, "rules", "an encryption rule", lambda _: False)
    return all_of(judgement for rule in rules for judgement in _encryption_rule(encryption, inventory, rule))


def _encryption_rule(encryption: Resource, inventory: Inventory, rule: str) -> tuple[Judgement, ...]:
    default = f"{rule}.applyServerSideEncryptionByDefault"
    return (
        expect(encryption, f"{default}.sseAlgorithm", '"aws:kms"', lambda v: v in ("aws:kms", "aws:kms:dsse")),
        customer_key(inventory, encryption, f"{default}.kmsMasterKeyId"),
        equals(encryption, f"{rule}.bucketKeyEnabled", True),
    )


def _versioned(versioning: Resource, _: Inventory) -> Judgement:
    return equals(versioning, "versioningConfiguration.status", "Enabled")


def _owner_enforced(ownership: Resource, _: Inventory) -> Judgement:
    return equals(ownership, "rule.objectOwnership", "BucketOwnerEnforced")


def _logged(logging: Resource, _: Inventory) -> Judgement:
    return expect(logging, "targetBucket", "a bucket for access logs", lambda v: bool(v))


def _expires_and_aborts(lifecycle: Resource, _: Inventory) -> Judgement:
    required = "an enabled rule that aborts incomplete multipart uploads"
    enabled = [rule for rule in items(lifecycle, "rules") if read(lifecycle, f"{rule}.status") == "Enabled"]
    return any_of(
        (
            at_least(lifecycle, f"{rule}.abortIncompleteMultipartUpload.daysAfterInitiation", 1, "days")
            for rule in enabled
        ),
        otherwise=failed("rules", f"{len(enabled)} enabled rules, none of which does", required),
    )


def _replicas(inventory: Inventory, bucket: Resource) -> list[tuple[Resource, str]]:
    """The enabled rules that replicate the whole bucket, as (replication configuration, path of the rule)."""
    found = []
    for config in _companions(inventory, bucket, _REPLICATION):
        for rule in items(config, "rules"):
            prefix = read(config, f"{rule}.filter.prefix")
            narrowed = isinstance(prefix, str) and prefix != ""
            if read(config, f"{rule}.status") == "Enabled" and not narrowed:
                found.append((config, rule))
    return found


def _destination(inventory: Inventory, config: Resource, rule: str) -> Resource | None:
    path = f"{rule}.destination.bucket"
    return next((b for b in inventory.of_type(BUCKET) if refers_to(inventory, config, path, b, *_names(b))), None)


def _needs_replica(bucket: Resource, settings: SettingsView) -> bool:
    return region_in(bucket) != settings.backup_region


def _replicated_far(bucket: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    if not _needs_replica(bucket, settings):
        return not_applicable("the bucket lies in the backup region")
    replicas = _replicas(inventory, bucket)
    if not replicas:
        return failed("", "no enabled rule replicates the whole bucket", "replication to the backup region")
    return any_of(
        (_far_replica(bucket, inventory, settings, config, rule) for config, rule in replicas),
        otherwise=_far_replica(bucket, inventory, settings, *replicas[0]),
    )


def _far_replica(
    bucket: Resource, inventory: Inventory, settings: SettingsView, config: Resource, rule: str
) -> Judgement:
    path = f"{config.name}.{rule}.destination.bucket"
    destination = _destination(inventory, config, rule)
    if destination is None:
        return unknown(path, "a bucket of this stack", "no bucket of this stack, so its region is not known")
    versioned = _with_companion(_VERSIONING, "versioning configuration", _versioned)
    return all_of(
        (
            far_enough(settings, path, region_in(bucket) or settings.region, region_in(destination)),
            versioned(destination, inventory),
        )
    )


def _replica_has_own_key(bucket: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    replicas = _replicas(inventory, bucket)
    if not _needs_replica(bucket, settings) or not replicas:
        return not_applicable("the bucket is not replicated")
    return all_of(_own_key(bucket, inventory, config, rule) for config, rule in replicas)


def _own_key(bucket: Resource, inventory: Inventory, config: Resource, rule: str) -> Judgement:
    path = f"{rule}.destination.encryptionConfiguration.replicaKmsKeyId"
    named = customer_key(inventory, config, path)
    keys = keys_behind(inventory, config, path)
    source_keys = {
        key.urn
        for encryption in _companions(inventory, bucket, _ENCRYPTION)
        for item in items(encryption, "rules")
        for key in keys_behind(inventory, encryption, f"{item}.applyServerSideEncryptionByDefault.kmsMasterKeyId")
    }
    destination = _destination(inventory, config, rule)
    home = region_in(destination) if destination else ""
    return all_of(
        (
            named,
            equals(config, f"{rule}.sourceSelectionCriteria.sseKmsEncryptedObjects.status", "Enabled"),
            *(_distinct(path, key, source_keys) for key in keys),
            *(_same_region(path, inventory, key, home) for key in keys if home),
        )
    )


def _distinct(path: str, key: Resource, source_keys: set[str]) -> Judgement:
    if key.urn in source_keys:
        return failed(path, f"{key.name}, the key of the source", "a key of the replica's own")
    return PASS


def _same_region(path: str, inventory: Inventory, key: Resource, home: str) -> Judgement:
    region = key_region(inventory, key)
    if region and region != home:
        return failed(path, f"{key.name} in {region}", f"a key in {home}, where the replica lies")
    return PASS


AWS_STORAGE: tuple[Rule, ...] = (
    Rule(
        id="aws-s3-public-access-blocked",
        severity=Severity.CRITICAL,
        title="S3 buckets block all public access",
        rationale="One wrong policy or ACL opens a bucket to the world; the four flags make such a mistake void.",
        remedy="Add a BucketPublicAccessBlock for the bucket with all four flags true.",
        types=(BUCKET,),
        check=_with_companion(_BLOCK, "public access block", _blocked),
        frameworks={
            Framework.AWS_FSBP: ("S3.8",),
            Framework.CHECKOV: ("CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56", "CKV2_AWS_6"),
        },
    ),
    Rule(
        id="aws-s3-no-public-policy",
        severity=Severity.CRITICAL,
        title="No S3 bucket policy allows everyone",
        rationale="A grant to every principal publishes models, and lets anyone replace them if it covers writes.",
        remedy="Name the principals in each Allow statement, or bind it with a condition.",
        types=(BUCKET,),
        check=_not_public,
        frameworks={Framework.AWS_FSBP: ("S3.2", "S3.3"), Framework.CHECKOV: ("CKV_AWS_70",)},
    ),
    Rule(
        id="aws-s3-tls-only",
        severity=Severity.MEDIUM,
        title="S3 buckets refuse plain HTTP",
        rationale="Without the denial a client may send signed requests and data in the clear.",
        remedy="Add a Deny of s3:* for everyone on the bucket and bucket/* where aws:SecureTransport is false.",
        types=(BUCKET,),
        check=_with_companion(_POLICY, "bucket policy", _tls_only),
        frameworks={Framework.AWS_FSBP: ("S3.5",), Framework.CHECKOV: ("CKV_AWS_379",)},
    ),
    Rule(
        id="aws-s3-customer-key",
        severity=Severity.HIGH,
        title="S3 buckets are encrypted with a customer-managed key",
        rationale="Only a key of one's own can be audited, withdrawn, and kept from one who has bucket access alone.",
        remedy="Set aws:kms with the stack's key in the default encryption, and turn the bucket key on.",
        types=(BUCKET,),
        check=_unless_log_bucket(
            "S3 delivers access logs only to buckets without a customer-managed default key",
            _with_companion(_ENCRYPTION, "default encryption", _customer_encrypted),
        ),
        frameworks={Framework.AWS_FSBP: ("S3.17",), Framework.CHECKOV: ("CKV_AWS_145",)},
    ),
    Rule(
        id="aws-s3-versioned",
        severity=Severity.HIGH,
        title="S3 buckets keep versions",
        rationale="An overwritten or deleted model can be brought back only if its old version is kept.",
        remedy='Add a BucketVersioning with the status "Enabled".',
        types=(BUCKET,),
        check=_with_companion(_VERSIONING, "versioning configuration", _versioned),
        frameworks={Framework.AWS_FSBP: ("S3.14",), Framework.CHECKOV: ("CKV_AWS_21",)},
    ),
    Rule(
        id="aws-s3-acls-disabled",
        severity=Severity.MEDIUM,
        title="S3 buckets do not use ACLs",
        rationale="ACLs are a second permission system that policies cannot see; a foreign writer may own objects.",
        remedy='Add BucketOwnershipControls with the ownership "BucketOwnerEnforced".',
        types=(BUCKET,),
        check=_with_companion(_OWNERSHIP, "ownership control", _owner_enforced),
        frameworks={Framework.AWS_FSBP: ("S3.12",), Framework.CHECKOV: ("CKV2_AWS_65",)},
    ),
    Rule(
        id="aws-s3-access-logged",
        severity=Severity.MEDIUM,
        title="S3 buckets log who read and wrote",
        rationale="Without access logs nobody can say which models were copied, or by whom.",
        remedy="Add a BucketLogging to a bucket for access logs in the same region.",
        types=(BUCKET,),
        check=_unless_log_bucket(
            "a log bucket that logged itself would never rest",
            _with_companion(_LOGGING, "access logging", _logged),
        ),
        frameworks={Framework.AWS_FSBP: ("S3.9",), Framework.CHECKOV: ("CKV_AWS_18",)},
    ),
    Rule(
        id="aws-s3-lifecycle",
        severity=Severity.LOW,
        title="S3 buckets abort incomplete uploads",
        rationale="Parts of uploads that never finished are invisible in listings and paid for forever.",
        remedy="Add a lifecycle rule with abortIncompleteMultipartUpload.",
        types=(BUCKET,),
        check=_with_companion(_LIFECYCLE, "lifecycle configuration", _expires_and_aborts),
        frameworks={Framework.AWS_FSBP: ("S3.13",), Framework.CHECKOV: ("CKV_AWS_300",)},
    ),
    Rule(
        id="aws-s3-replicated-far",
        severity=Severity.HIGH,
        title="S3 buckets are replicated to a versioned bucket in a region far enough away",
        rationale="A replica in the same or a neighbouring region is lost in the same disaster.",
        remedy="Replicate the whole bucket to a versioned bucket in a region at least backup.min_distance_km away.",
        types=(BUCKET,),
        check=_unless_log_bucket("access logs are not needed to restore the service", _replicated_far),
        frameworks={Framework.NIST_800_53: ("CP-6",), Framework.CHECKOV: ("CKV_AWS_144",)},
    ),
    Rule(
        id="aws-s3-replica-own-key",
        severity=Severity.HIGH,
        title="S3 replicas are encrypted with a key of their own region",
        rationale="A replica under the primary region's key cannot be read once that region or key is lost.",
        remedy="Set replicaKmsKeyId to a key in the replica's region, and replicate KMS-encrypted objects.",
        types=(BUCKET,),
        check=_replica_has_own_key,
        frameworks={Framework.NIST_800_53: ("CP-6",)},
    ),
)
