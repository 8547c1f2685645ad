"""Golden inventories: what each committed stack asks for, kept as a text that a reviewer can read.

    python -m ops.plan.golden          # refresh the files, remove those of stacks that are gone
    python -m ops.plan.golden --check  # change nothing; exit 1 if a file is stale, missing or an orphan

A golden inventory is a subset: type, path, region, marks, inputs and links of every resource, and the stack's
outputs. A resource's path is its components' names and its own.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from common.errors import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FOUND, UserError
from common.paths import repo_root
from policies.inventory import Inventory, Resource

LINE_WIDTH: Final = 110
"""A value that fits is written on one line, so that a change of one property is a change of one line."""

MOST_DIFF_LINES: Final = 40


def golden_dir() -> Path:
    """Where the golden inventories lie."""
    return repo_root() / "tests" / "golden"


def golden_text(inventory: Inventory) -> str:
    """One stack's golden inventory; the same inventory always gives the same text."""
    paths = {r.urn: _path(r, inventory.by_urn) for r in inventory.resources}
    names = {r.urn: f"{r.type} {paths[r.urn]}" for r in inventory.resources}
    entries = {names[r.urn]: _entry(r, names) for r in inventory.resources}
    whole = {
        "stack": inventory.stack,
        "outputs": dict(inventory.outputs),
        "resources": {key: entries[key] for key in sorted(entries)},
    }
    return "\n".join(_lines(whole, "", "")) + "\n"


def stale(stacks: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What is wrong with the files in `folder`, by file name: how it differs, that it is missing, or an orphan."""
    wanted = {f"{stack}.json": text for stack, text in stacks.items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}
    problems = {name: "an orphan: there is no such stack" for name in found if name not in wanted}
    for name, text in wanted.items():
        if name not in found:
            problems[name] = "missing"
        elif found[name] != text:
            problems[name] = _difference(found[name], text)
    return problems


def refresh(stacks: Mapping[str, str], folder: Path) -> list[str]:
    """Write what changed, remove orphans; gives the names of the files that it touched."""
    problems = stale(stacks, folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in problems:
        path = folder / name
        if path.stem not in stacks:
            path.unlink()
            continue
        partial = folder / f".{name}.partial"
        partial.write_text(stacks[path.stem], encoding="utf-8")
        partial.replace(path)
    return sorted(problems)


def main(arguments: list[str]) -> int:
    """Refresh or check the files of all stacks; gives the exit code."""
    from ops.plan.planner import plan_stack, stack_names

    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return EXIT_COULD_NOT_RUN
    try:
        texts = {stack: golden_text(plan_stack(stack)) for stack in stack_names()}
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_COULD_NOT_RUN
    if not arguments:
        touched = refresh(texts, golden_dir())
        print(f"{len(texts)} golden inventories; changed: {', '.join(touched) or 'none'}")
        return EXIT_CLEAN
    problems = stale(texts, golden_dir())
    for name, problem in problems.items():
        print(f"{name}: {problem}")
    return EXIT_FOUND if problems else EXIT_CLEAN


def _path(resource: Resource, by_urn: Mapping[str, Resource]) -> str:
    parent = by_urn.get(resource.parent or "")
    return f"{_path(parent, by_urn)}/{resource.name}" if parent else resource.name


def _entry(resource: Resource, names: Mapping[str, str]) -> dict[str, Any]:
    marks = ["protected"] * resource.protect + ["retained"] * resource.retain_on_delete
    by_property = {name for urns in resource.property_dependencies.values() for name in urns}
    links = {key: [names[u] for u in urns] for key, urns in sorted(resource.property_dependencies.items())}
    after = [names[urn] for urn in resource.dependencies if urn not in by_property]
    entry = {"region": resource.region, "marks": marks, "inputs": resource.inputs, "links": links, "after": after}
    return {key: value for key, value in entry.items() if value}


def _lines(value: Any, indent: str, lead: str) -> Iterator[str]:
    """JSON of `value`: on one line where it fits, else one line per item."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(lead) + len(flat) <= LINE_WIDTH or not isinstance(value, (Mapping, list)) or not value:
        yield f"{indent}{lead}{flat}"
        return
    if isinstance(value, Mapping):
        items = [(f"{json.dumps(key, ensure_ascii=False)}: ", item) for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        items = [("", item) for item in value]
        opening, closing = "[", "]"
    yield f"{indent}{lead}{opening}"
    for position, (key, item) in enumerate(items):
        *first, last = _lines(item, indent + "  ", key)
        yield from first
        yield last + ("," if position < len(items) - 1 else "")
    yield f"{indent}{closing}"


def _difference(old: str, new: str) -> str:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), "golden", "planned", lineterm="", n=1))
    cut = [f"… {len(lines) - MOST_DIFF_LINES} more lines"] if len(lines) > MOST_DIFF_LINES else []
    return "stale\n" + "\n".join(lines[:MOST_DIFF_LINES] + cut)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
