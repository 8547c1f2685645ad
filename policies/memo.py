"""What is worked out once for an inventory and read by many rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from policies.inventory import Inventory

T = TypeVar("T")
_KEPT = "_worked_out"


def once(inventory: Inventory, work: Callable[[Inventory], T]) -> T:
    """What `work` makes of the inventory; the second time, what it made the first time."""
    kept: dict[Callable[[Inventory], Any], Any] = vars(inventory).setdefault(_KEPT, {})
    if work not in kept:
        kept[work] = work(inventory)
    return kept[work]
