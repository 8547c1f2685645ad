"""S3 buckets with every safe setting in force: one function for models, one for access logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import Statement, allow, bucket_arn, deny, document, service
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.specs import StorageSpec
from components.contracts.stateful import NotCopied, Stateful

ABORT_UPLOAD_DAYS: Final = 7
"""Days after which the parts of an upload that never ended are removed."""
ACCESS_LOG_DAYS: Final = 365
"""Days that access logs are kept."""

ACCESS_LOGS: Final = Stateful("access logs of the models", NotCopied("a restore needs no logs"))


LOCK_MODES: Final = {True: "COMPLIANCE", False: "GOVERNANCE"}
"""Whether a stack's logs are locked for good (`Place.locks_logs`) → the mode of S3's Object Lock.

Nobody, the account's root included, shortens COMPLIANCE. GOVERNANCE gives way to `s3:BypassGovernanceRetention`, with
which a stack that comes and goes empties its bucket when it is destroyed.
"""


@dataclass(frozen=True)
class MadeBucket:
    """A bucket, and the settings that make it safe to write to."""

    bucket: aws.s3.Bucket
    versioning: aws.s3.BucketVersioning
    settings: tuple[pulumi.Resource, ...]


def tls_only(name: str) -> tuple[Statement, ...]:
    """Refuse plain HTTP, and TLS older than 1.2."""
    everything = [bucket_arn(name), f"{bucket_arn(name)}/*"]
    return (
        deny("TlsOnly", ["s3:*"], everything, condition={"Bool": {"aws:SecureTransport": "false"}}),
        deny("ModernTls", ["s3:*"], everything, condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    )


def no_other_encryption(name: str) -> Statement:
    """Refuse a write that names another encryption than KMS; one that names none gets the bucket's own key."""
    return deny(
        "NoOtherEncryption",
        ["s3:PutObject"],
        f"{bucket_arn(name)}/*",
        condition={
            "Null": {"s3:x-amz-server-side-encryption": "false"},
            "StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
        },
    )


def keep_versions(name: str) -> Statement:
    """Refuse everybody the deletion of a named version: old ones go by the bucket's lifecycle alone.

    A policy keeps no lifecycle rule from its work (S3 user guide, "Managing the lifecycle of objects"; believed). Who
    may change the policy can still lift it first: that is a second step, of another right, and it is recorded.
    """
    return deny("KeepVersions", ["s3:DeleteObjectVersion"], f"{bucket_arn(name)}/*")


def model_bucket(
    parent: Component,
    purpose: str,
    holds: Stateful,
    place: Place,
    spec: StorageSpec,
    name: str,
    key: KeyRef,
    logs: MadeBucket,
    *,
    is_copy: bool = False,
) -> MadeBucket:
    """A bucket for models, encrypted with `key` in `key`'s region.

    Args:
        is_copy: nobody deletes its versions, so that whoever harms the original cannot take the copies away too.
    """
    encryption = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=key.id
        ),
        bucket_key_enabled=True,
        blocked_encryption_types=["SSE-C"],
    )
    lifecycle = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="expire-old-versions",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=spec.noncurrent_retention_days
        ),
        # A delete marker whose versions have all expired hides nothing any more.
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        abort_incomplete_multipart_upload=_abort_uploads(),
    )
    made = _bucket(
        parent,
        purpose,
        holds,
        place,
        key.region,
        name,
        encryption,
        lifecycle,
        (*tls_only(name), no_other_encryption(name), *([keep_versions(name)] if is_copy else [])),
    )
    logging = aws.s3.BucketLogging(
        purpose,
        region=key.region,
        bucket=made.bucket.bucket,
        # Its policy must admit the log service first, or S3 refuses the target.
        target_bucket=ready(logs.bucket.bucket, *logs.settings),
        target_prefix=f"{name}/",
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return MadeBucket(made.bucket, made.versioning, (*made.settings, logging))


def locked_bucket(
    parent: Component,
    purpose: str,
    holds: Stateful,
    place: Place,
    name: str,
    key: KeyRef,
    *,
    retention_days: int,
    access_logs: pulumi.Input[str],
    deliveries: Sequence[Statement],
) -> MadeBucket:
    """A bucket whose objects nobody changes or removes for `retention_days`; after that they expire.

    Args:
        access_logs: the bucket that its own access logs go to.
        deliveries: who may write.
    """
    encryption = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=key.id
        ),
        bucket_key_enabled=True,
        blocked_encryption_types=["SSE-C"],
    )
    made = _bucket(
        parent,
        purpose,
        holds,
        place,
        key.region,
        name,
        encryption,
        _expire(retention_days),
        (*tls_only(name), *deliveries),
        object_lock=True,
    )
    lock = aws.s3.BucketObjectLockConfiguration(
        purpose,
        region=key.region,
        bucket=made.bucket.bucket,
        object_lock_enabled="Enabled",
        rule=aws.s3.BucketObjectLockConfigurationRuleArgs(
            default_retention=aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                mode=LOCK_MODES[place.locks_logs], days=retention_days
            )
        ),
        # S3 locks versions: it refuses a lock while versions are not kept.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[made.versioning]),
    )
    logging = aws.s3.BucketLogging(
        purpose,
        region=key.region,
        bucket=made.bucket.bucket,
        target_bucket=access_logs,
        target_prefix=f"{name}/",
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return MadeBucket(made.bucket, made.versioning, (*made.settings, lock, logging))


def access_log_bucket(
    parent: Component, purpose: str, place: Place, region: str, sources: Sequence[str]
) -> MadeBucket:
    """The target of the access logs of `sources`, in the same region as S3 requires.

    It is encrypted with S3's own keys: S3 delivers no access log to a bucket whose default is a KMS key.
    """
    name = place.bucket_name("logs", region)
    delivery = allow(
        "AccessLogsOfTheStacksBuckets",
        ["s3:PutObject"],
        f"{bucket_arn(name)}/*",
        principal=service("logging.s3.amazonaws.com"),
        condition={
            "StringEquals": {"aws:SourceAccount": place.account},
            "ArnEquals": {"aws:SourceArn": [bucket_arn(source) for source in sources]},
        },
    )
    encryption = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256"
        ),
        blocked_encryption_types=["SSE-C"],
    )
    return _bucket(
        parent,
        purpose,
        ACCESS_LOGS,
        place,
        region,
        name,
        encryption,
        _expire(ACCESS_LOG_DAYS),
        (*tls_only(name), delivery),
    )


def _expire(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="expire-logs",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=ABORT_UPLOAD_DAYS
        ),
        abort_incomplete_multipart_upload=_abort_uploads(),
    )


def _abort_uploads() -> aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs:
    return aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=ABORT_UPLOAD_DAYS
    )


def _bucket(
    parent: Component,
    purpose: str,
    holds: Stateful,
    place: Place,
    region: str,
    name: str,
    encryption: aws.s3.BucketServerSideEncryptionConfigurationRuleArgs,
    lifecycle: aws.s3.BucketLifecycleConfigurationRuleArgs,
    statements: Sequence[Statement],
    *,
    object_lock: bool = False,
) -> MadeBucket:
    options = pulumi.ResourceOptions(parent=parent)
    kept = parent.keep(aws.s3.Bucket, purpose, holds, place)
    bucket = aws.s3.Bucket(
        kept.name,
        region=region,
        bucket=name,
        # Opting out of deletion protection means that the stack may be destroyed with what it holds.
        force_destroy=not kept.protected,
        object_lock_enabled=object_lock or None,
        tags=place.labels,
        opts=kept.options,
    )
    block = aws.s3.BucketPublicAccessBlock(
        purpose,
        region=region,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=options,
    )
    versioning = aws.s3.BucketVersioning(
        purpose,
        region=region,
        bucket=bucket.bucket,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=options,
    )
    settings: list[pulumi.Resource] = [
        block,
        versioning,
        aws.s3.BucketServerSideEncryptionConfiguration(
            purpose, region=region, bucket=bucket.bucket, rules=[encryption], opts=options
        ),
        aws.s3.BucketOwnershipControls(
            purpose,
            region=region,
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=options,
        ),
        aws.s3.BucketLifecycleConfiguration(
            purpose,
            region=region,
            bucket=bucket.bucket,
            rules=[lifecycle],
            # S3 refuses rules about old versions while versions are not kept.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[versioning]),
        ),
        aws.s3.BucketPolicy(
            purpose,
            region=region,
            bucket=bucket.bucket,
            policy=document(*statements),
            # S3 answers 409 when both are set at once.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[block]),
        ),
    ]
    return MadeBucket(bucket, versioning, tuple(settings))
