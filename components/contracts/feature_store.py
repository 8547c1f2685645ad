"""The feature store: its kinds, what a stack may ask of each, and what its consumers are given.

A kind is one spec class here, one module in its cloud's `feature_store` folder, one adapter in the serving image that
reads rows, and one module of `ops/features` that writes them. Pods take what they need from the ref.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, get_args

import pulumi
from pydantic import Field, model_validator

from components.contracts import serving
from components.contracts.doors import Door
from components.contracts.spec import Spec, check_each_once, check_order, refused
from components.contracts.vocabulary import Cloud


class FeatureStoreKind(StrEnum):
    """What keeps the features, by the product's own name. Not a protocol: two kinds may speak the same one."""

    DYNAMODB = "dynamodb"
    VALKEY = "valkey"
    REDIS = "redis"
    FIRESTORE = "firestore"
    BIGTABLE = "bigtable"


VALKEY_SNAPSHOT_DAYS_MAX: Final = 35
"""Days that ElastiCache keeps an automatic snapshot at most (terraform-provider-aws' schema of
`aws_elasticache_replication_group`, read 2026-11-21)."""
GLOBAL_DATASTORE_REGIONS: Final = frozenset(
    {
        "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
        "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
        "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    }
)  # fmt: skip
"""Where ElastiCache's global datastores are (its page "Prerequisites and limitations", read 2026-11-21)."""
BIGTABLE_BACKUP_DAYS_MAX: Final = 90
"""Days that Bigtable keeps an automated backup at most (its page "Backups overview", read 2026-11-21)."""

REDIS_ROWS_PERCENT: Final = 80
"""Of a Memorystore instance's memory: Google asks to lower `maxmemory` to it for exports (its page "General best
practices", read 2026-11-21), and to half of it where much is written meanwhile, which features are not."""


class FeatureStoreBase(Spec):
    """What every kind of feature store is asked."""

    cloud: ClassVar[Cloud]
    """The only cloud that offers the kind."""
    fewest_hours_between_points: ClassVar[int] = 1
    """How often recovery points can be made: the least `backup.frequency_hours`."""

    most_retention_days: ClassVar[int] = 3650
    """How long recovery points can be kept: the most `backup.retention_days`."""

    regions: ClassVar[frozenset[str] | None] = None
    """The only regions, for the store and for its copy, that have the kind; None: all."""

    entry_ttl_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 24 * 30
    """Hours after which an entry expires."""
    lookup_timeout_ms: Annotated[int, Field(ge=1, le=1000)] = 50
    """Milliseconds that a prediction waits for features before it falls back to the training means."""

    stale_after_hours: Annotated[int, Field(ge=1, le=24 * 365)] | None = None
    """Hours after which an entry that has not expired is still served, and told and counted as stale; none: never."""

    @property
    def gib(self) -> int:
        """GiB that a copy of all rows has, as the store is planned."""
        raise NotImplementedError

    @property
    def lookup_variables(self) -> Mapping[str, str]:
        """What tells a lookup how old a row is, and from which age it is stale."""
        stale = self.stale_after_hours
        return {
            serving.FEATURES_TTL_HOURS: str(self.entry_ttl_hours),
            **({} if stale is None else {serving.FEATURES_STALE_HOURS: str(stale)}),
        }

    @model_validator(mode="after")
    def _stale_before_expired(self) -> FeatureStoreBase:
        if self.stale_after_hours is not None and self.stale_after_hours >= self.entry_ttl_hours:
            raise refused(
                f"stale_after_hours is {self.stale_after_hours}, and entries expire after {self.entry_ttl_hours}",
                allowed=f"1 to {self.entry_ttl_hours - 1}",
                remedy="Lower stale_after_hours, or leave it out: an entry that has expired is never served.",
            )
        return self


class DynamoDBSpec(FeatureStoreBase):
    """DynamoDB on AWS: it bills by request and grows by itself."""

    cloud: ClassVar[Cloud] = Cloud.AWS

    kind: Literal[FeatureStoreKind.DYNAMODB] = FeatureStoreKind.DYNAMODB
    """AWS' default."""
    expected_gib: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Rows that copies and restores are planned for: DynamoDB grows by itself, and their time with it."""

    @property
    def gib(self) -> int:
        return self.expected_gib


class ValkeySpec(FeatureStoreBase):
    """ElastiCache for Valkey on AWS: it is sold by node, in both regions."""

    cloud: ClassVar[Cloud] = Cloud.AWS
    fewest_hours_between_points: ClassVar[int] = 24
    most_retention_days: ClassVar[int] = VALKEY_SNAPSHOT_DAYS_MAX
    regions: ClassVar[frozenset[str] | None] = GLOBAL_DATASTORE_REGIONS

    kind: Literal[FeatureStoreKind.VALKEY] = FeatureStoreKind.VALKEY
    memory_gib: Annotated[int, Field(ge=1, le=300)]
    """Memory for rows: the smallest type of node that has it is taken, 1 to 300 GiB."""
    backup_zones: tuple[str, ...] = ()
    """The backup region's zones, by id, that hold the second group of nodes: two or more; left out: its first two."""

    @property
    def gib(self) -> int:
        return self.memory_gib

    @model_validator(mode="after")
    def _zones_differ(self) -> ValkeySpec:
        if self.backup_zones and len(set(self.backup_zones)) < max(2, len(self.backup_zones)):
            raise refused(
                f"backup_zones is {', '.join(self.backup_zones)}",
                allowed="two zones or more, each once",
                remedy="Name two zones that differ, or none.",
            )
        return self


class MemorystoreSpec(FeatureStoreBase):
    """Memorystore for Redis on Google Cloud: it is sold by size."""

    cloud: ClassVar[Cloud] = Cloud.GCP

    kind: Literal[FeatureStoreKind.REDIS] = FeatureStoreKind.REDIS
    """Google Cloud's default."""
    memory_gib: Annotated[int, Field(ge=1, le=300)]
    """Memory of the instance: Memorystore is sold by size, 1 to 300 GiB; rows may fill 80 % of it."""
    zones: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-f]$")], ...], Field(min_length=2, max_length=2)] = (
        "b",
        "c",
    )
    """The letters of the two zones that hold the instance and its standby, in any order; other ones replace it."""

    @property
    def gib(self) -> int:
        return self.memory_gib

    @property
    def rows_gib(self) -> float:
        """What rows may fill: the rest is left to exports, which copy on write what changes meanwhile."""
        return round(self.memory_gib * REDIS_ROWS_PERCENT / 100, 2)

    @model_validator(mode="after")
    def _zones_differ(self) -> MemorystoreSpec:
        check_each_once("zones", self.zones)
        return self


class FirestoreSpec(FeatureStoreBase):
    """Firestore in native mode on Google Cloud: it bills by document and grows by itself."""

    cloud: ClassVar[Cloud] = Cloud.GCP

    kind: Literal[FeatureStoreKind.FIRESTORE] = FeatureStoreKind.FIRESTORE
    expected_gib: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Rows that exports and restores are planned for: Firestore grows by itself, and their time with it."""

    @property
    def gib(self) -> int:
        return self.expected_gib


class BigtableSpec(FeatureStoreBase):
    """Bigtable on Google Cloud: it is sold by node, in both regions."""

    cloud: ClassVar[Cloud] = Cloud.GCP
    fewest_hours_between_points: ClassVar[int] = 24
    most_retention_days: ClassVar[int] = BIGTABLE_BACKUP_DAYS_MAX

    kind: Literal[FeatureStoreKind.BIGTABLE] = FeatureStoreKind.BIGTABLE
    min_nodes: Annotated[int, Field(ge=1, le=10)] = 1
    """Fewest nodes of each cluster."""
    max_nodes: Annotated[int, Field(ge=1, le=10)] = 3
    """Most nodes of each cluster; at most ten times the fewest."""
    expected_gib: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Rows that backups and restores are planned for: Bigtable grows by itself, and their time with it."""
    zone: Annotated[str, Field(pattern=r"^[a-f]$")] = "b"
    """The letter of the zone that holds the first cluster; another one replaces the instance."""
    backup_zone: Annotated[str, Field(pattern=r"^[a-f]$")] = "b"
    """The letter of the backup region's zone that holds the second cluster; another one replaces the instance."""

    @property
    def gib(self) -> int:
        return self.expected_gib

    @model_validator(mode="after")
    def _min_within_max(self) -> BigtableSpec:
        check_order("min_nodes", self.min_nodes, "max_nodes", self.max_nodes)
        return self


FeatureStoreSpec = Annotated[
    DynamoDBSpec | ValkeySpec | MemorystoreSpec | FirestoreSpec | BigtableSpec, Field(discriminator="kind")
]
"""The store of per-entity features that predictions look up."""

DEFAULT_KIND: Final[Mapping[Cloud, FeatureStoreKind]] = {
    Cloud.AWS: FeatureStoreKind.DYNAMODB,
    Cloud.GCP: FeatureStoreKind.REDIS,
}


def kinds_of(cloud: Cloud) -> list[FeatureStoreKind]:
    """The kinds that a cloud offers, its default first."""
    specs: tuple[type[FeatureStoreBase], ...] = get_args(get_args(FeatureStoreSpec)[0])
    offered = [spec.model_fields["kind"].default for spec in specs if spec.cloud is cloud]
    return sorted(offered, key=lambda kind: (kind is not DEFAULT_KIND[cloud], kind))


@dataclass(frozen=True)
class SecretFile:
    """A file that a consumer reads, named to it by the environment variable `variable`."""

    variable: str
    name: str
    content: pulumi.Output[str] = field(repr=False)


@dataclass(frozen=True)
class FeatureStoreRef:
    """The feature store, and all that a pod needs in order to read it.

    `doors` are where it is reached.
    """

    kind: FeatureStoreKind
    name: str
    region: str
    id: pulumi.Output[str]
    gib: int
    """GiB that a copy of all rows has, as the store is planned."""
    environment: Mapping[str, pulumi.Input[str]]
    """Variables without secrets, the kind and its address among them."""
    secret_files: tuple[SecretFile, ...] = ()
    writer: str = ""
    """The store's own user that may write, where it has users."""
    doors: tuple[Door, ...] = ()
    export_identity: pulumi.Output[str] | None = None
    """Who writes the store's exports, where it has an identity of its own for that: a backup must let it in."""


def not_here(spec: FeatureStoreBase, cloud: Cloud) -> ValueError:
    """The error of a cloud that is asked for a kind which it does not offer."""
    return ValueError(
        f"feature_store is a {type(spec).__name__}, which {cloud} does not offer; choose another feature_store.kind"
    )
