"""Alarms on AWS reach somebody: by a topic of their region that lets them publish, and without a filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from common.iam.evaluation import Principal, Request, decide
from policies.checks import ABSENT, all_of, failed, is_hidden, passed, read, unknown
from policies.documents import policy_of, statements
from policies.examples import Output, allow, document, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import keys_behind, region_in, same_region
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import METRIC_ALARM, SNS_SUBSCRIPTION, SNS_TOPIC, SNS_TOPIC_POLICY

family = Family("Alarms heard")

_UNHEARD: Final = "nobody is subscribed to heard without a filter"
_SI4: Final = {Framework.NIST_800_53: ("CP-9", "SI-4")}


@family.rule(
    "aws-alarms-heard",
    Severity.HIGH,
    "Alarms may publish to a topic of their region, and somebody hears all of it",
    types=(METRIC_ALARM,),
    rationale="CloudWatch says nothing when a topic, or its key, refuses it, or when nobody is subscribed.",
    remedy="Subscribe without a filter, and let cloudwatch.amazonaws.com publish by the policies of topic and key.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(METRIC_ALARM, {"alarmActions": [Output(SNS_TOPIC, "heard")]}, "heard"),
        given(SNS_TOPIC, {"name": "heard"}, "heard"),
        given(SNS_SUBSCRIPTION, {"topic": Output(SNS_TOPIC, "heard"), "protocol": "email"}, "heard"),
        given(
            SNS_TOPIC_POLICY,
            {
                "arn": Output(SNS_TOPIC, "heard"),
                "policy": document(
                    allow(Principal={"Service": "cloudwatch.amazonaws.com"}, Action="sns:Publish", Resource="*")
                ),
            },
            "heard",
        ),
        broken={
            _UNHEARD: (
                without(SNS_SUBSCRIPTION, "heard"),
                put("filterPolicy", '{"x": ["y"]}', SNS_SUBSCRIPTION, "heard"),
            ),
            "heard.policy is not for alarms": (
                put("policy.Statement.0.Effect", "Deny", SNS_TOPIC_POLICY, "heard"),
                put("policy.Statement.0.Principal", {"Service": "s3.amazonaws.com"}, SNS_TOPIC_POLICY, "heard"),
            ),
            "alarmActions is heard in eu-central-1": put("region", "eu-central-1", SNS_TOPIC, "heard"),
        },
    ),
)
def aws_alarms_heard(alarm: Resource, inventory: Inventory) -> Judgement:
    actions = read(alarm, "alarmActions")
    listed = actions if isinstance(actions, list) else [actions]
    if any(map(is_hidden, listed)) and not inventory.linked(alarm, "alarmActions", SNS_TOPIC):
        return unknown("alarmActions", "a topic that the plan knows")
    topics = dict.fromkeys(topic.urn for topic in inventory.linked(alarm, "alarmActions", SNS_TOPIC))
    return all_of(judged for urn in topics for judged in _heard(alarm, inventory.by_urn[urn], inventory))


def _heard(alarm: Resource, topic: Resource, inventory: Inventory) -> Iterator[Judgement]:
    if is_hidden(topic.region):
        yield unknown("alarmActions", "a topic whose region the plan knows")
    if not same_region(alarm, topic):
        at, here = region_in(topic), region_in(alarm)
        yield failed("alarmActions", f"{topic.name} in {at}", f"a topic in {here}: alarms reach no other")
    hearing = [s for s in inventory.of_type(SNS_SUBSCRIPTION) if _names_topic(inventory, s, "topic", topic)]
    if not any(read(s, "filterPolicy") in (ABSENT, "", "{}") for s in hearing):
        yield failed("", f"nobody is subscribed to {topic.name} without a filter", "a subscription without one")
    for policy in inventory.of_type(SNS_TOPIC_POLICY):
        if _names_topic(inventory, policy, "arn", topic):
            yield _lets_alarms(alarm, policy, ("sns:Publish",), _topic_arn(inventory, topic), inventory)
    for key in keys_behind(inventory, topic, "kmsMasterKeyId"):
        arn = f"arn:aws:kms:{region_in(key)}:{SettingsView.of(inventory.settings).account}:key/x"
        yield _lets_alarms(alarm, key, ("kms:Decrypt", "kms:GenerateDataKey"), arn, inventory)


def _topic_arn(inventory: Inventory, topic: Resource) -> str:
    account = SettingsView.of(inventory.settings).account
    return f"arn:aws:sns:{region_in(topic)}:{account}:{read(topic, 'name')}"


def _names_topic(inventory: Inventory, holder: Resource, path: str, topic: Resource) -> bool:
    value = read(holder, path)
    if is_hidden(value):
        return topic in inventory.linked(holder, path, SNS_TOPIC)
    return isinstance(value, str) and value == _topic_arn(inventory, topic)


def _lets_alarms(
    alarm: Resource, holder: Resource, actions: tuple[str, ...], arn: str, inventory: Inventory
) -> Judgement:
    """Whether a resource's policy lets CloudWatch act for an alarm (SNS' guide: believed, 2026-11-22)."""
    if read(holder, "policy") is ABSENT:
        return failed(f"{holder.name}.policy", "absent", "a policy that lets cloudwatch.amazonaws.com use it")
    found = statements(holder, "policy")
    if isinstance(found, Judgement):
        return found
    account = SettingsView.of(inventory.settings).account
    source = f"arn:aws:cloudwatch:{region_in(alarm)}:{account}:alarm:{read(alarm, 'name')}"
    told = {"aws:SourceArn": source, "aws:SourceAccount": account, "aws:SecureTransport": "true"}
    principal = Principal.of_service("cloudwatch.amazonaws.com")
    for action in actions:
        if not decide(Request(principal, action, arn, told), resource=policy_of(found)):
            if any(s.hidden for s in found):
                return unknown(f"{holder.name}.policy", "statements that the plan knows")
            return failed(f"{holder.name}.policy", "not for alarms", f"{action} for cloudwatch.amazonaws.com")
    return passed()
