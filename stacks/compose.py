"""The platform, top to bottom: what a stack is made of, and in which order."""

from __future__ import annotations

from components import kubernetes
from stacks import clouds
from stacks.export import Platform
from stacks.settings import Settings


def compose(s: Settings) -> Platform:
    """Declare the whole platform from its settings."""
    place = s.place
    cloud = clouds.pick(s.cloud)
    on = cloud.provider(place)

    keys = cloud.Keys("keys", place, s.keys, provider=on).ref
    public = s.fleet.door.public
    clients = public.source_ranges if public else ()
    network = cloud.Network("network", place, s.network, clients=clients, provider=on).ref
    standby = cloud.Standby("standby", place, s.standby, network=network, provider=on).ref
    cluster = cloud.Cluster(
        "cluster",
        place,
        s.cluster,
        network=network,
        keys=keys,
        log_retention_days=s.monitoring.log_retention_days,
        provider=on,
    ).ref
    pools = cloud.NodePools(
        "pools",
        place,
        s.pools,
        termination_seconds=s.fleet.termination_seconds,
        cluster=cluster,
        network=network,
        keys=keys,
        provider=on,
    ).ref
    storage = cloud.Storage("storage", place, s.storage, network=network, keys=keys, provider=on).ref
    feature_store = cloud.FeatureStore(
        "features", place, s.feature_store, network=network, standby=standby, keys=keys, provider=on
    ).ref
    registry = cloud.Registry(
        "registry", place, s.registry, images=s.fleet.images.public(s.cloud), keys=keys, provider=on
    ).ref
    audit = cloud.Audit(
        "audit",
        place,
        s.monitoring,
        network=network,
        storage=storage,
        feature_store=feature_store,
        keys=keys,
        provider=on,
    ).ref
    identity = cloud.Identity(
        "identity", place, cluster=cluster, storage=storage, feature_store=feature_store, provider=on
    ).ref
    backup = cloud.Backup(
        "backup", place, s.backup, feature_store=feature_store, cluster=cluster, keys=keys, provider=on
    ).ref
    operators = cloud.Operators(
        "operators",
        place,
        s.cluster.access,
        storage=storage,
        feature_store=feature_store,
        backup=backup,
        provider=on,
    ).ref
    monitoring = cloud.Monitoring(
        "monitoring",
        place,
        s.monitoring,
        feature_store=feature_store,
        backup=backup,
        storage=storage,
        keys=keys,
        provider=on,
    ).ref

    on_cluster = kubernetes.provider(cluster)
    if cluster.grants:
        kubernetes.Access("access", cluster.grants, provider=on_cluster)
    fleet = kubernetes.Fleet(
        "fleet",
        place,
        s.fleet,
        lookup_timeout_ms=s.feature_store.lookup_timeout_ms,
        pools=pools,
        registry=registry,
        storage=storage,
        feature_store=feature_store,
        identity=identity,
        api_server=cluster.api_server,
        provider=on_cluster,
    )
    controllers = kubernetes.Controllers(
        "door-controllers",
        s.fleet.door,
        services=s.fleet.services.values(),
        registry=registry,
        api_server=cluster.api_server,
        apart=s.apart,
        provider=on_cluster,
    )
    door = kubernetes.Door(
        "door",
        s.fleet.door,
        exposure=cloud.exposure(place, s.fleet.door, (s.network.cidr, *s.fleet.door.client_cidrs)),
        registry=registry,
        apart=s.apart,
        after=[fleet.namespace, *controllers.installed, *network.internet],
        provider=on_cluster,
    )
    kubernetes.Traffic(
        "traffic",
        s.fleet,
        fronts=fleet.fronts,
        replicas=fleet.replicas,
        door=door.laid,
        registry=registry,
        provider=on_cluster,
    )
    metrics = kubernetes.MetricsPipeline(
        "metrics", registry=registry, api_server=cluster.api_server, apart=s.apart, provider=on_cluster
    )
    if s.fleet.canaries:
        kubernetes.Canaries(
            "canaries",
            s.fleet,
            registry=registry,
            api_server=cluster.api_server,
            apart=s.apart,
            after=[fleet, door, metrics],
            provider=on_cluster,
        )
    scaler = cloud.node_autoscaler_identity(place, cluster=cluster, pools=list(pools.pools.values()), provider=on)
    if scaler is not None:
        kubernetes.NodeAutoscaler(
            "node-autoscaler",
            place,
            network=network,
            cluster=cluster,
            pools=pools,
            identity=scaler,
            registry=registry,
            apart=s.apart,
            provider=on_cluster,
        )

    return Platform(
        settings=s,
        keys=keys,
        network=network,
        standby=standby,
        cluster=cluster,
        pools=pools,
        storage=storage,
        feature_store=feature_store,
        registry=registry,
        audit=audit,
        identity=identity,
        operators=operators,
        backup=backup,
        monitoring=monitoring,
        fleet=fleet.ref,
        node_autoscaler=scaler,
    )
