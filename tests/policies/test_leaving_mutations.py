"""Edits of the real production plans that lead data elsewhere by configuration: each is found, no harmless one is."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from policies.inventory import Inventory, Resource
from tests.policies.finding import found

OWN, OTHER, PROJECT = "333344445555", "999988887777", "acme-serving-prod"
HERE, AWAY = "eu-central-1", "eu-north-1"
MODELS = f"seawall-prod-models-{OWN}-{HERE}"


def _new(token: str, inputs: dict[str, Any]) -> Resource:
    return Resource(
        urn=f"urn:pulumi:prod::seawall::{token}::new", type=token, name="new", custom=True, inputs=inputs, region=HERE
    )


def _first(inventory: Inventory, token: str) -> Resource:
    return next(inventory.of_type(token))


def _edited(inventory: Inventory, token: str, change: str, value: Any) -> Resource:
    """The first resource of a type, with one value at a dotted path."""
    resource = _first(inventory, token)
    inputs = json.loads(json.dumps(resource.inputs))
    node: Any = inputs
    *way, last = change.split(".")
    for part in way:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    if isinstance(node, list):
        node.insert(int(last), value)
    else:
        node[last] = value
    return replace(resource, inputs=inputs)


def _copies(account: str, region: str) -> dict[str, Any]:
    return {"replicationConfiguration": {"rules": [{"destinations": [{"region": region, "registryId": account}]}]}}


STREAM, BUS = "arn:aws:kinesis:{}:{}:stream/x".format, "arn:aws:events:{}:{}:event-bus/default".format
FILTER = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
MRAP = "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"
FIREHOSE = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
HARMFUL_AWS = {
    "ecr to another account": ("aws:ecr/replicationConfiguration:ReplicationConfiguration", _copies(OTHER, AWAY)),
    "ecr to another region": ("aws:ecr/replicationConfiguration:ReplicationConfiguration", _copies(OWN, "us-east-1")),
    "logs to another account": (FILTER, {"destinationArn": STREAM(HERE, OTHER), "logGroup": "x"}),
    "log destination": ("aws:cloudwatch/logDestination:LogDestination", {"targetArn": STREAM(HERE, OTHER)}),
    "metrics": ("aws:cloudwatch/metricStream:MetricStream", {"firehoseArn": f"arn:aws:firehose:{HERE}:{OTHER}:x/y"}),
    "events to another bus": ("aws:cloudwatch/eventTarget:EventTarget", {"arn": BUS(HERE, OTHER), "rule": "x"}),
    "events to an address": (
        "aws:cloudwatch/eventApiDestination:EventApiDestination", {"invocationEndpoint": "https://elsewhere.example"}
    ),
    "table's stream": (
        "aws:dynamodb/kinesisStreamingDestination:KinesisStreamingDestination", {"streamArn": STREAM(HERE, OTHER)}
    ),
    "table's export": (
        "aws:dynamodb/tableExport:TableExport", {"s3Bucket": "elsewhere", "tableArn": "x", "s3BucketOwner": OTHER}
    ),
    "table's export by name": ("aws:dynamodb/tableExport:TableExport", {"s3Bucket": "elsewhere", "tableArn": "x"}),
    "topic to an address": (SUBSCRIPTION, {"protocol": "https", "endpoint": "https://elsewhere.eu", "topic": "x"}),
    "topic in plain text": (SUBSCRIPTION, {"protocol": "http", "endpoint": "http://elsewhere.eu", "topic": "x"}),
    "topic to a stranger": (SUBSCRIPTION, {"protocol": "email", "endpoint": "x@elsewhere.example", "topic": "x"}),
    "topic to another queue": (
        SUBSCRIPTION, {"protocol": "sqs", "endpoint": f"arn:aws:sqs:{HERE}:{OTHER}:q", "topic": "x"}
    ),
    "firehose to an address": (FIREHOSE, {"destination": "http_endpoint", "httpEndpointConfiguration": {"url": "x"}}),
    "firehose to a bucket": (FIREHOSE, {"extendedS3Configuration": {"bucketArn": "arn:aws:s3:::elsewhere"}}),
    "inventory": (
        "aws:s3/inventory:Inventory",
        {"bucket": MODELS, "destination": {"bucket": {"bucketArn": "arn:aws:s3:::elsewhere", "format": "CSV"}}},
    ),
    "access point of another account": (
        "aws:s3/accessPoint:AccessPoint", {"bucket": MODELS, "accountId": OTHER}
    ),
    "access point of the public": (
        "aws:s3/accessPoint:AccessPoint",
        {"bucket": MODELS, "publicAccessBlockConfiguration": {"blockPublicPolicy": False}},
    ),
    "many regions": (MRAP, {"details": {"regions": [{"bucket": "elsewhere"}]}}),
    "many regions, another account": (MRAP, {"details": {"regions": [{"bucket": MODELS, "bucketAccountId": OTHER}]}}),
    "many regions, public": (
        MRAP, {"details": {"regions": [{"bucket": MODELS}], "publicAccessBlock": {"restrictPublicBuckets": False}}}
    ),
    "observability": ("aws:oam/link:Link", {"sinkIdentifier": f"arn:aws:oam:{HERE}:{OTHER}:sink/x"}),
    "a pipe": ("aws:pipes/pipe:Pipe", {"source": "x", "target": BUS(HERE, OTHER)}),
    "a schedule": ("aws:scheduler/schedule:Schedule", {"target": {"arn": STREAM(HERE, OTHER)}}),
    "a function's URL": (
        "aws:lambda/functionUrl:FunctionUrl", {"authorizationType": "NONE", "functionName": "x"}
    ),
    "a public registry": ("aws:ecrpublic/repository:Repository", {"repositoryName": "serving"}),
    "a website": ("aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration", {"bucket": MODELS}),
    "a public ACL": ("aws:s3/bucketAcl:BucketAcl", {"bucket": MODELS, "acl": "public-read"}),
    "an ACL for all of AWS": ("aws:s3/bucketAcl:BucketAcl", {"bucket": MODELS, "acl": "authenticated-read"}),
    "an ACL for another account": (
        "aws:s3/bucketAcl:BucketAcl", {"bucket": MODELS, "accessControlPolicy": {"grants": [{"permission": "READ"}]}}
    ),
    "a public object": ("aws:s3/bucketObjectv2:BucketObjectv2", {"bucket": MODELS, "key": "x", "acl": "public-read"}),
}  # fmt: skip
HARMLESS_AWS = {
    "ecr to the backup region": ("aws:ecr/replicationConfiguration:ReplicationConfiguration", _copies(OWN, AWAY)),
    "logs to the own stream": (FILTER, {"destinationArn": STREAM(HERE, OWN), "logGroup": "x"}),
    "events to the own bus": ("aws:cloudwatch/eventTarget:EventTarget", {"arn": BUS(HERE, OWN), "rule": "x"}),
    "topic to the own queue": (
        SUBSCRIPTION, {"protocol": "sqs", "endpoint": f"arn:aws:sqs:{HERE}:{OWN}:q", "topic": "x"}
    ),
    "topic to the settings' address": (
        SUBSCRIPTION, {"protocol": "email", "endpoint": "ml-platform@example.com", "topic": "x"}
    ),
    "table's export": ("aws:dynamodb/tableExport:TableExport", {"s3Bucket": MODELS, "tableArn": "x"}),
    "a private ACL": ("aws:s3/bucketAcl:BucketAcl", {"bucket": MODELS, "acl": "private"}),
}  # fmt: skip


@pytest.mark.parametrize("case", HARMFUL_AWS.values(), ids=HARMFUL_AWS)
def test_what_leads_data_out_of_the_account_isfound(plans: dict[str, Inventory], case: tuple[str, Any]) -> None:
    assert found(plans["prod-aws"], _new(*case))


@pytest.mark.parametrize("case", HARMLESS_AWS.values(), ids=HARMLESS_AWS)
def test_what_stays_in_the_account_is_not(plans: dict[str, Inventory], case: tuple[str, Any]) -> None:
    assert found(plans["prod-aws"], _new(*case)) == []


EDITED_AWS = (
    ("aws:s3/bucketReplicationConfig:BucketReplicationConfig", "rules.0.destination.account", OTHER),
    (
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "rules.0.destination.bucket",
        "arn:aws:s3:::elsewhere",
    ),
    (
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "rules.1",
        {"status": "Enabled", "destination": {"bucket": "arn:aws:s3:::elsewhere"}},
    ),
    (
        "aws:backup/plan:Plan",
        "rules.0.copyActions.1",
        {"destinationVaultArn": f"arn:aws:backup:{AWAY}:{OTHER}:backup-vault:x"},
    ),
    ("aws:cloudwatch/eventTarget:EventTarget", "arn", BUS(HERE, OTHER)),
    ("aws:cloudwatch/eventTarget:EventTarget", "deadLetterConfig.arn", f"arn:aws:sqs:{HERE}:{OTHER}:q"),
    ("aws:sns/topicSubscription:TopicSubscription", "endpoint", "x@elsewhere.example"),
    ("aws:s3/bucket:Bucket", "acl", "public-read-write"),
)


@pytest.mark.parametrize(("token", "path", "value"), EDITED_AWS)
def test_an_edit_that_leads_data_out_of_the_account_isfound(
    plans: dict[str, Inventory], token: str, path: str, value: Any
) -> None:
    assert found(plans["prod-aws"], _edited(plans["prod-aws"], token, path, value))


TOPIC = "projects/elsewhere/topics/x"
PUSHED = "gcp:pubsub/subscription:Subscription"
HARMFUL_GCP = {
    **{
        f"a {kind} to {place}": (f"gcp:logging/{kind}Sink:{kind.title()}Sink", {"destination": place})
        for kind in ("project", "folder", "organization")
        for place in (
            "logging.googleapis.com/projects/elsewhere/locations/global/buckets/x",
            "storage.googleapis.com/elsewhere",
            "bigquery.googleapis.com/projects/elsewhere/datasets/x",
            f"pubsub.googleapis.com/{TOPIC}",
        )
    },
    "a push endpoint": (PUSHED, {"topic": "x", "pushConfig": {"pushEndpoint": "https://elsewhere.example"}}),
    "a table elsewhere": (PUSHED, {"topic": "x", "bigqueryConfig": {"table": "elsewhere.set.table"}}),
    "a bucket elsewhere": (PUSHED, {"topic": "x", "cloudStorageConfig": {"bucket": "elsewhere"}}),
    "a dead letter elsewhere": (PUSHED, {"topic": "x", "deadLetterPolicy": {"deadLetterTopic": TOPIC}}),
    "a notification": ("gcp:storage/notification:Notification", {"bucket": "x", "topic": TOPIC}),
    "a transfer": (
        "gcp:storage/transferJob:TransferJob", {"transferSpec": {"gcsDataSink": {"bucketName": "elsewhere"}}}
    ),
    "a replication": (
        "gcp:storage/transferJob:TransferJob", {"replicationSpec": {"gcsDataSink": {"bucketName": "elsewhere"}}}
    ),
    "a transfer to a machine": (
        "gcp:storage/transferJob:TransferJob", {"transferSpec": {"posixDataSink": {"rootDirectory": "/x"}}}
    ),
    "a job's address": ("gcp:cloudscheduler/job:Job", {"httpTarget": {"uri": "https://elsewhere.example/x"}}),
    "a job's topic": ("gcp:cloudscheduler/job:Job", {"pubsubTarget": {"topicName": TOPIC}}),
    "an export": (
        "gcp:cloudscheduler/job:Job",
        {
            "httpTarget": {
                "uri": f"https://firestore.googleapis.com/v1/projects/{PROJECT}/databases/x:exportDocuments",
                "body": base64.b64encode(json.dumps({"outputUriPrefix": "gs://elsewhere/x"}).encode()).decode(),
            }
        },
    ),
    **{
        f"{kind} for {who}": (f"gcp:storage/{kind}:{kind[0].upper()}{kind[1:]}", {"bucket": "x", "entity": who})
        for kind in ("bucketAccessControl", "defaultObjectAccessControl", "objectAccessControl")
        for who in ("allUsers", "allAuthenticatedUsers", "user-x@example.com")
    },
    **{
        f"{kind} for all": (f"gcp:storage/{kind}:{kind[0].upper()}{kind[1:]}", {"bucket": "x", **acl})
        for kind in ("bucketACL", "objectACL")
        for acl in ({"roleEntities": ["READER:allUsers"]}, {"predefinedAcl": "publicRead"})
    },
}  # fmt: skip


@pytest.mark.parametrize("case", HARMFUL_GCP.values(), ids=HARMFUL_GCP)
def test_what_leads_data_out_of_the_project_isfound(plans: dict[str, Inventory], case: tuple[str, Any]) -> None:
    assert found(plans["prod-gcp"], _new(*case))


HARMLESS_GCP = {
    "a sink to a bucket of the project": (
        "gcp:logging/projectSink:ProjectSink",
        {"destination": f"logging.googleapis.com/projects/{PROJECT}/locations/global/buckets/x"},
    ),
    "a table of the project": (PUSHED, {"topic": "x", "bigqueryConfig": {"table": f"{PROJECT}.set.table"}}),
    "a notification": ("gcp:storage/notification:Notification", {"bucket": "x", "topic": f"projects/{PROJECT}/x/y"}),
}


@pytest.mark.parametrize("case", HARMLESS_GCP.values(), ids=HARMLESS_GCP)
def test_what_stays_in_the_project_is_not(plans: dict[str, Inventory], case: tuple[str, Any]) -> None:
    assert found(plans["prod-gcp"], _new(*case)) == []
