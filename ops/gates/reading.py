"""What a gate may ask about in a change: read from the diff through few narrow functions, one for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ops.diff.model import PropertyChange, ResourceChange, StackDiff
from ops.gates.decide import FROM
from ops.gates.model import OPEN_TO, Item, Kind, in_order, item, sha256
from policies.waivers import Waiver

IDLE: Final = "a month, idle"
FULL: Final = "a month, at full scale"
UNPRICED: Final = "has no price in the table"


@dataclass(frozen=True)
class Change:
    """All that gates look at of one stack's change."""

    diff: StackDiff
    waivers: tuple[Waiver, ...] = ()
    """Those of head that base does not have in the same words."""
    guards: tuple[Item, ...] = ()
    """What judges changes, where it was changed."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """URN → a digest of the secret inputs that change."""


def items_of(change: Change) -> tuple[Item, ...]:
    """All that any gate may ask about."""
    return in_order(item for read in _READERS for item in read(change))


def _state(change: Change) -> Iterator[Item]:
    for each in change.diff.at_risk:
        assert each.risk is not None, "only changes at risk are told"  # noqa: S101
        said = {"action": each.action, "at stake": str(each.risk.at_stake)}
        if each.action == "changed":
            for prop in each.properties:
                yield item(Kind.STATE, each.resource.urn, {**said, **_property(prop)}, note=_plain(each.risk.what))
            continue
        if each.action == "removed":
            kept = {"protect": each.resource.protect, "retainOnDelete": each.resource.retain_on_delete}
            said |= {name: str(value).lower() for name, value in kept.items()}
        if each.order:
            said["order"] = each.order
        yield item(Kind.STATE, each.resource.urn, said, note=_plain(each.risk.what))


def _irreversible(change: Change) -> Iterator[Item]:
    """The steps that the diff says nothing takes back, and content that is deleted."""
    actions = {each.resource.urn: each.action for each in change.diff.changes}
    told = {step.urn: step.irreversible for step in change.diff.steps if step.irreversible}
    for each in change.diff.changes:
        held = each.resource.stateful
        if each.action in ("removed", "replaced") and held is not None and not each.resource.retain_on_delete:
            told.setdefault(each.resource.urn, f"is {each.action}, and with it goes {held}")
    for urn, why in told.items():
        yield item(Kind.IRREVERSIBLE, urn, {"action": actions.get(urn, "changed")}, note=_plain(why))


def _cost(change: Change) -> Iterator[Item]:
    """The sums after the change where they grow; what grows by an unknown sum has no amount to accept."""
    cost = change.diff.cost
    if change.diff.fate == "gone" or not change.diff.changes:
        return
    if cost.unknown:
        yield item(Kind.COST, "a month", {FROM: "not known", "to": "not known"}, note=_plain(cost.unknown))
    sums = ((IDLE, cost.idle_before, cost.idle_after), (FULL, cost.full_before, cost.full_after))
    for name, before, after in sums if not cost.unknown else ():
        was = "not known" if before is None else f"{before:.2f}"
        if after is not None and (before is None or round(after, 2) > round(before, 2)):
            yield item(
                Kind.COST, name, {FROM: was, "currency": "USD"}, round(after, 2), f"from {was} to {after:.2f} USD"
            )
    for resource in cost.not_priced:
        yield item(Kind.COST, resource, {"price": UNPRICED})


def _reach(change: Change) -> Iterator[Item]:
    for way in change.diff.reach:
        yield item(Kind.REACH, way.urn, {"way": way.way, OPEN_TO: way.to}, note=f"{way.way} is open to {way.to}")


def _waivers(change: Change) -> Iterator[Item]:
    for waiver in change.waivers:
        facts = {
            "resource": waiver.resource,
            "reason": waiver.reason,
            "owner": waiver.owner,
            "expires": waiver.expires.isoformat(),
        }
        note = _plain(f"until {facts['expires']} for {waiver.resource}, by {waiver.owner}: {waiver.reason}")
        yield item(Kind.WAIVER, f"{waiver.rule} on {waiver.stack}", facts, note=note)


def _verdicts(change: Change) -> Iterator[Item]:
    for verdict in change.diff.verdicts:
        if not verdict.worse:
            continue
        subject = verdict.urn or verdict.resource
        said = {"verdict": str(verdict.after), "severity": str(verdict.severity)}
        for problem in verdict.problems or (verdict.reason,):
            facts = {**said, "problem": problem}
            note = _plain(f"{verdict.rule} {verdict.after} on {verdict.resource}: {problem}")
            yield item(Kind.VERDICT, f"{verdict.rule} on {subject}", facts, note=note)


def _changes(change: Change) -> Iterator[Item]:
    for each in change.diff.changes:
        urn = each.resource.urn
        yield item(Kind.CHANGE, urn, _action(each))
        for prop in each.properties:
            yield item(Kind.CHANGE, urn, _property(prop))
    for urn, digest in change.secrets.items():
        yield item(Kind.CHANGE, urn, {"secret inputs": digest})
    for prop in change.diff.outputs:
        yield item(Kind.CHANGE, f"output {prop.path}", _property(prop))


def _action(change: ResourceChange) -> dict[str, object]:
    resource = change.resource
    said: dict[str, object] = {"action": change.action}
    if change.order:
        said["order"] = change.order
    if change.action == "added":
        said["inputs"] = sha256([resource.inputs, sorted(resource.unknown_paths)])
        said["protect"] = str(resource.protect).lower()
    if change.action == "removed":
        said["protect"] = str(resource.protect).lower()
        said["retainOnDelete"] = str(resource.retain_on_delete).lower()
    return said


def _property(prop: PropertyChange) -> dict[str, object]:
    said: dict[str, object] = {"input": prop.path}
    if prop.before is not None:
        said["from"] = prop.before
    if prop.after is not None:
        said["to"] = prop.after
    if prop.replaces:
        said["replaces"] = "yes"
    return said


def _plain(text: str) -> str:
    return " ".join(text.split())


_READERS: Final[tuple[Callable[[Change], Iterator[Item]], ...]] = (
    _state,
    _irreversible,
    _cost,
    _reach,
    _waivers,
    _verdicts,
    _changes,
    lambda change: iter(change.guards),
)
