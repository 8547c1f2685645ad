"""Runs a program, and ends it with everything that it started: when it ends, when it is told to, or when whoever
asked for it is gone, however that went.

    python -I -S keeper.py PARENT_PID INTERRUPT GRACE_SECONDS [REMOVE…] -- PROGRAM ARGUMENT…

Pulumi's engine starts plugins in process groups of their own, and the language host outlives an engine that is
killed. So the keeper adopts what its program leaves behind (Linux: PR_SET_CHILD_SUBREAPER) and kills it.

INTERRUPT is `forward` (Ctrl-C is passed on to the program), `share` (the program has the terminal and gets its own)
or `ignore`. SIGTERM ends the program, at once or after GRACE_SECONDS. REMOVE are files and folders, `*` allowed, that
are removed at the end. A program whose parent is gone is killed at once: the lock that it worked under is free by
then. The keeper imports nothing that takes time, and ends as its program did.
"""

import contextlib
import ctypes
import glob
import os
import select
import shutil
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_SURE_AFTER = 3
_LOOK_SECONDS = 0.1
_LINUX = sys.platform == "linux"


def _prctl(option: int, value: int) -> None:
    if _LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _start(program: list[str], ignore_interrupt: bool) -> int:
    """Fork and exec: safe here, where there is one thread."""
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    # Python ignores SIGPIPE for itself; the program expects the system's default.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    if ignore_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        if os.getppid() == keeper:
            os.execvp(program[0], program)  # noqa: S606 - to become the program is the point
    except OSError as e:
        sys.stderr.write(f"{program[0]}: {e.strerror}\n")
    os._exit(127)


def _descendants() -> list[int]:
    """Every running process below this one, by /proc."""
    children: dict[int, list[int]] = {}
    dead: set[int] = set()
    for name in os.listdir("/proc") if _LINUX else ():  # noqa: PTH208 - pathlib takes time to import
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                state, parent = file.read().rsplit(b")", 1)[1].split()[:2]
                children.setdefault(int(parent), []).append(int(name))
                if state == b"Z":
                    dead.add(int(name))
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return [pid for pid in found if pid not in dead]


class Keeper:
    """One program that is kept."""

    def __init__(self, program: list[str], *, interrupt: str, grace_seconds: float, remove: list[str]) -> None:
        self._grace_seconds = grace_seconds
        self._remove = remove
        self._status: int | None = None
        self._child = 0
        self._told_to_end = False
        self._awake, wake = os.pipe()
        for end in (self._awake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._forward if interrupt == "forward" else lambda *_: None)
        self._child = _start(program, ignore_interrupt=interrupt == "ignore")

    def _end(self, *_: object) -> None:
        self._told_to_end = True

    def _forward(self, *_: object) -> None:
        if self._child:
            os.kill(self._child, signal.SIGINT)

    def _sleep(self, seconds: float) -> None:
        """Until a signal arrives, at most `seconds`; collects who has ended."""
        if select.select([self._awake], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._awake, 4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._child:
                    self._status = ended[1]

    def keep(self, parent: int) -> int:
        """Wait until it has ended, was told to, or `parent` is gone; returns its wait status, SIGTERM's if ended."""
        while self._status is None and not self._told_to_end and os.getppid() == parent:
            self._sleep(_LOOK_SECONDS)
        if self._status is None and self._told_to_end and self._grace_seconds:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGTERM)
            deadline = time.monotonic() + self._grace_seconds
            while self._status is None and os.getppid() == parent and time.monotonic() < deadline:
                self._sleep(_LOOK_SECONDS)
        ended_by_itself = self._status
        self._kill_all()
        for pattern in self._remove:
            for path in glob.glob(pattern):  # noqa: PTH207 - pathlib takes time to import
                if os.path.isdir(path):  # noqa: PTH112
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    with contextlib.suppress(OSError):
                        os.unlink(path)  # noqa: PTH108
        return signal.SIGTERM if ended_by_itself is None else ended_by_itself

    def _kill_all(self) -> None:
        # The list is not made in one moment: what is handed from parent to parent meanwhile can be missed once.
        unseen = 0
        while unseen < _SURE_AFTER:
            left = _descendants()
            unseen = 0 if left else unseen + 1
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._sleep(0.005)


def main() -> None:
    """Keep the program named by the arguments."""
    own, program = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != int(own[0]):
        sys.exit(1)
    status = Keeper(program, interrupt=own[1], grace_seconds=float(own[2]), remove=own[3:]).keep(int(own[0]))
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.set_wakeup_fd(-1)
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
