"""Harmful changes of what is written down, of who is told, and of keys."""

from __future__ import annotations

import json

from tests.policies.mutations.gcp.words import (
    ALERT,
    DATA_KEY,
    FLEET,
    KEY,
    PROJECT,
    STRANGER,
    gcp,
    ignoring,
    unprotected,
)
from tests.policies.reach.planting import GONE, Change, add, edit, remove, several

LOGS: dict[str, Change] = {
    "audit of reads exempts someone": edit(
        "iAMAuditConfig:IAMAuditConfig",
        "auditLogConfigs.1",
        {"logType": "DATA_READ", "exemptedMembers": [FLEET]},
        "objects",
    ),
    "audit of reads gone": edit(
        "iAMAuditConfig:IAMAuditConfig", "auditLogConfigs", [{"logType": "ADMIN_READ"}], "objects"
    ),
    "audit of the buckets gone": remove("iAMAuditConfig:IAMAuditConfig", "objects"),
    "audit of the feature store gone": remove("iAMAuditConfig:IAMAuditConfig", "features"),
    "audit of another service": edit("iAMAuditConfig:IAMAuditConfig", "service", "run.googleapis.com", "objects"),
    "a second audit that takes away": add(
        "gcp:projects/iAMAuditConfig:IAMAuditConfig",
        {"project": PROJECT, "service": "storage.googleapis.com", "auditLogConfigs": [{"logType": "ADMIN_READ"}]},
    ),
    "audit exempts someone by a policy of the project": gcp(
        "projects/iAMPolicy",
        project=PROJECT,
        policyData=json.dumps(
            {
                "bindings": [],
                "auditConfigs": [
                    {
                        "service": "allServices",
                        "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": [FLEET]}],
                    }
                ],
            }
        ),
    ),
    "the audit's sink gone": remove("logging/projectSink:ProjectSink", "audit"),
    "the cluster's sink gone": remove("logging/projectSink:ProjectSink", "cluster-logs"),
    "the audit's sink off": edit("logging/projectSink:ProjectSink", "disabled", True, "audit"),
    "the audit's sink with exclusions": edit(
        "logging/projectSink:ProjectSink", "exclusions", [{"name": "x", "filter": "severity<ERROR"}], "audit"
    ),
    "the audit's sink narrowed": edit(
        "logging/projectSink:ProjectSink",
        "filter",
        f'logName="projects/{PROJECT}/logs/compute.googleapis.com%2Fvpc_flows"',
        "audit",
    ),
    "the audit's sink narrowed by AND": edit(
        "logging/projectSink:ProjectSink",
        "filter",
        f'logName="projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Fdata_access" AND severity>=ERROR',
        "audit",
    ),
    "the audit's sink for a sample": edit(
        "logging/projectSink:ProjectSink",
        "filter",
        f'logName=("projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Fdata_access") AND sample(insertId, 0.01)',
        "audit",
    ),
    "the cluster's sink for another cluster": edit(
        "logging/projectSink:ProjectSink", "filter", 'resource.labels.cluster_name="other"', "cluster-logs"
    ),
    "the audit's sink into the default bucket": edit(
        "logging/projectSink:ProjectSink",
        "destination",
        f"logging.googleapis.com/projects/{PROJECT}/locations/global/buckets/_Default",
        "audit",
    ),
    "the exclusion of everything": edit(
        "logging/projectExclusion:ProjectExclusion", "filter", "severity>=DEFAULT", "audit"
    ),
    "a new exclusion of audit records": gcp(
        "logging/projectExclusion", name="x", filter='logName:"cloudaudit.googleapis.com"', project=PROJECT
    ),
    "a new exclusion of everything": gcp("logging/projectExclusion", name="x", filter="", project=PROJECT),
    "an exclusion of the folder": gcp("logging/folderExclusion", name="x", filter="severity<ERROR", folder="f"),
    "an exclusion of the organisation": gcp(
        "logging/organizationExclusion", name="x", filter="severity<ERROR", orgId="1"
    ),
    "the log bucket kept for a day": edit(
        "logging/projectBucketConfig:ProjectBucketConfig", "retentionDays", 1, "audit"
    ),
    "the log bucket kept by default": edit(
        "logging/projectBucketConfig:ProjectBucketConfig", "retentionDays", GONE, "cluster-logs"
    ),
    "the log bucket unlocked": edit("logging/projectBucketConfig:ProjectBucketConfig", "locked", False, "audit"),
    "the log bucket without its key": edit(
        "logging/projectBucketConfig:ProjectBucketConfig", "cmekSettings", GONE, "operations-logs"
    ),
    "the log bucket in another part of the world": edit(
        "logging/projectBucketConfig:ProjectBucketConfig", "location", "us-central1", "audit"
    ),
    "the default log bucket shortened": gcp(
        "logging/projectBucketConfig", bucketId="_Default", location="global", retentionDays=1, project=PROJECT
    ),
    "a view of the audit for all": gcp(
        "logging/logViewIamMember",
        bucket="seawall-prod-audit",
        name="v",
        role="roles/logging.viewAccessor",
        member="allUsers",
    ),
    "a link of the logs to a data set": gcp("logging/linkedDataset", bucket="seawall-prod-audit", linkId="x"),
    "the default sink off": gcp("logging/projectSettings", project=PROJECT, disableDefaultSink=True),
    "an alert is off": edit(ALERT, "enabled", False, "copy-failed"),
    "an alert reaches nobody": edit(ALERT, "notificationChannels", [], "key-at-risk"),
    "an alert never rings": edit(ALERT, "conditions.0.conditionThreshold.thresholdValue", 1e9, "copy-failed"),
    "an alert rings after a day": edit(ALERT, "conditions.0.conditionThreshold.duration", "86400s", "copy-failed"),
    "an alert rings in the other direction": edit(
        ALERT, "conditions.0.conditionThreshold.comparison", "COMPARISON_LT", "copy-failed"
    ),
    "an alert looks at another job": edit(
        ALERT,
        "conditions.0.conditionThreshold.filter",
        'metric.type="storagetransfer.googleapis.com/transferjob/error_count" AND resource.labels.job_id="other"',
        "copy-failed",
    ),
    "an alert on keys gone": remove(ALERT, "key-at-risk"),
    "an alert on exports gone": remove(ALERT, "export-failed"),
    "an alert on missing copies gone": remove(ALERT, "features-copy-missing"),
    "an alert on missing models gone": remove(ALERT, "models-copy-missing"),
    "an alert on exports that do not start gone": remove(ALERT, "export-not-started"),
    "an alert on memory gone": remove(ALERT, "features-memory"),
    "an alert on a query that is never true": edit(
        ALERT, "conditions.0.conditionPrometheusQueryLanguage.query", "vector(0) > 1", "models-copy-missing"
    ),
    "an alert that waits a week": edit(
        ALERT, "conditions.0.conditionPrometheusQueryLanguage.duration", "604800s", "models-copy-missing"
    ),
    "an alert on a query over a month": edit(
        ALERT,
        "conditions.0.conditionPrometheusQueryLanguage.query",
        "(sum(increase(storage_googleapis_com:api_request_count{"
        'bucket_name="seawall-prod-feature-exports-acme-serving-prod-europe-west6"}[30d])) or vector(0)) < 0.5',
        "features-copy-missing",
    ),
    "an alert that all conditions must meet": several(
        edit(ALERT, "combiner", "AND", "copy-failed"),
        edit(
            ALERT,
            "conditions.1",
            {
                "displayName": "x",
                "conditionThreshold": {
                    "filter": 'metric.type="x"',
                    "comparison": "COMPARISON_GT",
                    "thresholdValue": 1e9,
                    "duration": "0s",
                },
            },
            "copy-failed",
        ),
    ),
    "an alert on another method": edit(
        ALERT,
        "conditions.0.conditionMatchedLog.filter",
        'protoPayload.methodName="google.cloud.redis.v1.CloudRedis.GetInstance"',
        "export-failed",
    ),
    "the channel off": edit("notificationChannel:NotificationChannel", "enabled", False, "email"),
    "the channel to a stranger": edit(
        "notificationChannel:NotificationChannel", "labels", {"email_address": "x@elsewhere.example"}, "email"
    ),
    "the channel gone": remove("notificationChannel:NotificationChannel", "email"),
    "an alert snoozed for years": gcp("monitoring/snooze", displayName="x"),
}

KEYS: dict[str, Change] = {
    "rotation gone": edit(KEY, "rotationPeriod", GONE, "data"),
    "rotation once in a century": edit(KEY, "rotationPeriod", "3153600000s", "data"),
    "rotation in a year and a day": edit(KEY, "rotationPeriod", "31622400s", "cluster"),
    "destroyed within a day": edit(KEY, "destroyScheduledDuration", "86400s", "data"),
    "destroyed by the default": edit(KEY, "destroyScheduledDuration", GONE, "recovery"),
    "imported alone": edit(KEY, "importOnly", True, "data"),
    "made without a version": edit(KEY, "skipInitialVersionCreation", True, "data"),
    "a key held outside": edit(
        KEY, "versionTemplate", {"algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION", "protectionLevel": "EXTERNAL"}, "data"
    ),
    "a key that signs": edit(KEY, "purpose", "ASYMMETRIC_SIGN", "data"),
    "a key unprotected": unprotected(KEY, "data"),
    "a ring unprotected": unprotected("kms/keyRing:KeyRing", "primary"),
    "a key's rotation ignored": ignoring(KEY, "data", "rotationPeriod"),
    "a version disabled": gcp("kms/cryptoKeyVersion", cryptoKey=DATA_KEY, state="DISABLED"),
    "a key in another part of the world": gcp("kms/keyRing", location="us-central1", name="x", project=PROJECT),
    "a key imported": gcp(
        "kms/keyRingImportJob",
        keyRing="k",
        importJobId="i",
        importMethod="RSA_OAEP_3072_SHA1_AES_256",
        protectionLevel="SOFTWARE",
    ),
    "a connection to keys outside": gcp("kms/ekmConnection", name="x", location="europe-west4", serviceResolvers=[]),
    "a cipher text in the plan": gcp("kms/secretCiphertext", cryptoKey=DATA_KEY, plaintext="x"),
    "keys made on their own": gcp("kms/autokeyConfig", folder="f"),
    "the logs' key for a stranger": edit(
        "kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "member", STRANGER, "logs-logging"
    ),
    "a service's grant gone": remove("kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "recovery-storage"),
    "the backup's grant gone": remove("kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "recovery-gke-backup"),
}
