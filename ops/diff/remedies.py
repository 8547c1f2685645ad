"""How to move what a resource holds before it is replaced or removed: one table, by type (believed, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from components.contracts.stateful import CopiedBy
from policies.inventory import Resource

_BESIDE: Final = "Keep this one in the program and make the new one under another logical name"
_MOVES: Final[Mapping[str, str]] = {
    "aws:s3/bucket:Bucket": "copy what it holds with S3 Batch Replication, or `aws s3 sync` where versions and "
    "locks need not come along",
    "aws:dynamodb/table:Table": "restore its newest recovery point into the new table, and write what came since "
    "with `seawall features load`",
    "aws:elasticache/replicationGroup:ReplicationGroup": "take a last snapshot, and have the new one begin from it "
    "(`snapshotName`)",
    "aws:ecr/repository:Repository": "fill the new one with `seawall images sync`",
    "aws:backup/vault:Vault": "copy its recovery points with `aws backup start-copy-job`; those under a compliance "
    "lock stay where they are until they expire",
    "aws:eks/cluster:Cluster": "bring the fleet up on the second cluster, and move the door's name over to it",
    "aws:cloudwatch/logGroup:LogGroup": "export it to a bucket with `aws logs create-export-task`, where its records "
    "must stay readable",
    "gcp:storage/bucket:Bucket": "copy what it holds with `gcloud transfer jobs create`",
    "gcp:redis/instance:Instance": "export it to a bucket, and import that into the new instance "
    "(`gcloud redis instances export`, `import`)",
    "gcp:bigtable/instance:Instance": "back its tables up, and restore them into the new instance",
    "gcp:artifactregistry/repository:Repository": "fill the new one with `seawall images sync`",
    "gcp:container/cluster:Cluster": "bring the fleet up on the second cluster, restore into it from Backup for GKE, "
    "and move the door's name over to it",
    "gcp:gkebackup/backupPlan:BackupPlan": "let its backups expire under it while the new one makes its own",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "copy its entries to a storage bucket with "
    "`gcloud logging copy`, where they must stay readable",
}
_KEYS: Final = frozenset(
    {"aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "gcp:kms/cryptoKey:CryptoKey", "gcp:kms/keyRing:KeyRing"}
)
_KEY_MOVE: Final = (
    "Rotate the key instead: that replaces nothing. Where it must be another key, keep this one, make the new one "
    "under another logical name, encrypt anew what the old one encrypts, and remove it only when nothing uses it."
)


def how_to_move(resource: Resource) -> str:
    """What to do instead of a replacement that loses the content."""
    if resource.type in _KEYS:
        return _KEY_MOVE
    move = _MOVES.get(resource.type, _by_copy(resource))
    return f"{_BESIDE}; {move}; let readers and writers use the new one; remove this one in a later update."


def before_removal(resource: Resource) -> str:
    """What to do before a removal."""
    if resource.type in _KEYS:
        return "Make sure that nothing is encrypted under it any more; then take its protection away by itself."
    move = _MOVES.get(resource.type, _by_copy(resource))
    return f"If anybody needs what it holds, first {move}. Then take its protection away in an update of its own."


def _by_copy(resource: Resource) -> str:
    copies = resource.stateful.copies if resource.stateful else None
    if isinstance(copies, CopiedBy):
        return f"bring what it holds back from the copy that {copies} makes"
    return "copy what it holds by hand: no copy of it is made"
