"""Changes of images, probes, sizes, tokens, secrets, namespaces and upkeep that would harm production."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.policies.mutations.changes import GONE, HIDDEN, Mutation, add, drop, put

POD: Final = "spec.template.spec"
ONE: Final = f"{POD}.containers.0"
META: Final = {"name": "new", "namespace": "serving"}
DIGEST: Final = f"sha256:{'a' * 64}"
_FOREIGN: Final = f"999999999999.dkr.ecr.eu-central-1.amazonaws.com/seawall-prod/serving@{DIGEST}"
_SECRET_HALF: Final = " ".join(["PRIVATE", "KEY"])
"""In two, so that no file of the repository looks as if it held one."""


def _edits(rule: str, kind: str, name: str, *edits: tuple[str, str, Any]) -> tuple[Mutation, ...]:
    return tuple(Mutation(what, put(kind, name, (path, value)), rule) for what, path, value in edits)


def _added(rule: str, *objects: tuple[str, str, Mapping[str, Any]]) -> tuple[Mutation, ...]:
    return tuple(
        Mutation(what, add(f"kubernetes:{token}", {"metadata": META, **inputs}), rule)
        for what, token, inputs in objects
    )


_SERVING: Final = ("Deployment", "tumour-risk")
_IMAGES = (
    *_edits(
        "k8s-images-by-digest",
        *_SERVING,
        ("image by tag", f"{ONE}.image", "333344445555.dkr.ecr.eu-central-1.amazonaws.com/seawall-prod/serving:1"),
        ("digest with a line behind it", f"{ONE}.image", f"{_FOREIGN}\n"),
        ("image unknown", f"{ONE}.image", HIDDEN),
        ("init image by tag", f"{POD}.initContainers.0.image", "busybox:1"),
        (
            "sidecar's image by tag",
            f"{POD}.initContainers.+",
            {"name": "x", "image": "envoy", "restartPolicy": "Always"},
        ),
        ("volume's image by tag", f"{POD}.volumes.+", {"name": "x", "image": {"reference": "models:latest"}}),
        ("looking in by tag", f"{POD}.ephemeralContainers", [{"name": "x", "image": "busybox"}]),
    ),
    *_edits(
        "k8s-images-in-own-repositories",
        *_SERVING,
        ("image of another account", f"{ONE}.image", _FOREIGN),
        ("image of a public registry", f"{ONE}.image", f"quay.io/a/b@{DIGEST}"),
        (
            "image of another project",
            f"{ONE}.image",
            f"europe-west4-docker.pkg.dev/other/seawall-prod-serving/a@{DIGEST}",
        ),
        (
            "volume of a public registry",
            f"{POD}.volumes.+",
            {"name": "x", "image": {"reference": f"ghcr.io/a@{DIGEST}"}},
        ),
    ),
)
_PROBES = _edits(
    "k8s-probes",
    *_SERVING,
    ("no readiness", f"{ONE}.readinessProbe", GONE),
    ("no liveness", f"{ONE}.livenessProbe", GONE),
    ("an empty probe", f"{ONE}.readinessProbe", {}),
    ("a probe that asks nothing", f"{ONE}.readinessProbe", {"periodSeconds": 5}),
    ("true for a probe", f"{ONE}.livenessProbe", {"exec": {"command": ["true"]}}),
    ("true by its path", f"{ONE}.livenessProbe", {"exec": {"command": ["/bin/true"]}}),
    ("an exit of 0", f"{ONE}.livenessProbe", {"exec": {"command": ["sh", "-c", "exit 0"]}}),
    ("failures swallowed", f"{ONE}.readinessProbe", {"exec": {"command": ["bash", "-c", "check || true"]}}),
    ("an echo", f"{ONE}.readinessProbe", {"exec": {"command": ["echo", "ready"]}}),
    ("given up after hours", f"{ONE}.livenessProbe.failureThreshold", 10000),
    ("asked once an hour", f"{ONE}.readinessProbe.periodSeconds", 3600),
    ("a port that is not there", f"{ONE}.readinessProbe", {"httpGet": {"port": "gone"}}),
    ("probe unknown", f"{ONE}.readinessProbe", HIDDEN),
)
_SIZES = _edits(
    "k8s-resources-sized",
    *_SERVING,
    ("no memory limit", f"{ONE}.resources.limits.memory", GONE),
    ("no request for cpu", f"{ONE}.resources.requests.cpu", GONE),
    ("a request of 0", f"{ONE}.resources.requests.memory", "0"),
    ("a limit below the request", f"{ONE}.resources.limits.memory", "1Gi"),
    ("no number", f"{ONE}.resources.limits.memory", "plenty"),
    ("GPUs in the request alone", f"{ONE}.resources.limits.nvidia\\.com/gpu", GONE),
    ("more GPUs asked than limited", f"{ONE}.resources.requests.nvidia\\.com/gpu", "2"),
    ("half a GPU", f"{ONE}.resources.limits.nvidia\\.com/gpu", "500m"),
    ("init container unsized", f"{POD}.initContainers.0.resources", GONE),
)
_TOKENS = (
    *_edits(
        "k8s-tokens-where-needed",
        *_SERVING,
        ("a token for the fleet", f"{POD}.automountServiceAccountToken", True),
        ("a token as text", f"{POD}.automountServiceAccountToken", "true"),
        ("a token unknown", f"{POD}.automountServiceAccountToken", HIDDEN),
        (
            "a token as a volume",
            f"{POD}.volumes.+",
            {"name": "x", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        ),
    ),
    Mutation(
        "the default account",
        put("Deployment", "prometheus", (f"{POD}.serviceAccountName", GONE)),
        "k8s-tokens-where-needed",
    ),
    Mutation(
        "an account without rights",
        put("Deployment", "prometheus", (f"{POD}.serviceAccountName", "other")),
        "k8s-tokens-where-needed",
    ),
    *_added(
        "k8s-no-side-doors",
        ("a token that never ends", "core/v1:Secret", {"type": "kubernetes.io/service-account-token"}),
        ("a bootstrap token", "core/v1:Secret", {"type": "bootstrap.kubernetes.io/token"}),
        ("aws-auth", "core/v1:ConfigMap", {"metadata": {"name": "aws-auth", "namespace": "kube-system"}}),
        ("aws-auth patched", "core/v1:ConfigMapPatch", {"metadata": {"name": "aws-auth"}, "data": {"mapRoles": "x"}}),
    ),
    Mutation(
        "a secret on the account",
        put("ServiceAccount", "triton", ("secrets", [{"name": "x"}])),
        "k8s-accounts-without-secrets",
    ),
)
_SECRETS = (
    *_edits(
        "k8s-no-secrets-in-plain-text",
        *_SERVING,
        ("a password in a variable", f"{ONE}.env.+", {"name": "REDIS_PASSWORD", "value": "hunter22"}),
        ("a key in a variable", f"{ONE}.env.+", {"name": "AWS_SECRET_ACCESS_KEY", "value": "x" * 40}),
        ("a masked secret in a variable", f"{ONE}.env.+", {"name": "A", "value": "[secret]"}),
        ("a password among arguments", f"{ONE}.args.+", "--redis-password=hunter22"),
        ("a password in an address", f"{ONE}.env.+", {"name": "URL", "value": "redis://:hunter22@cache:6379"}),
        ("a token in an annotation", "metadata.annotations", {"x": "ghp_" + "a" * 36}),
    ),
    *_added(
        "k8s-no-secrets-in-plain-text",
        ("a private key in a ConfigMap", "core/v1:ConfigMap", {"data": {"k": f"-----BEGIN RSA {_SECRET_HALF}-----"}}),
        ("a key by its name in a ConfigMap", "core/v1:ConfigMap", {"data": {"api_key": "abcdefgh1234"}}),
        ("a Secret in plain text", "core/v1:Secret", {"stringData": {"auth": "hunter22"}}),
    ),
    Mutation(
        "a password in a chart's values",
        put("Release", "cert-manager", ("values.webhook.password", "hunter22")),
        "k8s-no-secrets-in-plain-text",
    ),
)
_PLACES = (
    *(
        Mutation(
            f"the fleet in {where}", put(*_SERVING, ("metadata.namespace", where)), "k8s-objects-in-own-namespaces"
        )
        for where in ("default", "kube-system", "kube-public", "elsewhere")
    ),
    Mutation(
        "the fleet in no namespace", put(*_SERVING, ("metadata.namespace", GONE)), "k8s-objects-in-own-namespaces"
    ),
    Mutation("the namespace gone", drop("Namespace", "serving"), "k8s-objects-in-own-namespaces"),
    Mutation(
        "a chart in kube-system",
        put("Release", "cert-manager", ("namespace", "kube-system")),
        "k8s-objects-in-own-namespaces",
    ),
    *_added(
        "k8s-objects-in-own-namespaces",
        (
            "a role in kube-system",
            "rbac.authorization.k8s.io/v1:Role",
            {"metadata": {"name": "x", "namespace": "kube-system"}},
        ),
        (
            "the resolver's settings",
            "core/v1:ConfigMap",
            {"metadata": {"name": "coredns", "namespace": "kube-system"}},
        ),
    ),
    *_edits(
        "k8s-namespace-restricted",
        "Namespace",
        "serving",
        ("a privileged namespace", "metadata.labels.pod-security\\.kubernetes\\.io/enforce", "privileged"),
        ("a baseline namespace", "metadata.labels.pod-security\\.kubernetes\\.io/enforce", "baseline"),
        ("not enforced", "metadata.labels.pod-security\\.kubernetes\\.io/enforce", GONE),
        ("an old version", "metadata.labels.pod-security\\.kubernetes\\.io/enforce-version", "v1.20"),
        ("labels unknown", "metadata.labels", HIDDEN),
    ),
    *_added(
        "k8s-namespace-restricted",
        ("a namespace without labels", "core/v1:Namespace", {"metadata": {"name": "x"}}),
        (
            "a patch that lets all in",
            "core/v1:NamespacePatch",
            {"metadata": {"name": "serving", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
        ),
    ),
)
_RUNS = (
    *_edits(
        "k8s-workloads-run",
        *_SERVING,
        ("no replicas", "spec.replicas", 0),
        ("no replicas as text", "spec.replicas", "0"),
        ("paused", "spec.paused", True),
        ("replicas unknown", "spec.replicas", HIDDEN),
    ),
    *_edits(
        "k8s-pods-placed-by-the-scheduler",
        *_SERVING,
        ("a named machine", f"{POD}.nodeName", "ip-10-0-0-1"),
        ("another scheduler", f"{POD}.schedulerName", "mine"),
        ("tolerates everything", f"{POD}.tolerations", [{"operator": "Exists"}]),
    ),
    Mutation(
        "Prometheus on GPU machines",
        put("Deployment", "prometheus", (f"{POD}.tolerations", [{"key": "nvidia.com/gpu", "operator": "Exists"}])),
        "k8s-pods-placed-by-the-scheduler",
    ),
    *_edits(
        "k8s-pods-of-known-priority",
        *_SERVING,
        ("the system's priority", f"{POD}.priorityClassName", "system-node-critical"),
        ("a priority that is not there", f"{POD}.priorityClassName", "gone"),
    ),
    Mutation("the fleet's priority gone", drop("PriorityClass", "seawall-serving"), "k8s-pods-of-known-priority"),
    *_edits(
        "k8s-priorities-kept",
        "PriorityClass",
        "seawall-serving",
        ("everyone's default", "globalDefault", True),
        ("above the door", "value", 900000000),
    ),
)

HARMFUL: Final = (*_IMAGES, *_PROBES, *_SIZES, *_TOKENS, *_SECRETS, *_PLACES, *_RUNS)
