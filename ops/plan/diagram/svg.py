"""Writes a placed diagram as one SVG file: no script, no font or image from elsewhere, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from ops.plan.diagram.layout import (
    BOX_WIDTH,
    COLUMN_GAP,
    LINE_HEIGHT,
    MOST_LINES,
    TITLE_HEIGHT,
    Arrow,
    Layout,
    Node,
    Panel,
    place,
)
from ops.plan.diagram.model import Band, Drawing, drawing
from policies.inventory import Inventory

MARGIN: Final = 24
HEADER: Final = 64
FOOTER: Final = 44
CORNER: Final = 8
LETTER_WIDTH: Final = 6.9
"""Mean width of a letter at 12 pixels, generous for a system font."""

_STYLE: Final = """
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; fill: #1e293b; }
.page { fill: #ffffff; }
.heading { font-size: 20px; font-weight: 600; }
.note, .more { font-size: 12px; fill: #64748b; }
.panel { fill: #f8fafc; stroke: #cbd5e1; }
.caption { font-size: 13px; font-weight: 600; }
.primary .caption { fill: #1d4ed8; } .primary .edge { fill: #1d4ed8; }
.cluster .caption { fill: #6d28d9; } .cluster .edge { fill: #6d28d9; }
.far .caption { fill: #b45309; } .far .edge { fill: #b45309; }
.global .caption { fill: #0f766e; } .global .edge { fill: #0f766e; }
.box { fill: #ffffff; stroke: #94a3b8; }
.title { font-size: 14px; font-weight: 600; }
.kind { font-size: 12px; fill: #475569; }
.count { font-size: 12px; fill: #64748b; text-anchor: end; }
.lock { fill: none; stroke: #475569; stroke-width: 1.3; } .lock rect { fill: #475569; stroke: none; }
.arrow { fill: none; stroke: #94a3b8; stroke-width: 1.4; }
.head { fill: #64748b; }
@media (prefers-color-scheme: dark) {
  text { fill: #e2e8f0; }
  .page { fill: #0f172a; }
  .note, .more, .count { fill: #94a3b8; }
  .panel { fill: #162033; stroke: #334155; }
  .box { fill: #1e293b; stroke: #475569; }
  .kind { fill: #cbd5e1; }
  .primary .caption { fill: #93c5fd; } .primary .edge { fill: #60a5fa; }
  .cluster .caption { fill: #c4b5fd; } .cluster .edge { fill: #a78bfa; }
  .far .caption { fill: #fcd34d; } .far .edge { fill: #f59e0b; }
  .global .caption { fill: #5eead4; } .global .edge { fill: #2dd4bf; }
  .lock { stroke: #cbd5e1; } .lock rect { fill: #cbd5e1; }
  .arrow { stroke: #64748b; }
  .head { fill: #94a3b8; }
}
"""

_CLASSES: Final = {Band.PRIMARY: "primary", Band.CLUSTER: "cluster", Band.FAR: "far", Band.GLOBAL: "global"}


def draw(inventory: Inventory) -> str:
    """The stack as SVG text; the same inventory always gives the same text."""
    shown = drawing(inventory)
    layout = place(shown)
    width = max(layout.width, 420) + 2 * MARGIN
    height = layout.height + HEADER + FOOTER + MARGIN
    return "\n".join(_document(inventory, shown, layout, width, height)) + "\n"


def _document(inventory: Inventory, shown: Drawing, layout: Layout, width: float, height: float) -> Iterator[str]:
    resources = sum(box.count for box in shown.boxes.values())
    components = len({key[0] for key in shown.boxes if key[0]})
    summary = f"{_counted(resources, 'resource')} in {_counted(components, 'component')}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-labelledby="title desc">'
    )
    yield f'<title id="title">{escape(inventory.stack)}</title>'
    yield f'<desc id="desc">{escape(description(shown, summary))}</desc>'
    yield f"<style>{_STYLE}</style>"
    yield (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="head" d="M0 0.5 L8 4 L0 7.5 Z"/></marker></defs>'
    )
    yield f'<rect class="page" width="{width:g}" height="{height:g}"/>'
    yield f'<text class="heading" x="{MARGIN}" y="{MARGIN + 16}">{escape(inventory.stack)}</text>'
    yield f'<text class="note" x="{MARGIN}" y="{MARGIN + 34}">{summary}</text>'
    yield f'<g transform="translate({MARGIN} {HEADER + MARGIN / 2:g})">'
    for panel in layout.panels:
        yield from _panel(panel)
    for arrow in layout.arrows:
        yield _arrow(arrow)
    for node in layout.nodes:
        yield from _box(node)
    yield "</g>"
    yield (
        f'<text class="note" x="{MARGIN}" y="{height - MARGIN:g}">An arrow leads from what is made first to what '
        "needs it; ways already told by longer ones are left out. A lock marks protected resources.</text>"
    )
    yield "</svg>"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def description(shown: Drawing, summary: str) -> str:
    """The drawing in words, for who cannot see it."""
    parts = [f"{summary}."]
    for band, caption in shown.captions.items():
        boxes = [b for b in shown.boxes.values() if b.band is band]
        parts.append(f"{caption}: " + ", ".join(f"{b.title} ({b.count})" for b in boxes) + ".")
    needs: dict[str, list[str]] = {}
    for start, end in shown.arrows:
        needs.setdefault(_named(shown, end), []).append(_named(shown, start))
    parts += [f"{end} needs {', '.join(starts)}." for end, starts in needs.items()]
    return " ".join(parts)


def _named(shown: Drawing, key: tuple[str, Band]) -> str:
    box = shown.boxes[key]
    alone = sum(other.title == box.title for other in shown.boxes.values()) == 1
    return box.title if alone else f"{box.title} ({shown.captions[box.band].lower()})"


def _panel(panel: Panel) -> Iterator[str]:
    yield f'<g class="{_CLASSES[panel.band]}">'
    yield (
        f'<rect class="panel" x="{panel.x:.1f}" y="{panel.y:.1f}" width="{panel.width:.1f}" '
        f'height="{panel.height:.1f}" rx="{CORNER + 4}"/>'
    )
    yield f'<text class="caption" x="{panel.x + 16:.1f}" y="{panel.y + 21:.1f}">{escape(panel.caption)}</text></g>'


def _box(node: Node) -> Iterator[str]:
    box = node.box
    if box is None:
        return
    kinds = ", ".join(f"{k.count} {k.label}" + (" (protected)" if k.protected else "") for k in box.kinds)
    yield f'<g class="{_CLASSES[box.band]}" transform="translate({node.x:.1f} {node.y:.1f})">'
    yield f"<title>{escape(f'{box.title}: {kinds}')}</title>"
    yield f'<rect class="box" width="{BOX_WIDTH}" height="{node.height:g}" rx="{CORNER}"/>'
    yield f'<rect class="edge" x="0" y="{CORNER}" width="3" height="{node.height - 2 * CORNER:g}"/>'
    yield f'<text class="title" x="14" y="22">{escape(_cut(box.title, BOX_WIDTH - 56, 8.2))}</text>'
    yield f'<text class="count" x="{BOX_WIDTH - 12}" y="22">{box.count}</text>'
    shown = box.kinds if len(box.kinds) <= MOST_LINES else box.kinds[: MOST_LINES - 1]
    y = TITLE_HEIGHT + 8
    for kind in shown:
        taken = 26 + 30 * (kind.count > 1) + 16 * kind.protected
        yield f'<text class="kind" x="14" y="{y}">{escape(_cut(kind.label, BOX_WIDTH - taken, LETTER_WIDTH))}</text>'
        if kind.protected:
            yield _lock(BOX_WIDTH - (48 if kind.count > 1 else 22), y - 10)
        if kind.count > 1:
            yield f'<text class="count" x="{BOX_WIDTH - 12}" y="{y}">× {kind.count}</text>'
        y += LINE_HEIGHT
    if len(shown) < len(box.kinds):
        yield f'<text class="more" x="14" y="{y}">and {len(box.kinds) - len(shown)} more kinds</text>'
    yield "</g>"


def _lock(x: float, y: float) -> str:
    return (
        f'<g class="lock" transform="translate({x} {y})"><rect x="1" y="5" width="8" height="6" rx="1"/>'
        '<path d="M2.8 5 V3.4 a2.2 2.2 0 0 1 4.4 0 V5"/></g>'
    )


def _arrow(arrow: Arrow) -> str:
    (x, y), *rest = arrow.points
    parts = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in rest:
        if next_x - x > BOX_WIDTH - 1 and abs(next_y - y) < 1 and len(arrow.points) > 2:
            parts.append(f"H{next_x:.1f}")
        else:
            bend = min(COLUMN_GAP * 0.6, (next_x - x) / 2)
            parts.append(f"C{x + bend:.1f} {y:.1f} {next_x - bend:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    end = 'marker-end="url(#head)"' if arrow.forward else 'marker-start="url(#head)"'
    label = escape(f"{arrow.end.title} needs {arrow.start.title}")
    return f'<path class="arrow" d="{" ".join(parts)}" {end}><title>{label}</title></path>'


def _cut(text: str, width: float, letter: float) -> str:
    most = int(width / letter)
    return text if len(text) <= most else text[: most - 1] + "…"
