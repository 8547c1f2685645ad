"""Service accounts and custom roles, made and read through the emulator's IAM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.gcp.arguments import ACCOUNT, CUSTOM_ROLE
from localcloud.gcp.recorded import project_of
from localcloud.gcp.rest import RestKind
from localcloud.providers.base import Request, State, physical_name


class Account(RestKind):
    """`gcp:serviceaccount/account:Account`"""

    fields = ACCOUNT

    def create(self, request: Request) -> State:
        parent = f"v1/projects/{project_of(request, self._context)}/serviceAccounts"
        wanted = {"accountId": physical_name(request, "accountId"), "serviceAccount": self._body(request.inputs)}
        return self._state(request, self._api.post("iam", parent, wanted))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        wanted = {"serviceAccount": patch, "updateMask": ",".join(mask)}
        return self._state(request, self._api.patch("iam", f"v1/{request.id}", wanted))

    def delete(self, request: Request) -> None:
        if self._find(request) is not None:
            self._api.delete("iam", f"v1/{request.id}")

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find("iam", f"v1/{request.id}")

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
    """`gcp:projects/iAMCustomRole:IAMCustomRole`"""

    fields = CUSTOM_ROLE

    def create(self, request: Request) -> State:
        parent = f"v1/projects/{project_of(request, self._context)}/roles"
        wanted = {"roleId": physical_name(request, "roleId"), "role": self._body(request.inputs)}
        return self._state(request, self._api.post("iam", parent, wanted))

    def update(self, request: Request) -> State:
        patch, mask = self._changes(request)
        found = self._api.patch("iam", f"v1/{request.id}", patch, {"updateMask": ",".join(mask)})
        return self._state(request, found)

    def delete(self, request: Request) -> None:
        if self._find(request) is not None:
            self._api.delete("iam", f"v1/{request.id}")

    def _find(self, request: Request) -> dict[str, Any] | None:
        return self._api.find("iam", f"v1/{request.id}")

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
