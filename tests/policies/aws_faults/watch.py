"""Harmful edits of what watches over the stack on AWS: trails, logs, alarms, names."""

from __future__ import annotations

from policies.inventory import UNKNOWN
from tests.policies.aws_faults.documents import (
    AUDIT,
    HERE,
    LOGS,
    OTHER,
    OWN,
    ROLES,
    allow,
    text,
)  # fmt: skip
from tests.policies.reach.planting import GONE, Change, To, add, edit, remove, several

TRAIL = "cloudtrail/trail:Trail"
ALARM = "metricAlarm:MetricAlarm"


HARMFUL: dict[str, tuple[str, Change]] = {
    # the trail and logs
    "the trail is off": ("aws-calls-logged-where-matched", edit(TRAIL, "enableLogging", False, "data-events")),
    "the trail sees one region": (
        "aws-calls-logged-where-matched",
        edit(TRAIL, "isMultiRegionTrail", False, "data-events"),
    ),
    "the trail is not signed": ("aws-trail-verifiable", edit(TRAIL, "enableLogFileValidation", False, "data-events")),
    "the trail goes elsewhere": ("", edit(TRAIL, "s3BucketName", "elsewhere", "data-events")),
    "the trail goes to the access logs": (
        "aws-audit-records-locked",
        edit(TRAIL, "s3BucketName", LOGS, "data-events"),
    ),
    "the trail's key is gone": ("aws-trail-customer-key", edit(TRAIL, "kmsKeyId", GONE, "data-events")),
    "the trail leaves global services out": ("", edit(TRAIL, "includeGlobalServiceEvents", False, "data-events")),
    "the trail sees no data": (
        "aws-dynamodb-data-events",
        edit(TRAIL, "advancedEventSelectors", GONE, "data-events"),
    ),
    "the trail sees no management": (
        "aws-calls-logged-where-matched",
        edit(TRAIL, "advancedEventSelectors.2.fieldSelectors.0.equals", ["Insight"], "data-events"),
    ),
    "the trail sees reads of management alone": (
        "aws-calls-logged-where-matched",
        edit(TRAIL, "advancedEventSelectors.2.fieldSelectors.1.equals", ["true"], "data-events"),
    ),
    "the trail sees no reads of models": (
        "aws-s3-data-events",
        edit(
            TRAIL,
            "advancedEventSelectors.0.fieldSelectors.3",
            {"field": "readOnly", "equals": ["false"]},
            "data-events",
        ),
    ),
    "the trail sees another bucket": (
        "aws-s3-data-events",
        edit(TRAIL, "advancedEventSelectors.0.fieldSelectors.2.startsWiths", ["arn:aws:s3:::x/"], "data-events"),
    ),
    "the trail leaves one user out": (
        "aws-s3-data-events",
        edit(
            TRAIL,
            "advancedEventSelectors.0.fieldSelectors.3",
            {"field": "userIdentity.arn", "notEquals": [f"{ROLES}/intern"]},
            "data-events",
        ),
    ),
    "the trail leaves keys out": (
        "aws-calls-logged-where-matched",
        edit(
            TRAIL,
            "advancedEventSelectors.2.fieldSelectors.2",
            {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]},
            "data-events",
        ),
    ),
    "no trail": ("aws-calls-logged-where-matched", remove(TRAIL, "data-events")),
    "flow logs go elsewhere": (
        "aws-flow-logs-whole",
        edit("ec2/flowLog:FlowLog", "logDestination", "arn:aws:s3:::elsewhere"),
    ),
    "logs are kept for a day in the group": (
        "aws-logs-retained",
        edit("logGroup:LogGroup", "retentionInDays", 1, "control-plane"),
    ),
    "logs are kept without a key": (
        "aws-logs-customer-key",
        edit("logGroup:LogGroup", "kmsKeyId", GONE, "control-plane"),
    ),
    "logs may be deleted": (
        "state-protected",
        edit("logGroup:LogGroup", "deletionProtectionEnabled", False, "control-plane"),
    ),
    "logs are of the rare class": ("", edit("logGroup:LogGroup", "logGroupClass", "DELIVERY", "control-plane")),
    "logs of another name": ("", edit("logGroup:LogGroup", "name", "/aws/eks/x/cluster", "control-plane")),
    "a new log group without an end": (
        "aws-logs-customer-key",
        add("aws:cloudwatch/logGroup:LogGroup", {"name": "x"}),
    ),
    "logs lose what they show": (
        "seawall-type-judged",
        add(
            "aws:cloudwatch/logTransformer:LogTransformer",
            {
                "logGroupArn": f"arn:aws:logs:{HERE}:{OWN}:log-group:x",
                "transformerConfigs": [{"deleteKeys": {"withKeys": ["user"]}}],
            },
        ),
    ),
    "the guard is off": ("seawall-type-judged", add("aws:guardduty/detector:Detector", {"enable": False})),
    "the guard ignores some": (
        "seawall-type-judged",
        add(
            "aws:guardduty/filter:Filter",
            {
                "action": "ARCHIVE",
                "detectorId": "x",
                "rank": 1,
                "name": "x",
                "findingCriteria": {"criterions": [{"field": "severity", "greaterThanOrEqual": "1"}]},
            },
        ),
    ),
    "the guard trusts addresses": (
        "seawall-type-judged",
        add(
            "aws:guardduty/iPSet:IPSet",
            {"activate": True, "detectorId": "x", "format": "TXT", "location": "s3://x/y"},
        ),
    ),
    "the recorder is off": (
        "seawall-type-judged",
        add("aws:cfg/recorderStatus:RecorderStatus", {"name": "x", "isEnabled": False}),
    ),
    "analysis archives findings": (
        "seawall-type-judged",
        add(
            "aws:accessanalyzer/archiveRule:ArchiveRule",
            {"analyzerName": "x", "ruleName": "x", "filters": [{"criteria": "isPublic", "eqs": ["true"]}]},
        ),
    ),
    # alarms
    "an alarm is mute": ("aws-alarms-ring", edit(ALARM, "actionsEnabled", False, "backup-failed")),
    "an alarm rings nobody": ("aws-alarms-ring", edit(ALARM, "alarmActions", [], "backup-missing")),
    "an alarm rings elsewhere": (
        "aws-names-own-account",
        edit(ALARM, "alarmActions", [f"arn:aws:sns:{HERE}:{OTHER}:x"], "backup-failed"),
    ),
    "an alarm waits for a million": (
        "aws-recovery-alarms-in-time",
        edit(ALARM, "threshold", 1000000, "backup-failed"),
    ),
    "an alarm waits for a month": (
        "aws-recovery-alarms-in-time",
        edit(ALARM, "evaluationPeriods", 700, "backup-missing"),
    ),
    "an alarm takes silence as fine": (
        "aws-recovery-alarms-in-time",
        edit(ALARM, "treatMissingData", "notBreaching", "backup-missing"),
    ),
    "an alarm turns around": (
        "aws-recovery-alarms-in-time",
        edit(ALARM, "comparisonOperator", "LessThanThreshold", "backup-failed"),
    ),
    "an alarm looks at another vault": (
        "aws-recovery-alarms-there",
        edit(ALARM, "dimensions", {"BackupVaultName": "x"}, "backup-failed"),
    ),
    "an alarm looks at another number": (
        "aws-recovery-alarms-there",
        edit(ALARM, "metricName", "NumberOfBackupJobsCreated", "backup-failed"),
    ),
    "an alarm takes the least": (
        "aws-recovery-alarms-in-time",
        edit(ALARM, "statistic", "Minimum", "replication-late"),
    ),
    "an alarm is gone": ("aws-recovery-alarms-there", remove(ALARM, "backup-failed")),
    "all alarms are gone": ("aws-copies-watched", several(*(remove(ALARM) for _ in range(10)))),
    "the keys' alarm is gone": ("aws-key-events-reach-alarm", remove(ALARM, "key-at-risk")),
    "the copies' alarm is gone": ("aws-s3-replication-watched", remove(ALARM, "replication-failed")),
    "nobody is told": ("aws-alarms-heard", remove("topicSubscription:TopicSubscription", "email")),
    "nobody is told of what matters": (
        "aws-alarms-heard",
        edit("topicSubscription:TopicSubscription", "filterPolicy", '{"x": ["y"]}', "email"),
    ),
    "the keys' events are switched off": (
        "aws-event-rules-on",
        edit("eventRule:EventRule", "state", "DISABLED", "key-at-risk"),
    ),
    "the keys' events are others": (
        "aws-keys-watched",
        edit("eventRule:EventRule", "eventPattern", '{"source": ["aws.ec2"]}', "key-at-risk"),
    ),
    "the keys' deletion is not seen": (
        "aws-keys-watched",
        edit(
            "eventRule:EventRule",
            "eventPattern",
            '{"source": ["aws.kms"], "detail-type": '
            '["AWS API Call via CloudTrail"], "detail": {"eventSource": ["kms.amazonaws.com"], '
            '"eventName": ["DisableKey"]}}',
            "key-at-risk",
        ),
    ),
    "the keys' events are not carried": ("aws-event-rules-on", remove("eventTarget:EventTarget", "key-at-risk-here")),
    "the topic is in plain text": ("aws-sns-customer-key", edit("sns/topic:Topic", "kmsMasterKeyId", GONE, "alerts")),
    "the topic's key is AWS'": (
        "aws-sns-customer-key",
        edit("sns/topic:Topic", "kmsMasterKeyId", "alias/aws/sns", "alerts"),
    ),
    "a budget that tells nobody": (
        "",
        add(
            "aws:budgets/budget:Budget",
            {
                "budgetType": "COST",
                "limitAmount": "1",
                "limitUnit": "USD",
                "timeUnit": "MONTHLY",
                "notifications": [],
            },
        ),
    ),
    "a budget acts as an administrator": (
        "seawall-type-judged",
        add(
            "aws:budgets/budgetAction:BudgetAction",
            {
                "actionType": "APPLY_IAM_POLICY",
                "approvalModel": "AUTOMATIC",
                "budgetName": "x",
                "executionRoleArn": f"{ROLES}/platform-admin",
                "notificationType": "ACTUAL",
                "definition": {
                    "iamActionDefinition": {
                        "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
                        "roles": ["seawall-prod-fleet"],
                    }
                },
            },
        ),
    ),
    # names
    "a zone without signatures": (
        "aws-no-public-address",
        add("aws:route53/zone:Zone", {"name": "models.example.com"}),
    ),
    "a zone whose signing is off": (
        "aws-no-public-address",
        several(
            add("aws:route53/zone:Zone", {"name": "models.example.com"}),
            add(
                "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec",
                {"hostedZoneId": To("route53/zone:Zone", "planted"), "signingStatus": "NOT_SIGNING"},
                "sec",
            ),
        ),
    ),
    "a zone that goes with its names": (
        "aws-no-public-address",
        add("aws:route53/zone:Zone", {"name": "models.example.com", "forceDestroy": True}),
    ),
    "a zone for another account's network": (
        "seawall-type-judged",
        add("aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization", {"vpcId": "vpc-1", "zoneId": "Z"}),
    ),
    "a name that dangles": (
        "seawall-type-judged",
        add(
            "aws:route53/record:Record",
            {
                "name": "x",
                "type": "CNAME",
                "zoneId": "Z",
                "records": ["x.s3-website.eu-central-1.amazonaws.com"],
                "ttl": 60,
            },
        ),
    ),
    "queries are answered elsewhere": (
        "seawall-type-judged",
        add(
            "aws:route53/resolverRule:ResolverRule",
            {"domainName": "amazonaws.com", "ruleType": "FORWARD", "targetIps": [{"ip": "198.51.100.7"}]},
        ),
    ),
    "a bucket of nothing": ("aws-s3-access-logged", add("aws:s3/bucket:Bucket", {"bucket": "x"})),
    "a bucket's policy is hidden": (
        "aws-resource-policy-no-deputy",
        edit("s3/bucketPolicy:BucketPolicy", "policy", UNKNOWN, "models"),
    ),
    "a copy without the replica": ("aws-data-stays-in-account", remove("s3/bucket:Bucket", "replica")),
    "the trail's bucket takes of any trail": (
        "aws-resource-policy-no-deputy",
        edit(
            "s3/bucketPolicy:BucketPolicy",
            "policy",
            text(allow("s3:PutObject", f"arn:aws:s3:::{AUDIT}/*", Principal={"Service": "cloudtrail.amazonaws.com"})),
            "audit",
        ),
    ),
}

HARMLESS: dict[str, Change] = {}
