"""What watches: alarms ring, event rules are on, and what they match goes somewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from policies.checks import ABSENT, all_of, equals, failed, if_given, is_hidden, one_of, passed, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import aws_region_of, companions, region_in
from policies.model import Framework, Judgement, Severity
from policies.tokens import EVENT_RULE, EVENT_TARGET, GCP_ALERT, METRIC_ALARM, SNS_TOPIC

family = Family("Watchers")

_CHANNEL: Final = "gcp:monitoring/notificationChannel:NotificationChannel"
_FULL: Final = {
    SNS_TOPIC: re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:[^*]+"),
    _CHANNEL: re.compile(r"projects/[^/*]+/notificationChannels/[^/*]+"),
}
"""How something of another stack is named that an alarm may tell."""
_NOWHERE: Final = "what it matches goes nowhere"
_ONE: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]+:\d{12}:[^*]+")
_ARN_OF_ONE: Final = "the ARN of what takes the events"
_SI4: Final = {Framework.NIST_800_53: ("SI-4",)}


@family.rule(
    "aws-alarms-ring",
    Severity.HIGH,
    "Alarms are on, and tell a topic",
    types=(METRIC_ALARM,),
    rationale="An alarm whose actions are off, or that has none, looks like one that watches.",
    remedy="Name a topic of the alarm's region in alarmActions, and leave actionsEnabled out.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(METRIC_ALARM, {"alarmActions": [Output(SNS_TOPIC)]}, "rings"),
        broken={
            "actionsEnabled is false": put("actionsEnabled", False),
            "alarmActions is absent": drop("alarmActions"),
            "alarmActions is []": put("alarmActions", []),
            'alarmActions is "alerts"': put("alarmActions", ["alerts"]),
        },
        undecided={"alarmActions is known only to the provider": put("alarmActions", Hidden())},
        accepted={"": put("alarmActions", ["arn:aws:sns:eu-west-1:111122223333:alerts"])},
    ),
)
def aws_alarms_ring(alarm: Resource, inventory: Inventory) -> Judgement:
    on = if_given(alarm, "actionsEnabled", lambda: equals(alarm, "actionsEnabled", True))
    return all_of((on, _told(alarm, "alarmActions", SNS_TOPIC, inventory)))


def _told(resource: Resource, path: str, token: str, inventory: Inventory) -> Judgement:
    value = read(resource, path)
    required = "somebody who is told"
    listed = value if isinstance(value, list) else [value]
    if value is ABSENT or not any(listed):
        return failed(path, shown(value), required)
    known = [entry for entry in listed if not is_hidden(entry)]
    stray = [entry for entry in known if not _FULL[token].fullmatch(str(entry))]
    if stray:
        return failed(path, shown(stray[0]), required)
    if known or inventory.linked(resource, path, token):
        return passed()
    return unknown(path, required)


@family.rule(
    "aws-event-rules-on",
    Severity.HIGH,
    "Event rules are enabled, and what they match goes somewhere",
    types=(EVENT_RULE,),
    rationale="A rule that is disabled, or leads nowhere, is silent just when a key goes or copies stop.",
    remedy='Leave the state at "ENABLED", and give the rule a target in its own region.',
    frameworks=_SI4,
    examples=lambda: examples(
        given(EVENT_RULE, {"name": "on"}, "on"),
        given(
            EVENT_TARGET, {"rule": "on", "arn": "arn:aws:events:eu-central-1:111122223333:event-bus/default"}, "on"
        ),
        broken={
            'state is "DISABLED"': put("state", "DISABLED"),
            "isEnabled is false": put("isEnabled", False),
            _NOWHERE: (without(EVENT_TARGET, "on"), put("rule", "another", EVENT_TARGET, "on")),
            'on.arn is "*"': put("arn", "*", EVENT_TARGET, "on"),
        },
        undecided={
            "state is known only to the provider": put("state", Hidden()),
            "on.arn is known only to the provider": put("arn", Hidden(), EVENT_TARGET, "on"),
        },
        accepted={"": put("state", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")},
    ),
)
def aws_event_rules_on(rule: Resource, inventory: Inventory) -> Judgement:
    states = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    targets = companions(inventory, rule, "rule", (read(rule, "name"),), EVENT_TARGET)
    return all_of(
        (
            if_given(rule, "state", lambda: one_of(rule, "state", states)),
            if_given(rule, "isEnabled", lambda: equals(rule, "isEnabled", True)),
            all_of(_leads(target, inventory) for target in targets)
            if targets
            else failed("", _NOWHERE, "a target of the rule"),
        )
    )


def _leads(target: Resource, inventory: Inventory) -> Judgement:
    """Whether a target says where it leads to, by an ARN or by what the stack makes."""
    path, value = f"{target.name}.arn", read(target, "arn")
    if is_hidden(value):
        return passed() if inventory.linked(target, "arn") else unknown(path, _ARN_OF_ONE)
    if isinstance(value, str) and _ONE.fullmatch(value):
        return passed()
    return failed(path, shown(value), _ARN_OF_ONE)


@family.rule(
    "aws-key-events-reach-alarm",
    Severity.HIGH,
    "What is done to keys reaches the region in which an alarm counts it",
    types=(EVENT_RULE,),
    rationale="A rule of one region counts nothing of another: without a target that carries it, nobody is told.",
    remedy="Alarm on the rule in its own region, or carry what it matches to the bus of one where an alarm does.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(
            EVENT_RULE,
            {"name": "carried", "eventPattern": '{"detail-type": ["AWS API Call via CloudTrail"]}'},
            "carried",
        ),
        given(
            EVENT_TARGET,
            {"rule": "carried", "arn": "arn:aws:events:eu-central-1:111122223333:event-bus/default"},
            "carried",
        ),
        given(METRIC_ALARM, {"dimensions.RuleName": "carried"}, "carried", away=True),
        broken={
            "no alarm hears of what it matches": (
                both(without(EVENT_TARGET, "carried")),
                without(METRIC_ALARM, "carried"),
                put("arn", "arn:aws:events:eu-north-1:111122223333:event-bus/default", EVENT_TARGET, "carried"),
            )
        },
        accepted={"": put("eventPattern", '{"source": ["aws.ec2"]}')},
    ),
)
def aws_key_events_reach_alarm(rule: Resource, inventory: Inventory) -> Judgement:
    pattern = read(rule, "eventPattern")
    if is_hidden(pattern):
        return unknown("eventPattern", "a pattern that the plan knows")
    if "AWS API Call via CloudTrail" not in str(pattern):
        return passed()
    name = read(rule, "name")
    regions = {region_in(a) for a in inventory.of_type(METRIC_ALARM) if read(a, "dimensions.RuleName") == name}
    targets = companions(inventory, rule, "rule", (name,), EVENT_TARGET)
    buses = {aws_region_of(str(read(t, "arn"))) for t in targets if ":event-bus/" in str(read(t, "arn"))}
    if region_in(rule) in regions or regions & buses:
        return passed()
    return failed("", "no alarm hears of what it matches", "an alarm in the region where the events are counted")


@family.rule(
    "gcp-alerts-notify",
    Severity.HIGH,
    "Alert policies are on, and notify somebody",
    types=(GCP_ALERT,),
    rationale="A policy that is disabled, or that nobody hears, looks like one that watches.",
    remedy="Name a channel in notificationChannels, leave enabled out, and combine conditions by OR.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(GCP_ALERT, {"notificationChannels": [Output(_CHANNEL)], "combiner": "OR"}, "notifies"),
        given(_CHANNEL, {"type": "email", "labels": {"email_address": "team@example.com"}}),
        broken={
            "enabled is false": put("enabled", False),
            "notificationChannels is absent": drop("notificationChannels"),
            "notificationChannels is []": put("notificationChannels", []),
            'combiner is "AND"': put("combiner", "AND"),
            "example.enabled is false": put("enabled", False, _CHANNEL),
            "example.labels is absent": drop("labels", _CHANNEL),
        },
        undecided={"notificationChannels is known only to the provider": put("notificationChannels", Hidden())},
    ),
)
def gcp_alerts_notify(alert: Resource, inventory: Inventory) -> Judgement:
    return all_of(
        (
            if_given(alert, "enabled", lambda: equals(alert, "enabled", True)),
            if_given(alert, "combiner", lambda: equals(alert, "combiner", "OR")),
            _told(alert, "notificationChannels", _CHANNEL, inventory),
            *map(_reaches, inventory.linked(alert, "notificationChannels", _CHANNEL)),
        )
    )


def _reaches(channel: Resource) -> Judgement:
    """Whether a channel is on, and says where it leads."""
    if read(channel, "enabled") not in (ABSENT, True):
        return failed(f"{channel.name}.enabled", shown(read(channel, "enabled")), "a channel that is on")
    if is_hidden(read(channel, "labels")):
        return unknown(f"{channel.name}.labels", "whom the channel leads to")
    labels = read(channel, "labels")
    if labels is ABSENT or (isinstance(labels, Mapping) and all(told is None for told in labels.values())):
        return failed(f"{channel.name}.labels", shown(labels), "whom the channel leads to")
    return passed()
