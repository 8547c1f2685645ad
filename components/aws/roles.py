"""IAM roles: a physical name known at plan time, a trust, and the fewest permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws.documents import managed_policy
from components.contracts.component import ready
from components.contracts.naming import boundary_name
from components.contracts.place import Place

ROLE_NAME_MAX = 64
"""IAM's limit for role names."""


@dataclass(frozen=True)
class MadeRole:
    """A role, and its ARN once its permissions are in force (an ARN alone only means that the role exists)."""

    role: aws.iam.Role
    arn: pulumi.Output[str]


def make_role(
    parent: pulumi.Resource,
    place: Place,
    purpose: str,
    *,
    trust: str,
    description: str,
    managed: Sequence[str] = (),
    inline: Mapping[str, str] | None = None,
    bounded: bool = True,
) -> MadeRole:
    """A role named after its `purpose`, with AWS' `managed` policies and policies of our own (name → document).

    Args:
        bounded: within the boundary of the stack's deployer; False for an owner's own roles, which have none.
    """
    options = pulumi.ResourceOptions(parent=parent)
    role = aws.iam.Role(
        purpose,
        name=place.name(purpose, max_length=ROLE_NAME_MAX),
        description=description,
        assume_role_policy=trust,
        # The deployer may make roles within it alone, so that it cannot give itself more through one.
        permissions_boundary=f"arn:aws:iam::{place.account}:policy/{boundary_name(place.environment)}"
        if bounded
        else None,
        tags=place.labels,
        opts=options,
    )
    permissions: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{purpose}-{name.rpartition('/')[2]}", role=role.name, policy_arn=managed_policy(name), opts=options
        )
        for name in managed
    ]
    permissions += [
        aws.iam.RolePolicy(f"{purpose}-{name}", name=name, role=role.name, policy=text, opts=options)
        for name, text in (inline or {}).items()
    ]
    return MadeRole(role, ready(role.arn, *permissions))
