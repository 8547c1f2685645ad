"""The custom roles that a bootstrap stack makes in an environment's Google Cloud project: names and permissions.

The stack's own accounts get them and cannot widen them. The local cloud begins with the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from components.contracts.naming import (
    connect_role_id,
    drill_buckets_role_id,
    drill_role_id,
    export_role_id,
    feature_writer_role_id,
)

CONNECT: Final = ("container.clusters.connect", "container.clusters.get", "container.clusters.list")
"""What the DNS endpoint asks for (`connect`), and what finds it; nothing inside the cluster."""

EXPORTS: Final[Mapping[str, str]] = {
    "redis": "redis.instances.export",
    "firestore": "datastore.databases.export",
}
"""Kind of feature store → the one permission that starts an export of it; others copy without one."""

WRITES: Final[Mapping[str, Sequence[str]]] = {"redis": ("redis.instances.get", "redis.instances.getAuthString")}
"""Kind of feature store without IAM of its own → what tells how to reach it; others are granted Google's roles."""


DRILLS: Final[Mapping[str, Sequence[str]]] = {
    "redis": (
        "redis.instances.create",
        "redis.instances.delete",
        "redis.instances.get",
        "redis.instances.getAuthString",
        "redis.instances.import",
        "redis.instances.list",
        "redis.operations.get",
    )
}
"""Kind of feature store that a drill can restore → what makes and removes one of it, beside `DRILL`.

Memorystore is none of the services whose resources a condition can name (IAM, "Resource attributes for IAM
Conditions", read 2026-11-21), so that the right to delete an instance is on all of the project's.
"""
DRILL: Final = (
    "cloudkms.cryptoKeyVersions.list",
    "cloudkms.cryptoKeys.get",
    "cloudscheduler.jobs.get",
    "resourcemanager.projects.get",
    "storage.buckets.create",
    "storage.buckets.list",
    "storagetransfer.jobs.get",
)
"""To look at what makes the copies, and to make a bucket."""
DRILL_BUCKETS: Final = (
    "storage.buckets.delete",
    "storage.buckets.get",
    "storage.buckets.getIamPolicy",
    "storage.buckets.setIamPolicy",
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)
"""To use a bucket; granted on a drill's own alone."""


def own_roles(environment: str, feature_store: str) -> dict[str, Sequence[str]]:
    """Id of each role → its permissions, for a stack with this kind of feature store."""
    own: dict[str, Sequence[str]] = {connect_role_id(environment): CONNECT}
    if feature_store in EXPORTS:
        own[export_role_id(environment)] = (EXPORTS[feature_store],)
    if feature_store in DRILLS:
        own[drill_role_id(environment)] = sorted({*DRILL, *DRILLS[feature_store]})
        own[drill_buckets_role_id(environment)] = DRILL_BUCKETS
    if feature_store in WRITES:
        own[feature_writer_role_id(environment)] = WRITES[feature_store]
    return own
