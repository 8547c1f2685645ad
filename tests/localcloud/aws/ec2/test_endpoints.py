"""VPC endpoints have policies that bound what pods ask; EC2's own API changes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from common.iam import Principal
from localcloud.aws.context import AwsContext
from localcloud.aws.ec2.endpoints import endpoint_policies
from localcloud.aws.ec2.kinds import VpcEndpoint
from localcloud.aws.emulator import AwsEmulator
from localcloud.aws.iam.callers import Caller
from localcloud.aws.iam.door import Door
from localcloud.aws.iam.judge import Judge
from localcloud.aws.state import AwsState
from localcloud.providers.base import Request

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fleet"
S3 = f"com.amazonaws.{REGION}.s3"


def document(*actions: str) -> str:
    allow = {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


class TestWhatPasses:
    @pytest.fixture
    def state(self) -> Iterator[AwsState]:
        """An account with a role that may do everything in S3."""
        backends: Any = get_backend("iam")
        backends.reset()
        made = AwsState(ACCOUNT)
        iam = made.backend("iam", "aws")
        iam.create_role("fleet", "{}", "/", None, "", [], "3600")
        anything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
        iam.put_role_policy("fleet", "all", json.dumps(anything))
        yield made

    def ask(self, state: AwsState, *, in_pod: bool = True) -> bool:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/models/a", "QUERY_STRING": ""}
        caller = Caller(Principal.role(ROLE), in_pod=in_pod)
        return Door(state, Judge(state)).refusal(caller, "s3", REGION, environ) is None

    def endpoint(self, state: AwsState, policy: str, kind: str = "Interface", region: str = REGION) -> None:
        name = f"vpce-{len(state.overlay.endpoints)}"
        service = f"com.amazonaws.{region}.s3"
        state.overlay.endpoints[name] = {
            "region": region, "service": service, "type": kind, "vpc": "v", "policy": policy
        }  # fmt: skip

    def test_without_an_endpoint_nothing_is_bounded(self, state: AwsState) -> None:
        assert self.ask(state)

    def test_a_pod_asks_no_more_than_its_endpoint_lets_pass(self, state: AwsState) -> None:
        self.endpoint(state, document("s3:PutObject"))
        assert not self.ask(state)
        assert self.ask(state, in_pod=False)

    def test_what_one_of_several_endpoints_lets_pass_passes(self, state: AwsState) -> None:
        self.endpoint(state, document("s3:PutObject"))
        self.endpoint(state, document("s3:GetObject"))
        assert self.ask(state)

    @pytest.mark.parametrize(("kind", "region"), [("Gateway", REGION), ("Interface", "eu-central-1")])
    def test_a_gateway_or_another_regions_endpoint_bounds_no_pod(
        self, state: AwsState, kind: str, region: str
    ) -> None:
        self.endpoint(state, document("s3:PutObject"), kind, region)
        assert self.ask(state)
        assert endpoint_policies(state, "s3", REGION) == ()


class TestKind:
    @pytest.fixture
    def kind(self, emulator: AwsEmulator, monkeypatch: pytest.MonkeyPatch) -> VpcEndpoint:
        """The kind, with the provider's view of the account."""
        for name, value in emulator.target().environment.items():
            monkeypatch.setenv(name, value)
        aws = AwsContext(ACCOUNT)
        aws.region = REGION
        return VpcEndpoint(aws)

    def request(self, policy: str, physical_id: str = "") -> Request:
        inputs = {"vpcId": "vpc-1", "serviceName": S3, "vpcEndpointType": "Interface", "policy": policy}
        return Request("urn", "token", f"s3-{uuid4().hex[:6]}", inputs, id=physical_id)

    def test_it_comes_changes_shows_its_drift_and_goes(self, kind: VpcEndpoint, client: Any) -> None:
        first, second = document("s3:GetObject"), document("s3:PutObject")
        made = kind.create(self.request(first))
        assert (state := kind.read(self.request(first, made.id))) is not None and state.inputs is None
        client("ec2").modify_vpc_endpoint(VpcEndpointId=made.id, PolicyDocument=second)
        drifted = kind.read(self.request(first, made.id))
        assert drifted is not None and drifted.inputs is not None
        assert json.loads(drifted.inputs["policy"]) == json.loads(second)
        kind.update(self.request(first, made.id))
        assert (state := kind.read(self.request(first, made.id))) is not None and state.inputs is None
        kind.delete(self.request(first, made.id))
        assert kind.read(self.request(first, made.id)) is None
        kind.delete(self.request(first, made.id))

    def test_a_malformed_policy_is_refused(self, client: Any) -> None:
        with pytest.raises(ClientError, match="InvalidPolicyDocument"):
            client("ec2").create_vpc_endpoint(VpcId="vpc-1", ServiceName=S3, PolicyDocument='{"Statement": [{}]}')
