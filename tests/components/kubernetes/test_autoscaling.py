"""Who owns the number of replicas, by which measure, and that the measure reaches whoever asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.contracts import door, images, scaling, serving
from components.contracts.services import ServiceSpec
from components.contracts.vocabulary import Cloud
from components.kubernetes import autoscaling, metrics


def test_only_the_autoscaler_sets_the_number_of_replicas(manifests: Any) -> None:
    for scaler in manifests.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        owned = manifests.one(target["kind"], target["name"])
        assert owned["metadata"]["namespace"] == scaler["metadata"]["namespace"]
        assert "replicas" not in owned["spec"], "each `pulumi up` would take the autoscaler's number back"


def test_replicas_stay_within_the_settings(manifests: Any) -> None:
    spec = manifests.one("HorizontalPodAutoscaler", "tumour-risk")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (
        manifests.service["min_replicas"],
        manifests.service["max_replicas"],
    )


def behavior(manifests: Any) -> Any:
    return manifests.one("HorizontalPodAutoscaler", "tumour-risk")["spec"]["behavior"]


def test_a_burst_that_is_over_at_once_starts_no_machine(manifests: Any) -> None:
    wait_s = behavior(manifests)["scaleUp"]["stabilizationWindowSeconds"]
    assert metrics.SCRAPE_SECONDS < wait_s <= scaling.BUSY_WINDOW_SECONDS


def test_no_replica_goes_sooner_than_it_could_be_had_back(manifests: Any) -> None:
    spec = ServiceSpec.model_validate_json(json.dumps(manifests.service))
    quiet_s = behavior(manifests)["scaleDown"]["stabilizationWindowSeconds"]
    assert quiet_s == scaling.replica_start_seconds(spec.repository_gib) > scaling.BUSY_WINDOW_SECONDS


def test_the_fleet_grows_faster_than_it_shrinks(manifests: Any) -> None:
    def steps(direction: str) -> dict[str, float]:
        policies = behavior(manifests)[direction]["policies"]
        return {policy["type"]: policy["value"] / policy["periodSeconds"] for policy in policies}

    grow, shrink = steps("scaleUp"), steps("scaleDown")
    assert set(grow) == set(shrink) and all(grow[kind] > shrink[kind] for kind in grow)


def test_the_settings_say_when_the_fleet_shrinks(lay_down: Any, cloud: Cloud) -> None:
    manifests = lay_down(cloud, service={"scaling": {"shrink_after_seconds": 900}})
    assert behavior(manifests)["scaleDown"]["stabilizationWindowSeconds"] == 900


@pytest.mark.parametrize("gib", [1, 10, 10_000])
def test_the_api_server_takes_the_window_of_every_release(gib: int) -> None:
    spec = scaling.ScalingSpec()
    assert spec.shrink_after_seconds is None
    assert scaling.SHRINK_SECONDS_MIN <= scaling.shrink_after_seconds(spec, gib) <= scaling.SHRINK_SECONDS_MAX


def test_a_fleet_at_its_limit_is_beyond_the_tolerance_of_every_aim() -> None:
    assert scaling.BUSY_PERCENT_MAX * (1 + scaling.AUTOSCALER_TOLERANCE) < 100


@pytest.mark.parametrize(("milli", "written"), [(2800, "2800m"), (4000, "4"), (1_000_000, "1000"), (5, "5m")])
def test_a_target_is_written_as_the_api_server_would(milli: int, written: str) -> None:
    assert autoscaling.quantity(milli) == written


def test_upkeep_takes_one_replica_at_a_time_and_never_waits_for_a_sick_one(manifests: Any) -> None:
    spec = manifests.one("PodDisruptionBudget", "tumour-risk")["spec"]
    assert spec["maxUnavailable"] == 1 and spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


# The measure's way: Triton, Prometheus, the adapter, the autoscaler


def config(manifests: Any, app: str) -> Any:
    (text,) = manifests.one("ConfigMap", app)["data"].values()
    return json.loads(text)


def measures(manifests: Any) -> dict[str, Any]:
    """What the autoscaler asks for, by name."""
    asked = manifests.one("HorizontalPodAutoscaler", "tumour-risk")["spec"]["metrics"]
    assert {metric["type"] for metric in asked} == {"Pods"}
    return {metric["pods"]["metric"]["name"]: metric["pods"]["target"] for metric in asked}


def rules(manifests: Any) -> dict[str, Any]:
    """What the adapter serves, by name."""
    return {rule["name"]["as"]: rule for rule in config(manifests, "prometheus-adapter")["rules"]}


def test_the_adapter_serves_what_the_autoscaler_asks_and_nothing_else(manifests: Any) -> None:
    assert set(measures(manifests)) == set(rules(manifests))


def test_a_busy_fleet_without_a_queue_is_seen(manifests: Any) -> None:
    query = rules(manifests)[serving.BUSY_REQUESTS_METRIC]["metricsQuery"]
    assert f"rate({serving.BUSY_COUNTERS[1]}{{" in query.replace("<<.Series>>", serving.BUSY_COUNTERS[0])


def test_the_targets_are_the_settings(lay_down: Any, cloud: Cloud) -> None:
    asked = {"requests_at_once": 5, "busy_percent": 50, "pending_requests": 7}
    assert measures(lay_down(cloud, service={"scaling": asked})) == {
        serving.BUSY_REQUESTS_METRIC: {"type": "AverageValue", "averageValue": "2500m"},
        serving.PENDING_REQUESTS_METRIC: {"type": "AverageValue", "averageValue": "7"},
    }


def jobs(manifests: Any) -> dict[str, Any]:
    """What Prometheus scrapes, by name."""
    return {job["job_name"]: job for job in config(manifests, "prometheus")["scrape_configs"]}


def kept(job: Any) -> dict[str, str]:
    """Which pods a job scrapes, and which of their ports: label → value."""
    rules = [r for r in job["relabel_configs"] if r.get("action") == "keep"]
    assert all(set(r) == {"source_labels", "action", "regex"} and len(r["source_labels"]) == 1 for r in rules)
    return {rule["source_labels"][0].removeprefix("__meta_kubernetes_pod_"): rule["regex"] for rule in rules}


def test_prometheus_scrapes_the_fleets_pods_and_its_doors_and_nothing_else(manifests: Any) -> None:
    assert {name: job["kubernetes_sd_configs"] for name, job in jobs(manifests).items()} == {
        "triton": [{"role": "pod", "namespaces": {"names": [manifests.namespace_of("tumour-risk")]}}],
        "envoy": [{"role": "pod", "namespaces": {"names": [door.PROXY_NAMESPACE]}}],
    }


def test_of_the_fleets_pods_the_metrics_port_is_scraped_only(manifests: Any) -> None:
    assert kept(jobs(manifests)["triton"]) == {"container_port_name": "metrics"}
    ports = {p["name"]: p["containerPort"] for p in manifests.container("tumour-risk")["ports"]}
    assert ports["metrics"] == serving.METRICS_PORT


def test_of_the_doors_pods_envoys_metrics_port_is_scraped_only_and_for_the_figures_of_routes(manifests: Any) -> None:
    job = jobs(manifests)["envoy"]
    assert kept(job) == {
        "label_app_kubernetes_io_name": door.PROXY_APP,
        "container_port_number": str(door.PROXY_METRICS_PORT),
    }
    assert job["params"] == {"filter": [metrics.ENVOY_FIGURES]}


def test_series_bear_the_labels_that_the_adapter_maps_to_pods(manifests: Any) -> None:
    for job in jobs(manifests).values():
        written = {r["target_label"] for r in job["relabel_configs"] if "target_label" in r}
        for rule in rules(manifests).values():
            assert set(rule["resources"]["overrides"]) == written == {"namespace", "pod"}


def test_pending_requests_of_all_models_of_a_pod_add_up(manifests: Any) -> None:
    rule = rules(manifests)[serving.PENDING_REQUESTS_METRIC]
    assert rule["metricsQuery"] == "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)"


@pytest.mark.parametrize("app", ["prometheus", "prometheus-adapter"])
def test_the_configuration_lies_where_the_program_looks(manifests: Any, app: str) -> None:
    container = manifests.container(app)
    (asked,) = (a.partition("=")[2] for a in container["args"] if a.startswith(("--config.file=", "--config=")))
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    assert asked in {f"{mounts['config']}/{key}" for key in manifests.one("ConfigMap", app)["data"]}


def test_what_programs_write_goes_to_their_scratch_volume(manifests: Any) -> None:
    written = {"prometheus": "--storage.tsdb.path=", "prometheus-adapter": "--cert-dir="}
    for app, flag in written.items():
        container = manifests.container(app)
        (path,) = (a.removeprefix(flag) for a in container["args"] if a.startswith(flag))
        mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
        assert path == mounts["scratch"] or path.startswith(mounts["scratch"] + "/"), app


def test_the_adapter_asks_the_prometheus_that_is_there(manifests: Any) -> None:
    (url,) = (a.partition("=")[2] for a in manifests.container("prometheus-adapter")["args"] if "prometheus-url" in a)
    service = manifests.one("Service", "prometheus")
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    assert url == f"http://{name}.{namespace}.svc:{service['spec']['ports'][0]['port']}/"


def test_the_adapter_looks_for_series_more_often_than_they_are_forgotten(manifests: Any) -> None:
    (interval,) = (
        int(a.partition("=")[2].removesuffix("s"))
        for a in manifests.container("prometheus-adapter")["args"]
        if a.startswith("--metrics-relist-interval=")
    )
    scrape_s = int(config(manifests, "prometheus")["global"]["scrape_interval"].removesuffix("s"))
    assert interval >= 2 * scrape_s, "a series must be in the window that the adapter asks about"


def test_the_metrics_api_leads_to_the_adapter(manifests: Any) -> None:
    (api,) = manifests.of("APIService")
    spec = api["spec"]
    assert api["metadata"]["name"] == f"{spec['version']}.{spec['group']}"
    assert spec["group"] == "custom.metrics.k8s.io"
    service = manifests.one("Service", spec["service"]["name"])
    assert service["metadata"]["namespace"] == spec["service"]["namespace"]
    assert spec["service"]["port"] in {p["port"] for p in service["spec"]["ports"]}


def test_the_adapter_may_do_what_an_extension_of_the_api_must(manifests: Any) -> None:
    bound = {
        (m["roleRef"]["kind"], m["roleRef"]["name"], m["metadata"].get("namespace"))
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for m in manifests.of(kind)
        if m["subjects"][0]["name"] == "prometheus-adapter"
    }
    assert bound == {
        ("ClusterRole", "system:auth-delegator", None),
        ("Role", "extension-apiserver-authentication-reader", "kube-system"),
        ("ClusterRole", "seawall-metrics-reader", None),
    }


def test_prometheus_sees_pods_of_the_fleet_and_of_its_door_and_nothing_else(manifests: Any) -> None:
    bound = [
        m
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for m in manifests.of(kind)
        if m["subjects"][0]["name"] == "prometheus"
    ]
    assert {binding["roleRef"]["kind"] for binding in bound} == {"Role"}
    assert {(binding["kind"], binding["metadata"]["namespace"]) for binding in bound} == {
        ("RoleBinding", manifests.namespace_of("tumour-risk")),
        ("RoleBinding", door.PROXY_NAMESPACE),
    }
    for binding in bound:
        (role,) = (
            role
            for role in manifests.of("Role")
            if role["metadata"]["name"] == binding["roleRef"]["name"]
            and role["metadata"]["namespace"] == binding["metadata"]["namespace"]
        )
        assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]


# Images


def test_every_public_image_has_a_mirror(manifests: Any) -> None:
    used = {c["image"] for pod in manifests.pods().values() for c in pod["spec"]["containers"]}
    for image in (images.PROMETHEUS, images.PROMETHEUS_ADAPTER):
        (found,) = (reference for reference in used if reference.endswith(image.digest))
        assert f"/{image.repository}@" in found


def test_the_node_autoscaler_is_of_the_clusters_version(aws_manifests: Any) -> None:
    assert images.CLUSTER_AUTOSCALER.tag.removeprefix("v").rpartition(".")[0] == aws_manifests.version
