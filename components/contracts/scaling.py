"""How a fleet follows its load: what is asked of the autoscaler, and the times that its windows must fit.

Two measures, of which the autoscaler takes the one that asks for more replicas. Busy time, a request's time in the
model without its wait, is proportional to the load and is there without any queue. The queue alone reads 0 on a fleet
that is busy to its limit, so that replicas are taken away until requests wait, and come back: 6 to 10 and back every
two minutes at a steady load that needs 8 (measured with Kubernetes' own autoscaler, November 2026). It is asked
beside it because busy time ends at what a replica can do, and cannot say how far the load is beyond that.
"""

from __future__ import annotations

import math
from typing import Annotated, Final

from pydantic import Field

from components.contracts.spec import Spec

ROLLOUT_SURGE: Final = 1
"""Replicas that a rollout starts before it stops one: without room for them it would never finish."""
AUTOSCALER_TOLERANCE: Final = 0.1
"""By how much a measure may leave its target before the autoscaler acts (Kubernetes' docs, Horizontal Pod
Autoscaling, `--horizontal-pod-autoscaler-tolerance`, read 2026-11-21)."""
BUSY_PERCENT_MAX: Final = 90
"""Busy time ends at 100 %, and an aim above this would be more than the tolerance away from it: no replica would ever
be added."""
BUSY_WINDOW_SECONDS: Final = 60
"""Busy time is a mean over this long: twelve scrapes, and about 5 % of noise at ten requests a second."""
SHRINK_SECONDS_MIN: Final = 2 * BUSY_WINDOW_SECONDS
SHRINK_SECONDS_MAX: Final = 3600
"""The longest stabilization window that the API server accepts (API reference, HPAScalingRules, read 2026-11-21)."""

GPU_MACHINE_SECONDS: Final = 300
"""Believed, 2026-11-21: from a pod that waits to a GPU machine that takes it. Reports say three to eight minutes on
GKE, and about five on EKS."""
IMAGE_SECONDS: Final = 180
"""Believed, 2026-11-21: pulling and unpacking the serving image (about 10 GB) on a new machine."""
LOAD_SECONDS: Final = 30
"""Believed, 2026-11-21: Triton's start, once the release lies on the disk."""
FETCH_MIB_PER_SECOND: Final = 200
"""Believed, 2026-11-21: a release out of a bucket of the same region, hashed and written."""


class ScalingSpec(Spec):
    """When the fleet grows and shrinks between its fewest and its most replicas."""

    requests_at_once: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Requests that a replica works on at once when it is full: instances × batch. Measure it under full load: it is
    the busy time (`seawall_busy_requests`) that a replica does not get beyond."""
    busy_percent: Annotated[int, Field(ge=30, le=BUSY_PERCENT_MAX)] = 70
    """How much of that the autoscaler aims at; the rest serves what comes while new machines start."""
    pending_requests: Annotated[int, Field(ge=1, le=1000)] = 4
    """Requests that wait at a replica from which on the fleet grows, however busy it is."""
    shrink_after_seconds: Annotated[int, Field(ge=SHRINK_SECONDS_MIN, le=SHRINK_SECONDS_MAX)] | None = None
    """How long less load must last before replicas go; left out: as long as a new machine needs until it serves."""

    @property
    def busy_requests_milli(self) -> int:
        """Busy requests of a replica that the autoscaler aims at, in thousandths."""
        return self.requests_at_once * self.busy_percent * 10


def fetch_seconds(repository_gib: int) -> int:
    """Fetching a release of this size, at each start of a replica."""
    return math.ceil(1024 * repository_gib / FETCH_MIB_PER_SECOND)


def replica_start_seconds(repository_gib: int) -> int:
    """From a replica that no machine has room for until it serves: machine, image, release, Triton."""
    return GPU_MACHINE_SECONDS + IMAGE_SECONDS + fetch_seconds(repository_gib) + LOAD_SECONDS


def shrink_after_seconds(spec: ScalingSpec, repository_gib: int) -> int:
    """Seconds of less load after which replicas go; one that goes sooner may be wanted back before it could be."""
    if spec.shrink_after_seconds is not None:
        return spec.shrink_after_seconds
    return min(SHRINK_SECONDS_MAX, replica_start_seconds(repository_gib))
