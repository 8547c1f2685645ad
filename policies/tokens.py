"""Type tokens of the resources that more than one family of rules looks at."""

from __future__ import annotations

from typing import Final

S3_BUCKET: Final = "aws:s3/bucket:Bucket"
S3_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
S3_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
S3_VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
S3_REPLICATION: Final = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
S3_LOGGING: Final = "aws:s3/bucketLogging:BucketLogging"
GCS_BUCKET: Final = "gcp:storage/bucket:Bucket"

DYNAMODB_TABLE: Final = "aws:dynamodb/table:Table"
VALKEY: Final = "aws:elasticache/replicationGroup:ReplicationGroup"
VALKEY_GLOBAL: Final = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"
BIGTABLE: Final = "gcp:bigtable/instance:Instance"
BIGTABLE_TABLE: Final = "gcp:bigtable/table:Table"
FIRESTORE: Final = "gcp:firestore/database:Database"
REDIS: Final = "gcp:redis/instance:Instance"
BACKUP_VAULT: Final = "aws:backup/vault:Vault"

KMS_KEY: Final = "aws:kms/key:Key"
KMS_KEY_TYPES: Final = (KMS_KEY, "aws:kms/replicaKey:ReplicaKey", "aws:kms/alias:Alias")
GCP_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
GCP_KEY_RING: Final = "gcp:kms/keyRing:KeyRing"

CLOUDTRAIL: Final = "aws:cloudtrail/trail:Trail"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"
VPC: Final = "aws:ec2/vpc:Vpc"
S3_OBJECT_LOCK: Final = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
GCP_AUDIT_CONFIG: Final = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
GCP_LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
GCP_LOG_SINK: Final = "gcp:logging/projectSink:ProjectSink"
GCP_SUBNET: Final = "gcp:compute/subnetwork:Subnetwork"
GCP_FIREWALL: Final = "gcp:compute/firewall:Firewall"

EKS_CLUSTER: Final = "aws:eks/cluster:Cluster"
EKS_NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
EKS_ACCESS_ENTRY: Final = "aws:eks/accessEntry:AccessEntry"
EC2_LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
GKE_CLUSTER: Final = "gcp:container/cluster:Cluster"
GKE_NODE_POOL: Final = "gcp:container/nodePool:NodePool"
ECR_LIFECYCLE: Final = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
ECR_REPOSITORY: Final = "aws:ecr/repository:Repository"
GKE_BACKUP_PLAN: Final = "gcp:gkebackup/backupPlan:BackupPlan"
ARTIFACT_REGISTRY: Final = "gcp:artifactregistry/repository:Repository"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"

PRIORITY: Final = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
NAMESPACE: Final = "kubernetes:core/v1:Namespace"
HPA: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET: Final = "kubernetes:policy/v1:PodDisruptionBudget"

CLIENT_TRAFFIC: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy"
EXTENSION_POLICY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyExtensionPolicy"
ENVOY_PROXY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"
BACKEND_TRAFFIC: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy"
