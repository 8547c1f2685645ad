"""What is known of single steps: which cannot be taken back, and how long they take. One dated table each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

READ: Final = "2026-11-22"
"""When the sources below were read."""
_BELIEVED: Final = f"believed, {READ}"

_AWS_KEY: Final = (
    "the key cannot be used from then on; for `deletionWindowInDays` (7 to 30) `aws kms cancel-key-deletion` "
    f"takes it back, later all that it encrypted is lost (KMS API, ScheduleKeyDeletion, {READ})"
)
_GCP_KEY: Final = (
    "Cloud KMS destroys the key's versions after their waiting time, and never gives the name of a key or of a key "
    f"ring free again ({_BELIEVED})"
)
_OBJECTS: Final = f"objects and their versions are gone with it ({_BELIEVED})"
_IMAGES: Final = f"its images are gone with it ({_BELIEVED})"
_LOGS: Final = f"what is logged there is gone with it ({_BELIEVED})"

LOST_WITH: Final[Mapping[str, str]] = {
    "aws:kms/key:Key": _AWS_KEY,
    "aws:kms/replicaKey:ReplicaKey": _AWS_KEY,
    "gcp:kms/cryptoKey:CryptoKey": _GCP_KEY,
    "gcp:kms/keyRing:KeyRing": _GCP_KEY,
    "aws:s3/bucket:Bucket": _OBJECTS,
    "gcp:storage/bucket:Bucket": f"{_OBJECTS}, except what soft delete keeps for its days",
    "aws:dynamodb/table:Table": f"its items are gone with it; only a recovery point brings them back ({_BELIEVED})",
    "aws:elasticache/replicationGroup:ReplicationGroup": f"its data is gone, but for snapshots ({_BELIEVED})",
    "gcp:redis/instance:Instance": f"its data is gone, but for exports ({_BELIEVED})",
    "gcp:bigtable/instance:Instance": f"its tables and their backups are gone with it ({_BELIEVED})",
    "aws:ecr/repository:Repository": _IMAGES,
    "gcp:artifactregistry/repository:Repository": _IMAGES,
    "aws:cloudwatch/logGroup:LogGroup": _LOGS,
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": f"{_LOGS}, after some days in which it can be undeleted",
    "aws:eks/cluster:Cluster": f"all that is on the cluster is gone with it ({_BELIEVED})",
    "gcp:container/cluster:Cluster": f"all that is on the cluster is gone with it ({_BELIEVED})",
    "aws:backup/vault:Vault": f"AWS deletes no vault that has recovery points, and the update fails ({_BELIEVED})",
    "gcp:gkebackup/backupPlan:BackupPlan": f"its backups are gone with it ({_BELIEVED})",
}
"""Type → what its deletion takes for good."""

ONE_WAY: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": (
        ("changeableForDays", "minRetentionDays", "maxRetentionDays"),
        f"once its grace time has run out, nobody takes the lock back, the account's root included ({_BELIEVED})",
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": (
        ("objectLockEnabled", "rule"),
        f"S3 never turns a bucket's object lock off again ({_BELIEVED})",
    ),
    "gcp:storage/bucket:Bucket": (
        ("retentionPolicy.isLocked",),
        "a locked retention policy can only get longer (Cloud Storage, Bucket Lock, 2026-11-21)",
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": (
        ("locked",),
        "a locked log bucket's retention stays (Cloud Logging API, locations.buckets, 2026-11-21)",
    ),
    "aws:eks/cluster:Cluster": (
        ("version",),
        "EKS takes a version back for 7 days after its upgrade, and not later (EKS guide, Roll back, 2026-11-21)",
    ),
    "gcp:container/cluster:Cluster": (
        ("minMasterVersion",),
        f"GKE takes no minor version of a control plane back once its upgrade is done ({_BELIEVED})",
    ),
}
"""Type → inputs whose change cannot be taken back, and why."""

_NODE_GROUP: Final = (
    "machine after machine; one that does not drain for 15 minutes ends the update as failed (EKS guide, Managed "
    f"node update behavior, {READ})"
)
TAKES: Final[Mapping[tuple[str, str], str]] = {
    ("aws:eks/cluster:Cluster", "create"): f"about 10 minutes ({_BELIEVED})",
    ("aws:eks/cluster:Cluster", "update"): (
        f"some minutes, while it serves on (EKS API, UpdateClusterVersion, {READ})"
    ),
    ("aws:eks/cluster:Cluster", "delete"): f"about 10 minutes ({_BELIEVED})",
    ("aws:eks/nodeGroup:NodeGroup", "create"): f"2 to 5 minutes ({_BELIEVED})",
    ("aws:eks/nodeGroup:NodeGroup", "update"): _NODE_GROUP,
    ("aws:eks/nodeGroup:NodeGroup", "delete"): f"5 to 15 minutes, as its machines drain ({_BELIEVED})",
    ("aws:eks/addon:Addon", "update"): f"1 to 5 minutes ({_BELIEVED})",
    ("aws:elasticache/replicationGroup:ReplicationGroup", "create"): f"10 to 20 minutes ({_BELIEVED})",
    ("aws:elasticache/replicationGroup:ReplicationGroup", "update"): f"10 to 30 minutes, online ({_BELIEVED})",
    ("aws:elasticache/replicationGroup:ReplicationGroup", "delete"): f"5 to 15 minutes ({_BELIEVED})",
    ("gcp:container/cluster:Cluster", "create"): f"5 to 10 minutes ({_BELIEVED})",
    ("gcp:container/cluster:Cluster", "update"): (
        "a regional control plane is upgraded one replica at a time, and stays available (GKE guide, Standard "
        f"cluster upgrades, {READ})"
    ),
    ("gcp:container/cluster:Cluster", "delete"): f"5 to 10 minutes ({_BELIEVED})",
    ("gcp:container/nodePool:NodePool", "create"): f"1 to 5 minutes ({_BELIEVED})",
    ("gcp:container/nodePool:NodePool", "update"): (
        f"machine after machine, for several hours in a large pool (GKE guide, Standard cluster upgrades, {READ})"
    ),
    ("gcp:container/nodePool:NodePool", "delete"): f"2 to 15 minutes, as its machines drain ({_BELIEVED})",
    ("gcp:redis/instance:Instance", "create"): f"5 to 10 minutes ({_BELIEVED})",
    ("gcp:redis/instance:Instance", "update"): (
        f"connections are reset for up to a couple of minutes (Memorystore guide, Instance scaling behavior, {READ})"
    ),
    ("gcp:bigtable/instance:Instance", "create"): f"a minute ({_BELIEVED})",
    ("gcp:servicenetworking/connection:Connection", "create"): f"1 to 3 minutes ({_BELIEVED})",
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "create"): f"1 to 3 minutes ({_BELIEVED})",
    ("kubernetes:helm.sh/v3:Release", "update"): "until its pods are ready, or its `timeout` is over",
    ("kubernetes:apps/v1:Deployment", "update"): "pod after pod; a model server's pod loads its models first",
}
"""Type and verb → how long it is known to take."""

_TOUCHED_BY_VERSION: Final = ("version", "minMasterVersion")
ONLY_FOR: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("aws:eks/cluster:Cluster", "update"): _TOUCHED_BY_VERSION,
    ("gcp:container/cluster:Cluster", "update"): _TOUCHED_BY_VERSION,
    ("aws:eks/nodeGroup:NodeGroup", "update"): ("version", "releaseVersion", "launchTemplate"),
    ("gcp:container/nodePool:NodePool", "update"): ("version", "nodeConfig"),
    ("gcp:redis/instance:Instance", "update"): ("memorySizeGb", "redisVersion", "replicaCount", "tier"),
}
"""Updates that take that long only where one of these inputs changes."""
