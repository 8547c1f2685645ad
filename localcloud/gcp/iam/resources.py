"""Resources as IAM sees them: the name, type and service that conditions ask about, and whose policies count.

Services and types: https://cloud.google.com/iam/docs/conditions-resource-attributes (its beginning read 2026-11-21);
formats of names believed. Only services that it
lists tell a condition their resources' names; for others the local cloud gives the API's own, which is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Resource:
    """Something that a permission is asked for on."""

    name: str
    type: str
    service: str
    policies: tuple[str, ...]
    """The names of the policies that count, its own first."""
    public_access_prevented: bool = False
    """Grants to everybody are ignored."""


def project(project_id: str) -> Resource:
    """A project."""
    name = f"projects/{project_id}"
    return Resource(
        name, "cloudresourcemanager.googleapis.com/Project", "cloudresourcemanager.googleapis.com", (name,)
    )


def bucket(document: Mapping[str, Any]) -> Resource:
    """A bucket, from its settings. Listings are asked for on it, not on the objects that they name."""
    prevented = (document.get("iamConfiguration") or {}).get("publicAccessPrevention") == "enforced"
    name = str(document["name"])
    policies = (bucket_policy(name), f"projects/{document['project']}")
    return Resource(
        f"projects/_/buckets/{name}", "storage.googleapis.com/Bucket", "storage.googleapis.com", policies, prevented
    )


def stored(document: Mapping[str, Any], name: str) -> Resource:
    """An object of a bucket with these settings."""
    of = bucket(document)
    return Resource(
        f"{of.name}/objects/{name}",
        "storage.googleapis.com/Object",
        of.service,
        of.policies,
        of.public_access_prevented,
    )


def bucket_policy(name: str) -> str:
    """What a bucket's policy is called."""
    return f"buckets/{name}"


def key(name: str) -> Resource:
    """A key, a ring, or a version, which has its key's policy."""
    name = name.partition("/cryptoKeyVersions/")[0]
    ring = name.partition("/cryptoKeys/")[0]
    chain = dict.fromkeys((name, ring, "/".join(name.split("/")[:2])))
    kind = "CryptoKey" if ring != name else "KeyRing"
    return Resource(name, f"cloudkms.googleapis.com/{kind}", "cloudkms.googleapis.com", tuple(chain))


def account(name: str) -> Resource:
    """A service account, by its full name."""
    chain = (name, "/".join(name.split("/")[:2]))
    return Resource(name, "iam.googleapis.com/ServiceAccount", "iam.googleapis.com", chain)


def of_project(name: str, kind: str) -> Resource:
    """A resource without a policy of its own; `kind` is as `redis.googleapis.com/Instance`."""
    return Resource(name, kind, kind.partition("/")[0], ("/".join(name.split("/")[:2]),))
