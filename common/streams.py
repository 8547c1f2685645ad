"""Standard output and error as a command needs them: a reader that goes away, or a full disk, ends it properly.

Python's own raise BrokenPipeError, which the libraries for terminals turn into exit code 1: "found something".
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any, Final, TextIO

PLAIN: Final = {"✓": "+", "✗": "x", "■": "!", "…": "...", "├": "|", "│": "|", "└": "`", "·": "-", "→": "->", "×": "x"}
"""What is printed where the locale's encoding has no such character; anything else becomes a question mark."""

_PLAIN_HANDLER: Final = "seawall-plain"


class OutputClosedError(BaseException):
    """Whoever read the output has gone, as `head` does. No OSError: nothing on the way may take it for one."""


class _Raw(io.FileIO):
    """One of the process's own streams."""

    def __init__(self, descriptor: int, title: str) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._title = title

    def write(self, data: Any, /) -> int | None:
        try:
            return super().write(data)
        except BrokenPipeError:
            self._mute()
            raise OutputClosedError from None
        except OSError as error:
            self._mute()
            raise OSError(error.errno, error.strerror, self._title) from None

    def _mute(self) -> None:
        """Have what is still buffered go nowhere: Python writes it again when it ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def plain(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler: see `PLAIN`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


def guard() -> None:
    """Replace the process's standard output and error; a stream that is closed is written to nowhere."""
    codecs.register_error(_PLAIN_HANDLER, plain)
    sys.stdout = _guarded(sys.stdout, "standard output")
    sys.stderr = _guarded(sys.stderr, "standard error")


def _guarded(stream: TextIO | None, title: str) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - lives as long as the process
    stream.flush()
    raw = _Raw(stream.fileno(), title)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=_PLAIN_HANDLER,
        line_buffering=raw.isatty() or stream is sys.stderr,
    )
