"""Changes of cluster objects that harm nobody, which no rule may find."""

from __future__ import annotations

from typing import Any, Final

from tests.policies.mutations.changes import GONE, Mutation, add, both, put

POD: Final = "spec.template.spec"
ONE: Final = f"{POD}.containers.0"
OWN: Final = f"{ONE}.securityContext"
ALL: Final = f"{POD}.securityContext"
META: Final = {"name": "new", "namespace": "serving"}
RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1"
_ENFORCE: Final = "metadata.labels.pod-security\\.kubernetes\\.io/enforce"


def _serving(*edits: tuple[str, str, Any]) -> tuple[Mutation, ...]:
    return tuple(
        Mutation(f"fine: {name}", put("Deployment", "tumour-risk", (path, value))) for name, path, value in edits
    )


def _added(*objects: tuple[str, str, Any]) -> tuple[Mutation, ...]:
    return tuple(
        Mutation(f"fine: {name}", add(token, {"metadata": META, **inputs})) for name, token, inputs in objects
    )


_PODS = _serving(
    ("host network false", f"{POD}.hostNetwork", False),
    ("host network false as text", f"{POD}.hostNetwork", "false"),
    ("host PIDs null", f"{POD}.hostPID", None),
    ("not privileged", f"{OWN}.privileged", False),
    ("more capabilities dropped", f"{OWN}.capabilities.drop", ["ALL", "NET_RAW"]),
    ("the one capability", f"{OWN}.capabilities.add", ["NET_BIND_SERVICE"]),
    ("no capability added", f"{OWN}.capabilities.add", []),
    ("non-root in the container too", f"{OWN}.runAsNonRoot", True),
    ("another user", f"{ALL}.runAsUser", 10001),
    ("another group", f"{ALL}.runAsGroup", 10001),
    ("one more group", f"{ALL}.supplementalGroups", [2000]),
    ("a local seccomp profile", f"{OWN}.seccompProfile", {"type": "Localhost", "localhostProfile": "a.json"}),
    ("AppArmor's default", f"{ALL}.appArmorProfile", {"type": "RuntimeDefault"}),
    ("the default proc", f"{OWN}.procMount", "Default"),
    ("an SELinux type for containers", f"{ALL}.seLinuxOptions", {"type": "container_t"}),
    ("a safe sysctl", f"{ALL}.sysctls", [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}]),
    ("a namespace of users", f"{POD}.hostUsers", False),
    ("host port 0", f"{ONE}.ports.0.hostPort", 0),
    ("one more port", f"{ONE}.ports.+", {"containerPort": 9000, "name": "extra"}),
    ("a volume in memory", f"{POD}.volumes.+", {"name": "x", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}),
    ("a claim", f"{POD}.volumes.+", {"name": "x", "persistentVolumeClaim": {"claimName": "x"}}),
    ("a configuration", f"{POD}.volumes.+", {"name": "x", "configMap": {"name": "x", "optional": True}}),
    (
        "a token for another service",
        f"{POD}.volumes.+",
        {"name": "x", "projected": {"sources": [{"serviceAccountToken": {"audience": "vault", "path": "t"}}]}},
    ),
    ("a variable", f"{ONE}.env.+", {"name": "LOG_LEVEL", "value": "info"}),
    ("a path of a password", f"{ONE}.env.+", {"name": "DB_PASSWORD_FILE", "value": "/etc/password"}),
    (
        "a password from a Secret",
        f"{ONE}.env.+",
        {"name": "P", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
    ),
    ("an annotation", "spec.template.metadata.annotations", {"example.com/team": "ml"}),
    ("a label of the object", "metadata.labels.team", "ml"),
    ("more memory", f"{ONE}.resources.limits.memory", "12Gi"),
    ("more cpu", f"{ONE}.resources.requests.cpu", "3500m"),
    ("asked more often", f"{ONE}.readinessProbe.periodSeconds", 3),
    ("given more chances", f"{ONE}.livenessProbe.failureThreshold", 5),
    ("a program that checks", f"{ONE}.livenessProbe", {"exec": {"command": ["sh", "-c", "self_check --alive"]}}),
    ("asked by HTTP", f"{ONE}.readinessProbe", {"httpGet": {"path": "/v2/health/ready", "port": "http"}}),
    ("a longer wait", f"{POD}.terminationGracePeriodSeconds", 120),
    ("three replicas", "spec.replicas", 3),
    ("not paused", "spec.paused", False),
    ("the default scheduler", f"{POD}.schedulerName", "default-scheduler"),
    ("no service links", f"{POD}.enableServiceLinks", False),
    ("a host alias", f"{POD}.hostAliases", [{"ip": "10.0.0.1", "hostnames": ["a"]}]),
)
_LOOKS: Final = {"rules": [{"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list", "watch"]}]}
_OBJECTS = (
    *_added(
        ("a configuration more", "kubernetes:core/v1:ConfigMap", {"data": {"a": "b", "token_ttl": "30"}}),
        ("a service account more", "kubernetes:core/v1:ServiceAccount", {"automountServiceAccountToken": False}),
        ("a role that looks", f"{RBAC}:Role", _LOOKS),
        ("a cluster role that looks", f"{RBAC}:ClusterRole", _LOOKS),
        (
            "a role with events",
            f"{RBAC}:Role",
            {"rules": [{"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}]},
        ),
        (
            "a role with a named lease",
            f"{RBAC}:Role",
            {
                "rules": [
                    {
                        "apiGroups": ["coordination.k8s.io"],
                        "resources": ["leases"],
                        "resourceNames": ["a"],
                        "verbs": ["get", "update"],
                    }
                ]
            },
        ),
        (
            "a role with health URLs",
            f"{RBAC}:ClusterRole",
            {"rules": [{"nonResourceURLs": ["/healthz", "/metrics"], "verbs": ["get"]}]},
        ),
        ("a role without rules", f"{RBAC}:Role", {"rules": []}),
        ("a Secret that is masked", "kubernetes:core/v1:Secret", {"stringData": {"auth": "[secret]"}}),
        (
            "a patch of labels",
            "kubernetes:apps/v1:DeploymentPatch",
            {"metadata": {"name": "x", "labels": {"a": "b"}}},
        ),
        (
            "a patch of a namespace's label",
            "kubernetes:core/v1:NamespacePatch",
            {"metadata": {"name": "serving", "labels": {"team": "ml"}}},
        ),
        (
            "a low priority",
            "kubernetes:scheduling.k8s.io/v1:PriorityClass",
            {"metadata": {"name": "low"}, "value": 10},
        ),
        ("a list of configurations", "kubernetes:core/v1:ConfigMapList", {"items": [{"metadata": META, "data": {}}]}),
    ),
    Mutation(
        "fine: Prometheus sees less",
        put("Role", "prometheus", ("rules.0.verbs", ["get", "list"]), namespace="serving"),
    ),
    Mutation(
        "fine: verbs in another order",
        put("Role", "prometheus", ("rules.0.verbs", ["watch", "list", "get"]), namespace="serving"),
    ),
    Mutation(
        "fine: groups left to the binding",
        put("RoleBinding", "prometheus", ("subjects.0.apiGroup", ""), namespace="serving"),
    ),
    Mutation("fine: the latest standard", put("Namespace", "serving", (f"{_ENFORCE}-version", "latest"))),
    Mutation("fine: the cluster's standard", put("Namespace", "serving", (f"{_ENFORCE}-version", "v1.35"))),
    Mutation(
        "fine: no warnings",
        put("Namespace", "serving", ("metadata.labels.pod-security\\.kubernetes\\.io/warn", GONE)),
    ),
    Mutation(
        "fine: configurations as YAML",
        add(
            "kubernetes:yaml/v2:ConfigGroup",
            {"yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: serving}"},
        ),
    ),
    Mutation(
        "fine: an account and its binding",
        both(
            add("kubernetes:core/v1:ServiceAccount", {"metadata": META, "automountServiceAccountToken": False}),
            put("Role", "prometheus", ("rules.0.verbs", ["get"]), namespace="serving"),
        ),
    ),
)

HARMLESS: Final = (*_PODS, *_OBJECTS)
