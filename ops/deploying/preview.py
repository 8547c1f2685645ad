"""Reads the engine's own preview, taken with a refresh: each step with what changes.

The engine masks secrets in what it prints. Its saved plan, asked for with the secrets shown, lies in a folder that
nobody else may read, for as long as the command runs: what is kept of them is a digest that takes long to compute.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.errors import UserError
from common.marks import UNKNOWN
from common.sdk.types import ENGINE_UNKNOWN, SIGNATURE_KEY
from ops.gates.model import canonical, sha256
from ops.gates.plan import PlannedStep
from ops.preview.events import Seen, seen_in

KEY_VARIABLE: Final = "SEAWALL_PLAN_KEY"
"""A key for the digests of secrets; whoever reviews and whoever deploys must have the same."""
_ABSENT: Final = object()
_LONG: Final = 400
_UNTOLD: Final = frozenset({"same", "read", "read-discard", "discard", "discard-replaced", "remove-pending-replace"})
_HALVES: Final = frozenset({"create-replacement", "delete-replaced"})
"""Of a replacement, which is told once, as `replace`."""
_OPTIONS: Final = ("protect", "retainOnDelete", "pendingReplacement", "external")


@dataclass(frozen=True)
class Preview:
    """What the engine would do."""

    steps: tuple[PlannedStep, ...]
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """URN → the resource as the refreshed state has it."""
    after: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """URN → the resource as the program asks for it."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    """URN → what is done to the resource, as a diff tells it."""


def read_preview(told: str, saved_plan: Mapping[str, Any] | None = None) -> Preview:
    """What `pulumi preview --refresh --json` printed.

    Args:
        saved_plan: what it saved with `--save-plan --show-secrets`.

    Raises:
        UserError: it is not that.
    """
    # Those of the refresh come before it, and tell nothing: what drifted is where the program's steps start from.
    program = [step for step in json_steps(told) if step["op"] != "refresh"]
    secrets = _secret_inputs(saved_plan or {})
    first = _deleted_first(program)
    done = (_planned(step, secrets, first) for step in program if step["op"] not in _HALVES)
    before = {step["urn"]: step["oldState"] for step in program if step.get("oldState")}
    after = {
        step["urn"]: step["newState"]
        for step in program
        if step.get("newState") and not step["op"].startswith(("delete", "discard"))
    }
    return Preview(tuple(step for step in done if step), before, after, seen_in(program))


def json_steps(told: str) -> Sequence[Mapping[str, Any]]:
    """The steps of what the engine printed as JSON.

    Raises:
        UserError: it is not that.
    """
    try:
        document = json.loads(told[told.index("{") :])
        steps = document.get("steps", [])
        if not all(isinstance(step["op"], str) and isinstance(step["urn"], str) for step in steps):
            raise ValueError("a step is none")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"the engine's preview cannot be read: {error}", "pulumi preview --json", "Use Pulumi 3.259 or later."
        ) from None
    return steps


def _deleted_first(steps: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The resources that are deleted before they are made anew: steps are told in their order."""
    halves: dict[str, str] = {}
    for step in steps:
        if step["op"] in _HALVES:
            halves.setdefault(step["urn"], step["op"])
    return frozenset(urn for urn, op in halves.items() if op == "delete-replaced")


def _planned(
    step: Mapping[str, Any], secrets: Mapping[str, Sequence[str]], first: Container[str]
) -> PlannedStep | None:
    op, urn = step["op"], step["urn"]
    before, after = step.get("oldState") or {}, step.get("newState") or {}
    options = [
        f"{name} {_flag(before, name)} to {_flag(after, name)}"
        for name in _OPTIONS
        if after and before and _flag(before, name) != _flag(after, name)
    ]
    if op in _UNTOLD and not options:
        return None
    kept = before if op == "delete" else after
    options += _managed(before, after)
    options += ["deleted first"] if urn in first else []
    options += [name for name in _OPTIONS if _flag(kept, name) == "true"]
    changed = tuple(changes(before.get("inputs") or {}, after.get("inputs") or {} if op != "delete" else {}))
    hidden = () if op in _UNTOLD or op == "delete" else secrets.get(urn, ())
    return PlannedStep(
        urn,
        op,
        changed,
        tuple(step.get("replaceReasons") or ()),
        tuple(sorted(options)),
        digest(urn, hidden) if hidden else "",
    )


def _managed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """By which provider, which says in which account and region it is; without its id, which is the state's own."""
    names = [str(side.get("provider") or "").rpartition("::")[0] for side in (before, after) if side]
    return [f"provider {name}" for name in dict.fromkeys(names) if name]


def _flag(state: Mapping[str, Any], name: str) -> str:
    return str(bool(state.get(name))).lower()


def changes(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """The leaves that differ, as JSON; a long value by its digest."""
    if before is after or (_ABSENT not in (before, after) and canonical(before) == canonical(after)):
        return  # as JSON: to Python, True is 1
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}, key=str):
            if not str(key).startswith("__"):  # what the engine's bridge notes for itself
                inside = f"{path}.{key}" if path else str(key)
                yield from changes(before.get(key, _ABSENT), after.get(key, _ABSENT), inside)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, f"{path}.{index}")
    else:
        yield path, _shown(before), _shown(after)


def _shown(value: Any) -> str:
    if value is _ABSENT or value is None:
        return ""
    text = canonical(known_mark(value))
    return text if len(text) <= _LONG else f"{len(text)} characters, {sha256(text)}"


def known_mark(value: Any) -> Any:
    """A value in which unknowns are marked as an inventory marks them."""
    if isinstance(value, Mapping):
        return {key: known_mark(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [known_mark(inside) for inside in value]
    return UNKNOWN if value == ENGINE_UNKNOWN else value


def digest(urn: str, secrets: Sequence[str]) -> str:
    """What tells secret inputs apart and is slow to compute, against guessing: scrypt, keyed where a key is set."""
    salt = hashlib.sha256(f"{os.environ.get(KEY_VARIABLE, '')}\0{urn}".encode()).digest()
    text = canonical(sorted(secrets)).encode("utf-8", "surrogatepass")
    return f"scrypt:{hashlib.scrypt(text, salt=salt, n=2**14, r=8, p=1, dklen=32).hex()}"


def _secret_inputs(saved_plan: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """URN → the secrets among the inputs that a step sets, each with its path."""
    plans = saved_plan.get("resourcePlans") or {}
    found = {
        urn: tuple(_secrets((plan.get("goal") or {}).get("inputDiff") or {}, ""))
        for urn, plan in plans.items()
        if isinstance(plan, Mapping)
    }
    return {urn: secrets for urn, secrets in found.items() if secrets}


def _secrets(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        if SIGNATURE_KEY in node:
            if "plaintext" in node:
                yield f"{path}={node['plaintext']}"
            return
        for key, value in node.items():
            yield from _secrets(value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _secrets(value, f"{path}.{index}")
