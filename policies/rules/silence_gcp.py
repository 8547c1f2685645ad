"""On Google Cloud: copies that stop and keys that go are told, in time; alert policies belong to no region."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

from policies.checks import (
    any_of,
    failed,
    is_hidden,
    items,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, Text, both, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCP_ALERT, GCP_KEY, GCP_KEY_RING, SCHEDULER_JOB, TRANSFER_JOB

family = Family("Silence on Google Cloud")

_QUERY = "conditions.0.conditionPrometheusQueryLanguage.query"
_LOGGED = "conditions.0.conditionMatchedLog.filter"
_GONE = ("DestroyCryptoKeyVersion", "UpdateCryptoKeyVersion")
_BELOW_ONE = re.compile(r"<\s*(0?\.\d*[1-9]\d*|1(\.0+)?)\s*$")
_METHOD = re.compile(r'method=~?"([^"]*)"')
_RING = re.compile(r'resourceName:?=?"/keyRings/([^/"]+)/"')
_WAITS = re.compile(r"\[(\d+)m\]")
_REMEDY = "Add an alert policy whose PromQL query counts {what} over at most backup.rpo_minutes, `or vector(0)`."
_CP9 = {Framework.NIST_800_53: ("CP-9", "SI-4")}


@family.rule(
    "gcp-exports-watched",
    Severity.HIGH,
    "Someone is told when no export reaches the backup region",
    types=(SCHEDULER_JOB,),
    rationale="A job that is paused or was deleted fails nowhere.",
    remedy=_REMEDY.format(what="writes to the bucket of the copies"),
    frameworks=_CP9,
    examples=lambda: examples(
        given(
            SCHEDULER_JOB,
            {"httpTarget.body": Text({"outputConfig": {"gcsDestination": {"uri": "gs://copy/x.rdb"}}}, _base64)},
        ),
        given(GCP_ALERT, {_QUERY: '(sum(increase(w{bucket_name="copy"}[120m])) or vector(0)) < 0.5'}, "exports"),
        broken={
            "no alert says so when nothing is written to copy": (
                without(GCP_ALERT, "exports"),
                put(_QUERY, "(sum(increase(w[120m])) or vector(0)) < 0.5", GCP_ALERT, "exports"),
                put(_QUERY, '(sum(increase(w{bucket_name="copy"}[121m])) or vector(0)) < 0.5', GCP_ALERT, "exports"),
                put(_QUERY, 'sum(increase(w{bucket_name="copy"}[120m])) < 0.5', GCP_ALERT, "exports"),
            )
        },
        undecided={"httpTarget.body is known only to the provider": put("httpTarget.body", Hidden())},
        accepted={
            "job exports to no bucket": both(
                put("httpTarget.body", _base64({"outputConfig": {}})), setting("environment", "prod")
            )
        },
    ),
)
def exports_watched(job: Resource, inventory: Inventory) -> Judgement:
    body = read(job, "httpTarget.body")
    if is_hidden(body):
        return unknown("httpTarget.body", "an export to a bucket that an alert watches")
    bucket = _bucket_in(body)
    if not bucket:
        return passed("job exports to no bucket")
    sinks = [
        str(read(copy, "transferSpec.gcsDataSink.bucketName"))
        for copy in inventory.of_type(TRANSFER_JOB)
        if read(copy, "transferSpec.gcsDataSource.bucketName") == bucket
    ]
    return _told_in_time(inventory, [bucket, *sinks], f"written to {bucket}")


@family.rule(
    "gcp-transfers-watched",
    Severity.HIGH,
    "Someone is told when a transfer job does not run",
    types=(TRANSFER_JOB,),
    rationale="A job that is disabled has no errors to alert on.",
    remedy=_REMEDY.format(what="objects of the job, or writes to its sink,"),
    frameworks=_CP9,
    examples=lambda: examples(
        given(TRANSFER_JOB, {"name": "transferJobs/models"}, "watched"),
        given(GCP_ALERT, {_QUERY: '(sum(increase(c{job_id="models"}[120m])) or vector(0)) < 0.5'}, "transfers"),
        broken={
            "no alert says so when nothing is copied by models": (
                without(GCP_ALERT, "transfers"),
                put(_QUERY, "(sum(increase(c[120m])) or vector(0)) < 0.5", GCP_ALERT, "transfers"),
            )
        },
        undecided={"name is known only to the provider": put("name", Hidden())},
    ),
)
def transfers_watched(job: Resource, inventory: Inventory) -> Judgement:
    name, sink = read(job, "name"), read(job, "transferSpec.gcsDataSink.bucketName")
    if is_hidden(name):
        return unknown("name", "a name that an alert watches")
    short = str(name).rpartition("/")[2]
    sinks = [sink] if isinstance(sink, str) and not is_hidden(sink) else []
    return _told_in_time(inventory, [short, *sinks], f"copied by {short}")


@family.rule(
    "gcp-keys-watched",
    Severity.HIGH,
    "Someone is told when a key version is disabled or destroyed",
    types=(GCP_KEY,),
    rationale="A key that goes takes everything under it along, first silently and then for good.",
    remedy="Add an alert policy on log entries of DestroyCryptoKeyVersion and UpdateCryptoKeyVersion.",
    frameworks={Framework.NIST_800_53: ("SI-4",)},
    examples=lambda: examples(
        given(GCP_KEY),
        given(GCP_ALERT, {_LOGGED: " OR ".join(f'methodName="{name}"' for name in _GONE)}, "keys"),
        broken={
            "no alert reads what is done to keys": (
                without(GCP_ALERT, "keys"),
                put(_LOGGED, 'methodName="DestroyCryptoKeyVersion"', GCP_ALERT, "keys"),
            )
        },
    ),
)
def google_keys_watched(key: Resource, inventory: Inventory) -> Judgement:
    return any_of(
        (
            passed(f"{alert.name} reads it")
            for alert in inventory.of_type(GCP_ALERT)
            for condition in items(alert, "conditions")
            if _reads_keys(key, _text(read(alert, f"{condition}.conditionMatchedLog.filter")), inventory)
        ),
        otherwise=failed("", "no alert reads what is done to keys", f"log entries of {' and '.join(_GONE)}"),
    )


def _reads_keys(key: Resource, text: str, inventory: Inventory) -> bool:
    """Whether a filter of log entries takes what is done to a key, and leaves its ring not out."""
    rings = [read(ring, "name") for ring in inventory.linked(key, "keyRing", GCP_KEY_RING)]
    named = _RING.findall(text)
    left_out = re.search(r"\bNOT\b", text) or (named and rings and not set(named).intersection(rings))
    return all(name in text for name in _GONE) and not left_out


def _told_in_time(inventory: Inventory, names: Sequence[str], what: str) -> Judgement:
    """Whether a PromQL alert counts one of `names` within the objective, and takes no points for no copies."""
    minutes = SettingsView.of(inventory.settings).rpo_minutes
    for alert in inventory.of_type(GCP_ALERT):
        for condition in items(alert, "conditions"):
            query = _text(read(alert, f"{condition}.conditionPrometheusQueryLanguage.query"))
            waits = [int(found) for found in _WAITS.findall(query)]
            named = any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", query) for name in names)
            in_time = waits and max(waits) + _lag_minutes(alert, condition) <= minutes
            if named and "or vector(0)" in query and in_time and _means_none(query):
                return passed(f"{alert.name} says so")
    required = f"an alert that counts it over at most {minutes:g} min"
    return failed("", f"no alert says so when nothing is {what}", required)


def _means_none(query: str) -> bool:
    """Whether a query is true below one copy, and counts nothing but copies: no reading, and none that failed."""
    if not _BELOW_ONE.search(query):
        return False
    if "api_request_count" in query:
        method = _METHOD.search(query)
        written = method is not None and "Write" in method[1] and not re.search("Read|Get|List|Delete", method[1])
        return written and 'response_code="OK"' in query
    return "copied_objects_count" not in query or 'status!="failed"' in query


def _lag_minutes(alert: Resource, condition: str) -> float:
    """Minutes for which a query must hold before it is told, and those between two looks beyond ten."""
    at = f"{condition}.conditionPrometheusQueryLanguage"
    return _minutes(read(alert, f"{at}.duration")) + max(0.0, _minutes(read(alert, f"{at}.evaluationInterval")) - 10)


def _minutes(value: object) -> float:
    try:
        return float(value.removesuffix("s")) / 60 if isinstance(value, str) else 0.0
    except ValueError:
        return float("inf")


def _base64(request: Any) -> str:
    return base64.b64encode(json.dumps(request).encode()).decode()


def _bucket_in(body: object) -> str:
    """The bucket that an export's request names, wherever in it; empty if it names none."""
    try:
        request = base64.b64decode(str(body), validate=True).decode()
    except ValueError:
        return ""
    found = re.search(r'"gs://([^/"]+)', request)
    return found[1] if found else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
