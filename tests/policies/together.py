"""The stack in which the compliant examples of many rules stand together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import zip_longest
from typing import Any

from policies.examples import Given, Scene, Text, scene
from policies.model import Rule
from policies.rules import RULES

_NOTHING = object()


def together(chosen: Callable[[Rule], bool]) -> Scene:
    """The stack in which the compliant examples of these rules stand together."""
    found: dict[tuple[str, str], Given] = {}
    for given in (given for rule in RULES if chosen(rule) for given in rule.examples().compliant):
        known = found.get(given.key, given)
        inputs = _merged(known.inputs, given.inputs, f"{given.type} {given.name}")
        found[given.key] = Given(
            given.type, inputs, given.name, known.away or given.away, {**known.options, **given.options}
        )
    return scene(*found.values())


@cache
def whole(cloud: str) -> Scene:
    """The stack with the examples of all rules of a cloud, Kubernetes' on AWS.

    What only supports a rule (a replica, say) is not compliant with all the others.
    """
    return together(lambda rule: rule.id.startswith("gcp-") is (cloud == "gcp"))


def _merged(one: Any, other: Any, where: str) -> Any:
    """Both values in one; where the examples of two rules disagree, no stack could keep both."""
    if one is _NOTHING or other is _NOTHING:
        return other if one is _NOTHING else one
    if isinstance(one, Text) and isinstance(other, Text):
        return Text(_merged(one.content, other.content, where), one.encode)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = dict.fromkeys((*one, *other))
        return {k: _merged(one.get(k, _NOTHING), other.get(k, _NOTHING), f"{where}.{k}") for k in keys}
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip_longest(one, other, fillvalue=_NOTHING)
        return [_merged(a, b, f"{where}.{i}") for i, (a, b) in enumerate(pairs)]
    assert one == other, f"two examples disagree on {where}: {one} and {other}"
    return one
