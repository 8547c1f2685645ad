"""Stacks made of rules' compliant examples: one on each cloud with all of them, and a small one that is compliant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from policies.examples import Given, Scene, given
from policies.inventory import Inventory
from policies.tokens import BACKUP_VAULT, DYNAMODB_TABLE, EKS_CLUSTER, KMS_KEY, LOG_GROUP
from tests.policies.together import together
from tests.policies.together import whole as whole_of


@pytest.fixture(scope="session")
def whole() -> dict[str, Scene]:
    """Cloud → the stack with the examples of all its rules."""
    return {cloud: whole_of(cloud) for cloud in ("aws", "gcp")}


@pytest.fixture(scope="session")
def aws() -> Inventory:
    """A compliant production stack on AWS: a table that is backed up, a cluster, its logs and a key."""
    kept = {DYNAMODB_TABLE, EKS_CLUSTER, KMS_KEY, LOG_GROUP, BACKUP_VAULT, "aws:backup/plan:Plan"}
    stack = together(
        lambda rule: not kept.isdisjoint(rule.types) and not any(one.options for one in rule.examples().compliant)
    )
    return replace(stack, resources=tuple(_far_vault(stack))).inventory()


def _far_vault(stack: Scene) -> Iterator[Given]:
    """All resources: the vault of the backup region as compliant as that beside the data, and alarms that ring."""
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
        elif resource.type == "aws:cloudwatch/metricAlarm:MetricAlarm":
            topic = "arn:aws:sns:eu-west-1:111122223333:alerts"
            yield replace(resource, inputs={"alarmActions": [topic], **resource.inputs})
        elif resource.type == "aws:cloudwatch/eventRule:EventRule":
            yield resource
            target = {"rule": resource.inputs["name"], "arn": "arn:aws:logs:eu-west-1:111122223333:log-group:events"}
            yield given("aws:cloudwatch/eventTarget:EventTarget", target, resource.name, away=resource.away)
        else:
            yield resource
