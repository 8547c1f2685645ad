"""Harmful changes of buckets and of their copies."""

from __future__ import annotations

from tests.policies.mutations.gcp.words import BUCKET, MODELS, PROJECT, gcp, unprotected
from tests.policies.reach.planting import GONE, Change, edit, remove

BUCKETS: dict[str, Change] = {
    "ACLs again": edit(BUCKET, "uniformBucketLevelAccess", False, "models"),
    "ACLs by default": edit(BUCKET, "uniformBucketLevelAccess", GONE, "models"),
    "public access by the organisation": edit(BUCKET, "publicAccessPrevention", "inherited", "models"),
    "public access by default": edit(BUCKET, "publicAccessPrevention", GONE, "feature-exports"),
    "versions gone": edit(BUCKET, "versioning", {"enabled": False}, "models"),
    "versions left out": edit(BUCKET, "versioning", GONE, "replica"),
    "no soft deletion": edit(BUCKET, "softDeletePolicy.retentionDurationSeconds", 0, "models"),
    "no key": edit(BUCKET, "encryption", GONE, "models"),
    "a stranger's key": edit(
        BUCKET,
        "encryption.defaultKmsKeyName",
        "projects/elsewhere/locations/europe-west4/keyRings/k/cryptoKeys/k",
        "models",
    ),
    "forced deletion": edit(BUCKET, "forceDestroy", True, "models"),
    "unprotected": unprotected(BUCKET, "models"),
    "the log bucket's lock off": edit(BUCKET, "retentionPolicy.isLocked", False, "logs"),
    "the log bucket's retention gone": edit(BUCKET, "retentionPolicy", GONE, "logs"),
    "the log bucket's retention of a second": edit(BUCKET, "retentionPolicy.retentionPeriod", "1", "logs"),
    "the log bucket's records of a week": edit(BUCKET, "lifecycleRules.0.condition.age", 7, "logs"),
    "current objects expire": edit(
        BUCKET, "lifecycleRules.2", {"action": {"type": "Delete"}, "condition": {"age": 30}}, "models"
    ),
    "current objects expire by state": edit(
        BUCKET, "lifecycleRules.0.condition", {"age": 1, "withState": "ANY"}, "models"
    ),
    "current objects expire by date": edit(
        BUCKET,
        "lifecycleRules.2",
        {"action": {"type": "Delete"}, "condition": {"createdBefore": "2026-01-01"}},
        "models",
    ),
    "current objects expire by ending": edit(
        BUCKET,
        "lifecycleRules.2",
        {"action": {"type": "Delete"}, "condition": {"matchesSuffixes": [".onnx"], "age": 1}},
        "models",
    ),
    "current objects expire by class": edit(
        BUCKET,
        "lifecycleRules.2",
        {"action": {"type": "Delete"}, "condition": {"matchesStorageClasses": ["STANDARD"], "age": 1}},
        "models",
    ),
    "current objects expire by custom time": edit(
        BUCKET, "lifecycleRules.2", {"action": {"type": "Delete"}, "condition": {"daysSinceCustomTime": 1}}, "models"
    ),
    "only the newest version is kept": edit(
        BUCKET, "lifecycleRules.2", {"action": {"type": "Delete"}, "condition": {"numNewerVersions": 1}}, "models"
    ),
    "old versions for a day": edit(BUCKET, "lifecycleRules.0.condition.daysSinceNoncurrentTime", 1, "replica"),
    "objects put away": edit(
        BUCKET,
        "lifecycleRules.2",
        {"action": {"type": "SetStorageClass", "storageClass": "ARCHIVE"}, "condition": {"age": 1}},
        "models",
    ),
    "a website": edit(BUCKET, "website", {"mainPageSuffix": "index.html"}, "models"),
    "every origin": edit(BUCKET, "cors", [{"origins": ["*"], "methods": ["*"]}], "models"),
    "the requester pays": edit(BUCKET, "requesterPays", True, "models"),
    "the bucket elsewhere in the world": edit(BUCKET, "location", "US", "models"),
    "the replica beside it": edit(BUCKET, "location", "europe-west4", "replica"),
    "the logs of access gone": edit(BUCKET, "logging", GONE, "models"),
    "the logs of access into itself": edit(BUCKET, "logging.logBucket", MODELS, "models"),
    "an open filter of addresses": edit(
        BUCKET,
        "ipFilter",
        {"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": ["0.0.0.0/0"]}},
        "models",
    ),
    "a new bucket without anything": gcp("storage/bucket", name="x", location="europe-west4", project=PROJECT),
    "an object with a secret": gcp(
        "storage/bucketObject", bucket=MODELS, content="-----BEGIN " + "PRIVATE KEY-----\nMIIE"
    ),
    "an object from outside": gcp("storage/bucketObject", bucket=MODELS, name="x", source="/tmp/x"),
    "the copy is off": edit("storage/transferJob:TransferJob", "status", "DISABLED", "copy"),
    "the copy deletes its source": edit(
        "storage/transferJob:TransferJob",
        "transferSpec.transferOptions.deleteObjectsFromSourceAfterTransfer",
        True,
        "copy",
    ),
    "the copy deletes what is gone": edit(
        "storage/transferJob:TransferJob", "transferSpec.transferOptions.deleteObjectsUniqueInSink", True, "copy"
    ),
    "the copy ends": edit(
        "storage/transferJob:TransferJob", "schedule.scheduleEndDate", {"year": 2025, "month": 1, "day": 1}, "copy"
    ),
    "the copy once a month": edit("storage/transferJob:TransferJob", "schedule.repeatInterval", "2592000s", "copy"),
    "the copy of one folder": edit(
        "storage/transferJob:TransferJob", "transferSpec.objectConditions", {"includePrefixes": ["a/"]}, "copy"
    ),
    "the copy of one path": edit("storage/transferJob:TransferJob", "transferSpec.gcsDataSource.path", "a/", "copy"),
    "the copy of old objects": edit(
        "storage/transferJob:TransferJob",
        "transferSpec.objectConditions",
        {"minTimeElapsedSinceLastModification": "2592000s"},
        "copy",
    ),
    "the copy from elsewhere": edit(
        "storage/transferJob:TransferJob", "transferSpec.gcsDataSource.bucketName", "elsewhere", "copy"
    ),
    "the copy never overwrites": edit(
        "storage/transferJob:TransferJob", "transferSpec.transferOptions.overwriteWhen", "NEVER", "copy"
    ),
    "the copy gone": remove("storage/transferJob:TransferJob", "copy"),
    "a transfer from Amazon with keys": gcp(
        "storage/transferJob",
        description="x",
        transferSpec={
            "awsS3DataSource": {"bucketName": "x", "awsAccessKey": {"accessKeyId": "A", "secretAccessKey": "s"}},
            "gcsDataSink": {"bucketName": MODELS},
        },
    ),
    "a copy of the bucket elsewhere with time": gcp("storage/anywhereCache", bucket=MODELS, zone="us-central1-a"),
}
