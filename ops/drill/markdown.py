"""A drill's evidence for people; every word and number in it is in the JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ops.drill.model import Predicate
from ops.drill.reading import objectives
from ops.drill.rules import examples

YES: Final = {True: "yes", False: "**no**"}


def markdown(document: Predicate) -> str:
    """The page of one drill."""
    d = document
    emulated = " (times are not those of a real cloud)" if d["mode"] == "emulated" else ""
    lines = [
        f"# Restore drill {d['drill_id']} of {d['stack']}: {d['verdict']}",
        "",
        f"- mode: **{d['mode']}**{emulated}",
        f"- scenario: {d['scenario']}: {d['title']}",
        f"- from {d['source']['region']} to {d['target']['region']}",
        f"- commit `{d['commit'] or 'unknown'}`{_state(d['program'])}, operator {d['operator']}",
        f"- lost at {d['t_failure'] or 'no time: it did not come to that'}",
        *(f"- {o.name}: {o.measured_s:.1f} s measured of {o.allowed_s:.0f} s allowed" for o in objectives(d)),
    ]
    if d["failure"]:
        lines += ["", f"It could not go on in the phase {d['failure']['phase']!r}. {d['failure']['remedy']}"]
    if d["findings"]:
        lines += ["", "## Findings", "", *(f"- {finding}" for finding in d["findings"])]
    lines += _table("Checks", ("check", "of", "must be", "is", "passed"), map(_check, d["checks"]))
    lines += _table(
        "Negative controls",
        ("fault put in", "detected", "what the check said"),
        ((c["fault"], YES[c["detected"]], c["planted"]["reason"]) for c in d["controls"]),
    )
    lines += _predictions(d.get("service"))
    lines += _table("Phases", ("phase", "seconds"), ((p["name"], f"{p['seconds']:.1f}") for p in d["phases"]))
    lines += _table("About", ("what", "digest"), (_artefact(each) for each in d["artefacts"]))
    lines += _table("Not measured", ("what a real loss adds", "estimate"), map(_pair, d.get("not_measured", ())))
    lines += _list("Hurried", d.get("hurried", ()))
    lines += _table("Not enforced where it ran", ("what", "why"), map(_pair, d["not_enforced"]))
    return "\n".join([*lines, ""])


def _check(check: Mapping[str, Any]) -> tuple[str, ...]:
    passed = YES[check["passed"]] if check["passed"] else f"**no**: {check['reason']}"
    return check["name"], check["subject"], short(check["expected"]), short(check["found"]), passed


def short(value: Any) -> str:
    """A value in a table's cell."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {short(member)}" for key, member in value.items())
    if isinstance(value, list):
        return examples([short(item) if isinstance(item, Mapping) else item for item in value]) if value else "none"
    if isinstance(value, str) and len(value) == 64 and value.isalnum():
        return f"{value[:12]}…"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _state(program: Mapping[str, Any]) -> str:
    """Whether the deployed stack is what the commit makes."""
    changed = " with uncommitted changes" if program["uncommitted_changes"] else ""
    if not program["differs"]:
        return f"{changed}, and the deployed stack is what it makes"
    return f"{changed}; the deployed stack differs from it: {examples(program['differs'])}"


def _artefact(artefact: Mapping[str, Any]) -> tuple[str, str]:
    return artefact["name"], ", ".join(f"{kind} `{digest}`" for kind, digest in artefact["digest"].items())


def _predictions(service: Mapping[str, Any] | None) -> list[str]:
    rows = []
    for probe in service["answers"] if service else ():
        latency = probe["latency"] or {"p50_ms": 0.0, "p95_ms": 0.0, "p99_ms": 0.0}
        error = "none answered" if probe["max_abs_error"] is None else f"{probe['max_abs_error']:.2e}"
        times = tuple(f"{latency[p]:.1f}" for p in ("p50_ms", "p95_ms", "p99_ms"))
        rows.append((probe["protocol"], str(probe["requests"]), str(probe["errors"]), error, *times))
    return _table(
        "Predictions", ("protocol", "requests", "errors", "largest error", "p50 ms", "p95 ms", "p99 ms"), rows
    )


def _pair(pair: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(item) for item in pair)


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    if not cells:
        return []
    lines = [f"| {' | '.join(row)} |" for row in (list(head), ["---"] * len(head), *cells)]
    return ["", f"## {title}", "", *lines]


def _list(title: str, items: Iterable[str]) -> list[str]:
    told = [f"- {item}" for item in items]
    return ["", f"## {title}", "", *told] if told else []
