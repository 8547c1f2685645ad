"""What a service may ask for, and what it is refused with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.contracts.services import ServiceSpec, Variant, variants_of

RELEASE = {"version": "1.0.1", "manifest_sha256": "0" * 64}
SERVICE: dict[str, Any] = {
    "release": RELEASE,
    "accelerator": "l4",
    "max_replicas": 4,
    "objective": {"p99_ms": 250, "availability_percent": 99.9},
    "models": {"classifier": {"gpu_memory_mib": 900}},
    "fallback": {"none_because": "no other model answers this question"},
}


def service(**changed: Any) -> ServiceSpec:
    return ServiceSpec.model_validate_json(json.dumps({**SERVICE, **changed}))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"accelerator": "gtx"}, "no accelerator"),
        ({"accelerator": "cpu"}, "models on cpu"),
        ({"accelerator": "cpu", "models": {}, "gpus_per_replica": 2}, "gpus_per_replica on cpu"),
        ({"models": {}}, "no models on a l4"),
        ({"models": {"large": {"gpu_memory_mib": 9, "gpus": 2}}}, "spans 2 GPUs"),
        ({"min_replicas": 0}, "min_replicas is 0"),
        ({"min_replicas": 5}, "min_replicas is 5, more than max_replicas, which is 4"),
        ({"max_unavailable": 0}, "max_unavailable is 0"),
        ({"min_replicas": 3, "max_unavailable": 3}, "max_unavailable is 3"),
        ({"shared_memory_gib": 9}, "shared_memory_gib is 9"),
        ({"traffic": {"strategy": "shadow", "challenger": "b"}}, "0 challengers"),
        (
            {
                "traffic": {"strategy": "shadow", "challenger": "b"},
                "challengers": {"c": {"release": RELEASE, "max_replicas": 1}},
            },
            "traffic names the challengers b, and challengers has c",
        ),
        (
            {
                "traffic": {"strategy": "bandit", "reward": {"successes": "won_total", "trials": "tried_total"}},
                "challengers": {"b": {"release": RELEASE, "max_replicas": 1}},
                "fallback": {"service": "other"},
            },
            "whose controller writes the route's backends",
        ),
        ({"fallback": {"challenger": "b"}}, "the fallback is the challenger b, which is not there"),
        ({"challengers": {"b": {"release": RELEASE, "max_replicas": 1}}}, "1 challengers with the strategy rolling"),
        ({"fallback": {}}, "none_because"),
        ({"fallback": {"service": "other", "none_because": "x" * 20}}, "none_because"),
        ({"release": {**RELEASE, "version": "v1"}}, "cannot name a release"),
    ],
)
def test_a_service_that_could_not_run_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        service(**changed)


@pytest.mark.parametrize("name", ["stable", "primary", "canary", "weights", "recorder", "grpc"])
def test_a_challenger_cannot_bear_a_name_that_objects_of_the_platform_have(name: str) -> None:
    with pytest.raises(ValidationError, match=f"a challenger is called {name}"):
        service(
            traffic={"strategy": "shadow", "challenger": name},
            challengers={name: {"release": RELEASE, "max_replicas": 1}},
        )


def test_a_service_on_cpu_has_no_gpu() -> None:
    asked = service(accelerator="cpu", models={})
    assert (asked.gpu, asked.gpus) == (None, 0)


def test_the_stable_variant_bears_the_services_name_and_challengers_add_theirs() -> None:
    asked = service(
        traffic={"strategy": "shadow", "challenger": "b"}, challengers={"b": {"release": RELEASE, "max_replicas": 1}}
    )
    found: tuple[Variant, ...] = variants_of("tumour-risk", asked)
    assert [(each.object_name, each.stable) for each in found] == [("tumour-risk", True), ("tumour-risk-b", False)]
    assert found[1].models == asked.models
