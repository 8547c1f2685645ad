"""What IAM does around moto's: documents that AWS would refuse, principals and boundaries that must exist, and the
policies that AWS maintains.

Documents of AWS' own policies are those that moto carries, which it copies from AWS' API: of moto 5.2.5 for example
AWSBackupServiceRolePolicyForBackup v30 of 2026-02-23 and AWSBackupServiceRolePolicyForRestores v36 of 2026-08-27.
Each comes into the account when it is first asked for: moto would make all 1,400 at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs

from common.iam import PolicyError, parse
from localcloud.aws.answers import Answer, Application, Environ, StartResponse, query_error, read_body
from localcloud.aws.iam import simulation
from localcloud.aws.iam.judge import Judge
from localcloud.aws.iam.linked import missing_principal
from localcloud.aws.state import AwsState

_OF_AWS: Final = "arn:aws:iam::aws:policy/"
_DOCUMENTS: Final = ("AssumeRolePolicyDocument", "PolicyDocument")
_TRUST: Final = ("CreateRole", "UpdateAssumeRolePolicy")


class IamGate:
    """IAM with what moto lacks before it."""

    def __init__(self, state: AwsState, moto: Application) -> None:
        self._state = state
        self._moto = moto

    def call(self, environ: Environ, _region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        asked = {name: values[0] for name, values in parse_qs(read_body(environ).decode()).items()}
        if asked.get("Action") == simulation.OPERATION:
            return simulation.simulate(Judge(self._state), asked).send(start_response)
        refusal = self.before(asked)
        return refusal.send(start_response) if refusal else self._moto(environ, start_response)

    def before(self, asked: dict[str, str]) -> Answer | None:
        """Refuse what IAM refuses and moto lets through; bring in a policy of AWS' that is asked for."""
        operation = asked.get("Action", "")
        document = next((asked[name] for name in _DOCUMENTS if name in asked), None)
        if document is not None:
            try:
                parse(document)
            except PolicyError as e:
                return query_error("400 Bad Request", "MalformedPolicyDocument", str(e))
        if document is not None and operation in _TRUST:
            absent = missing_principal(self._state, document)
            if absent:
                message = f'Invalid principal in policy: "AWS":"{absent}"'
                return query_error("400 Bad Request", "MalformedPolicyDocument", message)
        self._bring(asked.get("PolicyArn", ""))
        boundary = asked.get("PermissionsBoundary")
        self._bring(boundary or "")
        if boundary and boundary not in self._state.backend("iam", "aws").managed_policies:
            return query_error(
                "404 Not Found", "NoSuchEntity", f"Scope ARN: {boundary} does not exist or is not attachable."
            )
        return None

    def _bring(self, arn: str) -> None:
        backend = self._state.backend("iam", "aws")
        if not arn.startswith(_OF_AWS) or arn in backend.managed_policies:
            return
        name = arn.rpartition("/")[2]
        data = _of_aws().get(name)
        if data is None:
            return
        from moto.iam.models import AWSManagedPolicy

        policy = AWSManagedPolicy.from_data(name, self._state.account, "us-east-1", data)
        if policy.arn == arn:
            backend.managed_policies[arn] = policy


@cache
def _of_aws() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return json.loads(aws_managed_policies_data)
