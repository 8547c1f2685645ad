"""Protection of state: what the program cannot make again is kept by Pulumi and by the cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from common.sdk.types import input_properties
from components.contracts.stateful import GUARDS, NotCopied, Stateful
from components.contracts.vocabulary import OptOut
from policies.checks import all_of, failed, if_given, not_applicable, passed, read, shown, unreadable
from policies.examples import Output, both, drop, examples, given, option, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import (
    ARTIFACT_REGISTRY,
    BACKUP_PLAN,
    BACKUP_SELECTION,
    BACKUP_VAULT,
    BIGTABLE,
    BIGTABLE_TABLE,
    CLOUDTRAIL,
    DYNAMODB_TABLE,
    ECR_REPOSITORY,
    EKS_CLUSTER,
    EKS_NODE_GROUP,
    EVENT_RULE,
    EVENT_TARGET,
    FIRESTORE,
    FLOW_LOG,
    GCP_ALERT,
    GCP_AUDIT_CONFIG,
    GCP_FIREWALL,
    GCP_KEY,
    GCP_KEY_RING,
    GCP_LOG_BUCKET,
    GCP_LOG_SINK,
    GCS_BUCKET,
    GKE_BACKUP_PLAN,
    GKE_CLUSTER,
    GKE_NODE_POOL,
    IAM_ROLE,
    IAM_ROLE_POLICY,
    KMS_KEY,
    LOG_GROUP,
    METRIC_ALARM,
    REDIS,
    S3_BUCKET,
    S3_ENCRYPTION,
    S3_LIFECYCLE,
    S3_LOGGING,
    S3_OBJECT_LOCK,
    S3_POLICY,
    S3_PUBLIC_ACCESS_BLOCK,
    S3_REPLICATION,
    S3_VERSIONING,
    SCHEDULER_JOB,
    SECURITY_GROUP,
    SNS_TOPIC,
    SNS_TOPIC_POLICY,
    TRANSFER_JOB,
    VALKEY,
    VALKEY_GLOBAL,
    VAULT_LOCK,
    VAULT_POLICY,
)

family = Family("Protection of state")

_STATE: Final = (
    ARTIFACT_REGISTRY,
    BACKUP_VAULT,
    BIGTABLE,
    BIGTABLE_TABLE,
    DYNAMODB_TABLE,
    ECR_REPOSITORY,
    EKS_CLUSTER,
    FIRESTORE,
    GCP_KEY,
    GCP_KEY_RING,
    GCP_LOG_BUCKET,
    GCS_BUCKET,
    GKE_CLUSTER,
    KMS_KEY,
    LOG_GROUP,
    REDIS,
    S3_BUCKET,
    VALKEY,
    GKE_BACKUP_PLAN,
)
_GUARDING: Final = (
    EKS_NODE_GROUP,
    GKE_NODE_POOL,
    BACKUP_PLAN,
    BACKUP_SELECTION,
    VAULT_LOCK,
    VAULT_POLICY,
    CLOUDTRAIL,
    EVENT_RULE,
    EVENT_TARGET,
    METRIC_ALARM,
    FLOW_LOG,
    SECURITY_GROUP,
    IAM_ROLE,
    IAM_ROLE_POLICY,
    S3_LIFECYCLE,
    S3_LOGGING,
    S3_OBJECT_LOCK,
    S3_POLICY,
    S3_PUBLIC_ACCESS_BLOCK,
    S3_REPLICATION,
    S3_ENCRYPTION,
    S3_VERSIONING,
    SNS_TOPIC,
    SNS_TOPIC_POLICY,
    SCHEDULER_JOB,
    GCP_FIREWALL,
    GCP_LOG_SINK,
    GCP_ALERT,
    GCP_AUDIT_CONFIG,
    TRANSFER_JOB,
)
_IGNORED: Final[Mapping[str, frozenset[str]]] = {
    EKS_CLUSTER: frozenset({"accessConfig.bootstrapClusterCreatorAdminPermissions", "vpcConfig.subnetIds"}),
    EKS_NODE_GROUP: frozenset({"scalingConfig", "scalingConfig.desiredSize"}),
    GKE_CLUSTER: frozenset({"nodeConfig", "initialNodeCount"}),
    GKE_NODE_POOL: frozenset({"initialNodeCount", "nodeCount"}),
}
"""Inputs that something else changes for a reason: autoscalers, and the provider itself. No rule relies on them."""
_STATELESS: Final = "the program declares no state in it"
_HOLDS: Final = Stateful("the features of every entity", NotCopied("an example"))
_NIGHTLY: Final = "the stack is made and destroyed each night"
_OPTED: Final = f"the stack's settings opt out of deletion protection: {_NIGHTLY}"


@family.rule(
    "state-protected",
    Severity.HIGH,
    "What holds state resists its deletion, in Pulumi and in the cloud",
    types=_STATE,
    rationale="A renamed resource or a wrong `destroy` takes data along that only a restore brings back.",
    remedy="Declare the state by Component.keep, and set the cloud's own guard, or opt out in the settings.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"forceDestroy": False}, "kept", options={"protect": True, "stateful": _HOLDS}),
        broken={
            "protect is false": option("protect", False),
            "forceDestroy is true": put("forceDestroy", True),
        },
        accepted={
            _STATELESS: option("stateful", None),
            "": drop("forceDestroy"),
            _OPTED: setting("opt_outs", {str(OptOut.DELETION_PROTECTION): _NIGHTLY}),
        },
    ),
)
def state_protected(resource: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    reason = settings.opt_outs.get(OptOut.DELETION_PROTECTION)
    if reason:
        return not_applicable(f"the stack's settings opt out of deletion protection: {reason}")
    if resource.stateful is None:
        return not_applicable(_STATELESS)
    kept = passed() if resource.protect else failed("protect", "false", "protect: nothing deletes it unasked")
    return all_of((kept, *_guards(resource)))


def _guards(resource: Resource) -> Iterator[Judgement]:
    """The inputs of the type by which the cloud itself resists; a bucket that is left out keeps what it holds."""
    known = input_properties(resource.type)
    for path, safe in GUARDS.items():
        if path in known and read(resource, path) is not None:
            required = " or ".join(map(shown, safe))
            hidden = unreadable(resource, path, required)
            value = read(resource, path)
            if hidden:
                yield hidden
            else:
                yield if_given(
                    resource,
                    path,
                    lambda path=path, value=value, safe=safe, required=required: (
                        passed() if value in safe else failed(path, shown(value), required)
                    ),
                )


@family.rule(
    "inputs-not-ignored",
    Severity.HIGH,
    "No input that is judged is left to drift",
    types=(*_STATE, *_GUARDING),
    rationale="A plan says what the program wants: where changes are ignored, the cloud keeps what was there before.",
    remedy="Take the input out of ignore_changes.",
    frameworks={Framework.NIST_800_53: ("CM-2", "CM-6")},
    examples=lambda: examples(
        given(
            VALKEY,
            {"globalReplicationGroupId": Output(VALKEY_GLOBAL)},
            "kept",
            options={"protect": True, "ignore_changes": ("engine",)},
        ),
        broken={
            "ignoreChanges is kmsKeyId": option("ignore_changes", ("kmsKeyId",)),
            "ignoreChanges is nodeType": option("ignore_changes", ("engine", "nodeType")),
            "ignoreChanges is engine": both(drop("globalReplicationGroupId")),
            "ignoreChanges is *": option("ignore_changes", ("*",)),
        },
        accepted={"": option("ignore_changes", ())},
    ),
)
def inputs_not_ignored(resource: Resource, inventory: Inventory) -> Judgement:
    allowed = _IGNORED.get(resource.type, frozenset()) | _of_global_datastore(resource, inventory)
    ignored = [path for path in resource.ignore_changes if path not in allowed]
    return failed("ignoreChanges", ", ".join(ignored), "no input that rules judge") if ignored else passed()


def _of_global_datastore(group: Resource, inventory: Inventory) -> frozenset[str]:
    """What a group of ElastiCache takes from its global datastore, through which alone it is changed."""
    if group.type != VALKEY:
        return frozenset()
    if inventory.linked(group, "globalReplicationGroupId", VALKEY_GLOBAL):
        return frozenset({"engine"})
    known = [name for name in [read(group, "replicationGroupId")] if isinstance(name, str)]
    led = companions(inventory, group, "primaryReplicationGroupId", known, VALKEY_GLOBAL)
    return frozenset({"engineVersion", "nodeType"}) if led else frozenset()
