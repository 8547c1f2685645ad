"""IAM policies of the Google Cloud emulator's resources: what they may hold, and how they are changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from localcloud.gcp.iam.agents import Agents
from localcloud.gcp.iam.roles import Roles
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError

_KIND: Final = "iam"
ACCOUNTS: Final = "iam/serviceAccounts"
"""The kind of the service accounts' documents, by full name."""

OWN_ACCOUNT: Final = re.compile(
    r"serviceAccount:(?P<email>[^@]+@(?P<project>[a-z][a-z0-9-]+)\.iam\.gserviceaccount\.com)"
)
"""The member that is a service account of a project; service agents have the same form."""
_AGENT_DOMAINS: Final = re.compile(
    r"gcp-sa-[a-z-]+|gs-project-accounts|cloud-redis|compute-system|container-engine-robot|storage-transfer-service"
)
_BASIC_ROLES: Final = frozenset({"roles/owner", "roles/editor", "roles/viewer"})


def is_agent_domain(project: str) -> bool:
    """Whether accounts of this project are Google's service agents: https://cloud.google.com/iam/docs/service-agents."""
    return _AGENT_DOMAINS.fullmatch(project) is not None


class Policies:
    """Policies by the resource's full name."""

    def __init__(self, store: DocumentStore, agents: Agents, roles: Roles) -> None:
        self._store = store
        self._agents = agents
        self._roles = roles

    def get(self, resource: str) -> Mapping[str, Any]:
        """The policy; an empty one if none was set."""
        return self._store.get(_KIND, resource) or _policy([])

    def set(self, resource: str, policy: Mapping[str, Any]) -> Mapping[str, Any]:
        """Replace the policy.

        Raises ApiError: 409 if its etag is not the current one, 400 for an unknown member or custom role, and for a
        condition on a basic role (IAM, believed, 2026-11-21: public examples were corrected for it).
        """
        etag = policy.get("etag")
        for binding in policy.get("bindings") or []:
            self._check(binding)
        with self._store.lock:
            if etag and etag != self.get(resource)["etag"]:
                raise ApiError(
                    409, "There were concurrent policy changes. Please retry.", status="ABORTED", reason="conflict"
                )
            return self._store.put(_KIND, resource, _policy(policy.get("bindings") or []))

    def _check(self, binding: Mapping[str, Any]) -> None:
        role = str(binding.get("role"))
        if not self._roles.exists(role):
            raise ApiError(400, f"Role ({role}) does not exist in the resource's hierarchy.")
        if binding.get("condition") and role in _BASIC_ROLES:
            raise ApiError(400, f"Conditions can't be set on bindings of the basic role {role}.")
        for member in binding.get("members", []):
            self._check_member(str(member))

    def _check_member(self, member: str) -> None:
        found = OWN_ACCOUNT.fullmatch(member)
        if found is None:
            return
        if is_agent_domain(found["project"]):
            exists = self._agents.exists(found["email"])
        else:
            name = f"projects/{found['project']}/serviceAccounts/{found['email']}"
            exists = self._store.get(ACCOUNTS, name) is not None
        if not exists:
            raise ApiError(400, f"Service account {found['email']} does not exist.", reason="invalid")

    def delete(self, resource: str) -> None:
        """Forget the policy with its resource."""
        self._store.delete(_KIND, resource)


def _policy(bindings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for binding in bindings:
        condition = binding.get("condition")
        key = (str(binding.get("role")), json.dumps(condition, sort_keys=True))
        entry = merged.setdefault(
            key, {"role": key[0], "members": [], **({"condition": condition} if condition else {})}
        )
        entry["members"] = sorted({*entry["members"], *binding.get("members", [])})
    kept = [entry for _, entry in sorted(merged.items()) if entry["members"]]
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
    version = 3 if any("condition" in entry for entry in kept) else 1
    return {"version": version, "etag": digest, "bindings": kept}
