"""All that a diff knows stands in its JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from components.contracts.stateful import CopiedBy, Stateful
from ops.diff.model import (
    Blast,
    Cause,
    CostChange,
    CostLine,
    Effect,
    Opening,
    PropertyChange,
    Reached,
    ResourceChange,
    Risk,
    StackDiff,
    Step,
    VerdictChange,
)
from policies.inventory import Resource
from policies.model import Severity, Verdict

QUEUE = Resource("urn:q", "aws:sqs/queue:Queue", "q", True)
FULL = StackDiff(
    "dev-aws",
    "both",
    (
        ResourceChange(
            "replaced",
            QUEUE,
            (PropertyChange("p", 1, 2, replaces=True),),
            Risk("goes", Stateful("messages", CopiedBy.EXPORT), "copy them"),
            "deleted first",
            "urn:a",
            True,
        ),
    ),
    (PropertyChange("o", 1, 2),),
    (VerdictChange("R-1", Severity.HIGH, "t", "q", Verdict.PASS, Verdict.FAIL, "why", "urn:q", ("p is 2",), "mend"),),
    (Cause("setting", "a.b", "f:1", 1, 2, "note", (Effect("urn:q", ("p",)),)),),
    (Step(1, "replace", "urn:q", "q", "t", "why", "gap", "refused", "for good", "an hour"),),
    Blast(3, (("1 × 3", 3),), "low", 1, 2, (Reached("s", "rolled", ("q",)),)),
    CostChange(1, 2, 3, 4, (CostLine("t", "q", "1", "2", 1, 1),), ("x",), ("y",), "why not"),
    (Opening("urn:q", "policy", "everyone"),),
    "flowchart LR",
    ("note",),
)


def names(value: Any) -> set[str]:
    """The fields of a dataclass and of all that it holds; the resource itself is told by name, type and URN."""
    if isinstance(value, Resource | Stateful):
        return set()
    if isinstance(value, tuple):
        return set[str]().union(*(names(item) for item in value))
    if not dataclasses.is_dataclass(value):
        return set()
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    assert all(field not in (None, "", ()) for field in fields.values()), f"{value} leaves a field empty"
    return set(fields).union(*(names(item) for item in fields.values()))


def keys(value: Any) -> set[str]:
    """All keys of a JSON document."""
    if isinstance(value, dict):
        return set(value).union(*(keys(item) for item in value.values()))
    return set[str]().union(*(keys(item) for item in value)) if isinstance(value, list) else set()


def test_every_field_of_a_diff_is_in_its_json() -> None:
    told = keys(json.loads(json.dumps(FULL.to_json())))
    assert names(FULL) - {"resource", "at_stake", "replacing"} <= told
    assert {"urn", "type", "name", "holds", "copied_by", "worse", "counts"} <= told
