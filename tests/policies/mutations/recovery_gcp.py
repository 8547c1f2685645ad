# ruff: noqa: E501 - one change is one line of a table
"""Changes of the production plan on Google Cloud that take copies, time or notice from a recovery, and their rules."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.policies.mutations.changes import GONE, HIDDEN, Change, Mutation, add, both, drop, link, options, put

PROJECT, HERE, AWAY = "acme-serving-prod", "europe-west4", "europe-west6"
EXPORTS, MODELS = f"seawall-prod-feature-exports-{PROJECT}-{AWAY}", f"seawall-prod-models-{PROJECT}"
REDIS = f"https://redis.googleapis.com/v1/projects/{PROJECT}/locations/{HERE}/instances/seawall-prod-features"
OFTEN = "0 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23"
SOON = 'request.time < timestamp("2024-01-01T00:00:00Z")'


def _(name: str, change: Change, rule: str = "") -> Mutation:
    return Mutation(name, change, rule, clouds=("gcp",))


def job(name: str, *edits: tuple[str, Any]) -> Change:
    return put("Job", f"feature-export-{name}", *edits)


def to(uri: str, wrap: str = "gcsDestination") -> str:
    return base64.b64encode(json.dumps({"outputConfig": {wrap: {"uri": uri}}}).encode()).decode()


def _often(schedule: str) -> Change:
    return job("frequent", ("schedule", schedule))


def transfer(*edits: tuple[str, Any]) -> Change:
    return put("TransferJob", "copy", *edits)


def bucket(name: str, *edits: tuple[str, Any]) -> Change:
    return put("Bucket", name, *edits)


def deletes(name: str, **condition: Any) -> Change:
    return bucket(name, ("lifecycleRules.+", {"action": {"type": "Delete"}, "condition": condition}))


def placed(kind: str, name: str, location: str, prop: str = "location") -> Change:
    return both(put(kind, name, (prop, location)), options(kind, name, region=location.lower()))


def gke(*edits: tuple[str, Any]) -> Change:
    return put("BackupPlan", "cluster", *edits)


def alert(name: str, *edits: tuple[str, Any]) -> Change:
    return put("AlertPolicy", name, *edits)


JOBS = (
    _("export on 30 February", _often("0 0 30 2 *")),
    _("export every six hours", _often("0 */6 * * *")),
    _("export every two hours", _often("0 */2 * * *")),
    _("export on working days", _often(f"{OFTEN} * * 1-5")),
    _("export in office hours", _often("0 9-17 * * *")),
    _("export on the 31st", _often(f"{OFTEN} 31 * *")),
    _("export in half of the months", _often(f"{OFTEN} * 1-6 *")),
    _("export on either kind of day", _often(f"{OFTEN} 1 * 1")),
    _("export by words", _often("every 24 hours")),
    _("export with AWS's fields", _often("cron(0 * * * ? *)")),
    _("export with six fields", _often("0 0 * * * *")),
    _("export at hour 24", _often("0 24 * * *")),
    _("export by a name", _often("@daily")),
    _("export at times not known", job("frequent", ("schedule", HIDDEN))),
    _("export without a schedule", job("frequent", ("schedule", GONE))),
    _("no such time zone", job("frequent", ("timeZone", "Mars/Olympus"))),
    _("days that begin elsewhere leave a gap", both(job("daily", ("timeZone", "Asia/Tokyo")), job("weekly", ("timeZone", "Asia/Tokyo")))),
    _("the frequent export is paused", job("frequent", ("paused", True))),
    _("the frequent export is paused in text", job("frequent", ("paused", "true"))),
    _("the daily export is paused", job("daily", ("paused", True))),
    _("the weekly export is paused", job("weekly", ("paused", True))),
    _("no frequent export", drop("Job", "feature-export-frequent")),
    _("no daily export", drop("Job", "feature-export-daily")),
    _("no weekly export", drop("Job", "feature-export-weekly")),
    _("weekly export on no day", job("weekly", ("schedule", "0 0 30 2 *"))),
    _("weekly export once a month", job("weekly", ("schedule", "0 0 1 * *"))),
    _("weekly export in January", job("weekly", ("schedule", "0 0 * 1 0"))),
    _("daily export on Mondays", job("daily", ("schedule", "0 0 * * 1"))),
    _("export that only asks", job("frequent", ("httpTarget.httpMethod", "GET"))),
    _("export that imports", job("frequent", ("httpTarget.uri", f"{REDIS}:import"))),
    _("export that fails over", job("frequent", ("httpTarget.uri", f"{REDIS}:failover"))),
    _("export of another store", job("frequent", ("httpTarget.uri", f"{REDIS}-old:export"))),
    _("export of another region's store", job("frequent", ("httpTarget.uri", f"{REDIS.replace(HERE, AWAY)}:export"))),
    _("export of another project's store", job("frequent", ("httpTarget.uri", f"{REDIS.replace(PROJECT, 'other')}:export"))),
    _("export to a topic", job("frequent", ("httpTarget", GONE), ("pubsubTarget", {"topicName": f"projects/{PROJECT}/topics/x"}))),
    _("export beside the store", job("frequent", ("httpTarget.body", to(f"gs://{MODELS}-{HERE}/frequent/features.rdb")))),
    _("export to no bucket", job("frequent", ("httpTarget.body", to("gs://elsewhere/frequent/features.rdb")))),
    _("export to the models' copy", job("frequent", ("httpTarget.body", to(f"gs://{MODELS}-{AWAY}/features.rdb")))),
    _("export to a field that does not exist", job("frequent", ("httpTarget.body", to(f"gs://{EXPORTS}/frequent/features.rdb", "destination")))),
    _("export of nothing", job("frequent", ("httpTarget.body", GONE))),
    _("export of plain text", job("frequent", ("httpTarget.body", "frequent"))),
    _("export to a bare bucket", job("frequent", ("httpTarget.body", to(f"gs://{EXPORTS}")))),
    _("the weekly export goes where exports go early", job("weekly", ("httpTarget.body", to(f"gs://{EXPORTS}/frequent/features.rdb")))),
    _("the daily export goes where exports go early", job("daily", ("httpTarget.body", to(f"gs://{EXPORTS}/frequent/daily.rdb")))),
    _("export by another account", job("frequent", ("httpTarget.oauthToken.serviceAccountEmail", f"x@{PROJECT}.iam.gserviceaccount.com"))),
    _("export by the drill's account", job("frequent", ("httpTarget.oauthToken.serviceAccountEmail", f"seawall-prod-drill@{PROJECT}.iam.gserviceaccount.com"))),
    _("export by nobody", job("frequent", ("httpTarget.oauthToken", GONE))),
    _("export by a token that Google refuses", job("frequent", ("httpTarget.oauthToken", GONE), ("httpTarget.oidcToken", {"serviceAccountEmail": f"seawall-prod-exporter@{PROJECT}.iam.gserviceaccount.com"}))),
    _("export by a narrow scope", job("frequent", ("httpTarget.oauthToken.scope", "https://www.googleapis.com/auth/devstorage.read_only"))),
    _("changes of an export are not sent", options("Job", "feature-export-frequent", ignore_changes=("schedule",))),
    _("the exporter may not", drop("IAMMember", "exporter")),
    _("the exporter may look", put("IAMMember", "exporter", ("role", "roles/redis.viewer"))),
    _("the exporter might once", put("IAMMember", "exporter", ("condition", {"title": "x", "expression": SOON}))),
    _("another may export", put("IAMMember", "exporter", ("member", f"serviceAccount:x@{PROJECT}.iam.gserviceaccount.com"))),
    _("the exporter is gone", drop("Account", "exporter")),
    _("the exporter is off", put("Account", "exporter", ("disabled", True))),
    _("the store may not write exports", drop("BucketIAMMember", "exports-objectuser")),
    _("the store may read exports", put("BucketIAMMember", "exports-objectuser", ("role", "roles/storage.objectViewer"))),
    _("the store may not see the bucket", drop("BucketIAMMember", "exports-legacybucketreader")),
    _("the store might write once", put("BucketIAMMember", "exports-objectuser", ("condition", {"title": "x", "expression": SOON}))),
    _("the store writes to another bucket", both(link("BucketIAMMember", "exports-objectuser", "bucket"), put("BucketIAMMember", "exports-objectuser", ("bucket", "elsewhere")))),
)  # fmt: skip
BUCKETS = (
    *(
        each
        for name in ("feature-exports", "models", "replica")
        for each in (
            _(f"{name} keeps no versions", bucket(name, ("versioning.enabled", False))),
            _(f"{name} has no versions", bucket(name, ("versioning", GONE))),
            _(f"{name} expires", deletes(name, age=30)),
            _(f"{name} expires at once", deletes(name, age=0)),
            _(f"{name} expires what lives", deletes(name, age=7, withState="LIVE")),
            _(f"{name} expires whatever", deletes(name, age=7, withState="ANY")),
            _(f"{name} expires by ending", deletes(name, age=7, matchesSuffixes=["b", "n"])),
            _(f"{name} expires what is from before", deletes(name, createdBefore="2099-01-01")),
            _(f"{name} keeps one version", deletes(name, numNewerVersions=1)),
            _(f"{name} keeps a day of versions", deletes(name, daysSinceNoncurrentTime=1)),
            _(f"{name} keeps no version before a day", deletes(name, noncurrentTimeBefore="2099-01-01")),
            _(f"{name} keeps what is custom", deletes(name, daysSinceCustomTime=1)),
            _(f"{name} expires by class", deletes(name, matchesStorageClasses=["STANDARD"])),
            _(f"{name} forgets at once", bucket(name, ("softDeletePolicy.retentionDurationSeconds", 0))),
            _(f"{name} goes with its content", bucket(name, ("forceDestroy", True))),
            _(f"{name} is not protected", options("Bucket", name, protect=False)),
            _(f"{name} goes with the stack", options("Bucket", name, retain_on_delete=False)),
        )
    ),
    _("weekly exports kept for a month", bucket("feature-exports", ("lifecycleRules.3.condition.daysSinceNoncurrentTime", 30))),
    _("daily exports kept for ten days", bucket("feature-exports", ("lifecycleRules.2.condition.daysSinceNoncurrentTime", 10))),
    _("all exports kept for a week", bucket("feature-exports", ("lifecycleRules.0.condition.daysSinceNoncurrentTime", 7))),
    _("weekly exports expire with the frequent", bucket("feature-exports", ("lifecycleRules.1.condition.matchesPrefixes", ["frequent/", "weekly/"]))),
    _("exports are near", placed("Bucket", "feature-exports", HERE)),
    _("exports are in the other kind of letters, near", placed("Bucket", "feature-exports", HERE.upper())),
    _("exports are somewhere", placed("Bucket", "feature-exports", "EU")),
    _("the replica is near", placed("Bucket", "replica", HERE)),
    _("exports have the near key", link("Bucket", "feature-exports", "encryption", ("CryptoKey", "data"))),
    _("the replica has the near key", link("Bucket", "replica", "encryption", ("CryptoKey", "data"))),
    _("the replica has the near key by name", both(link("Bucket", "replica", "encryption"), bucket("replica", ("encryption.defaultKmsKeyName", f"projects/{PROJECT}/locations/{HERE}/keyRings/seawall-prod-keys/cryptoKeys/data")))),
    _("no exports' bucket", drop("Bucket", "feature-exports")),
    _("no replica", drop("Bucket", "replica")),
)  # fmt: skip
OPTION, CONDITIONS = "transferSpec.transferOptions", "transferSpec.objectConditions"
TRANSFERS = (
    _("transfer is off", transfer(("status", "DISABLED"))),
    _("transfer is deleted", transfer(("status", "DELETED"))),
    _("transfer has ended", transfer(("schedule.scheduleEndDate", {"year": 2024, "month": 2, "day": 1}))),
    _("transfer ends", transfer(("schedule.scheduleEndDate", {"year": 2030, "month": 2, "day": 1}))),
    _("transfer once a day", transfer(("schedule.repeatInterval", "86400s"))),
    _("transfer every three hours", transfer(("schedule.repeatInterval", "10800s"))),
    _("transfer as often as is usual", transfer(("schedule.repeatInterval", GONE))),
    _("transfer from another century", transfer(("schedule.scheduleStartDate.year", 2099))),
    _("transfer without a schedule", transfer(("schedule", GONE))),
    _("transfer of releases", transfer((CONDITIONS, {"includePrefixes": ["releases/"]}))),
    _("transfer without releases", transfer((CONDITIONS, {"excludePrefixes": ["releases/"]}))),
    _("transfer of what is new", transfer((CONDITIONS, {"maxTimeElapsedSinceLastModification": "3600s"}))),
    _("transfer of what is old", transfer((CONDITIONS, {"minTimeElapsedSinceLastModification": "86400s"}))),
    _("transfer of what was before", transfer((CONDITIONS, {"lastModifiedBefore": "2024-01-01T00:00:00Z"}))),
    _("transfer of what is since", transfer((CONDITIONS, {"lastModifiedSince": "2026-01-01T00:00:00Z"}))),
    _("transfer never overwrites", transfer((f"{OPTION}.overwriteWhen", "NEVER"))),
    _("transfer deletes what it read", transfer((f"{OPTION}.deleteObjectsFromSourceAfterTransfer", True))),
    _("transfer deletes what is gone", transfer((f"{OPTION}.deleteObjectsUniqueInSink", True))),
    _("transfer keeps the near key", transfer((f"{OPTION}.metadataOptions.kmsKey", "KMS_KEY_PRESERVE"))),
    _("transfer to another bucket", transfer(("transferSpec.gcsDataSink.bucketName", "elsewhere"))),
    _("transfer to the source", transfer(("transferSpec.gcsDataSink.bucketName", f"{MODELS}-{HERE}"))),
    _("transfer the other way", transfer(("transferSpec.gcsDataSink.bucketName", f"{MODELS}-{HERE}"), ("transferSpec.gcsDataSource.bucketName", f"{MODELS}-{AWAY}"))),
    _("transfer from another bucket", transfer(("transferSpec.gcsDataSource.bucketName", "elsewhere"))),
    _("transfer of a folder", transfer(("transferSpec.gcsDataSource.path", "releases/"))),
    _("transfer of a list", transfer(("transferSpec.transferManifest", {"location": "gs://x/list.csv"}))),
    _("transfer on events", transfer(("schedule", GONE), ("eventStream", {"name": f"projects/{PROJECT}/subscriptions/x"}))),
    _("transfer on events for a time", transfer(("schedule", GONE), ("eventStream", {"name": "x", "eventStreamExpirationTime": "2024-01-01T00:00:00Z"}))),
    _("transfer from elsewhere", transfer(("transferSpec.gcsDataSource", GONE), ("transferSpec.httpDataSource", {"listUrl": "https://x.example"}))),
    _("changes of a transfer are not sent", options("TransferJob", "copy", ignore_changes=("schedule",))),
    _("no transfer", drop("TransferJob", "copy")),
    *(_(f"transfer without {name}", drop("BucketIAMMember", name)) for name in ("copy-from-models-legacybucketreader", "copy-from-models-objectviewer", "copy-to-replica-legacybucketwriter", "copy-to-replica-objectviewer")),
    _("transfer may read where it writes", put("BucketIAMMember", "copy-to-replica-legacybucketwriter", ("role", "roles/storage.legacyBucketReader"))),
    _("another project's transfer may write", put("BucketIAMMember", "copy-to-replica-legacybucketwriter", ("member", "serviceAccount:project-1@storage-transfer-service.iam.gserviceaccount.com"))),
    _("transfer might write once", put("BucketIAMMember", "copy-to-replica-legacybucketwriter", ("condition", {"title": "x", "expression": SOON}))),
    _("transfer may write elsewhere", both(link("BucketIAMMember", "copy-to-replica-legacybucketwriter", "bucket"), put("BucketIAMMember", "copy-to-replica-legacybucketwriter", ("bucket", "elsewhere")))),
)  # fmt: skip
KEYS = (
    *(_(f"the key is not for {name}", drop("CryptoKeyIAMMember", name)) for name in ("recovery-storage", "recovery-gke-backup", "recovery-redis", "recovery-artifact-registry", "data-storage", "data-redis")),
    _("storage may decrypt alone", put("CryptoKeyIAMMember", "recovery-storage", ("role", "roles/cloudkms.cryptoKeyDecrypter"))),
    _("storage might encrypt once", put("CryptoKeyIAMMember", "recovery-storage", ("condition", {"title": "x", "expression": SOON}))),
    _("another project's storage", put("CryptoKeyIAMMember", "recovery-storage", ("member", "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"))),
    _("storage may use the near key", link("CryptoKeyIAMMember", "recovery-storage", "cryptoKeyId", ("CryptoKey", "data"))),
    _("the far key's ring is near", link("CryptoKey", "recovery", "keyRing", ("KeyRing", "primary"))),
    _("the far ring is near", put("KeyRing", "backup", ("location", HERE))),
    _("the far ring is everywhere", put("KeyRing", "backup", ("location", "global"))),
    _("the far key never turns", put("CryptoKey", "recovery", ("rotationPeriod", GONE))),
    _("the far key is gone in a day", put("CryptoKey", "recovery", ("destroyScheduledDuration", "86400s"))),
    _("the far key signs", put("CryptoKey", "recovery", ("purpose", "ASYMMETRIC_SIGN"))),
    _("the far key has no version", put("CryptoKey", "recovery", ("skipInitialVersionCreation", True))),
    _("the far key waits for an import", put("CryptoKey", "recovery", ("importOnly", True))),
    _("the far key is elsewhere", put("CryptoKey", "recovery", ("versionTemplate", {"algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION", "protectionLevel": "EXTERNAL"}))),
    _("the far key's version is off", add("gcp:kms/cryptoKeyVersion:CryptoKeyVersion", {"cryptoKey": f"projects/{PROJECT}/locations/{AWAY}/keyRings/seawall-prod-keys/cryptoKeys/recovery", "state": "DISABLED"})),
    _("the far key's version goes", add("gcp:kms/cryptoKeyVersion:CryptoKeyVersion", {"cryptoKey": f"projects/{PROJECT}/locations/{AWAY}/keyRings/seawall-prod-keys/cryptoKeys/recovery", "state": "DESTROY_SCHEDULED"})),
    _("the far key is not protected", options("CryptoKey", "recovery", protect=False)),
    _("the far key goes with the stack", options("CryptoKey", "recovery", retain_on_delete=False)),
    _("no far key", drop("CryptoKey", "recovery")),
)  # fmt: skip
REDIS_INSTANCE = (
    _("the store keeps nothing on disk", put("Instance", "features", ("persistenceConfig.persistenceMode", "DISABLED"))),
    _("the store's disk is left to Google", put("Instance", "features", ("persistenceConfig", GONE))),
    _("the store keeps a day's state", put("Instance", "features", ("persistenceConfig.rdbSnapshotPeriod", "TWENTY_FOUR_HOURS"))),
    _("the store has one node", put("Instance", "features", ("tier", "BASIC"))),
    _("the store may be deleted", put("Instance", "features", ("deletionProtection", False))),
    _("the store forgets at random", put("Instance", "features", ("redisConfigs.maxmemory-policy", "allkeys-random"))),
    _("the store forgets what is old", put("Instance", "features", ("redisConfigs.maxmemory-policy", "allkeys-lru"))),
    _("the store has no room to copy itself", put("Instance", "features", ("redisConfigs.maxmemory-gb", "16"))),
    _("the store's nodes are in one zone", put("Instance", "features", ("alternativeLocationId", "europe-west4-b"))),
    _("the store is not protected", options("Instance", "features", protect=False)),
    _("the store goes with the stack", options("Instance", "features", retain_on_delete=False)),
)  # fmt: skip
CLUSTER = (
    _("cluster's backup is off", gke(("deactivated", True))),
    _("cluster's backup is paused", gke(("backupSchedule.paused", True))),
    _("cluster's backup on 30 February", gke(("backupSchedule.cronSchedule", "0 0 30 2 *"))),
    _("cluster's backup each week", gke(("backupSchedule.cronSchedule", "0 0 * * 0"))),
    _("cluster's backup on demand", gke(("backupSchedule", GONE))),
    _("cluster's backup within days", gke(("backupSchedule", {"rpoConfig": {"targetRpoMinutes": 86400}}))),
    _("cluster's backup outside of all days", gke(("backupSchedule", {"rpoConfig": {"targetRpoMinutes": 480, "exclusionWindows": [{"startTime": {"hours": 0}, "duration": "86400s", "daily": True}]}}))),
    _("cluster's backups kept for a week", gke(("retentionPolicy.backupRetainDays", 7))),
    _("cluster's backups kept by nobody", gke(("retentionPolicy", GONE))),
    _("cluster's backups may be deleted", gke(("retentionPolicy.backupDeleteLockDays", 0))),
    _("cluster's backup of one namespace", gke(("backupConfig.allNamespaces", False), ("backupConfig.selectedNamespaces", {"namespaces": ["kube-system"]}))),
    _("cluster's backup of one application", gke(("backupConfig.allNamespaces", GONE), ("backupConfig.selectedApplications", {"namespacedNames": [{"name": "x", "namespace": "y"}]}))),
    _("cluster's backup of no namespace", gke(("backupConfig.allNamespaces", GONE))),
    _("cluster's backup without secrets", gke(("backupConfig.includeSecrets", False))),
    _("cluster's backup without volumes", gke(("backupConfig.includeVolumeData", False))),
    _("cluster's backup without a key", gke(("backupConfig.encryptionKey", GONE))),
    _("cluster's backup with the near key", link("BackupPlan", "cluster", "backupConfig", ("CryptoKey", "data"))),
    _("cluster's backup is near", placed("BackupPlan", "cluster", HERE)),
    _("cluster's backup of another cluster", both(link("BackupPlan", "cluster", "cluster"), gke(("cluster", f"projects/{PROJECT}/locations/{HERE}/clusters/old")))),
    _("cluster's backup has no agent", put("gcp:container/cluster:Cluster", "cluster", ("addonsConfig.gkeBackupAgentConfig.enabled", False))),
    _("cluster's backup has no agent at all", put("gcp:container/cluster:Cluster", "cluster", ("addonsConfig", GONE))),
    _("cluster's backup is not protected", options("BackupPlan", "cluster", protect=False)),
    _("no backup of the cluster", drop("BackupPlan", "cluster")),
)  # fmt: skip
HARMFUL = (*JOBS, *BUCKETS, *TRANSFERS, *KEYS, *REDIS_INSTANCE, *CLUSTER)
