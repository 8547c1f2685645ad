"""Reads the engine's events of a preview: which step is taken on which resource, in which order, and what fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation.events import EngineEvent, StepEventMetadata, StepEventStateMetadata

from ops.diff.model import Action
from ops.local.runs import Trouble, plain_text

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
        op = str(getattr(step.op, "value", step.op))
        action = _ACTIONS.get(op)
        if action is None:
            return
        known = self.seen.get(step.urn)
        if known is None:
            known = self.seen[step.urn] = Seen(step.urn, step.type, action)
            known.deleted_first = op == "delete-replaced"
        known.paths = tuple(dict.fromkeys((*known.paths, *(step.detailed_diff or step.diffs or ()))))
        known.replacing = tuple(dict.fromkeys((*known.replacing, *(step.keys or ()))))
        known.before = known.before or _inputs(step.old)
        known.after = _inputs(step.new) or known.after
        known.was_protected = known.was_protected or bool(step.old and step.old.protect)


def _inputs(state: StepEventStateMetadata | None) -> Mapping[str, Any]:
    return (state.inputs or {}) if state is not None else {}
