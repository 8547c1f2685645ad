"""Who owns the number of replicas, by which measure, and that the measure reaches whoever asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.contracts import images, serving
from components.kubernetes import autoscaling, metrics


def test_only_the_autoscaler_sets_the_number_of_replicas(manifests: Any) -> None:
    for scaler in manifests.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        owned = manifests.one(target["kind"], target["name"])
        assert owned["metadata"]["namespace"] == scaler["metadata"]["namespace"]
        assert "replicas" not in owned["spec"], "each `pulumi up` would take the autoscaler's number back"


def test_replicas_stay_within_the_settings(manifests: Any) -> None:
    spec = manifests.one("HorizontalPodAutoscaler", "triton")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (
        manifests.fleet["min_replicas"],
        manifests.fleet["max_replicas"],
    )


def test_the_fleet_grows_at_once_and_shrinks_after_a_quiet_while(manifests: Any) -> None:
    behavior = manifests.one("HorizontalPodAutoscaler", "triton")["spec"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    quiet_s = behavior["scaleDown"]["stabilizationWindowSeconds"]
    assert quiet_s == autoscaling.SCALE_DOWN_WINDOW_SECONDS > metrics.SCRAPE_SECONDS * 4


def test_upkeep_takes_one_replica_at_a_time_and_never_waits_for_a_sick_one(manifests: Any) -> None:
    spec = manifests.one("PodDisruptionBudget", "triton")["spec"]
    assert spec["maxUnavailable"] == 1 and spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


# The measure's way: Triton, Prometheus, the adapter, the autoscaler


def config(manifests: Any, app: str) -> Any:
    (text,) = manifests.one("ConfigMap", app)["data"].values()
    return json.loads(text)


def test_one_name_goes_all_the_way(manifests: Any) -> None:
    (metric,) = manifests.one("HorizontalPodAutoscaler", "triton")["spec"]["metrics"]
    (rule,) = config(manifests, "prometheus-adapter")["rules"]
    assert metric["type"] == "Pods"
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"] == serving.PENDING_REQUESTS_METRIC
    assert rule["seriesQuery"].startswith(f"{serving.PENDING_REQUESTS_METRIC}{{")


def test_the_target_is_the_settings(manifests: Any) -> None:
    (metric,) = manifests.one("HorizontalPodAutoscaler", "triton")["spec"]["metrics"]
    assert metric["pods"]["target"] == {
        "type": "AverageValue",
        "averageValue": str(manifests.fleet["target_pending_requests"]),
    }


def test_prometheus_scrapes_the_metrics_port_of_the_fleets_pods_only(manifests: Any) -> None:
    (job,) = config(manifests, "prometheus")["scrape_configs"]
    (discovery,) = job["kubernetes_sd_configs"]
    assert discovery == {"role": "pod", "namespaces": {"names": [manifests.namespace_of("triton")]}}
    keep = [r for r in job["relabel_configs"] if r.get("action") == "keep"]
    assert keep == [
        {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "action": "keep", "regex": "metrics"}
    ]
    ports = {p["name"]: p["containerPort"] for p in manifests.container("triton")["ports"]}
    assert ports["metrics"] == serving.METRICS_PORT


def test_series_bear_the_labels_that_the_adapter_maps_to_pods(manifests: Any) -> None:
    (job,) = config(manifests, "prometheus")["scrape_configs"]
    written = {r["target_label"] for r in job["relabel_configs"] if "target_label" in r}
    (rule,) = config(manifests, "prometheus-adapter")["rules"]
    assert set(rule["resources"]["overrides"]) == written == {"namespace", "pod"}


def test_pending_requests_of_all_models_of_a_pod_add_up(manifests: Any) -> None:
    (rule,) = config(manifests, "prometheus-adapter")["rules"]
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


def test_prometheus_sees_pods_of_the_fleet_and_nothing_else(manifests: Any) -> None:
    bound = [
        m
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for m in manifests.of(kind)
        if m["subjects"][0]["name"] == "prometheus"
    ]
    (binding,) = bound
    assert (binding["kind"], binding["metadata"]["namespace"]) == ("RoleBinding", manifests.namespace_of("triton"))
    assert manifests.one("Role", binding["roleRef"]["name"])["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    ]


# Images


def test_every_public_image_has_a_mirror(manifests: Any) -> None:
    used = {c["image"] for pod in manifests.pods().values() for c in pod["spec"]["containers"]}
    for image in (images.PROMETHEUS, images.PROMETHEUS_ADAPTER):
        (found,) = (reference for reference in used if reference.endswith(image.digest))
        assert f"/{image.repository}@" in found


def test_the_node_autoscaler_is_of_the_clusters_version(aws_manifests: Any) -> None:
    assert images.CLUSTER_AUTOSCALER.tag.removeprefix("v").rpartition(".")[0] == aws_manifests.version
