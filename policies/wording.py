"""Whether what a person wrote into a waiver says something: an owner is a name, a reason a few words of its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_FEWEST_WORDS: Final = 3
_SHORTEST_REASON: Final = 12
_SHORTEST_OWNER: Final = 3
_FEWEST_IDEOGRAPHS: Final = 6

_FILLERS: Final = """
a above all also amet an and any anybody anyone are as at be because been below both but by can consectetur did do
does dolor each else every everybody everyone had has have he her here his how i if in ipsum is it its just lorem me
my of on or our ours same see she sit so some somebody someone something such that the their them then there these
they thing things this those to us was we were what when which who whom whose why will with x xx xxx yes you your
yours abc def ghi jkl mno asd asdf asdfgh qwer qwert qwerty yxcv zxcv bar baz blah etc foo foobar hm hmm meh qux sth
stuff yada asap change changeme decided defined done dummy example fill fix fixed fixes fixing fixme later name nan
na nil no nobody none noone not nothing now null ok okay owner pending placeholder promise replace said skip soon
tba tbc tbd temp temporarily temporary test tested testing tmp todo undefined unknown unassigned wip yet accept
acceptable accepted accepting accepts allow allowed because check checks comment comments disable disabled exception
false given ignore ignored ignores intended issue issues known need needed needs please positive reason reasons
relevant risk risks rule rules suppress suppressed true user waive waived waiver waivers address addressed agreed
agreement asked await awaiting business day days decision determined discussed eventually fine future get gets good
handle handled hello look management maybe month next one ones possibly probably resolve resolved safe someday
sometime soonish team teams today tomorrow trust week work working works world year
"""
_SAY_NOTHING: Final = frozenset(_FILLERS.split())
"""Words that stand where an answer was asked for, and those that only join others."""

_NO_NAMES: Final = frozenset(
    {"admin", "administrator", "department", "group", "people", "person", "root", "team", "teams"}
)
"""Words for any owner, which name none."""
_TEMPLATE: Final = re.compile(r"[<>{}\[\]$]")
"""What marks a place that was to be filled in."""
_MAIL: Final = re.compile(r"([^@<>\s]+)@[^@<>\s]+\.[^@<>\s.]+")
_HANDLE: Final = re.compile(r"@[\w-]+(?:/[\w-]+)?")

_BEGIN_NOTHING: Final = ("todo", "tbd", "tba", "tbc", "fixme", "wip", "xxx", "placeholder", "changeme")
"""What begins with one of these is yet to be written."""


def is_owner(text: str) -> bool:
    """Whether `text` names somebody: a person, a team, an address for mail or a handle."""
    plain = text.strip()
    mail = _MAIL.search(plain)
    if mail:
        return _is_name(_telling(_words(mail.group(1))))
    if _TEMPLATE.search(plain) or ("@" in plain and not _HANDLE.fullmatch(plain)):
        return False
    words = _words(plain)
    return not _is_yet_to_come(words) and _is_name(word for word in _telling(words) if word not in _NO_NAMES)


def _is_name(words: Iterable[str]) -> bool:
    return any(len(word) >= _SHORTEST_OWNER for word in words)


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
        word
        for word in words
        if word.rstrip("0123456789") not in _SAY_NOTHING and len(set(word)) > 1 and any(c.isalpha() for c in word)
    ]


def _is_yet_to_come(words: list[str]) -> bool:
    return bool(words) and words[0] in _BEGIN_NOTHING
