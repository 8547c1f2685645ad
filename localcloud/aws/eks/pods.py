"""The EKS Pod Identity agent, and who may call the emulator: the operator, and pods with credentials of its making.

The agent's address, header and answer are those that AWS' SDKs expect of a container's credentials (AWS SDKs and
tools reference guide, "Container credential provider"; EKS user guide, "Understand how EKS Pod Identity works"; both
read 2026-11-21). What a role may do is not judged here: a credential that the agent did not make is refused.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from localcloud.aws.answers import Answer, Environ, json_error, s3_error
from localcloud.aws.context import OPERATOR
from localcloud.aws.state import AwsState

SESSION_HOURS: Final = 6


@dataclass(frozen=True)
class Session:
    """Temporary credentials of a role."""

    role_arn: str
    token: str
    expires: datetime


class Pods:
    """Which pods were admitted, and the credentials that they hold; nothing of it outlives the process."""

    def __init__(self, state: AwsState) -> None:
        self._state = state
        self._admitted: dict[str, tuple[str, str]] = {}
        self._sessions: dict[str, Session] = {}

    def admit(self, namespace: str, service_account: str) -> str:
        """The token of a new pod of the service account; empty if it has no association, as EKS then injects none."""
        if self._role_of(namespace, service_account) is None:
            return ""
        token = secrets.token_urlsafe(24)
        self._admitted[token] = namespace, service_account
        return token

    def credentials(self, environ: Environ) -> Answer:
        """What the agent answers a pod."""
        pod = self._admitted.get(str(environ.get("HTTP_AUTHORIZATION", "")))
        if pod is None:
            return _agent_error("400 Bad Request", "the service account's token is not valid")
        role = self._role_of(*pod)
        if role is None:
            return _agent_error("400 Bad Request", f"no association for {'/'.join(pod)}: access is denied")
        expires = datetime.now(UTC) + timedelta(hours=SESSION_HOURS)
        session = Session(role, secrets.token_urlsafe(48), expires)
        access_key = f"ASIA{secrets.token_hex(8).upper()}"
        self._sessions[access_key] = session
        told = {
            "AccessKeyId": access_key,
            "SecretAccessKey": secrets.token_urlsafe(30),
            "Token": session.token,
            "AccountId": self._state.account,
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return Answer("200 OK", "application/json", json.dumps(told).encode())

    def refusal(self, environ: Environ, service: str) -> Answer | None:
        """Why a caller is refused; None for the operator, and for a pod with credentials that hold."""
        access_key, token = _credential(environ)
        if access_key == OPERATOR:
            return None
        session = self._sessions.get(access_key)
        if session is None or not secrets.compare_digest(session.token.encode(), token.encode()):
            what = (
                "The AWS access key Id you provided does not exist in our records." if access_key else "Access Denied"
            )
            code = "InvalidAccessKeyId" if access_key else "AccessDenied"
            return _refused(service, code, "UnrecognizedClientException", what, environ)
        if session.expires <= datetime.now(UTC):
            what = "The provided token has expired."
            return _refused(service, "ExpiredToken", "ExpiredTokenException", what, environ)
        return None

    def _role_of(self, namespace: str, service_account: str) -> str | None:
        for each in self._state.overlay.associations.values():
            if (each["namespace"], each["serviceAccount"]) == (namespace, service_account):
                return str(each["roleArn"])
        return None


def _credential(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Access key and session token of a signed or presigned request; empty texts where there is none."""
    query = parse_qs(str(environ.get("QUERY_STRING", "")))
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    if "Credential=" in header:
        key = header.split("Credential=", 1)[1].split("/", 1)[0]
        return key, str(environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
    presigned = unquote(query.get("X-Amz-Credential", [""])[0]).split("/", 1)[0]
    return presigned or query.get("AWSAccessKeyId", [""])[0], query.get("X-Amz-Security-Token", [""])[0]


def _refused(service: str, s3_code: str, json_kind: str, message: str, environ: Environ) -> Answer:
    if service == "s3":
        return s3_error("403 Forbidden", s3_code, message, str(environ.get("PATH_INFO", "")))
    return json_error(json_kind, message)


def _agent_error(status: str, message: str) -> Answer:
    return Answer(status, "text/plain", f"{message}\n".encode())
