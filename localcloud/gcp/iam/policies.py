"""IAM policies on resources of the Google Cloud emulator, and the service agents that need grants to use keys.

Service agents: https://cloud.google.com/iam/docs/service-agents. That a missing grant on a key is refused:
https://cloud.google.com/storage/docs/encryption/using-customer-managed-keys#prereqs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from localcloud.gcp.iam.agents import Agents
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError

_KIND: Final = "iam"
ACCOUNTS: Final = "iam/serviceAccounts"
"""The kind of the service accounts' documents, by full name."""

STORAGE_AGENT: Final = r"service-\d+@gs-project-accounts\.iam\.gserviceaccount\.com"
REDIS_AGENT: Final = r"service-\d+@cloud-redis\.iam\.gserviceaccount\.com"
TRANSFER_AGENT: Final = r"project-\d+@storage-transfer-service\.iam\.gserviceaccount\.com"

_OWN_ACCOUNT: Final = re.compile(
    r"serviceAccount:(?P<email>[^@]+@(?P<project>[a-z][a-z0-9-]+)\.iam\.gserviceaccount\.com)"
)
_AGENT_DOMAINS: Final = re.compile(
    r"gcp-sa-[a-z-]+|gs-project-accounts|cloud-redis|compute-system|container-engine-robot|storage-transfer-service"
)

KEY_USERS: Final = frozenset({"roles/cloudkms.cryptoKeyEncrypterDecrypter", "roles/cloudkms.admin", "roles/owner"})
OBJECT_READERS: Final = frozenset(
    {
        "roles/storage.admin",
        "roles/storage.objectAdmin",
        "roles/storage.objectUser",
        "roles/storage.objectViewer",
        "roles/storage.legacyObjectReader",
    }
)
BUCKET_READERS: Final = frozenset(
    {
        "roles/storage.admin",
        "roles/storage.bucketViewer",
        "roles/storage.legacyBucketReader",
        "roles/storage.legacyBucketWriter",
        "roles/storage.legacyBucketOwner",
        "roles/storage.insightsCollectorService",
    }
)
"""Roles with `storage.buckets.get`."""
OBJECT_WRITERS: Final = frozenset(
    {
        "roles/storage.admin",
        "roles/storage.objectAdmin",
        "roles/storage.objectUser",
        "roles/storage.objectCreator",
        "roles/storage.legacyBucketWriter",
        "roles/storage.legacyBucketOwner",
    }
)


class Policies:
    """Policies by the resource's full name."""

    def __init__(self, store: DocumentStore, agents: Agents) -> None:
        self._store = store
        self._agents = agents

    def get(self, resource: str) -> Mapping[str, Any]:
        """The policy; an empty one if none was set."""
        return self._store.get(_KIND, resource) or _policy([])

    def set(self, resource: str, policy: Mapping[str, Any]) -> Mapping[str, Any]:
        """Replace the policy. Raises ApiError: 409 if its etag is not the current one, 400 for an unknown member."""
        etag = policy.get("etag")
        for binding in policy.get("bindings") or []:
            for member in binding.get("members", []):
                self._check_member(str(member))
        with self._store.lock:
            if etag and etag != self.get(resource)["etag"]:
                raise ApiError(
                    409, "There were concurrent policy changes. Please retry.", status="ABORTED", reason="conflict"
                )
            return self._store.put(_KIND, resource, _policy(policy.get("bindings") or []))

    def _check_member(self, member: str) -> None:
        found = _OWN_ACCOUNT.fullmatch(member)
        if found is None:
            return
        if _AGENT_DOMAINS.fullmatch(found["project"]):
            if not self._agents.exists(found["email"]):
                raise ApiError(400, f"Service account {found['email']} does not exist.", reason="invalid")
            return
        if self._store.get(ACCOUNTS, f"projects/{found['project']}/serviceAccounts/{found['email']}") is None:
            raise ApiError(400, f"Service account {found['email']} does not exist.", reason="invalid")

    def delete(self, resource: str) -> None:
        """Forget the policy with its resource."""
        self._store.delete(_KIND, resource)

    def grants(self, resources: Iterable[str], roles: frozenset[str], agent: str) -> bool:
        """Whether a policy of one of `resources` gives one of `roles` to a service agent of this pattern."""
        member = re.compile(f"serviceAccount:{agent}")
        return any(
            binding["role"] in roles and any(member.fullmatch(m) for m in binding["members"])
            for resource in resources
            for binding in self.get(resource)["bindings"]
        )


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
    return {"version": 1, "etag": digest, "bindings": kept}
