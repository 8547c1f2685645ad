"""Which project the credentials reach: it must be the stack's, or nothing else is worth asking."""

from __future__ import annotations

from dataclasses import dataclass

from common.errors import UserError
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Unread
from ops.preflight.wanted import Wanted


@dataclass(frozen=True)
class Caller:
    """Whose credentials are used, as far as they say."""

    account: str
    name: str


def identify(reader: GcpReader, wanted: Wanted) -> Caller:
    """The caller, who reaches the stack's project.

    Raises:
        UserError: no credentials, Google Cloud cannot be reached, or the project is another or out of reach.
    """
    where = f"account in stacks/config/Pulumi.{wanted.stack}.yaml"
    try:
        project = reader.get("cloudresourcemanager", f"v1/projects/{wanted.account}")
    except Unread as error:
        raise UserError(
            f"the project {wanted.account} cannot be read: {error.why}",
            where,
            "Log in with `gcloud auth application-default login` as someone who may see the project, or correct the "
            "settings.",
        ) from error
    number = str(project.get("projectNumber", ""))
    planned = str(wanted.inventory.settings.get("project_number", ""))
    if number != planned:
        raise UserError(
            f"{wanted.account} has the number {number}, and the settings say {planned}",
            f"project_number in stacks/config/Pulumi.{wanted.stack}.yaml",
            f"Set project_number to {number}: service agents are named by it.",
        )
    if project.get("lifecycleState", "ACTIVE") != "ACTIVE":
        raise UserError(
            f"{wanted.account} is {project['lifecycleState']}",
            where,
            f"Run `gcloud projects undelete {wanted.account}`.",
        )
    return Caller(wanted.account, reader.api.caller or "application default credentials")
