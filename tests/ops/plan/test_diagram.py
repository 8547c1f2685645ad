"""The diagram of a stack."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from ops.plan.diagram import draw
from ops.plan.diagram.layout import BAND_CAPTION, BOX_WIDTH, Layout, Node, place
from ops.plan.diagram.model import Band, drawing
from ops.plan.planner import plan_program
from policies.inventory import Inventory
from stacks.files import platform_names

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def inventory(program: Callable[[], None]) -> Inventory:
    return plan_program(program, "dev-aws")


@pytest.fixture(scope="module", params=platform_names())
def stack(request: pytest.FixtureRequest, plans: dict[str, Inventory]) -> Inventory:
    return plans[request.param]


def laid_out(inventory: Inventory) -> Layout:
    return place(drawing(inventory))


def overlap(a: Node, b: Node) -> bool:
    return abs(a.x - b.x) < BOX_WIDTH and a.y < b.y + b.height and b.y < a.y + a.height


def test_no_two_boxes_overlap(stack: Inventory) -> None:
    pairs = itertools.combinations(laid_out(stack).nodes, 2)
    assert [(a.box, b.box) for a, b in pairs if overlap(a, b)] == []


def test_every_box_is_inside_its_frame_below_the_caption(stack: Inventory) -> None:
    layout = laid_out(stack)
    frames = {panel.band: panel for panel in layout.panels}
    for node in layout.nodes:
        frame = frames[node.band]
        assert frame.x <= node.x
        assert node.x + BOX_WIDTH <= frame.x + frame.width
        assert frame.y + BAND_CAPTION <= node.y
        assert node.y + node.height <= frame.y + frame.height


def test_no_arrow_runs_through_a_box_that_it_does_not_end_at(stack: Inventory) -> None:
    layout = laid_out(stack)
    for arrow in layout.arrows:
        for (x, y), (next_x, next_y) in itertools.pairwise(arrow.points):
            crossed = [
                node.box.title
                for node in layout.nodes
                if node.box and x <= node.x and node.x + BOX_WIDTH <= next_x and node.y < y < node.y + node.height
            ]
            assert not crossed, f"{arrow.end.title} needs {arrow.start.title}: {y} → {next_y}"


def test_every_managed_resource_is_counted_in_one_box(stack: Inventory) -> None:
    managed = [r for r in stack.resources if r.custom and not r.type.startswith("pulumi:providers:")]
    assert sum(box.count for box in drawing(stack).boxes.values()) == len(managed)


def test_a_replica_stands_in_the_backup_region(stack: Inventory) -> None:
    boxes = drawing(stack).boxes.values()
    assert {box.band for box in boxes if box.title == "storage"} >= {Band.PRIMARY, Band.FAR}


def test_an_arrow_that_a_longer_way_tells_is_left_out(stack: Inventory) -> None:
    arrows = set(drawing(stack).arrows)
    after: dict[object, set[object]] = {}
    for start, end in arrows:
        after.setdefault(start, set()).add(end)
    short = {(a, c) for a, bs in after.items() for b in bs for c in after.get(b, ())}
    assert not short & arrows


def test_the_file_is_well_formed_and_described_in_words(inventory: Inventory) -> None:
    root = ElementTree.fromstring(draw(inventory))  # noqa: S314 - our own text
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title") == "dev-aws"
    described = root.findtext(f"{SVG}desc") or ""
    assert "Primary region: eu-west-1: outside components (1), storage (4)." in described


def test_the_file_refers_to_nothing_outside_itself(stack: Inventory) -> None:
    text = draw(stack).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|@import|<script|<image|href", text)


def test_light_and_dark_style_the_same_things(inventory: Inventory) -> None:
    style = draw(inventory).partition("<style>")[2].partition("</style>")[0]
    light, _, dark = style.partition("@media (prefers-color-scheme: dark)")

    def coloured(text: str) -> set[str]:
        rules = re.findall(r"([^{}]*){[^}]*(?:fill|stroke): #[^}]*}", text)
        return {selector.strip() for selectors in rules for selector in selectors.split(",")}

    assert coloured(light) == coloured(dark.partition("{")[2])


def test_the_same_stack_is_always_drawn_the_same(inventory: Inventory) -> None:
    assert draw(inventory) == draw(inventory)


def test_a_name_cannot_break_out_of_its_text(inventory: Inventory) -> None:
    data = inventory.to_json()
    data["stack"] = "<script>alert(1)</script>"
    root = ElementTree.fromstring(draw(Inventory.from_json(data)))  # noqa: S314 - our own text
    assert root.find(f".//{SVG}script") is None


def test_an_empty_stack_is_drawn_too() -> None:
    ElementTree.fromstring(draw(Inventory("dev-aws", {}, ())))  # noqa: S314 - our own text
