"""What a stack asks of a cloud: plain frozen data, units in the names, no cloud's own field in it.

Bounds that hold for every stack stand here; rules between sections are `stacks.settings`'.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from components.contracts.backup import BackupSpec
from components.contracts.cluster import RFC_1918, ClusterSpec
from components.contracts.feature_store import DEFAULT_KIND, FeatureStoreSpec
from components.contracts.scaling import ScalingSpec
from components.contracts.serving import RELEASE_PATTERN
from components.contracts.spec import Spec, check_order, refused
from components.contracts.vocabulary import Accelerator, Capacity, Cloud, Environment, OptOut, SharingStrategy

_WEBHOOK: Final = re.compile(r"https://([\w-]+\.)+[\w-]+(:\d+)?([/?#]\S*)?", re.ASCII)
_BRIDGE: Final = ipaddress.IPv4Network("172.17.0.0/16")


class KeysSpec(Spec):
    """Customer-managed encryption keys."""

    rotation_days: Annotated[int, Field(ge=90, le=365)] = 90
    """Days between automatic rotations (Google's benchmark asks for at most 90; AWS allows no fewer)."""
    deletion_window_days: Annotated[int, Field(ge=7, le=30)] = 30
    """Days between a key's scheduled deletion and its loss."""


class NetworkSpec(Spec):
    """The private network that everything runs in."""

    cidr: str = "10.20.0.0/16"
    """Address range of the whole network: a private /16."""

    @field_validator("cidr")
    @classmethod
    def _private(cls, value: str) -> str:
        return _private_16(value)


class StandbySpec(Spec):
    """The network that waits in the backup region."""

    cidr: str = "10.21.0.0/16"
    """Its address range: a private /16 that overlaps neither the primary's nor a connected network."""

    @field_validator("cidr")
    @classmethod
    def _private(cls, value: str) -> str:
        return _private_16(value)


def _private_16(value: str) -> str:
    """RFC 1918, not all that Python calls private: clouds refuse loopback, link-local and addresses for documents.

    Both advise against 172.17.0.0/16, which a container runtime's bridge takes on each machine; Memorystore answers
    no client there (EKS guide, "Networking requirements for VPC and subnets"; VPC, "Subnets"; Memorystore,
    "Networking"; believed, 2026-11-21).
    """
    allowed = "a /16 of 10.0.0.0/8, 172.16.0.0/12 (but 172.17.0.0/16) or 192.168.0.0/16, as 10.20.0.0/16"
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise refused(str(error), allowed=allowed, remedy="Write the network's first address and /16.") from None
    private = any(network.subnet_of(whole) for whole in RFC_1918) and network != _BRIDGE
    if network.prefixlen != 16 or not private:
        raise refused(f"{value} is not a private /16", allowed=allowed, remedy="Choose a private /16.")
    return value


class ReservationSpec(Spec):
    """Machines that the account has reserved in one zone, and pays for whether they run or not."""

    machine_type: str
    """The reserved machine type: one of the pool's."""
    zone: str
    """The zone that the reservation is in: one of the pool's."""
    machines: Annotated[int, Field(ge=1, le=1000)]
    """How many machines are reserved."""


class SharingSpec(Spec):
    """How several replicas share one GPU; a replica then asks for one share, and cannot have two."""

    strategy: SharingStrategy
    """`time-slicing` and `mig` on both clouds; `mps` is refused with its reason."""
    replicas: Annotated[int, Field(ge=0, le=48)] = 0
    """Pods that share a GPU by taking turns: 2 to 48, which is what GKE allows."""
    profile: Annotated[str, Field(pattern=r"^([1-7]g\.[0-9]+gb)?$")] = ""
    """The instances that MIG cuts each GPU into, as 1g.10gb: as many as it holds."""

    @model_validator(mode="after")
    def _what_the_strategy_takes(self) -> SharingSpec:
        if self.strategy is SharingStrategy.MIG and (self.replicas or not self.profile):
            raise refused(
                f"mig with {self.replicas} replicas and the profile {self.profile!r}",
                allowed="a profile, and no replicas: the profile says how many instances a GPU has",
                remedy="Set profile, as 1g.10gb, and remove replicas.",
            )
        if self.strategy is not SharingStrategy.MIG and (self.replicas < 2 or self.profile):
            raise refused(
                f"{self.strategy} with {self.replicas} replicas and the profile {self.profile!r}",
                allowed="2 to 48 replicas, and no profile",
                remedy="Set replicas, or choose mig.",
            )
        return self


class NodePoolSpec(Spec):
    """A group of machines with the same GPUs, which follow from the machine types."""

    machine_types: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    """The cloud's machine types in the order in which they are tried, of `components.contracts.machines`.

    All carry the same GPUs. What fits on the pool is counted on the smallest; on AWS spot machines are taken by price
    and by what is least likely to be taken back, not in this order.
    """
    min_nodes: Annotated[int, Field(ge=0, le=1000)]
    """Fewest machines, of the first choice; 0 lets the pool scale from zero."""
    max_nodes: Annotated[int, Field(ge=1, le=1000)]
    """Most machines, over all choices together; a quota on the fleet's GPUs holds it."""
    capacity: Annotated[tuple[Capacity, ...], Field(min_length=1)] = (Capacity.ON_DEMAND,)
    """How the machines are bought, in the order in which it is tried: where one is out of stock, the next is."""
    reservations: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")], ReservationSpec] = Field(
        default_factory=dict
    )
    """Reservations for the capacity `reservation`: by id (`cr-…`) on AWS, by name on Google Cloud."""
    zones: tuple[str, ...] = ()
    """Which of the stack's zones the machines may be in, each of which must sell them; left out: all of them."""
    sharing: SharingSpec | None = None
    """How replicas share each GPU; left out: each has its own."""
    disk_gib: Annotated[int, Field(ge=30, le=16000)] = 100
    """Boot or data disk of each machine; a model repository is copied to it at each start of a replica."""
    local_disk: bool = False
    """Keep images and the release on the machine's own NVMe instead: the fastest start. Its encryption is the
    hardware's, whose key goes with the machine, and not under the stack's key. Each machine type must bring NVMe."""

    @model_validator(mode="after")
    def _min_within_max(self) -> NodePoolSpec:
        check_order("min_nodes", self.min_nodes, "max_nodes", self.max_nodes)
        return self

    @field_validator("machine_types", "capacity")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise refused(f"{', '.join(value)} repeats one", allowed="each once", remedy="Remove the repeated one.")
        return value

    @model_validator(mode="after")
    def _reservations_are_used(self) -> NodePoolSpec:
        if (Capacity.RESERVATION in self.capacity) != bool(self.reservations):
            raise refused(
                f"capacity is {', '.join(self.capacity)}, and {len(self.reservations)} reservations are named",
                allowed="reservations with the capacity reservation, and only then",
                remedy="Name the reservations, or remove reservation from capacity.",
            )
        return self


class StorageSpec(Spec):
    """The model bucket and its replica in the backup region."""

    noncurrent_retention_days: Annotated[int, Field(ge=7, le=3650)] = 90
    """Days that an overwritten or deleted object's old version is kept."""


class RegistrySpec(Spec):
    """The container registry."""

    untagged_retention_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days after which an image without a tag is removed."""


class MonitoringSpec(Spec):
    """Logs and alerts."""

    log_retention_days: Literal[30, 60, 90, 180, 365, 400, 731] = 90
    """Days that logs are kept; the values that both clouds accept."""
    alert_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    """Who gets a message when an alert fires."""
    alert_webhook: SecretStr | None = None
    """An https address that gets it too; it carries a token, so set it with `pulumi config set --secret`."""

    @field_validator("alert_webhook", mode="before")
    @classmethod
    def _stand_in_for_encrypted(cls, value: object) -> object:
        """The committed file holds `{secure: …}`, which only the engine can decrypt; a plan needs no more."""
        return "https://encrypted.invalid" if isinstance(value, Mapping) and set(value) == {"secure"} else value

    @field_validator("alert_webhook")
    @classmethod
    def _https_only(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _WEBHOOK.fullmatch(value.get_secret_value()):
            raise refused(
                "the webhook is not an https address",
                allowed="https:// and a host's full name, without blanks",
                remedy="Use the https address of the receiver.",
            )
        return value


class ImagesSpec(Spec):
    """The digests of the images that run in the cluster; tags move, digests do not."""

    serving: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """The serving image in the stack's own registry, as `docker push` printed it."""


class HoursSpec(Spec):
    """When the fleet runs; outside these hours it has no replica, and GPU pools that may be empty are."""

    days: Annotated[tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(min_length=1)] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
    )
    """Days of the week on which it runs."""
    start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    """When it starts on each of them, as 07:30."""
    end: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    """When it stops on the same day."""
    time_zone: str
    """The clock's time zone by its name in the IANA database, as Europe/Berlin."""

    @model_validator(mode="after")
    def _start_before_end(self) -> HoursSpec:
        if self.start >= self.end:
            raise refused(
                f"start is {self.start}, and end is {self.end}",
                allowed="a start before the end, both of one day",
                remedy="Lower start, or raise end.",
            )
        return self

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # Imported here: the list is read from disk, and few stacks ask for it.
        from zoneinfo import available_timezones

        known = available_timezones()  # none on a machine without the database
        if "/" not in value or (known and value not in known):
            raise refused(
                f"{value} is no time zone",
                allowed="a name of the IANA time zone database, as Europe/Berlin",
                remedy="Write the zone's name; abbreviations as CET know no summer time everywhere.",
            )
        return value


SHUTDOWN_MARGIN_SECONDS: Final = 10
"""Seconds between Triton's own exit timeout and the end that Kubernetes makes."""


class ReleaseSpec(Spec):
    """A release of the model repository, and the only content that it may have."""

    version: Annotated[str, Field(pattern=RELEASE_PATTERN)]
    """Its name, as it was published."""
    manifest_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The digest of its manifest, as `seawall models publish` and `seawall models digest` print it."""
    signers: tuple[Annotated[str, Field(pattern=r"^SHA256:[0-9a-f]{64}$")], ...] = ()
    """Fingerprints of the keys of those who may publish, as `seawall models signer` prints them: pods serve nothing
    that none of these signed."""


class FleetSpec(Spec):
    """The Triton fleet."""

    images: ImagesSpec
    model_release: ReleaseSpec
    """What the fleet serves: a published release, pinned by digest."""
    accelerator: Accelerator
    """The GPU that each replica needs."""
    gpus_per_replica: Annotated[int, Field(ge=1, le=8)] = 1
    """Whole GPUs of each replica."""
    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 2
    """Fewest replicas; the autoscaler owns the number in between."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """Most replicas; the pools must have room for one more at max_nodes, which a rollout starts first."""
    vcpus_per_replica: Annotated[int, Field(ge=1)] = 2
    """CPU request of each replica; a machine of some pool must have room for it."""
    memory_gib_per_replica: Annotated[int, Field(ge=1)] = 8
    """Memory request and limit of each replica; a machine of some pool must have room for it."""
    repository_gib: Annotated[int, Field(ge=1)] = 10
    """Disk for the release that each replica fetches before it starts; the pool's must have room."""
    scaling: ScalingSpec = ScalingSpec()
    """When the fleet grows and shrinks."""
    drain_seconds: Annotated[int, Field(ge=5, le=120)] = 15
    """Seconds between leaving the load balancer and the server's own shutdown."""
    exit_timeout_seconds: Annotated[int, Field(ge=5, le=600)] = 30
    """Seconds that Triton waits for requests in flight when it is asked to stop."""
    hours: HoursSpec | None = None
    """When the fleet runs, outside production; left out: always."""

    @property
    def termination_seconds(self) -> int:
        """Seconds that a replica's end takes at most: it drains, Triton exits, and there is a margin."""
        return self.drain_seconds + self.exit_timeout_seconds + SHUTDOWN_MARGIN_SECONDS

    @model_validator(mode="after")
    def _min_within_max(self) -> FleetSpec:
        check_order("min_replicas", self.min_replicas, "max_replicas", self.max_replicas)
        return self


class StackSpec(Spec):
    """All that one stack asks for, section by section; each is sound by itself, not yet together."""

    cloud: Cloud
    """The cloud that the stack runs on."""
    environment: Environment
    """The stage of delivery."""
    account: str
    """AWS: the account's 12 digits. Google Cloud: the project's id."""
    project_number: Annotated[str, Field(pattern=r"^\d*$")] = ""
    """Google Cloud only: the project's number, which names its service agents."""
    generation: Annotated[int, Field(ge=1, le=99)] = 1
    """Google Cloud only: one more than the last time, where a stack of this name was destroyed in the project before.
    Cloud KMS never gives up a key's name, a deleted transfer job's is taken for 30 days, a log bucket's for 7. Key
    rings are imported. In a stack that is up it would replace its keys."""
    region: str
    """The primary region."""
    zones: Annotated[tuple[str, ...], Field(min_length=2, max_length=6)]
    """Zones of the primary region that machines are spread over; on AWS by id, as euc1-az1."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of your own on every resource, as an owner or a cost centre."""
    opt_outs: dict[OptOut, Annotated[str, Field(min_length=20, max_length=300)]] = Field(default_factory=dict)
    """Safe defaults that this stack gives up → the reason, which the policy report prints."""
    keys: KeysSpec = KeysSpec()
    """Customer-managed keys."""
    network: NetworkSpec = NetworkSpec()
    """The private network."""
    standby: StandbySpec = StandbySpec()
    """The network that waits in the backup region."""
    cluster: ClusterSpec
    """The Kubernetes cluster."""
    pools: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")], NodePoolSpec], Field(min_length=2)
    ]
    """Node pools by key: `system`, and at least one with the fleet's GPU."""
    storage: StorageSpec = StorageSpec()
    """The model bucket."""
    feature_store: FeatureStoreSpec
    """The feature store: its kind (left out: the cloud's own), and what that kind can be told."""
    registry: RegistrySpec = RegistrySpec()
    """The container registry."""
    backup: BackupSpec
    """Copies in another region."""
    monitoring: MonitoringSpec
    """Logs and alerts."""
    fleet: FleetSpec
    """The Triton fleet."""

    @classmethod
    def of_written(cls, values: object) -> Self:
        """Validate settings as a stack's file has them; naming no kind of feature store means the cloud's own.

        Raises:
            pydantic.ValidationError: with every problem of a section.
        """
        asked = values.get("feature_store", {}) if isinstance(values, Mapping) else None
        if isinstance(values, Mapping) and isinstance(asked, Mapping):
            # A cloud that does not exist is a problem of its own, and no second one.
            cloud = Cloud(values["cloud"]) if values.get("cloud") in list(Cloud) else Cloud.AWS
            values = {**values, "feature_store": {"kind": str(DEFAULT_KIND[cloud]), **asked}}
        return cls.model_validate_json(json.dumps(values, default=str))
