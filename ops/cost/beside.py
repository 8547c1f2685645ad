"""Types of resources that add nothing to an estimate, with the reason: free ones, and what no plan knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_RECORD: Final = "a record of how something else works, which is not billed"
_NETWORK: Final = "the network itself is free; what passes through it is not in a plan"
_IDENTITY: Final = "identities and permissions are free"

FREE: Final[Mapping[str, str]] = {
    "aws:autoscaling/tag:Tag": _RECORD,
    "aws:backup/plan:Plan": "the recovery points that it makes are billed, with the vaults",
    "aws:backup/selection:Selection": _RECORD,
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": _RECORD,
    "aws:backup/vaultPolicy:VaultPolicy": _IDENTITY,
    "aws:elasticache/user:User": _IDENTITY,
    "aws:elasticache/userGroup:UserGroup": _IDENTITY,
    "aws:elasticache/subnetGroup:SubnetGroup": _NETWORK,
    "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup": "its groups of nodes are billed",
    "aws:ebs/encryptionByDefault:EncryptionByDefault": _RECORD,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _NETWORK,
    "aws:ec2/internetGateway:InternetGateway": _NETWORK,
    "aws:ec2/route:Route": _NETWORK,
    "aws:ec2/launchTemplate:LaunchTemplate": "the machines are billed, with their group",
    "aws:ec2/routeTable:RouteTable": _NETWORK,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _NETWORK,
    "aws:ec2/securityGroup:SecurityGroup": _NETWORK,
    "aws:ec2/subnet:Subnet": _NETWORK,
    "aws:ec2/vpc:Vpc": _NETWORK,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _RECORD,
    "aws:budgets/budget:Budget": "a budget that only tells is free",
    "aws:cloudwatch/eventRule:EventRule": "events of AWS' own services are free",
    "aws:cloudwatch/eventTarget:EventTarget": "events of AWS' own services are free",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": _IDENTITY,
    "aws:eks/accessEntry:AccessEntry": _IDENTITY,
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _IDENTITY,
    "aws:eks/addon:Addon": "add-ons run on the cluster's machines",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _IDENTITY,
    "aws:kms/alias:Alias": "the key is billed",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": _RECORD,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _NETWORK,
    "gcp:bigtable/table:Table": "the nodes are billed; what is kept, by GiB",
    "gcp:bigtable/gCPolicy:GCPolicy": _RECORD,
    "gcp:bigtable/tableIamMember:TableIamMember": _IDENTITY,
    "gcp:firestore/field:Field": _RECORD,
    "gcp:billing/budget:Budget": "a budget that only tells is free",
    "gcp:binaryauthorization/policy:Policy": "free for a project's own clusters (believed)",
    "gcp:compute/firewall:Firewall": _NETWORK,
    "gcp:compute/globalAddress:GlobalAddress": "an internal range",
    "gcp:compute/network:Network": _NETWORK,
    "gcp:compute/route:Route": _NETWORK,
    "gcp:compute/subnetwork:Subnetwork": _NETWORK,
    "gcp:dns/recordSet:RecordSet": "the zone is billed",
    "gcp:kms/keyRing:KeyRing": "the keys are billed",
    "gcp:monitoring/notificationChannel:NotificationChannel": _RECORD,
    "gcp:orgpolicy/policy:Policy": _IDENTITY,
    "gcp:servicenetworking/connection:Connection": _NETWORK,
    "gcp:storage/transferJob:TransferJob": "copies between buckets are billed by bytes, with the buckets",
}
FREE_PREFIXES: Final[Mapping[str, str]] = {
    "aws:iam/": _IDENTITY,
    "gcp:iam/": _IDENTITY,
    "gcp:projects/service:": "an API that is switched on is billed by its use alone",
    "gcp:projects/": _IDENTITY,
    "gcp:serviceaccount/": _IDENTITY,
    "gcp:kms/cryptoKeyIAMMember": _IDENTITY,
    "gcp:storage/bucketIAMMember": _IDENTITY,
    "gcp:artifactregistry/repositoryIam": _IDENTITY,
    "aws:s3/bucketLifecycle": _RECORD,
    "aws:s3/bucketLogging": _RECORD,
    "aws:s3/bucketObjectLock": _RECORD,
    "aws:s3/bucketOwnership": _RECORD,
    "aws:s3/bucketPolicy": _IDENTITY,
    "aws:s3/bucketPublic": _RECORD,
    "aws:s3/bucketReplication": "replicated bytes are billed by traffic and with the replica",
    "aws:s3/bucketServerSide": _RECORD,
    "aws:s3/bucketVersioning": _RECORD,
    "aws:ecr/": "scans and copies between regions are billed by image, which no plan knows",
    "aws:sns/topicPolicy": _IDENTITY,
    "aws:sns/topicSubscription": "an e-mail costs thousandths of a cent",
    "aws:inspector2/": "billed by image scanned",
    "gcp:logging/project": "routing is free; what is kept is billed by volume, with the log groups",
    "gcp:logging/log": _RECORD,
    "kubernetes:": "runs on the cluster's machines",
    "pulumi:": "no resource of a cloud",
}
LEFT_OUT: Final[Mapping[str, str]] = {
    "aws:cloudwatch/logGroup:LogGroup": "by volume: about 0.60 USD a GiB taken in, 0.03 a GiB kept a month",
    "aws:cloudtrail/trail:Trail": (
        "by event: about 1 USD a million reads and writes of models and features; management events are free in the "
        "account's first trail, and 20 USD a million in each further one"
    ),
    "aws:ec2/flowLog:FlowLog": "by volume: about 0.25 USD a GiB delivered to the bucket",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": "by volume: about 0.50 USD a GiB of what is logged of accesses",
    "aws:sns/topic:Topic": "by message",
    "gcp:firestore/database:Database": "by document read and written, and about 0.15 USD a GiB kept a month",
    "gcp:firestore/backupSchedule:BackupSchedule": "about 0.03 USD a month for each GiB of each backup",
    "gcp:gkebackup/backupPlan:BackupPlan": "by pod and volume: about 1 USD a month for each pod",
}
"""What depends on use alone."""
ALWAYS_LEFT_OUT: Final = (
    "traffic between zones and regions, and out of the cloud",
    "requests to stores, buckets and keys; logs and metrics by volume",
    "what a load balancer costs, where the cluster's users ask for one",
    "taxes, discounts, commitments and free tiers; support plans",
    "old versions in buckets, and releases beyond one",
    "hours in which the fleet is scaled down: a month is counted whole",
)
"""What no estimate here has, whatever the stack."""
