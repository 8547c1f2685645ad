"""The types that the local cloud only records: they get ids and outputs as AWS's, and enforce nothing.

A type that is in none of the services' kinds and not in `RECORDED` is refused.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.aws.context import AwsContext
from localcloud.providers.base import Request, physical_name, stable_hex, stable_uuid

Outputs = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """What a rule is given: the request, the id that was chosen, and where it lives."""

    aws: AwsContext
    request: Request
    id: str

    @property
    def region(self) -> str:
        """The resource's region."""
        return self.aws.region_of(self.request)

    def get(self, prop: str, default: Any = None) -> Any:
        """An input."""
        return self.request.inputs.get(prop, default)

    def arn(self, service: str, rest: str) -> str:
        """An ARN in the resource's region."""
        return self.aws.arn(service, self.region, rest)

    def digits(self, length: int, *salt: str) -> str:
        """Hexadecimal digits that belong to this resource."""
        return stable_hex(length, self.aws.account, self.region, self.request.urn, self.id, *salt)


@dataclass(frozen=True)
class Rule:
    """How a type is recorded: its id is a prefix with 17 digits, its name, or what `identify` makes."""

    outputs: Callable[[Made], Outputs]
    prefix: str = ""
    name: str = ""
    identify: Callable[[AwsContext, Request], str] | None = None

    @property
    def exclusive(self) -> bool:
        """Whether two resources cannot have the same id."""
        return not self.prefix


def identify(aws: AwsContext, request: Request) -> str:
    """The physical id of a new resource."""
    rule = RECORDED[request.token]
    if rule.identify is not None:
        return rule.identify(aws, request)
    if rule.name:
        return physical_name(request, rule.name)
    return f"{rule.prefix}{stable_hex(17, aws.account, aws.region_of(request), request.urn)}"


def compute(aws: AwsContext, request: Request, physical_id: str) -> Outputs:
    """Computed outputs of a resource."""
    made = Made(aws, request, physical_id)
    outputs: Outputs = {}
    if not request.token.startswith("aws:iam/"):
        outputs["region"] = made.region
    outputs["tagsAll"] = aws.tags_of(request)
    return {**outputs, **RECORDED[request.token].outputs(made)}


def _vpc(made: Made) -> Outputs:
    return {
        "arn": made.arn("ec2", f"vpc/{made.id}"),
        "defaultNetworkAclId": f"acl-{made.digits(17, 'acl')}",
        "defaultRouteTableId": f"rtb-{made.digits(17, 'rtb')}",
        "mainRouteTableId": f"rtb-{made.digits(17, 'rtb')}",
        "defaultSecurityGroupId": f"sg-{made.digits(17, 'sg')}",
        "dhcpOptionsId": f"dopt-{made.digits(17, 'dopt')}",
        "instanceTenancy": made.get("instanceTenancy", "default"),
        "ownerId": made.aws.account,
    }


def endpoint_outputs(made: Made) -> Outputs:
    """Computed outputs of a VPC endpoint."""
    service = str(made.get("serviceName", "")).rsplit(".", 1)[-1]
    outputs: Outputs = {
        "arn": made.arn("ec2", f"vpc-endpoint/{made.id}"),
        "ownerId": made.aws.account,
        "requesterManaged": False,
        "state": "available",
        "ipAddressType": made.get("ipAddressType", "ipv4"),
        "dnsEntries": [],
        "networkInterfaceIds": [],
        "cidrBlocks": [],
    }
    if made.get("vpcEndpointType") == "Interface":
        host = f"{made.id}-{made.digits(8, 'dns')}.{service}.{made.region}.vpce.amazonaws.com"
        outputs["dnsEntries"] = [{"dnsName": host, "hostedZoneId": f"Z{made.digits(13, 'zone').upper()}"}]
        outputs["networkInterfaceIds"] = [f"eni-{made.digits(17, s)}" for s in made.get("subnetIds") or []]
    else:
        outputs["prefixListId"] = f"pl-{made.digits(8, 'pl')}"
    return outputs


def _cluster(made: Made) -> Outputs:
    issuer = f"https://oidc.eks.{made.region}.amazonaws.com/id/{made.digits(32, 'oidc').upper()}"
    access = made.get("vpcConfig") or {}
    authority = f"-----BEGIN CERTIFICATE-----\n{made.digits(64, 'ca')}\n-----END CERTIFICATE-----\n"
    return {
        "arn": made.arn("eks", f"cluster/{made.id}"),
        "certificateAuthorities": [{"data": base64.b64encode(authority.encode()).decode()}],
        "certificateAuthority": {"data": base64.b64encode(authority.encode()).decode()},
        "clusterId": "",
        "createdAt": "2025-01-01T00:00:00Z",
        "endpoint": f"https://{made.digits(32, 'endpoint').upper()}.gr7.{made.region}.eks.amazonaws.com",
        "identities": [{"oidcs": [{"issuer": issuer}]}],
        "name": made.id,
        "platformVersion": "eks.1",
        "status": "ACTIVE",
        "version": made.get("version", "1.33"),
        "vpcConfig": {
            **access,
            "clusterSecurityGroupId": f"sg-{made.digits(17, 'sg')}",
            "vpcId": f"vpc-{made.digits(17, 'vpc')}",
        },
    }


def _node_group(made: Made) -> Outputs:
    name = made.id.rsplit(":", 1)[-1]
    # EKS names the Auto Scaling group after the node group and a UUID of its own.
    group = f"eks-{name}-{stable_uuid(made.request.urn, made.id)}"
    path = f"nodegroup/{made.get('clusterName')}/{name}/{stable_uuid(made.id)}"
    return {
        "arn": made.arn("eks", path),
        "nodeGroupName": name,
        "resources": [{"autoscalingGroups": [{"name": group}], "remoteAccessSecurityGroupId": ""}],
        "status": "ACTIVE",
        "releaseVersion": made.get("releaseVersion", "1.33.0-20250101"),
        "version": made.get("version", "1.33"),
    }


def _launch_template(made: Made) -> Outputs:
    previous = made.request.outputs.get("latestVersion")
    version = int(previous or 0) + 1
    return {
        "arn": made.arn("ec2", f"launch-template/{made.id}"),
        "name": physical_name(made.request, "name"),
        "latestVersion": version,
        "defaultVersion": version if made.get("updateDefaultVersion") or not previous else 1,
    }


def _pair(first: str, second: str, separator: str = ":") -> Callable[[AwsContext, Request], str]:
    return lambda _aws, request: f"{request.inputs[first]}{separator}{request.inputs[second]}"


def _oidc_arn(aws: AwsContext, url: str) -> str:
    return f"arn:aws:iam::{aws.account}:oidc-provider/{url.removeprefix('https://')}"


def _subscription(made: Made) -> Outputs:
    confirmed = made.get("protocol") not in ("email", "email-json", "http", "https")
    return {
        "arn": made.id,
        "confirmationWasAuthenticated": confirmed,
        "ownerId": made.aws.account,
        "pendingConfirmation": not confirmed,
    }


def _subscription_id(aws: AwsContext, request: Request) -> str:
    return f"{request.inputs['topic']}:{stable_uuid(request.urn, aws.account)}"


def _repository(made: Made) -> Outputs:
    return {
        "arn": made.arn("ecr", f"repository/{made.id}"),
        "name": made.id,
        "registryId": made.aws.account,
        "repositoryUrl": f"{made.aws.account}.dkr.ecr.{made.region}.amazonaws.com/{made.id}",
    }


def _access_entry(made: Made) -> Outputs:
    kind, _, name = str(made.get("principalArn")).rpartition(":")[2].partition("/")
    path = f"access-entry/{made.get('clusterName')}/{kind}/{made.aws.account}/{name}/{stable_uuid(made.id)}"
    stamps = {"createdAt": "2025-01-01T00:00:00Z", "modifiedAt": "2025-01-01T00:00:00Z"}
    return {"accessEntryArn": made.arn("eks", path), "userName": made.get("principalArn"), **stamps}


def _addon(made: Made) -> Outputs:
    path = f"addon/{made.get('clusterName')}/{made.get('addonName')}/{stable_uuid(made.id)}"
    stamps = {"createdAt": "2025-01-01T00:00:00Z", "modifiedAt": "2025-01-01T00:00:00Z"}
    return {"arn": made.arn("eks", path), "addonVersion": made.get("addonVersion", "v1.0.0-eksbuild.1"), **stamps}


def _ec2(kind: str, **more: Any) -> Callable[[Made], Outputs]:
    return lambda made: {"arn": made.arn("ec2", f"{kind}/{made.id}"), "ownerId": made.aws.account, **more}


def _elasticache(kind: str, **outputs: str) -> Callable[[Made], Outputs]:
    """`outputs`: the output → what it is, with `{id}` and `{region}` in it."""
    return lambda made: {
        "arn": made.arn("elasticache", f"{kind}:{made.id}"),
        **{name: text.format(id=made.id, region=made.region) for name, text in outputs.items()},
    }


RECORDED: Mapping[str, Rule] = {
    "aws:autoscaling/tag:Tag": Rule(
        lambda _: {},
        identify=lambda _, r: f"{r.inputs['autoscalingGroupName']},{r.inputs['tag']['key']}",
    ),
    "aws:cloudwatch/eventRule:EventRule": Rule(
        lambda m: {"arn": m.arn("events", f"rule/{m.id}"), "name": m.id}, name="name"
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Rule(lambda _: {}, identify=_pair("rule", "targetId", "-")),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Rule(lambda _: {}, name="policyName"),
    "aws:cloudtrail/trail:Trail": Rule(
        lambda m: {"arn": m.arn("cloudtrail", f"trail/{m.id}"), "homeRegion": m.region, "name": m.id}, name="name"
    ),
    "aws:budgets/budget:Budget": Rule(
        lambda m: {
            "arn": f"arn:aws:budgets::{m.aws.account}:budget/{m.get('name')}",
            "accountId": m.aws.account,
            "name": m.get("name"),
        },
        identify=lambda aws, r: f"{aws.account}:{physical_name(r, 'name')}",
    ),
    "aws:cloudwatch/logGroup:LogGroup": Rule(
        lambda m: {"arn": m.arn("logs", f"log-group:{m.id}"), "name": m.id}, name="name"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Rule(
        lambda m: {"arn": m.arn("cloudwatch", f"alarm:{m.id}"), "name": m.id}, name="name"
    ),
    "aws:ebs/encryptionByDefault:EncryptionByDefault": Rule(lambda _: {}, identify=lambda aws, r: aws.region_of(r)),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Rule(_ec2("security-group", name="default"), prefix="sg-"),
    "aws:ec2/flowLog:FlowLog": Rule(_ec2("vpc-flow-log"), prefix="fl-"),
    "aws:ec2/internetGateway:InternetGateway": Rule(_ec2("internet-gateway"), prefix="igw-"),
    "aws:ec2/launchTemplate:LaunchTemplate": Rule(_launch_template, prefix="lt-"),
    "aws:ec2/route:Route": Rule(lambda _: {"origin": "CreateRoute", "state": "active"}, prefix="r-"),
    "aws:ec2/routeTable:RouteTable": Rule(_ec2("route-table"), prefix="rtb-"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Rule(lambda _: {}, prefix="rtbassoc-"),
    "aws:ec2/securityGroup:SecurityGroup": Rule(
        lambda m: {**_ec2("security-group")(m), "name": physical_name(m.request, "name")}, prefix="sg-"
    ),
    "aws:ec2/subnet:Subnet": Rule(
        lambda m: {
            **_ec2("subnet")(m),
            # Whichever of the two was not asked for: an account's own name for the zone, or its id.
            "availabilityZone": m.get("availabilityZone") or f"{m.region}{m.get('availabilityZoneId')[-1]}",
            "availabilityZoneId": m.get("availabilityZoneId") or f"{m.digits(4, m.get('availabilityZone'))}-az1",
        },
        prefix="subnet-",
    ),
    "aws:ec2/vpc:Vpc": Rule(_vpc, prefix="vpc-"),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Rule(lambda m: {"registryId": m.aws.account}, name="repository"),
    "aws:ecr/repository:Repository": Rule(_repository, name="name"),
    "aws:eks/accessEntry:AccessEntry": Rule(_access_entry, identify=_pair("clusterName", "principalArn")),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Rule(
        lambda _: {"associatedAt": "2025-01-01 00:00:00 +0000 UTC", "modifiedAt": "2025-01-01 00:00:00 +0000 UTC"},
        identify=lambda _, r: f"{r.inputs['clusterName']}#{r.inputs['principalArn']}#{r.inputs['policyArn']}",
    ),
    "aws:eks/addon:Addon": Rule(_addon, identify=_pair("clusterName", "addonName")),
    "aws:eks/cluster:Cluster": Rule(_cluster, name="name"),
    "aws:eks/nodeGroup:NodeGroup": Rule(
        _node_group, identify=lambda _, r: f"{r.inputs['clusterName']}:{physical_name(r, 'nodeGroupName')}"
    ),
    "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup": Rule(
        _elasticache("globalreplicationgroup", globalReplicationGroupId="{id}"),
        # AWS sets a prefix of the region's before the suffix that it is given.
        identify=lambda _, r: f"local-{physical_name(r, 'globalReplicationGroupIdSuffix')}",
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": Rule(
        _elasticache(
            "replicationgroup",
            primaryEndpointAddress="master.{id}.{region}.cache.amazonaws.com",
            readerEndpointAddress="replica.{id}.{region}.cache.amazonaws.com",
        ),
        name="replicationGroupId",
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": Rule(_elasticache("subnetgroup"), name="name"),
    "aws:elasticache/user:User": Rule(_elasticache("user"), name="userId"),
    "aws:elasticache/userGroup:UserGroup": Rule(_elasticache("usergroup"), name="userGroupId"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Rule(
        lambda m: {"arn": m.id}, identify=lambda aws, r: _oidc_arn(aws, str(r.inputs["url"]))
    ),
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": Rule(
        lambda m: {"accountId": m.aws.account}, identify=lambda aws, _: aws.account
    ),
    "aws:sns/topicSubscription:TopicSubscription": Rule(_subscription, identify=_subscription_id),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Rule(
        lambda m: {"arn": m.arn("ec2", f"security-group-rule/{m.id}"), "securityGroupRuleId": m.id}, prefix="sgr-"
    ),
}
