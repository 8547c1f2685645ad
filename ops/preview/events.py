"""Reads the engine's events of a preview: which step is taken on which resource, in which order, and what fails.

The same of what `pulumi preview --json` prints, which tells its steps in the order of the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation.events import EngineEvent, StepEventMetadata, StepEventStateMetadata

from common.urns import urn_parts
from ops.diff.model import Action
from ops.local.runs import Trouble, plain_text
from policies.registration import STACK_TYPE

_ACTIONS: Mapping[str, Action] = {
    "create": "added",
    "import": "added",
    "update": "changed",
    "replace": "replaced",
    "create-replacement": "replaced",
    "delete-replaced": "replaced",
    "import-replacement": "replaced",
    "delete": "removed",
}
"""The engine's word for a step → what happens to the resource; steps without a word here change nothing."""


@dataclass
class Seen:
    """What the engine means to do to one resource."""

    urn: str
    type: str
    action: Action
    paths: tuple[str, ...] = ()
    """The properties that differ, in the engine's own notation."""
    replacing: tuple[str, ...] = ()
    """The inputs that replace it."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """Inputs as deployed; secrets as the engine masks them."""
    after: Mapping[str, Any] = field(default_factory=dict)
    was_protected: bool = False
    deleted_first: bool = False


class StepReader:
    """Gathers the steps of one preview; called with each event."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self.errors: list[Trouble] = []
        self.is_complete = False
        """Whether the engine came to its summary."""

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event is not None:
            self._step(event.resource_pre_event.metadata)
        diagnostic = event.diagnostic_event
        if diagnostic is not None and diagnostic.severity == "error":
            text = plain_text(diagnostic.message)
            if text:
                self.errors.append(Trouble(diagnostic.urn or "", text))
        if event.summary_event is not None:
            self.is_complete = True

    def _step(self, step: StepEventMetadata) -> None:
        _add(
            self.seen,
            Seen(
                step.urn,
                step.type,
                "changed",
                tuple(step.detailed_diff or step.diffs or ()),
                tuple(step.keys or ()),
                _inputs(step.old),
                _inputs(step.new),
                was_protected=bool(step.old and step.old.protect),
            ),
            str(getattr(step.op, "value", step.op)),
        )


def seen_in(steps: Iterable[Mapping[str, Any]]) -> Mapping[str, Seen]:
    """URN → what the engine means to do to the resource, from the steps that `pulumi preview --json` prints."""
    seen: dict[str, Seen] = {}
    for step in steps:
        old, new = step.get("oldState") or {}, step.get("newState") or {}
        told = Seen(
            step["urn"],
            str((new or old).get("type") or urn_parts(step["urn"]).type),
            "changed",
            tuple(step.get("detailedDiff") or step.get("diffReasons") or ()),
            tuple(step.get("replaceReasons") or ()),
            old.get("inputs") or {},
            new.get("inputs") or {},
            was_protected=bool(old.get("protect")),
        )
        _add(seen, told, step["op"])
    return seen


def _add(seen: dict[str, Seen], told: Seen, op: str) -> None:
    """Put a step to what is known of its resource: the parts of a replacement are one."""
    action = _ACTIONS.get(op)
    if action is None or told.type == STACK_TYPE:
        return
    known = seen.get(told.urn)
    if known is None:
        known = seen[told.urn] = Seen(told.urn, told.type, action)
        known.deleted_first = op == "delete-replaced"
    known.paths = tuple(dict.fromkeys((*known.paths, *told.paths)))
    known.replacing = tuple(dict.fromkeys((*known.replacing, *told.replacing)))
    known.before = known.before or told.before
    known.after = told.after or known.after
    known.was_protected = known.was_protected or told.was_protected


def _inputs(state: StepEventStateMetadata | None) -> Mapping[str, Any]:
    return (state.inputs or {}) if state is not None else {}
