"""On AWS: alarms on calls hear of them, which they do only where a trail logs them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from policies.checks import ABSENT, any_of, failed, items, not_applicable, passed, read, unreadable
from policies.examples import Hidden, both, drop, examples, given, plus, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import customer_key, region_in
from policies.model import Framework, Judgement, Severity
from policies.tokens import CLOUDTRAIL, EVENT_RULE

family = Family("Trails on AWS")

_VIA_TRAIL = "AWS API Call via CloudTrail"
_NAME = "calls"
_OTHER = "the rule does not match calls"
_NO_TRAIL = "no trail logs the region's management events that write"
_REQUIRED = "a trail of all regions, or of this one, that logs management events that write"
_CALLS = {"name": "keys", "eventPattern": json.dumps({"source": ["aws.kms"], "detail-type": [_VIA_TRAIL]})}
_MANAGEMENT = [{"field": "eventCategory", "equals": ["Management"]}, {"field": "readOnly", "equals": ["false"]}]
_TRAIL = {
    "s3BucketName": "audit",
    "isMultiRegionTrail": True,
    "enableLogFileValidation": True,
    "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/5f3c",
    "advancedEventSelectors": [{"fieldSelectors": _MANAGEMENT}],
}
_FIELDS = "advancedEventSelectors.0.fieldSelectors"


family.require(
    "aws-trail-on",
    Severity.HIGH,
    "Trails are switched on",
    type=CLOUDTRAIL,
    inputs={"enableLogging": (True, False)},
    rationale="A trail that is there and off records nothing, and nobody sees that it does not.",
    remedy="Leave enableLogging out, or set it.",
    frameworks={Framework.NIST_800_53: ("AU-12",)},
    safe_by_default=True,
)


@family.rule(
    "aws-calls-logged-where-matched",
    Severity.HIGH,
    "Where an event rule waits for calls, a trail logs the management events that write",
    types=(EVENT_RULE,),
    rationale="EventBridge is told of a call only where a trail logs it: without, no alarm on a key rings.",
    remedy="Log management events that write, KMS' too, by a trail with isMultiRegionTrail that is switched on.",
    frameworks={Framework.AWS_FSBP: ("CloudTrail.1", "KMS.3"), Framework.NIST_800_53: ("AU-12", "SI-4")},
    examples=lambda: examples(
        given(EVENT_RULE, _CALLS, _NAME),
        given(CLOUDTRAIL, _TRAIL, _NAME),
        broken={
            _NO_TRAIL: (
                without(CLOUDTRAIL, _NAME),
                put("enableLogging", False, on=CLOUDTRAIL, name=_NAME),
                put(f"{_FIELDS}.0.equals", ["Data"], on=CLOUDTRAIL, name=_NAME),
                put(f"{_FIELDS}.1.equals", ["true"], on=CLOUDTRAIL, name=_NAME),
                put(
                    f"{_FIELDS}.2",
                    {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]},
                    on=CLOUDTRAIL,
                    name=_NAME,
                ),
                both(
                    drop("advancedEventSelectors", on=CLOUDTRAIL, name=_NAME),
                    put("eventSelectors", [{"readWriteType": "ReadOnly"}], on=CLOUDTRAIL, name=_NAME),
                ),
                both(
                    drop("advancedEventSelectors", on=CLOUDTRAIL, name=_NAME),
                    put("eventSelectors", [{"includeManagementEvents": False}], on=CLOUDTRAIL, name=_NAME),
                ),
                both(
                    drop("advancedEventSelectors", on=CLOUDTRAIL, name=_NAME),
                    put(
                        "eventSelectors",
                        [{"excludeManagementEventSources": ["kms.amazonaws.com"]}],
                        on=CLOUDTRAIL,
                        name=_NAME,
                    ),
                ),
                both(
                    without(CLOUDTRAIL, _NAME),
                    plus(given(CLOUDTRAIL, {**_TRAIL, "isMultiRegionTrail": False}, _NAME, away=True)),
                ),
            ),
        },
        undecided={
            "advancedEventSelectors is known only to the provider": put(
                "advancedEventSelectors", Hidden(), on=CLOUDTRAIL, name=_NAME
            )
        },
        accepted={
            _OTHER: put("eventPattern", '{"detail-type": ["Copy Job State Change"]}'),
            "calls logs them": (
                drop("advancedEventSelectors", on=CLOUDTRAIL, name=_NAME),
                drop(f"{_FIELDS}.1", on=CLOUDTRAIL, name=_NAME),
                both(
                    drop("advancedEventSelectors", on=CLOUDTRAIL, name=_NAME),
                    put("eventSelectors", [{"readWriteType": "WriteOnly"}], on=CLOUDTRAIL, name=_NAME),
                ),
            ),
        },
    ),
)
def calls_logged_where_matched(rule: Resource, inventory: Inventory) -> Judgement:
    pattern = read(rule, "eventPattern")
    if not isinstance(pattern, str) or f'"{_VIA_TRAIL}"' not in pattern:
        return unreadable(rule, "eventPattern", _REQUIRED) or not_applicable(_OTHER)
    trails = [
        trail
        for trail in inventory.of_type(CLOUDTRAIL)
        if read(trail, "isMultiRegionTrail") is True or region_in(trail) == region_in(rule)
    ]
    return any_of((_logs(trail) for trail in trails), otherwise=failed("", _NO_TRAIL, _REQUIRED))


def _logs(trail: Resource) -> Judgement:
    """Whether a trail logs the management events that write: without selectors, it logs all management events."""
    inside = (path for kind in ("advancedEventSelectors", "eventSelectors") for path in (kind, *_within(trail, kind)))
    for path in ("enableLogging", *inside):
        hidden = unreadable(trail, path, _REQUIRED)
        if hidden:
            return hidden
    if read(trail, "enableLogging") is False:
        return failed("", _NO_TRAIL, _REQUIRED)
    bare = not any(list(items(trail, path)) for path in ("advancedEventSelectors", "eventSelectors"))
    if bare or any(_writes_of_management(trail)) or any(_classic(trail)):
        return passed(f"{trail.name} logs them")
    return failed("", _NO_TRAIL, _REQUIRED)


def _within(trail: Resource, kind: str) -> Iterator[str]:
    """The paths below `kind` whose value the plan does not show."""
    hidden = (*trail.unknown_paths, *trail.secret_paths)
    return (path for path in hidden if path.startswith(f"{kind}."))


def _writes_of_management(trail: Resource) -> Iterator[bool]:
    """For each advanced selector, whether it takes all management events that write."""
    everything: list[object] = [None, ["false"]]
    for selector in items(trail, "advancedEventSelectors"):
        listed = [read(trail, field) for field in items(trail, f"{selector}.fieldSelectors")]
        fields = {str(field.get("field")): field for field in listed if isinstance(field, Mapping)}
        yield (
            fields.keys() <= {"eventCategory", "readOnly"}
            and fields.get("eventCategory", {}).get("equals") == ["Management"]
            and fields.get("readOnly", {}).get("equals") in everything
        )


def _classic(trail: Resource) -> Iterator[bool]:
    """For each selector of the older kind, whether it takes all management events that write, KMS' included."""
    for selector in items(trail, "eventSelectors"):
        sources = read(trail, f"{selector}.excludeManagementEventSources")
        yield (
            read(trail, f"{selector}.includeManagementEvents") in (True, ABSENT)
            and read(trail, f"{selector}.readWriteType") in ("All", "WriteOnly", ABSENT)
            and (sources is ABSENT or "kms.amazonaws.com" not in sources)
        )


@family.rule(
    "aws-trail-customer-key",
    Severity.MEDIUM,
    "Trails are encrypted with a customer-managed key",
    types=(CLOUDTRAIL,),
    rationale="What a trail tells of who did what can be withheld from one who reads its bucket by the key alone.",
    remedy="Set kmsKeyId to the stack's key for logs.",
    examples=lambda: examples(
        given(CLOUDTRAIL, {"kmsKeyId": _TRAIL["kmsKeyId"]}, _NAME),
        broken={
            "kmsKeyId is absent": drop("kmsKeyId"),
            'kmsKeyId is "alias/aws/cloudtrail"': put("kmsKeyId", "alias/aws/cloudtrail"),
        },
        undecided={"kmsKeyId is known only to the provider": put("kmsKeyId", Hidden())},
    ),
)
def trail_customer_key(trail: Resource, inventory: Inventory) -> Judgement:
    return customer_key(inventory, trail, "kmsKeyId")
