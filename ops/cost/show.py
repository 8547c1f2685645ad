"""An estimate as lines for a reader and as data for a program."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from ops.cost import prices
from ops.cost.beside import ALWAYS_LEFT_OUT
from ops.cost.machine_prices import SEEN
from ops.cost.model import Estimate
from ops.cost.prices import Price

_ACCURACY: Final = "list prices in USD, good to about a quarter"


def lines(estimate: Estimate, *, quiet: bool = False) -> Iterator[str]:
    """The estimate as text: each resource that costs something, the dearest first, and all that is not counted."""
    if not quiet:
        yield "    idle      full  resource"
        for line in estimate.lines:
            name = f"{line.type.rpartition(':')[2]} {line.name}"
            yield f"{line.idle_usd:8,.2f} {line.full_usd:9,.2f}  {name}: {line.what}"
        yield "Left out, as no plan knows it:"
        yield from (f"  {kind} ({count}): {why}" for kind, count, why in estimate.left_out)
        yield from (f"  {what}" for what in ALWAYS_LEFT_OUT)
    if estimate.not_priced:
        yield "Not priced, so the totals are too low:"
        yield from (f"  {kind} {name}" for kind, name in estimate.not_priced)
    yield (
        f"{estimate.stack}: {estimate.idle_usd:,.0f} USD a month idle · {estimate.full_usd:,.0f} at full scale · "
        f"{sum(count for _, count, _ in estimate.free)} resources free · {len(estimate.not_priced)} not priced"
    )
    if not quiet:
        yield f"{_ACCURACY}; machines of {SEEN}, the rest of {prices.READ_ON}."


def to_json(estimate: Estimate) -> dict[str, Any]:
    """The estimate as data, with every price that it may rest on and the price's source."""
    return {
        "stack": estimate.stack,
        "currency": "USD",
        "idle_usd": round(estimate.idle_usd, 2),
        "full_usd": round(estimate.full_usd, 2),
        "resources": [
            {**dataclasses.asdict(line), "idle_usd": round(line.idle_usd, 2), "full_usd": round(line.full_usd, 2)}
            for line in estimate.lines
        ],
        "free": [{"type": kind, "count": count, "why": why} for kind, count, why in estimate.free],
        "left_out": [{"type": kind, "count": count, "why": why} for kind, count, why in estimate.left_out],
        "always_left_out": list(ALWAYS_LEFT_OUT),
        "not_priced": [{"type": kind, "name": name} for kind, name in estimate.not_priced],
        "machine_prices_of": SEEN,
        "prices_of": prices.READ_ON,
        "prices": sources(),
    }


def sources() -> list[dict[str, Any]]:
    """Every price that is not a machine's."""
    single = [price for price in vars(prices).values() if isinstance(price, Price)]
    sized = [
        *(price for _, price in prices.REDIS_GIB_HOUR),
        *prices.VALKEY_LARGE_HOUR.values(),
        *prices.DISK_GIB.values(),
    ]
    return [dataclasses.asdict(price) for price in [*single, *sized]]
