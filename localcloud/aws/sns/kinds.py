"""SNS topics and their policies, created in the emulator."""

from __future__ import annotations

import json
from typing import Any

from localcloud.aws.context import AwsContext, tag_list
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, Request, State, physical_name


class _MessagingKind(Kind):
    service = "sns"

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def _client(self, request: Request) -> Any:
        return self._aws.client(self.service, self._aws.region_of(request))


class Topic(_MessagingKind):
    """`aws:sns/topic:Topic`; its id is its ARN."""

    not_enforced = "nothing is published: alarms are recorded only"

    def create(self, request: Request) -> State:
        i = request.inputs
        name = physical_name(request, "name")
        attributes: dict[str, str] = {}
        if i.get("kmsMasterKeyId"):
            attributes["KmsMasterKeyId"] = i["kmsMasterKeyId"]
        if i.get("displayName"):
            attributes["DisplayName"] = i["displayName"]
        made = self._client(request).create_topic(
            Name=name, Attributes=attributes, Tags=tag_list(self._aws.tags_of(request))
        )
        return self._state(request, made["TopicArn"])

    def update(self, request: Request) -> State:
        sns = self._client(request)
        for prop, name in (("kmsMasterKeyId", "KmsMasterKeyId"), ("displayName", "DisplayName")):
            if request.inputs.get(prop) != request.old_inputs.get(prop):
                value = request.inputs.get(prop) or ""
                sns.set_topic_attributes(TopicArn=request.id, AttributeName=name, AttributeValue=value)
        return self._state(request, request.id)

    def read(self, request: Request) -> State | None:
        try:
            found = self._client(request).get_topic_attributes(TopicArn=request.id)["Attributes"]
        except Exception as e:
            if is_missing(e):
                return None
            raise
        state = self._state(request, request.id)
        asked = request.inputs.get("kmsMasterKeyId")
        if asked is not None and found.get("KmsMasterKeyId") != asked:
            told = {**request.inputs, "kmsMasterKeyId": found.get("KmsMasterKeyId") or ""}
            return State(state.id, state.outputs, inputs=told)
        return state

    def delete(self, request: Request) -> None:
        self._client(request).delete_topic(TopicArn=request.id)

    def _state(self, request: Request, arn: str) -> State:
        outputs = {
            "arn": arn,
            "name": arn.rsplit(":", 1)[-1],
            "owner": self._aws.account,
            "region": self._aws.region_of(request),
            "tagsAll": self._aws.tags_of(request),
        }
        return State(arn, outputs)


class TopicPolicy(_MessagingKind):
    """`aws:sns/topicPolicy:TopicPolicy`; its id is the topic's ARN."""

    not_enforced = "nothing is published: alarms are recorded only"

    def create(self, request: Request) -> State:
        return self._put(request, str(request.inputs["arn"]))

    def update(self, request: Request) -> State:
        return self._put(request, request.id)

    def read(self, request: Request) -> State | None:
        try:
            found = self._client(request).get_topic_attributes(TopicArn=request.id)["Attributes"]
        except Exception as e:
            if is_missing(e):
                return None
            raise
        told, asked = None, request.inputs.get("policy")
        if asked and json.loads(found.get("Policy") or "{}") != json.loads(asked):
            told = {**request.inputs, "policy": found.get("Policy") or ""}
        return State(request.id, self._outputs(request), inputs=told)

    def delete(self, request: Request) -> None:
        """The topic falls back to its default policy, and goes with it in a moment."""

    def _put(self, request: Request, arn: str) -> State:
        policy = request.inputs["policy"]
        self._client(request).set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        return State(arn, self._outputs(request))

    def _outputs(self, request: Request) -> dict[str, Any]:
        return {"owner": self._aws.account, "region": self._aws.region_of(request)}
