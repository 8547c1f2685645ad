"""A platform of fixed settings on each cloud, planned offline: what the contracts are asserted on."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import pytest

from components.contracts import refs
from components.contracts.place import Place
from components.contracts.ports import CloudModule
from components.contracts.vocabulary import Cloud
from ops.plan.planner import plan_program
from policies.inventory import Inventory
from stacks.settings import Settings

OPTED_OUT = {"deletion_protection": "a stack that lives for one test only"}

_SETTINGS: Mapping[Cloud, Mapping[str, Any]] = {
    Cloud.AWS: {
        "account": "111122223333",
        "region": "eu-west-1",
        "zones": ["eu-west-1a", "eu-west-1b"],
        "backup": {"region": "eu-central-1", "rpo_minutes": 120, "rto_minutes": 60},
        "pools": {
            "system": {"machine_type": "m7i.large", "min_nodes": 1, "max_nodes": 3},
            "gpu": {"machine_type": "g6.xlarge", "min_nodes": 0, "max_nodes": 2, "capacity": "spot"},
        },
    },
    Cloud.GCP: {
        "account": "seawall-tests",
        "project_number": "123456789012",
        "region": "europe-west1",
        "zones": ["europe-west1-b", "europe-west1-c"],
        "backup": {"region": "europe-north1", "rpo_minutes": 120, "rto_minutes": 60},
        "features": {"memory_gib": 5},
        "pools": {
            "system": {"machine_type": "e2-standard-2", "min_nodes": 1, "max_nodes": 3},
            "gpu": {"machine_type": "g2-standard-4", "min_nodes": 0, "max_nodes": 2, "capacity": "spot"},
        },
    },
}


@dataclass(frozen=True)
class Refs:
    """What the cloud's components gave back. Plain fields may be read; outputs live only while planning."""

    keys: refs.KeysRef
    network: refs.NetworkRef
    cluster: refs.ClusterRef
    pools: refs.NodePoolsRef
    storage: refs.StorageRef
    features: refs.FeatureCacheRef
    registry: refs.RegistryRef
    identity: refs.IdentityRef
    backup: refs.BackupRef
    monitoring: refs.MonitoringRef
    node_autoscaler: refs.IdentityRef | None


@dataclass(frozen=True)
class Platform:
    """One cloud's part of a stack, planned."""

    cloud: Cloud
    settings: Settings
    refs: Refs
    inventory: Inventory

    @property
    def place(self) -> Place:
        """Where the platform lives."""
        return self.settings.place


def settings_for(cloud: Cloud, changes: Mapping[str, Any]) -> Settings:
    """The fixed settings of `cloud`, with whole sections changed."""
    return Settings.parse(
        {
            "cloud": str(cloud),
            "environment": "staging",
            "labels": {"owner": "tests"},
            "monitoring": {"alert_email": "alerts@example.com"},
            "fleet": {
                "images": {"serving": f"sha256:{'0' * 64}"},
                "accelerator": "l4",
                "max_replicas": 2,
            },
            **_SETTINGS[cloud],
            **changes,
        },
        "tests",
    )


def compose_cloud(cloud: CloudModule, s: Settings) -> Refs:
    """The cloud's part of the platform, without what is laid on the cluster."""
    place = s.place
    on = cloud.provider(place)
    keys = cloud.Keys("keys", place, s.keys, provider=on).ref
    network = cloud.Network("network", place, s.network, provider=on).ref
    cluster = cloud.Cluster(
        "cluster",
        place,
        s.cluster,
        network=network,
        keys=keys,
        log_retention_days=s.monitoring.log_retention_days,
        provider=on,
    ).ref
    pools = cloud.NodePools("pools", place, s.pools, cluster=cluster, network=network, keys=keys, provider=on).ref
    storage = cloud.Storage("storage", place, s.storage, keys=keys, provider=on).ref
    features = cloud.FeatureCache("features", place, s.features, network=network, keys=keys, provider=on).ref
    registry = cloud.Registry("registry", place, s.registry, keys=keys, provider=on).ref
    identity = cloud.Identity(
        "identity", place, cluster=cluster, storage=storage, features=features, keys=keys, provider=on
    ).ref
    backup = cloud.Backup("backup", place, s.backup, features=features, cluster=cluster, keys=keys, provider=on).ref
    monitoring = cloud.Monitoring(
        "monitoring",
        place,
        s.monitoring,
        cluster=cluster,
        features=features,
        backup=backup,
        storage=storage,
        keys=keys,
        provider=on,
    ).ref
    scaler = cloud.node_autoscaler_identity(place, cluster=cluster, pools=list(pools.pools.values()), provider=on)
    return Refs(keys, network, cluster, pools, storage, features, registry, identity, backup, monitoring, scaler)


def plan_cloud(cloud: Cloud, changes: Mapping[str, Any]) -> Platform:
    """Plan the platform of `cloud` as a preview of a new stack would see it."""
    settings = settings_for(cloud, changes)
    module = cast("CloudModule", importlib.import_module(f"components.{cloud}"))
    made: list[Refs] = []
    inventory = plan_program(lambda: made.append(compose_cloud(module, settings)), settings.place.stack, settings)
    return Platform(cloud, settings, made[0], inventory)


@cache
def _fixed(cloud: Cloud) -> Platform:
    return plan_cloud(cloud, {})  # frozen, so that tests may share it; every plan has a Pulumi runtime of its own


PlanPlatform = Callable[..., Platform]


@pytest.fixture(params=list(Cloud), ids=str)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each cloud in turn."""
    return request.param


@pytest.fixture
def platform(cloud: Cloud) -> Platform:
    """The fixed platform of each cloud in turn."""
    return _fixed(cloud)


@pytest.fixture
def aws_platform() -> Platform:
    """The fixed platform on AWS."""
    return _fixed(Cloud.AWS)


@pytest.fixture
def gcp_platform() -> Platform:
    """The fixed platform on Google Cloud."""
    return _fixed(Cloud.GCP)


@pytest.fixture
def plan_platform() -> PlanPlatform:
    """Plans a platform with other settings: `plan_platform(cloud, environment="prod")`."""
    return lambda cloud, **changes: plan_cloud(cloud, changes)


@pytest.fixture
def opted_out() -> Mapping[str, str]:
    """The setting that gives deletion protection up."""
    return OPTED_OUT
