"""Runs a program, and ends it with everything that it started: when it ends, or when whoever asked for it is gone.

    python -I -S keeper.py PARENT_PID FORWARD PROGRAM ARGUMENT…

Pulumi's engine starts plugins in process groups of their own, and the language host outlives an engine that is
killed. So the keeper adopts what the engine leaves behind (Linux: PR_SET_CHILD_SUBREAPER) and kills it. An
interrupt is passed on if FORWARD is 1; with 0 the program shares a terminal and gets its own. It imports nothing
that takes time, and ends as its program did.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_SURE_AFTER = 3
_LINUX = sys.platform == "linux"


def _prctl(option: int, value: int) -> None:
    if _LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _start(program: list[str]) -> int:
    """Fork and exec: safe here, where there is one thread."""
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
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


def _kill_all() -> None:
    # The list is not made in one moment: what is handed from parent to parent meanwhile can be missed once.
    unseen = 0
    while unseen < _SURE_AFTER:
        left = _descendants()
        unseen = 0 if left else unseen + 1
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Never wait for one in particular: another may have been forked since the list was made.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.005)


def main() -> None:
    """Keep the program named by the arguments."""
    parent, forward, program = int(sys.argv[1]), sys.argv[2] == "1", sys.argv[3:]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    child = 0

    def end(*_: object) -> None:
        _kill_all()
        os._exit(128 + signal.SIGTERM)

    def interrupt(*_: object) -> None:
        if forward and child:
            os.kill(child, signal.SIGINT)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, interrupt)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
    child = _start(program)
    _, status = os.waitpid(child, 0)
    _kill_all()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
