"""What the engine's plan does to a stack, for the gates: as a preview tells it, with what the program says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from components.contracts.stateful import Stateful
from ops.deploying.preview import Preview
from ops.diff.compare import compare
from ops.diff.completing import completed
from ops.diff.costs import cost_change
from ops.diff.model import StackDiff
from ops.diff.run import PROVIDERS
from ops.preview.deployed import deployed_inventory
from ops.preview.telling import engine_diff
from policies.evaluation import evaluate
from policies.inventory import SECRET, Inventory, Resource


def planned_diff(stack: str, preview: Preview, base: Inventory | None, head: Inventory) -> StackDiff:
    """What the engine would do to a stack.

    Args:
        base: the plan of what was deployed, which says what deployed resources hold.
        head: the plan of what is to be deployed.
    """
    sources = tuple(side for side in (head, base) if side is not None)
    before = _side(stack, preview.before, sources, base or head)
    after = _side(stack, preview.after, sources, head)
    found = engine_diff(stack, preview.seen.values(), before, after, lambda _: (), {})
    # Rules judge plans, and prices follow from settings: both are the program's to say, not the state's.
    judged = compare(stack, base, head, providers=PROVIDERS, evaluate=evaluate)
    told = completed(replace(found, verdicts=judged.verdicts), before, after)
    return replace(told, cost=cost_change(base, head)) if told.changes else told


def _side(
    stack: str, states: Mapping[str, Mapping[str, Any]], sources: tuple[Inventory, ...], own: Inventory
) -> Inventory:
    """One side as the engine has it; what its state does not keep, the plans say."""
    found = deployed_inventory(stack, {"deployment": {"resources": [_plain(state) for state in states.values()]}})
    resources = tuple(_as_planned(resource, sources) for resource in found.resources)
    return replace(found, settings=own.settings, resources=resources, outputs={})


def _plain(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """A state without what the engine's bridge notes for itself."""
    inputs = {name: value for name, value in (state.get("inputs") or {}).items() if not name.startswith("__")}
    return {**state, "inputs": inputs}


def _as_planned(resource: Resource, sources: tuple[Inventory, ...]) -> Resource:
    planned = next((side.by_urn[resource.urn] for side in sources if resource.urn in side.by_urn), None)
    return replace(
        resource,
        secret_paths=tuple(_paths(resource.inputs)),
        region=resource.region or (planned.region if planned else None),
        delete_before_replace=planned.delete_before_replace if planned else None,
        stateful=resource.stateful or (planned.stateful if planned else _of_its_kind(resource.type, sources)),
        ignore_changes=planned.ignore_changes if planned else (),
    )


def _of_its_kind(type_token: str, sources: tuple[Inventory, ...]) -> Stateful | None:
    """What resources of a type hold, for one that no plan knows any more."""
    found = (r.stateful for side in sources for r in side.of_type(type_token))
    return next((held for held in found if held), None)


def _paths(node: Any, path: str = "") -> Iterator[str]:
    """Where the engine's own text stands for a secret."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _paths(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _paths(value, f"{path}.{index}")
    elif node == SECRET:
        yield path
