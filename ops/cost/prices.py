"""Prices of all that is not a machine, in USD without tax, discounts or free tiers, each with its source.

All of them were read, or are believed, on 2026-11-21. `believed` ones are list prices as remembered of the page that
is named, so an estimate is good to about a quarter; region by region differences are one factor each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from components.contracts.vocabulary import Capacity, Cloud
from ops.cost.machine_prices import AWS_ON_DEMAND, GCP_ON_DEMAND, GCP_SPOT

HOURS_A_MONTH: Final = 730
READ_ON: Final = "2026-11-21"


@dataclass(frozen=True)
class Price:
    """One price: USD for one unit in the cheapest large region."""

    usd: float
    unit: str
    source: str
    believed: bool = True


EKS_HOUR: Final = Price(0.10, "hour of a cluster in standard support", "aws.amazon.com/eks/pricing")
ENDPOINT_HOUR: Final = Price(
    0.01, "hour of an interface in one zone", "github.com/mattrobinsonsre/terrapod/issues/1005", believed=False
)
GP3_GIB: Final = Price(0.08, "GiB-month of gp3", "aws.amazon.com/ebs/pricing")
GP3_MIBPS: Final = Price(0.04, "month of a MiB/s of gp3 beyond its first 125", "aws.amazon.com/ebs/pricing")
GP3_MIBPS_FREE: Final = 125
AWS_KEY: Final = Price(1.00, "month of a key", "aws.amazon.com/kms/pricing")
AWS_ALARM: Final = Price(0.10, "month of an alarm", "aws.amazon.com/cloudwatch/pricing")
S3_GIB: Final = Price(0.023, "GiB-month of S3 Standard", "aws.amazon.com/s3/pricing")
ECR_GIB: Final = Price(0.10, "GiB-month of images", "aws.amazon.com/ecr/pricing")
DYNAMODB_GIB: Final = Price(0.25, "GiB-month of a table", "aws.amazon.com/dynamodb/pricing")
DYNAMODB_PITR_GIB: Final = Price(0.20, "GiB-month of point-in-time recovery", "aws.amazon.com/dynamodb/pricing")
VALKEY_LARGE_HOUR: Final = {
    "cache.m7g": Price(0.1264, "hour of a cache.m7g.large with Valkey", "aws.amazon.com/elasticache/pricing"),
    "cache.r7g": Price(0.1752, "hour of a cache.r7g.large with Valkey", "aws.amazon.com/elasticache/pricing"),
}
"""Family of nodes → its `large`; larger ones cost in proportion."""
BACKUP_GIB: Final = Price(0.10, "GiB-month of a recovery point", "aws.amazon.com/backup/pricing")

GKE_HOUR: Final = Price(0.10, "hour of a regional cluster", "cloud.google.com/kubernetes-engine/pricing")
DISK_GIB: Final = {
    "pd-balanced": Price(0.10, "GiB-month of pd-balanced", "cloud.google.com/compute/disks-image-pricing"),
    "pd-ssd": Price(0.17, "GiB-month of pd-ssd", "cloud.google.com/compute/disks-image-pricing"),
    "hyperdisk-balanced": Price(
        0.08, "GiB-month of hyperdisk-balanced", "cloud.google.com/compute/disks-image-pricing"
    ),
}
"""Google Cloud's type of disk → its price."""
GCP_KEY: Final = Price(0.06, "month of a key's version", "cloud.google.com/kms/pricing")
GCP_HSM_KEY: Final = Price(1.00, "month of a key's version in an HSM", "cloud.google.com/kms/pricing")
GCS_GIB: Final = Price(0.020, "GiB-month of standard storage", "cloud.google.com/storage/pricing")
ARTIFACT_GIB: Final = Price(0.10, "GiB-month of images", "cloud.google.com/artifact-registry/pricing")
REDIS_GIB_HOUR: Final = (
    (4, Price(0.064, "GiB-hour of Redis, standard tier M1", "cloud.google.com/memorystore/docs/redis/pricing")),
    (10, Price(0.054, "GiB-hour of Redis, standard tier M2", "cloud.google.com/memorystore/docs/redis/pricing")),
    (35, Price(0.046, "GiB-hour of Redis, standard tier M3", "cloud.google.com/memorystore/docs/redis/pricing")),
    (100, Price(0.036, "GiB-hour of Redis, standard tier M4", "cloud.google.com/memorystore/docs/redis/pricing")),
    (300, Price(0.030, "GiB-hour of Redis, standard tier M5", "cloud.google.com/memorystore/docs/redis/pricing")),
)
"""Up to how many GiB → the price of one."""
BIGTABLE_HOUR: Final = Price(0.65, "hour of a node", "cloud.google.com/bigtable/pricing")
DNS_ZONE: Final = Price(0.20, "month of a zone", "cloud.google.com/dns/pricing")
SCHEDULER_JOB: Final = Price(0.10, "month of a job", "cloud.google.com/scheduler/pricing")
GCP_ALERT: Final = Price(0.10, "month of an alert's condition", "cloud.google.com/stackdriver/pricing")

REGION_FACTOR: Final = {Cloud.AWS: 1.2, Cloud.GCP: 1.1}
"""What a region outside the cheapest costs more than they do, on average (believed)."""
_CHEAPEST: Final = ("us-east-1", "us-east-2", "us-west-2", "us-central1", "us-east1", "us-west1")
AWS_SPOT_PART: Final = 0.5
"""What is paid for a spot machine on AWS, as a part of its price on demand: it changes by the hour (believed)."""


def factor(cloud: Cloud, region: str) -> float:
    """By how much a region's prices differ from those above."""
    return 1.0 if region in _CHEAPEST else REGION_FACTOR[cloud]


def machine_hour_usd(cloud: Cloud, machine_type: str, region: str, way: Capacity) -> float | None:
    """USD for an hour of a machine; None where no list has it. A reservation is paid for like a machine on demand.

    The list for AWS has us-east-1 alone: other regions are that, times their factor.
    """
    if cloud is Cloud.GCP:
        # Flex-start is sold at a discount that no list has; the price on demand is more than it.
        prices = GCP_SPOT if way is Capacity.SPOT else GCP_ON_DEMAND
        return prices.get(machine_type, {}).get(region)
    listed = AWS_ON_DEMAND.get(machine_type, {})
    usd = listed.get(region) or (listed["us-east-1"] * factor(cloud, region) if "us-east-1" in listed else None)
    return usd * (AWS_SPOT_PART if way is Capacity.SPOT else 1.0) if usd is not None else None
