"""The monthly cost of one plan: each resource is priced, free or left out with its reason, or not priced."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from components.aws.feature_store.valkey import node_type
from components.aws.node_pools import GPU_DISK_MIBPS
from components.contracts.backup import points_kept
from components.contracts.choices import choices, most_machines
from components.contracts.feature_store import ValkeySpec
from components.contracts.machines import MACHINES
from components.contracts.vocabulary import Capacity, Cloud
from ops.cost import prices
from ops.cost.beside import FREE, FREE_PREFIXES, LEFT_OUT
from ops.cost.model import Estimate, Line
from ops.cost.prices import HOURS_A_MONTH, Price
from policies.inventory import Inventory, Resource
from stacks.fitting import largest_first, packed
from stacks.settings import Settings

IMAGES_GIB: Final = 10
"""The images of a stack in one region, packed (believed: Triton's is by far the largest)."""
FEATURES_GIB: Final = 1
"""Features are counted as this much where the store is not sold by size."""
_YEAR_S: Final = 365 * 24 * 3600

Alone = Callable[[Resource], Line | str | None]
"""What a resource costs, why that depends on use alone, or None where no price list has it."""
Priced = Callable[[Resource, Settings], Line | str | None]
"""The same of a resource whose cost follows from the settings of a platform."""


def estimate(inventory: Inventory, settings: Settings | None) -> Estimate:
    """What a stack costs a month, idle and at full scale; a bootstrap stack has no `settings` of a platform."""
    lines: list[Line] = []
    free: Counter[tuple[str, str]] = Counter()
    left_out: Counter[tuple[str, str]] = Counter()
    not_priced: list[tuple[str, str]] = []
    for resource in inventory.resources:
        if not resource.custom:
            continue
        priced, why_free = _pricing(resource.type, settings), _why_free(resource)
        if priced is not None:
            match priced(resource):
                case None:
                    not_priced.append((resource.type, resource.name))
                case str(by_use):
                    left_out[resource.type, by_use] += 1
                case Line(full_usd=0) as line:
                    free[resource.type, line.what] += 1
                case line:
                    lines.append(line)
        elif resource.type in LEFT_OUT:
            left_out[resource.type, LEFT_OUT[resource.type]] += 1
        elif why_free:
            free[resource.type, why_free] += 1
        else:
            not_priced.append((resource.type, resource.name))
    return Estimate(
        inventory.stack,
        tuple(sorted(lines, key=lambda line: -line.idle_usd)),
        tuple((kind, count, why) for (kind, why), count in sorted(free.items())),
        tuple((kind, count, why) for (kind, why), count in sorted(left_out.items())),
        tuple(not_priced),
    )


def _pricing(kind: str, settings: Settings | None) -> Alone | None:
    """How a type is priced in a stack; None where it is not priced by resource."""
    if kind in ALONE:
        return ALONE[kind]
    if settings is None:
        return BOOTSTRAP.get(kind)
    priced = PLATFORM.get(kind)
    return None if priced is None else lambda resource: priced(resource, settings)


def _why_free(resource: Resource) -> str:
    if resource.type in FREE:
        return FREE[resource.type]
    return next((why for prefix, why in FREE_PREFIXES.items() if resource.type.startswith(prefix)), "")


def _line(resource: Resource, what: str, idle_usd: float, full_usd: float | None = None) -> Line:
    return Line(resource.type, resource.name, what, idle_usd, idle_usd if full_usd is None else full_usd)


def _flat(price: Price, what: str, *, hourly: bool = False) -> Alone:
    """A resource that costs the same in every region."""
    return lambda resource: _line(resource, what, price.usd * (HOURS_A_MONTH if hourly else 1))


def _machines(resource: Resource, settings: Settings) -> Line | None:
    """A group of machines: the first choice of its pool is counted, and the others are bought instead of it."""
    for key, pool in settings.pools.items():
        for choice in choices(settings.cloud, key, pool, settings.zones):
            if choice.key != resource.name:
                continue
            if choice.rank:
                return _line(resource, f"instead of the first choice of the pool {key}", 0.0)
            return _first_choice(resource, settings, key, choice.machine_types[0], choice.capacity)
    return None


def _first_choice(resource: Resource, settings: Settings, key: str, machine_type: str, way: Capacity) -> Line | None:
    cloud, pool = settings.cloud, settings.pools[key]
    hour, disk = (
        prices.machine_hour_usd(cloud, machine_type, settings.region, way),
        _disk_usd(resource, settings, key),
    )
    if hour is None or disk is None:
        return None
    month = hour * HOURS_A_MONTH + disk * prices.factor(cloud, settings.region)
    least, most = least_machines(settings).get(key, pool.min_nodes), most_machines(pool)
    what = f"{least} to {most} × {machine_type} {way}, {pool.disk_gib} GiB of disk each"
    return _line(resource, what, least * month, most * month)


def _disk_usd(resource: Resource, settings: Settings, key: str) -> float | None:
    """A month of one machine's disk in the cheapest region; None for a type of disk without a price."""
    pool = settings.pools[key]
    if settings.cloud is Cloud.GCP:
        price = prices.DISK_GIB.get(str(resource.get("nodeConfig.diskType")))
        return pool.disk_gib * price.usd if price else None
    machine = MACHINES[Cloud.AWS].get(pool.machine_types[0])
    fast = machine is not None and machine.accelerator is not None and not pool.local_disk
    beyond = GPU_DISK_MIBPS - prices.GP3_MIBPS_FREE if fast else 0
    return pool.disk_gib * prices.GP3_GIB.usd + beyond * prices.GP3_MIBPS.usd


def least_machines(settings: Settings) -> dict[str, int]:
    """The machines of each pool that never go: its own least, or what the services' fewest replicas need."""
    wanted = [(name, service, service.fewest_replicas) for name, service in largest_first(settings.fleet)]
    taken = packed(settings.cloud, settings.pools, wanted, most_machines).machines
    return {key: max(pool.min_nodes, taken[key]) for key, pool in settings.pools.items()}


def _endpoint(resource: Resource, settings: Settings) -> Line:
    if resource.get("vpcEndpointType") != "Interface":
        return _line(resource, "gateway endpoints are free", 0.0)
    zones = len(settings.zones)
    usd = zones * prices.ENDPOINT_HOUR.usd * HOURS_A_MONTH * prices.factor(Cloud.AWS, settings.region)
    return _line(resource, f"an interface in each of {zones} zones", usd)


def _by_use(price: Price) -> str:
    return f"by what is written to it: about {price.usd} USD a GiB kept a month"


def _bucket(price: Price) -> Priced:
    def priced(resource: Resource, settings: Settings) -> Line | str:
        if "models" not in str(resource.get("bucket") or resource.get("name") or ""):
            return _by_use(price)
        services = settings.fleet.services.values()
        gib = sum(service.repository_gib * (1 + len(service.challengers)) for service in services)
        region = resource.region or settings.region
        what = f"a release of each variant, {gib} GiB"
        return _line(resource, what, gib * price.usd * prices.factor(settings.cloud, region))

    return priced


def _images(price: Price) -> Priced:
    def priced(resource: Resource, settings: Settings) -> Line:
        named = str(resource.get("name") or resource.get("repositoryId") or "")
        if "serving" not in named.rpartition("/")[2]:
            return _line(resource, "counted with the serving image's repository", 0.0)
        region = resource.region or settings.region
        usd = IMAGES_GIB * price.usd * prices.factor(settings.cloud, region)
        return _line(resource, f"images of {IMAGES_GIB} GiB", usd)

    return priced


def _table(resource: Resource, settings: Settings) -> Line:
    each = prices.DYNAMODB_GIB.usd + prices.DYNAMODB_PITR_GIB.usd
    usd = FEATURES_GIB * each * prices.factor(Cloud.AWS, settings.region)
    return _line(resource, f"{FEATURES_GIB} GiB of features, and their point-in-time recovery; requests by use", usd)


def _vault(resource: Resource, settings: Settings) -> Line:
    points = sum(points_kept(settings.backup).values())
    usd = points * FEATURES_GIB * prices.BACKUP_GIB.usd * prices.factor(Cloud.AWS, resource.region or settings.region)
    return _line(resource, f"{points} recovery points, for each {FEATURES_GIB} GiB of features", usd)


def _valkey(resource: Resource, settings: Settings) -> Line | None:
    store = settings.feature_store
    if not isinstance(store, ValkeySpec):
        return None
    family, _, size = node_type(store.memory_gib).rpartition(".")
    times = 1 if size == "large" else 2 * int(size.removesuffix("xlarge") or 1)
    nodes = int(resource.get("numCacheClusters"))
    region = resource.region or settings.region
    usd = nodes * times * prices.VALKEY_LARGE_HOUR[family].usd * HOURS_A_MONTH * prices.factor(Cloud.AWS, region)
    return _line(resource, f"{nodes} × {family}.{size}", usd)


def _bigtable(resource: Resource) -> Line:
    each = prices.BIGTABLE_HOUR.usd * HOURS_A_MONTH
    bounds = [cluster["autoscalingConfig"] for cluster in resource.get("clusters")]
    least, most = (sum(int(bound[end]) for bound in bounds) for end in ("minNodes", "maxNodes"))
    return _line(resource, f"{least} to {most} nodes in {len(bounds)} clusters", least * each, most * each)


def _redis(resource: Resource, settings: Settings) -> Line:
    gib = int(resource.get("memorySizeGb"))
    price = next(price for most, price in prices.REDIS_GIB_HOUR if gib <= most)
    usd = gib * price.usd * HOURS_A_MONTH * prices.factor(Cloud.GCP, settings.region)
    return _line(resource, f"{gib} GiB in two zones", usd)


def _key(resource: Resource) -> Line:
    hsm = resource.get("versionTemplate.protectionLevel") == "HSM"
    price = prices.GCP_HSM_KEY if hsm else prices.GCP_KEY
    rotated_after_s = int(str(resource.get("rotationPeriod")).removesuffix("s"))
    kept = math.ceil(_YEAR_S / rotated_after_s)
    return _line(resource, f"{kept} versions after a year of rotations", kept * price.usd)


def _alert(resource: Resource) -> Line:
    conditions = len(resource.get("conditions") or [None])
    return _line(resource, f"{conditions} conditions", conditions * prices.GCP_ALERT.usd)


ALONE: Final[Mapping[str, Alone]] = {
    "aws:eks/cluster:Cluster": _flat(prices.EKS_HOUR, "the control plane", hourly=True),
    "aws:kms/key:Key": _flat(prices.AWS_KEY, "the key; two rotations add as much each"),
    "aws:kms/replicaKey:ReplicaKey": _flat(prices.AWS_KEY, "the key's copy"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _flat(prices.AWS_ALARM, "the alarm"),
    "gcp:bigtable/instance:Instance": _bigtable,
    "gcp:container/cluster:Cluster": _flat(prices.GKE_HOUR, "the control plane", hourly=True),
    "gcp:kms/cryptoKey:CryptoKey": _key,
    "gcp:dns/managedZone:ManagedZone": _flat(prices.DNS_ZONE, "the zone"),
    "gcp:cloudscheduler/job:Job": _flat(prices.SCHEDULER_JOB, "the job"),
    "gcp:monitoring/alertPolicy:AlertPolicy": _alert,
}
PLATFORM: Final[Mapping[str, Priced]] = {
    "aws:eks/nodeGroup:NodeGroup": _machines,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:s3/bucket:Bucket": _bucket(prices.S3_GIB),
    "aws:ecr/repository:Repository": _images(prices.ECR_GIB),
    "aws:dynamodb/table:Table": _table,
    "aws:backup/vault:Vault": _vault,
    "aws:elasticache/replicationGroup:ReplicationGroup": _valkey,
    "gcp:container/nodePool:NodePool": _machines,
    "gcp:storage/bucket:Bucket": _bucket(prices.GCS_GIB),
    "gcp:artifactregistry/repository:Repository": _images(prices.ARTIFACT_GIB),
    "gcp:redis/instance:Instance": _redis,
}
BOOTSTRAP: Final[Mapping[str, Alone]] = {
    "aws:s3/bucket:Bucket": lambda _: _by_use(prices.S3_GIB),
    "gcp:storage/bucket:Bucket": lambda _: _by_use(prices.GCS_GIB),
}
"""What a platform's settings price where there are some; no bucket of a bootstrap stack holds models."""
