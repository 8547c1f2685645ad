"""Workers never wait for one another: neither for the one gateway of a machine, nor for the last long test."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.order import TAKES_TURNS, in_order

TESTS = Path(__file__).resolve().parents[1]
TIERS = st.frozensets(st.sampled_from(["gateway", "cluster", "engine", "triton"]))


@given(st.lists(TIERS))
def test_short_tests_come_last_and_what_takes_turns_first(tiers: list[frozenset[str]]) -> None:
    found = [0 if "gateway" in each else 1 if each else 2 for each in in_order(tiers, lambda each: each)]
    assert found == sorted(found)


@given(st.integers(0, 20), st.integers(0, 20))
def test_what_waits_stands_beside_what_computes(waiting: int, computing: int) -> None:
    found = in_order(["cluster"] * waiting + ["engine"] * computing, lambda tier: {tier})
    half = found[: len(found) // 2]
    assert abs(half.count("cluster") - waiting / 2) <= 1 and len(found) == waiting + computing


@given(st.lists(TIERS))
def test_tests_of_one_kind_keep_their_order(tiers: list[frozenset[str]]) -> None:
    numbered = in_order(list(enumerate(tiers)), lambda each: each[1])
    for kind in set(tiers):
        numbers = [number for number, each in numbered if each == kind]
        assert numbers == sorted(numbers)


def groups_of(source: str) -> set[str] | None:
    """The xdist groups of a module whose tests take turns; None of any other."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            marks = ast.unparse(node.value)
            if f"pytest.mark.{TAKES_TURNS}" in marks:
                calls = [n for n in ast.walk(node.value) if isinstance(n, ast.Call)]
                return {ast.literal_eval(c.args[0]) for c in calls if ast.unparse(c.func).endswith("xdist_group")}
    return None


def test_what_takes_turns_is_one_group() -> None:
    """Two groups could be two workers', of which one would wait for minutes while other tests are there to be run."""
    found = {path.name: groups_of(path.read_text(encoding="utf-8")) for path in TESTS.rglob("test_*.py")}
    takes_turns = {name: groups for name, groups in found.items() if groups is not None}
    assert len(takes_turns) > 5
    assert {name: groups for name, groups in takes_turns.items() if groups != {TAKES_TURNS}} == {}
