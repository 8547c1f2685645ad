"""What a fleet is made of: services, each with its models, its machines, its promise and its way of sharing traffic.

Bounds that a service can be held to by itself stand here; what it takes of the pools beside other services is
`stacks.fitting`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator, model_validator

from components.contracts.door import GATEWAY
from components.contracts.model_versions import RELEASE_REMEDY, is_release
from components.contracts.scaling import ROLLOUT_SURGE, ScalingSpec, replica_start_seconds
from components.contracts.spec import Spec, check_each_once, check_order, refused
from components.contracts.traffic_specs import Rolling, TrafficSpec
from components.contracts.variant_specs import FallbackSpec
from components.contracts.variants import STABLE
from components.contracts.vocabulary import Accelerator

CPU: Final = "cpu"
"""What a service runs on that needs no GPU."""
WARM_SUFFIX: Final = "-warm"
"""What the Deployment that holds machines ready is called after its service."""
TAKEN_VARIANTS: Final = frozenset(
    {STABLE, "primary", "canary", WARM_SUFFIX.removeprefix("-"), "grpc", "recorder", "releases", "weights"}
)
"""Names that a challenger cannot have, nor a service end in: Flagger calls its own objects `<service>-primary` and
`<service>-canary`; gRPC clients ask `<service>-grpc.<domain>`; the others are objects beside a service."""
TAKEN_SERVICES: Final = frozenset({GATEWAY})
"""Names that no service can have: those of objects of the door beside the services'."""
NO_FALLBACK: Final = frozenset({"canary", "bandit"})
"""Strategies whose controller puts its own list of backends into the route."""
BY_FLAGGER: Final = frozenset({"canary"})
"""Strategies under which Flagger's copy of the Deployment serves."""
SERVICE_PATTERN: Final = r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"
"""A DNS label of at most 20 characters, so that a variant's and a rollout's suffix leave it one."""


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

    @field_validator("days")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_each_once("days", value)
        return value

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

    version: str
    """Its name, as it was published: major.minor.pipeline, as 1.0.1."""
    manifest_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The digest of its manifest, as `seawall models publish` and `seawall models digest` print it."""
    signers: tuple[Annotated[str, Field(pattern=r"^SHA256:[0-9a-f]{64}$")], ...] = ()
    """Fingerprints of the keys of those who may publish, as `seawall models signer` prints them: pods serve nothing
    that none of these signed."""

    @field_validator("version")
    @classmethod
    def _named(cls, value: str) -> str:
        if not is_release(value):
            raise refused(f"{value!r} cannot name a release", allowed="major.minor.pipeline", remedy=RELEASE_REMEDY)
        return value


class ObjectiveSpec(Spec):
    """What a service promises; rollouts are judged by it, and alerts go by it."""

    p99_ms: Annotated[int, Field(ge=1, le=60_000)]
    """Of a hundred answers, 99 come within this many milliseconds, measured at the door."""
    availability_percent: Annotated[float, Field(ge=90, lt=100)]
    """How many of a hundred requests get an answer that is no failure of ours, over 30 days."""


class ModelSpec(Spec):
    """One model of a release that takes memory of a GPU: what its instance group says, and what an instance needs."""

    instances: Annotated[int, Field(ge=1, le=64)] = 1
    """Copies of the model on each GPU, as `count` of its instance group."""
    gpu_memory_mib: Annotated[int, Field(ge=1)]
    """GPU memory of one instance under full batches: weights, activations and the backend's arena. Measure it."""
    gpus: Annotated[int, Field(ge=1, le=8)] = 1
    """GPUs that one instance spans, each with an equal part of its memory."""


class RateLimiterSpec(Spec):
    """Triton's rate limiter: models that share a GPU run only while the resources that they name are free."""

    resources: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")], Annotated[int, Field(ge=1, le=10_000)]],
        Field(min_length=1),
    ]
    """Resource → how many there are on each GPU; models name them in their instance group's `rate_limiter`."""


class ChallengerSpec(Spec):
    """Another variant of a service, which runs beside the stable one on the same kind of machine."""

    release: ReleaseSpec
    """What it serves."""
    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Fewest replicas."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """Most replicas; the pools must have room for them beside all others."""
    models: dict[str, ModelSpec] | None = None
    """Its models on the GPU, where they are not the stable variant's."""

    @model_validator(mode="after")
    def _min_within_max(self) -> ChallengerSpec:
        check_order("min_replicas", self.min_replicas, "max_replicas", self.max_replicas)
        return self


class ServiceSpec(Spec):
    """One service: the models that answer one kind of request, and what they run on."""

    release: ReleaseSpec
    """What the stable variant serves: a published release, pinned by digest."""
    accelerator: Accelerator | Literal["cpu"]
    """The GPU that each replica needs, or cpu."""
    gpus_per_replica: Annotated[int, Field(ge=1, le=8)] = 1
    """Whole GPUs of each replica; nothing on cpu."""
    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 2
    """Fewest replicas; the autoscaler owns the number in between."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)]
    """Most replicas; the pools must have room for them at max_nodes, and for what a rollout starts beside them."""
    warm_replicas: Annotated[int, Field(ge=0, le=50)] = 0
    """Replicas for which machines stand ready with the image on their disk: a new replica waits for its release
    alone. The pools need room for them beside max_replicas. With hours, another number counts from the next start."""
    max_unavailable: Annotated[int, Field(ge=0, le=1000)] = 1
    """Replicas that upkeep of machines may take away at once."""
    vcpus_per_replica: Annotated[int, Field(ge=1)] = 2
    """CPU request of each replica; a machine of some pool must have room for it."""
    memory_gib_per_replica: Annotated[int, Field(ge=1)] = 8
    """Memory request and limit of each replica; a machine of some pool must have room for it."""
    shared_memory_gib: Annotated[int, Field(ge=1)] = 1
    """Of that memory, what processes of one replica may share: Python models pass tensors through it, and GPUs of one
    replica theirs where they have no faster way."""
    repository_gib: Annotated[int, Field(ge=1)] = 10
    """Disk for the release that each replica fetches before it starts; the pool's must have room."""
    scaling: ScalingSpec = ScalingSpec()
    """When the service grows and shrinks."""
    drain_seconds: Annotated[int, Field(ge=5, le=120)] = 15
    """Seconds between leaving the load balancer and the server's own shutdown."""
    exit_timeout_seconds: Annotated[int, Field(ge=5, le=600)] = 30
    """Seconds that Triton waits for requests in flight when it is asked to stop."""
    hours: HoursSpec | None = None
    """When the service runs, outside production; left out: always."""
    objective: ObjectiveSpec
    """What the service promises."""
    models: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")], ModelSpec] = Field(
        default_factory=dict
    )
    """The release's models that take memory of the GPU: together they must fit on it. None on cpu."""
    rate_limiter: RateLimiterSpec | None = None
    """Which models may run at the same time on a GPU; left out: all."""
    traffic: TrafficSpec = Rolling()
    """How requests are shared out between variants, and how a new release takes over."""
    challengers: dict[Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")], ChallengerSpec] = Field(
        default_factory=dict
    )
    """Other variants by name, for strategies that send them requests."""
    fallback: FallbackSpec
    """Who answers when this service fails or is late."""

    @field_validator("min_replicas", mode="before")
    @classmethod
    def _never_none(cls, value: object) -> object:
        """Why no service goes to zero: docs/capacity.md."""
        if value == 0 and not isinstance(value, bool):
            longest = replica_start_seconds(cls.model_fields["repository_gib"].default)
            raise refused(
                "min_replicas is 0",
                allowed=f"1 to 1000: the first request would wait {longest} seconds for a machine, its image and the "
                "release, which no objective allows (p99_ms goes up to 60000)",
                remedy="Set min_replicas to 1 or more; outside production, hours takes the service to none at night.",
            )
        return value

    @field_validator("accelerator", mode="wrap")
    @classmethod
    def _known_accelerator(cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        """One refusal, where a union would make two."""
        del info
        known = [*(str(accelerator) for accelerator in Accelerator), CPU]
        if value not in known:
            raise refused(f"{value!r} is no accelerator", allowed=", ".join(known), remedy="Choose one of these.")
        return handler(value)

    @property
    def gpu(self) -> Accelerator | None:
        """The GPU of each replica, if it has one."""
        return None if self.accelerator == CPU else Accelerator(self.accelerator)

    @property
    def gpus(self) -> int:
        """How many GPUs a replica has."""
        return self.gpus_per_replica if self.gpu else 0

    @property
    def termination_seconds(self) -> int:
        """Seconds that a replica's end takes at most: it drains, Triton exits, and there is a margin."""
        return self.drain_seconds + self.exit_timeout_seconds + SHUTDOWN_MARGIN_SECONDS

    @property
    def fewest_replicas(self) -> int:
        """Replicas whose machines never go: the variants' fewest, and warm ones."""
        return self.min_replicas + sum(each.min_replicas for each in self.challengers.values()) + self.warm_replicas

    @property
    def most_replicas(self) -> int:
        """Replicas that may run at once, whatever happens: the variants' most, a rollout's extra, and warm ones."""
        challengers = sum(each.max_replicas + ROLLOUT_SURGE for each in self.challengers.values())
        return self.rolled(self.max_replicas) + challengers + self.warm_replicas

    def rolled(self, replicas: int) -> int:
        """Replicas of the stable variant that run at most during a rollout at so many."""
        return replicas + self.traffic.extra_replicas(replicas)

    @model_validator(mode="after")
    def _min_within_max(self) -> ServiceSpec:
        check_order("min_replicas", self.min_replicas, "max_replicas", self.max_replicas)
        check_order(
            "shared_memory_gib", self.shared_memory_gib, "memory_gib_per_replica", self.memory_gib_per_replica
        )
        return self

    @model_validator(mode="after")
    def _upkeep_goes_on(self) -> ServiceSpec:
        """A budget that lets no replica go holds up each drain of a machine for ever."""
        most = max(1, self.min_replicas - 1)
        if not 1 <= self.max_unavailable <= most:
            raise refused(
                f"max_unavailable is {self.max_unavailable}, and min_replicas is {self.min_replicas}",
                allowed=f"1 to {most}: with 0 no machine could ever be drained, and one replica must stay of several",
                remedy="Set max_unavailable to 1, or raise min_replicas.",
            )
        return self

    @model_validator(mode="after")
    def _hours_scale_what_serves(self) -> ServiceSpec:
        """Flagger's own Deployment serves, and the one that hours would scale has no replica."""
        if self.hours is not None and self.traffic.strategy in BY_FLAGGER:
            raise refused(
                f"hours beside {self.traffic.strategy}, whose controller scales the service's replicas itself",
                allowed=f"hours with any strategy but {', '.join(sorted(BY_FLAGGER))}",
                remedy="Remove hours, or choose rolling.",
            )
        return self

    @model_validator(mode="after")
    def _cpu_has_no_gpu(self) -> ServiceSpec:
        if self.gpu is None:
            given = {
                "gpus_per_replica": self.gpus_per_replica > 1,
                "models": bool(self.models),
                "rate_limiter": self.rate_limiter is not None,
            }
            told = [name for name, is_given in given.items() if is_given]
            if told:
                raise refused(
                    f"{', '.join(told)} on cpu",
                    allowed="gpus_per_replica, models and rate_limiter beside a GPU only",
                    remedy="Remove them, or choose a GPU.",
                )
        elif not self.models:
            raise refused(
                f"no models on a {self.accelerator}",
                allowed="each model of the release that takes memory of the GPU, with gpu_memory_mib",
                remedy="Name them under models, or set accelerator to cpu.",
            )
        return self

    @model_validator(mode="after")
    def _models_span_what_there_is(self) -> ServiceSpec:
        for name, model in self.models.items():
            if model.gpus > self.gpus:
                raise refused(
                    f"the model {name} spans {model.gpus} GPUs, and gpus_per_replica is {self.gpus_per_replica}",
                    allowed="models that span no more GPUs than a replica has",
                    remedy=f"Raise gpus_per_replica to {model.gpus}, or lower the model's gpus.",
                )
        return self

    @model_validator(mode="after")
    def _challengers_get_requests(self) -> ServiceSpec:
        taken = sorted(TAKEN_VARIANTS & set(self.challengers))
        if taken:
            raise refused(
                f"a challenger is called {taken[0]}",
                allowed=f"a name other than {', '.join(sorted(TAKEN_VARIANTS))}",
                remedy="Rename it.",
            )
        if bool(self.challengers) != self.traffic.takes_challengers:
            raise refused(
                f"{len(self.challengers)} challengers with the strategy {self.traffic.strategy}",
                allowed="challengers with blue-green, shadow, a-b and bandit, and only with these",
                remedy="Add challengers, or remove them, or choose another traffic.strategy.",
            )
        self.traffic.check_service((STABLE, *self.challengers), self.objective.p99_ms)
        return self

    @model_validator(mode="after")
    def _fallback_is_there(self) -> ServiceSpec:
        """A route to a challenger that is none would answer nothing."""
        there = frozenset(self.challengers)
        if self.fallback.challenger is not None and self.fallback.challenger not in there:
            raise refused(
                f"the fallback is the challenger {self.fallback.challenger}, which is not there",
                allowed=", ".join(sorted(there)) or "a service, or none_because: there is no challenger",
                remedy="Name another fallback.",
            )
        if self.fallback.answers and self.traffic.strategy in NO_FALLBACK:
            raise refused(
                f"a fallback beside {self.traffic.strategy}, whose controller writes the route's backends",
                allowed="a fallback beside rolling, blue-green, shadow, a-b and contextual",
                remedy="Set fallback.none_because, or choose another traffic.strategy.",
            )
        return self


@dataclass(frozen=True)
class Variant:
    """One set of replicas of a service, which serve one release."""

    service: str
    """The service's name."""
    name: str
    """`stable`, or the challenger's."""
    release: ReleaseSpec
    min_replicas: int
    max_replicas: int
    models: Mapping[str, ModelSpec]
    spec: ServiceSpec
    """What it has in common with the service's other variants."""

    @property
    def stable(self) -> bool:
        """Whether it is the one that answers unless a strategy says otherwise."""
        return self.name == STABLE

    @property
    def object_name(self) -> str:
        """What its Deployment, Service, autoscaler and disruption budget are called."""
        return self.service if self.stable else f"{self.service}-{self.name}"


def variants_of(name: str, spec: ServiceSpec) -> tuple[Variant, ...]:
    """The variants of the service `name`, the stable one first."""
    stable = Variant(name, STABLE, spec.release, spec.min_replicas, spec.max_replicas, spec.models, spec)
    others = (
        Variant(
            name,
            challenger,
            own.release,
            own.min_replicas,
            own.max_replicas,
            spec.models if own.models is None else own.models,
            spec,
        )
        for challenger, own in spec.challengers.items()
    )
    return (stable, *others)
