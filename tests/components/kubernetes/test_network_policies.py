"""Who may talk to whom in the cluster, judged by the policies as Kubernetes reads them."""

from __future__ import annotations

from typing import Any

import pytest

from components.contracts.serving import GRPC_PORT, HTTP_PORT, METRICS_PORT
from components.contracts.vocabulary import Cloud
from components.kubernetes.metrics import ADAPTER_PORT, METRICS_NAMESPACE, PROMETHEUS_PORT
from components.kubernetes.traffic import CLIENT_LABEL
from ops.rehearse.firewall import Firewall, Peer

CLIENTS = {CLIENT_LABEL: "true"}
POD_IDENTITY_AGENT = "169.254.170.23"
"""Where EKS gives pods their credentials; Google's metadata server is 169.254.169.254."""
METADATA = {"aws": POD_IDENTITY_AGENT, "gcp": "169.254.169.254"}
API_SERVERS = {"aws": ("172.20.0.1", "10.20.224.7"), "gcp": ("10.20.16.1", "10.20.32.2", "10.20.0.5")}
"""Where pods find the API server: by its service's address, or where the control plane is behind that."""
STORES = {"aws": "10.20.225.9", "gcp": "199.36.153.5"}
"""Where buckets, and a feature store that is an API, are reached."""
PUBLIC, FAR = "203.0.113.9", "10.99.0.1"


@pytest.mark.parametrize("port", [HTTP_PORT, GRPC_PORT])
def test_clients_reach_the_fleets_requests(firewall: Any, pod: Any, stranger: Any, port: int) -> None:
    assert firewall.receives(pod("tumour-risk"), stranger(CLIENTS), port)


def test_clients_do_not_reach_the_fleets_metrics(firewall: Any, pod: Any, stranger: Any) -> None:
    assert not firewall.receives(pod("tumour-risk"), stranger(CLIENTS), METRICS_PORT)


@pytest.mark.parametrize("labels", [{}, {CLIENT_LABEL: "false"}, {"seawall.dev/other": "true"}])
@pytest.mark.parametrize("port", [HTTP_PORT, GRPC_PORT, METRICS_PORT, 22, 9090])
def test_nobody_else_reaches_the_fleet(firewall: Any, pod: Any, stranger: Any, labels: Any, port: int) -> None:
    assert not firewall.receives(pod("tumour-risk"), stranger(labels), port)


@pytest.mark.parametrize("port", [HTTP_PORT, GRPC_PORT, METRICS_PORT])
def test_addresses_outside_the_cluster_do_not_reach_the_fleet(
    firewall: Any, pod: Any, address: Any, port: int
) -> None:
    assert not firewall.receives(pod("tumour-risk"), address(PUBLIC), port)
    assert not firewall.receives(pod("tumour-risk"), address("10.20.1.1"), port)


def test_a_replica_does_not_reach_another(firewall: Any, pod: Any) -> None:
    assert not firewall.receives(pod("tumour-risk"), pod("tumour-risk"), HTTP_PORT)
    assert not firewall.sends(pod("tumour-risk"), pod("tumour-risk"), HTTP_PORT)


def test_the_scraper_reaches_metrics_and_nothing_else(firewall: Any, pod: Any) -> None:
    reached = {
        port
        for port in (HTTP_PORT, GRPC_PORT, METRICS_PORT)
        if firewall.sends(pod("prometheus"), pod("tumour-risk"), port)
        and firewall.receives(pod("tumour-risk"), pod("prometheus"), port)
    }
    assert reached == {METRICS_PORT}


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_every_pod_of_ours_resolves_names(
    manifests: Any, firewall: Any, pod: Any, stranger: Any, protocol: str
) -> None:
    for owner in manifests.pods():
        assert firewall.sends(pod(owner), stranger(name="kube-system"), 53, protocol), owner
        assert not firewall.sends(pod(owner), stranger(name="elsewhere"), 53, protocol), owner


def test_the_fleet_gets_its_identitys_credentials(manifests: Any, firewall: Any, pod: Any, address: Any) -> None:
    assert firewall.sends(pod("tumour-risk"), address(METADATA[manifests.cloud]), 80)


def test_the_fleet_reaches_its_stores(manifests: Any, firewall: Any, pod: Any, address: Any) -> None:
    assert firewall.sends(pod("tumour-risk"), address(STORES[manifests.cloud]), 443)


@pytest.mark.parametrize("where", [PUBLIC, FAR, "10.20.1.1", "199.36.153.9", "52.219.170.1"])
def test_the_fleet_reaches_no_other_address_by_https(firewall: Any, pod: Any, address: Any, where: str) -> None:
    assert not firewall.sends(pod("tumour-risk"), address(where), 443)


def test_the_fleet_does_not_reach_the_api_server(manifests: Any, firewall: Any, pod: Any, address: Any) -> None:
    assert not [a for a in API_SERVERS[manifests.cloud] if firewall.sends(pod("tumour-risk"), address(a), 443)]


def test_no_pod_on_eks_reaches_its_machines_metadata(aws_manifests: Any, aws_network: Any, address: Any) -> None:
    firewall, pod = aws_network
    reached = [o for o in aws_manifests.pods() if firewall.sends(pod(o), address("169.254.169.254"), 80)]
    assert reached == [], "it hands out the machine's own role"


def test_what_runs_the_cluster_reaches_the_internet_no_more(
    manifests: Any, firewall: Any, pod: Any, address: Any
) -> None:
    assert [owner for owner in manifests.pods() if firewall.sends(pod(owner), address(PUBLIC), 443)] == []


def test_the_fleet_reaches_its_redis_where_it_has_one(manifests: Any, firewall: Any, pod: Any, address: Any) -> None:
    reached = [port for port in (6378, 6379) if firewall.sends(pod("tumour-risk"), address("10.20.49.3"), port)]
    assert reached == ([6378, 6379] if manifests.cloud == "gcp" else []), "DynamoDB is an API"


@pytest.mark.parametrize(
    ("where", "port"), [(PUBLIC, 80), (PUBLIC, 22), (PUBLIC, 6378), (FAR, 6378), ("10.20.1.1", 80), ("10.20.1.1", 22)]
)
def test_the_fleet_reaches_nothing_else(firewall: Any, pod: Any, address: Any, where: str, port: int) -> None:
    assert not firewall.sends(pod("tumour-risk"), address(where), port)


@pytest.mark.parametrize("port", [80, 443, 8000, 5432])
def test_the_fleet_reaches_no_pod_elsewhere(firewall: Any, pod: Any, stranger: Any, port: int) -> None:
    assert not firewall.sends(pod("tumour-risk"), stranger(), port)


def test_the_adapter_asks_prometheus(firewall: Any, pod: Any) -> None:
    assert firewall.sends(pod("prometheus-adapter"), pod("prometheus"), PROMETHEUS_PORT)
    assert firewall.receives(pod("prometheus"), pod("prometheus-adapter"), PROMETHEUS_PORT)


def test_only_the_adapter_asks_prometheus(firewall: Any, pod: Any, stranger: Any, address: Any) -> None:
    for other in (stranger(), stranger(CLIENTS), stranger(name=METRICS_NAMESPACE), address("10.20.1.1")):
        assert not firewall.receives(pod("prometheus"), other, PROMETHEUS_PORT)


@pytest.mark.parametrize("app", ["prometheus", "prometheus-adapter"])
def test_what_watches_pods_reaches_the_api_server(
    manifests: Any, firewall: Any, pod: Any, address: Any, app: str
) -> None:
    refused = [a for a in API_SERVERS[manifests.cloud] if not firewall.sends(pod(app), address(a), 443)]
    assert not refused


def test_the_api_server_reaches_the_adapter(
    manifests: Any, firewall: Any, pod: Any, kube_system: Any, address: Any
) -> None:
    callers = {
        "aws": [address("10.20.224.20"), address("10.20.224.36")],
        "gcp": [kube_system(**{"k8s-app": "konnectivity-agent"})],
    }
    for caller in callers[manifests.cloud]:
        assert firewall.receives(pod("prometheus-adapter"), caller, ADAPTER_PORT), "autoscaling would stop"


def test_nobody_else_reaches_the_adapter(
    firewall: Any, pod: Any, stranger: Any, kube_system: Any, address: Any
) -> None:
    others = [
        stranger(),
        stranger(CLIENTS),
        stranger(name="kube-system"),
        kube_system(**{"k8s-app": "kube-dns"}),
        pod("prometheus"),
        pod("tumour-risk"),
        address("10.20.32.2"),  # where GKE's control plane has its address: it comes through the agent
        address("10.20.1.1"),  # a machine
        address("10.20.225.1"),
        address(PUBLIC),
    ]
    admitted = [other for other in others if firewall.receives(pod("prometheus-adapter"), other, ADAPTER_PORT)]
    assert not admitted, "its answers steer the autoscaler, and it takes whoever the API server vouches for"


def test_the_adapter_listens_on_one_port(firewall: Any, pod: Any, stranger: Any) -> None:
    assert not [p for p in (80, 8080, 9090) if firewall.receives(pod("prometheus-adapter"), stranger(), p)]


def test_gke_lets_the_control_plane_reach_the_adapter(gcp_manifests: Any) -> None:
    allowed = {
        port
        for firewall in gcp_manifests.inventory.of_type("gcp:compute/firewall:Firewall")
        if firewall.get("direction") == "INGRESS"
        for rule in firewall.get("allows", [])
        for port in rule["ports"]
        if firewall.name == "control-plane-to-nodes"
    }
    assert str(ADAPTER_PORT) in allowed, "GKE itself opens 443 and 10250 only"


def test_eks_nodes_keep_the_clusters_own_security_group(aws_manifests: Any) -> None:
    for template in aws_manifests.inventory.of_type("aws:ec2/launchTemplate:LaunchTemplate"):
        named = {"vpcSecurityGroupIds", "networkInterfaces", "securityGroupNames"} & template.inputs.keys()
        assert not named, "EKS would leave its group out, which lets the control plane reach the adapter"


def test_only_eks_is_given_a_node_autoscaler(manifests: Any) -> None:
    assert ("cluster-autoscaler" in manifests.pods()) == (manifests.cloud == "aws"), "GKE brings its own"


@pytest.mark.parametrize(("where", "port"), [("172.20.0.1", 443), (POD_IDENTITY_AGENT, 80)])
def test_the_node_autoscaler_reaches_its_apis(aws_network: Any, address: Any, where: str, port: int) -> None:
    firewall, pod = aws_network
    assert firewall.sends(pod("cluster-autoscaler"), address(where), port)


def test_the_node_autoscaler_neither_calls_nor_answers_anyone_else(
    aws_network: Any, address: Any, stranger: Any
) -> None:
    firewall, pod = aws_network
    assert not firewall.sends(pod("cluster-autoscaler"), address(PUBLIC), 80)
    assert not firewall.receives(pod("cluster-autoscaler"), stranger(CLIENTS), 8085)


def test_a_pod_that_no_rule_names_can_do_nothing_in_our_namespaces(
    manifests: Any, firewall: Any, stranger: Any, address: Any
) -> None:
    for namespace in (m["metadata"]["name"] for m in manifests.of("Namespace")):
        intruder = stranger(name=namespace)
        assert not firewall.sends(intruder, address(PUBLIC), 443)
        assert not firewall.receives(intruder, stranger(CLIENTS), 80)


def test_policies_that_allow_both_ways_say_so(manifests: Any) -> None:
    for policy in manifests.of("NetworkPolicy"):
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"], policy["metadata"]["name"]


DIGEST = f"sha256:{'a' * 64}"
FLAGGER_METRICS = 8080


def in_namespace(namespace: str, app: str) -> Peer:
    """A pod of an application whose template a chart writes."""
    labels = {"app.kubernetes.io/name": app}
    return Peer(namespace, labels, {"kubernetes.io/metadata.name": namespace})


def test_flagger_asks_prometheus_and_the_api_server_and_nobody_asks_it(cloud: Cloud, lay_down: Any) -> None:
    canary = {"traffic": {"strategy": "canary"}, "hours": None}
    images = {"flagger": DIGEST, "flagger_chart": DIGEST}
    fleet = {"images": images, "services": {"tumour-risk": canary}}
    laid = lay_down(cloud, "dev", fleet=fleet, pools={"gpu": {"max_nodes": 20}})
    firewall = Firewall(laid.of("NetworkPolicy"))
    flagger, prometheus = in_namespace("flagger-system", "flagger"), in_namespace(METRICS_NAMESPACE, "prometheus")
    triton = in_namespace("serving", "triton")
    assert firewall.passes(flagger, prometheus, PROMETHEUS_PORT)
    assert any(firewall.sends(flagger, Peer(address=a), 443) for a in API_SERVERS[cloud])
    assert not firewall.sends(flagger, Peer(address=PUBLIC), 443)
    assert not any(firewall.sends(flagger, triton, port) for port in (HTTP_PORT, GRPC_PORT, METRICS_PORT))
    assert not any(firewall.receives(flagger, each, FLAGGER_METRICS) for each in (triton, prometheus))
    other = in_namespace("flagger-system", "other")
    assert not firewall.receives(prometheus, other, PROMETHEUS_PORT), "no neighbour of Flagger's either"
