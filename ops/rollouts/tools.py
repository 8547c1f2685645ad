"""What rollouts on this machine need, found or built before anything is started."""

from __future__ import annotations

from collections.abc import Iterable

from common.console import Steps
from localcloud.cluster import (
    definitions,
    ensure_control_plane,
    ensure_flagger,
    ensure_kwok,
    ensure_prometheus,
)
from localcloud.front import ensure_serving_environment
from localcloud.gateway import ensure_envoy, ensure_envoy_gateway
from ops.rollouts.stage import MINOR


def make_ready(steps: Steps | None = None, minors: Iterable[str] = (MINOR,)) -> None:
    """Have all of it in the cache; on a cold machine some twelve minutes, most of them for two programs.

    Raises:
        UserError: something cannot be had.
    """
    for minor in minors:
        ensure_control_plane(minor, steps)
    ensure_kwok(steps)
    ensure_prometheus(steps)
    ensure_envoy(steps)
    ensure_envoy_gateway(steps)
    ensure_flagger(steps)
    ensure_serving_environment(steps)
    definitions("flagger", steps)
