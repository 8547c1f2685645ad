"""Changes of charts and how objects are applied that would harm production, each with its rule."""

from __future__ import annotations

from typing import Final

from tests.policies.mutations.changes import GONE, HIDDEN, Mutation, options, put

HARMFUL: Final = (
    Mutation("charts: none running", put("Release", "cert-manager", ("values.replicaCount", 0)), "k8s-charts-fenced"),
    Mutation("charts: one running", put("Release", "cert-manager", ("values.replicaCount", 1)), "k8s-charts-fenced"),
    Mutation(
        "charts: none of the hook",
        put("Release", "cert-manager", ("values.webhook.replicaCount", 0)),
        "k8s-charts-fenced",
    ),
    Mutation(
        "charts: patches of Envoy allowed",
        put("Release", "envoy-gateway", ("values.config.envoyGateway.extensionApis.enableEnvoyPatchPolicy", True)),
        "k8s-charts-fenced",
    ),
    Mutation(
        "charts: Backends allowed",
        put("Release", "envoy-gateway", ("values.config.envoyGateway.extensionApis.enableBackend", True)),
        "k8s-charts-fenced",
    ),
    Mutation(
        "charts: every namespace watched",
        put("Release", "envoy-gateway", ("values.config.envoyGateway.provider.kubernetes.watch", GONE)),
        "k8s-charts-fenced",
    ),
    Mutation(
        "charts: none of it running",
        put("Release", "envoy-gateway", ("values.deployment.replicas", 0)),
        "k8s-charts-fenced",
    ),
    Mutation(
        "charts: alone", put("Release", "envoy-gateway", ("values.deployment.replicas", 1)), "k8s-charts-fenced"
    ),
    Mutation(
        "charts: no budget of it",
        put("Release", "envoy-gateway", ("values.podDisruptionBudget", {"minAvailable": 0})),
        "k8s-charts-fenced",
    ),
    Mutation(
        "charts: a chart by tag",
        put(
            "Release",
            "cert-manager",
            (
                "chart",
                "oci://333344445555.dkr.ecr.eu-central-1.amazonaws.com/seawall-prod/mirror/quay.io/jetstack/charts/cert-manager",
            ),
        ),
        "k8s-charts-pinned",
    ),
    Mutation(
        "charts: a chart from elsewhere",
        put(
            "Release",
            "cert-manager",
            (
                "chart",
                "oci://quay.io/jetstack/charts/cert-manager@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
        ),
        "k8s-charts-pinned",
    ),
    Mutation(
        "charts: a chart by name", put("Release", "cert-manager", ("chart", "cert-manager")), "k8s-charts-pinned"
    ),
    Mutation(
        "charts: an image by tag", put("Release", "cert-manager", ("values.image.digest", GONE)), "k8s-charts-pinned"
    ),
    Mutation(
        "charts: an image from elsewhere",
        put("Release", "cert-manager", ("values.image.repository", "quay.io/jetstack/cert-manager-controller")),
        "k8s-charts-pinned",
    ),
    Mutation(
        "charts: its image by tag",
        put(
            "Release",
            "envoy-gateway",
            ("values.global.images.envoyGateway.image", "docker.io/envoyproxy/gateway:latest"),
        ),
        "k8s-charts-pinned",
    ),
    Mutation(
        "charts: together",
        put("Release", "cert-manager", ("values.topologySpreadConstraints", GONE)),
        "k8s-essential-apart",
    ),
    Mutation(
        "options: the policy's changes ignored",
        options("SecurityPolicy", "securitypolicy-door", ignore_changes=("spec",)),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "options: the fleet's changes ignored",
        options("Deployment", "tumour-risk", ignore_changes=("spec",)),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "options: the bound's changes ignored",
        options("ResourceQuota", "gpus", ignore_changes=("*",)),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "options: the denial's changes ignored",
        options("NetworkPolicy", "serving-deny-all", ignore_changes=("spec.policyTypes",)),
        "k8s-objects-applied-whole",
    ),
    Mutation(
        "charts: the namespace of another",
        put("Release", "envoy-gateway", ("namespace", "default")),
        "k8s-objects-in-own-namespaces",
    ),
    Mutation(
        "provider: what cannot be reached is deleted",
        put("kubernetes", "cluster", ("deleteUnreachable", "true")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: what cannot be reached is passed over",
        put("kubernetes", "cluster", ("skipUpdateUnreachable", "true")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: client-side apply",
        put("kubernetes", "cluster", ("enableServerSideApply", "false")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: a default namespace",
        put("kubernetes", "cluster", ("namespace", "default")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: objects written to a directory",
        put("kubernetes", "cluster", ("renderYamlToDirectory", "/tmp/x")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: another cluster",
        put("kubernetes", "cluster", ("kubeconfig", "/home/x/.kube/config")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: another context", put("kubernetes", "cluster", ("context", "minikube")), "k8s-provider-applies"
    ),
    Mutation(
        "provider: another cluster by name",
        put("kubernetes", "cluster", ("cluster", "other")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: CRDs replaced", put("kubernetes", "cluster", ("enableReplaceCRD", "true")), "k8s-provider-applies"
    ),
    Mutation(
        "provider: settings of Helm",
        put("kubernetes", "cluster", ("helmReleaseSettings", '{"driver":"memory"}')),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: settings of Helm's plugins",
        put("kubernetes", "cluster", ("helmReleaseSettings", {"pluginsPath": "/tmp"})),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: always forced", put("kubernetes", "cluster", ("enablePatchForce", "true")), "k8s-provider-applies"
    ),
    Mutation(
        "provider: requests without bound",
        put("kubernetes", "cluster", ("kubeClientSettings", {"burst": 100000, "qps": 100000})),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: configurations replaced",
        put("kubernetes", "cluster", ("enableConfigMapMutable", "false")),
        "k8s-provider-applies",
    ),
    Mutation(
        "provider: warnings hidden",
        put("kubernetes", "cluster", ("suppressDeprecationWarnings", "true")),
        "k8s-provider-applies",
    ),
    Mutation(
        "charts: a range of versions", put("Release", "cert-manager", ("version", ">=1.0.0")), "k8s-releases-as-known"
    ),
    Mutation("charts: any version", put("Release", "cert-manager", ("version", "*")), "k8s-releases-as-known"),
    Mutation(
        "charts: another repository",
        put("Release", "cert-manager", ("repositoryOpts", {"repo": "https://charts.example.org"})),
        "k8s-releases-as-known",
    ),
    Mutation("charts: not awaited", put("Release", "cert-manager", ("skipAwait", True)), "k8s-releases-as-known"),
    Mutation("charts: hooks off", put("Release", "cert-manager", ("disableWebhooks", True)), "k8s-releases-as-known"),
    Mutation(
        "charts: hooks of CRDs off",
        put("Release", "cert-manager", ("disableCRDHooks", True)),
        "k8s-releases-as-known",
    ),
    Mutation("charts: not taken back", put("Release", "cert-manager", ("atomic", False)), "k8s-releases-as-known"),
    Mutation(
        "charts: not taken back, unsaid", put("Release", "cert-manager", ("atomic", GONE)), "k8s-releases-as-known"
    ),
    Mutation(
        "charts: left when it fails",
        put("Release", "cert-manager", ("cleanupOnFail", False)),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: dependencies of the day",
        put("Release", "cert-manager", ("dependencyUpdate", True)),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a program after rendering",
        put("Release", "cert-manager", ("postrender", "/tmp/x")),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: values from a file",
        put("Release", "cert-manager", ("valueYamlFiles", ["x.yaml"])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: versions that are none yet", put("Release", "cert-manager", ("devel", True)), "k8s-releases-as-known"
    ),
    Mutation("charts: forced", put("Release", "cert-manager", ("forceUpdate", True)), "k8s-releases-as-known"),
    Mutation(
        "charts: pods re-created", put("Release", "cert-manager", ("recreatePods", True)), "k8s-releases-as-known"
    ),
    Mutation("charts: replaced by name", put("Release", "cert-manager", ("replace", True)), "k8s-releases-as-known"),
    Mutation(
        "charts: old values kept", put("Release", "cert-manager", ("reuseValues", True)), "k8s-releases-as-known"
    ),
    Mutation(
        "charts: values left out", put("Release", "cert-manager", ("resetValues", True)), "k8s-releases-as-known"
    ),
    Mutation("charts: CRDs left out", put("Release", "cert-manager", ("skipCrds", True)), "k8s-releases-as-known"),
    Mutation(
        "charts: not checked",
        put("Release", "cert-manager", ("disableOpenapiValidation", True)),
        "k8s-releases-as-known",
    ),
    Mutation("charts: no patience", put("Release", "cert-manager", ("timeout", 1)), "k8s-releases-as-known"),
    Mutation("charts: a day's patience", put("Release", "cert-manager", ("timeout", 86400)), "k8s-releases-as-known"),
    Mutation(
        "charts: a namespace made", put("Release", "cert-manager", ("createNamespace", True)), "k8s-releases-as-known"
    ),
    Mutation("charts: no history", put("Release", "cert-manager", ("maxHistory", 0)), "k8s-releases-as-known"),
    Mutation("charts: another's keyring", put("Release", "cert-manager", ("keyring", "x")), "k8s-releases-as-known"),
    Mutation(
        "charts: as root",
        put("Release", "cert-manager", ("values.securityContext", {"runAsUser": 0, "runAsNonRoot": False})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: as root in a container",
        put("Release", "cert-manager", ("values.containerSecurityContext", {"runAsUser": 0})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: privileged",
        put("Release", "cert-manager", ("values.containerSecurityContext", {"privileged": True})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: more rights",
        put("Release", "cert-manager", ("values.containerSecurityContext", {"allowPrivilegeEscalation": True})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a capability",
        put("Release", "cert-manager", ("values.containerSecurityContext", {"capabilities": {"add": ["SYS_ADMIN"]}})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a writable root",
        put("Release", "cert-manager", ("values.containerSecurityContext", {"readOnlyRootFilesystem": False})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: no seccomp",
        put("Release", "cert-manager", ("values.securityContext", {"seccompProfile": {"type": "Unconfined"}})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: webhook as root",
        put("Release", "cert-manager", ("values.webhook.securityContext", {"runAsNonRoot": False})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: webhook in the host network",
        put("Release", "cert-manager", ("values.webhook.hostNetwork", True)),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: injector in the host's processes",
        put("Release", "cert-manager", ("values.cainjector.hostPID", True)),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: volumes of the machine",
        put("Release", "cert-manager", ("values.volumes", [{"name": "x", "hostPath": {"path": "/"}}])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: another's account",
        put("Release", "cert-manager", ("values.serviceAccount", {"create": False, "name": "cluster-admin"})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a role of AWS",
        put(
            "Release",
            "cert-manager",
            (
                "values.serviceAccount",
                {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::999999999999:role/x"}},
            ),
        ),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: objects of one's own",
        put(
            "Release",
            "cert-manager",
            (
                "values.extraObjects",
                ["apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {hostPID: true, containers: []}"],
            ),
        ),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a tag beside the digest",
        put("Release", "cert-manager", ("values.image.tag", "latest")),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: no budget",
        put("Release", "cert-manager", ("values.podDisruptionBudget.enabled", False)),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: CRDs taken away",
        put("Release", "cert-manager", ("values.crds.keep", False)),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: no CRDs", put("Release", "cert-manager", ("values.crds.enabled", False)), "k8s-releases-as-known"
    ),
    Mutation(
        "charts: signers approved",
        put("Release", "cert-manager", ("values.approveSignerNames", ["*/*"])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: arguments of one's own",
        put("Release", "cert-manager", ("values.extraArgs", ["--dns01-recursive-nameservers=8.8.8.8:53"])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: variables of one's own",
        put("Release", "cert-manager", ("values.extraEnv", [{"name": "HTTPS_PROXY", "value": "http://203.0.113.9"}])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: tolerates all",
        put("Release", "cert-manager", ("values.tolerations", [{"operator": "Exists"}])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: another resolver",
        put("Release", "cert-manager", ("values.podDnsPolicy", "None")),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: the hook ignored",
        put("Release", "cert-manager", ("values.webhook.failurePolicy", "Ignore")),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: the hook for some",
        put("Release", "cert-manager", ("values.webhook.validatingWebhookConfiguration", {"namespaceSelector": {}})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: the hook's own URL",
        put("Release", "cert-manager", ("values.webhook.url", {"host": "example.org"})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: challenges again",
        put("Release", "cert-manager", ("values.config.controllers", ["*"])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a system's priority",
        put("Release", "cert-manager", ("values.global.priorityClassName", "system-node-critical")),
        "k8s-releases-as-known",
    ),
    Mutation("charts: unknown values", put("Release", "cert-manager", ("values", HIDDEN)), "k8s-releases-as-known"),
    Mutation(
        "charts: the hook's init container",
        put("Release", "cert-manager", ("values.webhook.extraContainers", [{"name": "x", "image": "busybox"}])),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: another namespace watched",
        put(
            "Release",
            "envoy-gateway",
            ("values.config.envoyGateway.provider.kubernetes.watch.namespaces", ["default"]),
        ),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: an extension's server",
        put(
            "Release",
            "envoy-gateway",
            ("values.config.envoyGateway.extensionManager", {"service": {"fqdn": {"hostname": "example.org"}}}),
        ),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: another controller's name",
        put("Release", "envoy-gateway", ("values.config.envoyGateway.gateway.controllerName", "example.org/x")),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: as root in the pod",
        put("Release", "envoy-gateway", ("values.deployment.pod.securityContext", {"runAsUser": 0})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: as root in its container",
        put("Release", "envoy-gateway", ("values.deployment.envoyGateway.securityContext", {"privileged": True})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: Kubernetes as it is told",
        put("Release", "envoy-gateway", ("values.kubernetesClusterDomain", "example.org")),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: deploys in each namespace",
        put(
            "Release",
            "envoy-gateway",
            ("values.config.envoyGateway.provider.kubernetes.deploy", {"type": "GatewayNamespace"}),
        ),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a log of all",
        put("Release", "envoy-gateway", ("values.config.envoyGateway.logging", {"level": {"default": "debug"}})),
        "k8s-releases-as-known",
    ),
    Mutation(
        "charts: a certificate job's image",
        put("Release", "envoy-gateway", ("values.certgen", {"job": {"securityContext": {"runAsUser": 0}}})),
        "k8s-releases-as-known",
    ),
)
