"""The hours in which the fleet runs: two timed jobs that take it to no replica, and back to its fewest.

They set the Deployment's number as a person would with `kubectl scale`, and the autoscaler takes it from there: while
a Deployment has no replica its HorizontalPodAutoscaler rests ("implicit maintenance-mode deactivation", Kubernetes
docs, Horizontal Pod Autoscaling, read on 2026-11-21). The program never names that number, so that no preview shows
it as drift. Emptied GPU machines go by the pools' own scaling to zero. Not KEDA: it would own the
autoscaler's object, and bring an operator that runs all the time to save two jobs a day.
"""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_kubernetes.batch.v1 import CronJob, CronJobSpecArgs, JobSpecArgs, JobTemplateSpecArgs
from pulumi_kubernetes.core.v1 import ContainerArgs, PodSpecArgs, PodTemplateSpecArgs, ServiceAccount
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs, Role, RoleBinding, RoleRefArgs, SubjectArgs

from components.contracts import serving
from components.contracts.images import KUBECTL
from components.contracts.refs import ApiServerPath, RegistryRef
from components.contracts.specs import FleetSpec, HoursSpec
from components.kubernetes.pods import (
    app_labels,
    container_security,
    memory_bound,
    metadata,
    pod_security,
)
from components.kubernetes.traffic import allow, dns, to_doors
from components.kubernetes.triton import APP as FLEET

APP: Final = "fleet-hours"
NOBODY: Final = 65534
LATEST_START_SECONDS: Final = 3600
"""How late a job may still start, as after a restart of the control plane."""


def schedule(clock: str, hours: HoursSpec) -> str:
    """A moment of the running days in cron's words."""
    hour, minute = clock.split(":")
    return f"{int(minute)} {int(hour)} * * {','.join(day.upper() for day in hours.days)}"


def rules() -> list[PolicyRuleArgs]:
    """What `kubectl scale` needs, of the fleet's Deployment alone."""
    named = {"api_groups": ["apps"], "resource_names": [FLEET]}
    return [
        PolicyRuleArgs(**named, resources=["deployments"], verbs=["get"]),
        PolicyRuleArgs(**named, resources=["deployments/scale"], verbs=["get", "patch", "update"]),
    ]


def keep_hours(
    spec: FleetSpec,
    hours: HoursSpec,
    registry: RegistryRef,
    api_server: ApiServerPath,
    parent: pulumi.Resource,
    after: list[pulumi.Resource],
) -> list[CronJob]:
    """The two jobs, with an account that may do nothing else; `after` are what they need to be there."""
    options = pulumi.ResourceOptions(parent=parent, depends_on=after)
    own = metadata(APP, serving.NAMESPACE, labels=app_labels(APP))
    account = ServiceAccount(APP, metadata=own, automount_service_account_token=True, opts=options)
    role = Role(APP, metadata=own, rules=rules(), opts=options)
    RoleBinding(
        APP,
        metadata=own,
        role_ref=RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=APP),
        subjects=[SubjectArgs(kind="ServiceAccount", name=APP, namespace=serving.NAMESPACE)],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[account, role]),
    )
    allow(APP, serving.NAMESPACE, ingress=[], egress=[dns(), *to_doors(api_server.doors)], options=options)
    bound = pulumi.ResourceOptions(parent=parent, depends_on=[account, role])
    moments = (("fleet-starts", hours.start, spec.min_replicas), ("fleet-stops", hours.end, 0))
    return [
        CronJob(
            name,
            metadata=metadata(name, serving.NAMESPACE, labels=app_labels(APP)),
            spec=_timed(schedule(clock, hours), hours.time_zone, replicas, registry),
            opts=bound,
        )
        for name, clock, replicas in moments
    ]


def _timed(cron: str, time_zone: str, replicas: int, registry: RegistryRef) -> CronJobSpecArgs:
    container = ContainerArgs(
        name="kubectl",
        image=registry.mirrored(KUBECTL),
        args=["scale", f"deployment/{FLEET}", f"--replicas={replicas}", f"--namespace={serving.NAMESPACE}"],
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
