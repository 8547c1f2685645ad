"""Tells an engine's preview as a diff: actions are the engine's, what they put at risk is the program's to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from components.contracts.stateful import Stateful
from ops.deploying.preview import Preview, known_mark
from ops.diff.compare import compare
from ops.diff.costs import cost_change
from ops.diff.model import Action, ResourceChange, Risk, StackDiff
from ops.diff.run import PROVIDERS
from ops.diff.steps import steps
from policies.evaluation import evaluate
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource

_ACTIONS: Final[Mapping[str, Action]] = {
    "create": "added",
    "import": "added",
    "update": "changed",
    "same": "changed",
    "replace": "replaced",
    "import-replacement": "replaced",
    "delete": "removed",
}
"""The engine's steps → what a reader calls them; whatever else it does is a change."""


def engine_diff(stack: str, preview: Preview, base: Inventory | None, head: Inventory | None) -> StackDiff:
    """What the engine would do to a stack.

    Args:
        base: the plan of what was deployed, which says what deployed resources hold.
        head: the plan of what is to be deployed.
    """
    sources = [side for side in (head, base) if side is not None]
    before = _inventory(stack, preview.before, sources, base)
    after = _inventory(stack, preview.after, sources, head)
    found = compare(stack, before, after, providers=PROVIDERS, evaluate=lambda _: ())
    changes = tuple(_reconciled(found, preview, before, after))
    # Rules judge plans, and prices follow from settings: both are the program's to say, not the state's.
    judged = compare(stack, base, head, providers=PROVIDERS, evaluate=evaluate)
    return replace(
        judged,
        fate="both" if before else "new",
        changes=changes,
        outputs=(),
        steps=steps(changes, before, after),
        cost=cost_change(base, head),
    )


def _reconciled(
    found: StackDiff, preview: Preview, before: Inventory | None, after: Inventory | None
) -> Iterator[ResourceChange]:
    """The changes that the engine makes: those that it does not are left out, those that only it sees are added."""
    known = {change.resource.urn: change for change in found.changes}
    for step in preview.steps:
        action = _ACTIONS.get(step.op, "changed")
        resource = next((side.by_urn[step.urn] for side in (after, before) if side and step.urn in side.by_urn), None)
        if resource is None:
            continue
        change = known.get(step.urn) or ResourceChange(action, resource)
        if change.action == action:
            yield change
            continue
        held = _held(step.urn, before, after)
        risk = change.risk
        if held and action == "replaced":
            risk = Risk("will be replaced: its content is not moved", held)
        elif held and action == "removed":
            risk = Risk("will be deleted", held)
        yield replace(change, action=action, risk=risk, order=change.order if action == "replaced" else None)


def _held(urn: str, *sides: Inventory | None) -> Stateful | None:
    found = (side.by_urn[urn].stateful for side in sides if side and urn in side.by_urn)
    return next((held for held in found if held), None)


def _inventory(
    stack: str,
    states: Mapping[str, Mapping[str, Any]],
    sources: Iterable[Inventory],
    own: Inventory | None,
) -> Inventory | None:
    if not states:
        return None
    listed = list(sources)
    resources = tuple(_resource(urn, state, listed) for urn, state in states.items())
    return Inventory(stack, own.settings if own else {}, resources)


def _resource(urn: str, state: Mapping[str, Any], sources: list[Inventory]) -> Resource:
    inputs = known_mark({k: v for k, v in (state.get("inputs") or {}).items() if not k.startswith("__")})
    planned = next((side.by_urn[urn] for side in sources if urn in side.by_urn), None)
    return Resource(
        urn=urn,
        type=str(state.get("type", "")),
        name=urn.rsplit("::", 1)[-1],
        custom=bool(state.get("custom")),
        parent=state.get("parent") or None,
        inputs=inputs,
        secret_paths=tuple(_paths(inputs, SECRET)),
        unknown_paths=tuple(_paths(inputs, UNKNOWN)),
        dependencies=tuple(state.get("dependencies") or ()),
        property_dependencies={k: tuple(v or ()) for k, v in (state.get("propertyDependencies") or {}).items()},
        region=planned.region if planned else None,
        protect=bool(state.get("protect")),
        retain_on_delete=bool(state.get("retainOnDelete")),
        delete_before_replace=planned.delete_before_replace if planned else None,
        stateful=planned.stateful if planned else _of_its_kind(str(state.get("type", "")), sources),
    )


def _of_its_kind(type_token: str, sources: Iterable[Inventory]) -> Stateful | None:
    """What resources of a type hold, for one that no plan knows any more."""
    found = (r.stateful for side in sources for r in side.of_type(type_token))
    return next((held for held in found if held), None)


def _paths(node: Any, mark: str, path: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _paths(value, mark, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _paths(value, mark, f"{path}.{index}")
    elif node == mark:
        yield path
