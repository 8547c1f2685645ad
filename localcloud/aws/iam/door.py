"""Judges each request to the emulator before its service sees it, and says no as that service does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs

from localcloud.aws.answers import (
    Answer,
    Environ,
    headers_of,
    json_object,
    operation_of,
    query_error,
    read_body,
    s3_error,
)
from localcloud.aws.asks import Ask, iam_asks, other_asks, sns_asks
from localcloud.aws.backup.api import find_operation, query_arguments
from localcloud.aws.backup.asks import backup_asks
from localcloud.aws.dynamodb.asks import table_asks
from localcloud.aws.ec2.endpoints import endpoint_policies
from localcloud.aws.eks.asks import eks_asks
from localcloud.aws.iam.callers import Refused
from localcloud.aws.iam.judge import Caller, Judge
from localcloud.aws.kms.asks import kms_asks
from localcloud.aws.s3.asks import s3_asks
from localcloud.aws.s3.call import ObjectCall
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

CALLER: Final = "seawall.caller"
"""Where a request's environment holds who asks, for what a service does in the caller's name."""
DENIED: Final = "seawall.denied"
"""ARNs of the objects that a request to delete several may not delete; S3 answers for each by itself."""
_QUERY: Final = frozenset({"iam", "sns", "ec2", "sts"})
"""Services that are asked by forms and answer in XML."""


class Door:
    """See the module."""

    def __init__(self, state: AwsState, judge: Judge) -> None:
        self._state = state
        self._judge = judge

    def refusal(self, caller: Caller, service: str, region: str, environ: Environ) -> Answer | None:
        """Why a request is refused; None if every right that it needs is there."""
        if caller.in_pod:
            # The endpoint bounds the pod's own requests, not what a service then asks of another in its name.
            caller = replace(caller, endpoint=endpoint_policies(self._state, service, region))
        asks = self._asks(service, region, environ)
        denied = [(ask, decision) for ask in asks if not (decision := self._decide(caller, region, ask))]
        if not denied:
            return None
        if service == "s3" and len(asks) > 1 and _deletes_several(environ):
            environ[DENIED] = frozenset(ask.resource for ask, _ in denied)
            return None
        return access_denied(service, denied[0][1], environ)

    def _decide(self, caller: Caller, region: str, ask: Ask) -> Decision:
        context: dict[str, Any] = {"aws:RequestedRegion": region, "aws:ViaAWSService": "false", **ask.context}
        return self._judge.decide(caller, ask.action, ask.resource, context)

    def _asks(self, service: str, region: str, environ: Environ) -> list[Ask]:
        if service == "s3":
            call = ObjectCall.of(environ)
            # An object's bytes tell nothing, and may be many.
            body = b"" if call.is_data else read_body(environ)
            return s3_asks(self._state, call, headers_of(environ), body)
        body = read_body(environ)
        if service == "dynamodb":
            return table_asks(self._state, region, operation_of(environ), body)
        if service == "kms":
            return kms_asks(self._state, region, operation_of(environ), body)
        if service == "sns":
            return sns_asks(self._state, region, body)
        if service == "iam":
            return iam_asks(self._state, body)
        path = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "")).split("?")[0]
        if service == "eks":
            return eks_asks(self._state, region, str(environ["REQUEST_METHOD"]), path, body)
        if service == "backup":
            found = find_operation(str(environ["REQUEST_METHOD"]), path)
            if found is None:
                return other_asks(service, environ, body)
            operation, arguments = found
            query = query_arguments(operation, parse_qs(str(environ.get("QUERY_STRING", ""))))
            return backup_asks(self._state, region, operation, {**arguments, **query, **json_object(body)})
        return other_asks(service, environ, body)


def unknown_caller(service: str, refused: Refused, environ: Environ) -> Answer:
    """The answer to a credential behind which nobody stands."""
    if service == "s3":
        return s3_error("403 Forbidden", refused.s3_code, refused.message, str(environ.get("PATH_INFO", "")))
    if service in _QUERY:
        return query_error("403 Forbidden", "InvalidClientTokenId", refused.message)
    return _json("400 Bad Request", refused.code, refused.message)


def access_denied(service: str, decision: Decision, environ: Mapping[str, Any]) -> Answer:
    """The answer to a caller who may not."""
    if service == "s3":
        return s3_error("403 Forbidden", "AccessDenied", decision.reason, str(environ.get("PATH_INFO", "")))
    if service in _QUERY:
        return query_error("403 Forbidden", "AccessDenied", decision.reason)
    return _json("400 Bad Request", "AccessDeniedException", decision.reason)


def _json(status: str, code: str, message: str) -> Answer:
    body = json.dumps({"__type": code, "code": code, "message": message}).encode()
    return Answer(status, "application/x-amz-json-1.0", body)


def _deletes_several(environ: Mapping[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] == "POST" and "delete" in ObjectCall.of(environ).query
