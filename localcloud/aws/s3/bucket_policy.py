"""Which statements of a bucket policy speak of a request to the emulator: moto refuses where a condition is not met.

A request over loopback stands for one over TLS 1.3. Of conditions, those on the transport are judged; a statement
with any other condition is left out, because the emulator knows nothing of the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

TRANSPORT: Final[Mapping[str, str]] = {"aws:securetransport": "true", "s3:tlsversion": "1.3"}
"""What a request is taken to be, by condition key in lower case."""

_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "Bool": lambda actual, wanted: actual == wanted.lower(),
    "StringEquals": lambda actual, wanted: actual == wanted,
    "NumericLessThan": lambda actual, wanted: float(actual) < float(wanted),
    "NumericGreaterThanEquals": lambda actual, wanted: float(actual) >= float(wanted),
}


def speaks(statement: Mapping[str, Any]) -> bool:
    """Whether a statement's conditions hold for a request over TLS; False for conditions on anything else."""
    for operator, pairs in statement.get("Condition", {}).items():
        judge = _OPERATORS.get(operator)
        for key, wanted in pairs.items():
            actual = TRANSPORT.get(key.lower())
            if judge is None or actual is None:
                return False
            values = wanted if isinstance(wanted, list) else [wanted]
            if not any(judge(actual, str(value)) for value in values):
                return False
    return True


def unconditional(policy: bytes) -> dict[str, Any]:
    """The policy's statements that speak of the emulator's requests, without their conditions."""
    document = json.loads(policy)
    statements = document.get("Statement", [])
    kept = [s for s in (statements if isinstance(statements, list) else [statements]) if speaks(s)]
    return {**document, "Statement": [{k: v for k, v in s.items() if k != "Condition"} for s in kept]}


def install() -> None:
    """Let moto judge bucket policies by the statements that `unconditional` keeps."""
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.s3.models import FakeBucket

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps(unconditional(self.policy))).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission
