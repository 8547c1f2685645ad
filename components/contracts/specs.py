"""What a stack asks of a cloud: plain frozen data, units in the names, no cloud's own field in it.

Bounds that hold for every stack stand here; rules between sections are `stacks.settings`'.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from common.versions import FLAGGER
from components.contracts.backup import BackupSpec
from components.contracts.cluster import RFC_1918, ClusterSpec
from components.contracts.door import DoorSpec
from components.contracts.feature_store import DEFAULT_KIND, FeatureStoreSpec
from components.contracts.fleet_checks import check_experiments, check_times
from components.contracts.images import PublicImage, flagger_chart, flagger_image, public_images
from components.contracts.rollout_specs import Canary
from components.contracts.services import (
    SERVICE_PATTERN,
    TAKEN_SERVICES,
    TAKEN_VARIANTS,
    ServiceSpec,
    Variant,
    variants_of,
)
from components.contracts.spec import Reason, Spec, check_order, refused
from components.contracts.variant_specs import check_fallbacks, check_lateness
from components.contracts.vocabulary import Capacity, Cloud, Environment, OptOut, SharingStrategy

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
    """Most machines, over all choices together; a quota on the fleet's GPUs holds it. The pool `system` must be able
    to grow where it keeps two or more."""
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
    flagger: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """Flagger 1.36.1, which steps canaries: the digest that `docker buildx imagetools inspect
    ghcr.io/fluxcd/flagger:1.36.1` prints. A canary needs it; others may leave it out."""
    flagger_chart: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """Its Helm chart: the digest that `helm pull oci://ghcr.io/fluxcd/charts/flagger --version 1.36.1` prints."""

    def public(self, cloud: Cloud) -> Mapping[str, PublicImage]:
        """Logical name → every public image and chart that a stack with these settings keeps copies of."""
        asked: dict[str, PublicImage] = {}
        if self.flagger is not None:
            asked["flagger"] = flagger_image(self.flagger)
        if self.flagger_chart is not None:
            asked["flagger-chart"] = flagger_chart(self.flagger_chart)
        return {**public_images(cloud), **asked}


class FleetSpec(Spec):
    """The Triton fleet."""

    moved: ClassVar[Mapping[str, str]] = {
        "model_release": "services.NAME.release",
        **{
            key: f"services.NAME.{key}"
            for key in (
                "accelerator",
                "gpus_per_replica",
                "min_replicas",
                "max_replicas",
                "vcpus_per_replica",
                "memory_gib_per_replica",
                "repository_gib",
                "scaling",
                "drain_seconds",
                "exit_timeout_seconds",
                "hours",
            )
        },
    }

    images: ImagesSpec
    services: Annotated[
        dict[Annotated[str, Field(pattern=SERVICE_PATTERN)], ServiceSpec], Field(min_length=1, max_length=50)
    ]
    """What it serves, by name: a DNS label of at most 20 characters, which names it everywhere."""
    door: DoorSpec
    """How clients reach the fleet."""
    drilled: str | None = None
    """The service whose golden answers drills and demos ask for; left out: the only one."""

    @model_validator(mode="after")
    def _names_differ(self) -> FleetSpec:
        """A challenger's objects are called after the service and itself, and may not be another service's."""
        taken = tuple(f"-{suffix}" for suffix in sorted(TAKEN_VARIANTS))
        ending = [name for name in self.services if name.endswith(taken) or name in TAKEN_SERVICES]
        if ending:
            others = ", ".join(sorted(TAKEN_SERVICES))
            raise refused(
                f"a service is called {ending[0]}",
                allowed=f"names other than {others}, not ending in {', '.join(taken)}: other objects have these",
                remedy="Rename it.",
            )
        names = [variant.object_name for variant in self.variants]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise refused(
                f"two sets of replicas are called {twice[0]}",
                allowed="services and SERVICE-CHALLENGER that differ",
                remedy="Rename the service or the challenger.",
            )
        return self

    @model_validator(mode="after")
    def _fallbacks_are_there(self) -> FleetSpec:
        fallbacks = {name: service.fallback for name, service in self.services.items()}
        check_fallbacks(fallbacks)
        check_lateness(fallbacks, self.door.limits.request_seconds)
        return self

    @model_validator(mode="after")
    def _door_and_services_agree(self) -> FleetSpec:
        check_times(self.services, self.door)
        check_experiments(self.services, self.door)
        return self

    @model_validator(mode="after")
    def _canaries_have_a_controller(self) -> FleetSpec:
        missing = [key for key in ("flagger", "flagger_chart") if getattr(self.images, key) is None]
        if self.canaries and missing:
            read = {
                "flagger": f"`docker buildx imagetools inspect ghcr.io/fluxcd/flagger:{FLAGGER}`",
                "flagger_chart": f"`helm pull oci://ghcr.io/fluxcd/charts/flagger --version {FLAGGER}`",
            }
            how = ", and ".join(f"images.{key} to the digest that {read[key]} prints" for key in missing)
            raise refused(
                f"{self.canaries[0]} is a canary, and images has no {' and no '.join(missing)}",
                allowed="images.flagger and images.flagger_chart beside a canary: Flagger steps it, by digest",
                remedy=f"Set {how}.",
            )
        return self

    @model_validator(mode="after")
    def _no_fallback_is_a_canary(self) -> FleetSpec:
        for name, service in self.services.items():
            if service.fallback.service in self.canaries:
                raise refused(
                    f"the fallback of {name} is {service.fallback.service}, which is a canary",
                    allowed="a fallback with another strategy: Flagger makes a canary's Service, so that its address "
                    "is not known to the stack",
                    remedy="Name another fallback, or choose another traffic.strategy for it.",
                )
        return self

    @model_validator(mode="after")
    def _one_is_drilled(self) -> FleetSpec:
        known = ", ".join(self.services)
        if self.drilled is None and len(self.services) > 1:
            raise refused(f"none of {known} is drilled", allowed=known, remedy="Name one of these in drilled.")
        if self.drilled is not None and self.drilled not in self.services:
            raise refused(f"drilled is {self.drilled}", allowed=known, remedy="Name one of these.")
        return self

    @model_validator(mode="after")
    def _one_content_for_each_version(self) -> FleetSpec:
        """All services' releases lie in one bucket, by version."""
        pins: dict[str, str] = {}
        for variant in self.variants:
            version, digest = variant.release.version, variant.release.manifest_sha256
            if pins.setdefault(version, digest) != digest:
                raise refused(
                    f"{variant.object_name} pins another content of the release {version} than a service before it",
                    allowed="one content for each version: the services' releases lie in one bucket",
                    remedy="Publish one of them under another version.",
                )
        return self

    @property
    def drilled_service(self) -> str:
        """The service whose golden answers drills and demos ask for."""
        return self.drilled or next(iter(self.services))

    @property
    def canaries(self) -> tuple[str, ...]:
        """The services whose new releases are stepped by Flagger."""
        return tuple(name for name, service in self.services.items() if isinstance(service.traffic, Canary))

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Every set of replicas, service by service, the stable one of each first."""
        return tuple(variant for name, spec in self.services.items() for variant in variants_of(name, spec))

    @property
    def termination_seconds(self) -> int:
        """Seconds that the end of any replica takes at most."""
        return max(service.termination_seconds for service in self.services.values())


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
    opt_outs: dict[OptOut, Reason] = Field(default_factory=dict)
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
