"""Stacks made of rules' compliant examples: one on each cloud with all of them, and a small one that is compliant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pytest

from policies.examples import Given, Scene, Text, given, scene
from policies.inventory import Inventory
from policies.model import Rule
from policies.rules import RULES
from policies.tokens import BACKUP_VAULT, DYNAMODB_TABLE, EKS_CLUSTER, KMS_KEY, LOG_GROUP

_NOTHING = object()


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


def together(chosen: Callable[[Rule], bool]) -> Scene:
    """The stack in which the compliant examples of these rules stand together."""
    found: dict[tuple[str, str], Given] = {}
    for one in (one for rule in RULES if chosen(rule) for one in rule.examples().compliant):
        known = found.get(one.key, one)
        inputs = _merged(known.inputs, one.inputs, f"{one.type} {one.name}")
        found[one.key] = Given(one.type, inputs, one.name, known.away or one.away)
    return scene(*found.values())


@pytest.fixture(scope="session")
def whole() -> dict[str, Scene]:
    """Cloud → the stack with the examples of all its rules, Kubernetes' on AWS.

    What only supports a rule (a replica, say) is not compliant with all the others.
    """
    return {
        "aws": together(lambda rule: not rule.id.startswith("gcp-")),
        "gcp": together(lambda rule: rule.id.startswith("gcp-")),
    }


@pytest.fixture(scope="session")
def aws() -> Inventory:
    """A compliant production stack on AWS: a table that is backed up, a cluster, its logs and a key."""
    kept = {DYNAMODB_TABLE, EKS_CLUSTER, KMS_KEY, LOG_GROUP, BACKUP_VAULT, "aws:backup/plan:Plan"}
    stack = together(lambda rule: not kept.isdisjoint(rule.types))
    return replace(stack, resources=tuple(_far_vault(stack))).inventory()


def _far_vault(stack: Scene) -> Iterator[Given]:
    """All resources, with the vault of the backup region made as compliant as that beside the data."""
    for resource in stack.resources:
        if resource.type == BACKUP_VAULT and resource.away:
            key = "arn:aws:kms:eu-central-1:111122223333:key/5f3c"
            yield replace(resource, inputs={**resource.inputs, "kmsKeyArn": key})
        elif resource.inputs.get("backupVaultName") == "primary":
            yield resource
            yield given(
                resource.type,
                {**resource.inputs, "backupVaultName": "away", "region": "eu-central-1"},
                "away",
                away=True,
            )
        else:
            yield resource
