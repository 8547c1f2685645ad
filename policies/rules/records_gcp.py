"""Records on Google Cloud: nothing is left out of them, and what leaves the default bucket is kept in another."""

from __future__ import annotations

import re
from typing import Final

from components.contracts.vocabulary import OptOut
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    any_of,
    equals,
    expect,
    failed,
    if_given,
    is_hidden,
    items,
    passed,
    read,
    shown,
    unknown,
)
from policies.examples import Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCP_AUDIT_CONFIG, GCP_LOG_SINK, GKE_CLUSTER

family = Family("Records on Google Cloud")

_EXCLUSION: Final = "gcp:logging/projectExclusion:ProjectExclusion"
_TO_BUCKET: Final = re.compile(r"logging\.googleapis\.com/projects/[^/]+/locations/[^/]+/buckets/(?!_)[^/]+")
_FILTER: Final = 'resource.labels.cluster_name="serving"'
_OTHERS: Final = 'resource.labels.namespace_name="others"'
_KEPT: Final = 'resource.labels.namespace_name="kept"'
_BUCKET: Final = "logging.googleapis.com/projects/111122223333/locations/europe-west1/buckets/kept"
_AU: Final = {Framework.NIST_800_53: ("AU-2", "AU-12")}
_NOT_KEPT: Final = "no sink with this filter leads to a log bucket"


@family.rule(
    "gcp-audit-exempts-nobody",
    Severity.HIGH,
    "Data Access logs exempt nobody",
    types=(GCP_AUDIT_CONFIG,),
    rationale="Whoever is exempted reads and writes without a trace.",
    remedy="Leave exemptedMembers out.",
    frameworks=_AU,
    examples=lambda: examples(
        given(GCP_AUDIT_CONFIG, {"auditLogConfigs": [{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}]}),
        broken={
            'auditLogConfigs.0.exemptedMembers is ["user:x@example.com"]': put(
                "auditLogConfigs.0.exemptedMembers", ["user:x@example.com"]
            )
        },
        undecided={
            "auditLogConfigs.0.exemptedMembers is known only to the provider": put(
                "auditLogConfigs.0.exemptedMembers", Hidden()
            ),
        },
        accepted={"": put("auditLogConfigs.0.exemptedMembers", [])},
    ),
)
def audit_exempts_nobody(config: Resource, inventory: Inventory) -> Judgement:
    if SettingsView.of(inventory.settings).opt_outs.get(OptOut.FEATURE_READ_EVENTS):
        return all_of(_exempts(config, path, _FLEET) for path in _exemptions(config))
    return all_of(_exempts(config, path, _NOBODY) for path in _exemptions(config))


_NOBODY: Final = re.compile(r"(?!)")
_FLEET: Final = re.compile(r"serviceAccount:[a-z0-9-]+-fleet@[a-z0-9-]+\.iam\.gserviceaccount\.com")
"""Whose reads the opt-out feature_read_events leaves out."""


def _exemptions(config: Resource) -> list[str]:
    return [f"{each}.exemptedMembers" for each in items(config, "auditLogConfigs")]


def _exempts(config: Resource, path: str, meant: re.Pattern[str]) -> Judgement:
    return if_given(
        config, path, lambda: expect(config, path, "nobody", lambda listed: all(map(meant.fullmatch, listed)))
    )


@family.rule(
    "gcp-sinks-leave-nothing-out",
    Severity.HIGH,
    "Sinks of logs are on, and leave out nothing that their filter names",
    types=(GCP_LOG_SINK,),
    rationale="A sink that is off, that samples, or that excludes looks like one that records.",
    remedy="Leave disabled and exclusions out, and take `sample` out of the filter.",
    frameworks=_AU,
    examples=lambda: examples(
        given(GCP_LOG_SINK, {"filter": _OTHERS, "destination": _BUCKET}, "whole"),
        broken={
            "disabled is true": put("disabled", True),
            'exclusions is [{"filter": "severity<ERROR"}]': put("exclusions", [{"filter": "severity<ERROR"}]),
            f"filter is {shown(f'{_OTHERS} AND sample(insertId, 0.1)')}": put(
                "filter", f"{_OTHERS} AND sample(insertId, 0.1)"
            ),
            f"filter is {shown(f'{_OTHERS} AND severity>=ERROR')}": put("filter", f"{_OTHERS} AND severity>=ERROR"),
            f"filter is {shown(f'NOT {_OTHERS}')}": put("filter", f"NOT {_OTHERS}"),
        },
        undecided={
            "disabled is known only to the provider": put("disabled", Hidden()),
            "filter is known only to the provider": put("filter", Hidden()),
        },
        accepted={"": (put("disabled", False), put("exclusions", []), drop("filter"))},
    ),
)
def sinks_leave_nothing_out(sink: Resource, _: Inventory) -> Judgement:
    left = read(sink, "exclusions")
    whole = "all that it names, whatever its severity"
    return all_of(
        (
            if_given(sink, "disabled", lambda: equals(sink, "disabled", False)),
            PASS if left is ABSENT or left == [] else failed("exclusions", shown(left), "no exclusion"),
            if_given(sink, "filter", lambda: expect(sink, "filter", whole, lambda f: not _NARROWS.search(f))),
        )
    )


_NARROWS: Final = re.compile(
    r"\bsample\s*\(|\bseverity\s*(>|<|=|!=)|\bNOT\b|(^|\s)-\w|!=|!~|timestamp\s*[<>]", re.IGNORECASE
)
"""What takes entries out of a filter: a sample, a severity, a negation, a time."""


@family.rule(
    "gcp-exclusions-kept-elsewhere",
    Severity.HIGH,
    "What is kept out of the default log bucket lies in a log bucket of the stack",
    types=(_EXCLUSION,),
    rationale="An exclusion that is wider than its sink, or that has lost it, drops entries for ever.",
    remedy="Give the exclusion the very filter of a sink that leads to a log bucket.",
    frameworks=_AU,
    examples=lambda: examples(
        given(_EXCLUSION, {"filter": _KEPT}, "records"),
        given(GCP_LOG_SINK, {"filter": _KEPT, "destination": _BUCKET}, "records"),
        broken={
            _NOT_KEPT: (
                without(GCP_LOG_SINK, "records"),
                put("filter", "severity>=DEFAULT"),
                put("filter", ""),
                drop("filter"),
                put("destination", _BUCKET.replace("kept", "_Default"), GCP_LOG_SINK, "records"),
            )
        },
        undecided={"filter is known only to the provider": put("filter", Hidden())},
        accepted={"": put("disabled", True)},
    ),
)
def exclusions_kept_elsewhere(exclusion: Resource, inventory: Inventory) -> Judgement:
    if read(exclusion, "disabled") is True:
        return PASS
    wanted = read(exclusion, "filter")
    if is_hidden(wanted):
        return unknown("filter", "the filter of a sink")
    return any_of(
        (
            passed(f"{sink.name} keeps it")
            for sink in inventory.of_type(GCP_LOG_SINK)
            if wanted not in (ABSENT, "") and read(sink, "filter") == wanted and _keeps(sink)
        ),
        otherwise=failed("", _NOT_KEPT, "a sink with the same filter, to a log bucket of the stack"),
    )


def _keeps(sink: Resource) -> bool:
    on = read(sink, "disabled") in (ABSENT, False)
    return on and bool(_TO_BUCKET.fullmatch(str(read(sink, "destination"))))


@family.rule(
    "gcp-gke-logs-kept",
    Severity.MEDIUM,
    "A cluster's logs lie in a log bucket of the stack",
    types=(GKE_CLUSTER,),
    rationale="In the default bucket they are gone after a month, and whoever breaks in may shorten that.",
    remedy="Add a sink whose filter names the cluster, to a log bucket.",
    frameworks={Framework.NIST_800_53: ("AU-9", "AU-11")},
    examples=lambda: examples(
        given(GKE_CLUSTER, {"name": "serving"}),
        given(GCP_LOG_SINK, {"filter": _FILTER, "destination": _BUCKET}, "cluster"),
        broken={
            "no sink names the cluster": (
                without(GCP_LOG_SINK, "cluster"),
                put("filter", 'resource.labels.cluster_name="other"', GCP_LOG_SINK, "cluster"),
                put("destination", _BUCKET.replace("kept", "_Default"), GCP_LOG_SINK, "cluster"),
            )
        },
    ),
)
def gke_logs_kept(cluster: Resource, inventory: Inventory) -> Judgement:
    name = read(cluster, "name")
    if is_hidden(name):
        return unknown("name", "a name that a sink's filter has")
    return any_of(
        (
            passed(f"{sink.name} keeps them")
            for sink in inventory.of_type(GCP_LOG_SINK)
            if f'cluster_name="{name}"' in str(read(sink, "filter")) and _keeps(sink)
        ),
        otherwise=failed("", "no sink names the cluster", "a sink with its name in the filter, to a log bucket"),
    )


_AUDIT: Final = "cloudaudit.googleapis.com%2Fdata_access"


@family.rule(
    "gcp-data-access-kept",
    Severity.HIGH,
    "Data Access logs lie in a log bucket of the stack",
    types=(GCP_AUDIT_CONFIG,),
    rationale="In the default bucket they are gone after a month, and are under no lock.",
    remedy=f"Add a sink with {_AUDIT} in its filter, to a log bucket.",
    frameworks={Framework.NIST_800_53: ("AU-9", "AU-11")},
    examples=lambda: examples(
        given(GCP_AUDIT_CONFIG),
        given(GCP_LOG_SINK, {"filter": f'logName="projects/p/logs/{_AUDIT}"', "destination": _BUCKET}, "audit"),
        broken={
            "no sink takes them": (
                without(GCP_LOG_SINK, "audit"),
                put("filter", 'logName="projects/p/logs/compute.googleapis.com%2Fvpc_flows"', GCP_LOG_SINK, "audit"),
                put("destination", _BUCKET.replace("kept", "_Default"), GCP_LOG_SINK, "audit"),
            )
        },
    ),
)
def data_access_kept(_: Resource, inventory: Inventory) -> Judgement:
    if "cluster" not in inventory.settings:
        return passed("the stack prepares a project, and each platform in it has a sink")
    return any_of(
        (
            passed(f"{sink.name} keeps them")
            for sink in inventory.of_type(GCP_LOG_SINK)
            if _AUDIT in str(read(sink, "filter")) and _keeps(sink)
        ),
        otherwise=failed("", "no sink takes them", f"a sink with {_AUDIT} in its filter, to a log bucket"),
    )
