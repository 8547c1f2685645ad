"""Compares what two variants answered to the same requests: pure functions from recorded answers to a verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.errors import UserError
from components.contracts.variants import STABLE
from ops.serving.golden import Latency, latency

LOG: Final = "seawall-answer"
"""What `serving_image/answer_recorder` marks its lines with."""
EXAMPLES: Final = 5
_REMEDY: Final = "Fetch the recorder's log anew, and name it alone."


@dataclass(frozen=True)
class Limits:
    """What a comparison may find and still pass."""

    pairs: int = 200
    """Fewest pairs that say anything."""
    tolerance: float = 1e-3
    """Largest difference of a number that counts as the same, absolute, or relative to the stable variant's number
    where that is more than 1."""
    changed_percent: float = 1.0
    """Most pairs whose answers differ."""
    failed_percent: float = 0.5
    """By how much more of its answers the challenger may fail."""
    slower_percent: float = 20.0
    """By how much the challenger's p99 may be higher."""
    unmatched_percent: float = 1.0
    """Most ids that only one variant has, or has twice."""


@dataclass(frozen=True)
class Recorded:
    """One variant's answer to one request."""

    id: str
    variant: str
    ms: float
    outputs: Mapping[str, Mapping[str, Any]]
    error: str = ""

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Recorded:
        """What the recorder wrote.

        Raises:
            UserError: the line lacks something.
        """
        try:
            outputs = {
                str(name): {
                    **output,
                    "shape": output["shape"],
                    "datatype": output["datatype"],
                    # A large output is there as its digest.
                    **({} if "sha256" in output else {"data": list(output["data"])}),
                }
                for name, output in dict(line.get("outputs", {})).items()
            }
            ms = float(line["ms"])
            if not (math.isfinite(ms) and ms >= 0):
                raise ValueError(f"a time: ms is {ms}")
            return cls(str(line["id"]), str(line["variant"]), ms, outputs, str(line.get("error", "")))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UserError(f"an answer's line lacks {error}", str(line)[:200], _REMEDY) from error


@dataclass
class Output:
    """How one output of the models differed."""

    pairs: int = 0
    differing: int = 0
    max_difference: float = 0.0
    """Of numbers."""
    flips: Counter[str] = field(default_factory=Counter)
    """Of texts and truth values, and of numbers that are whole: `from → to`, how often."""
    malformed: int = 0
    """Pairs of which one has no such output, or another shape or datatype, or no number where the other has one."""


@dataclass(frozen=True)
class Comparison:
    """The verdict over a log."""

    challenger: str
    pairs: int
    """Requests that both variants answered, rightly or not."""
    unmatched: int
    """Ids that only one variant has, or has twice."""
    changed: int
    """Pairs of two answers, at least one of whose outputs differs."""
    compared: int
    """Pairs of two answers without an error."""
    errors: Mapping[str, Counter[str]]
    """Variant → reason → how often."""
    outputs: Mapping[str, Output]
    latency: Mapping[str, Latency | None]
    examples: Sequence[str]
    """Ids of pairs that differ."""
    problems: Sequence[str]

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def changed_at_most_percent(self) -> float | None:
        """What the share of changed answers is below, with 95 percent confidence; None without any pair."""
        return upper_percent(self.changed, self.compared) if self.compared else None

    def to_json(self) -> dict[str, Any]:
        return {
            "challenger": self.challenger,
            "passed": self.passed,
            "problems": list(self.problems),
            "pairs": self.pairs,
            "unmatched": self.unmatched,
            "compared": self.compared,
            "changed": self.changed,
            "changed_at_most_percent": self.changed_at_most_percent,
            "errors": {name: dict(reasons) for name, reasons in self.errors.items()},
            "outputs": {
                name: {
                    "pairs": each.pairs,
                    "differing": each.differing,
                    "max_difference": each.max_difference,
                    "flips": dict(each.flips),
                    "malformed": each.malformed,
                }
                for name, each in self.outputs.items()
            },
            "latency": {name: vars(each) if each else None for name, each in self.latency.items()},
            "examples": list(self.examples),
        }


def compare(lines: Iterable[Mapping[str, Any]], limits: Limits) -> Comparison:
    """Join the answers by id, and judge the pairs.

    Raises:
        UserError: there are no answers, or of other variants than `stable` and one challenger.
    """
    answers = [Recorded.from_line(line) for line in lines]
    challenger = _challenger(answers)
    seen = Counter((each.id, each.variant) for each in answers)
    by_id: dict[str, dict[str, Recorded]] = {}
    for each in answers:
        by_id.setdefault(each.id, {})[each.variant] = each
    twice = {id_ for (id_, _), times in seen.items() if times > 1}
    pairs = [
        (found[STABLE], found[challenger])
        for id_, found in by_id.items()
        if len(found) == len((STABLE, challenger)) and id_ not in twice
    ]
    outputs: dict[str, Output] = {}
    both = [(stable, other) for stable, other in pairs if not stable.error and not other.error]
    changed = [stable.id for stable, other in both if _differ(stable, other, limits.tolerance, outputs)]
    result = Comparison(
        challenger,
        len(pairs),
        len(by_id) - len(pairs),
        len(changed),
        len(both),
        {
            STABLE: Counter(stable.error for stable, _ in pairs if stable.error),
            challenger: Counter(other.error for _, other in pairs if other.error),
        },
        outputs,
        {
            STABLE: latency(stable.ms / 1000 for stable, _ in both),
            challenger: latency(other.ms / 1000 for _, other in both),
        },
        changed[:EXAMPLES],
        (),
    )
    return Comparison(**{**vars(result), "problems": tuple(_problems(result, limits))})


def _challenger(answers: Sequence[Recorded]) -> str:
    names = {each.variant for each in answers}
    others = names - {STABLE}
    if not answers:
        raise UserError("there are no recorded answers", "the log", "Name the log of a shadow's recorder.")
    if len(others) != 1 or STABLE not in names:
        raise UserError(
            f"the answers are of {', '.join(sorted(names))}, not of {STABLE} and one challenger", "the log", _REMEDY
        )
    return others.pop()


def _differ(stable: Recorded, other: Recorded, tolerance: float, outputs: dict[str, Output]) -> bool:
    differs = False
    for name in sorted({*stable.outputs, *other.outputs}):
        output = outputs.setdefault(name, Output())
        output.pairs += 1
        if _output_differs(stable.outputs.get(name), other.outputs.get(name), tolerance, output):
            output.differing += 1
            differs = True
    return differs


def _output_differs(
    stable: Mapping[str, Any] | None, other: Mapping[str, Any] | None, tolerance: float, into: Output
) -> bool:
    if stable is None or other is None or any(stable[key] != other[key] for key in ("shape", "datatype")):
        into.malformed += 1
        return True
    if "sha256" in stable or "sha256" in other:
        return stable.get("sha256") != other.get("sha256")
    numeric = str(stable["datatype"]).startswith("FP")
    differs = False
    for mine, theirs in zip(stable["data"], other["data"], strict=False):
        if not numeric:
            if mine != theirs:
                into.flips[f"{mine} → {theirs}"] += 1
                differs = True
        elif not _numbers(mine, theirs):
            into.malformed += mine != theirs
            differs = differs or mine != theirs
        else:
            difference = abs(mine - theirs)
            into.max_difference = max(into.max_difference, difference)
            differs = differs or difference > tolerance * max(1.0, abs(mine))
    if len(stable["data"]) != len(other["data"]):
        into.malformed += 1
        return True
    return differs


def _numbers(*values: object) -> bool:
    try:
        return all(isinstance(value, (int, float)) and math.isfinite(float(value)) for value in values)
    except OverflowError:  # a whole number beyond what a float holds
        return False


def _problems(found: Comparison, limits: Limits) -> Iterable[str]:
    ids = found.pairs + found.unmatched
    if found.unmatched > ids * limits.unmatched_percent / 100:
        yield (
            f"{found.unmatched} of {ids} ids do not match: only one variant has them, or has them twice"
            f" (at most {limits.unmatched_percent:g} %)"
        )
    if found.pairs < limits.pairs:
        yield f"there are too few pairs: {found.pairs}, and {limits.pairs} are needed"
        return
    failed = {name: 100 * sum(reasons.values()) / found.pairs for name, reasons in found.errors.items()}
    more = failed[found.challenger] - failed[STABLE]
    if more > limits.failed_percent:
        yield (
            f"{found.challenger} failed {failed[found.challenger]:.2f} % of its answers, and {STABLE}"
            f" {failed[STABLE]:.2f} % (at most {limits.failed_percent:g} points more)"
        )
    if not found.compared:
        yield "no request was answered by both variants"
        return
    percent = 100 * found.changed / found.compared
    if percent > limits.changed_percent:
        yield f"{percent:.2f} % of the answers differ (at most {limits.changed_percent:g} %)"
    own, other = found.latency[STABLE], found.latency[found.challenger]
    if own and other and other.p99_ms > own.p99_ms * (1 + limits.slower_percent / 100):
        yield (
            f"{found.challenger}'s p99 is {other.p99_ms:g} ms, and {STABLE}'s {own.p99_ms:g} ms"
            f" (at most {limits.slower_percent:g} % more)"
        )


def upper_percent(found: int, of: int, z: float = 1.645) -> float:
    """Wilson's upper bound of a share, in percent: by default one-sided, with 95 percent confidence."""
    share = found / of
    centre = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return round(100 * min(1.0, (centre + spread) / (1 + z * z / of)), 3)
