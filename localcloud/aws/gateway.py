"""The WSGI application of the AWS emulator: each request to its service's room, the rest to moto."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localcloud.aws.answers import Answer, Environ, NoAnswerError, Service, StartResponse, read_body
from localcloud.aws.backup.api import BackupApi
from localcloud.aws.context import AGENT_PATH
from localcloud.aws.dynamodb.gate import DynamoGate
from localcloud.aws.ec2.api import Ec2Api
from localcloud.aws.eks.api import EksApi
from localcloud.aws.eks.pods import Pods
from localcloud.aws.iam.callers import Callers, Refused
from localcloud.aws.iam.door import CALLER, Door, unknown_caller
from localcloud.aws.iam.gate import IamGate
from localcloud.aws.iam.judge import Judge
from localcloud.aws.iam.sts import StsGate
from localcloud.aws.kms.gate import KmsGate
from localcloud.aws.s3.gate import S3Gate
from localcloud.aws.state import AwsState

CONTROL_PATH = "/_seawall/"
_GLOBAL = frozenset({"iam", "sts"})
"""Services that no region's loss takes away."""
TOKEN_HEADER = "HTTP_X_SEAWALL_TOKEN"  # noqa: S105 - a header's name


class Gateway:
    """Sends each request to the service that its signature names.

    Args:
        state: moto's models and the overlay.
        operator_arn: the role that the operator has taken on; without one it is a user.
        token: what a control request must carry, so that only the command that started the emulator saves it.
    """

    def __init__(self, state: AwsState, token: str, operator_arn: str = "") -> None:
        self._state = state
        self._token = token
        self._moto = _QuickDispatcher(create_backend_app)
        judge = Judge(state)
        self._s3 = S3Gate(state, self._moto, judge)
        self._door = Door(state, judge)
        self._callers = Callers(judge, operator_arn)
        self._pods = Pods(state, judge, self._callers)
        self._backup = BackupApi(state, self._moto)
        self._services: dict[str, Service] = {
            "s3": self._s3,
            "dynamodb": DynamoGate(state, self._moto, judge),
            "kms": KmsGate(state, self._moto),
            "backup": self._backup,
            "eks": EksApi(state, self._moto),
            "ec2": Ec2Api(state, self._moto),
            "iam": IamGate(state, self._moto),
            "sts": StsGate(judge, self._callers),
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        with self._state.lock:
            return _whole(self._answered(environ, start_response))

    def _answered(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(CONTROL_PATH):
            return self._control(environ, path.removeprefix(CONTROL_PATH)).send(start_response)
        if path == AGENT_PATH:
            return self._pods.credentials(environ).send(start_response)
        service, region = credential_scope(environ)
        if service not in _GLOBAL and self._state.is_lost(region, *self._bucket_regions(service, environ)):
            raise NoAnswerError
        caller = self._callers.of(environ)
        if isinstance(caller, Refused):
            read_body(environ)
            return unknown_caller(service, caller, environ).send(start_response)
        environ[CALLER] = caller
        refusal = self._door.refusal(caller, service, region, environ) if service != "sts" else None
        if refusal:
            read_body(environ)
            return refusal.send(start_response)
        if service in self._services:
            return self._services[service].call(environ, region, start_response)
        return self._moto(environ, start_response)

    def _bucket_regions(self, service: str, environ: Environ) -> list[str]:
        """The regions of the buckets that a request names: one is reached through any region's address."""
        if service != "s3" or not self._state.overlay.lost:
            return []
        paths = (str(environ.get("PATH_INFO", "")), unquote(str(environ.get("HTTP_X_AMZ_COPY_SOURCE", ""))))
        buckets = (self._state.bucket(path.lstrip("/").partition("/")[0]) for path in paths)
        return [bucket.region_name for bucket in buckets if bucket is not None]

    def _control(self, environ: Environ, command: str) -> Answer:
        given = str(environ.get(TOKEN_HEADER, ""))
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return Answer("403 Forbidden", "text/plain", b"not for you\n")
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if command == "admit":
            token = self._pods.admit(query["namespace"], query["service_account"])
            return Answer("200 OK", "text/plain", token.encode())
        if command == "lose-region":
            self._state.overlay.lost.add(query["region"])
            return Answer("200 OK", "text/plain", b"done\n")
        if command == "restore-region":
            self._state.overlay.lost.discard(query["region"])
            self._s3.replicator.resume()
            return Answer("200 OK", "text/plain", b"done\n")
        if command == "unknown-keys":
            return Answer("200 OK", "text/plain", "\n".join(sorted(self._state.overlay.unknown_keys)).encode())
        if command not in ("save", "settle"):
            return Answer("404 Not Found", "text/plain", b"no such command\n")
        self._s3.replicator.drain()
        self._backup.drain()
        if command == "save":
            self._state.save(Path(query["into"]))
        return Answer("200 OK", "text/plain", b"done\n")


def _whole(chunks: Iterable[bytes]) -> list[bytes]:
    """An answer's body; moto may make it while it is read."""
    try:
        return list(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()  # type: ignore[attr-defined]


class _QuickDispatcher(DomainDispatcherApplication):
    """Remembers which application serves what: to find out, moto lists its own folder at each request."""

    def __init__(self, create_app: Any) -> None:
        super().__init__(create_app)
        self._known: dict[tuple[str, str], Any] = {}

    def get_application(self, environ: Environ) -> Any:
        service = credential_scope(environ)[0]
        key = service, str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")[0]
        if key not in self._known:
            self._known[key] = super().get_application(environ)
        return self._known[key]


def credential_scope(environ: Mapping[str, Any]) -> tuple[str, str]:
    """(service, region) of a signed or presigned request; S3 for an anonymous one."""
    text = str(environ.get("HTTP_AUTHORIZATION", ""))
    marker = "Credential="
    if marker not in text:
        text = unquote(str(environ.get("QUERY_STRING", "")))
        marker = "X-Amz-Credential="
    if marker in text:
        scope = text.split(marker, 1)[1].split(",")[0].split("&")[0].split("/")
        if len(scope) >= 5:
            return scope[3].lower(), scope[2]
    return "s3", "us-east-1"
