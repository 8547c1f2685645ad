"""The change as a picture: a Mermaid flowchart of what changes and its neighbours. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ops.diff.model import ACTIONS, ResourceChange
from ops.diff.properties import is_update
from policies.inventory import Inventory, Resource

MOST_CHANGED: Final = 30
MOST_NODES: Final = 45
MOST_EDGES: Final = 120
_LONGEST_NAME: Final = 40
_STYLES: Final = {
    "removed": "fill:#ffd7d5,stroke:#cf222e,color:#000",
    "replaced": "fill:#ffdfb6,stroke:#bc4c00,color:#000",
    "changed": "fill:#fff8c5,stroke:#9a6700,color:#000",
    "added": "fill:#dafbe1,stroke:#1a7f37,color:#000",
    "stays": "fill:#f6f8fa,stroke:#8c959f,color:#000",
}
_MARKS: Final = {"removed": "−", "replaced": "±", "changed": "~", "added": "+"}


def picture(changes: Iterable[ResourceChange], base: Inventory | None, head: Inventory | None) -> str:
    """The flowchart, or nothing where there is nothing to draw. An arrow goes from what is needed to what needs it.

    At most `MOST_CHANGED` changed resources are drawn, those at risk and the gravest first; the last box says how
    many are not.
    """
    wanted = [change for change in changes if is_update(change)]
    if not wanted:
        return ""
    wanted.sort(key=lambda c: (c.risk is None, ACTIONS.index(c.action)))
    drawn = {c.resource.urn: c for c in wanted[:MOST_CHANGED]}
    resources = {r.urn: r for side in (base, head) if side for r in side.resources if r.custom}
    shown = _with_neighbours(drawn, {c.resource.urn for c in wanted}, resources)
    ids = {urn: f"r{number}" for number, urn in enumerate(shown)}
    lines = ["flowchart LR"]
    for urn, short in ids.items():
        change = drawn.get(urn)
        kind = change.action if change else "stays"
        lines.append(f'  {short}["{_label(resources[urn] if urn in resources else shown[urn], change)}"]:::{kind}')
    if len(wanted) > len(drawn):
        lines.append(f'  more["and {len(wanted) - len(drawn)} more that change"]:::stays')
    lines += [f"  {ids[a]} --> {ids[b]}" for a, b in _edges(shown, drawn)]
    used = {(drawn[urn].action if urn in drawn else "stays") for urn in shown} | {"stays"}
    lines += [f"  classDef {kind} {style}" for kind, style in _STYLES.items() if kind in used]
    return "\n".join(lines)


def _with_neighbours(
    drawn: Mapping[str, ResourceChange], changing: set[str], resources: Mapping[str, Resource]
) -> dict[str, Resource]:
    """What is drawn: the changed ones, then what they need and what needs them, as far as there is room."""
    shown = {urn: change.resource for urn, change in drawn.items()}
    needed = (urn for change in drawn.values() for urn in change.resource.dependencies)
    needing = (r.urn for r in resources.values() if any(urn in drawn for urn in r.dependencies))
    for urn in (*needed, *needing):
        if len(shown) >= MOST_NODES:
            break
        if urn in resources and urn not in changing and not resources[urn].type.startswith("pulumi:providers:"):
            shown.setdefault(urn, resources[urn])
    return shown


def _edges(shown: Mapping[str, Resource], drawn: Mapping[str, ResourceChange]) -> list[tuple[str, str]]:
    """Dependencies of or on what changes, without those that a longer way tells too."""
    needs = {urn: {n for n in r.dependencies if n in shown and n != urn} for urn, r in shown.items()}
    found: list[tuple[str, str]] = []
    for urn, needed in needs.items():
        indirect = {far for near in needed for far in needs[near]}
        found += [(n, urn) for n in sorted(needed - indirect) if n in drawn or urn in drawn]
    return found[:MOST_EDGES]


def _label(resource: Resource, change: ResourceChange | None) -> str:
    name = resource.name if len(resource.name) <= _LONGEST_NAME else f"{resource.name[:_LONGEST_NAME]}…"
    mark = f"{_MARKS[change.action]} " if change else ""
    risk = "⚠ " if change and change.risk else ""
    return f"{risk}{mark}{_escaped(name)}<br/>{_escaped(resource.type.rpartition(':')[2])}"


def _escaped(text: str) -> str:
    """Text in a quoted label: Mermaid reads entities there, and nothing else but the closing quote."""
    return "".join(char if char.isalnum() or char in " -_./…" else f"#{ord(char)};" for char in text)
