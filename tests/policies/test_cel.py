"""A condition in CEL is read by what it means: however it is written, and never for more than it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.cel import every_way, ways
from policies.google_iam import restricts
from policies.inventory import Inventory

NOTHING = Inventory("prod-gcp", {}, ())
"""No bucket is planned whose name a condition could begin."""
NAMED = "resource.name == 'projects/p/secrets/one'"
NARROW = (
    NAMED,
    f"({NAMED})",
    f"(({NAMED}))",
    NAMED.replace("'", '"'),
    NAMED.replace(" ", ""),
    f"true && {NAMED}",
    f"!(!({NAMED}))",
    f"!!({NAMED})",
    f"!({NAMED.replace('==', '!=')})",
    f"!({NAMED.replace('==', '!=')} || false)",
    f"{NAMED} || false",
    f"{NAMED} || ({NAMED} && request.time < timestamp('2030-01-01T00:00:00Z'))",
    f"(true || false) && ({NAMED} || resource.name == 'projects/p/secrets/two')",
    "resource.name.startsWith('projects/_/buckets/own-')",
    "resource.name in ['projects/p/secrets/one', 'projects/p/secrets/two']",
    "resource.name == 'a || true'",
    "false",
)
WIDE = (
    "",
    "true",
    "!false",
    "!(false)",
    "(true)",
    f"({NAMED} || true)",
    f"(({NAMED}) || (true))",
    f"{NAMED} || !(false)",
    f"({NAMED} && true) || true",
    f"true && ({NAMED} || !false)",
    f"!({NAMED})",
    f"!(!({NAMED}) && false)",
    f"!({NAMED} && false)",
    NAMED.replace("==", "!="),
    f"({NAMED}) == false",
    f"({NAMED} || true) == true",
    f"!{NAMED}",
    f"{NAMED} ? true : true",
    f"{NAMED} && true ? true : true",
    f"'{NAMED.replace(chr(39), '')}' != ''",
    f"{NAMED} && ",
    f"({NAMED}",
    f"{NAMED})",
    f"|| {NAMED}",
    f"{NAMED} | true",
    f"{NAMED} || request.time < timestamp('2030-01-01T00:00:00Z')",
    "resource.name.startsWith('p')",
    "resource.name.startsWith('')",
    "resource.name.startsWith('projects/_/buckets/own-') == false",
    "resource.name in []",
    "resource.name >= 'a'",
    "('x' == 'x' || resource.name == 'projects/p/secrets/one')",
    "has(resource.name)",
)


@pytest.mark.parametrize("expression", NARROW)
def test_a_condition_that_leaves_some_resources_restricts(expression: str) -> None:
    assert restricts(expression, NOTHING)


@pytest.mark.parametrize("expression", WIDE)
def test_a_condition_that_leaves_all_restricts_nothing(expression: str) -> None:
    assert not restricts(expression, NOTHING)


_ATOMS = st.sampled_from(["a == 'x'", "b == 'y'", "true", "false"])
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: (
        st.builds("({} || {})".format, inner, inner)
        | st.builds("({} && {})".format, inner, inner)
        | st.builds("!({})".format, inner)
    ),
    max_leaves=8,
)


@given(_EXPRESSIONS)
def test_the_ways_to_meet_a_condition_are_those_that_logic_knows(expression: str) -> None:
    found = ways(expression)
    assert found is not None
    logic = expression.replace("||", " or ").replace("&&", " and ").replace("!", " not ")
    logic = logic.replace("true", "True").replace("false", "False").replace("a == 'x'", "A").replace("b == 'y'", "B")
    for a in (True, False):
        for b in (True, False):
            values = {"a == 'x'": a, "b == 'y'": b}
            met = any(all(values[atom.text] != atom.denied for atom in way) for way in found)
            assert met == eval(logic, {"A": a, "B": b})  # noqa: S307 - of this test's own words


@given(st.text(alphabet="ab'\"()[]|&!=<>?: ,.", max_size=30))
def test_no_text_is_too_strange_to_judge(text: str) -> None:
    every_way(text, lambda atom: atom.startswith("a =="))
