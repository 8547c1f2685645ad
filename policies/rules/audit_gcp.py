"""Audit on Google Cloud: accesses to data and all connections are recorded, and the record is locked."""

from __future__ import annotations

import re

from policies.buckets import given_to_gcs_logs, holds_gcs_logs, is_gcs_log_target
from policies.checks import all_of, at_least, equals, expect, failed, items, not_applicable, passed, read, unreadable
from policies.examples import Hidden, both, drop, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import (
    BIGTABLE,
    FIRESTORE,
    GCP_AUDIT_CONFIG,
    GCP_FIREWALL,
    GCP_LOG_BUCKET,
    GCP_LOG_SINK,
    GCP_SUBNET,
    GCS_BUCKET,
    REDIS,
)

family = Family("Audit on Google Cloud")

_LOG_BUCKET = re.compile(r"logging\.googleapis\.com/.+/buckets/.")
_SERVICES = {
    GCS_BUCKET: "storage.googleapis.com",
    REDIS: "redis.googleapis.com",
    FIRESTORE: "firestore.googleapis.com",
    BIGTABLE: "bigtable.googleapis.com",
}
"""Type of what holds data → the service whose Data Access logs tell of it."""
_READS_AND_WRITES = {"DATA_READ", "DATA_WRITE"}
_OFF = "Data Access logs of storage.googleapis.com are off"
_LOG_OF_LOGS = "a bucket that logged its own accesses would write logs without end"
_NO_TARGET = "no other bucket's access logs go to it"
_COMES_AND_GOES = "the stack is none of production: a lock would outlive it"
_NOT_ROUTED = "no sink routes its logs away from _Default"
_DAY_SECONDS = 24 * 3600


@family.rule(
    "gcp-data-access-logged",
    Severity.MEDIUM,
    "Data Access logs say who reads and writes what is stored",
    types=tuple(_SERVICES),
    rationale="Google Cloud logs no access to data unless a project asks for it.",
    remedy="Add an IAMAuditConfig for the service with DATA_READ and DATA_WRITE.",
    frameworks={Framework.NIST_800_53: ("AU-12",)},
    examples=lambda: examples(
        given(GCS_BUCKET, {"name": "models"}),
        given(
            GCP_AUDIT_CONFIG,
            {
                "service": "storage.googleapis.com",
                "auditLogConfigs": [{"logType": kind} for kind in sorted(_READS_AND_WRITES)],
            },
        ),
        broken={
            _OFF: (
                without(GCP_AUDIT_CONFIG),
                put("service", "compute.googleapis.com", on=GCP_AUDIT_CONFIG),
            ),
            'auditLogConfigs is [{"logType": "DATA_WRITE"}]': put(
                "auditLogConfigs", [{"logType": "DATA_WRITE"}], on=GCP_AUDIT_CONFIG
            ),
        },
        undecided={
            "auditLogConfigs is known only to the provider": put("auditLogConfigs", Hidden(), on=GCP_AUDIT_CONFIG)
        },
        accepted={"": put("service", "allServices", on=GCP_AUDIT_CONFIG)},
    ),
)
def data_access_logged(store: Resource, inventory: Inventory) -> Judgement:
    service = _SERVICES[store.type]
    configs = [c for c in inventory.of_type(GCP_AUDIT_CONFIG) if read(c, "service") in (service, "allServices")]
    if not configs:
        return failed("", f"Data Access logs of {service} are off", "an audit config with DATA_READ and DATA_WRITE")
    required = "DATA_READ and DATA_WRITE"
    return all_of(
        expect(config, "auditLogConfigs", required, lambda v: {c["logType"] for c in v} >= _READS_AND_WRITES)
        for config in configs
    )


@family.rule(
    "gcp-gcs-access-logged",
    Severity.LOW,
    "Cloud Storage buckets log who read and wrote",
    types=(GCS_BUCKET,),
    rationale="Access logs say more of each request than audit logs do: bytes, time taken, referrer.",
    remedy="Set logging.logBucket to the access-log bucket of the same location.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_62", "CKV_GCP_63")},
    examples=lambda: examples(
        given(GCS_BUCKET, {"name": "models", "logging.logBucket": "logs"}),
        broken={
            "logging.logBucket is absent": drop("logging"),
            'logging.logBucket is "models"': put("logging.logBucket", "models"),
        },
        undecided={"logging.logBucket is known only to the provider": put("logging.logBucket", Hidden())},
        accepted={_LOG_OF_LOGS: both(drop("logging"), given_to_gcs_logs("models"))},
    ),
)
def gcs_access_logged(bucket: Resource, inventory: Inventory) -> Judgement:
    if holds_gcs_logs(bucket, inventory):
        return not_applicable(_LOG_OF_LOGS)
    return expect(bucket, "logging.logBucket", "another bucket", lambda name: name not in ("", read(bucket, "name")))


@family.rule(
    "gcp-gcs-access-logs-locked",
    Severity.MEDIUM,
    "Access logs of production lie under a locked retention policy",
    types=(GCS_BUCKET,),
    rationale="Whoever breaks in removes the traces first: a lock leaves them until their time is over.",
    remedy="Set retentionPolicy with isLocked, and a retentionPeriod of log_retention_days or more.",
    frameworks={Framework.NIST_800_53: ("AU-9", "AU-11")},
    examples=lambda: examples(
        given(
            GCS_BUCKET,
            {
                "name": "logs",
                "versioning.enabled": True,
                "retentionPolicy": {"isLocked": True, "retentionPeriod": str(365 * _DAY_SECONDS)},
            },
            "logs",
        ),
        given(GCS_BUCKET, {"name": "models", "logging.logBucket": "logs"}),
        broken={
            "retentionPolicy.isLocked is false": put("retentionPolicy.isLocked", False),
            "retentionPolicy.isLocked is absent": drop("retentionPolicy.isLocked"),
            'retentionPolicy.retentionPeriod is "86400"': put("retentionPolicy.retentionPeriod", str(_DAY_SECONDS)),
        },
        accepted={
            _NO_TARGET: put("logging.logBucket", "elsewhere", on=GCS_BUCKET),
            _COMES_AND_GOES: setting("environment", "dev"),
        },
    ),
)
def gcs_access_logs_locked(bucket: Resource, inventory: Inventory) -> Judgement:
    if not is_gcs_log_target(bucket, inventory):
        return not_applicable(_NO_TARGET)
    settings = SettingsView.of(inventory.settings)
    if not settings.production:
        return not_applicable(_COMES_AND_GOES)
    seconds = settings.log_retention_days * _DAY_SECONDS
    return all_of(
        (
            equals(bucket, "retentionPolicy.isLocked", True),
            at_least(bucket, "retentionPolicy.retentionPeriod", seconds, "seconds"),
        )
    )


@family.rule(
    "gcp-log-buckets-locked",
    Severity.HIGH,
    "Log buckets of production are locked",
    types=(GCP_LOG_BUCKET,),
    rationale="Whoever breaks in removes the traces first: a lock leaves them until their time is over.",
    remedy="Set locked, once the retention is what it is to stay.",
    frameworks={Framework.NIST_800_53: ("AU-9", "AU-11")},
    examples=lambda: examples(
        given(GCP_LOG_BUCKET, {"locked": True, "retentionDays": 365}),
        broken={
            "locked is false": put("locked", False),
            "locked is absent": drop("locked"),
            "retentionDays is 89": put("retentionDays", 89),
        },
        undecided={"locked is known only to the provider": put("locked", Hidden())},
        accepted={_COMES_AND_GOES: setting("environment", "dev")},
    ),
)
def log_buckets_locked(bucket: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    if not settings.production:
        return not_applicable(_COMES_AND_GOES)
    days = at_least(bucket, "retentionDays", settings.log_retention_days, "days")
    return all_of((equals(bucket, "locked", True), days))


def _routed(log: str, inventory: Inventory) -> Judgement:
    """Whether a sink names the log in its filter, and leads to a log bucket."""
    for sink in inventory.of_type(GCP_LOG_SINK):
        hidden = unreadable(sink, "filter", f"a filter that names {log}")
        if hidden:
            return hidden
        if log in str(read(sink, "filter")) and _LOG_BUCKET.match(str(read(sink, "destination"))):
            return passed(f"{sink.name} routes them")
    return failed("", _NOT_ROUTED, f"a sink with {log} in its filter, to a log bucket")


def _sink(log: str) -> dict[str, str]:
    return {
        "filter": f'logName=("projects/p/logs/compute.googleapis.com%2Fvpc_flows" OR "projects/p/logs/{log}")',
        "destination": "logging.googleapis.com/projects/p/locations/europe-west1/buckets/audit",
    }


@family.rule(
    "gcp-subnet-flow-logs",
    Severity.MEDIUM,
    "Subnets log their connections, into a log bucket of the stack",
    types=(GCP_SUBNET,),
    rationale="Flow logs say who connected; in _Default they are neither locked nor under the stack's key.",
    remedy="Set logConfig, and route compute.googleapis.com%2Fvpc_flows to a log bucket.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_26",)},
    examples=lambda: examples(
        given(GCP_SUBNET, {"logConfig": {"flowSampling": 0.5}}),
        given(GCP_LOG_SINK, _sink("compute.googleapis.com%2Ffirewall")),
        broken={
            "logConfig is absent": drop("logConfig"),
            'logConfig is {"flowSampling": 0}': put("logConfig.flowSampling", 0),
            _NOT_ROUTED: put("filter", "resource.type=gce_instance", on=GCP_LOG_SINK),
        },
    ),
)
def subnet_flow_logs(subnet: Resource, inventory: Inventory) -> Judgement:
    logs = expect(subnet, "logConfig", "flow logs", lambda c: 0 < float(c.get("flowSampling", 1)) <= 1)
    return all_of((logs, _routed("compute.googleapis.com%2Fvpc_flows", inventory)))


@family.rule(
    "gcp-firewall-logged",
    Severity.LOW,
    "Firewall rules that deny log what they turn away, into a log bucket of the stack",
    types=(GCP_FIREWALL,),
    rationale="What was turned away is the first trace of someone who looks around.",
    remedy="Set logConfig, and route compute.googleapis.com%2Ffirewall to a log bucket.",
    examples=lambda: examples(
        given(GCP_FIREWALL, {"denies": [{"protocol": "all"}], "logConfig": {"metadata": "INCLUDE_ALL_METADATA"}}),
        given(GCP_LOG_SINK, _sink("compute.googleapis.com%2Ffirewall")),
        broken={
            "logConfig is absent": drop("logConfig"),
            _NOT_ROUTED: put("destination", "pubsub.googleapis.com/projects/p/topics/logs", on=GCP_LOG_SINK),
        },
        accepted={"it denies nothing": drop("denies")},
    ),
)
def firewall_logged(rule: Resource, inventory: Inventory) -> Judgement:
    if not list(items(rule, "denies")):
        return not_applicable("it denies nothing")
    logs = expect(rule, "logConfig", "a log of what it denies", bool)
    return all_of((logs, _routed("compute.googleapis.com%2Ffirewall", inventory)))
