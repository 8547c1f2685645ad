"""A project's service accounts, custom roles and IAM policy.

REST shapes: https://cloud.google.com/iam/docs/reference/rest and
https://cloud.google.com/resource-manager/reference/rest/v1/projects. Who may do what by them is
`localcloud.gcp.iam.judge`'s.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from components.contracts.gcp_roles import EXPORTS, own_roles
from localcloud.gcp.iam import resources
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import ACCOUNTS, Policies
from localcloud.gcp.iam.roles import CUSTOM
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Request, Response, Routes, not_found

_ROLE_ID: Final = re.compile(r"[a-zA-Z0-9_.]{3,64}")
_ACCOUNT_ID: Final = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")


class Projects:
    """The parts of the IAM and Resource Manager APIs that stacks use."""

    def __init__(self, store: DocumentStore, policies: Policies, judge: Judge) -> None:
        self._store = store
        self._judge = judge
        self._policies = policies
        self._routes = Routes()
        project = r"projects/(?P<project>[^/:]+)"
        role = r"(?P<name>projects/[^/:]+/roles/[^/:]+)"
        account = r"(?P<name>projects/[^/:]+/serviceAccounts/[^/:]+)"
        for method, pattern, handler in (
            ("POST", f"{project}:getIamPolicy", self._get_policy),
            ("POST", f"{project}:setIamPolicy", self._set_policy),
            ("POST", f"{project}:testIamPermissions", self._test),
            ("POST", f"{project}/roles", self._create_role),
            ("GET", role, self._get_role),
            ("PATCH", role, self._patch_role),
            ("DELETE", role, self._delete_role),
            ("POST", f"{project}/serviceAccounts", self._create_account),
            ("POST", f"{account}:getIamPolicy", self._get_account_policy),
            ("POST", f"{account}:setIamPolicy", self._set_account_policy),
            ("GET", account, self._get_account),
            ("PATCH", account, self._patch_account),
            ("DELETE", account, self._delete_account),
        ):
            self._routes.add(method, f"/v1/{pattern}", handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer an API request."""
        return self._routes.handle(request, path)

    def prepare(self, whose: str) -> None:
        """Make what bootstrap makes in a project, unless it is there; `whose` is `<project>/<environment>`."""
        project, _, environment = whose.partition("/")
        made = {kind: own_roles(environment, kind) for kind in EXPORTS}
        for role in {role for roles in made.values() for role in roles}:
            name = f"projects/{project}/roles/{role}"
            permissions = sorted({p for roles in made.values() for p in roles.get(role, ())})
            if self._store.get(CUSTOM, name) is None:
                self._store.put(CUSTOM, name, {"stage": "GA", "name": name, "includedPermissions": permissions})

    def _get_policy(self, _request: Request, project: str) -> Response:
        return Response.of(self._policies.get(f"projects/{project}"))

    def _set_policy(self, request: Request, project: str) -> Response:
        return Response.of(self._policies.set(f"projects/{project}", request.json().get("policy", {})))

    def _test(self, request: Request, project: str) -> Response:
        """What of it the caller holds; anybody may ask."""
        asked = [str(permission) for permission in request.json().get("permissions", [])]
        on = resources.project(project)
        return Response.of({"permissions": [p for p in asked if self._judge.decide(request.principal, p, on)]})

    def _create_role(self, request: Request, project: str) -> Response:
        body = request.json()
        identifier = str(body.get("roleId", ""))
        if not _ROLE_ID.fullmatch(identifier):
            raise ApiError(400, f"The role ID {identifier!r} does not match {_ROLE_ID.pattern}.")
        name = f"projects/{project}/roles/{identifier}"
        if self._store.get(CUSTOM, name):
            raise ApiError(409, f"A role named {name} already exists.")
        return Response.of(self._store.put(CUSTOM, name, {"stage": "GA", **body.get("role", {}), "name": name}))

    def _get_role(self, _request: Request, name: str) -> Response:
        return Response.of(self._find(CUSTOM, "Role", name))

    def _patch_role(self, request: Request, name: str) -> Response:
        role = {**self._find(CUSTOM, "Role", name), **request.json(), "name": name}
        return Response.of(self._store.put(CUSTOM, name, role))

    def _delete_role(self, _request: Request, name: str) -> Response:
        role = self._find(CUSTOM, "Role", name)
        self._store.delete(CUSTOM, name)
        return Response.of({**role, "deleted": True})

    def _create_account(self, request: Request, project: str) -> Response:
        body = request.json()
        identifier = str(body.get("accountId", ""))
        if not _ACCOUNT_ID.fullmatch(identifier):
            raise ApiError(400, f"The account id {identifier!r} does not match {_ACCOUNT_ID.pattern}.")
        email = f"{identifier}@{project}.iam.gserviceaccount.com"
        name = f"projects/{project}/serviceAccounts/{email}"
        if self._store.get(ACCOUNTS, name):
            raise ApiError(409, f"Service account {identifier} already exists within project projects/{project}.")
        unique = str(10**20 + int(hashlib.sha256(name.encode()).hexdigest()[:16], 16))
        account = {**body.get("serviceAccount", {}), "name": name, "email": email, "projectId": project}
        return Response.of(self._store.put(ACCOUNTS, name, {**account, "uniqueId": unique}))

    def _get_account(self, _request: Request, name: str) -> Response:
        return Response.of(self._find(ACCOUNTS, "Service account", name))

    def _get_account_policy(self, _request: Request, name: str) -> Response:
        self._find(ACCOUNTS, "Service account", name)
        return Response.of(self._policies.get(name))

    def _set_account_policy(self, request: Request, name: str) -> Response:
        self._find(ACCOUNTS, "Service account", name)
        return Response.of(self._policies.set(name, request.json().get("policy", {})))

    def _patch_account(self, request: Request, name: str) -> Response:
        changes: dict[str, Any] = request.json().get("serviceAccount", {})
        kept = {k: v for k, v in changes.items() if k in ("description", "displayName", "disabled")}
        return Response.of(self._store.put(ACCOUNTS, name, {**self._find(ACCOUNTS, "Service account", name), **kept}))

    def _delete_account(self, _request: Request, name: str) -> Response:
        self._find(ACCOUNTS, "Service account", name)
        self._policies.delete(name)
        self._store.delete(ACCOUNTS, name)
        return Response.of({})

    def _find(self, kind: str, what: str, name: str) -> Document:
        found = self._store.get(kind, name)
        if found is None:
            raise not_found(what, name)
        return found
