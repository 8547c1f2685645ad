"""Changes of bounds, rights and networks that would harm production, each with the rule that must find it."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, Mutation, add, drop, put

HARMFUL: Final = (
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
        "hpa: down to none",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.minReplicas", 0)),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: fewest left out",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.minReplicas", GONE)),
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
                [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                    }
                ],
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
                    "metrics": [
                        {
                            "type": "Resource",
                            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                        }
                    ],
                },
            },
        ),
        "k8s-autoscaler-as-settled",
    ),
    Mutation(
        "hpa: no metrics",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.metrics", GONE)),
        "k8s-autoscaler-beyond-queue",
    ),
    Mutation(
        "hpa: an empty list of metrics",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.metrics", [])),
        "k8s-autoscaler-beyond-queue",
    ),
    Mutation(
        "hpa: never more",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.behavior.scaleUp", {"selectPolicy": "Disabled"})),
        "k8s-autoscaler-bounds",
    ),
    Mutation(
        "hpa: another's replicas",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.scaleTargetRef.name", "prometheus")),
        "k8s-autoscaler-bounds",
    ),
    Mutation(
        "hpa: nobody's replicas",
        put("HorizontalPodAutoscaler", "tumour-risk", ("spec.scaleTargetRef.name", "gone")),
        "k8s-autoscaler-bounds",
    ),
    Mutation(
        "hpa: in another namespace",
        put("HorizontalPodAutoscaler", "tumour-risk", ("metadata.namespace", "autoscaling-metrics")),
        "k8s-autoscaler-bounds",
    ),
    Mutation(
        "rbac: another account deploys",
        put("ClusterRoleBinding", "seawall-ci", ("subjects.0.name", "x@other.iam.gserviceaccount.com")),
        "k8s-bindings-to-whom-they-mean",
        ("gcp",),
    ),
    Mutation(
        "rbac: a patch of a binding",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBindingPatch",
            {
                "metadata": {"name": "prometheus-adapter-reader"},
                "subjects": [{"kind": "Group", "name": "system:authenticated"}],
            },
        ),
        "k8s-bindings-to-whom-they-mean",
    ),
    Mutation(
        "pdb: none needs to stay",
        put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", GONE), ("spec.minAvailable", 0)),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: all must stay",
        put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", GONE), ("spec.minAvailable", "100%")),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: all three must stay",
        put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", GONE), ("spec.minAvailable", 3)),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: more must stay than there are",
        put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", GONE), ("spec.minAvailable", 100)),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: nothing said",
        put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", GONE)),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: none may go",
        put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", 0)),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: none may go as a part",
        put("PodDisruptionBudget", "tumour-risk", ("spec.maxUnavailable", "0%")),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: sick pods hold machines",
        put("PodDisruptionBudget", "tumour-risk", ("spec.unhealthyPodEvictionPolicy", GONE)),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "pdb: sick pods hold machines by word",
        put("PodDisruptionBudget", "tumour-risk", ("spec.unhealthyPodEvictionPolicy", "IfHealthyBudget")),
        "k8s-budget-lets-pods-go",
    ),
    Mutation(
        "deployments: the autoscaler of machines gone",
        drop("Deployment", "cluster-autoscaler"),
        "k8s-budget-of-one-workload",
        ("aws",),
    ),
    Mutation(
        "others: a Canary without judgement",
        add(
            "kubernetes:flagger.app/v1beta1:Canary",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {"skipAnalysis": True, "targetRef": {"kind": "Deployment", "name": "tumour-risk"}},
            },
        ),
        "k8s-canary-judged",
    ),
    Mutation(
        "netpol: a denial that lets out",
        put("NetworkPolicy", "serving-deny-all", ("spec.egress", [{}])),
        "k8s-egress-bounded",
    ),
    Mutation(
        "netpol: all private networks",
        put(
            "NetworkPolicy",
            "triton",
            ("spec.egress.+", {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 443}]}),
        ),
        "k8s-egress-bounded",
    ),
    Mutation(
        "upkeep: Prometheus together",
        put("Deployment", "prometheus", ("spec.template.spec.topologySpreadConstraints", GONE)),
        "k8s-essential-apart",
    ),
    Mutation(
        "upkeep: Prometheus together if need be",
        put(
            "Deployment",
            "prometheus",
            ("spec.template.spec.topologySpreadConstraints.0.whenUnsatisfiable", "ScheduleAnyway"),
        ),
        "k8s-essential-apart",
    ),
    Mutation(
        "netpol: clients at every port",
        put("NetworkPolicy", "triton", ("spec.ingress.0.ports", GONE)),
        "k8s-ingress-bounded",
    ),
    Mutation(
        "netpol: a range of ports from one",
        put("NetworkPolicy", "triton", ("spec.ingress.0.ports.0", {"port": 8000, "endPort": 65000})),
        "k8s-ingress-bounded",
    ),
    Mutation(
        "netpol: Prometheus for every namespace",
        put(
            "NetworkPolicy",
            "prometheus",
            ("spec.ingress", [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 9090}]}]),
        ),
        "k8s-ingress-bounded",
    ),
    Mutation("netpol: no denial in serving", drop("NetworkPolicy", "serving-deny-all"), "k8s-namespace-closed"),
    Mutation(
        "netpol: no denial at the door",
        drop("NetworkPolicy", "envoy-gateway-system-deny-all"),
        "k8s-namespace-closed",
    ),
    Mutation(
        "netpol: no denial beside cert-manager",
        drop("NetworkPolicy", "cert-manager-deny-all"),
        "k8s-namespace-closed",
    ),
    Mutation(
        "netpol: no denial of metrics", drop("NetworkPolicy", "autoscaling-metrics-deny-all"), "k8s-namespace-closed"
    ),
    Mutation(
        "netpol: a denial for some pods",
        put("NetworkPolicy", "serving-deny-all", ("spec.podSelector.matchLabels", {"a": "b"})),
        "k8s-namespace-closed",
    ),
    Mutation(
        "netpol: a denial for none by expression",
        put(
            "NetworkPolicy",
            "serving-deny-all",
            ("spec.podSelector", {"matchExpressions": [{"key": "a", "operator": "Exists"}]}),
        ),
        "k8s-namespace-closed",
    ),
    Mutation(
        "netpol: a denial of nothing leaving",
        put("NetworkPolicy", "serving-deny-all", ("spec.policyTypes", ["Ingress"])),
        "k8s-namespace-closed",
    ),
    Mutation(
        "netpol: a denial without kinds",
        put("NetworkPolicy", "serving-deny-all", ("spec.policyTypes", GONE)),
        "k8s-namespace-closed",
    ),
    Mutation(
        "netpol: a denial elsewhere",
        put("NetworkPolicy", "serving-deny-all", ("metadata.namespace", "cert-manager")),
        "k8s-namespace-closed",
    ),
    Mutation(
        "namespaces: a namespace of clients",
        add(
            "kubernetes:core/v1:Namespace",
            {
                "metadata": {
                    "name": "kube-public",
                    "labels": {"seawall.dev/client": "true", "pod-security.kubernetes.io/enforce": "restricted"},
                }
            },
        ),
        "k8s-namespace-closed",
    ),
    Mutation(
        "namespaces: privileged pods beside metrics",
        put(
            "Namespace", "autoscaling-metrics", ("metadata.labels.pod-security\\.kubernetes\\.io/enforce", "baseline")
        ),
        "k8s-namespace-restricted",
    ),
    Mutation("netpol: no policy for the fleet", drop("NetworkPolicy", "triton"), "k8s-network-ports-named"),
    Mutation(
        "netpol: for another's pods",
        put("NetworkPolicy", "triton", ("spec.podSelector.matchLabels", {"app.kubernetes.io/name": "other"})),
        "k8s-network-ports-named",
    ),
    Mutation(
        "netpol: no requests", put("NetworkPolicy", "triton", ("spec.ingress.0", GONE)), "k8s-network-ports-named"
    ),
    Mutation(
        "others: features' Secret in plain text",
        put("Secret", "feature-store", ("stringData", {"auth": "hunter2222"})),
        "k8s-no-secrets-in-plain-text",
        ("gcp",),
    ),
    Mutation(
        "others: features' Secret as a token",
        put("Secret", "feature-store", ("type", "kubernetes.io/service-account-token")),
        "k8s-no-side-doors",
        ("gcp",),
    ),
    Mutation(
        "others: a new policy.networking.k8s.io/v1alpha1:BaselineAdminNetworkPolicy",
        add(
            "kubernetes:policy.networking.k8s.io/v1alpha1:BaselineAdminNetworkPolicy",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-nothing-beside-the-door",
    ),
    Mutation(
        "deployments: not awaited",
        put("Deployment", "tumour-risk", ("metadata.annotations.pulumi\\.com/skipAwait", "true")),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "deployments: left behind",
        put("Deployment", "tumour-risk", ("metadata.annotations.pulumi\\.com/deletionPropagationPolicy", "orphan")),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "deployments: fields taken from others",
        put("Deployment", "tumour-risk", ("metadata.annotations.pulumi\\.com/patchForce", "true")),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "namespaces: not there for Pulumi",
        put("Namespace", "serving", ("metadata.annotations", {"pulumi.com/skipAwait": "true"})),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "hpa: a paused scaled object",
        add(
            "kubernetes:keda.sh/v1alpha1:ScaledObject",
            {
                "metadata": {
                    "name": "new",
                    "namespace": "serving",
                    "annotations": {"autoscaling.keda.sh/paused": "true"},
                },
                "spec": {
                    "scaleTargetRef": {"name": "tumour-risk"},
                    "maxReplicaCount": 10000,
                    "minReplicaCount": 0,
                    "triggers": [],
                },
            },
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "hpa: a vertical autoscaler",
        add(
            "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {"targetRef": {"kind": "Deployment", "name": "tumour-risk"}},
            },
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new monitoring.coreos.com/v1:PrometheusRule",
        add(
            "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"groups": []}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new monitoring.coreos.com/v1:AlertmanagerConfig",
        add(
            "kubernetes:monitoring.coreos.com/v1:AlertmanagerConfig",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new monitoring.coreos.com/v1:ServiceMonitor",
        add(
            "kubernetes:monitoring.coreos.com/v1:ServiceMonitor",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new kustomize:Directory",
        add(
            "kubernetes:kustomize:Directory", {"metadata": {"name": "new", "namespace": "serving"}, "directory": "x"}
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new yaml:ConfigFile",
        add("kubernetes:yaml:ConfigFile", {"metadata": {"name": "new", "namespace": "serving"}, "file": "x.yaml"}),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new core/v1:Binding",
        add(
            "kubernetes:core/v1:Binding",
            {"metadata": {"name": "new", "namespace": "serving"}, "target": {"name": "x"}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new storage.k8s.io/v1:CSIDriver",
        add(
            "kubernetes:storage.k8s.io/v1:CSIDriver",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new coordination.k8s.io/v1:Lease",
        add(
            "kubernetes:coordination.k8s.io/v1:Lease",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new flowcontrol.apiserver.k8s.io/v1:FlowSchema",
        add(
            "kubernetes:flowcontrol.apiserver.k8s.io/v1:FlowSchema",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new resource.k8s.io/v1:DeviceClass",
        add(
            "kubernetes:resource.k8s.io/v1:DeviceClass",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new karpenter.sh/v1:NodePool",
        add("kubernetes:karpenter.sh/v1:NodePool", {"metadata": {"name": "new", "namespace": "serving"}, "spec": {}}),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new cert-manager.io/v1:ClusterIssuer",
        add(
            "kubernetes:cert-manager.io/v1:ClusterIssuer",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"selfSigned": {}}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new cert-manager.io/v1:Issuer",
        add(
            "kubernetes:cert-manager.io/v1:Issuer",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"selfSigned": {}}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new policy/v1beta1:PodSecurityPolicy",
        add(
            "kubernetes:policy/v1beta1:PodSecurityPolicy",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"privileged": True}},
        ),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a new core/v1:Event",
        add("kubernetes:core/v1:Event", {"metadata": {"name": "new", "namespace": "serving"}}),
        "k8s-objects-known",
    ),
    Mutation(
        "others: a schedule that stops",
        add(
            "kubernetes:batch/v1:CronJob",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "suspend": True,
                    "schedule": "0 0 31 2 *",
                    "concurrencyPolicy": "Allow",
                    "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}},
                },
            },
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "others: a new batch/v1:JobPatch",
        add(
            "kubernetes:batch/v1:JobPatch",
            {"metadata": {"name": "new", "namespace": "serving"}, "spec": {"suspend": True}},
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "priorities: as a text",
        put("PriorityClass", "seawall-serving", ("value", "100000000")),
        "k8s-priorities-kept",
    ),
    Mutation(
        "priorities: metrics everyone's default",
        put("PriorityClass", "seawall-essential", ("globalDefault", True)),
        "k8s-priorities-kept",
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
    Mutation("quota: no quota", drop("ResourceQuota", "gpus"), "k8s-quota-bounds-gpus"),
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
        "upkeep: Prometheus with tiny memory",
        put("Deployment", "prometheus", ("spec.template.spec.containers.0.resources.limits.memory", "1Gi000")),
        "k8s-resources-sized",
    ),
    Mutation(
        "rbac: the API's authentication for the fleet",
        put(
            "RoleBinding",
            "prometheus-adapter-auth-reader",
            ("subjects.0", {"kind": "ServiceAccount", "name": "triton", "namespace": "serving"}),
        ),
        "k8s-rights-as-declared",
    ),
    Mutation(
        "rbac: delegation for the fleet",
        put(
            "ClusterRoleBinding",
            "prometheus-adapter-delegator",
            ("subjects.+", {"kind": "ServiceAccount", "name": "triton", "namespace": "serving"}),
        ),
        "k8s-rights-as-declared",
    ),
    Mutation(
        "rbac: a service account as platform",
        put(
            "ClusterRoleBinding",
            "seawall-platform",
            ("subjects.+", {"kind": "ServiceAccount", "name": "triton", "namespace": "serving"}),
        ),
        "k8s-rights-as-declared",
        ("gcp",),
    ),
    Mutation(
        "rbac: a Role may get nodes/log",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": [""], "resources": ["nodes/log"], "verbs": ["get"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may get nodes/metrics",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may get pods/log",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update securitypolicies",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["gateway.envoyproxy.io"], "resources": ["securitypolicies"], "verbs": ["update"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may delete securitypolicies",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["gateway.envoyproxy.io"], "resources": ["securitypolicies"], "verbs": ["delete"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may patch envoyproxies",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["gateway.envoyproxy.io"], "resources": ["envoyproxies"], "verbs": ["patch"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update scaledobjects",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["keda.sh"], "resources": ["scaledobjects"], "verbs": ["update"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create runtimeclasses",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["node.k8s.io"], "resources": ["runtimeclasses"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create csidrivers",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["storage.k8s.io"], "resources": ["csidrivers"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create volumesnapshots",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["snapshot.storage.k8s.io"], "resources": ["volumesnapshots"], "verbs": ["create"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update controllerrevisions",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["update"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update computeclasses",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["cloud.google.com"], "resources": ["computeclasses"], "verbs": ["update"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update deployments/status",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["apps"], "resources": ["deployments/status"], "verbs": ["update"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create referencegrants",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {
                        "apiGroups": ["gateway.networking.k8s.io"],
                        "resources": ["referencegrants"],
                        "verbs": ["create"],
                    }
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create tcproutes",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["tcproutes"], "verbs": ["create"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update ippools",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["crd.projectcalico.org"], "resources": ["ippools"], "verbs": ["update"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may delete ciliumnetworkpolicies",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["cilium.io"], "resources": ["ciliumnetworkpolicies"], "verbs": ["delete"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create clustertrustbundles",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["certificates.k8s.io"], "resources": ["clustertrustbundles"], "verbs": ["create"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create resourceclaims",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["resource.k8s.io"], "resources": ["resourceclaims"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create resourceslices",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["resource.k8s.io"], "resources": ["resourceslices"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may delete prometheusrules",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["monitoring.coreos.com"], "resources": ["prometheusrules"], "verbs": ["delete"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create ec2nodeclasses",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["karpenter.k8s.aws"], "resources": ["ec2nodeclasses"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create nodepools",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["karpenter.sh"], "resources": ["nodepools"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update horizontalpodautoscalers/status",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {
                        "apiGroups": ["autoscaling"],
                        "resources": ["horizontalpodautoscalers/status"],
                        "verbs": ["update"],
                    }
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update poddisruptionbudgets/status",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets/status"], "verbs": ["update"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may delete events",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": [""], "resources": ["events"], "verbs": ["delete"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may * componentstatuses",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": [""], "resources": ["componentstatuses"], "verbs": ["*"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may * roles",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["*"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create iampolicymembers",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {
                        "apiGroups": ["iam.cnrm.cloud.google.com"],
                        "resources": ["iampolicymembers"],
                        "verbs": ["create"],
                    }
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create secretproviderclasses",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {
                        "apiGroups": ["secrets-store.csi.x-k8s.io"],
                        "resources": ["secretproviderclasses"],
                        "verbs": ["create"],
                    }
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create externalsecrets",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {"apiGroups": ["external-secrets.io"], "resources": ["externalsecrets"], "verbs": ["create"]}
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may update namespaces/finalize",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": [""], "resources": ["namespaces/finalize"], "verbs": ["update"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create mutatingadmissionpolicies",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {
                        "apiGroups": ["admissionregistration.k8s.io"],
                        "resources": ["mutatingadmissionpolicies"],
                        "verbs": ["create"],
                    }
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create servicecidrs",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["networking.k8s.io"], "resources": ["servicecidrs"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create ingressclasses",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": ["networking.k8s.io"], "resources": ["ingressclasses"], "verbs": ["create"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may create podcertificaterequests",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [
                    {
                        "apiGroups": ["certificates.k8s.io"],
                        "resources": ["podcertificaterequests"],
                        "verbs": ["create"],
                    }
                ],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a Role may delete limitranges",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "rules": [{"apiGroups": [""], "resources": ["limitranges"], "verbs": ["delete"]}],
            },
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: Prometheus reads logs",
        put("Role", "prometheus", ("rules.0.resources", ["pods", "pods/log"]), namespace="serving"),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "rbac: a role over Kubernetes' own view",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
            {"metadata": {"name": "view"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        ),
        "k8s-roles-no-escalation",
    ),
    Mutation(
        "services: an address elsewhere",
        put("Service", "tumour-risk", ("spec.externalIPs", ["203.0.113.7"])),
        "k8s-service-inside-only",
    ),
    Mutation("deployments: the fleet gone", drop("Deployment", "tumour-risk"), "k8s-services-lead-to-pods"),
    Mutation("deployments: Prometheus gone", drop("Deployment", "prometheus"), "k8s-services-lead-to-pods"),
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
    Mutation(
        "deployments: re-created",
        put("Deployment", "tumour-risk", ("spec.strategy", {"type": "Recreate"})),
        "k8s-serving-drains",
    ),
    Mutation(
        "deployments: all replaced at once",
        put("Deployment", "tumour-risk", ("spec.strategy.rollingUpdate.maxUnavailable", "100%")),
        "k8s-serving-drains",
    ),
    Mutation(
        "deployments: two of three at once",
        put("Deployment", "tumour-risk", ("spec.strategy.rollingUpdate.maxUnavailable", 2)),
        "k8s-serving-drains",
    ),
    Mutation(
        "deployments: neither more nor less",
        put("Deployment", "tumour-risk", ("spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": 1})),
        "k8s-serving-drains",
    ),
    Mutation(
        "deployments: a day between pods",
        put("Deployment", "tumour-risk", ("spec.minReadySeconds", 86400)),
        "k8s-workloads-run",
    ),
)
