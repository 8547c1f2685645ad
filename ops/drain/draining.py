"""Takes one server of a service away under steady load, and says what clients noticed.

Three ways: `drain`, as Kubernetes removes a pod; `cut`, without its preStop hook; `crash`, as the kernel or a machine
ends one. What Kubernetes does to a pod that is deleted: its endpoint leaves the Service's slices while the kubelet
runs the preStop hook; then comes SIGTERM, and SIGKILL when the grace period is over
(kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, "Termination of Pods", read 2026-11-22).
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from common.errors import UserError
from localcloud.front import TritonServer, kept
from localcloud.gateway import Admin, Backends
from ops.serving.golden import Latency, latency

_LOAD: Final = Path(__file__).with_name("load.py")
_RETRIES: Final = r"^cluster\.(http|grpc)route/.*\.upstream_rq_retry$"
_RETRIES_HELPED: Final = r"^cluster\.(http|grpc)route/.*\.upstream_rq_retry_success$"

PROPAGATION_SECONDS: Final = 5.0
"""What a pod's endpoint may take to leave the slices, the watch and Envoy's configuration. Believed: a busy
control plane takes seconds, and a drain must outlast it."""

Way = Literal["drain", "cut", "crash"]


class DoorUnderLoad(Protocol):
    """What a drain needs of a door."""

    @property
    def admin(self) -> Admin: ...

    def update(self, *, backends: Backends) -> None:
        """Send requests to these pods only."""


@dataclass(frozen=True)
class Pace:
    """How long a pod's end takes, in seconds; a stack's settings, or a stated part of them."""

    drain_s: float
    """Between the pod's deletion and SIGTERM: the preStop hook."""
    exit_timeout_s: float
    """What Triton may take for requests in flight, after SIGTERM."""
    propagation_s: float = PROPAGATION_SECONDS
    """Between the pod's deletion and the door's knowing of it."""
    scale: float = 1.0
    """The part of the settings' time that this is."""

    @classmethod
    def of(cls, drain_seconds: int, exit_timeout_seconds: int, scale: float = 1.0) -> Pace:
        """A stack's `drain_seconds` and `exit_timeout_seconds`, each times `scale`."""
        return cls(drain_seconds * scale, exit_timeout_seconds * scale, PROPAGATION_SECONDS * scale, scale)


@dataclass(frozen=True)
class Load:
    """Steady requests to one service, over both protocols."""

    url: str
    host: str
    grpc_target: str
    grpc_host: str
    model: str
    inputs: Sequence[Mapping[str, Any]]
    """As Triton's HTTP protocol has them: name, datatype, shape and data."""
    count: int
    """Requests of each protocol."""
    ca: str = ""
    """Who signed the door's certificate; empty: it speaks no TLS."""
    token: str = ""
    workers: int = 4
    """Clients of each protocol, each with a connection of its own over HTTP, and all with one channel over gRPC."""
    interval_s: float = 0.01
    """Between two requests of one client."""
    timeout_s: float = 10.0

    def job(self) -> str:
        """As the script takes it."""
        told = asdict(self)
        inputs = told.pop("inputs")
        return json.dumps({**told, "http_body": json.dumps({"inputs": inputs}), "grpc_inputs": inputs})


@dataclass(frozen=True)
class Noticed:
    """What clients of one protocol saw."""

    requests: int
    failed: int
    latency: Latency | None
    reasons: tuple[str, ...]
    """Of the first failures."""


@dataclass(frozen=True)
class Record:
    """One server taken away under load."""

    way: Way
    http: Noticed
    grpc: Noticed
    retried: int
    """Further attempts that Envoy made, by its own counters."""
    helped: int
    """Of those, how many were answered."""
    removed_s: float
    """From the deletion until Envoy asked it no more; 0 for a crash, which nobody tells it of."""
    ended_s: float
    """From SIGTERM or SIGKILL until the server was gone."""
    seconds: float
    """Of the whole load."""
    rest: int
    """Requests that had ended before the server was taken away, so that the load is known to have been steady."""
    scale: float

    @property
    def requests(self) -> int:
        """Of both protocols."""
        return self.http.requests + self.grpc.requests

    @property
    def failed(self) -> int:
        """Of both protocols."""
        return self.http.failed + self.grpc.failed

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, with the totals."""
        return {**asdict(self), "requests": self.requests, "failed": self.failed}


def take_away(
    way: Way,
    door: DoorUnderLoad,
    server: TritonServer,
    staying: Backends,
    load: Load,
    python: Path,
    pace: Pace,
    *,
    log: Path,
    after: float = 0.2,
) -> Record:
    """Load the door, take `server` away when the part `after` of the requests has ended, and see the load to its end.

    Args:
        staying: the pods of every service of the door, without that server.
        python: the serving environment's interpreter.
        log: the file for what the load's script says.

    Raises:
        UserError: the load's script does not run, or the server is gone before it was to go.
    """
    before = door.admin.total(_RETRIES), door.admin.total(_RETRIES_HELPED)
    threshold = int(load.count * after)
    with _running(load, python, log) as script:
        ended_before = script.wait_for(threshold)
        server.check()
        removed_s, ended_s = _END[way](door, server, staying, pace)
        told = script.result()
    return Record(
        way,
        _noticed(told["http"]),
        _noticed(told["grpc"]),
        door.admin.total(_RETRIES) - before[0],
        door.admin.total(_RETRIES_HELPED) - before[1],
        round(removed_s, 3),
        round(ended_s, 3),
        told["seconds"],
        ended_before,
        pace.scale,
    )


def _drain(door: DoorUnderLoad, server: TritonServer, staying: Backends, pace: Pace) -> tuple[float, float]:
    deleted = time.monotonic()
    removed: list[float] = []

    def remove() -> None:
        time.sleep(pace.propagation_s)
        door.update(backends=staying)
        removed.append(time.monotonic() - deleted)

    # Neither waits for the other: that the endpoint is gone before SIGTERM is for the preStop hook to see to.
    controller = threading.Thread(target=remove)
    controller.start()
    time.sleep(pace.drain_s)
    ended_s = _stop(server.stop)
    controller.join()
    return (removed[0] if removed else -1.0), ended_s


def _cut(door: DoorUnderLoad, server: TritonServer, staying: Backends, pace: Pace) -> tuple[float, float]:
    return _drain(door, server, staying, Pace(0.0, pace.exit_timeout_s, pace.propagation_s, pace.scale))


def _crash(_door: DoorUnderLoad, server: TritonServer, _staying: Backends, _pace: Pace) -> tuple[float, float]:
    return 0.0, _stop(server.kill)


def _stop(end: Callable[[], None]) -> float:
    began = time.monotonic()
    end()
    return time.monotonic() - began


_END: Final[Mapping[Way, Callable[[DoorUnderLoad, TritonServer, Backends, Pace], tuple[float, float]]]] = {
    "drain": _drain,
    "cut": _cut,
    "crash": _crash,
}


def _noticed(told: Mapping[str, Any]) -> Noticed:
    failures = [reason for _, reason in told["failures"]]
    answered = told["latencies_s"]
    return Noticed(len(answered) + len(failures), len(failures), latency(answered), tuple(failures[:3]))


class _Script:
    """The load's script while it runs."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log
        self._last = ""

    def wait_for(self, requests: int) -> int:
        """Until so many requests of one protocol have ended."""
        while True:
            line = self._line()
            ended = int(line.removeprefix("sent ")) if line.startswith("sent ") else 0
            if ended >= requests:
                return ended

    def result(self) -> dict[str, Any]:
        """What it found."""
        while not self._last.startswith("{"):
            self._line()
        return json.loads(self._last)

    def _line(self) -> str:
        self._last = self._process.stdout.readline() if self._process.stdout else ""
        if not self._last:
            said = self._log.read_text(encoding="utf-8", errors="replace").strip()[-400:]
            raise UserError(f"the load ended early: {said}", str(self._log), "Read that log.")
        return self._last


@contextmanager
def _running(load: Load, python: Path, log: Path) -> Iterator[_Script]:
    """The script, ended with the block whatever happens."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            kept([python, "-I", _LOAD]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
    try:
        with process:
            if process.stdin is not None:
                process.stdin.write(load.job())
                process.stdin.close()
            yield _Script(process, log)
            process.terminate()
    except BaseException:
        process.terminate()
        process.wait()
        raise
