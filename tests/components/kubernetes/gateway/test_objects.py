"""The door's objects: what each setting becomes, and that all of it is what Envoy Gateway's definitions take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from components.aws.door import exposure as on_aws
from components.contracts.apart import Apart
from components.contracts.door import RESERVED_PREFIXES, DoorSpec, Exposure
from components.contracts.place import Place
from components.contracts.vocabulary import Cloud, Environment
from components.gcp.door import exposure as on_gcp
from components.kubernetes.custom import Manifest
from components.kubernetes.gateway.objects import (
    NOT_REPEATED_TRIGGERS,
    careful_policy,
    client_policy,
    door_objects,
    gateway,
    proxy,
    security_policy,
    traffic,
)
from components.kubernetes.routes import HeaderMatch, Mirror, Routes, Rule, Session, To, grpc_route, http_route
from localcloud.toolchain.definitions import definitions
from policies.inventory import Inventory, Resource
from tests.components.kubernetes.gateway.doors import JWT, MTLS, NONE, PUBLIC, a_door

NETWORKS = ("10.20.0.0/16", "10.64.0.0/16")


def place(cloud: Cloud) -> Place:
    return Place(
        cloud=cloud,
        environment=Environment.DEV,
        account="111122223333",
        region="eu-central-1",
        backup_region="eu-north-1",
        zones=("euc1-az1",),
        project_number="",
        extra_labels={},
        opt_outs={},
        generation=1,
    )


def of(kind: str, spec: DoorSpec, exposure: Exposure = Exposure()) -> dict[str, Any]:  # noqa: B008 - frozen
    (found,) = (
        item["spec"]
        for item in door_objects(spec, envoy_image="e", exposure=exposure, apart=Apart(2))
        if item["kind"] == kind
    )
    return found


# What the definitions say


@pytest.fixture(scope="module")
def schemas() -> Mapping[tuple[str, str], Any]:
    """API version and kind → the schema, in which no unknown field passes."""
    found = [*definitions("envoy-gateway"), *definitions("cert-manager")]
    return {
        (f"{item['spec']['group']}/{version['name']}", item["spec"]["names"]["kind"]): strict(
            version["schema"]["openAPIV3Schema"]
        )
        for item in found
        for version in item["spec"]["versions"]
        if version["served"]
    }


def strict(schema: Any) -> Any:
    """As an API server prunes: a field that an object's schema does not have is an error."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema and "additionalProperties" not in schema:
        told["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    if schema.get("x-kubernetes-int-or-string"):
        told.pop("type", None)
    return told


def wrong(item: Manifest, schemas: Mapping[tuple[str, str], Any]) -> list[str]:
    schema = schemas[item["apiVersion"], item["kind"]]["properties"]["spec"]
    return [
        f"{item['kind']} {error.json_path}: {error.message}"
        for error in jsonschema.Draft202012Validator(schema).iter_errors(item["spec"])
    ]


def all_forms() -> Iterator[Manifest]:
    rule = Rule(
        "all",
        (To("risk", 90, {"x-seawall-variant": "stable"}), To("risk-b", 10, {}, {"x-seawall-variant": "b"})),
        headers=(HeaderMatch("x-cohort", "b.*", "RegularExpression"),),
        mirrors=(Mirror("risk-shadow", 25),),
        set_request_headers={"x-a": "1"},
        remove_request_headers=("x-b",),
        set_response_headers={"x-c": "1"},
        session=Session("variant"),
        request_seconds=3,
        attempt_seconds=1,
    )
    routes = Routes("risk", (rule,))
    yield from (http_route(routes, "models.example.com"), grpc_route(routes, "models.example.com"))
    for authentication in (JWT, MTLS, NONE):
        door = a_door(authentication=authentication)
        yield from door_objects(
            door, envoy_image="e", exposure=on_aws(place(Cloud.AWS), door, NETWORKS), apart=Apart(2)
        )
    yield careful_policy(a_door(), "risk")


def test_every_object_is_valid_for_its_definition(schemas: Mapping[tuple[str, str], Any]) -> None:
    assert not [found for item in all_forms() for found in wrong(item, schemas)]


def test_a_misspelt_field_would_be_noticed(schemas: Mapping[tuple[str, str], Any]) -> None:
    item = client_policy(a_door())
    item["spec"]["tls"]["minimumVersion"] = item["spec"]["tls"].pop("minVersion")
    assert wrong(item, schemas)


# Who comes in


def test_tls_ends_at_the_door_and_never_below_the_version_asked_for() -> None:
    (listener,) = gateway(a_door())["spec"]["listeners"]

    assert (listener["protocol"], listener["tls"]["mode"]) == ("HTTPS", "Terminate")
    assert client_policy(a_door())["spec"]["tls"]["minVersion"] == "1.2"
    assert client_policy(a_door(tls_version="1.3"))["spec"]["tls"]["minVersion"] == "1.3"


def test_tokens_are_of_the_issuer_for_the_audience_and_only_in_the_header() -> None:
    (policy,) = security_policy(a_door())
    (provider,) = policy["spec"]["jwt"]["providers"]

    assert (provider["issuer"], provider["audiences"]) == (JWT["issuer"], JWT["audiences"])
    assert provider["extractFrom"] == {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]}
    assert "optional" not in policy["spec"]["jwt"]


def test_certificates_are_required_and_of_the_suffix_where_clients_bring_them() -> None:
    validation = client_policy(a_door(authentication=MTLS))["spec"]["tls"]["clientValidation"]

    assert validation["optional"] is False
    assert validation["subjectAltNames"]["dnsNames"] == [{"type": "Suffix", "value": ".clients.example.com"}]


@pytest.mark.parametrize("prefix", RESERVED_PREFIXES)
def test_headers_that_are_the_platforms_are_taken_from_clients(prefix: str) -> None:
    removed = client_policy(a_door())["spec"]["headers"]["earlyRequestHeaders"]["removeOnMatch"]

    assert {"type": "Prefix", "value": prefix} in removed


@pytest.mark.parametrize("authentication", [JWT, MTLS, NONE])
def test_each_client_has_a_limit_of_its_own_and_nobody_has_none(authentication: dict[str, Any]) -> None:
    door = a_door(authentication=authentication, limits={"requests_per_minute": 601}, replicas=3)
    rules = traffic(door, repeatable=True)["rateLimit"]["local"]["rules"]

    assert {rule["limit"]["requests"] for rule in rules} == {201}, "a third each, rounded up"
    assert any("sourceCIDR" in selector for rule in rules for selector in rule["clientSelectors"])
    assert all("Distinct" in str(rule["clientSelectors"]) for rule in rules)


# What services are spared


def test_a_request_that_reached_a_server_of_sequences_is_not_repeated() -> None:
    (targets, retry) = (careful_policy(a_door(), "risk")["spec"][key] for key in ("targetRefs", "retry"))

    assert set(retry["retryOn"]["triggers"]) == set(NOT_REPEATED_TRIGGERS)
    assert {target["kind"] for target in targets} == {"HTTPRoute", "GRPCRoute"}


def test_retries_have_a_budget_and_can_be_switched_off() -> None:
    told = traffic(a_door(retries={"budget_percent": 15}), repeatable=True)

    assert told["circuitBreaker"]["retryBudget"]["percent"] == {"numerator": 15, "denominator": 100}
    assert "retry" not in traffic(a_door(retries={"attempts": 0}), repeatable=True)


def test_no_ejection_leaves_a_service_without_replicas() -> None:
    assert traffic(a_door(), repeatable=True)["healthCheck"]["passive"]["maxEjectionPercent"] == 50


def test_the_door_can_lose_a_replica_to_a_drain_and_never_to_a_rollout() -> None:
    told = proxy(a_door(), "e", Exposure(), Apart(2))["spec"]["provider"]["kubernetes"]

    assert told["envoyDeployment"]["replicas"] == 2
    assert told["envoyPDB"]["maxUnavailable"] == 1
    assert told["envoyDeployment"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


# Where it answers


@pytest.mark.parametrize(
    ("cloud", "exposed", "mark"),
    [
        (Cloud.AWS, on_aws, ("service.beta.kubernetes.io/aws-load-balancer-internal", "true")),
        (Cloud.GCP, on_gcp, ("networking.gke.io/load-balancer-type", "Internal")),
    ],
)
def test_the_door_is_internal_unless_it_is_asked_to_be_public(
    cloud: Cloud, exposed: Any, mark: tuple[str, str]
) -> None:
    internal = exposed(place(cloud), a_door(), NETWORKS)
    public = exposed(place(cloud), a_door(public=PUBLIC), NETWORKS)

    assert internal.annotations[mark[0]] == mark[1]
    assert internal.source_ranges == NETWORKS
    assert mark[0] not in public.annotations
    assert public.source_ranges == tuple(PUBLIC["source_ranges"])


def awaited(plan: Inventory, resource: Resource) -> set[str]:
    """What a resource waits for, and what that waits for in its turn."""
    found: set[str] = set()
    asked = list(resource.dependencies)
    while asked:
        urn = asked.pop()
        if urn not in found:
            found.add(urn)
            asked += plan.by_urn[urn].dependencies
    return found


def test_every_stack_waits_with_the_door_for_its_controllers(plans: dict[str, Inventory]) -> None:
    for stack, plan in plans.items():
        laid = [r for r in plan.resources if r.type.startswith("kubernetes:gateway.")]
        charts = {r.urn for r in plan.resources if r.type == "kubernetes:helm.sh/v3:Release"}
        assert not laid or charts, stack
        assert all(charts <= awaited(plan, resource) for resource in laid), stack


@pytest.mark.parametrize(("request_seconds", "drain"), [(30, "60s"), (600, "600s")])
def test_a_door_that_ends_waits_for_the_longest_request(request_seconds: int, drain: str) -> None:
    told = proxy(a_door(limits={"request_seconds": request_seconds}), "envoy", Exposure(), Apart(2))

    assert told["spec"]["shutdown"]["drainTimeout"] == drain
