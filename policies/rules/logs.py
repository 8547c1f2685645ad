"""Logs and metrics: who did what is written, and kept for a stated time."""

from __future__ import annotations

from policies.buckets import given_to_s3_logs, holds_access_logs, s3_companion
from policies.checks import all_of, at_least, expect, not_applicable
from policies.examples import Hidden, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import EKS_CLUSTER, GKE_CLUSTER, LOG_GROUP, S3_BUCKET, S3_LOGGING

family = Family("Logs and metrics")

_EKS_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_GKE_OBSERVED = {
    "loggingConfig.enableComponents": ("SYSTEM_COMPONENTS", "WORKLOADS"),
    "monitoringConfig.enableComponents": ("SYSTEM_COMPONENTS",),
}
_LOG_OF_LOGS = "a bucket that logged its own accesses would write logs without end"


def _lists(resource: Resource, path: str, wanted: tuple[str, ...], required: str) -> Judgement:
    return expect(resource, path, f"{required} {', '.join(wanted)}", lambda v: set(wanted) <= set(v))


@family.rule(
    "aws-eks-control-plane-logs",
    Severity.MEDIUM,
    "EKS writes all control-plane logs",
    types=(EKS_CLUSTER,),
    rationale="Without the audit log nobody can say who did what in the cluster.",
    remedy="List all five types in enabledClusterLogTypes.",
    frameworks={Framework.AWS_FSBP: ("EKS.8",), Framework.CHECKOV: ("CKV_AWS_37",)},
    examples=lambda: examples(
        given(EKS_CLUSTER, {"enabledClusterLogTypes": list(_EKS_LOGS)}),
        broken={
            'enabledClusterLogTypes is ["api"]': put("enabledClusterLogTypes", ["api"]),
            "enabledClusterLogTypes is absent": drop("enabledClusterLogTypes"),
        },
    ),
)
def eks_control_plane_logs(cluster: Resource, _: Inventory) -> Judgement:
    return _lists(cluster, "enabledClusterLogTypes", _EKS_LOGS, "all of")


@family.rule(
    "gcp-gke-observed",
    Severity.MEDIUM,
    "GKE sends logs and metrics",
    types=(GKE_CLUSTER,),
    rationale="Without them nobody can say what happened in the cluster.",
    remedy="List SYSTEM_COMPONENTS and WORKLOADS in loggingConfig, SYSTEM_COMPONENTS in monitoringConfig.",
    frameworks={Framework.CIS_GKE: ("5.7.1",), Framework.CHECKOV: ("CKV_GCP_1", "CKV_GCP_8")},
    examples=lambda: examples(
        given(GKE_CLUSTER, {path: list(components) for path, components in _GKE_OBSERVED.items()}),
        broken={
            'loggingConfig.enableComponents is ["SYSTEM_COMPONENTS"]': put(
                "loggingConfig.enableComponents", ["SYSTEM_COMPONENTS"]
            ),
            "monitoringConfig.enableComponents is absent": drop("monitoringConfig"),
        },
    ),
)
def gke_observed(cluster: Resource, _: Inventory) -> Judgement:
    return all_of(_lists(cluster, path, wanted, "at least") for path, wanted in _GKE_OBSERVED.items())


@family.rule(
    "aws-s3-access-logged",
    Severity.MEDIUM,
    "S3 buckets log who read and wrote",
    types=(S3_BUCKET,),
    rationale="Without access logs nobody can say which models were copied, or by whom.",
    remedy="Add a BucketLogging to a bucket for access logs in the same region.",
    frameworks={Framework.AWS_FSBP: ("S3.9",), Framework.CHECKOV: ("CKV_AWS_18",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(S3_LOGGING, {"bucket": "models", "targetBucket": "logs"}),
        broken={
            "the bucket has no access logging": without(S3_LOGGING),
            'targetBucket is ""': put("targetBucket", "", on=S3_LOGGING),
        },
        accepted={_LOG_OF_LOGS: both(without(S3_LOGGING), given_to_s3_logs("models"))},
    ),
)
def s3_access_logged(bucket: Resource, inventory: Inventory) -> Judgement:
    if holds_access_logs(bucket, inventory):
        return not_applicable(_LOG_OF_LOGS)

    def logged(logging: Resource, _: Inventory) -> Judgement:
        return expect(logging, "targetBucket", "a bucket for access logs", bool)

    return s3_companion(bucket, inventory, S3_LOGGING, "access logging", logged)


@family.rule(
    "aws-logs-retained",
    Severity.LOW,
    "Log groups keep logs for a stated time",
    types=(LOG_GROUP,),
    rationale="Without a retention logs are kept, and paid for, forever; a short one loses the evidence.",
    remedy="Set retentionInDays to 30 or more.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_66",)},
    examples=lambda: examples(
        given(LOG_GROUP, {"retentionInDays": 30}),
        broken={
            "retentionInDays is absent": drop("retentionInDays"),
            "retentionInDays is 29": put("retentionInDays", 29),
        },
        undecided={"retentionInDays is known only to the provider": put("retentionInDays", Hidden())},
    ),
)
def logs_retained(group: Resource, _: Inventory) -> Judgement:
    return at_least(group, "retentionInDays", 30, "days")
