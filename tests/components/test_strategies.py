"""Each traffic strategy of the settings, in a stack's plan: it lays what it needs, or the settings refuse it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest

from components.contracts.traffic_specs import TrafficSpec
from components.contracts.vocabulary import Cloud
from ops.diff.run import compare_all
from policies.evaluation import evaluate
from policies.model import Verdict
from stacks.files import values_of
from stacks.settings import CONFIG_KEY, Settings, SettingsError, stack_file
from tests.components.strategies import ALL_DAY, DIGEST, FLAGGER, RELEASE, SERVICE, STRATEGIES, plan_of


def laid(planned: Any) -> dict[str, Any]:
    """Kind and name of each Kubernetes object → its inputs."""
    objects = (r.inputs for r in planned.inventory.resources if r.custom and "apiVersion" in r.inputs)
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in objects}


def test_every_strategy_is_tried_here() -> None:
    (union, _) = get_args(TrafficSpec)
    assert set(STRATEGIES) == {kind.model_fields["strategy"].default for kind in get_args(union)}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_stack_lays_what_the_strategy_needs(strategy: str, plan_platform: Any) -> None:
    asked, wanted = STRATEGIES[strategy]
    found = laid(plan_of(plan_platform, asked))
    always = {"Deployment/tumour-risk", "HorizontalPodAutoscaler/tumour-risk", "GRPCRoute/tumour-risk"}
    flagger_s = {"HTTPRoute/tumour-risk", "Service/tumour-risk"}
    wanted = wanted | always | (set() if strategy == "canary" else flagger_s)
    assert wanted - set(found) == set()
    if strategy == "canary":
        assert flagger_s & set(found) == set(), "two owners"
    else:
        others = {name for name in found if name.startswith(("Canary/", "MetricTemplate/")) or "flagger" in name}
        assert others == set()


@pytest.mark.parametrize(("strategy", "cloud"), [*((name, Cloud.AWS) for name in STRATEGIES), ("canary", Cloud.GCP)])
def test_a_stack_with_the_strategy_breaks_no_rule(strategy: str, cloud: Cloud, plan_platform: Any) -> None:
    planned = plan_of(plan_platform, STRATEGIES[strategy][0], cloud)
    broken = [finding for finding in evaluate(planned.inventory) if finding.verdict is Verdict.FAIL]
    assert broken == []


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "canary"])
def test_routes_name_services_that_are_laid(strategy: str, plan_platform: Any) -> None:
    found = laid(plan_of(plan_platform, STRATEGIES[strategy][0]))
    for kind in ("HTTPRoute", "GRPCRoute"):
        for rule in found[f"{kind}/{SERVICE}"]["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                assert f"Service/{backend['name']}" in found


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "rolling"])
def test_no_object_changes_its_logical_name_with_the_strategy(strategy: str, plan_platform: Any) -> None:
    rolling, other = (
        {"s": plan_of(plan_platform, {**ALL_DAY, **STRATEGIES[name][0]}).inventory} for name in ("rolling", strategy)
    )
    for base, head in ((rolling, other), (other, rolling)):
        [diff] = compare_all(base, head)
        risks = {change.resource.name: str(change.risk) for change in diff.at_risk}
        # Flagger makes its own of these two, and the diff says what that costs.
        assert set(risks) == ({"tumour-risk", "httproute-tumour-risk"} if strategy == "canary" else set())
        assert all("Flagger" in risk for risk in risks.values())


def test_the_live_colour_has_the_requests(plan_platform: Any) -> None:
    found = laid(plan_of(plan_platform, STRATEGIES["blue-green"][0]))
    (rule,) = found[f"HTTPRoute/{SERVICE}"]["spec"]["rules"]
    assert [backend["name"] for backend in rule["backendRefs"] if backend["weight"]] == [f"{SERVICE}-green"]


def test_a_switch_waits_until_what_is_to_answer_is_there(plan_platform: Any) -> None:
    """A release is put into the idle colour and made live by one change of the settings."""
    resources = plan_of(plan_platform, STRATEGIES["blue-green"][0]).inventory.resources
    (route,) = (r for r in resources if r.type.endswith(":HTTPRoute") and r.inputs["metadata"]["name"] == SERVICE)
    names = {r.name for r in resources if r.type.endswith(":Deployment") and r.urn in route.dependencies}
    assert {SERVICE, f"{SERVICE}-green"} <= names


def test_a_fallback_is_laid_at_its_service_s_address(plan_platform: Any) -> None:
    asked = {**STRATEGIES["shadow"][0], "fallback": {"challenger": "b", "none_because": None}}
    planned = plan_of(plan_platform, asked)
    found = laid(planned)
    config = releases(planned)["envoy-gateway"]["values"]["config"]["envoyGateway"]
    assert config["extensionApis"] == {"enableBackend": True, "enableEnvoyPatchPolicy": False, "enableLua": True}
    assert {f"Backend/{SERVICE}-fallback-http", f"BackendTrafficPolicy/{SERVICE}"} <= set(found)


@pytest.fixture
def canary(plan_platform: Any) -> Any:
    """The plan of a stack with a canary."""
    return plan_of(plan_platform, STRATEGIES["canary"][0])


def releases(planned: Any) -> dict[str, Any]:
    return {r.name: r.inputs for r in planned.inventory.of_type("kubernetes:helm.sh/v3:Release")}


def test_flagger_comes_by_digest_from_the_stack_s_own_registry(canary: Any) -> None:
    release = releases(canary)["flagger"]
    registry = canary.refs.registry.here.mirror
    assert release["chart"] == f"oci://{registry}/ghcr.io/fluxcd/charts/flagger@{FLAGGER['flagger_chart']}"
    image = release["values"]["image"]
    assert f"{image['repository']}:{image['tag']}" == f"{registry}/ghcr.io/fluxcd/flagger:1.36.1@{DIGEST}"
    copied = {r.inputs["name"] for r in canary.inventory.of_type("aws:ecr/repository:Repository")}
    host = canary.refs.registry.here.host
    for path in ("ghcr.io/fluxcd/flagger", "ghcr.io/fluxcd/charts/flagger"):
        assert f"{registry}/{path}".removeprefix(f"{host}/") in copied


def test_flagger_has_two_replicas_one_leader_and_no_right_of_the_chart_s(canary: Any) -> None:
    told = releases(canary)["flagger"]["values"]
    assert told["leaderElection"] == {"enabled": True, "replicaCount": 2}
    assert told["rbac"] == {"create": False}
    assert told["serviceAccount"] == {"create": False, "name": "flagger"}
    (role,) = (
        r.inputs
        for r in canary.inventory.of_type("kubernetes:rbac.authorization.k8s.io/v1:Role")
        if r.inputs["metadata"]["name"] == "flagger"
    )
    # There it takes the leader's lock.
    assert role["metadata"]["namespace"] == told["namespace"] == "serving"
    assert any("leases" in rule["resources"] for rule in role["rules"])
    assert not any("secrets" in rule["resources"] for rule in role["rules"])
    named = {name for rule in role["rules"] for name in rule.get("resourceNames") or ()}
    assert named == {SERVICE, f"{SERVICE}-primary", f"{SERVICE}-canary", "flagger-leader-election"}


@pytest.mark.parametrize("cloud", list(Cloud))
def test_flagger_can_copy_a_canary_s_pods(cloud: Cloud, plan_platform: Any) -> None:
    """It knows the API of Kubernetes 1.27: what came later, as a hook that sleeps, is lost in the copy."""
    found = laid(plan_of(plan_platform, STRATEGIES["canary"][0], cloud))
    (container,) = found[f"Deployment/{SERVICE}"]["spec"]["template"]["spec"]["containers"]
    assert container["lifecycle"]["preStop"] == {
        "exec": {"command": ["python3", "-I", "-c", "import time; time.sleep(15)"]}
    }


@pytest.mark.parametrize("cloud", list(Cloud))
def test_a_new_release_changes_the_pods_that_flagger_watches_and_nothing_else(
    cloud: Cloud, plan_platform: Any
) -> None:
    asked = STRATEGIES["canary"][0]
    before = laid(plan_of(plan_platform, asked, cloud))
    after = laid(plan_of(plan_platform, {**asked, "release": RELEASE}, cloud))
    changed = [name for name in before if before[name] != after[name]]
    assert (set(before), changed) == (set(after), [f"Deployment/{SERVICE}"])
    (init,) = after[f"Deployment/{SERVICE}"]["spec"]["template"]["spec"]["initContainers"]
    assert any(argument.endswith(f"/releases/{RELEASE['version']}") for argument in init["args"])


def test_what_a_canary_is_judged_by_is_scraped(canary: Any) -> None:
    found = laid(canary)
    config = json.loads(found["ConfigMap/prometheus"]["data"]["prometheus.yml"])
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["envoy"]["kubernetes_sd_configs"][0]["namespaces"]["names"] == ["envoy-gateway-system"]
    assert jobs["envoy"]["metrics_path"] == "/stats/prometheus"
    assert found["MetricTemplate/tumour-risk-requests"]["spec"]["provider"]["address"] == (
        "http://prometheus.autoscaling-metrics.svc:9090"
    )


@pytest.fixture
def refusal() -> Callable[..., str]:
    """What is said of dev-aws with a changed fleet."""

    def refused(asked: Mapping[str, Any], images: Mapping[str, str]) -> str:
        settings = values_of(stack_file("dev-aws"), CONFIG_KEY)
        settings["pools"]["gpu"]["max_nodes"] = 20
        settings["fleet"]["images"] |= images
        service = settings["fleet"]["services"][SERVICE]
        service.update(asked)
        with pytest.raises(SettingsError) as caught:
            Settings.parse(settings, str(stack_file("dev-aws")))
        return str(caught.value)

    return refused


@pytest.mark.parametrize("missing", ["flagger", "flagger_chart"])
def test_a_canary_without_flagger_s_digests_is_refused(missing: str, refusal: Callable[..., str]) -> None:
    images = {key: digest for key, digest in FLAGGER.items() if key != missing}
    said = refusal(STRATEGIES["canary"][0], images)
    assert f"images has no {missing}" in said
    assert "ghcr.io/fluxcd" in said


def test_hours_beside_a_canary_are_refused(refusal: Callable[..., str]) -> None:
    assert "hours beside canary" in refusal({"traffic": {"strategy": "canary"}}, FLAGGER)
