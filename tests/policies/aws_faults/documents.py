"""Edits of the policy documents of a plan: statements added, left out or changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.policies.reach.planting import Change, To, add, edit, the

OWN, OTHER, HERE, AWAY = "333344445555", "999988887777", "eu-central-1", "eu-north-1"
MODELS = f"seawall-prod-models-{OWN}-{HERE}"
REPLICA = f"seawall-prod-models-{OWN}-{AWAY}"
AUDIT = f"seawall-prod-audit-{OWN}-{HERE}"
LOGS = f"seawall-prod-logs-{OWN}-{HERE}"
TABLE = f"arn:aws:dynamodb:{HERE}:{OWN}:table/seawall-prod-features"
ROLES = f"arn:aws:iam::{OWN}:role"
BOUNDARY = f"arn:aws:iam::{OWN}:policy/seawall-bootstrap-boundary-prod"
CLUSTER_ARN = f"arn:aws:eks:{HERE}:{OWN}:cluster/seawall-prod-cluster"

ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"

Statement = dict[str, Any]


def allow(action: Any, resource: Any = "*", condition: Mapping[str, Any] | None = None, **more: Any) -> Statement:
    """A statement that allows."""
    made = {"Effect": "Allow", "Action": action, **({"Resource": resource} if resource else {}), **more}
    return {**made, "Condition": condition} if condition else made


def text(*statements: Statement) -> str:
    """A document of statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def rewritten(kind: str, name: str, path: str, change: Callable[[list[Statement]], list[Statement]]) -> Change:
    """Change the statements of a document that the plan has."""

    def made(before: Any) -> Any:
        document = json.loads(the(before, kind, name).get(path))
        told = json.dumps({**document, "Statement": change(document["Statement"])})
        return edit(kind, path, told, name)(before)

    return made


def stated(kind: str, name: str, path: str, *statements: Statement) -> Change:
    """Add statements."""
    return rewritten(kind, name, path, lambda listed: [*listed, *statements])


def unstated(kind: str, name: str, path: str, *sids: str) -> Change:
    """Leave out the statements of these names."""
    return rewritten(kind, name, path, lambda listed: [each for each in listed if each.get("Sid") not in sids])


def restated(kind: str, name: str, path: str, sid: str, **fields: Any) -> Change:
    """Change the fields of one statement; None leaves a field out."""

    def change(listed: list[Statement]) -> list[Statement]:
        assert any(each.get("Sid") == sid for each in listed), f"no statement {sid}"
        return [
            {key: value for key, value in {**each, **fields}.items() if value is not None}
            if each.get("Sid") == sid
            else each
            for each in listed
        ]

    return rewritten(kind, name, path, change)


def granted(*statements: Statement, to: str = "fleet-fleet") -> Change:
    """More statements in the inline policy of a role of the plan."""
    return stated(ROLE_POLICY, to, "policy", *statements)


def trusted(*statements: Statement, role: str = "fleet") -> Change:
    """More statements in the trust of a role of the plan."""
    return stated(ROLE, role, "assumeRolePolicy", *statements)


def trusts(principal: Any, action: Any = "sts:AssumeRole", condition: Mapping[str, Any] | None = None) -> Statement:
    """A statement of a trust."""
    return allow(action, None, condition, Principal=principal)


def role(trust: str, name: str = "planted", **inputs: Any) -> Change:
    """A new role, within the boundary that all have."""
    told = {"name": f"seawall-prod-{name}", "permissionsBoundary": BOUNDARY, "assumeRolePolicy": trust}
    return add(ROLE, {**told, **inputs}, name)


__all__ = ["Change", "To"]
