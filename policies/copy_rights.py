"""What service accounts of Google Cloud may do in buckets, by grants that hold without a condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.buckets import GCS
from policies.checks import PASS, failed, is_hidden
from policies.google_iam import BUCKET_GRANTS, Grant, grants
from policies.google_members import stores_named
from policies.inventory import Inventory, Resource
from policies.links import refers_to
from policies.model import Judgement

_BUCKETS: Final = {
    "roles/storage.admin": ("see", "list", "read", "write"),
    "roles/storage.objectAdmin": ("list", "read", "write"),
    "roles/storage.objectUser": ("list", "read", "write"),
    "roles/storage.objectViewer": ("list", "read"),
    "roles/storage.objectCreator": ("write",),
    "roles/storage.legacyBucketReader": ("see", "list"),
    "roles/storage.legacyBucketWriter": ("see", "list", "write"),
    "roles/storage.legacyBucketOwner": ("see", "list", "write"),
    "roles/storage.legacyObjectReader": ("read",),
    "roles/storage.legacyObjectOwner": ("read",),
}
"""Role → what it lets its holder do in a bucket; `see` is the bucket's own metadata.

cloud.google.com/storage/docs/access-control/iam-roles: believed, 2026-11-22.
"""


def granting(inventory: Inventory, tokens: tuple[str, ...]) -> Iterator[tuple[Resource, Grant]]:
    """Every grant of some types that holds now and later: one with a condition may end, or hold nowhere."""
    for resource in inventory.of_type(*tokens):
        found = grants(resource)
        if not isinstance(found, Judgement):
            yield from ((resource, grant) for grant in found if grant.condition is None)


def _rights(inventory: Inventory, bucket: Resource, is_one: object) -> frozenset[str]:
    """What somebody may do in a bucket: a text that ends the member, or the resource that makes it."""
    held: set[str] = set()
    for resource, grant in granting(inventory, BUCKET_GRANTS):
        if refers_to(inventory, resource, "bucket", bucket, *GCS.names(bucket)) and _is(
            inventory, resource, grant, is_one
        ):
            held.update(_BUCKETS.get(grant.role, ()))
    return frozenset(held)


def _is(inventory: Inventory, resource: Resource, grant: Grant, is_one: object) -> bool:
    if isinstance(is_one, Resource):
        path = grant.members_path
        by_name = any(is_one in stores_named(str(m), resource, path, inventory) for m in grant.members)
        return by_name or (any(map(is_hidden, grant.members)) and is_one in inventory.linked(resource, path))
    return any(member.endswith(str(is_one)) for member in grant.members)


def lacks(inventory: Inventory, bucket: Resource, who: object, needed: tuple[str, ...], name: str) -> Judgement:
    missing = [right for right in needed if right not in _rights(inventory, bucket, who)]
    if not missing:
        return PASS
    return failed(
        "", f"{name} may not {', '.join(missing)} in {bucket.name}", "grants without conditions that let it"
    )
