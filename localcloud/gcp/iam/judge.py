"""Whether a member may do something: by the policies of the resource and of its project, as IAM decides.

https://cloud.google.com/iam/docs/policies: policies are inherited and only ever allow; nothing allows by default. Not
judged are deny policies, principal access boundaries, and who is in a group or a domain: no member of either matches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from localcloud.decisions import Decision
from localcloud.gcp import clock
from localcloud.gcp.iam.conditions import Asked, NotUnderstoodError, holds
from localcloud.gcp.iam.policies import ACCOUNTS, OWN_ACCOUNT, Policies, is_agent_domain
from localcloud.gcp.iam.resources import Resource, project
from localcloud.gcp.iam.roles import Roles
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import OPERATOR, ApiError, Principal

_NOT_UNDERSTOOD: Final = "iam/not-understood"
_EVERYBODY: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
_OF_A_PROJECT: Final = re.compile(r"project(?P<role>Owner|Editor|Viewer):(?P<project>.+)")


@dataclass(frozen=True)
class _Held:
    """A binding that names the member, and what it is worth."""

    role: str
    allows: bool
    note: str = ""


class Judge:
    """Decides on every call of the emulated services that is not the operator's own, to whom the project belongs."""

    def __init__(self, store: DocumentStore, policies: Policies, roles: Roles) -> None:
        self._store = store
        self._policies = policies
        self._roles = roles

    def decide(self, principal: Principal, permission: str, resource: Resource) -> Decision:
        """Whether the principal has the permission on the resource, and why."""
        if principal is OPERATOR:
            return Decision(True, "the operator owns the project")
        gone = self._missing(principal)
        if gone:
            return Decision(False, gone)
        held = [h for name in resource.policies for h in self._held(principal, permission, resource, name)]
        for each in held:
            if each.allows and not each.note:
                return Decision(True, f"{principal.member} has {each.role}")
        told = ", ".join(f"{h.role} ({h.note or 'which does not have it'})" for h in held)
        has = f"its roles there are {told}" if held else "it has no role there"
        return Decision(False, f"{principal.member} lacks {permission} on {resource.name}: {has}.")

    def require(self, principal: Principal, permission: str, resource: Resource) -> None:
        """Raise ApiError (403) unless the principal has the permission on the resource."""
        decision = self.decide(principal, permission, resource)
        if not decision:
            raise ApiError(403, decision.reason, reason="forbidden")

    def not_understood(self) -> list[str]:
        """The expressions of conditions that a decision hung on and that are not known here, sorted."""
        return [name for name, _ in self._store.all(_NOT_UNDERSTOOD)]

    def _missing(self, principal: Principal) -> str:
        """Why a service account of the project's own cannot act at all; empty if it can."""
        found = OWN_ACCOUNT.fullmatch(principal.member)
        if found is None or is_agent_domain(found["project"]):
            return ""
        account = self._store.get(ACCOUNTS, f"projects/{found['project']}/serviceAccounts/{found['email']}")
        if account is None:
            return f"The service account {found['email']} does not exist."
        return f"The service account {found['email']} is disabled." if account.get("disabled") else ""

    def _held(self, principal: Principal, permission: str, resource: Resource, policy: str) -> list[_Held]:
        return [
            self._weighed(binding, permission, resource)
            for binding in self._policies.get(policy)["bindings"]
            if self._names(binding["members"], principal, resource)
        ]

    def _names(self, members: list[str], principal: Principal, resource: Resource) -> bool:
        if not principal.members.isdisjoint(members):
            return True
        if not resource.public_access_prevented and not _EVERYBODY.isdisjoint(members):
            return True
        of = [found for member in members if (found := _OF_A_PROJECT.fullmatch(member))]
        return any(self._has_basic(principal, f"roles/{f['role'].lower()}", f["project"]) for f in of)

    def _has_basic(self, principal: Principal, role: str, project_id: str) -> bool:
        policy = self._policies.get(project(project_id).policies[0])
        return any(b["role"] == role and not principal.members.isdisjoint(b["members"]) for b in policy["bindings"])

    def _weighed(self, binding: Mapping[str, Any], permission: str, resource: Resource) -> _Held:
        role, condition = str(binding["role"]), binding.get("condition")
        permissions = self._roles.permissions(role)
        if permissions is None:
            return _Held(role, False, "which the local cloud does not know")
        if permission not in permissions:
            return _Held(role, False)
        if not condition:
            return _Held(role, True)
        expression = str(condition.get("expression", ""))
        try:
            if holds(expression, Asked(resource.name, resource.type, resource.service, clock.now())):
                return _Held(role, True)
        except NotUnderstoodError:
            self._store.put(_NOT_UNDERSTOOD, expression, {})
            return _Held(role, True, f"on the condition {expression!r}, which the local cloud does not understand")
        return _Held(role, True, f"on the condition {expression!r}, which does not hold")
