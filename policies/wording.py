"""Whether what a person wrote into a waiver says something: an owner is a name, a reason a few words of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

_FEWEST_WORDS: Final = 3
_SHORTEST_REASON: Final = 12
_SHORTEST_OWNER: Final = 3
_FEWEST_IDEOGRAPHS: Final = 6

_FILLERS: Final = """
a an and any anybody anyone asap as because blah foo bar baz be been change changeme dummy everybody everyone
example exception false fill fix fixme for foobar here ignore in is it its later me mine my name nan na nil no
nobody none noone nothing null of ok okay on owner pending placeholder reason skip some somebody someone
something stuff tba tbc tbd temp temporarily temporary test testing the these they thing this those tmp to todo
true undefined unknown us user waive waived waiver we why wip xx xxx yes you your
"""
_SAY_NOTHING: Final = frozenset(_FILLERS.split())
"""Words that stand where an answer was asked for, and those that only join others."""

_BEGIN_NOTHING: Final = ("todo", "tbd", "tba", "tbc", "fixme", "wip", "xxx", "placeholder", "changeme")
"""What begins with one of these is yet to be written."""


def is_owner(text: str) -> bool:
    """Whether `text` names somebody."""
    words = _words(text)
    return any(len(word) >= _SHORTEST_OWNER for word in _telling(words)) and not _is_yet_to_come(words)


def is_reason(text: str, repeated: Iterable[str] = ()) -> bool:
    """Whether `text` says why in words of its own: not those of the other fields, `repeated`, alone."""
    words = _words(text)
    if _is_yet_to_come(words) or any(words == _words(other) for other in repeated):
        return False
    telling = _telling(words)
    if len({c for word in telling for c in word if unicodedata.category(c) == "Lo"}) >= _FEWEST_IDEOGRAPHS:
        return True  # a script without spaces between words
    return len(set(words)) >= _FEWEST_WORDS and len(set(telling)) >= 2 and len(" ".join(words)) >= _SHORTEST_REASON


def _words(text: str) -> list[str]:
    """Runs of letters and digits, without case; what is not seen (zero-width marks) is not there."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(
        c if c.isalnum() else "" if unicodedata.category(c) in ("Cf", "Mn") or c in "'’/" else " " for c in plain
    )
    return seen.split()


def _telling(words: Iterable[str]) -> list[str]:
    return [
        word for word in words if word not in _SAY_NOTHING and len(set(word)) > 1 and any(c.isalpha() for c in word)
    ]


def _is_yet_to_come(words: list[str]) -> bool:
    return bool(words) and words[0] in _BEGIN_NOTHING
