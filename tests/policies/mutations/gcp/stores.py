"""Harmful changes of data stores, their exports, and images."""

from __future__ import annotations

import base64

from tests.policies.mutations.gcp.words import (
    DATA_KEY,
    MEMBER,
    PROJECT,
    REDIS,
    REGISTRY,
    gcp,
    unprotected,
)
from tests.policies.reach.planting import GONE, Change, edit, remove, several

_EXPORT = {"httpMethod": "POST", "oauthToken": {"serviceAccountEmail": "seawall-prod-exporter@x"}}

STORES: dict[str, Change] = {
    "no TLS": edit(REDIS, "transitEncryptionMode", "DISABLED"),
    "no password": edit(REDIS, "authEnabled", False),
    "no key of ours": edit(REDIS, "customerManagedKey", GONE),
    "peered directly": edit(REDIS, "connectMode", "DIRECT_PEERING"),
    "in another network": edit(REDIS, "authorizedNetwork", "projects/elsewhere/global/networks/x"),
    "in the default network": edit(REDIS, "authorizedNetwork", GONE),
    "one machine": edit(REDIS, "tier", "BASIC"),
    "both in one zone": edit(REDIS, "alternativeLocationId", "europe-west4-b"),
    "no snapshots": edit(REDIS, "persistenceConfig", {"persistenceMode": "DISABLED"}),
    "snapshots once a day": edit(REDIS, "persistenceConfig.rdbSnapshotPeriod", "TWENTY_FOUR_HOURS"),
    "deletion not protected": edit(REDIS, "deletionProtection", False),
    "unprotected": unprotected(REDIS, "features"),
    "an old version": edit(REDIS, "redisVersion", "REDIS_4_0"),
    "no room to export": edit(REDIS, "redisConfigs", {"maxmemory-gb": "16", "maxmemory-policy": "volatile-ttl"}),
    "everything may be evicted": edit(REDIS, "redisConfigs.maxmemory-policy", "allkeys-random"),
    "no maintenance window": edit(REDIS, "maintenancePolicy", GONE),
    "replicas that anyone reads": edit(REDIS, "readReplicasMode", "READ_REPLICAS_ENABLED"),
    "a cluster store without TLS": gcp(
        "redis/cluster", name="x", shardCount=1, transitEncryptionMode="TRANSIT_ENCRYPTION_MODE_DISABLED"
    ),
    "a store of Memcached": gcp("memcache/instance", name="x", nodeCount=1),
    "a store of Valkey without rights": gcp(
        "memorystore/instance", instanceId="x", shardCount=1, authorizationMode="AUTH_DISABLED"
    ),
    "Bigtable without protection": gcp(
        "bigtable/instance", name="x", deletionProtection=False, clusters=[{"clusterId": "c", "numNodes": 1}]
    ),
    "a table without backups": gcp("bigtable/table", instanceName="x", name="t", deletionProtection="UNPROTECTED"),
    "Firestore without recovery": gcp(
        "firestore/database",
        name="x",
        type="FIRESTORE_NATIVE",
        pointInTimeRecoveryEnablement="POINT_IN_TIME_RECOVERY_DISABLED",
    ),
    "Firestore's rules for all": gcp(
        "firebaserules/ruleset",
        source={"files": [{"name": "f", "content": "allow read, write: if true;"}]},
    ),
    "a database without TLS": gcp(
        "sql/databaseInstance",
        databaseVersion="POSTGRES_16",
        deletionProtection=False,
        settings={
            "tier": "t",
            "ipConfiguration": {"ipv4Enabled": False, "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"},
        },
    ),
    "a user of a database with a password": gcp("sql/user", instance="x", name="u", password="hunter2hunter2"),
    "a store of files for all": gcp(
        "filestore/instance",
        tier="BASIC_HDD",
        networks=[{"network": "n", "modes": ["MODE_IPV4"]}],
        fileShares={
            "capacityGb": 1024,
            "name": "x",
            "nfsExportOptions": [{"ipRanges": ["0.0.0.0/0"], "squashMode": "NO_ROOT_SQUASH"}],
        },
    ),
    "a warehouse without a key": gcp("bigquery/dataset", datasetId="x", location="US"),
    "a topic without a key": gcp("pubsub/topic", name="x"),
    "a topic's messages elsewhere": gcp(
        "pubsub/topic", name="x", messageStoragePolicy={"allowedPersistenceRegions": ["us-central1"]}
    ),
    "a secret in plain text": gcp("secretmanager/secretVersion", secret="s", secretData="hunter2hunter2"),
    "a secret everywhere without a key": gcp("secretmanager/secret", secretId="x", replication={"auto": {}}),
    "a secret that ends": gcp("secretmanager/secret", secretId="x", replication={"auto": {}}, ttl="3600s"),
    # exports
    "an export paused": edit("cloudscheduler/job:Job", "paused", True, "feature-export-frequent"),
    "an export once a year": edit("cloudscheduler/job:Job", "schedule", "0 0 1 1 *", "feature-export-frequent"),
    "an export never": edit("cloudscheduler/job:Job", "schedule", "0 0 30 2 *", "feature-export-frequent"),
    "an export to elsewhere": edit(
        "cloudscheduler/job:Job",
        "httpTarget.body",
        base64.b64encode(b'{"outputConfig": {"gcsDestination": {"uri": "gs://elsewhere/x.rdb"}}}').decode(),
        "feature-export-frequent",
    ),
    "an export of another store": edit(
        "cloudscheduler/job:Job",
        "httpTarget.uri",
        "https://redis.googleapis.com/v1/projects/acme-serving-prod/locations/europe-west4/instances/other:export",
        "feature-export-frequent",
    ),
    "an export to a stranger": edit(
        "cloudscheduler/job:Job", "httpTarget.uri", "https://elsewhere.example/x", "feature-export-daily"
    ),
    "an export that is a failover": edit(
        "cloudscheduler/job:Job",
        "httpTarget.uri",
        "https://redis.googleapis.com/v1/projects/acme-serving-prod/locations/europe-west4/instances/seawall-prod-features:failover",
        "feature-export-frequent",
    ),
    "an export by GET": edit("cloudscheduler/job:Job", "httpTarget.httpMethod", "GET", "feature-export-frequent"),
    "an export as nobody": edit("cloudscheduler/job:Job", "httpTarget.oauthToken", GONE, "feature-export-frequent"),
    "an export as another": edit(
        "cloudscheduler/job:Job",
        "httpTarget.oauthToken.serviceAccountEmail",
        "seawall-prod-drill@acme-serving-prod.iam.gserviceaccount.com",
        "feature-export-frequent",
    ),
    "an export gone": remove("cloudscheduler/job:Job", "feature-export-frequent"),
    "the weekly export gone": remove("cloudscheduler/job:Job", "feature-export-weekly"),
    "the exporter's right gone": remove(MEMBER, "exporter"),
    "the exporter's bucket gone": remove("storage/bucketIAMMember:BucketIAMMember", "exports-objectuser"),
    "a job that deletes": gcp(
        "cloudscheduler/job",
        schedule="0 0 * * *",
        httpTarget={
            **_EXPORT,
            "httpMethod": "DELETE",
            "uri": "https://redis.googleapis.com/v1/projects/acme-serving-prod/locations/europe-west4/instances/seawall-prod-features",
        },
    ),
    "a job with a token in a header": edit(
        "cloudscheduler/job:Job",
        "httpTarget.headers",
        {"Authorization": "Bearer abcdefghijklmnop"},
        "feature-export-daily",
    ),
}

IMAGES: dict[str, Change] = {
    "tags that move": edit(REGISTRY, "dockerConfig.immutableTags", False, "serving"),
    "tags' setting gone": edit(REGISTRY, "dockerConfig", GONE, "mirror"),
    "no key": edit(REGISTRY, "kmsKeyName", GONE, "serving"),
    "scanning off": edit(REGISTRY, "vulnerabilityScanningConfig", {"enablementConfig": "DISABLED"}, "serving"),
    "every image deleted": edit(
        REGISTRY,
        "cleanupPolicies",
        [{"id": "x", "action": "DELETE", "condition": {"tagState": "ANY", "olderThan": "86400s"}}],
        "serving",
    ),
    "tagged images deleted": edit(
        REGISTRY,
        "cleanupPolicies.1",
        {"id": "x", "action": "DELETE", "condition": {"tagState": "TAGGED", "tagPrefixes": ["v"]}},
        "serving",
    ),
    "images deleted at once": edit(REGISTRY, "cleanupPolicies.0.condition.olderThan", "1s", "serving"),
    "a way to Docker Hub": gcp(
        "artifactregistry/repository",
        format="DOCKER",
        mode="REMOTE_REPOSITORY",
        location="europe-west4",
        repositoryId="hub",
        kmsKeyName=DATA_KEY,
        remoteRepositoryConfig={"dockerRepository": {"publicRepository": "DOCKER_HUB"}},
    ),
    "a way to a stranger's images": gcp(
        "artifactregistry/repository",
        format="DOCKER",
        mode="REMOTE_REPOSITORY",
        location="europe-west4",
        repositoryId="x",
        kmsKeyName=DATA_KEY,
        remoteRepositoryConfig={"dockerRepository": {"customRepository": {"uri": "https://elsewhere.example"}}},
    ),
    "one name for two registries": gcp(
        "artifactregistry/repository",
        format="DOCKER",
        mode="VIRTUAL_REPOSITORY",
        location="europe-west4",
        repositoryId="x",
        kmsKeyName=DATA_KEY,
        virtualRepositoryConfig={
            "upstreamPolicies": [
                {"id": "x", "priority": 100, "repository": "projects/elsewhere/locations/x/repositories/y"}
            ]
        },
    ),
    "the copy of images gone": remove(REGISTRY, "serving-copy"),
    "the registry unprotected": unprotected(REGISTRY, "serving"),
    "the old registry": gcp("container/registry", location="EU", project=PROJECT),
    "a trigger of builds": gcp(
        "cloudbuild/trigger", github={"owner": "x", "name": "y", "pullRequest": {"branch": ".*"}}
    ),
    "an API that is off": several(
        gcp("projects/service", service="containerscanning.googleapis.com", project=PROJECT, disableOnDestroy=True)
    ),
    "the scanner goes": gcp("artifactregistry/vpcscConfig", location="europe-west4", vpcscPolicy="ALLOW"),
    "an app made public": gcp("iap/settings", name="x"),
    "a support that sees": gcp("projects/accessApprovalSettings", projectId=PROJECT, enrolledServices=[]),
    "contacts for security gone": gcp(
        "essentialcontacts/contact",
        parent="p",
        email="x@elsewhere.example",
        notificationCategorySubscriptions=["ALL"],
        languageTag="en",
    ),
}
