"""The hours in which services run: two timed jobs for each variant, and for the pods that hold machines
ready, take it to no replica, and back to its fewest.

They set the Deployment's number as a person would with `kubectl scale`, and the autoscaler takes it from there: while
a Deployment has no replica its HorizontalPodAutoscaler rests ("implicit maintenance-mode deactivation", Kubernetes
docs, Horizontal Pod Autoscaling, read on 2026-11-21). The program never names that number, so that no preview shows
it as drift. Emptied GPU machines go by the pools' own scaling to zero. Not KEDA: it would own the
autoscaler's object, and bring an operator that runs all the time to save two jobs a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.batch.v1 import CronJob, CronJobSpecArgs, JobSpecArgs, JobTemplateSpecArgs
from pulumi_kubernetes.core.v1 import ContainerArgs, PodSpecArgs, PodTemplateSpecArgs, ServiceAccount
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs, Role, RoleBinding, RoleRefArgs, SubjectArgs

from components.contracts import serving
from components.contracts.images import KUBECTL
from components.contracts.refs import ApiServerPath, RegistryRef
from components.contracts.services import HoursSpec, Variant
from components.kubernetes import warm
from components.kubernetes.pods import (
    app_labels,
    container_security,
    memory_bound,
    metadata,
    pod_security,
)
from components.kubernetes.traffic import allow, dns, to_doors

APP: Final = "fleet-hours"
NOBODY: Final = 65534
LATEST_START_SECONDS: Final = 3600
"""How late a job may still start, as after a restart of the control plane."""


def schedule(clock: str, hours: HoursSpec) -> str:
    """A moment of the running days in cron's words."""
    hour, minute = clock.split(":")
    return f"{int(minute)} {int(hour)} * * {','.join(day.upper() for day in hours.days)}"


def rules(deployments: Sequence[str]) -> list[PolicyRuleArgs]:
    """What `kubectl scale` needs, of these Deployments alone."""
    named = {"api_groups": ["apps"], "resource_names": list(deployments)}
    return [
        PolicyRuleArgs(**named, resources=["deployments"], verbs=["get"]),
        PolicyRuleArgs(**named, resources=["deployments/scale"], verbs=["get", "patch", "update"]),
    ]


def scaled(variants: Sequence[Variant]) -> list[tuple[str, HoursSpec, int]]:
    """Each Deployment that keeps hours, its hours, and its replicas in them: variants, and what keeps machines."""
    return [
        (deployment, each.spec.hours, replicas)
        for each in variants
        if each.spec.hours is not None
        for deployment, replicas in (
            (each.object_name, each.min_replicas),
            (warm.object_name(each.service), each.spec.warm_replicas if each.stable else 0),
        )
        if replicas
    ]


def keep_hours(
    variants: Sequence[Variant],
    registry: RegistryRef,
    api_server: ApiServerPath,
    parent: pulumi.Resource,
    after: list[pulumi.Resource],
) -> list[CronJob]:
    """Two jobs for each variant that keeps hours, with one account that may do nothing else.

    Args:
        after: what they need to be there.
    """
    keeping = scaled(variants)
    if not keeping:
        return []
    options = pulumi.ResourceOptions(parent=parent, depends_on=after)
    own = metadata(APP, serving.NAMESPACE, labels=app_labels(APP))
    account = ServiceAccount(APP, metadata=own, automount_service_account_token=True, opts=options)
    role = Role(APP, metadata=own, rules=rules([each for each, _, _ in keeping]), opts=options)
    RoleBinding(
        APP,
        metadata=own,
        role_ref=RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=APP),
        subjects=[SubjectArgs(kind="ServiceAccount", name=APP, namespace=serving.NAMESPACE)],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[account, role]),
    )
    allow(APP, serving.NAMESPACE, ingress=[], egress=[dns(), *to_doors(api_server.doors)], options=options)
    bound = pulumi.ResourceOptions(parent=parent, depends_on=[account, role])
    return [
        CronJob(
            f"{deployment}-{what}",
            metadata=metadata(f"{deployment}-{what}", serving.NAMESPACE, labels=app_labels(APP)),
            spec=_timed(deployment, schedule(clock, hours), hours.time_zone, replicas, registry),
            opts=bound,
        )
        for deployment, hours, fewest in keeping
        for what, clock, replicas in (("starts", hours.start, fewest), ("stops", hours.end, 0))
    ]


def _timed(deployment: str, cron: str, time_zone: str, replicas: int, registry: RegistryRef) -> CronJobSpecArgs:
    container = ContainerArgs(
        name="kubectl",
        image=registry.mirrored(KUBECTL),
        args=["scale", f"deployment/{deployment}", f"--replicas={replicas}", f"--namespace={serving.NAMESPACE}"],
        resources=memory_bound("50m", "64Mi", "128Mi"),
        security_context=container_security(),
    )
    pod = PodSpecArgs(
        service_account_name=APP,
        restart_policy="OnFailure",
        security_context=pod_security(NOBODY),
        containers=[container],
    )
    return CronJobSpecArgs(
        schedule=cron,
        time_zone=time_zone,
        concurrency_policy="Forbid",
        starting_deadline_seconds=LATEST_START_SECONDS,
        successful_jobs_history_limit=1,
        job_template=JobTemplateSpecArgs(
            spec=JobSpecArgs(
                backoff_limit=6,
                template=PodTemplateSpecArgs(metadata=metadata(labels=app_labels(APP)), spec=pod),
            )
        ),
    )
