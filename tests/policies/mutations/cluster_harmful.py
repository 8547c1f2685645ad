"""Changes of cluster objects that would harm production, each with the rule that must find it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.policies.mutations.changes import GONE, HIDDEN, Change, Mutation, add, put

POD: Final = "spec.template.spec"
ONE: Final = f"{POD}.containers.0"
OWN: Final = f"{ONE}.securityContext"
ALL: Final = f"{POD}.securityContext"
SERVING: Final = ("Deployment", "tumour-risk")
META: Final = {"name": "new", "namespace": "serving"}
RBAC: Final = "kubernetes:rbac.authorization.k8s.io/v1"
TRITON: Final = {"kind": "ServiceAccount", "name": "triton", "namespace": "serving"}
RAISED: Final = {"name": "a", "image": "busybox", "securityContext": {"privileged": True}}
BAD: Final[Mapping[str, Any]] = {"containers": [RAISED], "hostPID": True}
MACHINE: Final = "k8s-pods-off-the-machine"
RESTRICTED: Final = "k8s-pods-restricted"
KINDS: Final = "k8s-objects-known"


def serving(path: str, value: Any) -> Change:
    return put(*SERVING, (path, value))


def each(rule: str, *edits: tuple[str, str, Any]) -> tuple[Mutation, ...]:
    """Edits of the serving Deployment that one rule must find."""
    return tuple(Mutation(name, serving(path, value), rule) for name, path, value in edits)


_MACHINE = each(
    MACHINE,
    ("host network", f"{POD}.hostNetwork", True),
    ("host network as text", f"{POD}.hostNetwork", "true"),
    ("host PIDs", f"{POD}.hostPID", True),
    ("host IPC", f"{POD}.hostIPC", True),
    ("host network unknown", f"{POD}.hostNetwork", HIDDEN),
    ("privileged", f"{OWN}.privileged", True),
    ("privileged unknown", f"{OWN}.privileged", HIDDEN),
    ("privileged init", f"{POD}.initContainers.0.securityContext.privileged", True),
    ("privileged sidecar", f"{POD}.initContainers.+", {**RAISED, "restartPolicy": "Always"}),
    ("privileged ephemeral", f"{POD}.ephemeralContainers", [RAISED]),
    ("ephemeral containers as one object", f"{POD}.ephemeralContainers", RAISED),
    ("host path", f"{POD}.volumes.+", {"name": "x", "hostPath": {"path": "/var/run"}}),
    ("host path beside another source", f"{POD}.volumes.0.hostPath", {"path": "/"}),
    ("volumes unknown", f"{POD}.volumes", HIDDEN),
    ("host port", f"{ONE}.ports.0.hostPort", 8000),
    ("host port as text", f"{ONE}.ports.0.hostPort", "8000"),
    ("host address", f"{ONE}.ports.0.hostIP", "10.0.0.1"),
    ("proc unmasked", f"{OWN}.procMount", "Unmasked"),
    ("unsafe sysctl", f"{ALL}.sysctls", [{"name": "net.core.somaxconn", "value": "1024"}]),
    ("sysctl as one object", f"{ALL}.sysctls", {"name": "kernel.msgmax", "value": "1"}),
    ("SELinux type", f"{ALL}.seLinuxOptions", {"type": "spc_t"}),
    ("SELinux user", f"{OWN}.seLinuxOptions", {"user": "system_u"}),
    ("SELinux role", f"{OWN}.seLinuxOptions", {"role": "sysadm_r"}),
    ("AppArmor off in the pod", f"{ALL}.appArmorProfile", {"type": "Unconfined"}),
    ("AppArmor off in a container", f"{OWN}.appArmorProfile", {"type": "Unconfined"}),
    (
        "AppArmor off by annotation",
        "spec.template.metadata.annotations",
        {"container.apparmor.security.beta.kubernetes.io/triton": "unconfined"},
    ),
    ("Windows host process", f"{ALL}.windowsOptions", {"hostProcess": True}),
    ("probe of another host", f"{ONE}.readinessProbe", {"httpGet": {"host": "169.254.169.254", "port": 80}}),
    ("hook to another host", f"{ONE}.lifecycle.postStart", {"httpGet": {"host": "10.0.0.1", "port": 80}}),
)
_RESTRICTED = each(
    RESTRICTED,
    ("escalation", f"{OWN}.allowPrivilegeEscalation", True),
    ("escalation left out", f"{OWN}.allowPrivilegeEscalation", GONE),
    ("no capability dropped", f"{OWN}.capabilities", GONE),
    ("some dropped", f"{OWN}.capabilities.drop", ["NET_RAW"]),
    ("drop in small letters", f"{OWN}.capabilities.drop", ["all"]),
    ("drop of something like ALL", f"{OWN}.capabilities.drop", "ALLOWED"),
    ("capability added", f"{OWN}.capabilities.add", ["SYS_PTRACE"]),
    ("capability added as text", f"{OWN}.capabilities.add", "SYS_ADMIN"),
    ("capability added beside the allowed", f"{OWN}.capabilities.add", ["NET_BIND_SERVICE", "BPF"]),
    ("capability unknown", f"{OWN}.capabilities.add", [HIDDEN]),
    ("root allowed in the pod", f"{ALL}.runAsNonRoot", False),
    ("root allowed in a container", f"{OWN}.runAsNonRoot", False),
    ("root unsaid", f"{ALL}.runAsNonRoot", GONE),
    ("root as text", f"{ALL}.runAsNonRoot", "false"),
    ("user 0", f"{ALL}.runAsUser", 0),
    ("user 0 in a container", f"{OWN}.runAsUser", 0),
    ("user 0 as text", f"{OWN}.runAsUser", "0"),
    ("group 0", f"{OWN}.runAsGroup", 0),
    ("files of group 0", f"{ALL}.fsGroup", 0),
    ("one more group 0", f"{ALL}.supplementalGroups", [0]),
    ("seccomp off", f"{ALL}.seccompProfile.type", "Unconfined"),
    ("seccomp off in a container", f"{OWN}.seccompProfile", {"type": "Unconfined"}),
    ("seccomp unsaid", f"{ALL}.seccompProfile", GONE),
    ("no context at all", OWN, GONE),
    ("NFS", f"{POD}.volumes.+", {"name": "x", "nfs": {"server": "a", "path": "/"}}),
    ("git repository", f"{POD}.volumes.+", {"name": "x", "gitRepo": {"repository": "https://example.com"}}),
    ("flex volume", f"{POD}.volumes.+", {"name": "x", "flexVolume": {"driver": "a/b"}}),
    ("a disk by its id", f"{POD}.volumes.+", {"name": "x", "awsElasticBlockStore": {"volumeID": "vol-1"}}),
    ("init container without context", f"{POD}.initContainers.+", {"name": "x", "image": "busybox"}),
    ("containers unknown", f"{POD}.containers", HIDDEN),
    ("init containers as one object", f"{POD}.initContainers", {"name": "x", "image": "busybox"}),
    ("no containers", f"{POD}.containers", []),
    ("a text for containers", f"{POD}.containers", '[{"name": "a"}]'),
)
_SPEC: Final = {"template": {"spec": BAD}}
_NEW_KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "core/v1:Pod": {"spec": BAD},
    "core/v1:PodPatch": {"spec": BAD},
    "core/v1:PodList": {"items": [{"spec": BAD}]},
    "core/v1:PodTemplate": {"template": {"spec": BAD}},
    "core/v1:ReplicationController": {"spec": _SPEC},
    "core/v1:List": {"items": [{"apiVersion": "v1", "kind": "Pod", "spec": BAD}]},
    "apps/v1:Deployment": {"spec": _SPEC},
    "apps/v1:DeploymentPatch": {"spec": _SPEC},
    "apps/v1:DeploymentList": {"items": [{"spec": _SPEC}]},
    "apps/v1:StatefulSet": {"spec": _SPEC},
    "apps/v1:DaemonSet": {"spec": _SPEC},
    "apps/v1:DaemonSetPatch": {"spec": _SPEC},
    "apps/v1:ReplicaSet": {"spec": _SPEC},
    "apps/v1beta2:Deployment": {"spec": _SPEC},
    "extensions/v1beta1:DaemonSet": {"spec": _SPEC},
    "batch/v1:Job": {"spec": _SPEC},
    "batch/v1:JobList": {"items": [{"spec": _SPEC}]},
    "batch/v1:CronJob": {"spec": {"jobTemplate": {"spec": _SPEC}}},
    "batch/v1beta1:CronJob": {"spec": {"jobTemplate": {"spec": _SPEC}}},
    "argoproj.io/v1alpha1:Rollout": {"spec": _SPEC},
    "argoproj.io/v1alpha1:Workflow": {"spec": {"templates": [{"initContainers": [RAISED], "container": RAISED}]}},
    "keda.sh/v1alpha1:ScaledJob": {"spec": {"jobTargetRef": _SPEC}},
    "monitoring.coreos.com/v1:Prometheus": {"spec": {"hostNetwork": True}},
    "ray.io/v1:RayCluster": {"spec": {"workerGroupSpecs": [_SPEC]}},
    "yaml/v2:ConfigGroup": {"yaml": "apiVersion: v1\nkind: Pod\nspec: {hostPID: true, containers: [{name: a}]}"},
    "yaml:ConfigGroup": {"objs": [{"apiVersion": "apps/v1", "kind": "Deployment", "spec": _SPEC}]},
}
_KINDS = tuple(
    Mutation(f"new {kind}", add(f"kubernetes:{kind}", {"metadata": META, **inputs}), MACHINE)
    for kind, inputs in _NEW_KINDS.items()
)
_OPAQUE = tuple(
    Mutation(f"opaque {kind}", add(f"kubernetes:{kind}", {"metadata": META, **inputs}), KINDS)
    for kind, inputs in {
        "yaml/v2:ConfigFile": {"file": "https://example.com/all.yaml"},
        "yaml/v2:ConfigGroup": {"files": ["*.yaml"]},
        "kustomize/v2:Directory": {"directory": "github.com/a/b"},
        "helm.sh/v4:Chart": {"chart": "nginx"},
        "helm.sh/v3:Chart": {"chart": "nginx"},
        "keda.sh/v1alpha1:TriggerAuthentication": {"spec": {}},
        "iam.cnrm.cloud.google.com/v1beta1:IAMPolicyMember": {"spec": {"role": "roles/owner"}},
        "karpenter.k8s.aws/v1:EC2NodeClass": {"spec": {}},
        "external-secrets.io/v1:ClusterSecretStore": {"spec": {}},
        "core/v1:Endpoints": {"subsets": [{"addresses": [{"ip": "169.254.169.254"}]}]},
        "discovery.k8s.io/v1:EndpointSlice": {"endpoints": []},
        "core/v1:PersistentVolume": {"spec": {"hostPath": {"path": "/"}}},
        "storage.k8s.io/v1:StorageClass": {"provisioner": "x"},
        "apiextensions.k8s.io/v1:CustomResourceDefinition": {"spec": {}},
        "certificates.k8s.io/v1:CertificateSigningRequest": {
            "spec": {"signerName": "kubernetes.io/kube-apiserver-client"}
        },
        "core/v1:Node": {"spec": {}},
        "node.k8s.io/v1:RuntimeClass": {"handler": "runc"},
        "networking.k8s.io/v1:IngressClass": {"spec": {}},
    }.items()
)


def role(kind: str, *rules: Mapping[str, Any], **more: Any) -> Change:
    return add(f"{RBAC}:{kind}", {"metadata": META, "rules": list(rules), **more})


def rule(resource: str, verb: str, group: str = "", **more: Any) -> Mapping[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": [verb], **more}


ESCALATES: Final = "k8s-roles-no-escalation"
_RIGHTS: Final = (
    ("secrets", "get", ""),
    ("secrets", "list", ""),
    ("secrets", "watch", ""),
    ("secrets", "create", ""),
    ("pods", "create", ""),
    ("deployments", "patch", "apps"),
    ("daemonsets", "create", "apps"),
    ("statefulsets", "update", "apps"),
    ("jobs", "create", "batch"),
    ("cronjobs", "create", "batch"),
    ("pods/exec", "create", ""),
    ("pods/exec", "get", ""),
    ("pods/attach", "create", ""),
    ("pods/portforward", "create", ""),
    ("pods/ephemeralcontainers", "patch", ""),
    ("pods/*", "create", ""),
    ("nodes/proxy", "get", ""),
    ("services/proxy", "create", ""),
    ("nodes", "patch", ""),
    ("serviceaccounts/token", "create", ""),
    ("*/token", "create", ""),
    ("*/scale", "patch", "*"),
    ("deployments/scale", "update", "apps"),
    ("roles", "escalate", "rbac.authorization.k8s.io"),
    ("clusterroles", "bind", "rbac.authorization.k8s.io"),
    ("rolebindings", "create", "rbac.authorization.k8s.io"),
    ("clusterrolebindings", "patch", "rbac.authorization.k8s.io"),
    ("users", "impersonate", ""),
    ("groups", "impersonate", ""),
    ("serviceaccounts", "impersonate", ""),
    ("userextras/scopes", "impersonate", "authentication.k8s.io"),
    ("certificatesigningrequests/approval", "update", "certificates.k8s.io"),
    ("signers", "approve", "certificates.k8s.io"),
    ("mutatingwebhookconfigurations", "create", "admissionregistration.k8s.io"),
    ("validatingadmissionpolicybindings", "delete", "admissionregistration.k8s.io"),
    ("persistentvolumes", "create", ""),
    ("customresourcedefinitions", "patch", "apiextensions.k8s.io"),
    ("apiservices", "update", "apiregistration.k8s.io"),
    ("namespaces", "patch", ""),
    ("networkpolicies", "delete", "networking.k8s.io"),
    ("endpointslices", "update", "discovery.k8s.io"),
    ("configmaps", "update", ""),
    ("pods", "*", ""),
    ("*", "get", ""),
    ("pods", "get", "*"),
    ("pods", "deletecollection", ""),
    ("resourcequotas", "delete", ""),
    ("priorityclasses", "create", "scheduling.k8s.io"),
)
_ROLES = (
    *(
        Mutation(f"{kind} may {verb} {resource}.{group}", role(kind, rule(resource, verb, group)), ESCALATES)
        for kind, rights in (("Role", _RIGHTS), ("ClusterRole", _RIGHTS[::4]))
        for resource, verb, group in rights
    ),
    Mutation("all rules in one", role("Role", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}), ESCALATES),
    Mutation("rules as one object", add(f"{RBAC}:Role", {"rules": rule("secrets", "get")}), ESCALATES),
    Mutation("resources as text", role("Role", {**rule("x", "get"), "resources": "secrets"}), ESCALATES),
    Mutation("rules unknown", put("Role", "prometheus", ("rules", HIDDEN), namespace="serving"), ESCALATES),
    Mutation(
        "second rule reads secrets",
        put("Role", "prometheus", ("rules.+", rule("secrets", "get")), namespace="serving"),
        ESCALATES,
    ),
    Mutation("debug URLs", role("ClusterRole", {"nonResourceURLs": ["/debug/*"], "verbs": ["get"]}), ESCALATES),
    Mutation("all URLs", role("ClusterRole", {"nonResourceURLs": ["*"], "verbs": ["get"]}), ESCALATES),
    Mutation("gathers roles", role("ClusterRole", aggregationRule={"clusterRoleSelectors": [{}]}), ESCALATES),
    Mutation(
        "adds to view",
        add(
            f"{RBAC}:ClusterRole",
            {
                "metadata": {"name": "x", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
                "rules": [],
            },
        ),
        ESCALATES,
    ),
    Mutation(
        "old version",
        add(
            "kubernetes:rbac.authorization.k8s.io/v1beta1:ClusterRole",
            {"metadata": META, "rules": [rule("secrets", "get")]},
        ),
        ESCALATES,
    ),
    Mutation(
        "patched role",
        add(f"{RBAC}:ClusterRolePatch", {"metadata": META, "rules": [rule("secrets", "get")]}),
        ESCALATES,
    ),
    Mutation("list of roles", add(f"{RBAC}:RoleList", {"items": [{"rules": [rule("secrets", "get")]}]}), ESCALATES),
    Mutation(
        "a name of Kubernetes' own",
        put("ClusterRole", "seawall-metrics-reader", ("metadata.name", "system:node")),
        ESCALATES,
    ),
)


def bound(kind: str, role_kind: str, role_name: str, *subjects: Mapping[str, Any]) -> Change:
    return add(
        f"{RBAC}:{kind}",
        {"metadata": META, "roleRef": {"kind": role_kind, "name": role_name}, "subjects": list(subjects)},
    )


WHOM: Final = "k8s-bindings-to-whom-they-mean"
RIGHTS: Final = "k8s-rights-as-declared"
_BINDINGS = (
    *(
        Mutation(
            f"bound to {kind} {name}",
            bound("ClusterRoleBinding", "ClusterRole", "view", {"kind": kind, "name": name}),
            WHOM,
        )
        for kind, name in (
            ("Group", "system:masters"),
            ("Group", "system:authenticated"),
            ("Group", "system:unauthenticated"),
            ("Group", "system:serviceaccounts"),
            ("Group", "system:serviceaccounts:serving"),
            ("Group", "system:nodes"),
            ("Group", "everyone@example.com"),
            ("User", "system:anonymous"),
            ("User", "*"),
            ("User", "system:serviceaccount:serving:triton"),
            ("ServiceAccount", "default"),
        )
    ),
    Mutation(
        "an account of another namespace",
        put("RoleBinding", "prometheus", ("subjects.0.namespace", "kube-system"), namespace="serving"),
        WHOM,
    ),
    Mutation(
        "one more subject",
        put(
            "RoleBinding",
            "prometheus",
            ("subjects.+", {"kind": "Group", "name": "system:authenticated"}),
            namespace="serving",
        ),
        WHOM,
    ),
    Mutation("subjects unknown", put("RoleBinding", "prometheus", ("subjects", HIDDEN), namespace="serving"), WHOM),
    Mutation(
        "one unknown subject", put("RoleBinding", "prometheus", ("subjects.0", HIDDEN), namespace="serving"), WHOM
    ),
    *(
        Mutation(f"{name} for the fleet in {kind}", bound(kind, "ClusterRole", name, TRITON), RIGHTS)
        for name in ("cluster-admin", "admin", "edit", "system:node", "system:kube-controller-manager")
        for kind in ("RoleBinding", "ClusterRoleBinding")
    ),
    Mutation("view of the whole cluster", bound("ClusterRoleBinding", "ClusterRole", "view", TRITON), RIGHTS),
    Mutation(
        "Prometheus with the autoscaler's role",
        put("RoleBinding", "prometheus", ("roleRef", {"kind": "ClusterRole", "name": "view"}), namespace="serving"),
        RIGHTS,
    ),
    Mutation(
        "Prometheus reads services",
        put("Role", "prometheus", ("rules.0.resources", ["pods", "services"]), namespace="serving"),
        RIGHTS,
    ),
    Mutation(
        "the adapter reads nodes",
        put("ClusterRole", "seawall-metrics-reader", ("rules.0.resources.+", "nodes")),
        RIGHTS,
    ),
    Mutation(
        "the adapter's role unknown",
        put("ClusterRoleBinding", "prometheus-adapter-reader", ("roleRef.name", HIDDEN)),
        RIGHTS,
    ),
    Mutation(
        "the autoscaler drops its names",
        put("Role", "cluster-autoscaler", ("rules.3.resourceNames", GONE)),
        ESCALATES,
        ("aws",),
    ),
    Mutation(
        "the autoscaler patches nodes",
        put("ClusterRole", "cluster-autoscaler", ("rules.6.verbs", ["update", "patch"])),
        ESCALATES,
        ("aws",),
    ),
    Mutation(
        "the autoscaler reads secrets",
        put("ClusterRole", "cluster-autoscaler", ("rules.0.resources.+", "secrets")),
        ESCALATES,
        ("aws",),
    ),
    Mutation(
        "on-call as administrator",
        put("ClusterRoleBinding", "seawall-on-call", ("roleRef.name", "cluster-admin")),
        RIGHTS,
        ("gcp",),
    ),
    Mutation(
        "somebody else as administrator",
        put("ClusterRoleBinding", "seawall-platform", ("subjects.0.name", "all@example.com")),
        WHOM,
        ("gcp",),
    ),
)

HARMFUL: Final = (*_MACHINE, *_RESTRICTED, *_KINDS, *_OPAQUE, *_ROLES, *_BINDINGS)
