"""Runs a real Triton server on this machine, for as long as a `with` block lasts."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import requests

from common.errors import UserError
from localcloud.processes.process import ServerProcess, start_on_free_ports
from localcloud.triton.runtime import (
    EXIT_TIMEOUT_S,
    Runtime,
    inspect_runtime,
    server_command,
    server_environment,
    stage_backends,
)

START_TIMEOUT_S = 120.0
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the kernel's, not a temporary file of ours
_REMEDY = "Fix what the log names (a model's file or configuration, the bucket, a variable), then run it again."
_HEALTH_TIMEOUT_S = 2.0
_TELLING = re.compile(r"^[EF]\d{4} |^error|^\| .*UNAVAILABLE|Error:|Exception", re.IGNORECASE)
_HARMLESS = re.compile(r"CudaDriverHelper|NVML|DCGM|CUDA driver version")
"""What Triton always says on a machine without a GPU."""


class TritonServer:
    """A Triton server over a model repository, ready when the `with` block begins and gone when it ends.

    It listens on loopback only, on free ports, and ends with this process, however this process ends.

    Args:
        repository: the folder of models, which the server only reads.
        python: the serving environment's interpreter.
        features: the `SEAWALL_FEATURES_…` variables.
        log: the file for the server's output; truncated.
        identity: how the models' SDKs find the cloud and their credentials, as `Target.admit` gives it.
        start_timeout_s: longest wait for readiness, in seconds.
        exit_timeout_s: what it may take for requests in flight when it is told to end.
        flags: the server's beside those that every server here has.

    Raises:
        UserError: (on entry) the server ended or was not ready in time, with the telling lines of its log.
    """

    def __init__(
        self,
        repository: Path,
        python: Path,
        features: Mapping[str, str],
        *,
        log: Path,
        identity: Mapping[str, str],
        start_timeout_s: float = START_TIMEOUT_S,
        exit_timeout_s: int = EXIT_TIMEOUT_S,
        flags: Sequence[str] = (),
    ) -> None:
        self._flags = tuple(flags)
        self._repository = repository
        self._python = python
        self._features = dict(features)
        self._log = log
        self._identity = dict(identity)
        self._start_timeout_s = start_timeout_s
        self._exit_timeout_s = exit_timeout_s
        self._process: ServerProcess | None = None
        self._ports: tuple[int, ...] = (0, 0, 0)
        self.ready_after_s = 0.0
        """Time from start to readiness, in seconds."""

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self._ports[1]}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self._ports[2]}/metrics"

    def __enter__(self) -> TritonServer:
        runtime = inspect_runtime(self._python)
        started = time.monotonic()
        try:
            self._process, self._ports = start_on_free_ports(lambda ports: self._make(runtime, ports), 3)
        except UserError as error:
            raise UserError(error.what, f"{self._repository}, log in {self._log}", error.remedy) from error
        self.ready_after_s = time.monotonic() - started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server and removes what it left; safe to call twice."""
        if self._process is not None:
            self._process.stop()

    @property
    def pod(self) -> tuple[str, int, int]:
        """Address, HTTP port and gRPC port, as the gateway takes them."""
        return ("127.0.0.1", self._ports[0], self._ports[1])

    def kill(self) -> None:
        """Ends the server as a kernel without memory does, with no word to it; what it left is removed."""
        if self._process is not None:
            self._process.kill()

    def check(self) -> None:
        """Raises UserError, with the telling lines of its log, if the server is gone."""
        if self._process is not None:
            self._process.check()

    def _make(self, runtime: Runtime, ports: tuple[int, ...]) -> ServerProcess:
        folder = Path(tempfile.mkdtemp(prefix="seawall-triton-"))
        shm_prefix = f"seawall-{secrets.token_hex(6)}-"
        backends = folder / "backends"
        backends.mkdir()
        stage_backends(runtime, backends)
        http, grpc, metrics = ports
        return ServerProcess(
            "Triton",
            server_command(
                runtime,
                self._repository,
                backends,
                (http, grpc, metrics),
                shm_prefix,
                self._exit_timeout_s,
                self._flags,
            ),
            self._log,
            remedy=_REMEDY,
            ready=lambda: _is_ready(ports[0]),
            environment=server_environment(runtime, self._identity, self._features, os.environ),
            start_seconds=self._start_timeout_s,
            grace_seconds=self._exit_timeout_s + 1,
            # Triton leaves both behind when it has to be killed.
            remove=(folder, SHARED_MEMORY / f"{shm_prefix}*"),
            tell=telling_lines,
        )


def _is_ready(port: int) -> bool:
    with requests.Session() as session, contextlib.suppress(requests.RequestException):
        session.trust_env = False  # a proxy has no business on loopback
        return session.get(f"http://127.0.0.1:{port}/v2/health/ready", timeout=_HEALTH_TIMEOUT_S).ok
    return False


def telling_lines(log: Path, most: int = 12, width: int = 400) -> list[str]:
    """The last lines of Triton's log that tell of errors, or simply the last ones."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    lines = [line.strip()[:width] for line in text.splitlines() if line.strip() and not _HARMLESS.search(line)]
    errors = [line for line in lines if _TELLING.search(line)]
    return list(dict.fromkeys(errors))[-most:] or lines[-most:]
