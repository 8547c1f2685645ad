"""Single inputs that take a copy, or what is to be copied, out of reach without any rule on copies seeing it."""

from __future__ import annotations

from typing import Final

from policies.checks import ABSENT, all_of, equals, expect, failed, if_given, one_of, passed, read, shown
from policies.examples import Output, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import DYNAMODB_TABLE, GKE_BACKUP_PLAN, GKE_CLUSTER, REDIS, S3_BUCKET

family = Family("Details of recovery")

_TIERING: Final = "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration"
_VERSION: Final = "gcp:kms/cryptoKeyVersion:CryptoKeyVersion"
_EXPIRES: Final = "expires_at"
"""The one attribute in which writers of features say when a row may go (`docs` of the feature store)."""
_AGENT: Final = "addonsConfig.gkeBackupAgentConfig.enabled"
_NO_PLAN: Final = "nothing backs the cluster up"
_POLICIES: Final = ("noeviction", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl")
"""Policies that remove nothing but what was written to expire (Redis' page "Key eviction": believed, 2026-11-22)."""
_CP9: Final = {Framework.NIST_800_53: ("CP-9",)}


@family.rule(
    "aws-dynamodb-expires-by-word",
    Severity.HIGH,
    "Rows expire by the attribute that says when, and by no other",
    types=(DYNAMODB_TABLE,),
    rationale="By an attribute such as the time of writing every row is expired, and DynamoDB empties the table.",
    remedy='Let ttl.attributeName be "expires_at", or switch ttl off.',
    frameworks=_CP9,
    examples=lambda: examples(
        given(DYNAMODB_TABLE, {"ttl": {"enabled": True, "attributeName": _EXPIRES}}),
        broken={'ttl.attributeName is "updated_at"': put("ttl.attributeName", "updated_at")},
        accepted={"": drop("ttl")},
    ),
)
def aws_dynamodb_expires_by_word(table: Resource, _: Inventory) -> Judgement:
    if read(table, "ttl.enabled") is False or read(table, "ttl") is ABSENT:
        return passed()
    return equals(table, "ttl.attributeName", _EXPIRES)


@family.rule(
    "aws-s3-inputs-apart",
    Severity.HIGH,
    "What expires and what is copied is said beside the bucket, and not in it",
    types=(S3_BUCKET,),
    rationale="A lifecycle in the bucket's own inputs works beside the one that is judged, and undoes it at times.",
    remedy="Use BucketLifecycleConfiguration and BucketReplicationConfig.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "apart"}, "apart"),
        broken={
            'lifecycleRules is [{"enabled": true}]': put("lifecycleRules", [{"enabled": True}]),
            'replicationConfiguration is {"role": "x"}': put("replicationConfiguration", {"role": "x"}),
        },
    ),
)
def aws_s3_inputs_apart(bucket: Resource, _: Inventory) -> Judgement:
    paths = ("lifecycleRules", "replicationConfiguration")
    return all_of(
        failed(path, shown(read(bucket, path)), "a resource of its own, which other rules read")
        for path in paths
        if read(bucket, path) not in (ABSENT, [], {})
    )


@family.rule(
    "aws-s3-tiers-at-hand",
    Severity.HIGH,
    "No object is moved into an archive that takes hours to read",
    types=(_TIERING,),
    rationale="A restore within the recovery time objective cannot wait for an archive.",
    remedy="Leave the archive tiers out.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(_TIERING, {"bucket": "tiered", "status": "Disabled"}, "tiered"),
        broken={'status is "Enabled"': put("status", "Enabled"), "status is absent": drop("status")},
    ),
)
def aws_s3_tiers_at_hand(tiering: Resource, _: Inventory) -> Judgement:
    return equals(tiering, "status", "Disabled")


family.require(
    "gcp-kms-versions-on",
    Severity.HIGH,
    "Versions of keys are enabled",
    type=_VERSION,
    inputs={"state": ("ENABLED", "DISABLED")},
    safe_by_default=True,
    rationale="What is encrypted under a disabled version can be neither read nor restored.",
    remedy='Leave state out, or set it to "ENABLED".',
    frameworks=_CP9,
)


@family.rule(
    "gcp-redis-keeps-rows",
    Severity.HIGH,
    "Memorystore removes nothing that was not written to expire, and keeps a state of the last hours",
    types=(REDIS,),
    rationale="A store that evicts whatever it likes has nothing to export; one on a single zone falls with it.",
    remedy="Use a volatile eviction policy, snapshots each hour or six, and two zones.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(
            REDIS,
            {
                "memorySizeGb": 16,
                "redisConfigs": {"maxmemory-policy": "volatile-ttl", "maxmemory-gb": "12.8"},
                "locationId": "europe-west1-b",
                "alternativeLocationId": "europe-west1-c",
            },
            "keeps-rows",
        ),
        broken={
            'redisConfigs.maxmemory-policy is "allkeys-lru"': put("redisConfigs.maxmemory-policy", "allkeys-lru"),
            'redisConfigs.maxmemory-gb is "16"': put("redisConfigs.maxmemory-gb", "16"),
            'alternativeLocationId is "europe-west1-b"': put("alternativeLocationId", "europe-west1-b"),
            'persistenceConfig.rdbSnapshotPeriod is "TWENTY_FOUR_HOURS"': put(
                "persistenceConfig.rdbSnapshotPeriod", "TWENTY_FOUR_HOURS"
            ),
        },
        accepted={"": drop("redisConfigs")},
    ),
)
def gcp_redis_keeps_rows(store: Resource, _: Inventory) -> Judgement:
    policy, most, period = "redisConfigs.maxmemory-policy", "redisConfigs.maxmemory-gb", "rdbSnapshotPeriod"
    size, zone, other = read(store, "memorySizeGb"), read(store, "locationId"), "alternativeLocationId"
    period = f"persistenceConfig.{period}"
    return all_of(
        (
            if_given(store, policy, lambda: one_of(store, policy, _POLICIES)),
            if_given(
                store,
                most,
                lambda: expect(store, most, "at most nine tenths of it", lambda gib: float(gib) <= 0.9 * float(size)),
            ),
            if_given(store, period, lambda: one_of(store, period, ("ONE_HOUR", "SIX_HOURS"))),
            if_given(store, other, lambda: expect(store, other, "another zone", lambda found: found != zone)),
        )
    )


@family.rule(
    "gcp-gke-backup-agent-on",
    Severity.HIGH,
    "A cluster that is backed up runs the agent that does it",
    types=(GKE_CLUSTER,),
    rationale="A backup plan of a cluster without the agent makes backups that fail.",
    remedy="Set addonsConfig.gkeBackupAgentConfig.enabled.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(GKE_CLUSTER, {_AGENT: True}),
        given(GKE_BACKUP_PLAN, {"cluster": Output(GKE_CLUSTER)}),
        broken={f"{_AGENT} is false": put(_AGENT, False), f"{_AGENT} is absent": drop("addonsConfig")},
        accepted={_NO_PLAN: without(GKE_BACKUP_PLAN)},
    ),
)
def gcp_gke_backup_agent_on(cluster: Resource, inventory: Inventory) -> Judgement:
    if not any(inventory.of_type(GKE_BACKUP_PLAN)):
        return passed(_NO_PLAN)
    return equals(cluster, _AGENT, True)
