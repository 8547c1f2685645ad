"""What a bandit's controller and a contextual router are told and allowed, and where a bandit begins."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from components.contracts.bandit_specs import Bandit, Contextual
from components.contracts.vocabulary import Cloud
from components.kubernetes import bandits, contextual
from components.kubernetes.routes import grpc_route, http_route
from components.kubernetes.variants.routing import first_shares, routes_of
from ops.rehearse.firewall import Firewall, Peer
from serving_image.router.decisions import routing
from serving_image.traffic_weights.deciding import Bounds, first_weights
from serving_image.traffic_weights.settings import Settings
from tests.components.contracts.test_bandit_specs import BANDIT, CONTEXTUAL
from tests.components.kubernetes.variants.services import CHALLENGERS, service

CHALLENGER = CHALLENGERS["b"]


def test_the_controller_reads_what_the_component_writes() -> None:
    spec = service(traffic=BANDIT, challengers=CHALLENGERS)
    assert isinstance(spec.traffic, Bandit)
    told = Settings.of_json(json.dumps(bandits.settings("risk", spec, spec.traffic)))
    assert told.arms == {"stable": "risk", "b": "risk-b"} and told.bounds == Bounds(5, 95, 20)
    assert (told.interval, told.window, told.half_life) == (60, 3600, 1800)
    assert told.prometheus == "http://prometheus.autoscaling-metrics.svc:9090"


def test_the_controller_may_read_and_patch_the_routes_of_its_service_and_nothing_else() -> None:
    (rule,) = bandits.rules("risk")
    assert (rule.resource_names, rule.verbs) == (["risk"], ["get", "patch"])
    assert rule.resources == ["httproutes", "grpcroutes"] and rule.api_groups == ["gateway.networking.k8s.io"]


def test_both_routes_list_every_variant_with_a_weight() -> None:
    routes = routes_of("risk", {"risk": service(traffic=BANDIT, challengers=CHALLENGERS)})
    for route in (http_route(routes, "models.example"), grpc_route(routes, "models.example")):
        (rule,) = route["spec"]["rules"]
        assert [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]] == [("risk", 95), ("risk-b", 5)]


@given(st.integers(2, 6), st.integers(1, 50), st.integers(50, 99), st.integers(0, 5))
def test_a_bandit_begins_where_its_controller_would(count: int, floor: int, ceiling: int, default: int) -> None:
    assume(floor * count <= 100 and default < count)
    names = ["stable", *(f"v{n}" for n in range(count - 1))]
    spec = service(
        traffic={**BANDIT, "floor_percent": floor, "ceiling_percent": ceiling, "default": names[default]},
        challengers=dict.fromkeys(names[1:], CHALLENGER),
    )
    assert isinstance(spec.traffic, Bandit)
    wanted = first_weights(names, names[default], Bounds(floor, ceiling, 20))
    found = {to.service: to.weight for to in first_shares("risk", spec, spec.traffic)}
    assert found == {"risk" if name == "stable" else f"risk-{name}": weight for name, weight in wanted.items()}


def test_the_router_reads_what_the_settings_say() -> None:
    spec = Contextual.model_validate_json(json.dumps(CONTEXTUAL))
    (variable,) = contextual.environment(spec)
    told = routing().Settings.of_environment({str(variable.name): str(variable.value)})
    assert told.arms == {"stable": "tumour_risk", "b": "tumour_risk_b"} and told.default == "stable"
    assert (told.explore, told.budget_s, told.logged) == (0.05, 0.1, frozenset())


CHANGES: dict[str, Any] = {
    "traffic": {**BANDIT, "floor_percent": 10},
    "min_replicas": 1,
    "max_replicas": 1,
    "warm_replicas": 0,
    "challengers": {
        "b": {"release": {**CHALLENGER["release"], "signers": [f"SHA256:{'0' * 64}"]}, "max_replicas": 1}
    },
}
ROOM = {"gpu": {"max_nodes": 8}}


def test_a_plan_lays_one_controller_with_the_rights_to_its_routes(lay_down: Any) -> None:
    found = lay_down(Cloud.AWS, environment="dev", service=CHANGES, pools=ROOM)
    deployment = found.one("Deployment", "tumour-risk-weights")
    assert deployment["spec"]["replicas"] == 1 and deployment["spec"]["strategy"] == {"type": "Recreate"}
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] == ["python3", "-m", "traffic_weights"] and "@sha256:" in container["image"]
    assert Settings.of_json(container["args"][1]).arms == {"stable": "tumour-risk", "b": "tumour-risk-b"}
    assert pod["serviceAccountName"] == "tumour-risk-weights"
    role = found.one("Role", "tumour-risk-weights")
    assert [(rule["resourceNames"], rule["verbs"]) for rule in role["rules"]] == [(["tumour-risk"], ["get", "patch"])]


def test_the_controller_reaches_prometheus_and_prometheus_its_metrics(lay_down: Any) -> None:
    found = lay_down(Cloud.AWS, environment="dev", service=CHANGES, pools=ROOM)
    firewall = Firewall(found.of("NetworkPolicy"))
    weights = Peer("serving", {"app.kubernetes.io/name": "traffic-weights"})
    prometheus = Peer("autoscaling-metrics", {"app.kubernetes.io/name": "prometheus"})
    triton = Peer("serving", {"app.kubernetes.io/name": "triton"})
    assert firewall.passes(weights, prometheus, 9090) and firewall.passes(prometheus, weights, 8002)
    assert not firewall.passes(triton, prometheus, 9090) and not firewall.passes(weights, triton, 8000)


def test_without_a_bandit_nothing_of_it_is_laid(lay_down: Any) -> None:
    found = lay_down(Cloud.AWS, environment="dev")
    assert not [item for item in found.objects if "weights" in item["metadata"]["name"]]


def test_the_router_of_a_contextual_service_is_told_its_settings(lay_down: Any) -> None:
    found = lay_down(Cloud.AWS, environment="dev", service={"traffic": CONTEXTUAL})
    variables = {each["name"]: each.get("value") for each in found.container("tumour-risk")["env"]}
    assert routing().Settings.of_environment(variables).default == "stable"
