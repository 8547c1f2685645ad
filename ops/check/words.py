"""Makes text of any origin safe to print: what a terminal, XML or UTF-8 cannot hold is shown as an escape."""

from __future__ import annotations

import re
from typing import Final

_UNSAFE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters but tab and line ends, separators that some readers take for line ends, and no characters."""
_OVERRIDES: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what follows, so that it reads as something else."""


def safe(text: str) -> str:
    """`text` with each character that could break a reader written as an escape; line ends and tabs stay."""
    return _OVERRIDES.sub(_escaped, _UNSAFE.sub(_escaped, text))


def one_line(text: str) -> str:
    """`text` made safe, on one line."""
    return " ".join(safe(text).split())


def cut(text: str, most: int) -> str:
    """At most `most` characters of `text`; where it is cut, it ends in an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _escaped(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
