"""Finds what drifted: resources that are otherwise than the stack's state has them. Nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.urns import urn_parts
from ops.deploying.driver import FOUNDATION, Driver
from ops.deploying.preview import changes, json_steps

LINES: Final = 400
HEADING: Final = "## Drift"


@dataclass(frozen=True)
class Drifted:
    """A resource that is otherwise than the state has it."""

    urn: str
    gone: bool
    changes: tuple[tuple[str, str, str], ...] = ()
    """Property, in the state and in the cloud, each as JSON."""


@dataclass(frozen=True)
class Report:
    """What drifted in one stack, or why it could not be looked at."""

    stack: str
    drifted: tuple[Drifted, ...] = ()
    failed: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether the stack was looked at, and is as its state has it."""
        return not self.drifted and not self.failed

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; secrets are masked."""
        return {
            "stack": self.stack,
            "failed": self.failed or None,
            "drifted": [
                {
                    "urn": each.urn,
                    "gone": each.gone,
                    "changes": [
                        {"property": path, "state": _value(before), "cloud": _value(after)}
                        for path, before, after in each.changes
                    ],
                }
                for each in self.drifted
            ],
        }


def find_drift(driver: Driver, *, foundation: bool = False) -> Report:
    """What drifted in a stack.

    Args:
        foundation: look at all but what runs on the cluster.

    Raises:
        UserError: the engine failed.
    """
    part = FOUNDATION if foundation else ()
    return Report(driver.stack, read_drift(driver.pulumi("refresh", "--preview-only", "--json", *part)))


def read_drift(told: str) -> tuple[Drifted, ...]:
    """What `pulumi refresh --preview-only --json` printed.

    Of what is as it was it tells a `refresh`, of the rest an `update` or a `delete` (tried with Pulumi 3.259,
    2026-11-22).
    """
    found = (_drifted(step) for step in json_steps(told) if step["op"] not in ("refresh", "same"))
    return tuple(sorted(found, key=lambda each: each.urn))


def _drifted(step: Mapping[str, Any]) -> Drifted:
    before, after = step.get("oldState") or {}, step.get("newState")
    if not after or step["op"] == "delete":
        return Drifted(step["urn"], gone=True)
    named = {path.partition(".")[0].partition("[")[0] for path in step.get("detailedDiff") or {}}
    # What a provider computes differs each time it is asked: only what the comparison names counts, and inputs.
    sides = (
        {n: (side.get("outputs") or {}).get(n) for n in named} | (side.get("inputs") or {})
        for side in (before, after)
    )
    old, new = sides
    return Drifted(step["urn"], gone=False, changes=tuple(changes(old, new)))


def markdown(reports: Sequence[Report]) -> str:
    """The report for a person."""
    lines = [HEADING, ""]
    if all(report.is_clean for report in reports):
        return "\n".join([*lines, f"None in {', '.join(report.stack for report in reports)}.", ""])
    for report in reports:
        lines += [f"### {report.stack}", "", *_stack(report), ""]
    return "\n".join(lines)


def _stack(report: Report) -> list[str]:
    if report.failed:
        return [f"Could not be looked at: {_inline(report.failed)}"]
    if not report.drifted:
        return ["As its state has it."]
    lines: list[str] = []
    for each in report.drifted:
        urn = urn_parts(each.urn)
        lines.append(f"- `{_inline(urn.name)}` {urn.type}{': gone' if each.gone else ''}")
        lines += [f"  - `{path}`: {_code(before)} → {_code(after)}" for path, before, after in each.changes]
    more = len(lines) - LINES
    return [*lines[:LINES], f"- and {more} more lines: `seawall drift {report.stack} --json`"] if more > 0 else lines


def _code(value: str) -> str:
    text = _inline(value) or "nothing"
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _inline(text: str) -> str:
    return " ".join(text.split())[:300]


def _value(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def as_json(reports: Sequence[Report]) -> Mapping[str, Any]:
    """Plain JSON of all reports."""
    return {"clean": all(report.is_clean for report in reports), "stacks": [each.to_json() for each in reports]}
