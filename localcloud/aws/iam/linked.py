"""What an account has before its stacks, service-linked roles and policies of bootstrap; and whether one exists."""

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
"""Service → what its role is called after `AWSServiceRoleFor` (the services' own guides, believed, 2026-11-21)."""

_IDENTITY: Final = re.compile(r"arn:aws:iam::(?P<account>\d{12}):(?P<kind>role|user)/.+")


def name_roles_as_iam() -> None:
    """Teach moto the names that it does not know."""
    from moto.iam import models

    models.SERVICE_NAME_CONVERSION.update(ROLE_NAMES)


def prepare(state: AwsState, policies: Mapping[str, str]) -> None:
    """Make what a bootstrapped account has, and leave what is there: roles, and policies of bootstrap by name."""
    backend = state.backend("iam", "aws")
    there = {role.name for role in backend.roles.values()}
    for service, name in ROLE_NAMES.items():
        if f"AWSServiceRoleFor{name}" not in there:
            backend.create_service_linked_role(f"{service}.amazonaws.com", "made by bootstrap", "")
    for name, document in policies.items():
        if f"arn:aws:iam::{state.account}:policy/{name}" not in backend.managed_policies:
            backend.create_policy("made by bootstrap", "/", document, name, [])


def missing_principal(state: AwsState, policy: str) -> str | None:
    """The first role or user of this account that a policy document names as principal and that does not exist.

    KMS, S3 and IAM refuse such a document (IAM user guide, "AWS JSON policy elements: Principal": "the principal must
    exist", believed, 2026-11-21). Of other accounts nothing is known here.
    """
    backend = state.backend("iam", "aws")
    there = {each.arn for each in (*backend.roles.values(), *backend.users.values())}
    for principal in _principals(policy):
        found = _IDENTITY.fullmatch(principal)
        if found and found["account"] == state.account and principal not in there:
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
