"""Which resources hold state that cannot be made again, declared once.

The declaration drives `protect`, `retain_on_delete`, backup membership and the risk that a diff prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.contracts.place import Place


@dataclass(frozen=True)
class Stateful:
    """What is lost when such a resource goes, and whether the stack's backups bring its content back."""

    loses: str
    backed_up: bool


STATEFUL: Mapping[str, Stateful] = {
    "aws:kms/key:Key": Stateful("everything encrypted under the key becomes unreadable", backed_up=False),
    "aws:s3/bucket:Bucket": Stateful("model releases, with all their versions", backed_up=True),
    "aws:dynamodb/table:Table": Stateful("the features of every entity", backed_up=True),
    "aws:ecr/repository:Repository": Stateful("the serving images", backed_up=False),
    "aws:eks/cluster:Cluster": Stateful("the cluster's objects, and the fleet's availability", backed_up=False),
    "aws:backup/vault:Vault": Stateful("recovery points", backed_up=False),
    "gcp:kms/keyRing:KeyRing": Stateful("the keys in it", backed_up=False),
    "gcp:kms/cryptoKey:CryptoKey": Stateful("everything encrypted under the key becomes unreadable", backed_up=False),
    "gcp:storage/bucket:Bucket": Stateful("model releases, with all their versions", backed_up=True),
    "gcp:redis/instance:Instance": Stateful("the features of every entity", backed_up=True),
    "gcp:artifactregistry/repository:Repository": Stateful("the serving images", backed_up=False),
    "gcp:container/cluster:Cluster": Stateful("the cluster's objects, and the fleet's availability", backed_up=True),
    "gcp:gkebackup/backupPlan:BackupPlan": Stateful("recovery points", backed_up=False),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": Stateful("the logs in it", backed_up=False),
}
"""Type token → what it holds. A type that is not here is stateless: it can be made again from the program."""


def stateful_options(
    parent: pulumi.Resource,
    place: Place,
    *,
    depends_on: list[pulumi.Resource] | None = None,
    ignore_changes: list[str] | None = None,
) -> pulumi.ResourceOptions:
    """Options for a resource whose type is in `STATEFUL`."""
    return pulumi.ResourceOptions(
        parent=parent,
        protect=place.protected,
        retain_on_delete=place.retained,
        depends_on=depends_on,
        ignore_changes=ignore_changes,
    )
