"""Starts processes that never outlive the command: servers that are waited for, and builds that show progress."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final, Literal, NoReturn

from common.errors import UserError

DEFAULT_START_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 5.0
"""What a server that is told to end may take, before it is killed."""
START_ATTEMPTS: Final = 5
"""A port that was free may be taken when a server binds it: then others are tried."""
_PORTS: Final = range(20000, 30000)
"""Below 32768, where Linux begins to give ports to connections (ip_local_port_range), and free of what the servers
here listen on by default."""
_SYSTEM_RANDOM: Final = random.SystemRandom()
"""Not the seeded generator: two tests that seed it alike would try the same ports."""
_given: Final = deque[int](maxlen=5_000)
_giving: Final = threading.Lock()
_KILL_SECONDS: Final = 2.0
_KILLED_SECONDS: Final = 0.005
_POLL_SECONDS: Final = 0.25
_TAIL_BYTES: Final = 16384
_COMMAND_MARK: Final = "$ "
_TOLD_LINES: Final = 3
"""What of a failed command's output goes into the error: its cause is often not in the last line alone."""
_PORT_TAKEN: Final = re.compile(r"already in use|failed to start (HTTP|GRPC|Metrics) service", re.IGNORECASE)

Interrupt = Literal["forward", "share", "ignore"]


def kept(
    command: Sequence[str | Path],
    *,
    interrupt: Interrupt = "ignore",
    grace_seconds: float = 0.0,
    remove: Sequence[str | Path] = (),
) -> list[str]:
    """`command`, started so that all it starts ends with it, and with this process; see `keeper`.

    Args:
        interrupt: what a Ctrl-C does: `forward` passes it on, `share` leaves it to the terminal.
        grace_seconds: between SIGTERM and SIGKILL, when it is told to end.
        remove: files and folders that are removed at the end; `*` is allowed.
    """
    keeper = str(Path(__file__).with_name("keeper.py"))
    own = [str(os.getpid()), interrupt, str(grace_seconds), *map(str, remove)]
    return [sys.executable, "-I", "-S", keeper, *own, "--", *map(str, command)]


def last_lines(log: Path, count: int = 12) -> list[str]:
    """The last lines of a log, at most `count`, without the commands that wrote it; none if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n")]
    return [line for line in lines if line and not line.startswith(_COMMAND_MARK)][-count:]


class ServerProcess:
    """A server that says when it listens: by printing its port, or by answering.

    It runs in a session of its own, so that a Ctrl-C meant for the command does not reach it before its data is
    saved, and ends with this process.

    Args:
        name: how messages call it.
        command: the program and its arguments.
        log: where its output goes.
        remedy: what a user does when it dies.
        announce: a regular expression with one group, the port, that it prints; None if it prints none.
        ready: asked until it is true, where there is nothing to read.
        grace_seconds: between the request to end and its death.
        remove: what goes when it ends; see `kept`.
        tell: the lines of the log that tell why it failed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        remedy: str,
        announce: str | None = r"^listening on (\d+)$",
        ready: Callable[[], bool] | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        start_seconds: float = DEFAULT_START_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
        remove: Sequence[str | Path] = (),
        tell: Callable[[Path], Sequence[str]] = last_lines,
    ) -> None:
        self.name = name
        self.port = 0
        self._command = list(command)
        self._log = log
        self._remedy = remedy
        self._announce = re.compile(announce, re.MULTILINE) if announce and ready is None else None
        self._ready = ready
        self._environment = environment
        self._cwd = cwd
        self._start_seconds = start_seconds
        self._grace_seconds = grace_seconds
        self._remove = remove
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of its keeper, with which it ends, while it was started and not stopped."""
        return self._process.pid if self._process else None

    def start(self) -> int:
        """Start it and wait until it serves; returns its port (0 if it does not print one).

        Raises UserError if the program is missing, dies, or does not serve in time; nothing is left running then.
        """
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.write_bytes(b"")
        try:
            with self._log.open("ab") as log:
                self._process = _popen(
                    kept(self._command, grace_seconds=self._grace_seconds, remove=self._remove),
                    log,
                    self._cwd,
                    self._environment,
                )
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self.port

    def check(self) -> None:
        """Raise UserError if it was started and is gone, with the last lines of its log."""
        code = self._process.poll() if self._process else None
        if code is not None:
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise self._error(f"{self.name} {how}")

    def stop(self) -> None:
        """End it and every process that it started; never raises."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self._grace_seconds + _KILL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        clean_up(process, self._remove)

    def kill(self) -> None:
        """Kill it and every process that it started, at once and without a word to any of them; never raises."""
        process, self._process = self._process, None
        if process is None:
            return
        # Its keeper dies with it: what it kept is told by the kernel, which sends SIGKILL too.
        process.kill()
        process.wait()
        clean_up(process, self._remove)

    def tail(self) -> str:
        """The lines of its log that tell most."""
        return "\n".join(self._tell(self._log))

    def lost_its_port(self) -> bool:
        """Whether its log says that another program has the port."""
        return bool(_PORT_TAKEN.search("\n".join(last_lines(self._log, 200))))

    def _wait(self) -> None:
        deadline = time.monotonic() + self._start_seconds
        pause = 0.01
        while not self._serves():
            self.check()
            if time.monotonic() > deadline:
                raise self._error(f"{self.name} did not start within {self._start_seconds:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def _serves(self) -> bool:
        if self._announce is None:
            return self._ready is None or self._ready()
        found = self._announce.search(self._log.read_text(errors="replace"))
        if found:
            self.port = int(found[1])
        return found is not None

    def _error(self, what: str) -> UserError:
        tail = self.tail()
        text = f"{what}. Its last words:\n{tail}" if tail else f"{what}, without a word in its log"
        return UserError(text, str(self._log), self._remedy)


def session_members(session: int) -> Iterator[int]:
    """The running processes of a session, by /proc."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            # proc(5): after the name in parentheses stand the state, the parent, the group and the session.
            state, _, _, member_of = entry.read_text().rsplit(")", 1)[1].split()[:4]
            if member_of == str(session) and state != "Z":
                yield int(entry.parent.name)


def clean_up(keeper: subprocess.Popen[Any], remove: Sequence[str | Path] = ()) -> None:
    """Do what a keeper that leads its own session, and was killed itself, could not do any more.

    What it kept dies with it; what that has started is in its session, and is ended here. `remove` is as for `kept`.
    """
    if keeper.returncode != -signal.SIGKILL:
        return
    while members := list(session_members(keeper.pid)):
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_KILLED_SECONDS)
    for pattern in remove:
        for path in map(Path, glob.glob(str(pattern))):  # noqa: PTH207 - patterns are absolute
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def free_ports(count: int, among: Sequence[int] = _PORTS) -> tuple[int, ...]:
    """Different loopback ports that nobody listened on a moment ago, and that this process was not given before.

    A caller binds a port some time after it was given it; until then nobody listens there, and it looked free to the
    next caller too. The system gives the ports of its own range to every connection as well, so they are not used.

    Raises UserError where no port is free.
    """
    return tuple(_free_port(among) for _ in range(count))


def _free_port(among: Sequence[int]) -> int:
    first = _SYSTEM_RANDOM.randrange(len(among))
    for port in itertools.chain(among[first:], among[:first]):
        with _giving, contextlib.closing(socket.socket()) as probe:
            if port in _given:
                continue
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.append(port)
            return port
    raise UserError(
        f"no free port was found among {among[0]} to {among[-1]} on 127.0.0.1",
        "this machine",
        "End programs that listen there: `ss -tln` lists them.",
    )


def start_on_free_ports(
    make: Callable[[tuple[int, ...]], ServerProcess], count: int = 1
) -> tuple[ServerProcess, tuple[int, ...]]:
    """Start a server that cannot pick ports itself; another program that takes one first is tried around.

    Raises UserError, the last attempt's.
    """
    for attempt in range(1, START_ATTEMPTS + 1):
        ports = free_ports(count)
        process = make(ports)
        try:
            process.start()
        except UserError:
            if attempt == START_ATTEMPTS or not process.lost_its_port():
                raise
            continue
        return process, ports
    raise AssertionError("the last attempt returns or raises")


@contextlib.contextmanager
def signals_interrupt() -> Iterator[None]:
    """While the block runs, SIGTERM and a closed terminal end it as Ctrl-C does: by a KeyboardInterrupt.

    So a stopped job saves or takes back what it has half done, as an interrupted one does. Outside the main thread,
    where Python sets no handlers, and for a signal that a caller has taken for itself, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    replaced = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in replaced:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)


def run_logged(
    command: Sequence[str | Path],
    *,
    title: str,
    log: Path,
    cwd: Path,
    environment: Mapping[str, str],
    tick: Callable[[str], None],
) -> None:
    """Run `command`, appending its output to `log`; `tick` gets the last line of the log several times a second.

    The command and its children are stopped when this call is interrupted.

    Raises:
        UserError: the command cannot be started, or ends with an exit status other than 0.
    """
    with log.open("ab") as sink:
        sink.write(f"{_COMMAND_MARK}{' '.join(map(str, command))}\n".encode())
        sink.flush()
        child = _popen(kept(command, grace_seconds=GRACE_SECONDS), sink, cwd, environment)
    try:
        while True:
            try:
                child.wait(_POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                tick("".join(last_lines(log, 1)))
    finally:
        child.terminate()
        child.wait()
        clean_up(child)
    if child.returncode != 0:
        raise UserError(
            f"{title} failed with exit status {child.returncode}: {' | '.join(last_lines(log, _TOLD_LINES))}",
            str(log),
            "Read that log; run the command again once its cause is gone.",
        )


def _popen(
    command: list[str], log: IO[bytes], cwd: Path | None, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=dict(environment) if environment is not None else None,
        start_new_session=True,
    )
