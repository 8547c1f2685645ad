"""Who calls the emulator: the operator, and sessions of roles whose credentials it made.

Nothing of a session outlives the process. Signatures are not checked: what the caller shows is an access key and, for
a session, its token, which nobody else can know.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from common.iam import Policy, Principal
from localcloud.aws.context import OPERATOR
from localcloud.aws.iam.judge import Caller, Judge

ANONYMOUS: Final = Caller(Principal())


@dataclass(frozen=True)
class Credentials:
    """What a session shows."""

    access_key: str
    secret_key: str
    token: str
    expires: datetime


@dataclass(frozen=True)
class Refused:
    """Why no caller stands behind a credential; codes as S3 and the other services say them."""

    s3_code: str
    code: str
    message: str


class Callers:
    """The sessions that live, and who stands behind a request."""

    def __init__(self, judge: Judge, operator_arn: str = "") -> None:
        self._operator = judge.operator(operator_arn)
        self._sessions: dict[str, tuple[Credentials, Caller]] = {}

    def open(
        self,
        role_arn: str,
        name: str,
        lifetime: timedelta,
        *,
        tags: Mapping[str, str] | None = None,
        policies: Sequence[Policy] = (),
        in_pod: bool = False,
    ) -> tuple[Credentials, Caller]:
        """A session of a role, whose trust was judged before."""
        made = Credentials(
            f"ASIA{secrets.token_hex(8).upper()}",
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(48),
            datetime.now(UTC) + lifetime,
        )
        caller = Caller(Principal.role(role_arn, name, tags), session=tuple(policies), in_pod=in_pod)
        self._sessions[made.access_key] = made, caller
        return made, caller

    def of(self, environ: Mapping[str, Any]) -> Caller | Refused:
        """Who asks."""
        access_key, token = credential(environ)
        if access_key == OPERATOR:
            return self._operator
        if not access_key:
            return ANONYMOUS
        found = self._sessions.get(access_key)
        if found is None or not secrets.compare_digest(found[0].token.encode(), token.encode()):
            what = "The AWS Access Key Id you provided does not exist in our records."
            return Refused("InvalidAccessKeyId", "UnrecognizedClientException", what)
        if found[0].expires <= datetime.now(UTC):
            return Refused("ExpiredToken", "ExpiredTokenException", "The provided token has expired.")
        return found[1]


def credential(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Access key and session token of a signed or presigned request; empty texts where there is none."""
    query = parse_qs(str(environ.get("QUERY_STRING", "")))
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    if "Credential=" in header:
        key = header.split("Credential=", 1)[1].split("/", 1)[0]
        return key, str(environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
    presigned = unquote(query.get("X-Amz-Credential", [""])[0]).split("/", 1)[0]
    return presigned or query.get("AWSAccessKeyId", [""])[0], query.get("X-Amz-Security-Token", [""])[0]
