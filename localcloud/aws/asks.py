"""What a request to the emulator asks for, in IAM's words: actions, resources and the condition keys that it tells.

Each service's own folder reads its requests (`asks.py` there); what stands here are the services without one.
Actions, resources and keys: AWS service authorization reference (believed, 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from common.iam.context import Context
from localcloud.aws.answers import operation_of
from localcloud.aws.state import AwsState


@dataclass(frozen=True)
class Ask:
    """One right that a request needs."""

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


def pass_role(role_arn: str, service: str) -> Ask:
    """The right to hand a role to a service (IAM user guide, "Grant a user permissions to pass a role")."""
    return Ask("iam:PassRole", role_arn, {"iam:PassedToService": service})


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a request of the query protocol."""
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}


def sns_asks(state: AwsState, region: str, body: bytes) -> list[Ask]:
    """Rights that a request to SNS needs."""
    form = form_of(body)
    arn = form.get("TopicArn") or form.get("TargetArn") or form.get("ResourceArn") or ""
    if form.get("Action") == "CreateTopic":
        arn = f"arn:aws:sns:{region}:{state.account}:{form.get('Name', '')}"
    return [Ask(f"sns:{form.get('Action', '')}", arn or "*")]


def iam_asks(state: AwsState, body: bytes) -> list[Ask]:
    """Rights that a request to IAM needs."""
    form = form_of(body)
    action = f"iam:{form.get('Action', '')}"
    context: dict[str, Any] = {"iam:PolicyARN": form.get("PolicyArn")}
    if "RoleName" in form:
        roles = state.backend("iam", "aws").roles.values()
        found = next((role for role in roles if role.name == form["RoleName"]), None)
        made = f"arn:aws:iam::{state.account}:role{form.get('Path', '/')}{form['RoleName']}"
        boundary = form.get("PermissionsBoundary") or (found.permissions_boundary_arn if found is not None else None)
        return [
            Ask(action, found.arn if found is not None else made, {**context, "iam:PermissionsBoundary": boundary})
        ]
    if "PolicyName" in form and "PolicyArn" not in form:
        path = form.get("Path", "/")
        return [Ask(action, f"arn:aws:iam::{state.account}:policy{path}{form['PolicyName']}", context)]
    return [Ask(action, form.get("PolicyArn") or form.get("PolicySourceArn") or "*", context)]


def other_asks(service: str, environ: Mapping[str, Any], body: bytes) -> list[Ask]:
    """The right that a request to any further service needs; which resource it names is not read."""
    operation = operation_of(dict(environ)) or form_of(body).get("Action", "")
    return [Ask(f"{service}:{operation or 'Unknown'}")]
