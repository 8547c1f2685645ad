"""Places a diagram's boxes in columns by what they depend on, and leads its arrows around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import Final

from ops.plan.diagram.model import Band, Box, BoxKey, Drawing

BOX_WIDTH: Final = 208
TITLE_HEIGHT: Final = 34
LINE_HEIGHT: Final = 18
MOST_LINES: Final = 5
COLUMN_GAP: Final = 64
ROW_GAP: Final = 22
LANE_HEIGHT: Final = 14
BAND_PADDING: Final = 20
BAND_CAPTION: Final = 36
BAND_GAP: Final = 28
SWEEPS: Final = 8
"""How often columns are reordered against their neighbours; more changes nothing on graphs of this size."""


@dataclass
class Node:
    """A box, or a lane that an arrow takes past a column."""

    band: Band
    column: int
    box: Box | None
    x: float = 0
    y: float = 0

    @property
    def height(self) -> float:
        """In pixels."""
        return box_height(self.box) if self.box else LANE_HEIGHT

    @property
    def middle(self) -> float:
        """The y of the node's centre."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Panel:
    """The frame around one band."""

    band: Band
    caption: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Arrow:
    """Points from the start's edge to the end's edge; `forward` if the arrowhead is at the right end."""

    start: Box
    end: Box
    points: tuple[tuple[float, float], ...]
    forward: bool


@dataclass(frozen=True)
class Layout:
    """Everything with its place, in pixels."""

    nodes: tuple[Node, ...]
    panels: tuple[Panel, ...]
    arrows: tuple[Arrow, ...]
    width: float
    height: float


def box_height(box: Box) -> float:
    """Title and as many lines as are shown."""
    return TITLE_HEIGHT + LINE_HEIGHT * min(len(box.kinds), MOST_LINES) + 8


def place(drawing: Drawing) -> Layout:
    """Columns by dependency, rows ordered to keep arrows short, every band in a frame of its own."""
    columns = _columns(drawing)
    nodes = {key: Node(box.band, columns[key], box) for key, box in drawing.boxes.items()}
    last_primary = max((n.column for n in nodes.values() if n.band is Band.PRIMARY), default=-1)
    routes = [_route(nodes[start], nodes[end], last_primary) for start, end in drawing.arrows]
    grid: list[list[Node]] = [[] for _ in range(1 + max((n.column for n in nodes.values()), default=-1))]
    for node in [*nodes.values(), *(lane for route in routes for lane in route[1:-1])]:
        grid[node.column].append(node)
    neighbours = _neighbours(routes)
    _order(grid, neighbours)
    panels = _frames(grid, drawing.captions, last_primary)
    _settle(grid, neighbours, {panel.band: panel for panel in panels})
    return Layout(
        nodes=tuple(nodes.values()),
        panels=tuple(panels),
        arrows=tuple(_arrows(drawing, nodes, routes)),
        width=max((p.x + p.width for p in panels), default=0),
        height=max((p.y + p.height for p in panels), default=0),
    )


def _columns(drawing: Drawing) -> dict[BoxKey, int]:
    """Longest way from the left; the bands at the right begin after the primary region's last column."""
    before: dict[BoxKey, set[BoxKey]] = {}
    for start, end in drawing.arrows:
        if (start[1] is Band.PRIMARY) == (end[1] is Band.PRIMARY):
            before.setdefault(end, set()).add(start)
    columns: dict[BoxKey, int] = {}

    def column(key: BoxKey) -> int:
        if key not in columns:
            columns[key] = max((column(k) + 1 for k in before.get(key, ())), default=0)
        return columns[key]

    for key in drawing.boxes:
        column(key)
    _spread(columns, drawing)
    last = max((c for key, c in columns.items() if key[1] is Band.PRIMARY), default=-1)
    inside = {key for arrow in drawing.arrows if all(k[1] is Band.PRIMARY for k in arrow) for key in arrow}
    outward = {key for arrow in drawing.arrows for key in arrow if key[1] is Band.PRIMARY} - inside
    columns |= dict.fromkeys(outward, last)  # tied to the right side only: stands at its edge
    return {key: c if key[1] is Band.PRIMARY else c + last + 1 for key, c in columns.items()}


def _spread(columns: dict[BoxKey, int], drawing: Drawing) -> None:
    """Move boxes that nothing at the right needs into the columns that their band leaves empty."""
    available = 1 + max((c for key, c in columns.items() if key[1] is not Band.PRIMARY), default=0)
    needed = {start for start, end in drawing.arrows if end[1] is not Band.PRIMARY}
    for band in drawing.captions:
        keys = [key for key in drawing.boxes if key[1] is band]
        free = sorted((key for key in keys if key not in needed and columns[key] == 0), key=lambda k: k[0])
        used = {columns[key] for key in keys}
        empty = [c for c in range(available) if c not in used]
        if band is Band.PRIMARY or not empty:
            continue
        targets = [0, *empty]
        for position, key in enumerate(free):
            columns[key] = targets[position * len(targets) // len(free)]


def _route(start: Node, end: Node, last_primary: int) -> list[Node]:
    """From the left box to the right one, with a lane in every column between them."""
    left, right = (start, end) if start.column <= end.column else (end, start)
    lanes = [
        Node(Band.PRIMARY if column <= last_primary else right.band, column, None)
        for column in range(left.column + 1, right.column)
    ]
    return [left, *lanes, right]


def _neighbours(routes: Iterable[list[Node]]) -> dict[int, list[Node]]:
    """Nodes next to each other on a route, by the identity of the node."""
    found: dict[int, list[Node]] = {}
    for route in routes:
        for left, right in pairwise(route):
            found.setdefault(id(left), []).append(right)
            found.setdefault(id(right), []).append(left)
    return found


def _order(grid: list[list[Node]], neighbours: Mapping[int, list[Node]]) -> None:
    """Sort each column by the mean position of its nodes' neighbours, sweeping to and fro."""
    for column in grid:
        column.sort(key=lambda n: (n.band, -len(neighbours.get(id(n), ()))))
    for sweep in range(SWEEPS):
        for column in grid if sweep % 2 == 0 else reversed(grid):
            rank = {id(n): i / max(1, len(other)) for other in grid for i, n in enumerate(other)}
            side = -1 if sweep % 2 == 0 else 1

            def pull(node: Node, rank: dict[int, float] = rank, side: int = side) -> tuple[int, float]:
                near = [rank[id(n)] for n in neighbours.get(id(node), ()) if (n.column - node.column) * side > 0]
                return node.band, mean(near) if near else rank[id(node)]

            column.sort(key=pull)


def _frames(grid: list[list[Node]], captions: Mapping[Band, str], last_primary: int) -> list[Panel]:
    """The bands' frames: the primary region at the left, the others stacked to its right."""
    needed = {band: max(_stack_height([n for n in c if n.band is band]) for c in grid) for band in captions}
    left_width = _panel_width(last_primary + 1)
    right_width = _panel_width(len(grid) - last_primary - 1)
    heights = {band: BAND_CAPTION + needed[band] + BAND_PADDING for band in captions}
    rights = [band for band in captions if band is not Band.PRIMARY]
    right_height = sum(heights[b] for b in rights) + BAND_GAP * max(0, len(rights) - 1)
    heights[Band.PRIMARY] = max(heights.get(Band.PRIMARY, 0), right_height)
    panels, y = [], 0.0
    if Band.PRIMARY in captions:
        panels.append(Panel(Band.PRIMARY, captions[Band.PRIMARY], 0, 0, left_width, heights[Band.PRIMARY]))
    spare = max(0.0, heights[Band.PRIMARY] - right_height) / max(1, len(rights))
    right_x = left_width + BAND_GAP if Band.PRIMARY in captions else 0
    for band in rights:
        panels.append(Panel(band, captions[band], right_x, y, right_width, heights[band] + spare))
        y += heights[band] + spare + BAND_GAP
    for position, column in enumerate(grid):
        in_left = position <= last_primary
        x = (0 if in_left else right_x) + BAND_PADDING
        x += (position if in_left else position - last_primary - 1) * (BOX_WIDTH + COLUMN_GAP)
        for node in column:
            node.x = x
    return panels


def _panel_width(columns: int) -> float:
    return columns * BOX_WIDTH + max(0, columns - 1) * COLUMN_GAP + 2 * BAND_PADDING


def _stack_height(nodes: list[Node]) -> float:
    return sum(n.height for n in nodes) + ROW_GAP * max(0, len(nodes) - 1)


def _settle(grid: list[list[Node]], neighbours: Mapping[int, list[Node]], panels: Mapping[Band, Panel]) -> None:
    """Pull every node towards its neighbours' height as far as its frame and the order allow."""
    for column in grid:
        for band, panel in panels.items():
            _stack([n for n in column if n.band is band], panel, None)
    for sweep in range(SWEEPS):
        for column in grid if sweep % 2 == 0 else reversed(grid):
            for band, panel in panels.items():
                _stack([n for n in column if n.band is band], panel, neighbours)


def _stack(nodes: list[Node], panel: Panel, neighbours: Mapping[int, list[Node]] | None) -> None:
    """Place a column's nodes below one another, near where they want to be; None: centred in the frame."""
    top, bottom = panel.y + BAND_CAPTION, panel.y + panel.height - BAND_PADDING
    y = top + max(0.0, bottom - top - _stack_height(nodes)) / 2 if neighbours is None else top
    for node in nodes:
        wanted = y
        if neighbours is not None and (near := neighbours.get(id(node))):
            wanted = mean(n.middle for n in near) - node.height / 2
        elif neighbours is not None:
            wanted = node.y
        node.y = max(y, wanted)
        y = node.y + node.height + ROW_GAP
    for node in reversed(nodes):
        node.y = min(node.y, bottom - node.height)
        bottom = node.y - ROW_GAP


def _arrows(drawing: Drawing, nodes: Mapping[BoxKey, Node], routes: list[list[Node]]) -> list[Arrow]:
    """Points of each arrow; several arrows at one side of a box are spread along it."""
    leaving = _ports([(route[0], route[1]) for route in routes])
    arriving = _ports([(route[-1], route[-2]) for route in routes])
    arrows = []
    for number, ((start, end), route) in enumerate(zip(drawing.arrows, routes, strict=True)):
        points = [(route[0].x + BOX_WIDTH, leaving[number])]
        for lane in route[1:-1]:
            points += [(lane.x, lane.middle), (lane.x + BOX_WIDTH, lane.middle)]
        points.append((route[-1].x, arriving[number]))
        arrows.append(
            Arrow(drawing.boxes[start], drawing.boxes[end], tuple(points), forward=nodes[start] is route[0])
        )
    return arrows


def _ports(ends: list[tuple[Node, Node]]) -> dict[int, float]:
    """The y of each arrow's end on its box, in the order of where the arrows go."""
    by_box: dict[int, list[int]] = {}
    for number, (node, _) in enumerate(ends):
        by_box.setdefault(id(node), []).append(number)
    ports = {}
    for numbers in by_box.values():
        numbers.sort(key=lambda n: ends[n][1].middle)
        for position, number in enumerate(numbers):
            node = ends[number][0]
            ports[number] = node.y + node.height * (position + 1) / (len(numbers) + 1)
    return ports
