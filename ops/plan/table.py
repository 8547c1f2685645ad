"""Shows an inventory to a person: a tree of components with their resources, and totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from common.sdk.schema import PROVIDER_PREFIX
from policies.inventory import Inventory, Resource

PROTECTED = "protected"
RETAINED = "retained"


def tree(inventory: Inventory) -> Table:
    """One row per resource under its component; components carry the number of resources in them."""
    table = Table(
        title=inventory.stack, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False, expand=False
    )
    table.add_column("Name", no_wrap=True)
    table.add_column("Type", overflow="fold")
    table.add_column("Region", no_wrap=True)
    table.add_column("Marks", no_wrap=True)
    children: dict[str | None, list[Resource]] = {}
    for resource in inventory.resources:
        children.setdefault(resource.parent, []).append(resource)
    counts = {r.urn: _below(r.urn, children) for r in inventory.resources if not r.custom}
    for resource, lead in _rows(None, children, ""):
        table.add_row(*_cells(resource, lead, counts.get(resource.urn)))
    return table


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


def _rows(
    parent: str | None, children: dict[str | None, list[Resource]], indent: str
) -> Iterator[tuple[Resource, str]]:
    members = children.get(parent, [])
    for position, resource in enumerate(members):
        last = position == len(members) - 1
        top = parent is None
        yield resource, "" if top else indent + ("└ " if last else "├ ")
        yield from _rows(resource.urn, children, "" if top else indent + ("  " if last else "│ "))


def _below(urn: str, children: dict[str | None, list[Resource]]) -> int:
    return sum(member.custom + _below(member.urn, children) for member in children.get(urn, []))


def _cells(resource: Resource, lead: str, count: int | None) -> tuple[Text, Text, Text, Text]:
    style = "" if resource.custom else "bold"
    name = Text(lead, style="dim").append(resource.name, style=style or "not dim")
    if count is not None:
        name.append(f"  {count}", style="not bold dim")
    marks = [PROTECTED] * resource.protect + [RETAINED] * resource.retain_on_delete
    return name, Text(resource.type, style="dim"), Text(resource.region or ""), Text(" ".join(marks), style="yellow")
