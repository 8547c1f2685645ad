"""Harmful edits of what runs on AWS, and of secrets that it is told, and harmless ones that resemble them."""

from __future__ import annotations

import base64
from typing import Any

from tests.policies.aws_faults.documents import HERE, OTHER, OWN, ROLES
from tests.policies.reach.planting import GONE, Change, To, add, edit, remove, several

CLUSTER, GROUP, ADDON = "eks/cluster:Cluster", "eks/nodeGroup:NodeGroup", "eks/addon:Addon"
TEMPLATE = "ec2/launchTemplate:LaunchTemplate"
_SUBNET = To("ec2/subnet:Subnet", "euc1-az1")
_KEY = To("kms/key:Key", "data")
# No one's: made for this file, in the shape that their issuers give them.
_ACCESS_KEY = "AKIA" + "QX7M2NVB5KTRWJ4D"
_SECRET = "aws_secret_access_key=" + "kW9vQz3LrT8yXc5NbM2pHs6JfGd4RaE7uKiYtVwO"
_HUB_TOKEN = "ghp_" + "a8Kd03nVqLx7RtZw5YbMc1PfHs9JgE2uTiNo"
_PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\n-----END RSA " + "PRIVATE KEY-----"


def told(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def data(script: str, name: str = "gpu-on-demand") -> Change:
    """Something in the user data of a pool."""
    return edit(TEMPLATE, "userData", told(script), name)


def function(variables: dict[str, str], **inputs: Any) -> Change:
    """A function with an environment."""
    return add(
        "aws:lambda/function:Function",
        {"name": "x", "role": To("iam/role:Role", "fleet"), "runtime": "python3.13", "kmsKeyArn": _KEY,
         "vpcConfig": {"subnetIds": [_SUBNET],
                       "securityGroupIds": [To("ec2/securityGroup:SecurityGroup", "endpoints")]},
         "environment": {"variables": variables}, **inputs},
    )  # fmt: skip


def task(containers: str, **inputs: Any) -> Change:
    """A definition of tasks."""
    return add("aws:ecs/taskDefinition:TaskDefinition", {"family": "x", "containerDefinitions": containers, **inputs})


HARMFUL: dict[str, tuple[str, Change]] = {
    # the cluster
    "the cluster's log of calls is off": (
        "aws-eks-control-plane-logs",
        edit(CLUSTER, "enabledClusterLogTypes", ["api"], "cluster"),
    ),
    "the cluster has no logs": (
        "aws-eks-control-plane-logs",
        edit(CLUSTER, "enabledClusterLogTypes", GONE, "cluster"),
    ),
    "the cluster's secrets are plain": (
        "aws-eks-secrets-encrypted",
        edit(CLUSTER, "encryptionConfig", GONE, "cluster"),
    ),
    "the cluster's secrets are AWS'": (
        "aws-names-own-account",
        edit(CLUSTER, "encryptionConfig.provider.keyArn", f"arn:aws:kms:{HERE}:{OTHER}:key/1", "cluster"),
    ),
    "the cluster takes the old map": (
        "aws-eks-access-named",
        edit(CLUSTER, "accessConfig.authenticationMode", "API_AND_CONFIG_MAP", "cluster"),
    ),
    "the cluster's maker is its administrator": (
        "aws-eks-access-named",
        edit(CLUSTER, "accessConfig.bootstrapClusterCreatorAdminPermissions", True, "cluster"),
    ),
    "the cluster's maker is left to the default": (
        "aws-eks-access-named",
        edit(CLUSTER, "accessConfig", GONE, "cluster"),
    ),
    "the cluster may be deleted": (
        "aws-eks-deletion-protection",
        edit(CLUSTER, "deletionProtection", False, "cluster"),
    ),
    "the cluster is past support": ("aws-eks-version-supported", edit(CLUSTER, "version", "1.27", "cluster")),
    "the cluster pays for age": (
        "aws-eks-no-other-machines",
        edit(CLUSTER, "upgradePolicy.supportType", "EXTENDED", "cluster"),
    ),
    "the cluster's own rules for machines": (
        "aws-eks-no-other-machines",
        edit(CLUSTER, "vpcConfig.securityGroupIds", ["sg-1"], "cluster"),
    ),
    "the cluster makes its machines": (
        "aws-eks-no-other-machines",
        edit(CLUSTER, "computeConfig", {"enabled": True, "nodePools": ["general-purpose"]}, "cluster"),
    ),
    "the cluster's remote machines": (
        "aws-eks-no-other-machines",
        edit(CLUSTER, "remoteNetworkConfig", {"remoteNodeNetworks": {"cidrs": ["0.0.0.0/0"]}}, "cluster"),
    ),
    "the cluster's upgrade is forced": (
        "aws-eks-no-other-machines",
        edit(CLUSTER, "forceUpdateVersion", True, "cluster"),
    ),
    "the network's add-on does not enforce": (
        "aws-eks-addons-there",
        edit(ADDON, "configurationValues", GONE, "vpc-cni"),
    ),
    "the network's add-on is told not to": (
        "aws-eks-addons-there",
        edit(ADDON, "configurationValues", '{"enableNetworkPolicy": "false"}', "vpc-cni"),
    ),
    # parts that nothing names
    "machines may not join": (
        "aws-eks-machines-may-join",
        remove("RolePolicyAttachment", "eks-node-AmazonEKSWorkerNodePolicy"),
    ),
    "machines may pull no image": (
        "aws-eks-machines-may-join",
        remove("RolePolicyAttachment", "eks-node-AmazonEC2ContainerRegistryPullOnly"),
    ),
    "the fleet's role may nothing": ("aws-roles-may-something", remove("rolePolicy:RolePolicy", "fleet-fleet")),
    "a subnet by the main table": ("aws-subnets-routed", remove("RouteTableAssociation", "euc1-az1")),
    "no way to the registry": ("aws-closed-network-reaches-services", remove("VpcEndpoint", "ecr.api")),
    "no way to identities": ("aws-closed-network-reaches-services", remove("VpcEndpoint", "eks-auth")),
    "an endpoint without its name": (
        "aws-closed-network-reaches-services",
        edit("VpcEndpoint", "privateDnsEnabled", False, "ec2"),
    ),
    "a network without names": (
        "aws-closed-network-reaches-services",
        edit("ec2/vpc:Vpc", "enableDnsHostnames", False, "vpc"),
    ),
    "the models' bucket is gone": ("links-lead-into-the-plan", remove("s3/bucket:Bucket", "models")),
    "the role of the control plane is gone": ("links-lead-into-the-plan", remove("iam/role:Role", "eks-cluster")),
    "the network's add-on is gone": ("aws-eks-addons-there", remove(ADDON, "vpc-cni")),
    "the agent of identities is gone": ("aws-eks-addons-there", remove(ADDON, "eks-pod-identity-agent")),
    "an add-on keeps what someone changed": (
        "aws-eks-addons-there",
        edit(ADDON, "resolveConflictsOnUpdate", "PRESERVE", "vpc-cni"),
    ),
    "an add-on is of any version": ("aws-eks-addon-versions-named", edit(ADDON, "addonVersion", GONE, "vpc-cni")),
    "a machine group is open to SSH": (
        "aws-eks-no-open-ssh",
        edit(GROUP, "remoteAccess", {"ec2SshKey": "x"}, "system-on-demand"),
    ),
    "a machine group has an image of one's own": (
        "aws-eks-pools-sealed",
        edit(GROUP, "amiType", "CUSTOM", "system-on-demand"),
    ),
    "a machine group has old machines": (
        "aws-eks-pools-sealed",
        edit(GROUP, "amiType", "AL2_x86_64", "system-on-demand"),
    ),
    "a machine group lags behind": ("aws-eks-version-supported", edit(GROUP, "version", "1.31", "system-on-demand")),
    "a machine group without a template": (
        "aws-eks-nodes-from-template",
        edit(GROUP, "launchTemplate", GONE, "system-on-demand"),
    ),
    "a machine group with a stranger's template": (
        "aws-eks-nodes-from-template",
        edit(GROUP, "launchTemplate", {"id": "lt-1", "version": "1"}, "system-on-demand"),
    ),
    "a machine group with a strong role": (
        "aws-eks-pools-sealed",
        edit(GROUP, "nodeRoleArn", f"{ROLES}/platform-admin", "system-on-demand"),
    ),
    "a machine group is drained by force": (
        "aws-eks-pools-sealed",
        edit(GROUP, "forceUpdateVersion", True, "system-on-demand"),
    ),
    "a machine group goes at once": (
        "aws-eks-pools-sealed",
        edit(GROUP, "updateConfig", {"maxUnavailablePercentage": 100}, "system-on-demand"),
    ),
    "all pods without machines": (
        "seawall-type-judged",
        add(
            "aws:eks/fargateProfile:FargateProfile",
            {
                "clusterName": "seawall-prod-cluster",
                "podExecutionRoleArn": f"{ROLES}/platform-admin",
                "selectors": [{"namespace": "*"}],
            },
        ),
    ),
    # machines
    "the metadata is for anyone": (
        "aws-eks-node-metadata-v2",
        edit(TEMPLATE, "metadataOptions.httpTokens", "optional", "gpu-on-demand"),
    ),
    "the metadata is left to its default": (
        "aws-eks-node-metadata-v2",
        edit(TEMPLATE, "metadataOptions", GONE, "gpu-on-demand"),
    ),
    "the metadata is for pods": (
        "aws-eks-node-metadata-v2",
        edit(TEMPLATE, "metadataOptions.httpPutResponseHopLimit", 2, "gpu-on-demand"),
    ),
    "disks are plain": (
        "aws-eks-node-volumes-encrypted",
        edit(TEMPLATE, "blockDeviceMappings.1.ebs.encrypted", "false", "gpu-on-demand"),
    ),
    "disks' key is AWS'": (
        "aws-eks-node-disks-own",
        edit(TEMPLATE, "blockDeviceMappings.1.ebs.kmsKeyId", GONE, "gpu-on-demand"),
    ),
    "disks stay behind": (
        "aws-eks-node-disks-own",
        edit(TEMPLATE, "blockDeviceMappings.1.ebs.deleteOnTermination", "false", "gpu-on-demand"),
    ),
    "disks come of a stranger's snapshot": (
        "aws-eks-node-disks-own",
        edit(TEMPLATE, "blockDeviceMappings.1.ebs.snapshotId", "snap-1", "gpu-on-demand"),
    ),
    "a disk besides is plain": (
        "aws-eks-node-volumes-encrypted",
        edit(
            TEMPLATE, "blockDeviceMappings.2", {"deviceName": "/dev/xvdc", "ebs": {"volumeSize": 10}}, "gpu-on-demand"
        ),
    ),
    "a key for SSH": ("aws-eks-machines-sealed", edit(TEMPLATE, "keyName", "dev", "gpu-on-demand")),
    "a stranger's image": ("aws-eks-machines-sealed", edit(TEMPLATE, "imageId", "ami-1", "gpu-on-demand")),
    "a profile with rights": (
        "aws-eks-machines-sealed",
        edit(TEMPLATE, "iamInstanceProfile", {"arn": f"arn:aws:iam::{OWN}:instance-profile/x"}, "gpu-on-demand"),
    ),
    "machines shared with strangers' groups": (
        "aws-eks-machines-sealed",
        edit(TEMPLATE, "vpcSecurityGroupIds", ["sg-1"], "gpu-on-demand"),
    ),
    "an admin's container on machines": (
        "aws-eks-machines-sealed",
        data("[settings.host-containers.admin]\nenabled = true\nsuperpowered = true\n", "system-on-demand"),
    ),
    "a bootstrap container on machines": (
        "aws-eks-machines-sealed",
        data(
            '[settings.bootstrap-containers.x]\nsource = "elsewhere.example/x:latest"\nmode = "always"\n',
            "system-on-demand",
        ),
    ),
    "kernel modules unlocked on machines": (
        "aws-eks-machines-sealed",
        data('[settings.kernel]\nlockdown = "none"\n', "system-on-demand"),
    ),
    "unsafe sysctls on machines": (
        "aws-eks-machines-sealed",
        data('[settings.kubernetes]\nallowed-unsafe-sysctls = ["net.*"]\n', "system-on-demand"),
    ),
    "anyone asks the kubelet": (
        "aws-eks-machines-sealed",
        data(
            '[settings.kubernetes]\nauthentication-mode = "tls"\nserver-tls-bootstrap = false\n'
            "image-credential-provider = {}\n[settings.kubernetes.credential-providers.x]\nenabled = true\n",
            "system-on-demand",
        ),
    ),
    "a mirror of images elsewhere": (
        "aws-eks-machines-sealed",
        data(
            '[[settings.container-registry.mirrors]]\nregistry = "*"\nendpoint = ["https://elsewhere.example"]\n',
            "system-on-demand",
        ),
    ),
    "a proxy elsewhere": (
        "aws-eks-machines-sealed",
        data('[settings.network]\nhttps-proxy = "http://198.51.100.7:3128"\n', "system-on-demand"),
    ),
    # secrets
    "an access key in user data": (
        "aws-no-secrets-in-plain-text",
        data(f"#!/bin/sh\nexport AWS_ACCESS_KEY_ID={_ACCESS_KEY}\n"),
    ),
    "a secret key in user data": ("aws-no-secrets-in-plain-text", data(f"#!/bin/sh\n{_SECRET}\n")),
    "a private key in user data": ("aws-no-secrets-in-plain-text", data(f"#!/bin/sh\ncat > k <<E\n{_PEM}\nE\n")),
    "a token in user data": (
        "aws-no-secrets-in-plain-text",
        data(f"#!/bin/sh\ncurl -H 'authorization: token {_HUB_TOKEN}' x\n"),
    ),
    "a password in user data": (
        "aws-no-secrets-in-plain-text",
        data("#!/bin/sh\nmysql --password=correct-Horse-9battery x\n"),
    ),
    "a password in an address in user data": (
        "aws-no-secrets-in-plain-text",
        data("#!/bin/sh\ncurl https://dev:hunter2Secret@git.example/x\n"),
    ),
    "a secret in user data that is not encoded": (
        "aws-no-secrets-in-plain-text",
        edit(TEMPLATE, "userData", f"#!/bin/sh\nexport AWS_ACCESS_KEY_ID={_ACCESS_KEY}\n", "gpu-on-demand"),
    ),
    "a secret in user data twice encoded": (
        "aws-no-secrets-in-plain-text",
        data(f"#!/bin/sh\necho {told(_PEM)} | base64 -d\n"),
    ),
    "a secret in a machine's user data": (
        "aws-no-secrets-in-plain-text",
        add(
            "aws:ec2/instance:Instance",
            {
                "ami": "ami-1",
                "instanceType": "t3.micro",
                "subnetId": _SUBNET,
                "metadataOptions": {"httpTokens": "required"},
                "userData": f"#!/bin/sh\n{_SECRET}\n",
            },
        ),
    ),
    "a secret in a machine's encoded user data": (
        "aws-no-secrets-in-plain-text",
        add(
            "aws:ec2/instance:Instance",
            {
                "ami": "ami-1",
                "instanceType": "t3.micro",
                "subnetId": _SUBNET,
                "metadataOptions": {"httpTokens": "required"},
                "userDataBase64": told(_SECRET),
            },
        ),
    ),
    "a secret in a launch configuration": (
        "aws-no-secrets-in-plain-text",
        add(
            "aws:ec2/launchConfiguration:LaunchConfiguration",
            {"imageId": "ami-1", "instanceType": "t3.micro", "userData": _PEM},
        ),
    ),
    "a secret in a function": ("aws-no-secrets-in-plain-text", function({"TOKEN": _HUB_TOKEN})),
    "a password in a function": ("aws-no-secrets-in-plain-text", function({"DB_PASSWORD": "correct-Horse-9battery"})),
    "a secret in a task": (
        "seawall-type-judged",
        task(f'[{{"name": "x", "image": "x", "environment": [{{"name": "KEY", "value": "{_ACCESS_KEY}"}}]}}]'),
    ),
    "a password in a task": (
        "seawall-type-judged",
        task('[{"name": "x", "image": "x", "environment": [{"name": "DB_PASSWORD", "value": "s3cr3t-Horse"}]}]'),
    ),
    "a secret in a task's command": (
        "seawall-type-judged",
        task(f'[{{"name": "x", "image": "x", "command": ["sh", "-c", "curl -u dev:{_HUB_TOKEN} x"]}}]'),
    ),
    "a secret in a build": (
        "seawall-type-judged",
        add(
            "aws:codebuild/project:Project",
            {
                "name": "x",
                "serviceRole": "x",
                "environment": {
                    "computeType": "x",
                    "image": "x",
                    "type": "x",
                    "environmentVariables": [{"name": "TOKEN", "value": _HUB_TOKEN, "type": "PLAINTEXT"}],
                },
            },
        ),
    ),
    "a build that is privileged": (
        "seawall-type-judged",
        add(
            "aws:codebuild/project:Project",
            {
                "name": "x",
                "serviceRole": "x",
                "environment": {"computeType": "x", "image": "x", "type": "x", "privilegedMode": True},
            },
        ),
    ),
    "a build that anyone sees": (
        "seawall-type-judged",
        add(
            "aws:codebuild/project:Project",
            {
                "name": "x",
                "serviceRole": "x",
                "projectVisibility": "PUBLIC_READ",
                "environment": {"computeType": "x", "image": "x", "type": "x"},
            },
        ),
    ),
    "a build of any pull request": (
        "seawall-type-judged",
        add(
            "aws:codebuild/webhook:Webhook",
            {
                "projectName": "x",
                "filterGroups": [{"filters": [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}]}],
            },
        ),
    ),
    "a build's credentials": (
        "seawall-type-judged",
        add(
            "aws:codebuild/sourceCredential:SourceCredential",
            {"authType": "PERSONAL_ACCESS_TOKEN", "serverType": "GITHUB", "token": _HUB_TOKEN},
        ),
    ),
    "a parameter in plain text": (
        "seawall-type-judged",
        add(
            "aws:ssm/parameter:Parameter",
            {"name": "/seawall/db-password", "type": "String", "value": "correct-Horse-9battery"},
        ),
    ),
    "a parameter of a token": (
        "seawall-type-judged",
        add("aws:ssm/parameter:Parameter", {"name": "/x", "type": "String", "value": _HUB_TOKEN}),
    ),
    "a parameter for AWS' key": (
        "seawall-type-judged",
        add("aws:ssm/parameter:Parameter", {"name": "/seawall/x", "type": "SecureString", "value": "[secret]"}),
    ),
    "a secret in plain sight": (
        "seawall-type-judged",
        add("aws:secretsmanager/secretVersion:SecretVersion", {"secretId": "x", "secretString": _PEM}),
    ),
    "a secret that is gone at once": (
        "",
        add("aws:secretsmanager/secret:Secret", {"name": "x", "kmsKeyId": _KEY, "recoveryWindowInDays": 0}),
    ),
    "a secret for AWS' key": ("", add("aws:secretsmanager/secret:Secret", {"name": "x"})),
    "a secret copied to America": (
        "",
        add(
            "aws:secretsmanager/secret:Secret", {"name": "x", "kmsKeyId": _KEY, "replicas": [{"region": "us-east-1"}]}
        ),
    ),
    "a secret in a bucket": (
        "aws-no-secrets-in-plain-text",
        add(
            "aws:s3/bucketObjectv2:BucketObjectv2",
            {"bucket": "seawall-prod-models-333344445555-eu-central-1", "key": "x", "content": _PEM},
        ),
    ),
    "a secret in a document of commands": (
        "seawall-type-judged",
        add(
            "aws:ssm/document:Document",
            {
                "name": "x",
                "documentType": "Command",
                "content": '{"schemaVersion": "2.2", "mainSteps": [{"inputs": {"runCommand": ["%s"]}}]}'.replace(
                    "%s", _SECRET
                ),
            },
        ),
    ),
    "a document of commands for all": (
        "seawall-type-judged",
        add(
            "aws:ssm/document:Document",
            {
                "name": "x",
                "documentType": "Command",
                "content": "{}",
                "permissions": {"type": "Share", "accountIds": "All"},
            },
        ),
    ),
    "a secret in a state machine": (
        "seawall-type-judged",
        add("aws:sfn/stateMachine:StateMachine", {"roleArn": "x", "definition": f'{{"Comment": "{_HUB_TOKEN}"}}'}),
    ),
    "a secret in an app's environment": (
        "aws-no-public-address",
        add(
            "aws:apprunner/service:Service",
            {
                "serviceName": "x",
                "sourceConfiguration": {
                    "imageRepository": {
                        "imageIdentifier": "x",
                        "imageRepositoryType": "ECR",
                        "imageConfiguration": {"runtimeEnvironmentVariables": {"TOKEN": _HUB_TOKEN}},
                    }
                },
            },
        ),
    ),
    "a secret in a batch job": (
        "seawall-type-judged",
        add(
            "aws:batch/jobDefinition:JobDefinition",
            {
                "name": "x",
                "type": "container",
                "containerProperties": '{"image": "x", "environment": [{"name": "T", "value": "%s"}]}'.replace(
                    "%s", _HUB_TOKEN
                ),
            },
        ),
    ),
    "a password of a database": (
        "aws-no-secrets-in-plain-text",
        add(
            "aws:rds/instance:Instance",
            {"instanceClass": "x", "storageEncrypted": True, "password": "correct-Horse-9battery"},
        ),
    ),
    "a secret in a tag": ("aws-no-secrets-in-plain-text", edit("ec2/vpc:Vpc", "tags.token", _HUB_TOKEN, "vpc")),
    "a secret in a description": (
        "aws-no-secrets-in-plain-text",
        edit("iam/role:Role", "description", f"use {_ACCESS_KEY}", "fleet"),
    ),
    "a function of anyone's code": ("", function({}, imageUri=f"{OTHER}.dkr.ecr.{HERE}.amazonaws.com/x:latest")),
    "a function with a strong role": ("", function({}, role=f"{ROLES}/platform-admin")),
    "a function past support": ("", function({}, runtime="python3.7")),
    "a disk in plain text": (
        "seawall-type-judged",
        add("aws:ebs/volume:Volume", {"availabilityZone": "eu-central-1a", "size": 10}),
    ),
    "disks are plain by default": ("", add("aws:ebs/encryptionByDefault:EncryptionByDefault", {"enabled": False})),
    "disks' default key is a stranger's": (
        "seawall-type-judged",
        add("aws:ebs/defaultKmsKey:DefaultKmsKey", {"keyArn": f"arn:aws:kms:{HERE}:{OTHER}:key/1"}),
    ),
    "snapshots for everyone": (
        "aws-resource-policy-own-account",
        add(
            "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission",
            {"accountId": OTHER, "snapshotId": "snap-1"},
        ),
    ),
    "an image for everyone": (
        "aws-resource-policy-own-account",
        add("aws:ec2/amiLaunchPermission:AmiLaunchPermission", {"imageId": "ami-1", "group": "all"}),
    ),
    "snapshots may be public": (
        "seawall-type-judged",
        add("aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", {"state": "unblocked"}),
    ),
    "images may be public": (
        "seawall-type-judged",
        add("aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", {"state": "unblocked"}),
    ),
    "the account's metadata is for anyone": (
        "seawall-type-judged",
        add("aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", {"httpTokens": "optional"}),
    ),
    "a console on serial lines": (
        "seawall-type-judged",
        add("aws:ec2/serialConsoleAccess:SerialConsoleAccess", {"enabled": True}),
    ),
    "several at once": (
        "aws-eks-machines-sealed",
        several(edit(TEMPLATE, "keyName", "dev", "gpu-on-demand"), edit(GROUP, "amiType", "CUSTOM", "gpu-on-demand")),
    ),
    "a stack of another tool": (
        "seawall-type-judged",
        add(
            "aws:cloudformation/stack:Stack",
            {
                "name": "x",
                "templateBody": "{}",
                "capabilities": ["CAPABILITY_NAMED_IAM"],
                "iamRoleArn": f"{ROLES}/platform-admin",
            },
        ),
    ),
}

HARMLESS: dict[str, Change] = {
    "user data without secrets": data("#!/bin/sh\nexport AWS_REGION=eu-central-1\n# password comes from the vault\n"),
    "user data that asks for a secret": data(
        "#!/bin/sh\nPASSWORD=$(aws secretsmanager get-secret-value --secret-id x)\ncurl https://git.example/x\n"
    ),
    "user data that names a file": data("#!/bin/sh\nmysql --password-file=/run/secrets/password x\n"),
    "user data that takes a variable": data('#!/bin/sh\nmysql --password="$PASSWORD" --token=${TOKEN} x\n'),
    "user data with a digest": data("#!/bin/sh\nimage=x@sha256:" + "0123456789abcdef" * 4 + "\n"),
    "user data of the pool as it is, spaced": data('\n[settings.container-runtime]\nsnapshotter = "soci"\n'),
    "a certificate in user data": data("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
    "a machine with less": add(
        "aws:ec2/instance:Instance",
        {
            "ami": "ami-1",
            "instanceType": "t3.micro",
            "subnetId": _SUBNET,
            "userData": "#!/bin/sh\necho hello\n",
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
            "rootBlockDevice": {"encrypted": True, "kmsKeyId": _KEY},
        },
    ),
    "all logs in another order": edit(
        CLUSTER,
        "enabledClusterLogTypes",
        ["scheduler", "controllerManager", "authenticator", "audit", "api"],
        "cluster",
    ),
    "another key in the add-on's settings": edit(
        ADDON, "configurationValues", '{"enableNetworkPolicy": "true", "env": {"WARM_IP_TARGET": "2"}}', "vpc-cni"
    ),
    "labels of machines": data('[settings.kubernetes.node-labels]\nteam = "serving"\n', "system-on-demand"),
    "two machines at a time": edit(GROUP, "updateConfig", {"maxUnavailable": 2}, "system-on-demand"),
    "a cluster that leaves a failing zone": edit(CLUSTER, "zonalShiftConfig", {"enabled": True}, "cluster"),
    "disks that go with their machine": edit(
        TEMPLATE, "blockDeviceMappings.1.ebs.deleteOnTermination", "true", "gpu-on-demand"
    ),
    "a further add-on": add(
        "aws:eks/addon:Addon",
        {
            "clusterName": "seawall-prod-cluster",
            "addonName": "metrics-server",
            "addonVersion": "v0.8.0-eksbuild.1",
            "resolveConflictsOnUpdate": "OVERWRITE",
        },
    ),
    "the tags of machines": edit(TEMPLATE, "tagSpecifications.0.tags.team", "serving", "gpu-on-demand"),
    "an encrypted default": add("aws:ebs/encryptionByDefault:EncryptionByDefault", {"enabled": True}),
}
