"""The words that both clouds share; each docstring also says what the word is not."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal


class Cloud(StrEnum):
    """A cloud provider. Not an account or a region."""

    AWS = "aws"
    GCP = "gcp"


class Environment(StrEnum):
    """A stage of delivery. Not a cloud: each environment exists on both."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


BOOTSTRAP: Final[Literal["bootstrap"]] = "bootstrap"
"""What stands in an environment's place in the names of a bootstrap stack, which serves all of its account."""


class Capacity(StrEnum):
    """How a pool's machines are bought. Not how many there are."""

    RESERVATION = "reservation"
    """Paid for whether it runs or not; the cloud keeps it ready."""
    ON_DEMAND = "on-demand"
    FLEX_START = "flex-start"
    """Google Cloud's Dynamic Workload Scheduler: waits for its turn, and runs for at most seven days."""
    SPOT = "spot"
    """Cheap, and taken back at short notice."""


class Accelerator(StrEnum):
    """A GPU model. Not a machine type: one machine may carry several."""

    T4 = "t4"
    A10G = "a10g"
    L4 = "l4"
    L40S = "l40s"
    A100 = "a100"
    """The one with 40 GB."""
    A100_80GB = "a100-80gb"
    H100 = "h100"
    H200 = "h200"
    B200 = "b200"
    RTX_PRO_6000 = "rtx-pro-6000"
    """The Blackwell Server Edition."""


SYSTEM_POOL: Final = "system"
"""The key of the pool that carries everything but the fleet."""


class SharingStrategy(StrEnum):
    """How several pods use one GPU at the same time. Not how many GPUs a pod has."""

    TIME_SLICING = "time-slicing"
    """They take turns; each sees all of the memory, and none is kept from using it up."""
    MPS = "mps"
    """NVIDIA's Multi-Process Service: they run side by side, with a part of the memory each."""
    MIG = "mig"
    """The GPU is cut into instances with memory and processors of their own."""


class OptOut(StrEnum):
    """A safe default that a stack may give up, with a reason. Not a feature flag."""

    DELETION_PROTECTION = "deletion_protection"
    """Stateful resources may be destroyed with the stack."""
    FEATURE_READ_EVENTS = "feature_read_events"
    """The fleet's own reads of the feature store are not logged; everyone else's are, and all writes."""
    ON_DEMAND_CAPACITY = "on_demand_capacity"
    """A production stack may run on spot capacity alone."""
    UNSIGNED_RELEASES = "unsigned_releases"
    """Outside staging and production, the fleet may serve a release that nobody signed."""
    PUBLIC_CONTROL_PLANE = "public_control_plane"
    """The control plane may answer over the internet, to the networks that `cluster.authorized_cidrs` names."""
