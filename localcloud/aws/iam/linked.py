"""Service-linked roles: how IAM calls them, which a bootstrapped account has, and whether a principal is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from localcloud.aws.state import AwsState

ROLE_NAMES: Final[Mapping[str, str]] = {
    "autoscaling": "AutoScaling",
    "backup": "Backup",
    "eks": "AmazonEKS",
    "eks-nodegroup": "AmazonEKSNodegroup",
    "elasticache": "ElastiCache",
    "spot": "EC2Spot",
}
"""Service → what its role is called after `AWSServiceRoleFor` (the services' own guides, read 2026-11-21)."""

_LINKED: Final = re.compile(r"arn:aws:iam::\d{12}:role/aws-service-role/[^/]+/(?P<name>[^/]+)")


def name_roles_as_iam() -> None:
    """Teach moto the names that it does not know."""
    from moto.iam import models

    models.SERVICE_NAME_CONVERSION.update(ROLE_NAMES)


def prepare(state: AwsState) -> None:
    """Make the roles that a bootstrapped account has, and leave those that are there."""
    backend = state.backend("iam", "aws")
    there = {role.name for role in backend.roles.values()}
    for service, name in ROLE_NAMES.items():
        if f"AWSServiceRoleFor{name}" not in there:
            backend.create_service_linked_role(f"{service}.amazonaws.com", "made by bootstrap", "")


def missing_principal(state: AwsState, policy: str) -> str | None:
    """The first service-linked role that a policy document names as principal and that does not exist."""
    there = {role.name for role in state.backend("iam", "aws").roles.values()}
    for principal in _principals(policy):
        found = _LINKED.fullmatch(principal)
        if found and found["name"] not in there:
            return principal
    return None


def _principals(policy: str) -> Iterator[str]:
    try:
        statements: Any = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError):
        return  # moto says what is wrong with it
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        yield from [named] if isinstance(named, str) else named
