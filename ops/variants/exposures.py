"""Counts an experiment's exposures, and checks that users were shared out as the settings say.

A ratio of users that is not the asked one (sample-ratio mismatch) means that assignment or logging loses some users
rather than others: no result of such an experiment can be believed. The test is Pearson's chi-square over users; the
survival function has a closed form for the one or two degrees of freedom that there can be.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.errors import UserError

LOG: Final = "seawall-exposure"
"""What the door marks its lines with (`components.kubernetes.variants.experiment`)."""
SHARES_MAX: Final = 2
"""Challengers of an experiment, as settings have it; with more, the test below has no closed form."""
MISMATCH_P: Final = 0.001
"""Below this, the ratio is no chance: once in a thousand sound experiments it is said wrongly."""
EXPECTED_MIN: Final = 5
"""Expected users of a variant below which the chi-square test says nothing (Cochran's rule)."""


@dataclass(frozen=True)
class Exposures:
    """What an experiment's log says."""

    experiment: str
    requests: Mapping[str, int]
    """Variant → requests."""
    users: Mapping[str, int]
    """Variant → users."""
    expected: Mapping[str, float]
    """Variant → users that it should have."""
    crossed: int
    """Users with more than one variant: those whom a changed share moved, or an assignment that does not hold."""
    served_otherwise: int
    """Requests that a fallback or another variant answered than the one assigned."""
    p: float | None
    """How likely a ratio as far off is by chance; None where too few users are expected."""
    problems: Sequence[str]

    @property
    def passed(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "problems": list(self.problems), "passed": self.passed}


def count(
    lines: Iterable[Mapping[str, Any]], shares: Mapping[str, float], experiment: str | None = None
) -> Exposures:
    """Count and judge.

    Args:
        shares: variant → its part of all users; together 1.
        experiment: which, if the log has several.

    Raises:
        UserError: the log has no exposure, several experiments of which none is named, no user, or half a line.
    """
    found = [_whole(line) for line in lines if experiment in (None, line.get("experiment"))]
    names = {str(line.get("experiment")) for line in found}
    if len(names) != 1:
        raise UserError(
            f"the log has exposures of {', '.join(sorted(names)) or 'no experiment'}",
            experiment or "the log",
            "Name one of them with --experiment." if names else "Name the door's log, of a time with an experiment.",
        )
    variants_of: dict[str, set[str]] = {}
    for line in found:
        if line.get("user"):
            variants_of.setdefault(str(line["user"]), set()).add(str(line["variant"]))
    if not variants_of:
        raise UserError(
            "no exposure has a user: a header's value names the variant",
            names.pop(),
            "Compare such variants by their requests: no ratio of users was asked for.",
        )
    once = Counter(next(iter(shown)) for shown in variants_of.values() if len(shown) == 1)
    total = sum(once.values())
    expected = {name: share * total for name, share in shares.items()}
    unknown = sorted({str(line["variant"]) for line in found} - set(shares))
    p = None if unknown else chi_square_p(once, expected)
    crossed = sum(len(shown) > 1 for shown in variants_of.values())
    problems = []
    if unknown:
        problems.append(f"the log has variants that no share was given for: {', '.join(unknown)}")
    if crossed:
        problems.append(f"{crossed} users saw more than one variant: look at each time between changes of the shares")
    if p is not None and p < MISMATCH_P:
        problems.append(
            "the ratio of users is not the asked one: "
            + ", ".join(f"{name} {once[name]} of {expected[name]:.0f} expected" for name in shares)
            + f" (p = {p:.2g})"
        )
    if p is None and not unknown:
        problems.append(f"there are too few users to judge the ratio: {total}")
    return Exposures(
        names.pop(),
        dict(Counter(str(line["variant"]) for line in found)),
        dict(once),
        expected,
        crossed,
        sum(line.get("served") != line.get("variant") for line in found),
        p,
        tuple(problems),
    )


def _whole(line: Mapping[str, Any]) -> Mapping[str, Any]:
    missing = [name for name in ("experiment", "variant") if not isinstance(line.get(name), str) or not line[name]]
    if missing:
        raise UserError(
            f"an exposure's line lacks {' and '.join(missing)}",
            str(dict(line))[:200],
            "Name the door's log as it is.",
        )
    return line


def chi_square_p(found: Mapping[str, int], expected: Mapping[str, float]) -> float | None:
    """Pearson's chi-square test of counts against expectations; None where it says nothing.

    A variant with a share of 0 must have nobody: it adds no degree of freedom, but users there make p 0.

    Raises:
        ValueError: more than three variants have a share.
    """
    asked = {name: number for name, number in expected.items() if number > 0}
    if any(found.get(name, 0) for name, number in expected.items() if number == 0):
        return 0.0
    if len(asked) < 2 or min(asked.values()) < EXPECTED_MIN:
        return 1.0 if len(asked) == 1 else None
    statistic = sum((found.get(name, 0) - number) ** 2 / number for name, number in asked.items())
    match len(asked) - 1:
        case 1:
            return math.erfc(math.sqrt(statistic / 2))
        case 2:
            return math.exp(-statistic / 2)
        case freedom:
            raise ValueError(f"{freedom} degrees of freedom")
