"""Services as settings may have them, for properties of what is computed from a service."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from components.contracts.rollout_specs import Rolling
from components.contracts.scaling import ScalingSpec
from components.contracts.services import ModelSpec, ObjectiveSpec, ReleaseSpec, ServiceSpec
from components.contracts.variant_specs import FallbackSpec


def services(**varied: st.SearchStrategy[Any]) -> st.SearchStrategy[ServiceSpec]:
    """Services of one model, one variant and one replica, in which only the fields of `varied` vary."""
    fixed: dict[str, Any] = {
        "release": ReleaseSpec(version="1.0.1", manifest_sha256="0" * 64),
        "models": {"classifier": ModelSpec(gpu_memory_mib=900)},
        "objective": ObjectiveSpec(p99_ms=250, availability_percent=99.0),
        "fallback": FallbackSpec(none_because="no other model answers this question"),
        "traffic": Rolling(),
        "challengers": {},
        "hours": None,
        "rate_limiter": None,
        "scaling": ScalingSpec(),
        "warm_replicas": 0,
        "min_replicas": 1,
        "max_replicas": 1,
        "max_unavailable": 1,
        "shared_memory_gib": 1,
        "drain_seconds": 15,
        "exit_timeout_seconds": 30,
        "vcpus_per_replica": 2,
        "memory_gib_per_replica": 8,
    }
    return st.builds(ServiceSpec, **{name: st.just(value) for name, value in fixed.items()} | varied)
