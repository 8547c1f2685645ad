"""The EC2 API's VPC endpoints: made, shown, changed and deleted; anything else of EC2 is left to moto.

Shapes: EC2 API reference, "CreateVpcEndpoint" (believed, 2026-11-21). Of an
endpoint only what is judged is kept: its service, its kind and its policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from common.iam import PolicyError, parse
from localcloud.aws.answers import Answer, Application, Environ, StartResponse, read_body
from localcloud.aws.asks import form_of
from localcloud.aws.state import AwsState

FULL_ACCESS: Final = (
    '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
)
"""What an endpoint without a policy of its own has (AWS PrivateLink guide, "Default endpoint policy")."""


class Ec2Api:
    """VPC endpoints, kept by id in the overlay."""

    def __init__(self, state: AwsState, moto: Application) -> None:
        self._state = state
        self._moto = moto

    def call(self, environ: Environ, region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        form = form_of(read_body(environ))
        answer = self.answer(region, form)
        return answer.send(start_response) if answer else self._moto(environ, start_response)

    def answer(self, region: str, form: Mapping[str, str]) -> Answer | None:
        """The answer to an operation on endpoints; None for any other."""
        kept, operation = self._state.overlay.endpoints, form.get("Action", "")
        named = [value for name, value in form.items() if name.startswith("VpcEndpointId")]
        if operation == "CreateVpcEndpoint":
            return self._create(region, form)
        if operation not in ("DescribeVpcEndpoints", "ModifyVpcEndpoint", "DeleteVpcEndpoints"):
            return None
        missing = next((each for each in named if each not in kept or kept[each]["region"] != region), None)
        if missing:
            return _error("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{missing}' does not exist")
        if operation == "ModifyVpcEndpoint":
            return self._modify(named[0], form)
        if operation == "DeleteVpcEndpoints":
            for each in named:
                del kept[each]
            return _told(operation, "<unsuccessful/>")
        found = [(i, e) for i, e in kept.items() if e["region"] == region and (not named or i in named)]
        items = "".join(f"<item>{_shown(i, e)}</item>" for i, e in found)
        return _told(operation, f"<vpcEndpointSet>{items}</vpcEndpointSet>")

    def _create(self, region: str, form: Mapping[str, str]) -> Answer:
        policy = form.get("PolicyDocument") or FULL_ACCESS
        refusal = _malformed(policy)
        if refusal:
            return refusal
        name = f"vpce-{self._state.next_id():017x}"
        made = {
            "region": region,
            "service": form.get("ServiceName", ""),
            "type": form.get("VpcEndpointType") or "Gateway",
            "vpc": form.get("VpcId", ""),
            "policy": policy,
        }
        self._state.overlay.endpoints[name] = made
        return _told("CreateVpcEndpoint", f"<vpcEndpoint>{_shown(name, made)}</vpcEndpoint>")

    def _modify(self, name: str, form: Mapping[str, str]) -> Answer:
        policy = FULL_ACCESS if form.get("ResetPolicy") == "true" else form.get("PolicyDocument")
        refusal = _malformed(policy) if policy else None
        if refusal:
            return refusal
        if policy:
            self._state.overlay.endpoints[name]["policy"] = policy
        return _told("ModifyVpcEndpoint", "<return>true</return>")


def _shown(name: str, endpoint: Mapping[str, Any]) -> str:
    told = {
        "vpcEndpointId": name,
        "vpcEndpointType": endpoint["type"],
        "vpcId": endpoint["vpc"],
        "serviceName": endpoint["service"],
        "state": "available",
        "policyDocument": endpoint["policy"],
    }
    return "".join(f"<{field}>{escape(str(value))}</{field}>" for field, value in told.items())


def _malformed(policy: str) -> Answer | None:
    try:
        parse(policy)
    except PolicyError as e:
        return _error("InvalidPolicyDocument", str(e))
    return None


def _told(operation: str, result: str) -> Answer:
    namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"
    body = f'<{operation}Response xmlns="{namespace}"><requestId>1</requestId>{result}</{operation}Response>'
    return Answer("200 OK", "text/xml", body.encode())


def _error(code: str, message: str) -> Answer:
    body = (
        f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
        "<RequestID>1</RequestID></Response>"
    )
    return Answer("400 Bad Request", "text/xml", body.encode())
