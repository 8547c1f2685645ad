"""What can be wrong, and how the log tells it: one line with what, where and remedy."""

from __future__ import annotations

from typing import Final

BROKEN: Final = 1
"""Exit code: the release is not what the settings pin."""
BLOCKED: Final = 2
"""Exit code: the release could not be fetched; another attempt may."""


class FetchError(Exception):
    """Why the release is not served; its text is the whole line."""

    def __init__(self, what: str, where: str, remedy: str, *, code: int = BLOCKED) -> None:
        super().__init__(f"error: {what}; where: {where}; remedy: {remedy}")
        self.code = code


class NoAnswerError(Exception):
    """A request that failed on its way, and may succeed when it is made again."""
