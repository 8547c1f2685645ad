"""A pair of bounds may be equal, and the lower may not be the larger by even one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from components.contracts.feature_store import BigtableSpec
from components.contracts.spec import check_order
from components.contracts.specs import NodePoolSpec


def test_equal_bounds_are_accepted() -> None:
    check_order("min_nodes", 3, "max_nodes", 3)


def test_bounds_that_cross_by_one_are_refused_with_both() -> None:
    with pytest.raises(PydanticCustomError, match="min_nodes is 4, more than max_nodes, which is 3"):
        check_order("min_nodes", 4, "max_nodes", 3)


@pytest.mark.parametrize(
    ("spec", "values"),
    [(NodePoolSpec, {"machine_types": ("m7i.large",)}), (BigtableSpec, {})],
    ids=["pool", "bigtable"],
)
def test_a_spec_with_both_bounds_checks_them(spec: type[NodePoolSpec | BigtableSpec], values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="min_nodes is 4, more than max_nodes, which is 3"):
        spec.model_validate({**values, "min_nodes": 4, "max_nodes": 3})
