"""A reviewed plan: what would be done to one stack, and its fingerprint, which changes whenever that does.

A plan file is data of whoever wrote it. Its fingerprint is computed again from what it says when it is read, and what
it says is compared with the engine's own preview before anything is done.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from common.errors import UserError
from ops.gates.model import Item, Kind, canonical, in_order, sha256

SCHEMA: Final = "https://seawall.dev/reviewed-plan/v1"
SIZE_LIMIT: Final = 32 * 2**20
NEVER_UPDATED: Final = "none"
"""In place of the update that a plan follows, of a stack that never had one."""
Source = Literal["engine", "offline"]
_REMEDY: Final = "Write it anew with `seawall deploy STACK --save-plan FILE`."


@dataclass(frozen=True)
class PlannedStep:
    """What would be done to one resource."""

    urn: str
    op: str
    """As the engine calls it: `create`, `update`, `replace`, `delete`, …"""
    changes: tuple[tuple[str, str, str], ...] = ()
    """Input, before and after, each as JSON; empty where there is none. Secrets are masked, unknowns marked."""
    replaces: tuple[str, ...] = ()
    """Inputs that force a replacement."""
    options: tuple[str, ...] = ()
    """What holds of the step, as `protect` or `retainOnDelete`."""
    secrets: str = ""
    """A digest of the secret inputs that it sets."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the same for the same step whatever the order."""
        return {
            "urn": self.urn,
            "op": self.op,
            "changes": [list(change) for change in sorted(self.changes)],
            "replaces": sorted(self.replaces),
            "options": sorted(self.options),
            "secrets": self.secrets,
        }


@dataclass(frozen=True)
class Plan:
    """What would be done to a stack, and what gates may ask about it."""

    stack: str
    source: Source
    steps: tuple[PlannedStep, ...]
    items: tuple[Item, ...]
    """All risks, whichever gate asks about them."""
    base: str = ""
    """The commit whose gates judge it, and which it is compared with."""
    after_update: str = ""
    """Which update of the stack it follows; empty offline."""
    made: Mapping[str, str] = field(default_factory=dict)
    """When, by whom and from which commit: for people, no part of the fingerprint."""

    @property
    def is_first(self) -> bool:
        """Whether the stack was never brought up before, though that may have been tried."""
        return is_first(self.after_update)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be done."""
        return not self.steps

    @property
    def fingerprint(self) -> str:
        """What tells it from every plan that does something else, or does it at another risk."""
        return sha256(
            {
                "schema": SCHEMA,
                "stack": self.stack,
                "source": self.source,
                "steps": sorted((step.to_json() for step in self.steps), key=canonical),
                "items": sorted([item.key, item.amount] for item in in_order(self.items)),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """The plan as a file has it."""
        return {
            "schema": SCHEMA,
            "stack": self.stack,
            "source": self.source,
            "fingerprint": self.fingerprint,
            "base": self.base,
            "after_update": self.after_update,
            "made": dict(self.made),
            "steps": sorted((step.to_json() for step in self.steps), key=canonical),
            "items": [item.to_json() for item in in_order(self.items)],
        }


def is_first(update: str) -> bool:
    """Whether no update of a stack ever succeeded, by its last one."""
    return update.partition(",")[0] == NEVER_UPDATED


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        UserError: it cannot be read, is no plan, has a member twice, or was edited after its fingerprint was taken.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise UserError("the plan is too large", str(path), _REMEDY)
        document = json.loads(path.read_bytes(), object_pairs_hook=_once, parse_constant=_no_constant)
        plan = _plan(document)
    except OSError as error:
        remedy = "Name a file that exists."
        raise UserError(f"the plan cannot be read: {error.strerror}", str(path), remedy) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)
        raise UserError(f"this is no reviewed plan: {why}", str(path), _REMEDY) from None
    if document["fingerprint"] != plan.fingerprint:
        raise UserError(
            "the plan was edited: its fingerprint is not that of what it says",
            f"{path}: {document['fingerprint']}, and it says {plan.fingerprint}",
            "Ask for the file as it was written, or write it anew with `seawall deploy STACK --save-plan FILE`.",
        )
    return plan


def differences(reviewed: Plan, now: Plan) -> Iterator[str]:
    """What is otherwise in the plan of now than in the reviewed one, in plain lines."""
    if reviewed.stack != now.stack:
        yield f"it is about {reviewed.stack}, not about {now.stack}"
    before, after = (_by_step(plan) for plan in (reviewed, now))
    for key in sorted({*before, *after}):
        was, step = before.get(key), after.get(key)
        if was is None:
            yield f"not reviewed: {_named(key)}"
        elif step is None:
            yield f"no longer done: {_named(key)}"
        elif was.to_json() != step.to_json():
            yield f"done otherwise: {_named(key)}{_how(was, step)}"
    # The steps are told above.
    accepted = {item.key: item for item in reviewed.items if item.kind is not Kind.CHANGE}
    for item in in_order(i for i in now.items if i.kind is not Kind.CHANGE):
        known = accepted.get(item.key)
        if known is None:
            yield f"a risk that was not reviewed: {item.kind}: {item.note or item}"
        elif item.amount != known.amount:
            yield f"{item.kind}: {item.subject} is {item.amount}, and {known.amount} was reviewed"
    left = {item.key for item in now.items}
    yield from (f"a risk that is gone: {item.kind}: {item}" for item in accepted.values() if item.key not in left)


def _by_step(plan: Plan) -> Mapping[tuple[str, str], PlannedStep]:
    return {(step.urn, step.op): step for step in plan.steps}


def _named(key: tuple[str, str]) -> str:
    urn, op = key
    return f"{op} {urn.rsplit('::', 1)[-1]} ({urn})"


def _how(was: PlannedStep, now: PlannedStep) -> str:
    paths = sorted({change[0] for change in {*was.changes} ^ {*now.changes}})
    told = [*paths, *(["secret inputs"] if was.secrets != now.secrets else [])]
    return f": {', '.join(told)}" if told else ""


def _plan(document: Any) -> Plan:
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    known = {"schema", "stack", "source", "fingerprint", "base", "after_update", "made", "steps", "items"}
    if set(document) != known:
        raise ValueError(f"its members are not {', '.join(sorted(known))}")
    if document["source"] not in ("engine", "offline"):
        raise ValueError("its source is neither engine nor offline")
    return Plan(
        stack=_text(document["stack"]),
        source=document["source"],
        steps=tuple(_step(each) for each in document["steps"]),
        items=tuple(read_item(each) for each in document["items"]),
        base=_text(document["base"]),
        after_update=_text(document["after_update"]),
        made={_text(name): _text(value) for name, value in document["made"].items()},
    )


def _step(data: Mapping[str, Any]) -> PlannedStep:
    if set(data) != {"urn", "op", "changes", "replaces", "options", "secrets"}:
        raise ValueError("a step has other members than a step has")
    return PlannedStep(
        _text(data["urn"]),
        _text(data["op"]),
        tuple((_text(path), _text(before), _text(after)) for path, before, after in data["changes"]),
        tuple(map(_text, data["replaces"])),
        tuple(map(_text, data["options"])),
        _text(data["secrets"]),
    )


def read_item(data: Mapping[str, Any]) -> Item:
    """An item as JSON has it.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    if set(data) != {"kind", "subject", "facts", "amount", "note"}:
        raise ValueError("an item has other members than an item has")
    amount = data["amount"]
    if amount is not None and (
        isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount)
    ):
        raise ValueError("an amount is no number")
    facts = tuple(sorted((_text(name), _text(value)) for name, value in data["facts"].items()))
    number = None if amount is None else float(amount)
    # The words beside it are no part of any fingerprint or signature, and nobody is to be told by them.
    return Item(Kind(data["kind"]), _text(data["subject"]), facts, number)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the member {name!r} stands there twice")
        found[name] = value
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")
