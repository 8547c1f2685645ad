"""What is laid for a service at the door: objects in order, secrets as secrets, and a recorder that understands."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi

from common.marks import UNKNOWN
from components.contracts.variant_specs import Shadow
from components.contracts.vocabulary import Cloud
from components.kubernetes.variants.laying import objects_of, with_secrets
from components.kubernetes.variants.recorder import arguments
from serving_image.answer_recorder import __main__ as recorder
from tests.components.kubernetes.variants.services import AB, DOOR, SHADOW, SMALL, service


def kinds(**changed: Any) -> list[str]:
    fleet = {"tumour-risk": service(**changed), "small": SMALL}
    return [each["kind"] for each in objects_of("tumour-risk", fleet, DOOR, "10.0.0.1")]


def test_a_plain_service_has_two_routes_and_nothing_else() -> None:
    assert kinds() == ["HTTPRoute", "GRPCRoute"]


def test_an_experiment_has_its_filter() -> None:
    assert kinds(**AB) == ["HTTPRoute", "GRPCRoute", "EnvoyExtensionPolicy"]


def test_a_fallback_has_its_backends_before_the_routes_that_name_them() -> None:
    assert kinds(fallback={"service": "small", "after_ms": 100}) == [
        *("Backend", "Backend", "HTTPRoute", "GRPCRoute"),
        *("BackendTrafficPolicy", "EnvoyExtensionPolicy"),
    ]


def test_the_salt_is_laid_as_a_secret() -> None:
    fleet = {"tumour-risk": service(**AB), "small": SMALL}
    (policy,) = (each for each in objects_of("tumour-risk", fleet, DOOR, None) if "lua" in each["spec"])

    async def laid() -> Any:
        return with_secrets(policy)["spec"]["lua"][0]["filterContext"]

    marked = asyncio.run(laid())
    assert isinstance(marked["salt"], pulumi.Output)
    assert "0123456789abcdef" not in json.dumps({**marked, "salt": ""})


def test_the_recorder_understands_what_it_is_told() -> None:
    spec = service(**SHADOW)
    assert isinstance(spec.traffic, Shadow)
    told = arguments("tumour-risk", spec, spec.traffic, request_mib=8)
    assert told[:2] == ["--variant=stable=http://tumour-risk:8000", "--variant=b=http://tumour-risk-b:8000"]
    asked = recorder.parser().parse_args(told)
    assert dict(asked.variant) == {"stable": "http://tumour-risk:8000", "b": "http://tumour-risk-b:8000"}
    assert (asked.port, asked.limit_bytes) == (8000, 8 * 1024**2)


def test_a_stack_with_a_fallback_lays_it_at_the_address_that_its_service_will_have(plan_platform: Any) -> None:
    first = plan_platform(Cloud.AWS).settings.model_dump(mode="json")["fleet"]["services"]["tumour-risk"]
    services = {"tumour-risk": {"fallback": {"service": "small", "none_because": None}}, "small": first}
    fleet = {"services": services, "drilled": "tumour-risk"}
    found = plan_platform(Cloud.AWS, fleet=fleet, pools={"gpu": {"max_nodes": 8}}).inventory
    backends = [each.inputs["spec"] for each in found.resources if each.inputs.get("kind") == "Backend"]
    assert [each["endpoints"][0]["ip"]["address"] for each in backends] == [UNKNOWN, UNKNOWN]
    (chart,) = (
        each.inputs["values"] for each in found.resources if each.name == "envoy-gateway" and "chart" in each.inputs
    )
    assert chart["config"]["envoyGateway"]["extensionApis"]["enableBackend"] is True
