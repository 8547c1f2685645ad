"""How a command ends other than well: what a user can fix, and an interrupt that says what became of the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_CLEAN = 0
EXIT_FOUND = 1
EXIT_COULD_NOT_RUN = 2
EXIT_INTERRUPTED = 130
"""What shells expect of a command that Ctrl-C ended; SIGTERM ends it in the same way."""
EXIT_OUTPUT_CLOSED = 141
"""What shells expect of a command whose reader went away, as in `seawall plan | head -1`: 128 + SIGPIPE."""


class UserError(Exception):
    """Something that the user can fix: printed as three plain lines, never as a traceback (exit code 2).

    Args:
        what: what went wrong, with the offending value.
        where: the file, key, resource or address that it concerns.
        remedy: what to do about it.
    """

    def __init__(self, what: str, where: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n  where:  {self.where}\n  remedy: {self.remedy}"


class Interrupted(KeyboardInterrupt):
    """An interrupt that says what became of the work.

    Args:
        left: the state that things are in now, and how to go on.
    """

    def __init__(self, left: str) -> None:
        super().__init__(left)
        self.left = left


@contextmanager
def when_interrupted(left: str | Callable[[], str]) -> Iterator[None]:
    """Have an interrupt of the block say `left`, unless something inside said it better.

    Raises:
        Interrupted: for any other KeyboardInterrupt.
    """
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted(left if isinstance(left, str) else left()) from None
