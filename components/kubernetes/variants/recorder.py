"""The recorder of a shadow: a small pod that asks both variants what the door copies to it, and logs their answers.

One replica: it loses copies while it is gone, and nothing else depends on it. It may reach the service's own pods,
over HTTP alone, and nothing further; its log goes where all logs go, under their key and retention. It has no account
of its own, and no token. It runs the serving image, whose programs are pinned and mirrored already.
"""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
)
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicySpecArgs,
)

from components.contracts import serving
from components.contracts.services import ServiceSpec
from components.contracts.serving import APP as TRITON
from components.contracts.variant_specs import Shadow
from components.kubernetes.gateway.door import from_door
from components.kubernetes.metrics import METRICS_NAMESPACE
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
from components.kubernetes.traffic import allow, dns, in_namespace, ports
from components.kubernetes.triton import UID
from components.kubernetes.variants.routing import answering, recorder_service

RECORDER_APP: Final = "answer-recorder"
_INSTANCE: Final = "app.kubernetes.io/instance"


def arguments(service: str, spec: ServiceSpec, shadow: Shadow, request_mib: int) -> list[str]:
    """What the recorder is told; `serving_image/answer_recorder` reads it.

    Args:
        request_mib: the largest request that the door lets in.
    """
    asked = (answering(service, spec), answering(service, spec, shadow.challenger))
    return [
        *(f"--variant={each.variant}=http://{each.object}:{serving.HTTP_PORT}" for each in asked),
        f"--port={serving.HTTP_PORT}",
        f"--limit-bytes={request_mib * 1024**2}",
    ]


def record_answers(
    service: str,
    spec: ServiceSpec,
    shadow: Shadow,
    *,
    request_mib: int,
    image: pulumi.Input[str],
    parent: pulumi.Resource,
    after: list[pulumi.Resource],
) -> list[pulumi.Resource]:
    """The recorder of `service`: its pod, its address, and who may talk to whom.

    Args:
        request_mib: the largest request that the door lets in.
        image: the serving image, by digest.
        after: what it needs to be there: the namespace.
    """
    name = recorder_service(service)
    options = pulumi.ResourceOptions(parent=parent, depends_on=after)
    labels = {**app_labels(RECORDER_APP), _INSTANCE: service}
    own = metadata(name, serving.NAMESPACE, labels=labels)
    container = ContainerArgs(
        name=RECORDER_APP,
        image=image,
        # Not the image's entrypoint: it prepares a GPU, and this container has none.
        command=["python3", "-m", "answer_recorder"],
        args=arguments(service, spec, shadow, request_mib),
        ports=[port("http", serving.HTTP_PORT)],
        resources=memory_bound("50m", "128Mi", "512Mi"),
        security_context=container_security(),
        readiness_probe=http_probe("/healthz", "http", period_seconds=10, failure_threshold=3),
        liveness_probe=http_probe("/healthz", "http", period_seconds=10, failure_threshold=3),
        termination_message_policy="FallbackToLogsOnError",
    )
    pod = PodSpecArgs(
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(UID),
        containers=[container],
    )
    template = PodTemplateSpecArgs(metadata=metadata(labels=labels), spec=pod)
    return [
        Deployment(
            name,
            metadata=own,
            spec=DeploymentSpecArgs(replicas=1, selector=selecting(labels), template=template),
            opts=options,
        ),
        Service(
            name,
            metadata=own,
            spec=ServiceSpecArgs(
                type="ClusterIP",
                selector=labels,
                ports=[
                    ServicePortArgs(name="http", port=serving.HTTP_PORT, target_port="http", protocol="TCP"),
                ],
            ),
            opts=options,
        ),
        let_in(service, options),
    ]


def let_in(service: str, options: pulumi.ResourceOptions) -> NetworkPolicy:
    """Let the recorder of a service ask the service's pods, on top of what they let in anyway."""
    asking = NetworkPolicyPeerArgs(pod_selector=selecting({**app_labels(RECORDER_APP), _INSTANCE: service}))
    return NetworkPolicy(
        recorder_service(service),
        metadata=metadata(recorder_service(service), serving.NAMESPACE),
        spec=NetworkPolicySpecArgs(
            pod_selector=selecting({"app.kubernetes.io/name": TRITON, _INSTANCE: service}),
            policy_types=["Ingress"],
            ingress=[NetworkPolicyIngressRuleArgs(from_=[asking], ports=ports(serving.HTTP_PORT))],
        ),
        opts=options,
    )


def let_out(options: pulumi.ResourceOptions) -> NetworkPolicy:
    """Let the recorders of all services be reached by the door and Prometheus, and reach the fleet's pods."""
    fleet = NetworkPolicyPeerArgs(pod_selector=selecting({"app.kubernetes.io/name": TRITON}))
    return allow(
        RECORDER_APP,
        serving.NAMESPACE,
        ingress=[
            NetworkPolicyIngressRuleArgs(
                from_=[from_door(), in_namespace(METRICS_NAMESPACE)], ports=ports(serving.HTTP_PORT)
            ),
        ],
        egress=[dns(), NetworkPolicyEgressRuleArgs(to=[fleet], ports=ports(serving.HTTP_PORT))],
        options=options,
    )
