"""Harmful edits of which rights are given on AWS, and within which bounds."""

from __future__ import annotations

from policies.inventory import UNKNOWN
from tests.policies.aws_faults.documents import (
    AUDIT,
    AWAY,
    BOUNDARY,
    CLUSTER_ARN,
    HERE,
    MODELS,
    OTHER,
    OWN,
    ROLE,
    ROLES,
    TABLE,
    allow,
    granted,
    restated,
    role,
    text,
    trusts,
)  # fmt: skip
from tests.policies.aws_faults.entering import ADMIN
from tests.policies.reach.planting import GONE, Change, add, edit

HARMFUL: dict[str, tuple[str, Change]] = {
    # permission boundaries
    "a role loses its boundary": ("aws-iam-roles-bounded", edit(ROLE, "permissionsBoundary", GONE, "fleet")),
    "a role's boundary is administrators'": (
        "aws-iam-roles-bounded",
        edit(ROLE, "permissionsBoundary", ADMIN, "fleet"),
    ),
    "a role's boundary is another": (
        "aws-iam-roles-bounded",
        edit(ROLE, "permissionsBoundary", f"arn:aws:iam::{OWN}:policy/wide", "publisher"),
    ),
    "a role's boundary is another account's": (
        "aws-iam-roles-bounded",
        edit(ROLE, "permissionsBoundary", BOUNDARY.replace(OWN, OTHER), "publisher"),
    ),
    "a role's boundary is empty": ("aws-iam-roles-bounded", edit(ROLE, "permissionsBoundary", "", "drill")),
    "a role's boundary is hidden": ("aws-iam-roles-bounded", edit(ROLE, "permissionsBoundary", UNKNOWN, "drill")),
    "a new role without a boundary": (
        "aws-iam-roles-bounded",
        role(text(trusts({"Service": "ec2.amazonaws.com"})), permissionsBoundary=GONE),
    ),
    "a new user without a boundary": ("aws-iam-roles-bounded", add("aws:iam/user:User", {"name": "dev"})),
    # policies by every kind of attachment
    "an administrator by policy attachment": (
        "aws-iam-no-admin-attached",
        add("aws:iam/policyAttachment:PolicyAttachment", {"policyArn": ADMIN, "roles": ["seawall-prod-fleet"]}),
    ),
    "an administrator by role attachment": (
        "aws-iam-no-admin-attached",
        add("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"policyArn": ADMIN, "role": "seawall-prod-fleet"}),
    ),
    "an administrator by exclusive attachments": (
        "aws-iam-no-admin-attached",
        add(
            "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
            {"roleName": "seawall-prod-fleet", "policyArns": [ADMIN]},
        ),
    ),
    "an administrator by group": (
        "aws-iam-no-admin-attached",
        add("aws:iam/groupPolicyAttachment:GroupPolicyAttachment", {"group": "dev", "policyArn": ADMIN}),
    ),
    "an administrator by user": (
        "aws-iam-no-admin-attached",
        add("aws:iam/userPolicyAttachment:UserPolicyAttachment", {"user": "dev", "policyArn": ADMIN}),
    ),
    "an administrator by the role's list": (
        "aws-iam-no-admin-attached",
        edit(ROLE, "managedPolicyArns", [ADMIN], "fleet"),
    ),
    "an administrator by the role's inline list": (
        "aws-iam-no-full-admin",
        edit(ROLE, "inlinePolicies", [{"name": "x", "policy": text(allow("*"))}], "fleet"),
    ),
    "an administrator by a group's inline policy": (
        "aws-iam-no-full-admin",
        add("aws:iam/groupPolicy:GroupPolicy", {"group": "dev", "policy": text(allow("*"))}),
    ),
    "an administrator by a user's inline policy": (
        "aws-iam-no-full-admin",
        add("aws:iam/userPolicy:UserPolicy", {"user": "dev", "policy": text(allow("*"))}),
    ),
    "a managed policy for all": (
        "aws-iam-no-full-admin",
        add("aws:iam/policy:Policy", {"name": "x", "policy": text(allow("*"))}),
    ),
    "an administrator by single sign-on": (
        "aws-iam-no-admin-attached",
        add(
            "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
            {
                "instanceArn": "arn:aws:sso:::instance/x",
                "permissionSetArn": "arn:aws:sso:::permissionSet/x/y",
                "managedPolicyArn": ADMIN,
            },
        ),
    ),
    "an administrator by single sign-on's inline policy": (
        "aws-iam-no-full-admin",
        add(
            "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
            {
                "instanceArn": "arn:aws:sso:::instance/x",
                "permissionSetArn": "arn:aws:sso:::permissionSet/x/y",
                "inlinePolicy": text(allow("*")),
            },
        ),
    ),
    "a customer's policy by single sign-on": (
        "seawall-type-judged",
        add(
            "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment",
            {
                "instanceArn": "arn:aws:sso:::instance/x",
                "permissionSetArn": "arn:aws:sso:::permissionSet/x/y",
                "customerManagedPolicyReference": {"name": "wide"},
            },
        ),
    ),
    "an assignment by single sign-on": (
        "seawall-type-judged",
        add(
            "aws:ssoadmin/accountAssignment:AccountAssignment",
            {
                "instanceArn": "arn:aws:sso:::instance/x",
                "permissionSetArn": "arn:aws:sso:::permissionSet/x/y",
                "principalId": "everyone",
                "principalType": "GROUP",
                "targetId": OWN,
                "targetType": "AWS_ACCOUNT",
            },
        ),
    ),
    "a user in a group": (
        "seawall-type-judged",
        add("aws:iam/userGroupMembership:UserGroupMembership", {"user": "dev", "groups": ["admins"]}),
    ),
    "members of a group": (
        "seawall-type-judged",
        add("aws:iam/groupMembership:GroupMembership", {"group": "admins", "users": ["dev"], "name": "x"}),
    ),
    "an access key": ("seawall-type-judged", add("aws:iam/accessKey:AccessKey", {"user": "dev"})),
    "a password": ("seawall-type-judged", add("aws:iam/userLoginProfile:UserLoginProfile", {"user": "dev"})),
    "an upload of SSH keys": (
        "seawall-type-judged",
        add("aws:iam/sshKey:SshKey", {"username": "dev", "publicKey": "ssh-rsa A"}),
    ),
    "a service's password": (
        "seawall-type-judged",
        add(
            "aws:iam/serviceSpecificCredential:ServiceSpecificCredential",
            {"userName": "dev", "serviceName": "codecommit.amazonaws.com"},
        ),
    ),
    "a weak policy for passwords": (
        "seawall-type-judged",
        add("aws:iam/accountPasswordPolicy:AccountPasswordPolicy", {"minimumPasswordLength": 6}),
    ),
    "an instance profile of a strong role": (
        "seawall-type-judged",
        add("aws:iam/instanceProfile:InstanceProfile", {"role": "seawall-prod-restore", "name": "x"}),
    ),
    # statements
    "reads anything but secrets": (
        "aws-iam-no-full-admin",
        granted({"Effect": "Allow", "NotAction": "secretsmanager:*", "Resource": "*"}),
    ),
    "writes anything but one bucket": (
        "aws-iam-no-wildcard-data",
        granted({"Effect": "Allow", "Action": "s3:PutObject", "NotResource": "arn:aws:s3:::x/*"}),
    ),
    "models of any account's name": (
        "aws-iam-audit-apart",
        granted(allow("s3:GetObject", "arn:aws:s3:::seawall-prod-*/*")),
    ),
    "a wildcard in the middle": ("aws-iam-audit-apart", granted(allow("s3:GetObject", f"arn:aws:s3:::*-{OWN}-*/*"))),
    "all secrets of the account": (
        "aws-iam-no-wildcard-data",
        granted(allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:{OWN}:secret:*")),
    ),
    "all parameters of the account": (
        "aws-iam-no-wildcard-data",
        granted(allow("ssm:GetParameters", f"arn:aws:ssm:{HERE}:{OWN}:parameter/*")),
    ),
    "all tables of the account": (
        "aws-iam-no-wildcard-data",
        granted(allow("dynamodb:Scan", f"arn:aws:dynamodb:*:{OWN}:table/*")),
    ),
    "the trail's bucket to serving": (
        "aws-iam-audit-apart",
        granted(allow("s3:GetObject", f"arn:aws:s3:::{AUDIT}/*")),
    ),
    "serving writes models": ("aws-pods-leave-nothing", granted(allow("s3:PutObject", f"arn:aws:s3:::{MODELS}/*"))),
    "serving deletes models' versions": (
        "aws-iam-own-records-kept",
        granted(allow("s3:DeleteObjectVersion", f"arn:aws:s3:::{MODELS}/*")),
    ),
    "serving deletes the table": ("aws-iam-own-records-kept", granted(allow("dynamodb:DeleteTable", TABLE))),
    "serving writes features": ("aws-pods-leave-nothing", granted(allow("dynamodb:PutItem", TABLE))),
    "the publisher deletes versions": (
        "aws-iam-own-records-kept",
        granted(allow("s3:DeleteObjectVersion", f"arn:aws:s3:::{MODELS}/*"), to="publisher-publisher"),
    ),
    "the publisher suspends versioning": (
        "aws-iam-own-records-kept",
        granted(allow("s3:PutBucketVersioning", f"arn:aws:s3:::{MODELS}"), to="publisher-publisher"),
    ),
    "the publisher sets the lifecycle": (
        "aws-iam-own-records-kept",
        granted(allow("s3:PutLifecycleConfiguration", f"arn:aws:s3:::{MODELS}"), to="publisher-publisher"),
    ),
    "the feature writer drops PITR": (
        "aws-iam-own-records-kept",
        granted(allow("dynamodb:UpdateContinuousBackups", TABLE), to="feature-writer-feature-writer"),
    ),
    "the autoscaler stops the trail": (
        "aws-iam-own-records-kept",
        granted(
            allow("cloudtrail:StopLogging", f"arn:aws:cloudtrail:{HERE}:{OWN}:trail/seawall-prod-data-events"),
            to="node-autoscaler-node-autoscaler",
        ),
    ),
    "the autoscaler runs machines": (
        "aws-pods-leave-nothing",
        granted(allow("ec2:RunInstances"), to="node-autoscaler-node-autoscaler"),
    ),
    "the autoscaler resizes any group": (
        "aws-pods-leave-nothing",
        restated(
            "aws:iam/rolePolicy:RolePolicy",
            "node-autoscaler-node-autoscaler",
            "policy",
            "ResizeOwnGroups",
            Resource="*",
            Condition=None,
        ),
    ),
    "the autoscaler removes machines of all": (
        "aws-pods-leave-nothing",
        granted(allow("ec2:TerminateInstances"), to="node-autoscaler-node-autoscaler"),
    ),
    "the replication writes elsewhere": (
        "aws-iam-replicates-to-stack",
        granted(allow("s3:ReplicateObject", "arn:aws:s3:::elsewhere/*"), to="models-replication-replicate"),
    ),
    "a key disabled by a role": (
        "aws-iam-no-wildcard-data",
        granted(allow(["kms:DisableKey", "kms:ScheduleKeyDeletion"], f"arn:aws:kms:{HERE}:{OWN}:key/*")),
    ),
    "decrypts with all keys": (
        "aws-iam-no-wildcard-data",
        granted(allow("kms:Decrypt", f"arn:aws:kms:{HERE}:{OWN}:key/*")),
    ),
    "decrypts with keys of anyone": (
        "aws-iam-no-wildcard-data",
        granted(allow("kms:Decrypt", "arn:aws:kms:*:*:key/*")),
    ),
    "decrypts where a tag is absent or right": (
        "aws-iam-no-wildcard-data",
        granted(
            allow(
                "kms:Decrypt",
                f"arn:aws:kms:{HERE}:{OWN}:key/*",
                {"StringEqualsIfExists": {"kms:ViaService": f"s3.{HERE}.amazonaws.com"}},
            )
        ),
    ),
    "decrypts via any service": (
        "aws-iam-no-wildcard-data",
        granted(allow("kms:Decrypt", "*", {"StringLike": {"kms:ViaService": "*"}})),
    ),
    "reads where the date is past": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}})),
    ),
    "reads where not junk": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/nobody"}})),
    ),
    "reads where an absent key may be any": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"ForAllValues:StringLike": {"aws:TagKeys": ["team"]}})),
    ),
    "reads where any protocol": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"NumericGreaterThan": {"s3:TlsVersion": "1.0"}})),
    ),
    "reads from either half of the world": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}})),
    ),
    "reads from anywhere but one address": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"NotIpAddress": {"aws:SourceIp": "198.51.100.7/32"}})),
    ),
    "reads where a variable matches itself": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"StringLike": {"aws:userid": "*:*"}})),
    ),
    "reads for any session": (
        "aws-iam-no-wildcard-data",
        granted(allow("s3:GetObject", "*", {"Bool": {"aws:MultiFactorAuthPresent": ["true", "false"]}})),
    ),
    "passes the restore role to anything": (
        "aws-iam-pass-role-bound",
        granted(
            allow(
                "iam:PassRole",
                f"{ROLES}/seawall-prod-restore",
                {"StringLike": {"iam:PassedToService": "*.amazonaws.com"}},
            ),
            to="drill-drill",
        ),
    ),
    "passes a role to functions": (
        "aws-iam-pass-role-bound",
        granted(
            allow(
                "iam:PassRole",
                f"{ROLES}/*",
                {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}},
            ),
            to="drill-drill",
        ),
    ),
    "assumes the publisher": (
        "aws-iam-roles-not-chained",
        granted(allow("sts:AssumeRole", f"{ROLES}/seawall-prod-publisher")),
    ),
    "assumes the deployer": (
        "aws-iam-roles-not-chained",
        granted(allow("sts:AssumeRole", f"{ROLES}/seawall-bootstrap-deploy-prod")),
    ),
    "assumes roles by pattern": ("aws-iam-roles-not-chained", granted(allow("sts:AssumeRole", f"{ROLES}/seawall-*"))),
    "enters the cluster": ("aws-iam-own-resources-kept", granted(allow("eks:CreateAccessEntry", CLUSTER_ARN))),
    "associates a role with a pod": (
        "aws-iam-own-resources-kept",
        granted(allow("eks:CreatePodIdentityAssociation", CLUSTER_ARN), to="publisher-publisher"),
    ),
    "runs commands on machines": (
        "aws-iam-no-escalation",
        granted(allow("ssm:SendCommand", f"arn:aws:ec2:{HERE}:{OWN}:instance/*")),
    ),
    "connects to machines": (
        "aws-iam-no-escalation",
        granted(allow("ec2-instance-connect:SendSSHPublicKey", f"arn:aws:ec2:{HERE}:{OWN}:instance/*")),
    ),
    "shares snapshots": (
        "aws-iam-shares-named",
        granted(allow("ec2:ModifySnapshotAttribute", f"arn:aws:ec2:{HERE}::snapshot/*")),
    ),
    "shares with accounts": ("aws-iam-shares-named", granted(allow("ram:CreateResourceShare"))),
    "pushes images": (
        "aws-pods-leave-nothing",
        granted(allow("ecr:PutImage", f"arn:aws:ecr:{HERE}:{OWN}:repository/seawall-prod/*")),
    ),
    "exports the table": (
        "aws-iam-own-resources-kept",
        granted(allow("dynamodb:ExportTableToPointInTime", TABLE), to="feature-writer-feature-writer"),
    ),
    "mutes alarms": (
        "aws-iam-own-records-kept",
        granted(
            allow(
                ["cloudwatch:DisableAlarmActions", "cloudwatch:DeleteAlarms"],
                f"arn:aws:cloudwatch:{HERE}:{OWN}:alarm:*",
            )
        ),
    ),
    "disables rules of events": (
        "aws-iam-own-records-kept",
        granted(allow("events:DisableRule", f"arn:aws:events:{HERE}:{OWN}:rule/*")),
    ),
    "removes backups": (
        "aws-iam-no-wildcard-data",
        granted(
            allow(["backup:DeleteRecoveryPoint", "backup:DeleteBackupPlan"], "arn:aws:backup:*:*:*"), to="drill-drill"
        ),
    ),
}

HARMLESS: dict[str, Change] = {
    "serving reads versions of models": granted(allow("s3:GetObjectVersion", f"arn:aws:s3:::{MODELS}/*")),
    "serving reads one more table": granted(allow("dynamodb:GetItem", TABLE + "-2")),
    "serving asks who it is": granted(allow("sts:GetCallerIdentity")),
    "the publisher writes one folder more": granted(
        allow("s3:PutObject", f"arn:aws:s3:::{MODELS}/notes/*"), to="publisher-publisher"
    ),
    "the autoscaler looks at more": granted(
        allow(["ec2:DescribeInstances", "autoscaling:DescribePolicies"]), to="node-autoscaler-node-autoscaler"
    ),
    "the autoscaler resizes groups of its tag": granted(
        allow(
            "autoscaling:SetDesiredCapacity",
            "*",
            {"StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/seawall-prod-cluster": "owned"}},
        ),
        to="node-autoscaler-node-autoscaler",
    ),
    "the drill removes its own bucket": granted(
        allow("s3:DeleteBucket", "arn:aws:s3:::drill-of-mine"), to="drill-drill"
    ),
    "the replication writes one folder": granted(
        allow("s3:ReplicateObject", f"arn:aws:s3:::{MODELS.replace(HERE, AWAY)}/releases/*"),
        to="models-replication-replicate",
    ),
}
