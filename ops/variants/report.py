"""Writes a comparison and an experiment's exposures as Markdown, for a terminal and a pull request alike."""

from __future__ import annotations

from collections.abc import Iterator

from components.contracts.variants import STABLE
from ops.variants.compare import Comparison
from ops.variants.exposures import Exposures

FLIPS_SHOWN = 5


def comparison(found: Comparison) -> str:
    """The report of a shadow."""
    return "\n".join(_comparison(found)) + "\n"


def _comparison(found: Comparison) -> Iterator[str]:
    yield f"# {found.challenger} beside {STABLE}: {'the same' if found.passed else 'not the same'}"
    yield ""
    for problem in found.problems:
        yield f"- {problem}"
    yield "" if found.problems else "Nothing was found beyond the limits.\n"
    bound = found.changed_at_most_percent
    yield f"{found.pairs} pairs, {found.unmatched} ids without a pair. Of {found.compared} that both answered,"
    yield f"{found.changed} differ" + (f" (at most {bound:g} %, with 95 % confidence)." if bound is not None else ".")
    yield ""
    yield "| | answers | failed | p50 ms | p95 ms | p99 ms |"
    yield "|---|---|---|---|---|---|"
    for name in (STABLE, found.challenger):
        times = found.latency[name]
        told = f"{times.p50_ms:g} | {times.p95_ms:g} | {times.p99_ms:g}" if times else "– | – | –"
        yield f"| {name} | {found.pairs} | {sum(found.errors[name].values())} | {told} |"
    yield ""
    yield "| output | pairs | differ | largest difference | flips | other shape |"
    yield "|---|---|---|---|---|---|"
    for name, output in sorted(found.outputs.items()):
        flips = "; ".join(f"{each} ×{times}" for each, times in output.flips.most_common(FLIPS_SHOWN)) or "–"
        yield (
            f"| {name} | {output.pairs} | {output.differing} | {output.max_difference:.3g} | {flips}"
            f" | {output.malformed} |"
        )
    for name, reasons in found.errors.items():
        if reasons:
            yield ""
            yield f"{name} failed: {', '.join(f'{reason} ×{times}' for reason, times in reasons.most_common())}."
    if found.examples:
        yield ""
        yield f"Requests that differ: {', '.join(found.examples)}."


def exposures(found: Exposures) -> str:
    """The report of an experiment's exposures."""
    lines = [f"# {found.experiment}: {'as asked' if found.passed else 'not as asked'}", ""]
    lines += [*(f"- {problem}" for problem in found.problems), *([""] if found.problems else [])]
    lines += ["| variant | requests | users | expected users |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {found.requests.get(name, 0)} | {found.users.get(name, 0)} | {number:.1f} |"
        for name, number in found.expected.items()
    ]
    told = "not judged" if found.p is None else f"{found.p:.3g}"
    lines += ["", f"Users who saw more than one variant: {found.crossed}. Ratio of users by chance: p = {told}."]
    lines.append(f"Answered by another than the assigned variant: {found.served_otherwise}.")
    return "\n".join(lines) + "\n"
