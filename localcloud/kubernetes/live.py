"""What of a deployed object differs from what was asked for, as pulumi-kubernetes sees it: pure comparisons.

It compares the live object, pruned to the fields that the program names, with the program's inputs, both through the
API's types, which write quantities in one way and drop what is empty (`Diff`, `Read`, `pruneLiveState` and
`normalizeInputs` of pulumi-kubernetes, provider/pkg/provider at 010f5d8, read 2026-11-21). So fields that controllers
own are no difference, and what another has changed of ours is one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from localcloud.providers.values import Unknown

_QUANTITIES: Final = frozenset(
    {"averageValue", "capacity", "divisor", "hard", "limits", "requests", "sizeLimit", "storage", "value"}
)
"""Fields of the API that hold quantities, themselves or in what is below them."""
_QUANTITY: Final = re.compile(r"^([+-]?[0-9]+\.?[0-9]*)([mkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$")
_FACTORS: Final = {
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}
_DROPPED: Final = ("managedFields",)


def asked_and_live(asked: Any, live: Any, *, quantity: bool = False) -> Any:
    """`asked` with the values of `live` wherever those really differ.

    What `live` has beside is no difference. A field that `live` lacks is left out, unless it is empty in `asked`.
    """
    if isinstance(asked, Unknown):
        return asked
    if isinstance(asked, Mapping) and isinstance(live, Mapping):
        found: dict[str, Any] = {}
        for key, value in asked.items():
            if key in live:
                found[key] = asked_and_live(value, live[key], quantity=quantity or key in _QUANTITIES)
            elif _is_empty(value):
                found[key] = value
        return found
    if isinstance(asked, list) and isinstance(live, list):
        kept = [asked_and_live(a, b, quantity=quantity) for a, b in zip(asked, live, strict=False)]
        return [*kept, *live[len(asked) :]]
    if asked == live or (quantity and _amount(asked) is not None and _amount(asked) == _amount(live)):
        return asked
    return live


def inputs_of(asked: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that the live object stands for, in the words of those that were asked for."""
    compared = dict(live)
    if asked.get("kind") == "Secret" and "stringData" in asked:
        compared["stringData"] = _decoded(live.get("data") or {})
    return dict(asked_and_live(dict(asked), compared))


def without_bookkeeping(live: Mapping[str, Any]) -> dict[str, Any]:
    """The object without what only the API server's own bookkeeping needs."""
    metadata = {key: value for key, value in (live.get("metadata") or {}).items() if key not in _DROPPED}
    return {**live, "metadata": metadata}


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_empty(each) for each in value.values())
    return value in (None, False, 0, "", [])


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Decimal(str(value))
    found = _QUANTITY.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix in _FACTORS:
        return number * _FACTORS[suffix]
    return number.scaleb(int(suffix[1:])) if suffix else number


def _decoded(data: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            found[key] = value
    return found
