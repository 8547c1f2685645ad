"""What serves Triton's own metrics to the autoscaler: a small Prometheus, and the adapter to the metrics API.

This Prometheus keeps two hours and has no disk: it feeds the autoscaler, it is not the platform's monitoring.

There are two of each, or an autoscaler is blind while a machine goes. Two Prometheis scrape by themselves, so that
their series differ by a scrape at most; each adapter stays with one (its Service's session affinity), and one that
has just started is asked only once it has a whole window of busy time. Adapters keep no state.

The adapter speaks both versions of custom.metrics.k8s.io that the autoscaler's client knows, v1beta1 and v1beta2;
registering one suffices. It uses only v1 APIs of the cluster (pods, namespaces, token and access reviews), none of
the flow-control ones whose beta versions newer clusters dropped. The autoscaler's right to read custom metrics is
built into Kubernetes (`system:controller:horizontal-pod-autoscaler`).
"""

from __future__ import annotations

import json
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiregistration.v1 import APIService, APIServiceSpecArgs, ServiceReferenceArgs
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    EmptyDirVolumeSourceArgs,
    Namespace,
    PodSpecArgs,
    PodTemplateSpecArgs,
    Service,
    ServiceAccount,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs, NetworkPolicyIngressRuleArgs
from pulumi_kubernetes.rbac.v1 import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRuleArgs,
    Role,
    RoleBinding,
    RoleRefArgs,
    SubjectArgs,
)

from components.contracts import serving
from components.contracts.apart import Apart
from components.contracts.component import Component, ready
from components.contracts.door import PROXY_APP, PROXY_METRICS_PORT, PROXY_NAMESPACE
from components.contracts.images import PROMETHEUS, PROMETHEUS_ADAPTER, PublicImage
from components.contracts.refs import ApiServerPath, RegistryRef
from components.contracts.scaling import BUSY_WINDOW_SECONDS
from components.kubernetes import priorities
from components.kubernetes.access import RBAC
from components.kubernetes.pods import (
    RESTRICTED,
    app_labels,
    at_most_one_away,
    checksum,
    container_security,
    http_probe,
    memory_bound,
    metadata,
    pod_security,
    port,
    selecting,
    spread,
)
from components.kubernetes.traffic import allow, deny_all, dns, from_api_server, in_app, in_namespace, ports, to_doors

METRICS_NAMESPACE: Final = "autoscaling-metrics"
SCRAPE_SECONDS: Final = 5
RETENTION_HOURS: Final = 2
PROMETHEUS_PORT: Final = 9090
ADAPTER_PORT: Final = 6443
NOBODY: Final = 65534
REPLICAS: Final = 2
METRICS_API: Final = "custom.metrics.k8s.io"
PROMETHEUS_URL: Final = f"http://prometheus.{METRICS_NAMESPACE}.svc:{PROMETHEUS_PORT}"
ENVOY_FIGURES: Final = r"^cluster\.httproute.*\.upstream_rq_([1-5]xx|time)$"
"""Of Envoy's thousands of figures those that a release is judged by: Envoy is asked for no others."""


def prometheus_config(fleet_namespace: str) -> str:
    """Scrape each Triton pod's metrics port, and each of the door's Envoys. JSON is YAML, so Prometheus reads it."""
    triton = _job("triton", fleet_namespace, [_keep("__meta_kubernetes_pod_container_port_name", "metrics")])
    envoy = {
        **_job(
            "envoy",
            PROXY_NAMESPACE,
            [
                _keep("__meta_kubernetes_pod_label_app_kubernetes_io_name", PROXY_APP),
                _keep("__meta_kubernetes_pod_container_port_number", str(PROXY_METRICS_PORT)),
            ],
        ),
        "metrics_path": "/stats/prometheus",
        "params": {"filter": [ENVOY_FIGURES]},
    }
    told = {"global": {"scrape_interval": f"{SCRAPE_SECONDS}s"}, "scrape_configs": [triton, envoy]}
    return json.dumps(told, indent=1)


def _keep(label: str, value: str) -> dict[str, Any]:
    return {"source_labels": [label], "action": "keep", "regex": value}


def _job(name: str, namespace: str, kept: list[dict[str, Any]]) -> dict[str, Any]:
    """A scrape of pods, whose figures bear their namespace and name."""
    return {
        "job_name": name,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "relabel_configs": [
            *kept,
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        ],
    }


def adapter_config() -> str:
    """Serve what the autoscaler asks about each pod, summed over its models: requests that wait, and that are served.

    Both count each request once: ensembles never show pending requests of their own, and their busy time, which
    repeats their steps', is left out.
    """
    waiting = _rule(
        serving.PENDING_REQUESTS_METRIC,
        serving.PENDING_REQUESTS_METRIC,
        "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
    )
    (first, *others) = serving.BUSY_COUNTERS
    series = ("<<.Series>>", *others)
    spent = [f"rate({name}{{<<.LabelMatchers>>}}[{BUSY_WINDOW_SECONDS}s])" for name in series]
    # 0 for an ensemble and for a model that was never asked, where leaving it out would leave out the pod.
    no_ensemble = f"{serving.QUEUE_COUNTER}{{<<.LabelMatchers>>}} > bool 0"
    busy = _rule(
        first,
        serving.BUSY_REQUESTS_METRIC,
        f"sum(({' + '.join(spent)}) * ({no_ensemble})) by (<<.GroupBy>>) / 1e6",
    )
    return json.dumps({"rules": [waiting, busy]}, indent=1)


def _rule(series: str, name: str, query: str) -> dict[str, Any]:
    return {
        "seriesQuery": f'{series}{{namespace!="",pod!=""}}',
        "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
        "name": {"as": name},
        "metricsQuery": query,
    }


def allow_discovery(namespace: str, options: pulumi.ResourceOptions) -> None:
    """Let Prometheus find the pods of `namespace`, and nothing else there."""
    Role(
        "prometheus",
        metadata=metadata("prometheus", namespace),
        rules=[PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get", "list", "watch"])],
        opts=options,
    )
    RoleBinding(
        "prometheus",
        metadata=metadata("prometheus", namespace),
        role_ref=RoleRefArgs(api_group=RBAC, kind="Role", name="prometheus"),
        subjects=[SubjectArgs(kind="ServiceAccount", name="prometheus", namespace=METRICS_NAMESPACE)],
        opts=options,
    )


class MetricsPipeline(Component):
    """Prometheus and its adapter, with no more rights than each needs; a fleet opens itself by `allow_discovery`."""

    ready: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        registry: RegistryRef,
        api_server: ApiServerPath,
        apart: Apart,
        provider: kubernetes.Provider,
    ) -> None:
        super().__init__("kubernetes:MetricsPipeline", name, provider)
        self._apart = apart
        self._registry = registry
        self._options = pulumi.ResourceOptions(parent=self)
        self._namespace = Namespace(
            METRICS_NAMESPACE, metadata=metadata(METRICS_NAMESPACE, labels=RESTRICTED), opts=self._options
        )
        self._inside = pulumi.ResourceOptions(parent=self, depends_on=[self._namespace])
        self._priority = priorities.priority_class(priorities.ESSENTIAL, "What all services depend on", self._options)
        deny_all(METRICS_NAMESPACE, self._inside)
        prometheus = self._prometheus(api_server)
        adapter = self._adapter(api_server)
        api = self._metrics_api(adapter)
        self.ready = ready(api.id, prometheus, adapter)
        self.finish({"api": METRICS_API})

    def _prometheus(self, api_server: ApiServerPath) -> Deployment:
        self._account("prometheus")
        allow(
            "prometheus",
            METRICS_NAMESPACE,
            ingress=[
                NetworkPolicyIngressRuleArgs(
                    from_=[in_app("prometheus-adapter")],
                    ports=ports(PROMETHEUS_PORT),
                )
            ],
            egress=[
                dns(),
                *to_doors(api_server.doors),
                NetworkPolicyEgressRuleArgs(
                    to=[in_namespace(serving.NAMESPACE)],
                    ports=ports(serving.METRICS_PORT),
                ),
                NetworkPolicyEgressRuleArgs(to=[in_namespace(PROXY_NAMESPACE)], ports=ports(PROXY_METRICS_PORT)),
            ],
            options=self._inside,
        )
        arguments = [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={RETENTION_HOURS}h",
            f"--web.listen-address=:{PROMETHEUS_PORT}",
        ]
        return self._deployment(
            "prometheus",
            PROMETHEUS,
            arguments,
            config={"prometheus.yml": prometheus_config(serving.NAMESPACE)},
            config_dir="/etc/prometheus",
            scratch="/prometheus",
            listens=PROMETHEUS_PORT,
            ready_path="/-/ready",
            live_path="/-/healthy",
            scheme="HTTP",
            after_seconds=BUSY_WINDOW_SECONDS,
        )

    def _adapter(self, api_server: ApiServerPath) -> Deployment:
        account = self._account("prometheus-adapter")
        bindings = (
            ("delegator", "ClusterRole", "system:auth-delegator", None),
            ("auth-reader", "Role", "extension-apiserver-authentication-reader", "kube-system"),
            ("reader", "ClusterRole", "seawall-metrics-reader", None),
        )
        ClusterRole(
            "seawall-metrics-reader",
            metadata=metadata("seawall-metrics-reader"),
            rules=[PolicyRuleArgs(api_groups=[""], resources=["namespaces", "pods"], verbs=["get", "list", "watch"])],
            opts=self._options,
        )
        subject = SubjectArgs(kind="ServiceAccount", name="prometheus-adapter", namespace=METRICS_NAMESPACE)
        for suffix, kind, role, namespace in bindings:
            self._bind(f"prometheus-adapter-{suffix}", kind, role, namespace, subject, account)
        allow(
            "prometheus-adapter",
            METRICS_NAMESPACE,
            ingress=[NetworkPolicyIngressRuleArgs(from_=from_api_server(api_server), ports=ports(ADAPTER_PORT))],
            egress=[
                dns(),
                NetworkPolicyEgressRuleArgs(
                    to=[in_app("prometheus")],
                    ports=ports(PROMETHEUS_PORT),
                ),
                *to_doors(api_server.doors),
            ],
            options=self._inside,
        )
        arguments = [
            f"--secure-port={ADAPTER_PORT}",
            "--cert-dir=/tmp/certificates",
            f"--prometheus-url=http://prometheus.{METRICS_NAMESPACE}.svc:{PROMETHEUS_PORT}/",
            "--config=/etc/adapter/config.yaml",
            f"--metrics-relist-interval={SCRAPE_SECONDS * 6}s",
        ]
        return self._deployment(
            "prometheus-adapter",
            PROMETHEUS_ADAPTER,
            arguments,
            config={"config.yaml": adapter_config()},
            config_dir="/etc/adapter",
            scratch="/tmp",  # noqa: S108 - the container's own scratch volume, for its self-made certificate
            listens=ADAPTER_PORT,
            ready_path="/readyz",
            live_path="/livez",
            scheme="HTTPS",
        )

    def _account(self, app: str) -> ServiceAccount:
        return ServiceAccount(app, metadata=metadata(app, METRICS_NAMESPACE), opts=self._inside)

    def _bind(
        self,
        name: str,
        kind: str,
        role: str,
        namespace: str | None,
        subject: SubjectArgs,
        account: ServiceAccount,
    ) -> None:
        role_ref = RoleRefArgs(api_group=RBAC, kind=kind, name=role)
        options = pulumi.ResourceOptions(parent=self, depends_on=[account])
        if namespace is None:
            ClusterRoleBinding(name, metadata=metadata(name), role_ref=role_ref, subjects=[subject], opts=options)
        else:
            RoleBinding(name, metadata=metadata(name, namespace), role_ref=role_ref, subjects=[subject], opts=options)

    def _deployment(
        self,
        app: str,
        image: PublicImage,
        arguments: list[str],
        *,
        config: dict[str, str],
        config_dir: str,
        scratch: str,
        listens: int,
        ready_path: str,
        live_path: str,
        scheme: str,
        after_seconds: int = 0,
    ) -> Deployment:
        labels = app_labels(app)
        config_map = ConfigMap(app, metadata=metadata(app, METRICS_NAMESPACE), data=config, opts=self._inside)
        Service(
            app,
            metadata=metadata(app, METRICS_NAMESPACE, labels=labels),
            spec=ServiceSpecArgs(
                selector=labels,
                ports=[ServicePortArgs(name="web", port=listens, target_port="web")],
                session_affinity="ClientIP" if after_seconds else None,
            ),
            opts=self._inside,
        )
        container = ContainerArgs(
            name=app,
            image=self._registry.mirrored(image),
            args=arguments,
            ports=[port("web", listens)],
            resources=memory_bound("100m", "256Mi", "512Mi"),
            security_context=container_security(),
            readiness_probe=http_probe(
                ready_path,
                "web",
                period_seconds=10,
                failure_threshold=3,
                scheme=scheme,
                after_seconds=after_seconds,
            ),
            liveness_probe=http_probe(live_path, "web", period_seconds=10, failure_threshold=3, scheme=scheme),
            volume_mounts=[
                VolumeMountArgs(name="config", mount_path=config_dir, read_only=True),
                VolumeMountArgs(name="scratch", mount_path=scratch),
            ],
        )
        pod = PodSpecArgs(
            service_account_name=app,
            priority_class_name=priorities.ESSENTIAL,
            topology_spread_constraints=spread(self._apart.manifests(labels)),
            security_context=pod_security(NOBODY),
            containers=[container],
            volumes=[
                VolumeArgs(name="config", config_map=ConfigMapVolumeSourceArgs(name=app)),
                VolumeArgs(name="scratch", empty_dir=EmptyDirVolumeSourceArgs(size_limit="2Gi")),
            ],
        )
        at_most_one_away(app, METRICS_NAMESPACE, labels, self._inside)
        annotations = {"seawall.dev/config": checksum(json.dumps(config, sort_keys=True))}
        return Deployment(
            app,
            metadata=metadata(app, METRICS_NAMESPACE, labels=labels),
            spec=DeploymentSpecArgs(
                replicas=REPLICAS,
                selector=selecting(labels),
                template=PodTemplateSpecArgs(metadata=metadata(labels=labels, annotations=annotations), spec=pod),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._namespace, self._priority, config_map]),
        )

    def _metrics_api(self, adapter: Deployment) -> APIService:
        # The adapter signs its own certificate at each start, so there is no CA to pin; the API server reaches it
        # over the cluster's private network only.
        return APIService(
            METRICS_API,
            metadata=metadata(f"v1beta1.{METRICS_API}"),
            spec=APIServiceSpecArgs(
                group=METRICS_API,
                version="v1beta1",
                service=ServiceReferenceArgs(
                    name="prometheus-adapter", namespace=METRICS_NAMESPACE, port=ADAPTER_PORT
                ),
                insecure_skip_tls_verify=True,
                group_priority_minimum=100,
                version_priority=100,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[adapter]),
        )
