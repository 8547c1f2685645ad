"""Flow logs: all connections, with who and whither, and to a place that this stack keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    at_least,
    expect,
    failed,
    is_hidden,
    not_applicable,
    read,
    shown,
    unknown,
)
from policies.examples import Hidden, Output, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import FLOW_LOG, GCP_SUBNET, S3_BUCKET

family = Family("Flow logs")

_FIELDS: Final = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start", "end", "action", "log-status")
_FORMAT: Final = " ".join(f"${{{field}}}" for field in _FIELDS)
_SHORT: Final = "${srcaddr} ${action}"
_TARGET: Final = "a bucket of this stack"


@family.rule(
    "aws-flow-logs-whole",
    Severity.MEDIUM,
    "Flow logs say who connected with whom on which ports, in a bucket of the stack",
    types=(FLOW_LOG,),
    rationale="A log without addresses or ports proves nothing, and one in another account is whoever's that is.",
    remedy="Leave logFormat out, and write to the bucket of the audit.",
    frameworks={Framework.NIST_800_53: ("AU-12", "AU-9")},
    examples=lambda: examples(
        given(FLOW_LOG, {"logDestination": Output(S3_BUCKET, "audit"), "logFormat": _FORMAT}, "whole"),
        broken={
            f"logFormat is {shown(_SHORT)}": put("logFormat", _SHORT),
            'logDestination is "arn:aws:s3:::theirs"': put("logDestination", "arn:aws:s3:::theirs"),
            "logDestination is absent": drop("logDestination"),
        },
        undecided={"logDestination is known only to the provider": put("logDestination", Hidden())},
        accepted={"": (drop("logFormat"), put("maxAggregationInterval", 600))},
    ),
)
def flow_logs_whole(log: Resource, inventory: Inventory) -> Judgement:
    judged = all_of(_whole(log, inventory))
    return judged if judged.problems else PASS


def _whole(log: Resource, inventory: Inventory) -> Iterator[Judgement]:
    own = inventory.linked(log, "logDestination", S3_BUCKET)
    value = read(log, "logDestination")
    if not own:
        hidden = is_hidden(value)
        yield unknown("logDestination", _TARGET) if hidden else failed("logDestination", shown(value), _TARGET)
    if read(log, "logFormat") is not ABSENT:
        wanted = f"absent, or with {', '.join(_FIELDS)}"
        yield expect(log, "logFormat", wanted, lambda told: all(f"${{{field}}}" in told for field in _FIELDS))


@family.rule(
    "gcp-flow-logs-whole",
    Severity.MEDIUM,
    "Flow logs of a subnet hold at least half of the connections, of all kinds, with what is known of them",
    types=(GCP_SUBNET,),
    rationale="A filter or a small sample leaves out the one connection that an intruder made.",
    remedy="Leave filterExpr out, sample at least half, and include all metadata.",
    frameworks={Framework.NIST_800_53: ("AU-12",)},
    examples=lambda: examples(
        given(
            GCP_SUBNET, {"logConfig": {"flowSampling": 0.5, "metadata": "INCLUDE_ALL_METADATA", "filterExpr": "true"}}
        ),
        broken={
            'logConfig.filterExpr is "false"': put("logConfig.filterExpr", "false"),
            "logConfig.flowSampling is 0.1": put("logConfig.flowSampling", 0.1),
            'logConfig.metadata is "EXCLUDE_ALL_METADATA"': put("logConfig.metadata", "EXCLUDE_ALL_METADATA"),
            'logConfig.aggregationInterval is "INTERVAL_15_MIN"': put(
                "logConfig.aggregationInterval", "INTERVAL_15_MIN"
            ),
        },
        undecided={"logConfig.flowSampling is known only to the provider": put("logConfig.flowSampling", Hidden())},
        accepted={
            "": (drop("logConfig.filterExpr"), drop("logConfig.metadata"), put("logConfig.flowSampling", 1)),
            "the subnet has no flow logs": drop("logConfig"),
        },
    ),
)
def gcp_flow_logs_whole(subnet: Resource, _: Inventory) -> Judgement:
    if read(subnet, "logConfig") is ABSENT:
        return not_applicable("the subnet has no flow logs")
    judged = all_of(_subnet(subnet))
    return judged if judged.problems else PASS


def _subnet(subnet: Resource) -> Iterator[Judgement]:
    # What is left out is as the provider takes it: half of them, all of their kinds, all metadata (believed).
    wanted = {
        "filterExpr": ("true: every connection", lambda value: str(value).strip().lower() in ("true", "")),
        "metadata": ("INCLUDE_ALL_METADATA", lambda value: value == "INCLUDE_ALL_METADATA"),
        "aggregationInterval": ("10 minutes at most", lambda value: value != "INTERVAL_15_MIN"),
    }
    for name, (required, holds) in wanted.items():
        if read(subnet, f"logConfig.{name}") is not ABSENT:
            yield expect(subnet, f"logConfig.{name}", required, holds)
    if read(subnet, "logConfig.flowSampling") not in (ABSENT, 0):  # none at all is the other rule's
        yield at_least(subnet, "logConfig.flowSampling", 0.5, "of the connections")
