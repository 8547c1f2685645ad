"""VPC endpoints, created in the emulator, which judges by their policies what pods ask."""

from __future__ import annotations

import json
from typing import Any

from localcloud.aws.context import AwsContext
from localcloud.aws.errors import is_missing
from localcloud.aws.recorded import Made, endpoint_outputs
from localcloud.providers.base import Kind, Request, State


class VpcEndpoint(Kind):
    """`aws:ec2/vpcEndpoint:VpcEndpoint`; its id is EC2's own."""

    not_enforced = "no network runs; its policy is judged for pods, where it is an interface's"

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def create(self, request: Request) -> State:
        i = request.inputs
        arguments: dict[str, Any] = {"VpcId": i["vpcId"], "ServiceName": i["serviceName"]}
        if i.get("vpcEndpointType"):
            arguments["VpcEndpointType"] = i["vpcEndpointType"]
        if i.get("policy"):
            arguments["PolicyDocument"] = i["policy"]
        made = self._client(request).create_vpc_endpoint(**arguments)["VpcEndpoint"]
        return self._state(request, made["VpcEndpointId"])

    def update(self, request: Request) -> State:
        policy = request.inputs.get("policy")
        change = {"PolicyDocument": policy} if policy else {"ResetPolicy": True}
        self._client(request).modify_vpc_endpoint(VpcEndpointId=request.id, **change)
        return self._state(request, request.id)

    def read(self, request: Request) -> State | None:
        try:
            found = self._client(request).describe_vpc_endpoints(VpcEndpointIds=[request.id])["VpcEndpoints"][0]
        except Exception as e:
            if is_missing(e):
                return None
            raise
        asked, told = request.inputs.get("policy"), None
        if asked and json.loads(asked) != json.loads(found["PolicyDocument"]):
            told = {**request.inputs, "policy": found["PolicyDocument"]}
        return State(request.id, self._state(request, request.id).outputs, inputs=told)

    def delete(self, request: Request) -> None:
        try:
            self._client(request).delete_vpc_endpoints(VpcEndpointIds=[request.id])
        except Exception as e:
            if not is_missing(e):
                raise

    def _client(self, request: Request) -> Any:
        return self._aws.client("ec2", self._aws.region_of(request))

    def _state(self, request: Request, physical_id: str) -> State:
        made = Made(self._aws, request, physical_id)
        outputs = {"region": made.region, "tagsAll": self._aws.tags_of(request), **endpoint_outputs(made)}
        return State(physical_id, outputs)
