"""Objects that are gone as a whole, and bounds, identities and Services that lead elsewhere, each with its rule."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, Mutation, add, drop, put

_GONE: Final = (
    ("Certificate", "certificate-door", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("ClusterRoleBinding", "prometheus-adapter-delegator", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("ClusterRoleBinding", "prometheus-adapter-reader", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("ClusterRoleBinding", "seawall-ci", "", ("gcp",), "k8s-fleet-whole"),
    ("ClusterRoleBinding", "seawall-on-call", "", ("gcp",), "k8s-fleet-whole"),
    ("ClusterRoleBinding", "seawall-platform", "", ("gcp",), "k8s-fleet-whole"),
    ("ComputeClass", "seawall-l4", "", ("gcp",), "k8s-fleet-whole"),
    ("ConfigMap", "cluster-autoscaler-priority-expander", "", ("aws",), "k8s-fleet-whole"),
    ("ConfigMap", "prometheus", "", ("aws", "gcp"), "k8s-pods-find-what-they-name"),
    ("ConfigMap", "prometheus-adapter", "", ("aws", "gcp"), "k8s-pods-find-what-they-name"),
    ("EnvoyProxy", "envoyproxy-door", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("GRPCRoute", "grpcroute-tumour-risk", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("Gateway", "gateway-door", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("HTTPRoute", "httproute-tumour-risk", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("HorizontalPodAutoscaler", "tumour-risk", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "cainjector", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "cert-manager", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "certgen", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "envoy", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "gateway-helm", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "prometheus", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "prometheus-adapter", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("NetworkPolicy", "webhook", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("Release", "cert-manager", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("Release", "envoy-gateway", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("RoleBinding", "prometheus", "serving", ("aws", "gcp"), "k8s-fleet-whole"),
    ("RoleBinding", "prometheus", "envoy-gateway-system", ("aws", "gcp"), "k8s-fleet-whole"),
    ("RoleBinding", "prometheus-adapter-auth-reader", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("Secret", "feature-store", "", ("gcp",), "k8s-pods-find-what-they-name"),
    ("Service", "prometheus", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("Service", "tumour-risk", "", ("aws", "gcp"), "k8s-fleet-whole"),
    ("ServiceAccount", "prometheus", "", ("aws", "gcp"), "k8s-pods-find-what-they-name"),
    ("ServiceAccount", "prometheus-adapter", "", ("aws", "gcp"), "k8s-pods-find-what-they-name"),
)
"""Kind, name, namespace where the name is not enough, clouds and rule of what is left out alone."""

_PROCESSORS: Final = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}

HARMFUL: Final = (
    *(
        Mutation(f"gone: {kind} {name} {namespace}".strip(), drop(kind, name, namespace), rule, clouds)
        for kind, name, namespace, clouds, rule in _GONE
    ),
    Mutation(
        "rbac: a role of AWS on the account",
        put(
            "ServiceAccount",
            "triton",
            ("metadata.annotations.eks\\.amazonaws\\.com/role-arn", "arn:aws:iam::999999999999:role/admin"),
        ),
        "k8s-accounts-of-the-account",
    ),
    Mutation(
        "rbac: another Google account",
        put(
            "ServiceAccount",
            "triton",
            ("metadata.annotations.iam\\.gke\\.io/gcp-service-account", "owner@other.iam.gserviceaccount.com"),
        ),
        "k8s-accounts-of-the-account",
    ),
    Mutation(
        "rbac: pull secrets of the account",
        put("ServiceAccount", "triton", ("imagePullSecrets", [{"name": "x"}])),
        "k8s-accounts-of-the-account",
    ),
    Mutation(
        "rbac: an account with a role of AWS",
        add(
            "kubernetes:core/v1:ServiceAccount",
            {
                "metadata": {
                    "name": "new",
                    "namespace": "serving",
                    "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::999999999999:role/admin"},
                },
                "automountServiceAccountToken": False,
            },
        ),
        "k8s-accounts-of-the-account",
    ),
    Mutation(
        "hpa: up to 10,000",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.maxReplicas", 10000)),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: up to twice the settings",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.maxReplicas", 24)),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: never more than the fewest",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.maxReplicas", 3)),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: down to one",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.minReplicas", 1)),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: ten thousand percent at once",
        put(
            "HorizontalPodAutoscaler",
            "tumour-risk",
            ("spec.behavior.scaleUp.policies", [{"periodSeconds": 1, "type": "Percent", "value": 10000}]),
        ),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: never fewer",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.behavior.scaleDown", {"selectPolicy": "Disabled"})),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: fewer at once",
        put(
            "HorizontalPodAutoscaler",
            "tumour-risk",
            (
                "spec.behavior.scaleDown",
                {
                    "stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 1}],
                },
            ),
        ),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: an hour before more",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.behavior.scaleUp.stabilizationWindowSeconds", 3600)),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: one more an hour",
        put(
            "HorizontalPodAutoscaler",
            "tumour-risk",
            ("spec.behavior.scaleUp.policies", [{"periodSeconds": 1800, "type": "Pods", "value": 1}]),
        ),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: another kind's replicas",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.scaleTargetRef.kind", "StatefulSet")),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: busy at a million",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.metrics.0.pods.target.averageValue", "1000000")),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: busy at nothing",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.metrics.0.pods.target.averageValue", "1m")),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: waits for a million",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.metrics.1.pods.target.averageValue", "1000000")),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: a metric with a selector",
        put(
            "HorizontalPodAutoscaler",
            "tumour-risk",
            ("spec.metrics.0.pods.metric.selector", {"matchLabels": {"a": "b"}}),
        ),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: processors for a metric",
        put(
            "HorizontalPodAutoscaler",
            "tumour-risk",
            (
                "spec.metrics",
                [_PROCESSORS],
            ),
        ),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: a tolerance of all",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.behavior.scaleUp.tolerance", "10")),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: two autoscalers",
        add(
            "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "minReplicas": 1,
                    "maxReplicas": 2,
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tumour-risk"},
                    "metrics": [_PROCESSORS],
                },
            },
        ),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "quota: GPUs without bound",
        put("ResourceQuota", "gpus", ("spec.hard.requests\\.nvidia\\.com/gpu", "100000")),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "quota: no GPUs",
        put("ResourceQuota", "gpus", ("spec.hard.requests\\.nvidia\\.com/gpu", "0")),
        "k8s-quota-bounds-gpus",
    ),
    Mutation("quota: no bounds", put("ResourceQuota", "gpus", ("spec.hard", {})), "k8s-quota-bounds-gpus"),
    Mutation(
        "quota: a bound for some",
        put("ResourceQuota", "gpus", ("spec.scopes", ["Terminating"])),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "quota: a bound of another priority",
        put(
            "ResourceQuota",
            "gpus",
            (
                "spec.scopeSelector",
                {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["x"]}]},
            ),
        ),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "quota: a bound elsewhere",
        put("ResourceQuota", "gpus", ("metadata.namespace", "cert-manager")),
        "k8s-quota-bounds-gpus",
    ),
    Mutation("quota: no pods", put("ResourceQuota", "gpus", ("spec.hard.pods", "0")), "k8s-quota-bounds-gpus"),
    Mutation(
        "quota: limits of another name",
        put("ResourceQuota", "gpus", ("spec.hard", {"limits.nvidia.com/gpu": "13"})),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "quota: a quota that stops all",
        add(
            "kubernetes:core/v1:ResourceQuota",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"hard": {"pods": "0"}}},
        ),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "quota: a range of limits",
        add(
            "kubernetes:core/v1:LimitRange",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {"limits": [{"type": "Container", "max": {"memory": "1Mi"}, "default": {"memory": "1Mi"}}]},
            },
        ),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "quota: a range without bounds",
        add(
            "kubernetes:core/v1:LimitRange",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {"limits": [{"type": "Container", "default": {"cpu": "1000"}}]},
            },
        ),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "quota: a patch of the quota",
        add(
            "kubernetes:core/v1:ResourceQuotaPatch",
            {
                "metadata": {"name": "gpus", "namespace": "serving"},
                "spec": {"hard": {"requests.nvidia.com/gpu": "9999"}},
            },
        ),
        "k8s-quota-bounds-gpus",
    ),
    Mutation(
        "services: not ready yet",
        put("Service", "tumour-risk", ("spec.publishNotReadyAddresses", True)),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: no selector", put("Service", "tumour-risk", ("spec.selector", GONE)), "k8s-services-lead-to-pods"
    ),
    Mutation(
        "services: another's pods",
        put("Service", "tumour-risk", ("spec.selector", {"app.kubernetes.io/name": "prometheus"})),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: the machine's own pods",
        put("Service", "tumour-risk", ("spec.internalTrafficPolicy", "Local")),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: a port that is not there",
        put("Service", "tumour-risk", ("spec.ports.0.targetPort", "gone")),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: no addresses of its own",
        put("Service", "tumour-risk", ("spec.clusterIP", "None")),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: a public name",
        put(
            "Service",
            "tumour-risk",
            ("metadata.annotations", {"external-dns.alpha.kubernetes.io/hostname": "models.example.com"}),
        ),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: the same machine first",
        put("Service", "tumour-risk", ("spec.trafficDistribution", "PreferSameNode")),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: a name elsewhere",
        put("Service", "tumour-risk", ("spec.type", "ExternalName"), ("spec.externalName", "example.com")),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: a Service of another's pods",
        add(
            "kubernetes:core/v1:Service",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {"type": "ExternalName", "externalName": "evil.example.com"},
            },
        ),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: a Service for a database's name",
        add(
            "kubernetes:core/v1:Service",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"ports": [{"port": 443}]}},
        ),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: Prometheus not ready yet",
        put("Service", "prometheus", ("spec.publishNotReadyAddresses", True)),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "services: Prometheus' Service of the fleet",
        put("Service", "prometheus", ("spec.selector", {"app.kubernetes.io/name": "triton"})),
        "k8s-services-lead-to-pods",
    ),
)
