"""What a change costs: the estimates of both sides, and the resources that make the difference. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ops.cost.estimate import estimate
from ops.cost.model import Estimate, Line
from ops.diff.model import CostChange, CostLine
from policies.inventory import SECRET, Inventory
from stacks.files import is_bootstrap
from stacks.problems import SettingsError
from stacks.settings import Settings

_STAND_IN: Final = "https://masked.example.com/a-secret-of-the-settings"
"""For a secret of the settings, which no price depends on."""
_CENT: Final = 0.005


def cost_change(base: Inventory | None, head: Inventory | None) -> CostChange:
    """The difference of a month's cost; a stack that is not there costs nothing."""
    before, after = _estimate(base), _estimate(head)
    if isinstance(before, str) or isinstance(after, str):
        side, why = ("base", before) if isinstance(before, str) else ("head", after)
        return CostChange(unknown=f"the settings of the {side} cannot be priced: {why}")
    lines = tuple(_lines(before, after))
    known = {name for _, name in before.not_priced}
    by_use = {(kind, why): count for kind, count, why in before.left_out}
    return CostChange(
        round(before.idle_usd, 2),
        round(after.idle_usd, 2),
        round(before.full_usd, 2),
        round(after.full_usd, 2),
        lines,
        tuple(f"{kind} {name}" for kind, name in after.not_priced if name not in known),
        tuple(f"{kind} ({why})" for kind, count, why in after.left_out if count > by_use.get((kind, why), 0)),
    )


def _estimate(inventory: Inventory | None) -> Estimate | str:
    """The estimate, or why there is none."""
    if inventory is None:
        return Estimate("", (), (), (), ())
    try:
        settings = None if is_bootstrap(inventory.stack) else _settings(inventory)
        return estimate(inventory, settings)
    except SettingsError as error:
        return str(error).splitlines()[0]
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Base's settings may come from another version of the program, whose plan has other inputs.
        return f"its plan has another form ({type(error).__name__})"


def _settings(inventory: Inventory) -> Settings:
    return Settings.parse(_unmasked(inventory.settings), inventory.stack)


def _unmasked(value: Any) -> Any:
    if value == SECRET:
        return _STAND_IN
    if isinstance(value, Mapping):
        return {key: _unmasked(item) for key, item in value.items()}
    return [_unmasked(item) for item in value] if isinstance(value, list) else value


def _lines(before: Estimate, after: Estimate) -> list[CostLine]:
    old, new = ({(line.type, line.name): line for line in side.lines} for side in (before, after))
    found: list[CostLine] = []
    for key in dict.fromkeys((*new, *old)):
        was, now = old.get(key), new.get(key)
        idle, full = (_difference(was, now, part) for part in ("idle_usd", "full_usd"))
        if abs(idle) >= _CENT or abs(full) >= _CENT:
            found.append(
                CostLine(*key, was.what if was else "", now.what if now else "", round(idle, 2), round(full, 2))
            )
    return sorted(found, key=lambda line: -abs(line.full_usd))


def _difference(was: Line | None, now: Line | None, part: str) -> float:
    return (getattr(now, part) if now else 0.0) - (getattr(was, part) if was else 0.0)
