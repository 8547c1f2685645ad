"""Reads inventories from files that `seawall plan --json` wrote, and refuses what is cut off or something else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from policies.inventory import Inventory

STDIN = Path("-")
_REMEDY = "write it anew with `seawall plan --json > FILE`"


def read_plans(path: Path) -> tuple[Inventory, ...]:
    """The inventories in `path` (`-`: standard input): one or more objects, or a list of them.

    Raises:
        UserError: the file is missing, empty, cut off, or does not hold plans.
    """
    where = "standard input" if path == STDIN else str(path)
    try:
        text = sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"the plan cannot be read: {error.strerror}", where, "Name a file that exists.") from None
    except UnicodeDecodeError:
        raise UserError("the plan is not text", where, _REMEDY) from None
    inventories = tuple(_inventory(data, where) for data in _objects(text, where))
    if not inventories:
        raise UserError("the plan is empty", where, _REMEDY)
    names = [inventory.stack for inventory in inventories]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UserError(f"stack {repeated[0]} is in the plan twice", where, _REMEDY)
    return inventories


_WORDS: Final = ("true", "false", "null")


def _objects(text: str, where: str) -> Iterator[object]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            rest = text[error.pos :].rstrip()  # empty, or the beginning of a word that the cut went through
            cut = any(word.startswith(rest) for word in _WORDS) or error.msg.startswith("Unterminated")
            what = "the plan is cut off" if cut else f"the plan is not JSON: {error.msg}"
            raise UserError(what, f"{where}, line {error.lineno}, column {error.colno}", _REMEDY) from None
        except RecursionError:
            raise UserError("the plan is nested too deeply", where, _REMEDY) from None
        yield from value if isinstance(value, list) else [value]


def _inventory(data: object, where: str) -> Inventory:
    problem = _shape_problem(data)
    if problem:
        raise UserError(f"this is not a plan: {problem}", where, _REMEDY)
    assert isinstance(data, Mapping)  # noqa: S101 - narrows the type; the shape was checked above
    return Inventory.from_json(data)


_STACK_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "stack": str,
    "settings": Mapping,
    "resources": list,
    "outputs": Mapping,
}
_RESOURCE_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "urn": str,
    "type": str,
    "name": str,
    "custom": bool,
    "parent": (str, type(None)),
    "inputs": Mapping,
    "secret_paths": list,
    "unknown_paths": list,
    "dependencies": list,
    "property_dependencies": Mapping,
    "region": (str, type(None)),
    "protect": bool,
    "retain_on_delete": bool,
    "stateful": (Mapping, type(None)),
}


def _shape_problem(data: object) -> str:
    problem = _field_problem(data, _STACK_FIELDS)
    if problem or not isinstance(data, Mapping):
        return problem
    for index, resource in enumerate(data["resources"]):
        problem = _field_problem(resource, _RESOURCE_FIELDS) or _link_problem(resource) or _source_problem(resource)
        if problem:
            return f"resources.{index}: {problem}"
    return ""


def _field_problem(data: object, fields: Mapping[str, type | tuple[type, ...]]) -> str:
    if not isinstance(data, Mapping):
        return "not an object"
    for name, kind in fields.items():
        if name not in data:
            return f"{name!r} is missing"
        if not isinstance(data[name], kind):
            return f"{name!r} is {type(data[name]).__name__}"
    return ""


def _link_problem(resource: Mapping[str, Any]) -> str:
    lists = {name: resource[name] for name in ("secret_paths", "unknown_paths", "dependencies")}
    lists |= {f"property_dependencies.{key}": value for key, value in resource["property_dependencies"].items()}
    for name, value in lists.items():
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return f"{name!r} is not a list of texts"
    return ""


def _source_problem(resource: Mapping[str, Any]) -> str:
    made_at = resource.get("made_at", "")
    return "" if isinstance(made_at, str) else f"'made_at' is {type(made_at).__name__}"


def chosen(inventories: Sequence[Inventory], stacks: Sequence[str], where: str) -> tuple[Inventory, ...]:
    """The inventories of `stacks`, all where none is named.

    Raises:
        UserError: a named stack is not in the plan.
    """
    by_name = {inventory.stack: inventory for inventory in inventories}
    missing = [stack for stack in stacks if stack not in by_name]
    if missing:
        raise UserError(f"stack {missing[0]!r} is not in the plan", where, f"Choose one of {', '.join(by_name)}.")
    return tuple(by_name[stack] for stack in dict.fromkeys(stacks)) if stacks else tuple(inventories)
