"""Golden plans: what the stacks of each cloud ask for, said once, as a text in which a reviewer sees a change.

    python -m tests.golden.write    # refresh the files, remove those that belong to no cloud

One file holds the plans of one cloud's platforms, merged: a value that they share is written once, with `<region>`
and the like standing for the stacks' own facts, which open the file. Where stacks differ, a value stands for each
group that agrees (`"= dev-aws, staging-aws"`); a stack that is not named there does not have it. A JSON document in a
string is shown as what it says, a text of many lines as its lines. A resource is named by its type and its path: its
components' names and its own. `<labels>` stands for the labels that every resource of the stack bears, and a set of
links that several resources have stands once, under "shared". A bootstrap stack has a file to itself.
"""

from __future__ import annotations

import base64
import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from common.errors import EXIT_CLEAN, EXIT_COULD_NOT_RUN, UserError
from components.contracts.labels import base_labels
from components.contracts.vocabulary import BOOTSTRAP
from policies.inventory import Inventory, Resource
from stacks.files import is_bootstrap

FOLDER: Final = Path(__file__).parent

LINE_WIDTH: Final = 110
"""A value that fits is written on one line, so that a change of one property is a change of one line."""

MOST_DIFF_LINES: Final = 40

Plans = Mapping[str, Any]
"""A part of the plan of each stack that has it, by the stack's name."""


def golden_text(inventories: Sequence[Inventory]) -> str:
    """The golden file of stacks of one cloud; the same inventories always give the same text."""
    facts = {i.stack: _facts(i) for i in inventories}
    merged = _Merger(facts).merged({i.stack: _told(i) for i in inventories})
    shared = _share_links(merged["resources"])
    labels = _Merger(facts).merged({i.stack: _labels(i) for i in inventories})
    return "\n".join(_lines({"stacks": facts, "labels": labels, "shared": shared, **merged}, "", "")) + "\n"


def golden_texts(inventories: Iterable[Inventory]) -> dict[str, str]:
    """The golden file of each cloud's platforms, and of each bootstrap stack, by file name."""
    clouds: dict[str, list[Inventory]] = {}
    for inventory in inventories:
        prepares = is_bootstrap(inventory.stack)
        clouds.setdefault(inventory.stack if prepares else inventory.stack.rpartition("-")[2], []).append(inventory)
    return {f"{cloud}.json": golden_text(stacks) for cloud, stacks in clouds.items()}


def stale(wanted: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What is wrong with the files in `folder`, by file name: how it differs, that it is missing, or an orphan."""
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}
    problems = {name: "an orphan: no stack has this cloud" for name in found if name not in wanted}
    for name, text in wanted.items():
        if name not in found:
            problems[name] = "missing"
        elif found[name] != text:
            problems[name] = _difference(found[name], text)
    return problems


def refresh(wanted: Mapping[str, str], folder: Path) -> list[str]:
    """Write what changed, remove orphans; gives the names of the files that it touched."""
    problems = stale(wanted, folder)
    for name in problems:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return sorted(problems)


def _facts(inventory: Inventory) -> dict[str, str]:
    """What differs from stack to stack by its nature; the placeholders bear these names."""
    settings = inventory.settings
    return {
        "stack": inventory.stack,
        "account": settings["account"],
        **({"backup_region": settings["backup"]["region"]} if "backup" in settings else {}),
        "region": settings["region"],
        "environment": _environment(settings),
    }


def _labels(inventory: Inventory) -> dict[str, str]:
    settings = inventory.settings
    return base_labels(_environment(settings), inventory.stack, settings["labels"])


def _environment(settings: Mapping[str, Any]) -> str:
    return settings.get("environment", BOOTSTRAP)


def _told(inventory: Inventory) -> dict[str, Any]:
    """One stack's golden entries, before they are merged with those of others."""
    paths = {r.urn: _path(r, inventory.by_urn) for r in inventory.resources}
    names = {r.urn: f"{r.type.rpartition(':')[2]} {paths[r.urn]}" for r in inventory.resources}
    labels = _labels(inventory)
    entries = {f"{r.type} {paths[r.urn]}": _entry(r, names, labels) for r in inventory.resources}
    return {"outputs": dict(inventory.outputs), "resources": entries}


def _path(resource: Resource, by_urn: Mapping[str, Resource]) -> str:
    parent = by_urn.get(resource.parent or "")
    return f"{_path(parent, by_urn)}/{resource.name}" if parent else resource.name


def _entry(resource: Resource, names: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, Any]:
    marks = {
        "protected": resource.protect,
        "retained": resource.retain_on_delete,
        "replaced by a new one first": resource.delete_before_replace is False,
    }
    by_property = {urn for urns in resource.property_dependencies.values() for urn in urns}
    entry = {
        "region": resource.region,
        "marks": {mark for mark, borne in marks.items() if borne},
        "holds": str(resource.stateful) if resource.stateful else "",
        "inputs": _unlabelled(resource.inputs, labels),
        "links": {key: {names[u] for u in urns} for key, urns in resource.property_dependencies.items()},
        "after": {names[urn] for urn in resource.dependencies if urn not in by_property},
    }
    return {key: value for key, value in entry.items() if value}


def _unlabelled(value: Any, labels: Mapping[str, str]) -> Any:
    """`value` with the stack's labels, where all of them stand together, said in one word."""
    if isinstance(value, list):
        return [_unlabelled(item, labels) for item in value]
    if not isinstance(value, Mapping):
        return value
    if labels.items() <= value.items():
        rest = {key: item for key, item in value.items() if key not in labels}
        return {**rest, "<labels>": "all"} if rest else "<labels>"
    return {key: _unlabelled(item, labels) for key, item in value.items()}


def _share_links(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Take sets of links that several resources have out of `resources`; gives them by the name that replaces them.

    A set is named after its first members, as many as tell it from the other sets.
    """
    places = [links for entry in resources.values() for links in _links_in(entry)]
    uses = Counter(json.dumps(links[key]) for links in places for key in links if len(links[key]) > 1)
    sets = {text: json.loads(text) for text, count in uses.items() if count > 1}
    titles = {text: _title(members, [m for m in sets.values() if m != members]) for text, members in sets.items()}
    for links in places:
        for key, members in links.items():
            links[key] = titles.get(json.dumps(members), members)
    return {titles[text]: sets[text] for text in sorted(sets, key=lambda text: titles[text])}


def _links_in(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, part in entry.items():
        if name == "links":
            yield part
        elif name.startswith("= "):
            yield from _links_in(part)


def _title(members: Sequence[Any], others: Sequence[Sequence[Any]]) -> str:
    telling = (n for n in range(1, len(members)) if all(members[:n] != other[:n] for other in others))
    least = next(telling, len(members))
    return " + ".join([*map(str, members[:least]), *["…"] * (least < len(members))])


class _Merger:
    """Merges the plans of several stacks into one."""

    def __init__(self, facts: Mapping[str, Mapping[str, str]]) -> None:
        self._patterns = {stack: [_pattern(*fact) for fact in own.items()] for stack, own in facts.items()}

    def merged(self, plans: Plans) -> Any:
        """What the stacks have in common at one place of their plans, and where they differ."""
        values = list(plans.values())
        if all(isinstance(value, Mapping) for value in values):
            keys = sorted({key for value in values for key in value})
            return {key: self._some({s: p[key] for s, p in plans.items() if key in p}, plans) for key in keys}
        if all(isinstance(value, set) for value in values):
            return self._set({s: {self._general(s, name) for name in p} for s, p in plans.items()})
        if all(isinstance(value, list) for value in values):
            longest = range(max(map(len, values)))
            return [self._some({s: p[n] for s, p in plans.items() if n < len(p)}, plans) for n in longest]
        if all(isinstance(value, str) for value in values):
            return self._text(plans)
        return _one_or_each(plans)

    def _set(self, plans: Mapping[str, set[str]]) -> list[Any]:
        having = {name: [s for s, p in plans.items() if name in p] for name in sorted(set().union(*plans.values()))}
        return [name if len(stacks) == len(plans) else {_these(stacks): name} for name, stacks in having.items()]

    def _some(self, plans: Plans, all_of: Plans) -> Any:
        """As `merged`, of a part that some of the stacks may lack."""
        merged = self.merged(plans)
        return merged if len(plans) == len(all_of) else {_these(plans): merged}

    def _text(self, plans: Mapping[str, str]) -> Any:
        documents = {stack: _document(text) for stack, text in plans.items()}
        if all(documents.values()):
            return self.merged(documents)
        general = {stack: self._general(stack, text) for stack, text in plans.items()}
        return (
            plans[min(plans)] if len(set(plans.values())) == 1 < len(set(general.values())) else _one_or_each(general)
        )

    def _general(self, stack: str, text: str) -> str:
        """`text` with the stack's own facts replaced by their names."""
        for pattern, name in self._patterns[stack]:
            text = pattern.sub(name, text)
        return text


def _pattern(name: str, value: str) -> tuple[re.Pattern[str], str]:
    """A fact as a whole word; a region may be followed by the letter of a zone. `.dev` and `/dev` mean no stack."""
    end = r"(?![0-9])" if name.endswith("region") else r"(?![A-Za-z0-9])"
    start = r"(?<![A-Za-z0-9./])" if name == "environment" else r"(?<![A-Za-z0-9])"
    return re.compile(rf"{start}{re.escape(value)}{end}"), f"<{name}>"


def _document(text: str) -> dict[str, Any] | None:
    """What a JSON document or a text of several lines says; nothing for other texts."""
    try:
        if text.startswith(("{", "[")):
            return {"<json>": json.loads(text)}
        if text.startswith("eyJ"):
            return {"<base64 json>": json.loads(base64.b64decode(text, validate=True))}
    except ValueError:
        return None
    return {"<lines>": text.split("\n")} if "\n" in text else None


def _one_or_each(plans: Plans) -> Any:
    groups: dict[str, dict[str, Any]] = {}
    for stack, value in plans.items():
        groups.setdefault(json.dumps(value), {})[stack] = value
    if len(groups) == 1:
        return next(iter(plans.values()))
    return {_these(group): json.loads(value) for value, group in groups.items()}


def _these(stacks: Iterable[str]) -> str:
    """The key of what only `stacks` have."""
    return "= " + ", ".join(stacks)


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


def main() -> int:
    """Refresh the files of all stacks; gives the exit code."""
    from ops.plan.several import plan_stacks
    from stacks.settings import stack_names

    try:
        wanted = golden_texts(plan_stacks(stack_names()))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_COULD_NOT_RUN
    touched = refresh(wanted, FOLDER)
    print(f"{len(wanted)} golden files; changed: {', '.join(touched) or 'none'}")
    return EXIT_CLEAN


if __name__ == "__main__":
    sys.exit(main())
