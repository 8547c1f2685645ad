"""Small stacks that the tests of `seawall check` judge: one that keeps every rule, and what one change makes of it.

The clean one is the example that a rule judges, together with what every other rule's example asks of it, so that it
stays clean when a rule comes that asks for more.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from policies.examples import EXAMPLE, Change, Hidden, put, scene
from policies.inventory import Inventory, Resource
from policies.rules import RULES
from tests.policies.together import whole

RULE = "aws-elasticache-iam"
STACK = "dev-aws"
PATH = "authenticationMode.type"
BAD = "no-password-required"


@cache
def clean() -> Inventory:
    """A stack that keeps every rule; its one resource is a user of a database."""
    return _made()


@cache
def violating() -> Inventory:
    """The same stack with a user who needs no password, which breaks one rule."""
    return _made(put(PATH, BAD))


@cache
def undecided() -> Inventory:
    """The same stack with a user of whom only the provider knows how it logs in."""
    return _made(put(PATH, Hidden()))


def called(text: str) -> Inventory:
    """The violating stack with any text for the resource's name, in its URN and in what the rule finds."""
    (resource,) = violating().resources
    return holding(replace(resource, name=text, urn=f"{resource.urn}{text}", inputs=_with(resource, f"x{text}")))


def holding(*resources: Resource) -> Inventory:
    """The stack with other resources."""
    return replace(clean(), resources=resources)


def _with(resource: Resource, kind: str) -> dict[str, object]:
    return {**resource.inputs, "authenticationMode": {"type": kind}}


def _made(*changes: Change) -> Inventory:
    judged = next(rule for rule in RULES if rule.id == RULE).examples().compliant[0]
    made = scene(whole("aws").find(judged.key))
    for change in changes:
        made = change(made)
    text = json.dumps(made.inventory().to_json()).replace(f"urn:pulumi:{EXAMPLE}::", f"urn:pulumi:{STACK}::")
    settings = {**made.settings, "environment": "dev"}
    return Inventory.from_json({**json.loads(text), "stack": STACK, "settings": settings})
