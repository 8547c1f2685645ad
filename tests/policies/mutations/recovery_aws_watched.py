# ruff: noqa: E501 - one change is one line of a table
"""Changes of the production plan on AWS that narrow a replica, empty a bucket or silence who watches copies."""

from __future__ import annotations

from typing import Any

from tests.policies.mutations.changes import (
    GONE,
    Change,
    Mutation,
    add,
    both,
    drop,
    inside,
    link,
    moved,
    options,
    put,
)
from tests.policies.mutations.recovery_aws import AWAY, DENY, HERE, MODELS, OTHER, OWN, RARE, REPLICA

KEPT = "expire-old-versions"


def _(name: str, change: Change, rule: str = "") -> Mutation:
    return Mutation(name, change, rule, clouds=("aws",))


def replicates(*edits: tuple[str, Any]) -> Change:
    return put("BucketReplicationConfig", "models", *((f"rules.0.{path}", value) for path, value in edits))


def lifecycle(bucket: str, *edits: tuple[str, Any]) -> Change:
    return put("BucketLifecycleConfiguration", bucket, *((f"rules.{path}", value) for path, value in edits))


def also(bucket: str, **rule: Any) -> Change:
    return lifecycle(bucket, ("+", {"id": "also", "status": "Enabled", "filter": {"prefix": ""}, **rule}))


def alarm(name: str, *edits: tuple[str, Any]) -> Change:
    return put("MetricAlarm", name, *edits)


def _denies(bucket: str, action: str) -> Change:
    resource = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    name = "models" if bucket == MODELS else "replica"
    return inside("BucketPolicy", name, "policy", ("Statement.+", {**DENY, "Action": action, "Resource": resource}))


BUCKETS = (
    _("models keep no versions", put("BucketVersioning", "models", ("versioningConfiguration.status", "Suspended"))),
    _("the replica keeps no versions", put("BucketVersioning", "replica", ("versioningConfiguration.status", "Suspended"))),
    _("the replica's versions are off", put("BucketVersioning", "replica", ("versioningConfiguration.status", "Disabled"))),
    _("models without versioning", drop("BucketVersioning", "models")),
    _("the replica without versioning", drop("BucketVersioning", "replica")),
    _("versioning of another bucket", both(link("BucketVersioning", "replica", "bucket"), put("BucketVersioning", "replica", ("bucket", "elsewhere")))),
    _("models expire", lifecycle("models", ("0.expiration", {"days": 30}))),
    _("models expire on a day", lifecycle("models", ("0.expiration", {"date": "2027-01-01T00:00:00Z"}))),
    _("the replica expires", lifecycle("replica", ("0.expiration", {"days": 30}))),
    _("old models go after a day", lifecycle("models", ("0.noncurrentVersionExpiration.noncurrentDays", 1))),
    _("old replicas go after a day", lifecycle("replica", ("0.noncurrentVersionExpiration.noncurrentDays", 1))),
    _("one more rule expires releases", also("models", filter={"prefix": "releases/"}, expiration={"days": 1})),
    _("one more rule expires what is tagged", also("replica", filter={"tag": {"key": "a", "value": "b"}}, expiration={"days": 1})),
    _("one more rule expires what is large", also("replica", filter={"objectSizeGreaterThan": 1}, expiration={"days": 60})),
    _("one more rule expires what is small", also("replica", filter={"objectSizeLessThan": RARE}, expiration={"days": 60})),
    _("one more rule expires by two filters", also("replica", filter={"and": {"prefix": "r", "objectSizeGreaterThan": 1}}, expiration={"days": 60})),
    _("one more rule expires by an old prefix", also("replica", filter=None, prefix="releases", expiration={"days": 60})),
    _("one more rule expires old releases", also("replica", filter={"prefix": "releases/"}, noncurrentVersionExpiration={"noncurrentDays": 1})),
    _("models freeze", also("models", transitions=[{"days": 1, "storageClass": "DEEP_ARCHIVE"}])),
    _("the replica freezes", also("replica", transitions=[{"days": 1, "storageClass": "GLACIER"}])),
    _("old replicas freeze", also("replica", noncurrentVersionTransitions=[{"noncurrentDays": 1, "storageClass": "DEEP_ARCHIVE"}])),
    _("the replica is tiered into the archive", add("aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration", {"bucket": REPLICA, "name": "x", "tierings": [{"accessTier": "DEEP_ARCHIVE_ACCESS", "days": 180}]})),
    _("a bucket's own lifecycle expires", put("Bucket", "replica", ("lifecycleRules", [{"enabled": True, "expiration": {"days": 3}}]))),
    _("a second lifecycle expires", add("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", {"bucket": REPLICA, "region": AWAY, "rules": [{"id": "x", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 3}}]})),
    _("nobody may read the replica", _denies(REPLICA, "s3:GetObject*")),
    _("nothing may reach the replica", _denies(REPLICA, "s3:ReplicateObject")),
    _("nothing may read models' versions", _denies(MODELS, "s3:GetObjectVersionForReplication")),
    _("replica's versions may go", inside("BucketPolicy", "replica", "policy", ("Statement.3", GONE))),
    _("replica's versions may go, on a condition", inside("BucketPolicy", "replica", "policy", ("Statement.3.Condition", {"StringEquals": {"aws:PrincipalTag/x": "y"}}))),
    _("replica's versions may go, by one role not", inside("BucketPolicy", "replica", "policy", ("Statement.3.Principal", {"AWS": f"arn:aws:iam::{OWN}:role/x"}))),
    _("releases' versions alone may not go", inside("BucketPolicy", "replica", "policy", ("Statement.3.Resource", f"arn:aws:s3:::{REPLICA}/x/*"))),
    _("the replica has no policy", drop("BucketPolicy", "replica")),
    _("the replica has the near key", link("BucketServerSideEncryptionConfiguration", "replica", "rules", ("Key", "data"))),
    _("the replica is near", moved("Bucket", "replica", HERE)),
    _("no replica", drop("Bucket", "replica")),
)  # fmt: skip
RULE = ("RolePolicy", "models-replication-replicate", "policy")
REPLICATION = (
    _("replication is off", replicates(("status", "Disabled"))),
    _("replication has no status", replicates(("status", GONE))),
    _("replication of a prefix", replicates(("filter", {"prefix": "releases/"}))),
    _("replication of a tag", replicates(("filter", {"tag": {"key": "copy", "value": "yes"}}))),
    _("replication of both", replicates(("filter", {"and": {"prefix": "", "tags": {"copy": "yes"}}}))),
    _("replication of an old prefix", replicates(("filter", GONE), ("prefix", "releases"))),
    _("replication without encrypted objects", replicates(("sourceSelectionCriteria.sseKmsEncryptedObjects.status", "Disabled"))),
    _("replication without criteria", replicates(("sourceSelectionCriteria", GONE))),
    _("replication whenever", replicates(("destination.replicationTime.status", "Disabled"))),
    _("replication without a time", replicates(("destination.replicationTime", GONE))),
    _("replication without metrics", replicates(("destination.metrics", GONE))),
    _("replication with metrics off", replicates(("destination.metrics.status", "Disabled"))),
    _("replication into ice", replicates(("destination.storageClass", "DEEP_ARCHIVE"))),
    _("replication into slow ice", replicates(("destination.storageClass", "GLACIER"))),
    _("replication into another account", replicates(("destination.account", OTHER), ("destination.accessControlTranslation", {"owner": "Destination"}))),
    _("replication beside", replicates(("destination.bucket", f"arn:aws:s3:::seawall-prod-logs-{OWN}-{HERE}"))),
    _("replication into no bucket", replicates(("destination.bucket", "arn:aws:s3:::elsewhere"))),
    _("replication with the near key", replicates(("destination.encryptionConfiguration.replicaKmsKeyId", f"arn:aws:kms:{HERE}:{OWN}:key/x"))),
    _("replication with the near key, linked", link("BucketReplicationConfig", "models", "rules", ("Key", "data"), ("Bucket", "replica"))),
    _("replication without a key", replicates(("destination.encryptionConfiguration", GONE))),
    _("no rule of replication", put("BucketReplicationConfig", "models", ("rules", []))),
    _("a rule that comes first is narrow", put("BucketReplicationConfig", "models", ("rules.0.priority", 1), ("rules.0.status", "Disabled"), ("rules.+", {"id": "some", "priority": 2, "status": "Enabled", "filter": {"prefix": "x/"}, "deleteMarkerReplication": {"status": "Enabled"}, "destination": {"bucket": f"arn:aws:s3:::{REPLICA}"}}))),
    _("no replication", drop("BucketReplicationConfig", "models")),
    _("changes of replication are not sent", options("BucketReplicationConfig", "models", ignore_changes=("rules",))),
    _("replication with the drill's role", link("BucketReplicationConfig", "models", "role", ("Role", "drill"))),
    _("the replicating role has no rights", drop("RolePolicy", RULE[1])),
    _("the replicating role may not write", inside(*RULE, ("Statement.2", GONE))),
    _("the replicating role writes elsewhere", inside(*RULE, ("Statement.2.Resource", "arn:aws:s3:::elsewhere/*"))),
    _("the replicating role may not delete", inside(*RULE, ("Statement.2.Action", ["s3:ReplicateObject"]))),
    _("the replicating role may not read", inside(*RULE, ("Statement.1.Resource", f"arn:aws:s3:::{MODELS}/x/*"))),
    _("the replicating role may not decrypt", inside(*RULE, ("Statement.3", GONE))),
    _("the replicating role may not encrypt", inside(*RULE, ("Statement.4.Resource", f"arn:aws:kms:{HERE}:{OWN}:key/*"))),
    _("the replicating role encrypts by another service", inside(*RULE, ("Statement.4.Condition.StringEquals", {"kms:ViaService": f"s3.{HERE}.amazonaws.com"}))),
    _("the replicating role is denied", inside(*RULE, ("Statement.+", {"Effect": "Deny", "Action": "s3:Replicate*", "Resource": "*"}))),
    _("the replicating role is for machines", inside("Role", "models-replication", "assumeRolePolicy", ("Statement.0.Principal.Service", "ec2.amazonaws.com"))),
)  # fmt: skip
BACKUP, COPY = ("backup-failed", "backup-missing", "backup-expired"), ("features-copy-missing", "replication-missing")
ALARMS = (
    *(
        _(f"nobody watches {name}", drop("MetricAlarm", name))
        for name in (*BACKUP, *COPY, "backup-copy-failed", "replication-failed", "replication-late", "key-at-risk")
    ),
    *(
        _(f"alarm {name} is mute", alarm(name, ("actionsEnabled", False)))
        for name in (*BACKUP, *COPY, "backup-copy-failed", "replication-failed", "replication-late", "key-at-risk")
    ),
    *(
        _(f"alarm {name} tells nobody", both(link("MetricAlarm", name, "alarmActions"), alarm(name, ("alarmActions", []))))
        for name in (*BACKUP, *COPY, "replication-failed", "key-at-risk")
    ),
    *(
        _(f"alarm {name} takes silence {how}", alarm(name, ("treatMissingData", how)))
        for name in ("backup-missing", *COPY)
        for how in ("notBreaching", "ignore", "missing")
    ),
    *(
        _(f"alarm {name} is never reached", alarm(name, ("threshold", RARE)))
        for name in ("backup-failed", "backup-copy-failed", "backup-expired", "replication-failed", "replication-late", "key-at-risk")
    ),
    *(_(f"alarm {name} below nothing", alarm(name, ("threshold", 0))) for name in ("backup-missing", *COPY)),
    *(_(f"alarm {name} turned round", alarm(name, ("comparisonOperator", "GreaterThanThreshold"))) for name in ("backup-missing", *COPY)),
    *(_(f"alarm {name} after two days", alarm(name, ("evaluationPeriods", 48))) for name in ("backup-missing", *COPY)),
    *(_(f"alarm {name} by the day", alarm(name, ("period", 86400))) for name in ("backup-missing", *COPY)),
    _("alarm of an hour's latency", alarm("replication-late", ("threshold", 86400))),
    _("alarm turned round, of failures", alarm("backup-failed", ("comparisonOperator", "LessThanThreshold"))),
    _("alarm of few points among many", alarm("backup-failed", ("evaluationPeriods", 24), ("datapointsToAlarm", 24))),
    _("alarm of another metric", alarm("backup-failed", ("metricName", "NumberOfBackupJobsCreated"))),
    _("alarm of a mistyped metric", alarm("backup-failed", ("metricName", "NumberOfBackupJobFailed"))),
    _("alarm of another namespace", alarm("backup-missing", ("namespace", "AWS/Backups"))),
    _("alarm of another vault", alarm("backup-failed", ("dimensions", {"BackupVaultName": "elsewhere"}))),
    _("alarm of no vault", alarm("backup-missing", ("dimensions", GONE))),
    _("alarm of the far vault", alarm("backup-failed", ("dimensions", {"BackupVaultName": "seawall-prod-recovery"}))),
    _("alarm of another bucket", alarm("replication-missing", ("dimensions.DestinationBucket", "elsewhere"))),
    _("alarm of another rule", alarm("replication-failed", ("dimensions.RuleId", "other"))),
    _("alarm of another event", alarm("features-copy-missing", ("dimensions.RuleName", "seawall-prod-key-at-risk"))),
    _("alarm of the least", alarm("backup-failed", ("statistic", "Minimum"))),
    _("alarm in another region", moved("MetricAlarm", "features-copy-missing", HERE)),
    _("alarm of jobs in another region", moved("MetricAlarm", "backup-missing", AWAY)),
    _("alarm to a topic of another region", link("MetricAlarm", "backup-missing", "alarmActions", ("Topic", "alerts-away"))),
    _("nobody hears", drop("TopicSubscription", "email")),
    _("nobody hears from away", drop("TopicSubscription", "email-away")),
    _("hears a part", put("TopicSubscription", "email", ("filterPolicy", '{"severity": ["high"]}'))),
    _("hears a part from away", put("TopicSubscription", "email-away", ("filterPolicy", '{"AlarmName": ["x"]}'), ("filterPolicyScope", "MessageBody"))),
    _("the topic denies alarms", inside("TopicPolicy", "alerts-away", "policy", ("Statement.+", {"Effect": "Deny", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*"}))),
    _("the topic knows no alarm", inside("TopicPolicy", "alerts-away", "policy", ("Statement.0", GONE))),
    _("the topic knows another account's alarms", inside("TopicPolicy", "alerts", "policy", ("Statement.0.Condition.StringEquals", {"aws:SourceAccount": OTHER}))),
    _("the topic knows another region's alarms", inside("TopicPolicy", "alerts-away", "policy", ("Statement.0.Condition.ArnLike", {"aws:SourceArn": f"arn:aws:cloudwatch:{HERE}:{OWN}:alarm:*"}))),
    _("alarms may not use the topic's key", inside("Key", "recovery", "policy", ("Statement.1", GONE))),
    _("alarms may not use the near topic's key", inside("Key", "data", "policy", ("Statement.1", GONE))),
    _("the topic has AWS's key", both(link("Topic", "alerts", "kmsMasterKeyId"), put("Topic", "alerts", ("kmsMasterKeyId", "alias/aws/sns")))),
)  # fmt: skip
EVENTS = (
    *(_(f"event {name} is off", put("EventRule", name, ("state", "DISABLED"))) for name in ("copy-arrived", "copy-arrived-here", "key-at-risk", "key-at-risk-here")),
    *(_(f"event {name} leads nowhere", drop("EventTarget", name)) for name in ("copy-arrived-here", "key-at-risk-here")),
    *(_(f"no event {name}", drop("EventRule", name)) for name in ("copy-arrived", "copy-arrived-here", "key-at-risk", "key-at-risk-here")),
    _("event by an old switch", put("EventRule", "copy-arrived", ("isEnabled", False))),
    _("event of failed copies", inside("EventRule", "copy-arrived", "eventPattern", ("detail.state", ["FAILED"]))),
    _("event of every copy's state", inside("EventRule", "copy-arrived", "eventPattern", ("detail.state", GONE))),
    _("event of another vault", inside("EventRule", "copy-arrived", "eventPattern", ("detail.destinationBackupVaultArn", ["arn:aws:backup:eu-north-1:333344445555:backup-vault:x"]))),
    _("event of another source", inside("EventRule", "copy-arrived", "eventPattern", ("source", ["aws.s3"]))),
    _("event of other copies", inside("EventRule", "copy-arrived-here", "eventPattern", ("detail-type", ["Backup Job State Change"]))),
    _("event of one risk", inside("EventRule", "key-at-risk", "eventPattern", ("detail.eventName", ["DisableKey"]))),
    _("event of one risk here", inside("EventRule", "key-at-risk-here", "eventPattern", ("detail.eventName", ["DisableKey"]))),
    _("event to another bus", put("EventTarget", "copy-arrived-here", ("arn", f"arn:aws:events:{AWAY}:{OWN}:event-bus/other"))),
    _("event to the bus it comes from", put("EventTarget", "copy-arrived-here", ("arn", f"arn:aws:events:{HERE}:{OWN}:event-bus/default"))),
    _("event without a role", both(link("EventTarget", "copy-arrived-here", "roleArn"), put("EventTarget", "copy-arrived-here", ("roleArn", GONE)))),
    _("event with another's role", link("EventTarget", "copy-arrived-here", "roleArn", ("Role", "drill"))),
    _("event of something else made of it", put("EventTarget", "key-at-risk-here", ("input", "{}"))),
    _("who carries events may not", drop("RolePolicy", "carry-events-send")),
    _("who carries events carries them elsewhere", inside("RolePolicy", "carry-events-send", "policy", ("Statement.0.Resource", f"arn:aws:events:{HERE}:{OWN}:event-bus/default"))),
    _("who carries events is another service", inside("Role", "carry-events", "assumeRolePolicy", ("Statement.0.Principal.Service", "ec2.amazonaws.com"))),
    _("the far rule is near", moved("EventRule", "copy-arrived", HERE)),
    _("the trail is off", put("Trail", "data-events", ("enableLogging", False))),
    _("the trail knows no management", put("Trail", "data-events", ("advancedEventSelectors.2", GONE))),
    _("the trail knows one region", put("Trail", "data-events", ("isMultiRegionTrail", False))),
)  # fmt: skip
STANDBY = (
    _("no images away", drop("Repository", "serving-copy")),
    _("images expire", inside("LifecyclePolicy", "serving", "policy", ("rules.0.selection", {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}))),
    _("images away expire", inside("LifecyclePolicy", "serving-copy", "policy", ("rules.0.selection", {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}))),
    _("images go with their repository", put("Repository", "serving-copy", ("forceDelete", True))),
    _("the images' copy is near", moved("Repository", "serving-copy", HERE)),
    _("no standing network", drop("Vpc", "standby")),
    _("no standing subnets", drop("Subnet", "standby-eun1-az1")),
    _("no way to models away", drop("VpcEndpoint", "standby-s3")),
)  # fmt: skip
HARMFUL_WATCHED = (*BUCKETS, *REPLICATION, *ALARMS, *EVENTS, *STANDBY)
