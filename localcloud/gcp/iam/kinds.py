"""Service accounts, custom roles, and who holds a role in a project: made and read through the emulator's APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.gcp_api import GcpApi
from localcloud.gcp.context import project_of
from localcloud.gcp.fields import Field
from localcloud.gcp.members import PolicyMember
from localcloud.gcp.rest import EmulatedKind, RestKind
from localcloud.providers.base import Request, State, physical_name


class Account(RestKind):
    pulumi_type = "gcp:serviceaccount/account:Account"
    service = "iam"
    fields = (
        Field("description"),
        Field("disabled"),
        Field("displayName"),
    )

    def create(self, request: Request) -> State:
        parent = f"v1/projects/{project_of(request, self._context)}/serviceAccounts"
        wanted = {"accountId": physical_name(request, "accountId"), "serviceAccount": self._body(request.inputs)}
        return self._state(request, self._api.post(self.service, parent, wanted))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        wanted = {"serviceAccount": patch, "updateMask": ",".join(mask)}
        return self._state(request, self._api.patch(self.service, f"v1/{request.id}", wanted))

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        name, email = str(found["name"]), str(found["email"])
        outputs = {
            "name": name,
            "project": found["projectId"],
            "accountId": email.split("@")[0],
            "email": email,
            "member": f"serviceAccount:{email}",
            "uniqueId": found["uniqueId"],
        }
        return State(name, outputs)


class CustomRole(RestKind):
    pulumi_type = "gcp:projects/iAMCustomRole:IAMCustomRole"
    service = "iam"
    fields = (
        Field("description"),
        Field("permissions", "includedPermissions", exact=True),
        Field("stage"),
        Field("title"),
    )

    def create(self, request: Request) -> State:
        parent = f"v1/projects/{project_of(request, self._context)}/roles"
        wanted = {"roleId": physical_name(request, "roleId"), "role": self._body(request.inputs)}
        return self._state(request, self._api.post(self.service, parent, wanted))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        found = self._api.patch(self.service, f"v1/{request.id}", patch, {"updateMask": ",".join(mask)})
        return self._state(request, found)

    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        name = str(found["name"])
        _, project, _, identifier = name.split("/")
        outputs = {
            "name": name,
            "project": project,
            "roleId": identifier,
            "stage": found["stage"],
            "deleted": False,
        }
        return State(name, outputs)


class ProjectMember(PolicyMember):
    pulumi_type = "gcp:projects/iAMMember:IAMMember"
    not_enforced = "grants of what only recorded services ask for, and to groups and domains"
    argument = "project"

    def _get(self, resource: str) -> dict[str, Any]:
        return self._api.post("cloudresourcemanager", f"{self._path(resource)}:getIamPolicy")

    def _set(self, resource: str, policy: dict[str, Any]) -> dict[str, Any]:
        return self._api.post("cloudresourcemanager", f"{self._path(resource)}:setIamPolicy", {"policy": policy})

    def _path(self, project: str) -> str:
        return f"v1/projects/{(project or self._context.project).removeprefix('projects/')}"


class AccountMember(PolicyMember):
    pulumi_type = "gcp:serviceaccount/iAMMember:IAMMember"
    argument = "serviceAccountId"

    def _get(self, resource: str) -> dict[str, Any]:
        return self._api.post("iam", f"v1/{resource}:getIamPolicy")

    def _set(self, resource: str, policy: dict[str, Any]) -> dict[str, Any]:
        return self._api.post("iam", f"v1/{resource}:setIamPolicy", {"policy": policy})


class ServiceIdentity(EmulatedKind):
    """Cannot be deleted, only forgotten, as at Google."""

    pulumi_type = "gcp:projects/serviceIdentity:ServiceIdentity"

    def create(self, request: Request) -> State:
        project, service = project_of(request, self._context), str(request.inputs["service"])
        path = f"v1/projects/{project}/services/{service}:generateServiceIdentity"
        email = self._api.post("serviceusage", path).get("email", "")
        member = f"serviceAccount:{email}" if email else ""
        outputs = {"project": project, "email": email, "member": member}
        return State(f"projects/{project}/services/{service}", outputs)

    def update(self, request: Request) -> State:
        return self.create(request)

    def read(self, request: Request) -> State | None:
        told = {name: request.outputs.get(name, "") for name in ("project", "email", "member")}
        return State(request.id, told)

    def delete(self, request: Request) -> None:
        """The agent stays."""


def agent_of(api: GcpApi, project: str, service: str) -> str:
    """The address of a service's agent, which comes to be by the question."""
    return str(api.get("serviceusage", f"v1/projects/{project}/services/{service}.googleapis.com:agent")["email"])


KINDS: Final = (Account, AccountMember, CustomRole, ProjectMember, ServiceIdentity)
