"""Becomes a program that the kernel ends together with the thread that started it (Linux only).

    python -I -S leash.py PARENT_PID PROGRAM ARGUMENT…

A program of its own, and not a `preexec_fn`: that needs a real fork, which is unsafe beside threads, and gRPC's
fork handlers complain. It imports nothing that takes time.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Arm the death signal, then turn into the program; the setting survives the exec."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    # Python ignores SIGPIPE for itself; the program expects the system's default.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)  # it ended before the signal was armed
    try:
        os.execvp(program[0], program)  # noqa: S606 - to become the program is the point
    except OSError as e:
        sys.exit(f"{program[0]}: {e.strerror}")


if __name__ == "__main__":
    main()
