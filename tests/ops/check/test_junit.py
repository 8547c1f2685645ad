"""JUnit's totals agree with its cases, and any text can be in it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.check.command import check_inventories
from ops.check.junit import as_junit
from ops.check.report import CheckReport
from policies.inventory import Inventory
from policies.waivers import Waiver
from tests.ops.check import toys

TODAY = date(2026, 6, 1)


def report(*inventories: Inventory, waivers: Sequence[Waiver] = ()) -> CheckReport:
    return check_inventories(inventories, waivers, TODAY)


def read(told: CheckReport) -> ET.Element:
    return ET.fromstring(as_junit(told))  # noqa: S314 - our own output


@pytest.fixture
def waiver(violating: Inventory) -> Waiver:
    """A waiver of the one violation."""
    urn = violating.resources[0].urn
    return Waiver(toys.RULE, "dev-aws", TODAY, urn, reason="shown to partners", owner="platform")


def counted(element: ET.Element) -> dict[str, int]:
    cases = element.findall(".//testcase")
    return {
        "tests": len(cases),
        "failures": len([c for c in cases if c.find("failure") is not None]),
        "errors": len([c for c in cases if c.find("error") is not None]),
        "skipped": len([c for c in cases if c.find("skipped") is not None]),
    }


def test_totals_agree_with_the_cases_of_each_suite_and_of_all(
    plans: dict[str, Inventory], violating: Inventory, waiver: Waiver
) -> None:
    harmed = replace(plans["dev-gcp"], resources=tuple(replace(r, inputs={}) for r in plans["dev-gcp"].resources))
    stray = replace(waiver, stack="no-such-stack")
    root = read(report(harmed, violating, plans["prod-aws"], waivers=[waiver, stray]))
    for element in (root, *root.findall("testsuite")):
        assert {name: int(element.get(name, "-1")) for name in counted(element)} == counted(element)
    assert int(root.get("failures", "0")) > 50 and int(root.get("skipped", "0")) > 0


def test_suites_have_a_time_and_a_moment(violating: Inventory) -> None:
    root = read(report(violating))
    for element in (root, *root.findall("testsuite")):
        assert float(element.get("time", "")) >= 0
        assert len(element.get("timestamp", "")) == len("2026-06-01T00:00:00")


def test_a_violation_says_what_was_found_and_what_to_do(violating: Inventory) -> None:
    (failure,) = read(report(violating)).iter("failure")
    assert toys.BAD in failure.get("message", "") and "Remedy: " in (failure.text or "")


def test_a_waived_violation_is_skipped_and_says_by_whom(violating: Inventory, waiver: Waiver) -> None:
    (suite,) = read(report(violating, waivers=[waiver])).findall("testsuite")
    (skipped,) = suite.iter("skipped")
    assert suite.get("skipped") == "1" and suite.get("failures") == "0"
    assert "platform until 2026-06-01" in skipped.get("message", "")


def test_an_invalid_waiver_is_a_failure(clean: Inventory, waiver: Waiver) -> None:
    (suite,) = read(report(clean, waivers=[waiver])).findall("testsuite")
    assert suite.get("failures") == "1"


def test_an_invalid_waiver_of_another_stack_has_a_suite(clean: Inventory, waiver: Waiver) -> None:
    root = read(report(clean, waivers=[replace(waiver, stack="no-such-stack")]))
    assert [suite.get("name") for suite in root.findall("testsuite")] == ["dev-aws", "waivers"]


@given(text=st.text(st.characters(), min_size=1))
def test_any_text_makes_xml_that_can_be_read(text: str) -> None:
    written = as_junit(report(toys.called(text)))
    root = ET.fromstring(written.encode("utf-8"))  # noqa: S314 - our own output
    assert root.get("failures") == "1" and len(list(root.iter("failure"))) == 1
