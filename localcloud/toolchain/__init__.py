"""External programs that Seawall runs and that no Python environment carries: found, or built once into the cache."""

from __future__ import annotations

from localcloud.toolchain.bigtable import ensure_bigtable_emulator
from localcloud.toolchain.crane import ensure_crane
from localcloud.toolchain.envoy import ensure_envoy
from localcloud.toolchain.rclone import ensure_rclone
from localcloud.toolchain.redis import ensure_redis_server
from localcloud.toolchain.serving import ensure_serving_environment

__all__ = [
    "ensure_bigtable_emulator",
    "ensure_crane",
    "ensure_envoy",
    "ensure_rclone",
    "ensure_redis_server",
    "ensure_serving_environment",
]
