"""Harmful edits of what keeps data on AWS, and of what watches over it, and harmless ones that resemble them."""

from __future__ import annotations

from typing import Any

from tests.policies.aws_faults.documents import (
    AWAY,
    HERE,
    LOGS,
    MODELS,
    OTHER,
    OWN,
    REPLICA,
    ROLES,
    TABLE,
    allow,
    text,
)  # fmt: skip
from tests.policies.reach.planting import GONE, Change, To, add, edit, remove, several

KEY, PLAN = "kms/key:Key", "backup/plan:Plan"
LIFE = "BucketLifecycleConfiguration"
COPY = "BucketReplicationConfig"
DYNAMO = "dynamodb/table:Table"
LOCK = "vaultLockConfiguration:VaultLockConfiguration"
ALARM = "metricAlarm:MetricAlarm"


def cache(**inputs: Any) -> Change:
    """A cache as the components would make it, with something changed."""
    told: dict[str, Any] = {
        "replicationGroupId": "x", "description": "x", "engine": "valkey", "engineVersion": "8.2",
        "automaticFailoverEnabled": True, "multiAzEnabled": True, "numCacheClusters": 2,
        "nodeType": "cache.t4g.small",
        "transitEncryptionEnabled": True, "transitEncryptionMode": "required", "atRestEncryptionEnabled": True,
        "kmsKeyId": To("kms/key:Key", "data"), "userGroupIds": ["x"], "snapshotRetentionLimit": 7,
        "securityGroupIds": [To("ec2/securityGroup:SecurityGroup", "dynamodb-endpoint")],
    }  # fmt: skip
    made = {key: value for key, value in {**told, **inputs}.items() if value is not GONE}
    return add("aws:elasticache/replicationGroup:ReplicationGroup", made)


def point(**inputs: Any) -> Change:
    return add("aws:s3/accessPoint:AccessPoint", {"bucket": MODELS, "name": "x", **inputs})


HARMFUL: dict[str, tuple[str, Change]] = {
    # keys
    "a key is not rotated": ("aws-kms-rotated", edit(KEY, "enableKeyRotation", False, "data")),
    "a key is rotated each seven years": ("", edit(KEY, "rotationPeriodInDays", 2560, "data")),
    "a key is gone within a week": ("aws-kms-slow-deletion", edit(KEY, "deletionWindowInDays", 7, "data")),
    "a key is disabled": ("aws-kms-enabled", edit(KEY, "isEnabled", False, "data")),
    "a key may lock its account out": ("", edit(KEY, "bypassPolicyLockoutSafetyCheck", True, "data")),
    "a key is for signing": ("aws-kms-policy-usable", edit(KEY, "keyUsage", "SIGN_VERIFY", "data")),
    "a key lies in an external store": ("aws-kms-enabled", edit(KEY, "xksKeyId", "x", "data")),
    "a key is of many regions": ("", edit(KEY, "multiRegion", True, "data")),
    "a key's material is imported": (
        "",
        add("aws:kms/externalKey:ExternalKey", {"enabled": True, "deletionWindowInDays": 7}),
    ),
    "a key has no policy": ("aws-alarms-heard", edit(KEY, "policy", GONE, "recovery")),
    "an alias of one key leads to another": (
        "",
        edit("kms/alias:Alias", "targetKeyId", "11111111-1111-1111-1111-111111111111", "data"),
    ),
    # buckets
    "the models' versioning is suspended": (
        "aws-s3-versioned",
        edit("BucketVersioning", "versioningConfiguration.status", "Suspended", "models"),
    ),
    "the replica's versioning is gone": ("aws-s3-replicated-far", remove("BucketVersioning", "replica")),
    "versions go only with a second factor that is off": (
        "aws-s3-versioned",
        edit("BucketVersioning", "versioningConfiguration.status", "Disabled", "audit"),
    ),
    "the models expire": ("aws-s3-lifecycle-keeps", edit(LIFE, "rules.0.expiration", {"days": 30}, "models")),
    "the models expire on a day": (
        "aws-s3-lifecycle-keeps",
        edit(LIFE, "rules.0.expiration", {"date": "2027-01-01T00:00:00Z"}, "models"),
    ),
    "the models expire by a second rule": (
        "aws-s3-lifecycle-keeps",
        edit(
            LIFE,
            "rules.1",
            {"id": "x", "status": "Enabled", "filter": {"prefix": "releases/"}, "expiration": {"days": 1}},
            "models",
        ),
    ),
    "old versions go in a day": (
        "aws-s3-lifecycle-keeps",
        edit(LIFE, "rules.0.noncurrentVersionExpiration.noncurrentDays", 1, "models"),
    ),
    "old versions go in a day by a second rule": (
        "aws-s3-lifecycle-keeps",
        edit(
            LIFE,
            "rules.1",
            {
                "id": "x",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrentVersionExpiration": {"noncurrentDays": 1},
            },
            "replica",
        ),
    ),
    "the models sink into the deep archive": (
        "aws-s3-lifecycle-keeps",
        edit(LIFE, "rules.0.transitions", [{"days": 0, "storageClass": "DEEP_ARCHIVE"}], "models"),
    ),
    "the trail's files go in a week": ("aws-s3-lifecycle-keeps", edit(LIFE, "rules.0.expiration.days", 7, "audit")),
    "logs are kept for a day": ("aws-s3-lifecycle-keeps", edit(LIFE, "rules.0.expiration.days", 1, "logs")),
    "a lifecycle besides": (
        "seawall-type-judged",
        add(
            "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
            {"bucket": MODELS, "rules": [{"id": "x", "status": "Enabled", "expiration": {"days": 1}}]},
        ),
    ),
    "a lifecycle in the bucket": (
        "aws-s3-inputs-apart",
        edit("s3/bucket:Bucket", "lifecycleRules", [{"enabled": True, "expiration": {"days": 1}}], "models"),
    ),
    "the models' block is gone": ("aws-s3-public-access-blocked", remove("BucketPublicAccessBlock", "models")),
    "the models' block is half": (
        "aws-s3-public-access-blocked",
        edit("BucketPublicAccessBlock", "restrictPublicBuckets", False, "models"),
    ),
    "the account's block is open": (
        "",
        add(
            "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
            {
                "blockPublicAcls": False,
                "blockPublicPolicy": False,
                "ignorePublicAcls": False,
                "restrictPublicBuckets": False,
            },
        ),
    ),
    "the models' lists are back": (
        "aws-s3-acls-disabled",
        edit("BucketOwnershipControls", "rule.objectOwnership", "ObjectWriter", "models"),
    ),
    "a list for the log service": (
        "aws-nothing-public-by-itself",
        add("aws:s3/bucketAcl:BucketAcl", {"bucket": MODELS, "acl": "log-delivery-write"}),
    ),
    "a website of the models": ("", edit("s3/bucket:Bucket", "website", {"indexDocument": "index.html"}, "models")),
    "scripts of anyone read the models": (
        "seawall-type-judged",
        add(
            "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration",
            {"bucket": MODELS, "corsRules": [{"allowedMethods": ["GET", "PUT"], "allowedOrigins": ["*"]}]},
        ),
    ),
    "scripts of anyone read the models, in the bucket": (
        "",
        edit("s3/bucket:Bucket", "corsRules", [{"allowedMethods": ["GET"], "allowedOrigins": ["*"]}], "models"),
    ),
    "an access point on the internet": ("", point()),
    "an access point with a policy": (
        "aws-resource-policy-no-public",
        add(
            "aws:s3control/accessPointPolicy:AccessPointPolicy",
            {
                "accessPointArn": f"arn:aws:s3:{HERE}:{OWN}:accesspoint/x",
                "policy": text(allow("s3:*", Principal="*")),
            },
        ),
    ),
    "an access point with its own policy": (
        "aws-resource-policy-no-public",
        point(policy=text(allow("s3:GetObject", Principal="*"))),
    ),
    "a lambda reads objects": (
        "seawall-type-judged",
        add(
            "aws:s3control/objectLambdaAccessPoint:ObjectLambdaAccessPoint",
            {
                "name": "x",
                "configuration": {
                    "supportingAccessPoint": "arn:aws:s3:::x",
                    "transformationConfigurations": [
                        {
                            "actions": ["GetObject"],
                            "contentTransformation": {
                                "awsLambda": {"functionArn": f"arn:aws:lambda:{HERE}:{OTHER}:function:x"}
                            },
                        }
                    ],
                },
            },
        ),
    ),
    "a lambda reads objects, for all": (
        "aws-resource-policy-no-public",
        add(
            "aws:s3control/objectLambdaAccessPointPolicy:ObjectLambdaAccessPointPolicy",
            {"name": "x", "policy": text(allow("s3-object-lambda:GetObject", Principal="*"))},
        ),
    ),
    "requesters pay": (
        "seawall-type-judged",
        add(
            "aws:s3/bucketRequestPaymentConfiguration:BucketRequestPaymentConfiguration",
            {"bucket": MODELS, "payer": "Requester"},
        ),
    ),
    "objects go to a stranger's topic": (
        "seawall-type-judged",
        add(
            "aws:s3/bucketNotification:BucketNotification",
            {
                "bucket": MODELS,
                "topics": [{"topicArn": f"arn:aws:sns:{HERE}:{OTHER}:x", "events": ["s3:ObjectCreated:*"]}],
            },
        ),
    ),
    "objects go to a stranger's function": (
        "seawall-type-judged",
        add(
            "aws:s3/bucketNotification:BucketNotification",
            {
                "bucket": MODELS,
                "lambdaFunctions": [
                    {
                        "lambdaFunctionArn": f"arn:aws:lambda:{HERE}:{OTHER}:function:x",
                        "events": ["s3:ObjectCreated:*"],
                    }
                ],
            },
        ),
    ),
    "the models' analytics go elsewhere": (
        "seawall-type-judged",
        add(
            "aws:s3/analyticsConfiguration:AnalyticsConfiguration",
            {
                "bucket": MODELS,
                "storageClassAnalysis": {
                    "dataExport": {"destination": {"s3BucketDestination": {"bucketArn": "arn:aws:s3:::elsewhere"}}}
                },
            },
        ),
    ),
    "access logs go elsewhere": ("", edit("BucketLogging", "targetBucket", "elsewhere", "models")),
    "access logs stop": ("aws-s3-access-logged", remove("BucketLogging", "models")),
    "the trail's access logs stop": ("aws-s3-access-logged", remove("BucketLogging", "audit")),
    "access logs go to the bucket itself": ("", edit("BucketLogging", "targetBucket", MODELS, "models")),
    "the models are for a key of AWS": (
        "aws-s3-customer-key",
        edit(
            "ServerSideEncryptionConfiguration",
            "rules.0.applyServerSideEncryptionByDefault",
            {"sseAlgorithm": "aws:kms"},
            "models",
        ),
    ),
    "the models are without a key": (
        "aws-s3-customer-key",
        edit(
            "ServerSideEncryptionConfiguration",
            "rules.0.applyServerSideEncryptionByDefault",
            {"sseAlgorithm": "AES256"},
            "models",
        ),
    ),
    "the models take keys of customers": (
        "",
        edit("ServerSideEncryptionConfiguration", "rules.0.blockedEncryptionTypes", ["NONE"], "models"),
    ),
    "the models' key is another account's": (
        "aws-names-own-account",
        edit(
            "ServerSideEncryptionConfiguration",
            "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId",
            f"arn:aws:kms:{HERE}:{OTHER}:key/1",
            "models",
        ),
    ),
    "the models' bucket is emptied with the stack": (
        "state-protected",
        edit("s3/bucket:Bucket", "forceDestroy", True, "models"),
    ),
    "the trail's bucket is not locked": ("", edit("s3/bucket:Bucket", "objectLockEnabled", False, "audit")),
    "the lock may be lifted": (
        "aws-audit-records-locked",
        edit("BucketObjectLockConfiguration", "rule.defaultRetention.mode", "GOVERNANCE", "audit"),
    ),
    "the lock lasts a day": (
        "aws-audit-records-locked",
        edit("BucketObjectLockConfiguration", "rule.defaultRetention.days", 1, "audit"),
    ),
    "the lock keeps nothing by default": (
        "aws-audit-records-locked",
        edit("BucketObjectLockConfiguration", "rule", GONE, "audit"),
    ),
    "the lock is gone": ("aws-audit-records-locked", remove("BucketObjectLockConfiguration", "audit")),
    # replication
    "the copy pauses": ("aws-s3-replicated-far", edit(COPY, "rules.0.status", "Disabled", "models")),
    "the copy is of some": (
        "aws-s3-replicated-far",
        edit(COPY, "rules.0.filter", {"prefix": "releases/1"}, "models"),
    ),
    "the copy is of tagged ones": (
        "aws-s3-replicated-far",
        edit(COPY, "rules.0.filter", {"tag": {"key": "x", "value": "y"}}, "models"),
    ),
    "the copy is of both": (
        "aws-s3-replicated-far",
        edit(COPY, "rules.0.filter", {"and": {"prefix": "a/", "tags": {"k": "v"}}}, "models"),
    ),
    "the copy leaves out what is encrypted": (
        "aws-s3-replica-own-key",
        edit(COPY, "rules.0.sourceSelectionCriteria.sseKmsEncryptedObjects.status", "Disabled", "models"),
    ),
    "the copy is to the same region": (
        "aws-s3-access-logged",
        edit(COPY, "rules.0.destination.bucket", f"arn:aws:s3:::{LOGS}", "models"),
    ),
    "the copy is to itself": (
        "aws-s3-replica-own-key",
        edit(COPY, "rules.0.destination.bucket", f"arn:aws:s3:::{MODELS}", "models"),
    ),
    "the copy sinks into the archive": (
        "aws-s3-replicated-in-time",
        edit(COPY, "rules.0.destination.storageClass", "DEEP_ARCHIVE", "models"),
    ),
    "the copy's key is the first region's": (
        "aws-s3-replica-own-key",
        edit(
            COPY,
            "rules.0.destination.encryptionConfiguration.replicaKmsKeyId",
            f"arn:aws:kms:{HERE}:{OWN}:key/1",
            "models",
        ),
    ),
    "the copy has no time": (
        "aws-s3-replicated-in-time",
        edit(COPY, "rules.0.destination.replicationTime.status", "Disabled", "models"),
    ),
    "the copy is not measured": (
        "aws-s3-replicated-in-time",
        edit(COPY, "rules.0.destination.metrics.status", "Disabled", "models"),
    ),
    "the copy is by a stranger's role": (
        "aws-names-own-account",
        edit(COPY, "role", f"arn:aws:iam::{OTHER}:role/x", "models"),
    ),
    "no copy": ("aws-s3-replicated-far", remove(COPY, "models")),
    # features
    "the table may be deleted": (
        "aws-dynamodb-deletion-protection",
        edit(DYNAMO, "deletionProtectionEnabled", False, "features"),
    ),
    "the table has no past": (
        "aws-dynamodb-point-in-time-recovery",
        edit(DYNAMO, "pointInTimeRecovery.enabled", False, "features"),
    ),
    "the table's past is a day": (
        "aws-dynamodb-point-in-time-recovery",
        edit(DYNAMO, "pointInTimeRecovery.recoveryPeriodInDays", 1, "features"),
    ),
    "the table's key is AWS'": (
        "aws-dynamodb-customer-key",
        edit(DYNAMO, "serverSideEncryption", {"enabled": True}, "features"),
    ),
    "the table forgets by another attribute": (
        "aws-dynamodb-expires-by-word",
        edit(DYNAMO, "ttl.attributeName", "entity_id", "features"),
    ),
    "the table streams": (
        "",
        several(
            edit(DYNAMO, "streamEnabled", True, "features"),
            edit(DYNAMO, "streamViewType", "NEW_AND_OLD_IMAGES", "features"),
        ),
    ),
    "the table is copied to America": ("", edit(DYNAMO, "replicas", [{"regionName": "us-east-1"}], "features")),
    "the table is copied by another resource": (
        "seawall-type-judged",
        add("aws:dynamodb/tableReplica:TableReplica", {"globalTableArn": TABLE}),
    ),
    "a global table": (
        "seawall-type-judged",
        add("aws:dynamodb/globalTable:GlobalTable", {"name": "x", "replicas": [{"regionName": "us-east-1"}]}),
    ),
    "the table is restored from elsewhere": ("", edit(DYNAMO, "restoreSourceTableArn", TABLE, "features")),
    "the table can be read once a second": (
        "aws-dynamodb-scales",
        several(edit(DYNAMO, "billingMode", "PROVISIONED", "features"), edit(DYNAMO, "readCapacity", 1, "features")),
    ),
    "a new table with nothing": (
        "aws-dynamodb-customer-key",
        add("aws:dynamodb/table:Table", {"name": "x", "hashKey": "a", "attributes": [{"name": "a", "type": "S"}]}),
    ),
    # caches
    "a cache in plain text": ("aws-elasticache-encrypted", cache(transitEncryptionEnabled=False)),
    "a cache that prefers TLS": ("aws-elasticache-encrypted", cache(transitEncryptionMode="preferred")),
    "a cache without users": ("aws-elasticache-final-snapshot", cache(userGroupIds=GONE)),
    "a cache with a password in the plan": (
        "aws-elasticache-final-snapshot",
        cache(userGroupIds=GONE, authToken="hunter2hunter2hunter2"),
    ),
    "a cache at rest in plain text": ("aws-elasticache-encrypted", cache(atRestEncryptionEnabled=False)),
    "a cache in one zone": ("aws-elasticache-failover", cache(multiAzEnabled=False, automaticFailoverEnabled=False)),
    "a cache without snapshots": ("aws-elasticache-final-snapshot", cache(snapshotRetentionLimit=0)),
    "a cache's user without a password": (
        "aws-elasticache-iam",
        add(
            "aws:elasticache/user:User",
            {
                "userId": "x",
                "userName": "default",
                "engine": "valkey",
                "accessString": "on ~* +@all",
                "noPasswordRequired": True,
            },
        ),
    ),
    "a cache's user that needs none": (
        "aws-elasticache-iam",
        add(
            "aws:elasticache/user:User",
            {
                "userId": "x",
                "userName": "default",
                "engine": "valkey",
                "accessString": "on nopass ~* +@all",
                "authenticationMode": {"type": "no-password-required"},
            },
        ),
    ),
    "a cache of one machine": (
        "seawall-type-judged",
        add("aws:elasticache/cluster:Cluster", {"clusterId": "x", "engine": "redis", "numCacheNodes": 1}),
    ),
    "a cache without servers": (
        "seawall-type-judged",
        add("aws:elasticache/serverlessCache:ServerlessCache", {"name": "x", "engine": "valkey"}),
    ),
    # backups
    "the plan runs once a month": (
        "aws-backup-often-enough",
        edit(PLAN, "rules.0.schedule", "cron(0 0 1 * ? *)", "features"),
    ),
    "the plan ran in the past": (
        "aws-backup-often-enough",
        several(*(edit(PLAN, f"rules.{i}.schedule", "cron(0 * * * ? 2020)", "features") for i in range(3))),
    ),
    "the plan's points go in a day": (
        "aws-backup-points-kept",
        edit(PLAN, "rules.1.lifecycle.deleteAfter", 1, "features"),
    ),
    "the plan's copies go in a day": (
        "aws-backup-points-kept",
        edit(PLAN, "rules.2.copyActions.0.lifecycle.deleteAfter", 1, "features"),
    ),
    "the plan does not copy": (
        "aws-backup-copied-far",
        several(*(edit(PLAN, f"rules.{i}.copyActions", GONE, "features") for i in range(3))),
    ),
    "the plan copies beside the data": (
        "aws-backup-copied-far",
        several(
            *(
                edit(
                    PLAN,
                    f"rules.{i}.copyActions.0.destinationVaultArn",
                    f"arn:aws:backup:{HERE}:{OWN}:backup-vault:seawall-prod-primary",
                    "features",
                )
                for i in range(3)
            )
        ),
    ),
    "the plan writes to another vault": (
        "aws-backup-points-kept",
        several(*(edit(PLAN, f"rules.{i}.targetVaultName", "Default", "features") for i in range(3))),
    ),
    "the plan starts within a week": (
        "aws-backup-often-enough",
        edit(PLAN, "rules.0.startWindow", 10080, "features"),
    ),
    "the plan moves points to cold storage": (
        "aws-backup-points-kept",
        edit(PLAN, "rules.1.lifecycle", {"coldStorageAfter": 1, "deleteAfter": 91}, "features"),
    ),
    "the selection is of another table": (
        "aws-dynamodb-in-backup-plan",
        edit("backup/selection:Selection", "resources", [TABLE + "x"], "features"),
    ),
    "the selection leaves the table out": (
        "aws-dynamodb-in-backup-plan",
        edit("backup/selection:Selection", "notResources", [TABLE], "features"),
    ),
    "the selection is for tags that nothing has": (
        "aws-dynamodb-in-backup-plan",
        edit(
            "backup/selection:Selection",
            "conditions",
            [{"stringEquals": [{"key": "aws:ResourceTag/x", "value": "y"}]}],
            "features",
        ),
    ),
    "the selection is of another plan": (
        "aws-dynamodb-in-backup-plan",
        edit("backup/selection:Selection", "planId", "x", "features"),
    ),
    "the selection's role cannot": (
        "aws-backup-role-may",
        edit("backup/selection:Selection", "iamRoleArn", f"{ROLES}/seawall-prod-fleet", "features"),
    ),
    "the backup role has no rights": (
        "aws-backup-role-may",
        remove("rolePolicyAttachment:RolePolicyAttachment", "backup-AWSBackupServiceRolePolicyForBackup"),
    ),
    "no selection": ("aws-dynamodb-in-backup-plan", remove("backup/selection:Selection", "features")),
    "no plan": ("aws-dynamodb-in-backup-plan", remove(PLAN, "features")),
    "the vault's lock is gone": ("aws-backup-vault-locked", remove(LOCK, "recovery")),
    "the vault's lock is short": ("aws-backup-vault-locked", edit(LOCK, "minRetentionDays", 1, "recovery")),
    "the vault's lock ends points early": ("aws-backup-points-kept", edit(LOCK, "maxRetentionDays", 7, "recovery")),
    "the vault's key is AWS'": (
        "aws-backup-vault-customer-key",
        edit("backup/vault:Vault", "kmsKeyArn", GONE, "recovery"),
    ),
    "the vault is emptied with the stack": (
        "state-protected",
        edit("backup/vault:Vault", "forceDestroy", True, "recovery"),
    ),
    "backups of tables are switched off": (
        "seawall-type-judged",
        add("aws:backup/regionSettings:RegionSettings", {"resourceTypeOptInPreference": {"DynamoDB": False}}),
    ),
    "backups cross accounts": (
        "seawall-type-judged",
        add("aws:backup/globalSettings:GlobalSettings", {"globalSettings": {"isCrossAccountBackupEnabled": "true"}}),
    ),
    # images
    "tags of images move": (
        "aws-ecr-immutable-tags",
        edit("ecr/repository:Repository", "imageTagMutability", "MUTABLE", "serving"),
    ),
    "some tags of images move": (
        "aws-ecr-immutable-tags",
        several(
            edit("ecr/repository:Repository", "imageTagMutability", "IMMUTABLE_WITH_EXCLUSION", "serving"),
            edit(
                "ecr/repository:Repository",
                "imageTagMutabilityExclusionFilters",
                [{"filter": "*", "filterType": "WILDCARD"}],
                "serving",
            ),
        ),
    ),
    "images are not scanned": (
        "aws-ecr-scanned",
        edit("ecr/repository:Repository", "imageScanningConfiguration.scanOnPush", False, "serving"),
    ),
    "the registry scans nothing": (
        "seawall-type-judged",
        add(
            "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration", {"scanType": "BASIC", "rules": []}
        ),
    ),
    "the registry scans others": (
        "seawall-type-judged",
        add(
            "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
            {
                "scanType": "ENHANCED",
                "rules": [
                    {
                        "scanFrequency": "CONTINUOUS_SCAN",
                        "repositoryFilters": [{"filter": "other/*", "filterType": "WILDCARD"}],
                    }
                ],
            },
        ),
    ),
    "the registry scans by hand": (
        "seawall-type-judged",
        add(
            "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
            {
                "scanType": "BASIC",
                "rules": [
                    {"scanFrequency": "MANUAL", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
                ],
            },
        ),
    ),
    "images go with the stack": (
        "state-protected",
        edit("ecr/repository:Repository", "forceDelete", True, "serving"),
    ),
    "images' key is AWS'": (
        "aws-ecr-customer-key",
        edit("ecr/repository:Repository", "encryptionConfigurations", [{"encryptionType": "AES256"}], "serving"),
    ),
    "all images expire": (
        "aws-ecr-expires-only-untagged",
        edit(
            "ecr/lifecyclePolicy:LifecyclePolicy",
            "policy",
            '{"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection": {"tagStatus": "any", '
            '"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}}]}',
            "serving",
        ),
    ),
    "few images are kept": (
        "aws-ecr-expires-only-untagged",
        edit(
            "ecr/lifecyclePolicy:LifecyclePolicy",
            "policy",
            '{"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection": {"tagStatus": "any", '
            '"countType": "imageCountMoreThan", "countNumber": 1}}]}',
            "serving-copy",
        ),
    ),
    "images come through a cache": (
        "seawall-type-judged",
        add(
            "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
            {"ecrRepositoryPrefix": "seawall-prod", "upstreamRegistryUrl": "registry-1.docker.io"},
        ),
    ),
    "repositories are made for anyone": (
        "seawall-type-judged",
        add(
            "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
            {
                "prefix": "ROOT",
                "appliedFors": ["PULL_THROUGH_CACHE"],
                "imageTagMutability": "MUTABLE",
                "repositoryPolicy": text(allow("ecr:*", None, Principal="*")),
            },
        ),
    ),
}

HARMLESS: dict[str, Change] = {
    "a key is rotated each month": edit(KEY, "rotationPeriodInDays", 90, "recovery"),
    "old versions are kept longer": edit(LIFE, "rules.0.noncurrentVersionExpiration.noncurrentDays", 365, "models"),
    "uploads are given up sooner": edit(
        LIFE, "rules.0.abortIncompleteMultipartUpload.daysAfterInitiation", 1, "models"
    ),
    "the account's block is shut": add(
        "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
        {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True},
    ),
    "the lock lasts longer": edit("BucketObjectLockConfiguration", "rule.defaultRetention.days", 400, "audit"),
    "the vault's lock is longer": edit(LOCK, "changeableForDays", 3, "recovery"),
    "logs are kept longer": edit("logGroup:LogGroup", "retentionInDays", 731, "control-plane"),
    "an alarm is quicker": edit(ALARM, "period", 1800, "backup-failed"),
    "a private zone": add(
        "aws:route53/zone:Zone", {"name": "models.internal", "vpcs": [{"vpcId": To("ec2/vpc:Vpc", "vpc")}]}
    ),
    "the copy's region as text": edit("s3/bucket:Bucket", "tags.team", AWAY + REPLICA, "replica"),
}
