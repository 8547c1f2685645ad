"""ElastiCache for Valkey: TLS, passwords made by IAM, and a global datastore with snapshots in both regions.

Sources, read 2026-11-21: ElastiCache's page "Authenticating with IAM" (TLS needed, name equal to id, a token lives
15 minutes, a connection 12 hours); "Prerequisites and limitations" of global datastores (same node type everywhere,
none older than M5 and R5); terraform-provider-aws' schema of
`aws_elasticache_replication_group` (a secondary takes engine, node type and encryption from its primary and refuses
them as inputs; snapshots are kept for at most 35 days) and issue 41713 (it may plan another engine for a secondary:
hence `ignore_changes`). Believed: no failover between regions by itself; a Valkey user group needs no user named
"default"; a secondary takes a user group and a snapshot retention of its own; a change of the node type goes through
the global datastore alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.alarms import Alarm, silent
from components.aws.documents import Statement, allow
from components.aws.events import EventPattern
from components.aws.feature_store.kind import Recovery
from components.contracts import serving
from components.contracts.backup import BackupSpec
from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.feature_store import (
    VALKEY_SNAPSHOT_DAYS_MAX,
    FeatureStoreKind,
    FeatureStoreRef,
    ValkeySpec,
)
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeyRef, KeysRef, NetworkRef, StandbyRef
from components.contracts.stateful import CopiedBy, NotCopied, Stateful

FEATURES: Final = Stateful("the features of every entity", CopiedBy.GLOBAL_DATASTORE)
COPY: Final = Stateful("the features of every entity, in the backup region", NotCopied("it is the copy"))

NAME_MAX: Final = 40
ENGINE: Final = "valkey"
ENGINE_VERSION: Final = "8.0"
PORT: Final = 6379
SNAPSHOT_WINDOW: Final = "01:00-02:00"
MAINTENANCE_WINDOW: Final = "sun:03:00-sun:04:00"
MEMORY_PERCENT_MAX: Final = 80.0
LAG_MINUTES_MAX: Final = 5
NODES: Final = 2
"""In each region: a primary and, in another zone, what takes over from it."""

READER: Final = f"on ~{serving.ROW_KEY_PREFIX}* -@all +mget +pttl +ping"
"""What the fleet may do, as an ACL."""
WRITER: Final = f"on ~{serving.ROW_KEY_PREFIX}* -@all +@read +set +del +expireat +scan +ping"
"""What a feature pipeline may do."""

RESERVED_PERCENT: Final = 25
"""`reserved-memory-percent` of the default parameters: kept back for snapshots and failover (ElastiCache's page
"Managing reserved memory", read 2026-11-21)."""
NODE_TYPES: Final[Mapping[str, float]] = {
    "cache.m7g.large": 6.38,
    "cache.r7g.large": 13.07,
    "cache.r7g.xlarge": 26.32,
    "cache.r7g.2xlarge": 52.82,
    "cache.r7g.4xlarge": 105.81,
    "cache.r7g.8xlarge": 209.55,
    "cache.r7g.12xlarge": 317.77,
    "cache.r7g.16xlarge": 419.09,
}
"""Node types that a global datastore takes, smallest first → memory in GiB (believed)."""


def node_type(memory_gib: int) -> str:
    """The smallest node that has room for `memory_gib` of rows.

    Raises:
        ValueError: no node has.
    """
    for name, memory in NODE_TYPES.items():
        if memory * (100 - RESERVED_PERCENT) / 100 >= memory_gib:
            return name
    raise ValueError(f"no node type holds {memory_gib} GiB of features; lower feature_store.memory_gib")


@dataclass(frozen=True)
class _Site:
    """A region's half of the store: where its nodes stand, and who may use them."""

    region: str
    key: KeyRef
    purpose: str
    subnet_group: aws.elasticache.SubnetGroup
    security_group: aws.ec2.SecurityGroup
    users: aws.elasticache.UserGroup


def make(
    parent: Component, place: Place, spec: ValkeySpec, network: NetworkRef, standby: StandbyRef, keys: KeysRef
) -> FeatureStoreRef:
    """A group of nodes that the private network reaches, and another in the backup region that nothing reaches.

    The group far away takes every write within seconds, mistakes too: against those are the daily snapshots of both.
    """
    nodes = node_type(spec.memory_gib)
    here = _site(parent, place, keys.data, "features", network.managed_services_ready, network.store_subnet_ids)
    rule = aws.vpc.SecurityGroupIngressRule(
        "features-valkey",
        security_group_id=here.security_group.id,
        description="Feature look-ups from the private network",
        cidr_ipv4=network.cidr,
        ip_protocol="tcp",
        from_port=PORT,
        to_port=PORT,
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    kept = parent.keep(
        aws.elasticache.ReplicationGroup, here.purpose, FEATURES, place, ignore_changes=("nodeType", "engineVersion")
    )
    primary = aws.elasticache.ReplicationGroup(
        kept.name,
        replication_group_id=group_name(place, here.purpose),
        description=f"{place.stack}: features",
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        node_type=nodes,
        num_cache_clusters=NODES,
        automatic_failover_enabled=True,
        multi_az_enabled=True,
        port=PORT,
        subnet_group_name=here.subnet_group.name,
        security_group_ids=[here.security_group.id],
        user_group_ids=[here.users.user_group_id],
        transit_encryption_enabled=True,
        transit_encryption_mode="required",
        at_rest_encryption_enabled=True,
        kms_key_id=keys.data.id,
        snapshot_retention_limit=VALKEY_SNAPSHOT_DAYS_MAX,
        snapshot_window=SNAPSHOT_WINDOW,
        maintenance_window=MAINTENANCE_WINDOW,
        final_snapshot_identifier=_final_snapshot(place, here.purpose, kept.protected),
        tags=place.labels,
        opts=kept.options,
    )
    far = _far_copy(parent, place, spec, standby, keys, primary, nodes)
    name = group_name(place, here.purpose)
    return FeatureStoreRef(
        kind=FeatureStoreKind.VALKEY,
        name=name,
        region=place.region,
        id=ready(name, primary, rule, far),
        gib=spec.gib,
        environment={
            serving.FEATURES_HOST: primary.primary_endpoint_address,
            serving.FEATURES_PORT: str(PORT),
            serving.FEATURES_REGION: place.region,
            serving.FEATURES_GROUP: name,
            serving.FEATURES_USER: user_name(place, "features", "reader"),
            **spec.lookup_variables,
        },
        writer=user_name(place, "features", "writer"),
        doors=(Door(network.store_cidr, PORT),),
    )


def group_name(place: Place, purpose: str) -> str:
    """The id of the group of nodes `features`, or of `features-recovery`, in the backup region."""
    return place.name(purpose, max_length=NAME_MAX)


def user_name(place: Place, purpose: str, role: str) -> str:
    """The id and the name of a group's user, who is a `reader` or a `writer`."""
    return place.name(f"{purpose}-{role}", max_length=NAME_MAX)


def reading(place: Place, ref: FeatureStoreRef) -> Sequence[Statement]:
    """Connections to this group as the user that reads; ElastiCache decrypts in its own name."""
    return (_connecting("LookUpFeatures", place, ref, "reader"),)


def writing(place: Place, ref: FeatureStoreRef) -> Sequence[Statement]:
    """Connections to this group as the user that writes."""
    return (_connecting("WriteFeatures", place, ref, "writer"),)


def _connecting(sid: str, place: Place, ref: FeatureStoreRef, role: str) -> Statement:
    arn = f"arn:aws:elasticache:{place.region}:{place.account}"
    users = f"{arn}:user:{user_name(place, 'features', role)}"
    return allow(sid, ["elasticache:Connect"], [f"{arn}:replicationgroup:{ref.name}", users])


def back_up(parent: Component, place: Place, spec: BackupSpec, ref: FeatureStoreRef, keys: KeysRef) -> Recovery:
    """Nothing more to make: the group in the backup region makes daily snapshots of its own."""
    del parent, spec, keys
    vault = group_name(place, "features-recovery")
    return Recovery(plan=ref.name, vault=vault, restore_identity=None, ready=ref.id.apply(lambda _: vault))


def events(place: Place) -> Mapping[str, EventPattern]:
    """None: ElastiCache tells EventBridge of no automatic snapshot."""
    del place
    return {}


def alarms(place: Place, ref: FeatureStoreRef, backup: BackupRef) -> Mapping[str, Alarm]:
    """Memory that runs short, look-ups that are refused, and a group in the backup region that does not follow.

    Believed: ElastiCache has no metric of snapshots (its page "Metrics for Valkey and Redis OSS");
    `docs/recovery.md` says how to look at them. Believed: the lag is the metric of each node of the far group.
    """
    del place
    found: dict[str, Alarm] = {}
    for number in range(1, NODES + 1):
        node = {"CacheClusterId": f"{backup.vault}-{number:03d}"}
        found[f"features-lag-{number}"] = Alarm(
            "AWS/ElastiCache", "GlobalDatastoreReplicationLag", node, "Maximum", 300, 60.0 * LAG_MINUTES_MAX,
            "The feature store's copy in the backup region lags behind.", away=True,
        )  # fmt: skip
        found[f"features-copy-missing-{number}"] = silent(
            "AWS/ElastiCache", "EngineCPUUtilization", node,
            "A node of the feature store's copy in the backup region says nothing: look whether it still stands.",
            rpo_minutes=backup.rpo_minutes, statistic="SampleCount",
        )  # fmt: skip
    for number in range(1, NODES + 1):
        node = {"CacheClusterId": f"{ref.name}-{number:03d}"}
        found[f"features-memory-{number}"] = Alarm(
            "AWS/ElastiCache", "DatabaseMemoryUsagePercentage", node, "Maximum", 300, MEMORY_PERCENT_MAX,
            "The feature store runs out of memory: raise feature_store.memory_gib or lower entry_ttl_hours.",
        )  # fmt: skip
        found[f"features-refused-{number}"] = Alarm(
            "AWS/ElastiCache", "AuthenticationFailures", node, "Sum", 300, 0,
            "Someone was refused by the feature store: the fleet's token, or a stranger.",
        )  # fmt: skip
    return found


def _far_copy(
    parent: Component,
    place: Place,
    spec: ValkeySpec,
    standby: StandbyRef,
    keys: KeysRef,
    primary: aws.elasticache.ReplicationGroup,
    nodes: str,
) -> pulumi.Resource:
    """The secondary of a global datastore, in the network that waits in the backup region; nothing reaches it yet."""
    options = pulumi.ResourceOptions(parent=parent)
    datastore = aws.elasticache.GlobalReplicationGroup(
        "features",
        global_replication_group_id_suffix=group_name(place, "features"),
        global_replication_group_description=f"{place.stack}: features in two regions",
        primary_replication_group_id=primary.id,
        cache_node_type=nodes,
        opts=options,
    )
    zones = spec.backup_zones or sorted(standby.subnets)[:2]
    subnets = [standby.subnets[zone] for zone in zones]
    away = _site(parent, place, keys.recovery, "features-recovery", standby.network, subnets)
    kept = parent.keep(aws.elasticache.ReplicationGroup, away.purpose, COPY, place, ignore_changes=("engine",))
    return aws.elasticache.ReplicationGroup(
        kept.name,
        region=away.region,
        replication_group_id=group_name(place, away.purpose),
        description=f"{place.stack}: features in the backup region",
        global_replication_group_id=datastore.global_replication_group_id,
        num_cache_clusters=NODES,
        automatic_failover_enabled=True,
        multi_az_enabled=True,
        port=PORT,
        subnet_group_name=away.subnet_group.name,
        security_group_ids=[away.security_group.id],
        user_group_ids=[away.users.user_group_id],
        kms_key_id=keys.recovery.id,
        snapshot_retention_limit=VALKEY_SNAPSHOT_DAYS_MAX,
        snapshot_window=SNAPSHOT_WINDOW,
        maintenance_window=MAINTENANCE_WINDOW,
        final_snapshot_identifier=_final_snapshot(place, away.purpose, kept.protected),
        tags=place.labels,
        opts=kept.options,
    )


def _final_snapshot(place: Place, purpose: str, protected: bool) -> str | None:
    return place.name(f"{purpose}-final", max_length=NAME_MAX) if protected else None


def _site(
    parent: Component,
    place: Place,
    key: KeyRef,
    purpose: str,
    vpc_id: pulumi.Output[str],
    subnet_ids: Sequence[pulumi.Output[str]],
) -> _Site:
    """Where a region's nodes stand, and its users: both are regional."""
    options = pulumi.ResourceOptions(parent=parent)
    name = group_name(place, purpose)
    users = [
        aws.elasticache.User(
            f"{purpose}-{role}",
            region=key.region,
            user_id=user_name(place, purpose, role),
            user_name=user_name(place, purpose, role),
            engine=ENGINE,
            access_string=access,
            authentication_mode=aws.elasticache.UserAuthenticationModeArgs(type="iam"),
            tags=place.labels,
            opts=options,
        )
        for role, access in (("reader", READER), ("writer", WRITER))
    ]
    return _Site(
        region=key.region,
        key=key,
        purpose=purpose,
        subnet_group=aws.elasticache.SubnetGroup(
            purpose,
            region=key.region,
            name=name,
            description=f"{place.stack}: features",
            subnet_ids=list(subnet_ids),
            tags=place.labels,
            opts=options,
        ),
        security_group=aws.ec2.SecurityGroup(
            purpose,
            region=key.region,
            name=name,
            description="The feature store",
            vpc_id=vpc_id,
            tags=place.labels,
            opts=options,
        ),
        users=aws.elasticache.UserGroup(
            purpose,
            region=key.region,
            user_group_id=name,
            engine=ENGINE,
            user_ids=[user.user_id for user in users],
            tags=place.labels,
            opts=options,
        ),
    )
