"""Compares two inventories of one stack: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from ops.diff.hazards import hazard
from ops.diff.model import ResourceChange, StackDiff
from ops.diff.properties import ignored, links, options, properties
from ops.diff.replacing import Providers, replaced, with_followers
from ops.diff.risks import left_to_flagger, protection_risk, removal_risk, still_flaggers, taken_away
from ops.diff.verdicts import verdict_changes
from policies.inventory import Inventory, Resource
from policies.model import Finding

__all__ = ["Evaluate", "Providers", "compare", "compare_resources", "moved_by_alias"]

Evaluate = Callable[[Inventory], Iterable[Finding]]


def compare(
    stack: str, base: Inventory | None, head: Inventory | None, *, providers: Providers, evaluate: Evaluate
) -> StackDiff:
    """What `head` changes in `base`; None stands for a stack that does not exist on that side.

    The rules are head's for both sides, so that a changed rule shows as a changed verdict only where it matters.
    """
    moved = moved_by_alias(base, head)
    return StackDiff(
        stack=stack,
        fate="both" if base and head else "new" if head else "gone",
        changes=compare_resources(base, head, providers),
        outputs=tuple(properties(base.outputs if base else {}, head.outputs if head else {}, ())),
        verdicts=tuple(verdict_changes(evaluate(base) if base else (), evaluate(head) if head else (), moved)),
    )


def compare_resources(
    base: Inventory | None, head: Inventory | None, providers: Providers
) -> tuple[ResourceChange, ...]:
    """The resources that differ, with what their replacements bring."""
    after = head.by_urn if head else {}
    before = under_new_names(base.by_urn if base else {}, moved_by_alias(base, head))
    return tuple(with_followers(_changes(before, after, providers), before, after, providers))


def moved_by_alias(base: Inventory | None, head: Inventory | None) -> Mapping[str, str]:
    """Old URN → the one that `head` gives the same resource, where its aliases name the old one."""
    if base is None or head is None:
        return {}
    before = base.by_urn
    return {old: r.urn for r in head.resources if r.urn not in before for old in r.aliases if old in before}


def under_new_names(before: Mapping[str, Resource], moved: Mapping[str, str]) -> Mapping[str, Resource]:
    """`before` with the URNs that its resources have now."""
    if not moved:
        return before

    def named(urns: Iterable[str]) -> tuple[str, ...]:
        return tuple(moved.get(urn, urn) for urn in urns)

    return {
        moved.get(urn, urn): replace(
            resource,
            urn=moved.get(urn, urn),
            name=moved.get(urn, urn).rsplit("::", 1)[-1],
            parent=resource.parent and moved.get(resource.parent, resource.parent),
            dependencies=named(resource.dependencies),
            property_dependencies={prop: named(urns) for prop, urns in resource.property_dependencies.items()},
        )
        for urn, resource in before.items()
    }


def _changes(
    before: Mapping[str, Resource], after: Mapping[str, Resource], providers: Providers
) -> Iterator[ResourceChange]:
    for urn, resource in after.items():
        if urn not in before:
            yield ResourceChange("added", resource, risk=still_flaggers(resource, before, after))
    for urn, resource in after.items():
        change = changed(before[urn], resource, providers) if urn in before else None
        if change is not None:
            yield change
    for urn, resource in before.items():
        if urn not in after:
            risk = (
                removal_risk(resource)
                or taken_away(resource, before, after)
                or left_to_flagger(resource, before, after)
            )
            yield ResourceChange("removed", resource, risk=risk, was_protected=resource.protect)


def changed(before: Resource, after: Resource, providers: Providers) -> ResourceChange | None:
    """The change of a resource that both sides have, by its own inputs; None if there is none."""
    if before == after:
        return None
    replacing = tuple(providers.replace_on(after.type))
    inputs = (
        *properties(before.inputs, after.inputs, replacing),
        *links(before, after, replacing, providers.takes_list),
    )
    sent = (change for change in inputs if not ignored(change.path, after.ignore_changes))
    found = [*sent, *options(before, after)]
    if not found:
        return None
    if any(p.replaces for p in found):
        return replaced(before, after, found, providers)
    risk = protection_risk(before, after, found, hazard(before, after, found))
    return ResourceChange("changed", after, tuple(found), risk, was_protected=before.protect)
