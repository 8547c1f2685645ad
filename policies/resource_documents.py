"""Where each type of AWS that has a policy of its own keeps it; keys and buckets stand in their own families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.tokens import (
    AWS_SECRET,
    ELASTICSEARCH,
    KMS_KEY_POLICY,
    KMS_REPLICA,
    OPENSEARCH,
    REST_API,
    S3_ACCESS_POINT,
    SNS_TOPIC,
    SNS_TOPIC_POLICY,
    SQS_QUEUE,
    VAULT_POLICY,
)

LOGS_POLICY: Final = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"

POLICIES: Final[Mapping[str, str]] = {
    SNS_TOPIC_POLICY: "policy",
    SNS_TOPIC: "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
    SQS_QUEUE: "policy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
    "aws:ecr/registryPolicy:RegistryPolicy": "policy",
    VAULT_POLICY: "policy",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
    AWS_SECRET: "policy",
    S3_ACCESS_POINT: "policy",
    "aws:s3control/accessPointPolicy:AccessPointPolicy": "policy",
    "aws:s3control/bucketPolicy:BucketPolicy": "policy",
    "aws:s3control/objectLambdaAccessPointPolicy:ObjectLambdaAccessPointPolicy": "policy",
    "aws:s3tables/tableBucketPolicy:TableBucketPolicy": "resourcePolicy",
    "aws:lambda/resourcePolicy:ResourcePolicy": "policy",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "policy",
    LOGS_POLICY: "policyDocument",
    "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy": "accessPolicy",
    "aws:opensearch/domainPolicy:DomainPolicy": "accessPolicies",
    OPENSEARCH: "accessPolicies",
    ELASTICSEARCH: "accessPolicies",
    "aws:efs/fileSystemPolicy:FileSystemPolicy": "policy",
    "aws:glacier/vault:Vault": "accessPolicy",
    "aws:dynamodb/resourcePolicy:ResourcePolicy": "policy",
    "aws:kinesis/resourcePolicy:ResourcePolicy": "policy",
    "aws:apigateway/restApiPolicy:RestApiPolicy": "policy",
    REST_API: "policy",
    "aws:codeartifact/domainPermissions:DomainPermissions": "policyDocument",
    "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy": "policyDocument",
    "aws:glue/resourcePolicy:ResourcePolicy": "policy",
    "aws:acmpca/policy:Policy": "policy",
    "aws:msk/clusterPolicy:ClusterPolicy": "policy",
    "aws:oam/sinkPolicy:SinkPolicy": "policy",
    "aws:schemas/registryPolicy:RegistryPolicy": "policy",
    "aws:ses/identityPolicy:IdentityPolicy": "policy",
    "aws:vpclattice/authPolicy:AuthPolicy": "policy",
    KMS_KEY_POLICY: "policy",
    KMS_REPLICA: "policy",
    "aws:kms/externalKey:ExternalKey": "policy",
}
