"""Policy verdicts that changed, by rule and resource: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ops.diff.model import VerdictChange
from policies.model import Finding, Verdict

_BAD = (Verdict.FAIL, Verdict.UNKNOWN)


def verdict_changes(
    before: Iterable[Finding], after: Iterable[Finding], moved: Mapping[str, str]
) -> Iterator[VerdictChange]:
    """What differs; a failing verdict that stays also differs where it fails at something else than before.

    So that a new violation cannot hide behind an old one, neither of another resource nor at another input of the
    same one.

    Args:
        moved: URNs of before → those that the same resources have now.
    """
    old = {(rule, moved.get(urn, urn)): found for found in before for rule, urn in (found.key,)}
    new = {found.key: found for found in after}
    for key in (*new, *(key for key in old if key not in new)):
        was, now = old.get(key), new.get(key)
        told = now or was
        assert told is not None, "the key comes from one of the sides"  # noqa: S101
        if not told.urn:
            continue
        problems = _new_problems(was, now)
        if (was and was.verdict) == (now and now.verdict) and not problems:
            continue
        if (was is None or now is None) and told.verdict not in _BAD:
            continue
        rule = told.rule
        yield VerdictChange(
            rule.id,
            rule.severity,
            rule.title,
            told.name,
            was.verdict if was else None,
            now.verdict if now else None,
            now.reason if now else "",
            key[1],
            problems,
            rule.remedy if now and now.verdict in _BAD else "",
        )


def _new_problems(was: Finding | None, now: Finding | None) -> tuple[str, ...]:
    """What a finding that is still bad holds against the resource, and did not before."""
    if was is None or now is None or now.verdict not in _BAD or was.verdict != now.verdict:
        return ()
    known = {(p.path, p.found) for p in was.problems}
    return tuple(p.subject for p in now.problems if (p.path, p.found) not in known)
