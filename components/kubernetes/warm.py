"""Machines that stand ready: pods of low priority, each as large as a replica, which a new replica pushes out.

They run the serving image and do nothing in it, so that it lies on the machine's disk; a second image for that would
be one more to mirror. What is pushed out waits for a machine, and so asks for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs, DeploymentStrategyArgs
from pulumi_kubernetes.core.v1 import ContainerArgs, PodSpecArgs, PodTemplateSpecArgs, ResourceRequirementsArgs

from components.contracts import serving
from components.contracts.capacity import replica
from components.contracts.refs import NodePoolsRef
from components.contracts.services import WARM_SUFFIX, ServiceSpec
from components.kubernetes import priorities, triton
from components.kubernetes.pods import (
    app_labels,
    container_security,
    metadata,
    pod_security,
    selecting,
)

APP = "fleet-warm"
"""No network policy allows anything to it: the namespace's ground state is all that it has."""


def object_name(service: str) -> str:
    """What the Deployment that holds machines for a service is called."""
    return f"{service}{WARM_SUFFIX}"


def labels(service: str) -> dict[str, str]:
    """Its pods' labels, which no service, budget or policy of a variant selects."""
    return {**app_labels(APP), serving.SERVICE_LABEL: service}


def resources(spec: ServiceSpec) -> ResourceRequirementsArgs:
    """All that a replica takes, its init container counted."""
    asked = replica(spec)
    fixed = {
        "memory": f"{asked.memory_mib}Mi",
        "ephemeral-storage": f"{asked.disk_mib}Mi",
        **({serving.GPU_RESOURCE: str(asked.gpus)} if asked.gpus else {}),
    }
    return ResourceRequirementsArgs(requests={"cpu": f"{asked.cpu_millicores}m", **fixed}, limits=fixed)


def pod_spec(spec: ServiceSpec, image: str, pools: NodePoolsRef) -> PodSpecArgs:
    """A pod that sleeps where a replica could run; nobody asks it, so nothing probes it."""
    container = ContainerArgs(
        name=APP,
        image=image,
        command=["sleep", "infinity"],
        resources=resources(spec),
        security_context=container_security(),
    )
    return PodSpecArgs(
        automount_service_account_token=False,
        enable_service_links=False,
        # It is pushed out for a replica that is waited for.
        termination_grace_period_seconds=0,
        priority_class_name=priorities.WARM,
        security_context=pod_security(triton.UID),
        node_selector=triton.node_selector(spec, pools),
        tolerations=triton.tolerations(spec, pools),
        containers=[container],
    )


def hold_machines(
    name: str,
    spec: ServiceSpec,
    image: str,
    pools: NodePoolsRef,
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource],
) -> Deployment:
    """The Deployment of a service's warm replicas; with hours, their jobs own its number from the first start on."""
    own = labels(name)
    return Deployment(
        object_name(name),
        # Nobody waits for a machine that only stands ready: its pods may be pushed out at any time.
        metadata=metadata(
            object_name(name), serving.NAMESPACE, labels=own, annotations={"pulumi.com/skipAwait": "true"}
        ),
        spec=DeploymentSpecArgs(
            replicas=None if spec.hours else spec.warm_replicas,
            selector=selecting(own),
            strategy=DeploymentStrategyArgs(type="Recreate"),
            template=PodTemplateSpecArgs(metadata=metadata(labels=own), spec=pod_spec(spec, image, pools)),
        ),
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=list(after),
        ),
    )
