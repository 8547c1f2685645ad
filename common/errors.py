"""The errors that a user of the `seawall` command can cause and mend."""

from __future__ import annotations

EXIT_CLEAN = 0
EXIT_FOUND = 1
EXIT_COULD_NOT_RUN = 2


class UserError(Exception):
    """Something that the user can mend: printed as three plain lines, never as a traceback (exit code 2).

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
