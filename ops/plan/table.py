"""Shows an inventory to a person: a tree of components with their resources, and totals.

Every resource has its type, whatever the width. Where a row does not fit, it goes on in the next line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from common.sdk.schema import PROVIDER_PREFIX
from policies.inventory import Inventory, Resource

PROTECTED = "protected"
RETAINED = "retained"
_GAP: Final = 2
_NAME_SHARE: Final = 0.45
"""How much of a narrow line the names of one component may take before the types stop lining up behind them."""


@dataclass(frozen=True)
class _Row:
    lead: str
    """The branches before the name."""
    name: Text
    cells: tuple[Text, ...]
    """Type, region, marks."""


def tree(inventory: Inventory, width: int | None = None) -> list[Text]:
    """The lines of a tree: components with the number of resources in them, and the resources under them.

    Args:
        width: in characters; None puts each resource on one line, however long.
    """
    children: dict[str | None, list[Resource]] = {}
    for resource in inventory.resources:
        children.setdefault(resource.parent, []).append(resource)
    counts = {r.urn: _below(r.urn, children) for r in inventory.resources if not r.custom}
    groups = [[_row(r, lead, counts) for r, lead in group] for group in _groups(children)]
    everything = [row for group in groups for row in group]
    stops = _stops(everything)
    aligned = [line for row in everything for line in _laid_out(row, stops, None)]
    if width is None or all(line.cell_len <= width for line in aligned):
        return [Text(inventory.stack, style="bold"), *aligned]
    narrow = [line for group in groups for row in group for line in _laid_out(row, _stops(group, width), width)]
    return [Text(inventory.stack, style="bold"), *narrow]


def summary(inventory: Inventory) -> Text:
    """Totals in one line: resources, components, regions, and what is protected."""
    providers = [r for r in inventory.resources if r.type.startswith(PROVIDER_PREFIX)]
    custom = [r for r in inventory.resources if r.custom and r not in providers]
    regions = Counter(r.region for r in custom if r.region)
    parts = [
        f"{len(custom)} resources",
        f"{len(inventory.resources) - len(custom) - len(providers)} components",
        *(f"{count} in {region}" for region, count in regions.most_common()),
        f"{sum(r.protect for r in custom)} {PROTECTED}",
        f"{sum(r.retain_on_delete for r in custom)} {RETAINED}",
    ]
    return Text(f"{inventory.stack}: " + " · ".join(parts))


def _groups(children: dict[str | None, list[Resource]]) -> Iterator[list[tuple[Resource, str]]]:
    """Each resource at the top, with all that is below it."""
    for resource in children.get(None, []):
        yield [(resource, " "), *_under(resource.urn, children, " ")]


def _under(parent: str, children: dict[str | None, list[Resource]], indent: str) -> Iterator[tuple[Resource, str]]:
    *others, last = members if (members := children.get(parent, [])) else [None]
    for resource in (*others, last):
        if resource is not None:
            yield resource, indent + ("└ " if resource is last else "├ ")
            yield from _under(resource.urn, children, indent + ("  " if resource is last else "│ "))


def _below(urn: str, children: dict[str | None, list[Resource]]) -> int:
    return sum(member.custom + _below(member.urn, children) for member in children.get(urn, []))


def _row(resource: Resource, lead: str, counts: dict[str, int]) -> _Row:
    name = Text(resource.name, style="" if resource.custom else "bold")
    if resource.urn in counts:
        name = Text.assemble(name, (f"  {counts[resource.urn]}", "dim"))
    marks = " ".join([PROTECTED] * resource.protect + [RETAINED] * resource.retain_on_delete)
    return _Row(lead, name, (Text(resource.type, style="dim"), Text(resource.region or ""), Text(marks, "yellow")))


def _stops(rows: Sequence[_Row], width: int | None = None) -> tuple[int, ...]:
    """Where each cell starts so that they line up; in a narrow line, where that leaves them room."""
    widest = [max(row.cells[i].cell_len for row in rows) for i in range(3)]
    first = max(len(row.lead) + row.name.cell_len for row in rows) + _GAP
    if width is not None:
        first = min(first, int(width * _NAME_SHARE))
    second = first + widest[0] + _GAP
    third = second + widest[1] + _GAP
    if width is not None:
        third = min(third, width - widest[2])
        second = min(second, third - _GAP - widest[1])
    return first, max(second, 0), max(third, 0)


def _laid_out(row: _Row, stops: Sequence[int], width: int | None) -> Iterator[Text]:
    """The row in as few lines as may be: cells at their stops, else close together, else the rest of them below."""
    cells = [(cell, stop) for cell, stop in zip(row.cells, stops, strict=True) if cell]
    start = Text.assemble((row.lead, "dim"), row.name)
    for lined_up in (True, False):
        line = start
        for cell, stop in cells:
            line = _appended(line, cell, stop if lined_up else 0)
        if width is None or line.cell_len <= width:
            yield line
            return
    indent = Text(row.lead.replace("├ ", "│ ").replace("└ ", "  ") + "    ", style="dim")
    line = start
    for cell, _ in cells:
        if line.cell_len + _GAP + cell.cell_len <= width:
            line = _appended(line, cell, 0)
            continue
        yield line
        *whole, rest = _parts(cell, width - indent.cell_len)
        yield from (indent + part for part in whole)
        line = indent + rest
    yield line


def _appended(line: Text, cell: Text, stop: int) -> Text:
    return Text.assemble(line, " " * max(stop - line.cell_len, _GAP), cell)


def _parts(cell: Text, room: int) -> list[Text]:
    """`cell` whole, or cut after a colon, a slash or a dot where it is longer than a line."""
    if cell.cell_len <= room:
        return [cell]
    parts: list[str] = []
    for piece in re.findall(r"[^:/.]+[:/.]*", cell.plain):
        if parts and len(parts[-1]) + len(piece) <= room:
            parts[-1] += piece
        else:
            parts.append(piece)
    return [Text(part, style=cell.style) for part in parts]
