"""Which rules read which types of resources, so that a change is shown to those alone that could see it.

A rule is a pure function: where it looked at no resource of a type, a change of such a resource cannot change what it
says. What it looks at is observed once, on the stack of all examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from policies.inventory import Inventory, Resource
from policies.model import Rule
from policies.rules import RULES
from tests.policies.together import whole


class _Watched(Inventory):
    """An inventory that notes the types which are looked at; `*` where all resources are."""

    def of_type(self, *tokens: str) -> Iterator[Resource]:
        """As the plain inventory gives them."""
        _seen(self).update(tokens)
        return _plain(self).of_type(*tokens)

    def linked(self, resource: Resource, prop: str, *tokens: str) -> tuple[Resource, ...]:
        """As the plain inventory gives them."""
        _seen(self).update(target.type for target in _plain(self).linked(resource, prop))
        return _plain(self).linked(resource, prop, *tokens)

    def __getattribute__(self, name: str) -> Any:
        if name in ("resources", "by_urn", "_by_type"):
            _seen(self).add("*")
        return super().__getattribute__(name)


def _seen(watched: Inventory) -> set[str]:
    return vars(watched)["seen"]


def _plain(watched: Inventory) -> Inventory:
    return vars(watched)["plain"]


@cache
def readers(cloud: str, token: str) -> tuple[Rule, ...]:
    """The rules that look at resources of a type in the stack of all examples."""
    looks = _looks(cloud)
    return tuple(rule for rule in RULES if not looks[rule.id].isdisjoint({token, "*"}))


@cache
def _looks(cloud: str) -> Mapping[str, frozenset[str]]:
    plain = whole(cloud).inventory().typed
    return {rule.id: _looked_at(plain, rule) for rule in RULES}


def _looked_at(plain: Inventory, rule: Rule) -> frozenset[str]:
    watched = _Watched(plain.stack, plain.settings, plain.resources, plain.outputs)
    seen = set(rule.types)
    vars(watched).update(seen=seen, plain=plain)
    for resource in plain.of_type(*rule.types):
        rule.check(resource, watched)
    return frozenset(seen)
