"""What every cloud promises, stated once: each claim holds on AWS and on Google Cloud."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from common.sdk.types import input_properties
from components.contracts import ports
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.images import public_images
from components.contracts.regions import distance_km
from components.contracts.serving import ACCELERATOR_LABEL, GPU_TAINT_KEY, NAMESPACE, POOL_LABEL, SERVICE_ACCOUNT
from components.contracts.vocabulary import Accelerator, Cloud
from localcloud.limits import known_types
from policies.evaluation import evaluate
from policies.inventory import Resource
from policies.model import Verdict

KEY_TYPES: Final = ("aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey")

KEY_INPUTS: Final[Mapping[str, str]] = {
    "aws:backup/vault:Vault": "kmsKeyArn",
    "aws:cloudtrail/trail:Trail": "kmsKeyId",
    "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "aws:dynamodb/table:Table": "serverSideEncryption",
    "aws:ec2/launchTemplate:LaunchTemplate": "blockDeviceMappings",
    "aws:ecr/repository:Repository": "encryptionConfigurations",
    "aws:eks/cluster:Cluster": "encryptionConfig",
    "aws:elasticache/replicationGroup:ReplicationGroup": "kmsKeyId",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": "rules",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "rules",
    "aws:sns/topic:Topic": "kmsMasterKeyId",
    "gcp:artifactregistry/repository:Repository": "kmsKeyName",
    "gcp:container/cluster:Cluster": "databaseEncryption",
    "gcp:container/nodePool:NodePool": "nodeConfig",
    "gcp:bigtable/instance:Instance": "clusters",
    "gcp:firestore/database:Database": "cmekConfig",
    "gcp:gkebackup/backupPlan:BackupPlan": "backupConfig",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "cmekSettings",
    "gcp:redis/instance:Instance": "customerManagedKey",
    "gcp:storage/bucket:Bucket": "encryption",
}
"""Type → the input that names the key it is encrypted with."""

ENCRYPTED_OTHERWISE: Final[Mapping[str, str]] = {
    "aws:s3/bucket:Bucket": "by its BucketServerSideEncryptionConfiguration",
    "aws:kms/key:Key": "a key itself",
    "aws:kms/alias:Alias": "a name",
    "gcp:kms/cryptoKey:CryptoKey": "a key itself",
    "gcp:kms/keyRing:KeyRing": "holds no data",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": "a grant",
}
"""Types whose inputs speak of encryption, or that are about keys, and that need none of their own → why."""

WITHOUT_OWN_KEY: Final[Mapping[Cloud, Mapping[str, str]]] = {
    Cloud.AWS: {
        "logs": "S3 delivers access logs only to buckets under its own keys",
        "replica-logs": "S3 delivers access logs only to buckets under its own keys",
    },
    Cloud.GCP: {},
}
"""Logical names of stores that cannot have a key of ours → why."""

LABEL_INPUTS: Final[Mapping[Cloud, tuple[str, ...]]] = {
    Cloud.AWS: ("tags",),
    Cloud.GCP: ("labels", "resourceLabels", "userLabels"),
}
NO_LABELS: Final[Mapping[str, str]] = {
    "gcp:monitoring/notificationChannel:NotificationChannel": "its `labels` are the address; `userLabels` are labels",
}
"""Types whose `labels` are none → what they are."""

ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET: Final = {Cloud.AWS: ("aws:s3/bucket:Bucket", "bucket"), Cloud.GCP: ("gcp:storage/bucket:Bucket", "name")}
CLUSTER: Final = {Cloud.AWS: "aws:eks/cluster:Cluster", Cloud.GCP: "gcp:container/cluster:Cluster"}
POOL: Final = {Cloud.AWS: "aws:eks/nodeGroup:NodeGroup", Cloud.GCP: "gcp:container/nodePool:NodePool"}


def of_cloud(platform: Any) -> Iterator[Resource]:
    """The cloud's own resources, without components and providers."""
    yield from (r for r in platform.inventory.resources if r.custom and r.type.startswith(f"{platform.cloud}:"))


def buckets(platform: Any) -> Mapping[str, Resource]:
    """Buckets by physical name."""
    token, name_input = BUCKET[platform.cloud]
    return {bucket.get(name_input): bucket for bucket in platform.inventory.of_type(token)}


def keys_of(platform: Any, resource: Resource) -> tuple[Resource, ...]:
    """The keys that a resource is encrypted with."""
    return platform.inventory.linked(resource, KEY_INPUTS[resource.type], *KEY_TYPES)


def companions(platform: Any, bucket: Resource, token: str) -> list[Resource]:
    """The resources of a type whose `bucket` input is fed by `bucket`."""
    return [r for r in platform.inventory.of_type(token) if bucket in platform.inventory.linked(r, "bucket")]


# The port


def test_every_kind_of_feature_store_is_held_to_what_follows(stores: Any) -> None:
    assert set(stores) == set(FeatureStoreKind)


@pytest.mark.parametrize("component", [name for name in vars(ports.CloudModule) if not name.startswith("_")])
def test_each_cloud_takes_what_the_port_passes(cloud: Cloud, component: str) -> None:
    asked = inspect.signature(getattr(ports.CloudModule, component)).parameters
    given = inspect.signature(getattr(importlib.import_module(f"components.{cloud}"), component)).parameters
    wanted = [(name, p.kind) for name, p in asked.items() if name != "self"]
    assert [(name, p.kind) for name, p in given.items()] == wanted, "a stack passes these, by name and in this order"


def test_names_in_refs_are_known_before_anything_exists(platform: Any) -> None:
    r = platform.refs
    names = {
        "models": r.storage.models.name,
        "replica": r.storage.replica.name,
        "features": r.feature_store.name,
        "cluster": r.cluster.name,
        "registry": r.registry.url,
        "backup": r.backup.vault,
        "key": r.keys.data.alias,
    }
    unnamed = {what for what, name in names.items() if not isinstance(name, str) or not name}
    assert not unnamed, "other resources' policies are written with these names"


def images_in(values: Any) -> Iterator[str]:
    """The images that a chart's values name: in one string, or as repository and digest."""
    for key, value in values.items():
        if key == "image":
            yield value if isinstance(value, str) else f"{value['repository']}@{value['digest']}"
        elif isinstance(value, dict):
            yield from images_in(value)


def test_the_stack_runs_the_images_that_are_copied_for_it_and_no_others(platform: Any) -> None:
    registry, fleet = platform.refs.registry, platform.settings.fleet
    copied = {registry.mirrored(image) for image in public_images(platform.cloud).values()}
    run = {
        container["image"]
        for owner, pod in {
            "kubernetes:apps/v1:Deployment": "spec.template.spec",
            "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
        }.items()
        for workload in platform.inventory.of_type(owner)
        for kind in ("containers", "initContainers")
        for container in workload.get(f"{pod}.{kind}") or []
    }
    for release in platform.inventory.of_type("kubernetes:helm.sh/v3:Release"):
        run |= {release.get("chart").removeprefix("oci://"), *images_in(release.get("values"))}
    (proxy,) = platform.inventory.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")
    run.add(proxy.get("spec.provider.kubernetes.envoyDeployment.container.image"))
    assert run == {*copied, f"{registry.url}@{fleet.images.serving}"}, "nodes cannot reach the internet"


def test_every_repository_has_its_like_in_the_backup_region(platform: Any) -> None:
    token, name = {
        Cloud.AWS: ("aws:ecr/repository:Repository", "name"),
        Cloud.GCP: ("gcp:artifactregistry/repository:Repository", "repositoryId"),
    }[platform.cloud]
    by_region: dict[str, set[str]] = {}
    for repository in platform.inventory.of_type(token):
        by_region.setdefault(str(repository.region), set()).add(repository.get(name))
    here, away = platform.place.region, platform.place.backup_region
    assert by_region.keys() == {here, away} and by_region[here] == by_region[away]


# Names


def test_logical_names_hold_no_configuration(platform: Any, plan_platform: Any, stores: Any) -> None:
    zones = list(platform.settings.zones)  # a subnet is named after its zone, which it cannot leave
    # A group of machines is named after how it is bought, and a GKE pool after its machine type: neither can change.
    bought = {"machine_types", "capacity"}
    pools = {key: pool.model_dump(mode="json", include=bought) for key, pool in platform.settings.pools.items()}
    spot = {"on_demand_capacity": "the development stack's pools, for this test"}
    _, store = stores[platform.settings.feature_store.kind]
    asked = platform.settings.backup  # a tier that nothing is kept in has no export
    tiers = {key: getattr(asked, key) for key in ("keep_all_days", "keep_daily_days", "retention_days")}
    changes = {**store, "backup": {**store.get("backup", {}), **tiers}, "zones": zones, "pools": pools}
    other = plan_platform(platform.cloud, environment="prod", labels={"team": "other"}, opt_outs=spot, **changes)
    always = plan_platform(platform.cloud, service={"hours": None}, **store)  # as production runs
    here, there = (sorted((r.type, r.name) for r in p.inventory.resources) for p in (always, other))
    assert here == there, "a name that follows the settings is a resource that they replace"


def test_every_resource_belongs_to_a_component(platform: Any) -> None:
    orphans = {r.type for r in of_cloud(platform) if r.parent is None}
    # Google Cloud's APIs are switched on beside the provider, before any component can use one.
    orphans -= {token for token in orphans if token.startswith("gcp:projects/service")}
    assert not orphans, "a resource without a component is in nobody's care"


# Encryption


def test_every_store_is_encrypted_with_a_key_of_the_stack(platform: Any) -> None:
    stores = [r for r in of_cloud(platform) if r.type in KEY_INPUTS]
    bare = {r.urn for r in stores if not keys_of(platform, r) and r.name not in WITHOUT_OWN_KEY[platform.cloud]}
    assert not bare, f"none of the inputs {KEY_INPUTS} leads to a key"


def test_every_exception_from_encryption_is_still_needed(platform: Any) -> None:
    stores = [r for r in of_cloud(platform) if r.type in KEY_INPUTS]
    bare = {r.name for r in stores if not keys_of(platform, r)}
    assert bare == WITHOUT_OWN_KEY[platform.cloud].keys(), "an exception that excuses nothing hides the next one"


def test_every_type_that_can_take_a_key_is_in_the_table(platform: Any) -> None:
    speaks = re.compile(r"kms|cmek|encrypt|customerManagedKey", re.IGNORECASE)
    types = {r.type for r in of_cloud(platform) if any(speaks.search(name) for name in input_properties(r.type))}
    assert not types - KEY_INPUTS.keys() - ENCRYPTED_OTHERWISE.keys(), "say which input names its key, or why none"


def test_a_key_lies_in_the_region_of_what_it_encrypts(platform: Any) -> None:
    strangers = {
        (store.name, key.name)
        for store in of_cloud(platform)
        if store.type in KEY_INPUTS and "Replication" not in store.type
        for key in keys_of(platform, store)
        if store.region is not None and key.region != store.region
    }
    assert not strangers, "a key elsewhere fails with its region, and most services refuse it"


def test_keys_rotate(platform: Any) -> None:
    days = platform.settings.keys.rotation_days
    wanted = {
        "aws:kms/key:Key": ("rotationPeriodInDays", days),
        "gcp:kms/cryptoKey:CryptoKey": ("rotationPeriod", f"{days * 86400}s"),
    }
    for key in platform.inventory.of_type(*KEY_TYPES):
        path, value = wanted[key.type]
        assert key.get(path) == value, key.name


# Buckets


def test_model_buckets_keep_old_versions(platform: Any) -> None:
    for ref in (platform.refs.storage.models, platform.refs.storage.replica):
        bucket = buckets(platform)[ref.name]
        if platform.cloud is Cloud.AWS:
            (versioning,) = companions(platform, bucket, "aws:s3/bucketVersioning:BucketVersioning")
            assert versioning.get("versioningConfiguration.status") == "Enabled"
        else:
            assert bucket.get("versioning.enabled") is True


def test_every_bucket_is_closed_to_the_public(platform: Any) -> None:
    for bucket in buckets(platform).values():
        if platform.cloud is Cloud.AWS:
            (block,) = companions(platform, bucket, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
            flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
            assert all(block.get(flag) is True for flag in flags), bucket.name
        else:
            assert bucket.get("publicAccessPrevention") == "enforced", bucket.name
            assert bucket.get("uniformBucketLevelAccess") is True, bucket.name


def test_nothing_is_granted_to_everyone(platform: Any) -> None:
    open_to_all = {
        r.urn
        for r in of_cloud(platform)
        for text in (json.dumps(r.inputs),)
        if "allUsers" in text or "allAuthenticatedUsers" in text
    }
    assert not open_to_all


# Labels


def test_everything_that_can_bear_labels_bears_the_stacks(platform: Any) -> None:
    wanted = platform.place.labels
    bare = {
        (r.urn, name)
        for r in of_cloud(platform)
        for name in LABEL_INPUTS[platform.cloud]
        if name in input_properties(r.type)
        and not (name == "labels" and r.type in NO_LABELS)
        and not wanted.items() <= dict(r.get(name, {})).items()
    }
    assert not bare, "costs, ownership and clean-up go by labels"


# Secrets


def test_secrets_of_the_program_are_masked_in_its_plan(cloud: Cloud, plan_platform: Any) -> None:
    platform = plan_platform(cloud, monitoring={"alert_webhook": "https://hooks.example.com/canary-4d1f"})
    assert "canary-4d1f" not in json.dumps(platform.inventory.to_json())


# Copies


def test_the_replica_lies_far_enough_away(platform: Any) -> None:
    models, replica = platform.refs.storage.models, platform.refs.storage.replica
    planned = [buckets(platform)[ref.name].region for ref in (models, replica)]
    assert planned == [models.region, replica.region], "a ref must not claim a region that the plan does not have"
    least = platform.settings.backup.min_distance_km
    assert distance_km(platform.cloud, models.region, replica.region) >= least


def test_the_replica_has_a_key_of_its_own_region(platform: Any) -> None:
    replica = platform.one("storage", "replica", BUCKET[platform.cloud][0])
    encrypted = companions(platform, replica, ENCRYPTION) if platform.cloud is Cloud.AWS else [replica]
    assert [(key.name, key.region) for store in encrypted for key in keys_of(platform, store)] == [
        ("recovery", replica.region)
    ]


def test_the_model_bucket_is_copied_to_the_replica(platform: Any) -> None:
    models, replica = platform.refs.storage.models.name, platform.refs.storage.replica.name
    if platform.cloud is Cloud.AWS:
        (copy,) = platform.inventory.of_type("aws:s3/bucketReplicationConfig:BucketReplicationConfig")
        ends = (copy.get("bucket"), copy.get("rules.0.destination.bucket"))
        assert ends == (models, f"arn:aws:s3:::{replica}")
        assert copy.get("rules.0.status") == "Enabled"
    else:
        copies = platform.inventory.of_type("gcp:storage/transferJob:TransferJob")
        (copy,) = (job for job in copies if job.get("transferSpec.gcsDataSource.bucketName") == models)
        ends = (
            copy.get("transferSpec.gcsDataSource.bucketName"),
            copy.get("transferSpec.gcsDataSink.bucketName"),
        )
        assert ends == (models, replica)
        assert copy.get("status") == "ENABLED"


def test_feature_backups_lie_in_the_backup_region_under_its_own_key(platform: Any) -> None:
    if platform.settings.feature_store.kind is FeatureStoreKind.BIGTABLE:
        instance = platform.one("features", "features", "gcp:bigtable/instance:Instance")
        here, away = instance.get("clusters")
        assert here["zone"].startswith(f"{platform.settings.region}-")
        assert away["zone"].startswith(f"{platform.settings.backup.region}-")
        assert away["clusterId"] == platform.refs.backup.vault
        assert {key.name for key in keys_of(platform, instance)} == {"data", "recovery"}
        return
    if platform.settings.feature_store.kind is FeatureStoreKind.VALKEY:
        vault = platform.one("features", "features-recovery", "aws:elasticache/replicationGroup:ReplicationGroup")
        assert vault.get("replicationGroupId") == platform.refs.backup.vault
    else:
        vault = _vault(platform)
    assert vault.region == platform.settings.backup.region
    assert [key.name for key in keys_of(platform, vault)] == ["recovery"]


def _vault(platform: Any) -> Resource:
    name = platform.refs.backup.vault
    if platform.cloud is Cloud.GCP:
        return buckets(platform)[name]
    (vault,) = (v for v in platform.inventory.of_type("aws:backup/vault:Vault") if v.get("name") == name)
    return vault


# Machines


def groups(platform: Any, key: str) -> list[Resource]:
    """The cloud's groups of machines of the pool `key`."""
    path = {Cloud.AWS: "labels", Cloud.GCP: "nodeConfig.labels"}[platform.cloud]
    return [r for r in platform.inventory.of_type(POOL[platform.cloud]) if r.get(path)[POOL_LABEL] == key]


def test_gpu_pools_are_tainted_and_may_be_empty(platform: Any) -> None:
    pool = platform.refs.pools.pools["gpu"]
    assert pool.serves == Accelerator.L4
    assert GPU_TAINT_KEY in pool.taint_keys
    (planned,) = groups(platform, "gpu")
    path, least = {
        Cloud.AWS: ("", "scalingConfig.minSize"),
        Cloud.GCP: ("nodeConfig.", "autoscaling.totalMinNodeCount"),
    }[platform.cloud]
    assert (planned.get(least), pool.groups[0].min_nodes) == (0, 0)
    assert planned.get(f"{path}taints.0.key") == GPU_TAINT_KEY
    assert planned.get(f"{path}taints.0.effect") == "NO_SCHEDULE"


def test_pools_without_gpu_take_any_pod(platform: Any) -> None:
    pool = platform.refs.pools.pools["system"]
    assert (pool.serves, pool.taint_keys) == ("", ()), "something must run what keeps the cluster alive"


def test_every_pool_says_its_key_and_every_gpu_pool_its_gpu(platform: Any) -> None:
    path = {Cloud.AWS: "labels", Cloud.GCP: "nodeConfig.labels"}[platform.cloud]
    labels = {key: groups(platform, key)[0].get(path) for key in platform.refs.pools.pools}
    assert {key: found[POOL_LABEL] for key, found in labels.items()} == {"system": "system", "gpu": "gpu"}
    assert {key: found.get(ACCELERATOR_LABEL) for key, found in labels.items()} == {"system": None, "gpu": "l4"}


# Identity


def test_the_fleets_identity_is_bound_to_one_service_account(platform: Any) -> None:
    ref = platform.refs.identity
    assert (ref.namespace, ref.service_account) == (NAMESPACE, SERVICE_ACCOUNT)
    if platform.cloud is Cloud.AWS:
        associations = platform.inventory.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        bound = [(a.get("namespace"), a.get("serviceAccount")) for a in associations if a.name == "fleet"]
        assert bound == [(NAMESPACE, SERVICE_ACCOUNT)]
    else:
        members = platform.inventory.of_type("gcp:serviceaccount/iAMMember:IAMMember")
        bound = [m.get("member") for m in members if m.get("role") == "roles/iam.workloadIdentityUser"]
        pool = f"{platform.place.account}.svc.id.goog"
        assert bound == [f"serviceAccount:{pool}[{NAMESPACE}/{SERVICE_ACCOUNT}]"]


def test_a_cloud_without_its_own_node_autoscaler_brings_an_identity_for_one(platform: Any) -> None:
    assert (platform.refs.node_autoscaler is not None) is (platform.cloud is Cloud.AWS), "GKE adds machines itself"


# The local cloud


def test_the_local_cloud_knows_every_type_of_every_kind_of_feature_store(platform: Any) -> None:
    known = {token for types in known_types().values() for token in (*types.emulated, *types.recorded)}
    clouds = {resource.type for resource in platform.inventory.resources if resource.custom}
    assert {token for token in clouds if not token.startswith("pulumi:")} - known == set()


# Policies


def test_no_rule_finds_fault_with_any_kind_of_feature_store(platform: Any) -> None:
    findings = evaluate(platform.inventory)
    assert [f for f in findings if f.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)] == []
    judged = {f.rule.id for f in findings if f.verdict is Verdict.PASS and f.name == "features"}
    assert any(rule.endswith("customer-key") for rule in judged), "a store that no rule knows passes them all"


# The way to the control plane


def test_a_new_address_of_the_control_plane_replaces_nothing_on_the_cluster(platform: Any) -> None:
    (provider,) = platform.inventory.of_type("pulumi:providers:kubernetes")
    fed_by = {r.type for r in platform.inventory.linked(provider, "clusterIdentifier")}
    assert fed_by == {CLUSTER[platform.cloud]}, "a name that was used before would pass for the same cluster"
