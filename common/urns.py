"""What a URN says of its resource: its stack, its type and its name."""

from __future__ import annotations

from typing import NamedTuple


class Urn(NamedTuple):
    """The parts of a URN that tell one resource from others."""

    stack: str
    type: str
    """The last of the types that lead down to it."""
    name: str


def urn_parts(urn: str) -> Urn:
    """The parts of `urn:pulumi:<stack>::<project>::<types, joined by $>::<name>`; empty ones where it is no URN."""
    head, *parts = urn.split("::", 3)
    if len(parts) < 3 or not head.startswith("urn:pulumi:"):
        return Urn("", "", "")
    return Urn(head.removeprefix("urn:pulumi:"), parts[1].rpartition("$")[2], parts[2])
