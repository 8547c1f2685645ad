"""The committed stacks keep every policy."""

from __future__ import annotations

from datetime import date

import pytest

from ops.check.command import check_inventories
from ops.check.report import as_text
from policies import waivers
from policies.inventory import Inventory
from stacks.settings import stack_names


@pytest.mark.parametrize("stack", stack_names())
def test_a_committed_stack_passes(plans: dict[str, Inventory], stack: str) -> None:
    report = check_inventories([plans[stack]], waivers.load(), date.today())
    assert report.passed, as_text(report, quiet=True)
