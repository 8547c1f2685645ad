"""The controller of a bandit's weights: a small pod beside the fleet that may read and patch one service's routes.

One replica, without leader election: nothing depends on it. While it is gone the weights stay as they are, which is
what it does itself when it does not know better; it keeps nothing that a second one could take over; and two of them,
as for a moment on a machine that does not answer, cannot undo each other's change, as each patch names the version of
the route that it was decided on.

It runs the serving image, whose programs are pinned and mirrored already. Its weights are no drift: Pulumi ignores
them (`IGNORED`). The lists of a route are atomic for server-side apply, so that its patch makes it their only owner;
`TAKES_BACK` lets Pulumi change anything else of a rule. Such a change sets the weights of the last one, from which
the controller goes on.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs, DeploymentStrategyArgs
from pulumi_kubernetes.core.v1 import ContainerArgs, EnvVarArgs, PodSpecArgs, PodTemplateSpecArgs, ServiceAccount
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicySpecArgs,
)
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs, Role, RoleBinding, RoleRefArgs, SubjectArgs

from components.contracts import serving
from components.contracts.bandit_specs import Bandit
from components.contracts.refs import ApiServerPath
from components.contracts.services import ServiceSpec, variants_of
from components.contracts.specs import FleetSpec
from components.kubernetes.access import RBAC
from components.kubernetes.metrics import METRICS_NAMESPACE, PROMETHEUS_PORT
from components.kubernetes.pods import (
    app_labels,
    container_security,
    http_probe,
    memory_bound,
    metadata,
    pod_security,
    port,
    selecting,
)
from components.kubernetes.traffic import NAMESPACE_LABEL, allow, dns, in_namespace, ports, to_doors
from components.kubernetes.triton import UID

WEIGHTS_APP: Final = "traffic-weights"
IGNORED: Final = ["spec.rules[*].backendRefs[*].weight"]
"""For `ignore_changes` of a route whose weights a bandit moves: the engine keeps what its state has, so that previews
after the controller's changes are empty, after a refresh too."""
TAKES_BACK: Final = {"pulumi.com/patchForce": "true"}
"""Annotation of such a route. Without it an update of any field in `rules` ends in a conflict with the controller:
pulumi-kubernetes knows no ignored fields within lists (its provider/pkg/await/await.go, `handleSSAIgnoreFields`,
"TODO: … nested arrays"; `patchForce`; read 2026-11-22)."""
ROUTES: Final = ("httproutes", "grpcroutes")
GATEWAY_GROUP: Final = "gateway.networking.k8s.io"


def controller_name(service: str) -> str:
    """Of all objects of a service's controller."""
    return f"{service}-weights"


def settings(service: str, spec: ServiceSpec, bandit: Bandit) -> dict[str, Any]:
    """What the controller is told; its module `traffic_weights.settings` reads it."""
    return {
        "service": service,
        "namespace": serving.NAMESPACE,
        "kinds": list(ROUTES),
        "arms": {variant.name: variant.object_name for variant in variants_of(service, spec)},
        "bounds": {
            "floor": bandit.floor_percent,
            "ceiling": bandit.ceiling_percent,
            "step": bandit.step_percent,
        },
        "interval": bandit.interval_seconds,
        "window": bandit.window_minutes * 60,
        "half_life": bandit.half_life_minutes * 60,
        "stale_after": bandit.stale_after_seconds,
        "minimum_trials": bandit.minimum_trials,
        "successes": bandit.reward.successes,
        "trials": bandit.reward.trials,
        "label": bandit.reward.label,
        "prometheus": f"http://prometheus.{METRICS_NAMESPACE}.svc:{PROMETHEUS_PORT}",
    }


def rules(service: str) -> list[PolicyRuleArgs]:
    """What it may do: read and patch the routes of one service."""
    return [
        PolicyRuleArgs(
            api_groups=[GATEWAY_GROUP], resources=list(ROUTES), resource_names=[service], verbs=["get", "patch"]
        )
    ]


def move_all(
    fleet: FleetSpec,
    image: pulumi.Input[str],
    api_server: ApiServerPath,
    parent: pulumi.Resource,
    after: list[pulumi.Resource],
) -> None:
    """A controller for each service of the fleet whose strategy is a bandit; nothing where there is none."""
    found = [(name, spec, spec.traffic) for name, spec in fleet.services.items() if isinstance(spec.traffic, Bandit)]
    if found:
        let_out(api_server, pulumi.ResourceOptions(parent=parent, depends_on=after))
    for name, spec, bandit in found:
        move_weights(name, spec, bandit, image=image, parent=parent, after=after)


def move_weights(
    service: str,
    spec: ServiceSpec,
    bandit: Bandit,
    *,
    image: pulumi.Input[str],
    parent: pulumi.Resource,
    after: list[pulumi.Resource],
) -> Deployment:
    """The controller of `service`, with an account of its own.

    Args:
        image: the serving image, by digest.
        after: what it needs to be there: the namespace.
    """
    name = controller_name(service)
    options = pulumi.ResourceOptions(parent=parent, depends_on=after)
    labels = {**app_labels(WEIGHTS_APP), "app.kubernetes.io/instance": service}
    own = metadata(name, serving.NAMESPACE, labels=labels)
    account = ServiceAccount(name, metadata=own, automount_service_account_token=True, opts=options)
    role = Role(name, metadata=own, rules=rules(service), opts=options)
    binding = RoleBinding(
        name,
        metadata=own,
        role_ref=RoleRefArgs(api_group=RBAC, kind="Role", name=name),
        subjects=[SubjectArgs(kind="ServiceAccount", name=name, namespace=serving.NAMESPACE)],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[account, role]),
    )
    container = ContainerArgs(
        name=WEIGHTS_APP,
        image=image,
        # Not the image's entrypoint: it prepares a GPU, and this container has none.
        command=["python3", "-m", "traffic_weights"],
        args=["--settings", json.dumps(settings(service, spec, bandit)), f"--port={serving.METRICS_PORT}"],
        env=[EnvVarArgs(name="SEAWALL_IMAGE", value=image)],
        ports=[port("metrics", serving.METRICS_PORT)],
        resources=memory_bound("20m", "64Mi", "128Mi"),
        security_context=container_security(),
        readiness_probe=http_probe("/healthz", "metrics", period_seconds=10, failure_threshold=3),
        liveness_probe=http_probe("/healthz", "metrics", period_seconds=10, failure_threshold=3),
        termination_message_policy="FallbackToLogsOnError",
    )
    pod = PodSpecArgs(
        service_account_name=name,
        enable_service_links=False,
        security_context=pod_security(UID),
        containers=[container],
    )
    return Deployment(
        name,
        metadata=own,
        spec=DeploymentSpecArgs(
            replicas=1,
            selector=selecting(labels),
            # The old one ends before the new one begins.
            strategy=DeploymentStrategyArgs(type="Recreate"),
            template=PodTemplateSpecArgs(metadata=metadata(labels=labels), spec=pod),
        ),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*after, binding]),
    )


def let_out(api_server: ApiServerPath, options: pulumi.ResourceOptions) -> None:
    """Let the controllers of all services reach the API server and Prometheus, and Prometheus let them in."""
    allow(
        WEIGHTS_APP,
        serving.NAMESPACE,
        ingress=[
            NetworkPolicyIngressRuleArgs(from_=[in_namespace(METRICS_NAMESPACE)], ports=ports(serving.METRICS_PORT))
        ],
        egress=[
            dns(),
            *to_doors(api_server.doors),
            NetworkPolicyEgressRuleArgs(to=[_pods(METRICS_NAMESPACE, "prometheus")], ports=ports(PROMETHEUS_PORT)),
        ],
        options=options,
    )
    NetworkPolicy(
        f"{WEIGHTS_APP}-ask-prometheus",
        metadata=metadata(WEIGHTS_APP, METRICS_NAMESPACE),
        spec=NetworkPolicySpecArgs(
            pod_selector=selecting({"app.kubernetes.io/name": "prometheus"}),
            policy_types=["Ingress"],
            ingress=[
                NetworkPolicyIngressRuleArgs(
                    from_=[_pods(serving.NAMESPACE, WEIGHTS_APP)], ports=ports(PROMETHEUS_PORT)
                )
            ],
        ),
        opts=options,
    )


def _pods(namespace: str, app: str) -> NetworkPolicyPeerArgs:
    """The pods of one application of another namespace."""
    return NetworkPolicyPeerArgs(
        namespace_selector=selecting({NAMESPACE_LABEL: namespace}),
        pod_selector=selecting({"app.kubernetes.io/name": app}),
    )
