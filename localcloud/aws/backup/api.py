"""AWS Backup's REST-JSON API, for what moto lacks of it; the rest is left to moto.

Time: the emulated clock runs ahead by `plans.AHEAD`. Whenever somebody looks at recovery points or jobs, every rule
of a deployed plan whose schedule comes due within that time has come due once since the resources that it selects
were last written to (`plans.is_due`), so that scheduled backups and their copies happen as deployed, only sooner; a
rule that is silent for longer makes no recovery point. A copy arrives a moment later, in no order. A started backup
job is AWS's on-demand job: it makes one recovery point and copies nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session

from localcloud.aws.answers import Answer, Application, Environ, StartResponse, read_body
from localcloud.aws.backup.engine import BackupEngine, BackupError
from localcloud.aws.state import AwsState

_LOOKS = frozenset(
    {
        "ListRecoveryPointsByBackupVault",
        "ListBackupJobs",
        "ListCopyJobs",
        "DescribeCopyJob",
        "DescribeBackupVault",
    }
)


@dataclass(frozen=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    operation: str


class BackupApi:
    """Finds the operation that a request means, and lets the engine carry it out."""

    def __init__(self, state: AwsState, moto: Application) -> None:
        self._engine = BackupEngine(state)
        self._moto = moto

    def drain(self) -> None:
        """Wait until every copy job has ended."""
        self._engine.drain()

    def call(self, environ: Environ, region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; what moto has whole is left to it."""
        body = read_body(environ)
        uri = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]).split("?")[0]
        found = find_operation(str(environ["REQUEST_METHOD"]), uri)
        handler: Callable[..., dict[str, Any]] | None = (
            getattr(self._engine, _snake(found[0]), None) if found is not None else None
        )
        if found is None or handler is None:
            return self._moto(environ, start_response)
        operation, arguments = found
        arguments |= query_arguments(operation, parse_qs(str(environ.get("QUERY_STRING", ""))))
        try:
            if operation in _LOOKS:
                self._engine.run_schedules()
            told = handler(region, {**arguments, **(json.loads(body) if body else {})})
        except BackupError as e:
            refused = {"__type": e.code, "Code": e.code, "Message": str(e), "message": str(e)}
            return Answer("400 Bad Request", "application/json", json.dumps(refused).encode()).send(start_response)
        return Answer("200 OK", "application/json", json.dumps(told).encode()).send(start_response)


def find_operation(method: str, uri: str) -> tuple[str, dict[str, str]] | None:
    """The operation that a method and a still quoted path stand for, and the parameters in the path."""
    for route in _routes():
        matched = route.pattern.fullmatch(uri) if route.method == method else None
        if matched:
            return route.operation, {k: unquote(v) for k, v in matched.groupdict().items()}
    return None


@cache
def _routes() -> tuple[_Route, ...]:
    model = _model()
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        members = model.operation_model(name).input_shape
        names = {
            shape.serialization.get("name", member): member
            for member, shape in (members.members.items() if members else ())
        }
        path = str(http["requestUri"]).split("?")[0].rstrip("/")
        pattern = re.sub(
            r"\\{(\w+)\\}", lambda m, names=names: f"(?P<{names.get(m[1], m[1])}>[^/]+)", re.escape(path)
        )
        routes.append(_Route(http["method"], re.compile(pattern + "/?"), name))
    # A fixed path wins over one with a parameter in the same place.
    return tuple(sorted(routes, key=lambda r: r.pattern.pattern.count("(?P<")))


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("backup")


def query_arguments(operation: str, query: Mapping[str, list[str]]) -> dict[str, str]:
    shape = _model().operation_model(operation).input_shape
    named = {s.serialization.get("name", m): m for m, s in (shape.members.items() if shape else ())}
    return {named[k]: v[0] for k, v in query.items() if k in named}


def _snake(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
