"""Every object that a stack lays on its cluster: valid for that version, named, placed, and linked to what exists."""

from __future__ import annotations

import json
import re
from typing import Any

import kubernetes_validate
import pytest

CLUSTER_WIDE = {
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComputeClass",
    "GatewayClass",
    "Namespace",
    "PriorityClass",
}
BUILT_IN_GROUPS = re.compile(r"^(v1|[a-z]+/v\d|[a-z.]+\.k8s\.io/v\d)$")
OUTSIDE = re.compile(r"^(gateway\.networking\.k8s\.io|cloud\.google\.com)/")
"""Kinds that Kubernetes itself does not know: `test_door` holds the door's to their definitions, and GKE's has a test
of its own."""
CHART_PODS = {
    "envoy-gateway-system": [
        {"app.kubernetes.io/name": "gateway-helm"},
        {"app.kubernetes.io/name": "envoy"},
        {"app": "certgen"},
    ],
    "cert-manager": [{"app.kubernetes.io/name": name} for name in ("cert-manager", "webhook", "cainjector")],
}
"""Namespace → the labels of the pods that charts and controllers make there, which no plan shows."""
BUILT_IN_NAMESPACES = {"kube-system"}
BUILT_IN_ROLES = {
    "system:auth-delegator",
    "extension-apiserver-authentication-reader",
    "cluster-admin",
    "view",
}


def is_built_in(manifest: dict[str, Any]) -> bool:
    group = manifest["apiVersion"]
    return bool(BUILT_IN_GROUPS.match(group)) and not OUTSIDE.match(group)


def what(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def test_every_object_is_valid_for_the_clusters_version(manifests: Any) -> None:
    assert len(manifests.objects) > 20
    refused = {}
    for manifest in (m for m in manifests.objects if is_built_in(m)):
        try:
            kubernetes_validate.validate(manifest, manifests.version, strict=True)
        except kubernetes_validate.ValidationError as error:
            refused[what(manifest)] = error.message
    assert not refused


def test_the_validator_would_notice_a_misspelt_field(manifests: Any) -> None:
    broken = json.loads(json.dumps(manifests.one("Deployment", "tumour-risk")))
    broken["spec"]["template"]["spec"]["terminationGracePeriod"] = 30
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, manifests.version, strict=True)


def test_no_object_lands_in_the_default_namespace(manifests: Any) -> None:
    placed = {what(m): m["metadata"].get("namespace") for m in manifests.objects if m["kind"] not in CLUSTER_WIDE}
    assert not {name for name, namespace in placed.items() if namespace in (None, "", "default")}


def test_every_namespace_in_use_is_made_here_or_built_in(manifests: Any) -> None:
    made = {m["metadata"]["name"] for m in manifests.of("Namespace")}
    used = {m["metadata"]["namespace"] for m in manifests.objects if "namespace" in m["metadata"]}
    assert used <= made | BUILT_IN_NAMESPACES


def test_only_what_the_cluster_itself_needs_lands_in_its_own_namespace(manifests: Any) -> None:
    there = {what(m) for m in manifests.objects if m["metadata"].get("namespace") == "kube-system"}
    assert {name for name in there if "cluster-autoscaler" not in name} == {
        "RoleBinding prometheus-adapter-auth-reader"
    }


def test_objects_bear_names_of_ours(manifests: Any) -> None:
    unnamed = [m["kind"] for m in manifests.objects if not m["metadata"].get("name")]
    assert not unnamed, "Pulumi would make a random name, and a change of it a replacement"


def test_images_come_by_digest_from_the_stacks_own_registry(manifests: Any) -> None:
    settings = manifests.inventory.settings
    account, region = settings["account"], settings["region"]
    host = {
        "aws": f"{account}.dkr.ecr.{region}.amazonaws.com/",
        "gcp": f"{region}-docker.pkg.dev/{account}/",
    }[manifests.cloud]
    images = {
        container["image"]
        for pod in manifests.pods().values()
        for key in ("containers", "initContainers")
        for container in pod["spec"].get(key, [])
    }
    assert images
    pattern = re.escape(host) + r"[a-z0-9./-]+@sha256:[0-9a-f]{64}"
    assert not {image for image in images if not re.fullmatch(pattern, image)}, "nodes can reach nothing else"


def test_the_serving_image_is_the_one_in_the_settings(manifests: Any) -> None:
    assert manifests.container("tumour-risk")["image"].endswith(f"@{manifests.images['serving']}")


def test_selectors_of_workloads_match_their_own_pods(manifests: Any, selector_matches: Any) -> None:
    for deployment in manifests.of("Deployment"):
        spec = deployment["spec"]
        assert selector_matches(spec["selector"], spec["template"]["metadata"]["labels"]), what(deployment)


def test_workloads_of_a_namespace_do_not_select_each_others_pods(manifests: Any, selector_matches: Any) -> None:
    for deployment in manifests.of("Deployment"):
        namespace = deployment["metadata"]["namespace"]
        matched = [
            owner
            for owner, template in manifests.pods().items()
            if manifests.namespace_of(owner) == namespace
            and selector_matches(deployment["spec"]["selector"], template["metadata"]["labels"])
        ]
        assert matched == [deployment["metadata"]["name"]]


@pytest.mark.parametrize(
    ("kind", "selector"),
    [
        ("Service", lambda spec: {"matchLabels": spec["selector"]}),
        ("PodDisruptionBudget", lambda spec: spec["selector"]),
        ("NetworkPolicy", lambda spec: spec["podSelector"]),
    ],
)
def test_every_selector_finds_pods(manifests: Any, selector_matches: Any, kind: str, selector: Any) -> None:
    found = manifests.of(kind)
    assert found
    for manifest in found:
        namespace = manifest["metadata"]["namespace"]
        labels = [
            t["metadata"]["labels"] for o, t in manifests.pods().items() if manifests.namespace_of(o) == namespace
        ] + CHART_PODS.get(namespace, [])
        chosen = selector(manifest["spec"])
        assert any(selector_matches(chosen, pod) for pod in labels), f"{what(manifest)} selects nothing"


def test_spread_constraints_count_the_pods_own_kind(manifests: Any, selector_matches: Any) -> None:
    template = manifests.pods()["tumour-risk"]
    constraints = template["spec"]["topologySpreadConstraints"]
    labels = template["metadata"]["labels"]
    assert {c["topologyKey"] for c in constraints} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert all(selector_matches(c["labelSelector"], labels) for c in constraints)


def test_services_lead_to_ports_that_their_pods_open(manifests: Any) -> None:
    for service in manifests.of("Service"):
        name = service["metadata"]["name"]
        opened = {p["name"]: p["containerPort"] for p in manifests.container(name)["ports"]}
        for port in service["spec"]["ports"]:
            assert opened[port["targetPort"]] == port["port"], f"{name}: callers and policies use one number"


def test_services_are_reached_from_inside_the_cluster_only(manifests: Any) -> None:
    assert {s["spec"].get("type", "ClusterIP") for s in manifests.of("Service")} == {"ClusterIP"}


def test_role_bindings_name_roles_and_accounts_that_exist(manifests: Any) -> None:
    accounts = {(m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests.of("ServiceAccount")}
    roles = {(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in manifests.objects}
    access = manifests.inventory.settings["cluster"]["access"]
    principals = [p for role in ("administrators", "deployers", "readers") for p in access[role].values()]
    for binding in (*manifests.of("RoleBinding"), *manifests.of("ClusterRoleBinding")):
        role = binding["roleRef"]
        namespace = binding["metadata"].get("namespace") if role["kind"] == "Role" else None
        assert role["name"] in BUILT_IN_ROLES or (role["kind"], namespace, role["name"]) in roles, what(binding)
        for subject in binding["subjects"]:
            if subject["kind"] == "ServiceAccount":
                assert (subject["namespace"], subject["name"]) in accounts, what(binding)
            else:
                named = (principal.partition(":")[2] for principal in principals)
                assert subject["name"] in named, what(binding)


def test_no_role_may_read_secrets_or_act_on_everything(manifests: Any) -> None:
    for role in (*manifests.of("Role"), *manifests.of("ClusterRole")):
        for rule in role["rules"]:
            assert "*" not in {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}, what(role)
            assert "secrets" not in rule["resources"], what(role)
