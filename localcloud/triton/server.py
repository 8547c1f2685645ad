"""Runs a real Triton server on this machine, for as long as a `with` block lasts."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import requests

from common.errors import UserError
from common.target import Target
from localcloud.triton import guardian
from localcloud.triton.runtime import (
    EXIT_TIMEOUT_S,
    inspect_runtime,
    repository_argument,
    server_command,
    server_environment,
    stage_backends,
)

START_TIMEOUT_S = 120.0
PORT_ATTEMPTS = 3
"""A port that was free may be taken when Triton binds it: then others are tried."""
_GRACE_S = EXIT_TIMEOUT_S + 1
_HEALTH_TIMEOUT_S = 2.0
_TELLING = re.compile(r"^[EF]\d{4} |^error|^\| .*UNAVAILABLE|Error:|Exception", re.IGNORECASE)
_HARMLESS = re.compile(r"CudaDriverHelper|NVML|DCGM|CUDA driver version")
"""What Triton always says on a machine without a GPU."""
_PORT_TAKEN = re.compile(r"already in use|failed to start (HTTP|GRPC|Metrics) service", re.IGNORECASE)


class TritonServer:
    """A Triton server over a model repository, ready when the `with` block begins and gone when it ends.

    It listens on loopback only, on free ports, and ends with this process, however this process ends.

    Args:
        repository: a folder, or `s3://bucket/prefix` or `gs://bucket/prefix` as production writes it.
        python: the serving environment's interpreter.
        target: where that bucket is.
        features: the `SEAWALL_FEATURES_…` variables.
        log: the file for the server's output; truncated.
        region: of an S3 bucket.
        start_timeout_s: longest wait for readiness, in seconds.

    Raises:
        UserError: (on entry) the server ended or was not ready in time, with the telling lines of its log.
    """

    def __init__(
        self,
        repository: str,
        python: Path,
        target: Target,
        features: Mapping[str, str],
        *,
        log: Path,
        region: str | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self._repository = repository
        self._python = python
        self._target = target
        self._features = dict(features)
        self._log = log
        self._region = region
        self._start_timeout_s = start_timeout_s
        self._guardian: subprocess.Popen[bytes] | None = None
        self._ports = (0, 0, 0)
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
        for attempt in range(1, PORT_ATTEMPTS + 1):
            folder = Path(tempfile.mkdtemp(prefix="seawall-triton-"))
            shm_prefix = f"seawall-{secrets.token_hex(6)}-"
            try:
                backends, models = folder / "backends", folder / "models"
                backends.mkdir()
                models.mkdir()
                stage_backends(runtime, backends)
                self._ports = free_ports()
                self._launch(
                    folder,
                    shm_prefix,
                    server_command(
                        runtime,
                        repository_argument(self._repository, self._target),
                        backends,
                        self._ports,
                        shm_prefix,
                    ),
                    server_environment(runtime, self._target, self._region, self._features, models, os.environ),
                )
                self._wait(started + self._start_timeout_s)
            except BaseException as error:
                self.stop()
                shutil.rmtree(folder, ignore_errors=True)  # its guardian may never have started
                if isinstance(error, _PortTakenError) and attempt < PORT_ATTEMPTS:
                    continue
                raise
            self.ready_after_s = time.monotonic() - started
            return self
        raise AssertionError("the last attempt returns or raises")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server and removes what it left; safe to call twice."""
        process, self._guardian = self._guardian, None
        if process is None:
            return
        if process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_GRACE_S + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def check(self) -> None:
        """Raises UserError, with the telling lines of its log, if the server is gone."""
        if self._guardian is not None and self._guardian.poll() is not None:
            raise self._failure(f"Triton ended by itself (exit status {self._guardian.returncode})")

    def _launch(self, folder: Path, shm_prefix: str, command: list[str], environment: dict[str, str]) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        guard = [sys.executable, "-I", "-S", guardian.__file__, str(folder), shm_prefix, str(_GRACE_S)]
        with self._log.open("wb") as log:
            self._guardian = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # A Ctrl-C in the terminal is for the command; it ends this server in its own time.
                start_new_session=True,
            )

    def _wait(self, deadline: float) -> None:
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business on loopback
            while True:
                self.check()
                with contextlib.suppress(requests.RequestException):
                    if session.get(f"{self.http_url}/v2/health/ready", timeout=_HEALTH_TIMEOUT_S).ok:
                        return
                if time.monotonic() > deadline:
                    raise self._failure(f"Triton was not ready within {self._start_timeout_s:.0f} s")
                time.sleep(0.05)

    def _failure(self, what: str) -> UserError:
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.is_file() else ""
        said = telling_lines(text)
        kind = _PortTakenError if _PORT_TAKEN.search(text) else UserError
        return kind(f"{what}:\n{said}" if said else what, f"{self._repository}, log in {self._log}", _REMEDY)


_REMEDY = "mend what the log names (a model's file or configuration, the bucket, a variable), then run it again"


class _PortTakenError(UserError):
    """Another program took a port between choosing and binding it."""


def telling_lines(log: str, most: int = 12, width: int = 400) -> str:
    """The last lines of Triton's log that tell of errors, or simply the last ones."""
    lines = [line.strip()[:width] for line in log.splitlines() if line.strip() and not _HARMLESS.search(line)]
    telling = [line for line in lines if _TELLING.search(line)]
    return "\n".join(list(dict.fromkeys(telling))[-most:] or lines[-most:])


def free_ports() -> tuple[int, int, int]:
    """Three different ports that were free on loopback a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        http, grpc, metrics = (each.getsockname()[1] for each in sockets)
    return http, grpc, metrics
