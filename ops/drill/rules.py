"""The rules by which a check's `found` is compared with its `expected`: pure functions of JSON values.

Each returns why the check fails, or an empty text. Values may come from a file that somebody wrote, so that a rule
takes any JSON, and what it does not understand fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

Rule = Callable[[Any, Any], str]
NAMED: Final = 3
"""How many examples of a fault a reason names."""
LARGEST_FIGURE: Final = sys.float_info.max
"""JSON holds whole numbers that no float does."""
LARGEST_TOLERANCE: Final = 1e-3
"""Of a golden probability. Served answers differ from recorded ones by 1e-7; the training script records 1e-4."""


def same(expected: Any, found: Any) -> str:
    """Equal, and of the same type: `true` is not 1."""
    equal = type(expected) is type(found) and expected == found
    return "" if equal else f"it is {told(found)}, and must be {told(expected)}"


def at_most(expected: Any, found: Any) -> str:
    """A possible figure, from 0 to what is allowed."""
    if not (is_figure(found) and is_figure(expected)):
        return f"{told(found)} of {told(expected)} is no possible figure"
    return "" if found <= expected else f"it is {found:g}, and at most {expected:g} is allowed"


def at_least(expected: Any, found: Any) -> str:
    """A possible figure that is no smaller than what is required."""
    if not (is_figure(found) and is_figure(expected)):
        return f"{told(found)} of {told(expected)} is no possible figure"
    return "" if found >= expected else f"it is {found:g}, and at least {expected:g} is required"


def none(expected: Any, found: Any) -> str:
    """An empty list."""
    if expected != [] or not isinstance(found, list):
        return "it does not say what was found"
    return f"there must be none, and there is {examples(found)}" if found else ""


def whole(expected: Any, found: Any) -> str:
    """A set of things: something is there at all, nothing is missing, changed or extra, and the digests agree."""
    if not (_has(expected, "count", "sha256") and _has(found, "count", "sha256", "missing", "changed", "extra")):
        return "it does not say what was found"
    if not (is_figure(expected["count"]) and expected["count"] > 0):
        return "nothing was expected, and a restore of nothing is none"
    faults = [
        f"{len(found[kind])} {kind} ({examples(found[kind])})"
        if isinstance(found[kind], list)
        else f"{kind} is no list"
        for kind in ("missing", "changed", "extra")
        if found[kind] != []
    ]
    if not faults and (found["count"] != expected["count"] or found["sha256"] != expected["sha256"]):
        faults = [f"{told(found['count'])} of {told(expected['count'])}, and their digests differ"]
    return ", ".join(faults) and f"of {expected['count']} expected: {', '.join(faults)}"


def rows(expected: Any, found: Any) -> str:
    """Live rows: no fewer than must be there, and none that cannot be read, is long overdue, or has no end."""
    lists = ("unreadable", "overdue", "without_end")
    if not (_has(expected, "at_least") and _has(found, "live", *lists)):
        return "it does not say what was found"
    wrong = [f"{examples(found[name])} {name.replace('_', ' ')}" for name in lists if found[name] != []]
    return ", ".join(wrong) or at_least(expected["at_least"], found["live"])


def answers(expected: Any, found: Any) -> str:
    """Golden predictions over one protocol: each one asked for, answered, and within the recorded tolerance."""
    if not (
        _has(expected, "requests", "tolerance") and _has(found, "requests", "errors", "max_abs_error", "mismatches")
    ):
        return "it does not say what was answered"
    requests, largest = found["requests"], found["max_abs_error"]
    if not (is_figure(requests) and 0 < requests == expected["requests"]):
        return f"{told(requests)} requests were sent, and {told(expected['requests'])} are golden"
    if found["mismatches"] != []:
        wrong = found["mismatches"] if isinstance(found["mismatches"], list) else [found["mismatches"]]
        named = [f"{m.get('entity_id')}: {m.get('reason')}" if isinstance(m, Mapping) else told(m) for m in wrong]
        return f"{len(wrong)} of {requests} answers are not golden ({examples(named)})"
    if found["errors"] != 0:
        return f"{told(found['errors'])} requests were not answered"
    allowed = expected["tolerance"]
    if not is_figure(allowed) or not 0 < allowed <= LARGEST_TOLERANCE:
        return f"a tolerance of {told(allowed)} is no proof: at most {LARGEST_TOLERANCE:g} is"
    if not is_figure(largest) or not largest <= allowed:
        return f"the largest error is {told(largest)}, and {told(allowed)} is allowed"
    return ""


def goldens(expected: Any, found: Any) -> str:
    """The set of golden predictions is the one that belongs to the release, with a tolerance that tells faults."""
    if not _has(found, "sha256", "predictions", "tolerance"):
        return "it does not say which goldens were asked for"
    tolerance = found["tolerance"]
    if not is_figure(tolerance) or not 0 < tolerance <= LARGEST_TOLERANCE:
        return f"a tolerance of {told(tolerance)} is no proof: at most {LARGEST_TOLERANCE:g} is"
    return same(expected, found)


def marks(expected: Any, found: Any) -> str:
    """Numbered writes up to the loss: how far back the restored ones reach, in seconds before the loss.

    Each kind of data says `written`, `newest` (the newest number that came back), `newest_s` (its age at the loss),
    `safe_s` (the age up to which every number came back), and `late_s` (by its copies' promise, how much older than
    the newest survivor one that is missing may be).
    """
    if not (_has(expected, "at_most_s", "kinds") and _has(found, "measured_s", "kinds")):
        return "it does not say what came back"
    kinds, wanted = found["kinds"], expected["kinds"]
    if not isinstance(kinds, list) or not all(isinstance(kind, Mapping) for kind in kinds):
        return "it does not say what came back"
    if not isinstance(wanted, list) or not wanted:
        return "it does not say what must be measured"
    if sorted(str(kind.get("of")) for kind in kinds) != sorted(map(str, wanted)):
        return f"{examples(wanted)} must be measured"
    for kind in kinds:
        wrong = _mark(kind)
        if wrong:
            return f"{kind.get('of')}: {wrong}"
    if found["measured_s"] != max(kind["safe_s"] for kind in kinds):
        return f"{told(found['measured_s'])} s is not what the writes tell"
    return at_most(expected["at_most_s"], found["measured_s"])


def _mark(kind: Mapping[str, Any]) -> str:
    figures = ("written", "newest", "newest_s", "safe_s", "late_s")
    if not all(is_figure(kind.get(name)) for name in figures):
        impossible = next(name for name in figures if not is_figure(kind.get(name)))
        return f"{impossible} is {told(kind.get(impossible))}, which is impossible"
    if kind["newest"] == 0:
        return f"of {kind['written']} numbered writes none came back"
    if kind["newest"] > kind["written"]:
        return f"number {kind['newest']} came back, and {kind['written']} were written"
    if kind["safe_s"] < kind["newest_s"]:
        return "what is whole cannot be newer than the newest that came back"
    if kind["safe_s"] - kind["newest_s"] > kind["late_s"]:
        gap = kind["safe_s"] - kind["newest_s"]
        return f"writes {gap:.0f} s older than the newest one that came back are missing"
    return ""


RULES: Final[Mapping[str, Rule]] = {
    "same": same,
    "at most": at_most,
    "at least": at_least,
    "none": none,
    "whole": whole,
    "rows": rows,
    "answers": answers,
    "goldens": goldens,
    "marks": marks,
}


def is_figure(value: Any) -> TypeGuard[float]:
    """Whether it is a number that can be measured: finite, not negative, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LARGEST_FIGURE


def examples(items: Any) -> str:
    """The first few of a list, and how many more there are."""
    if not isinstance(items, list):
        return told(items)
    more = len(items) - NAMED
    return ", ".join(map(told, items[:NAMED])) + (f" and {more} more" if more > 0 else "")


def told(value: Any) -> str:
    """A value in a sentence."""
    return value or "nothing" if isinstance(value, str) else str(value)


def _has(value: Any, *names: str) -> bool:
    return isinstance(value, Mapping) and all(name in value for name in names)
