"""Edits of the production plan on AWS: harmful ones with the rule that must find each, and harmless ones."""

from __future__ import annotations

from typing import Any

from policies.inventory import UNKNOWN
from tests.policies.reach.planting import GONE, Change, To, add, edit, remove, several

_IN = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_OUT = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_GROUP = To("ec2/securityGroup:SecurityGroup", "endpoints")
_VPC = To("ec2/vpc:Vpc", "vpc")
_TABLE = To("ec2/routeTable:RouteTable", "private")
_SUBNET = To("ec2/subnet:Subnet", "euc1-az1")
_TEMPLATE = "ec2/launchTemplate:LaunchTemplate"
_ENDPOINTS = "endpoints-https"

INGRESS, EGRESS, PORTS = "aws-ingress-from-named-networks", "aws-egress-to-named-networks", "aws-ingress-ports-named"
NETWORK, JOINED, PUBLIC = "aws-vpc-internet-door-only", "aws-connections-declared", "aws-no-public-address"
LINK, DEFAULT, ACL = "aws-private-link-closed", "aws-default-group-closed", "aws-acl-named-networks"
CLUSTER, NODES, FLOWS = "aws-eks-endpoint-closed", "aws-eks-nodes-private", "aws-flow-logs-whole"


def line(token: str = _IN, **inputs: Any) -> Change:
    told = {"securityGroupId": _GROUP, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **inputs}
    return add(token, told)


def old_line(**inputs: Any) -> Change:
    told = {"securityGroupId": _GROUP, "type": "ingress", "protocol": "tcp", "fromPort": 443, "toPort": 443}
    return add(_RULE, {**told, **inputs})


def inline(kind: str = "ingress", group: str = "endpoints", **inputs: Any) -> Change:
    told = {"protocol": "tcp", "fromPort": 443, "toPort": 443, **inputs}
    return edit("ec2/securityGroup:SecurityGroup", kind, [told], group)


def route(**inputs: Any) -> Change:
    return add("aws:ec2/route:Route", {"routeTableId": _TABLE, **inputs})


def acl(*lines: dict[str, Any]) -> Change:
    listed = [
        {"protocol": "-1", "fromPort": 0, "toPort": 0, "action": "allow", "ruleNo": 100, **each} for each in lines
    ]
    return add("aws:ec2/networkAcl:NetworkAcl", {"vpcId": _VPC, "subnetIds": [_SUBNET], "ingress": listed})


_EVERY = "0.0.0.0/0"
_LIST = add("aws:ec2/managedPrefixList:ManagedPrefixList", {"entries": [{"cidr": _EVERY}], "name": "l"}, "list")

HARMFUL: dict[str, tuple[str, Change]] = {
    "a line for the world": (INGRESS, line(cidrIpv4=_EVERY)),
    "a line for the world by IPv6": (INGRESS, line(cidrIpv6="::/0")),
    "a line for half of the world": (INGRESS, line(cidrIpv4="0.0.0.0/1")),
    "a line for the other half": (INGRESS, line(cidrIpv4="128.0.0.0/1")),
    "a line for a public network": (INGRESS, line(cidrIpv4="203.0.113.0/24")),
    "a line for one public address": (INGRESS, line(cidrIpv4="203.0.113.9/32")),
    "a line for a private network of nobody's": (INGRESS, line(cidrIpv4="192.168.0.0/16")),
    "a line for all of 10/8": (INGRESS, line(cidrIpv4="10.0.0.0/8")),
    "a line for what is no network": (INGRESS, line(cidrIpv4="anywhere")),
    "a line for a hidden network": (INGRESS, line(cidrIpv4=UNKNOWN)),
    "a line for a prefix list of the world": (
        INGRESS,
        several(_LIST, line(prefixListId=To("managedPrefixList:ManagedPrefixList", "list"))),
    ),
    "a line for a prefix list of strangers": (INGRESS, line(prefixListId="pl-0123")),
    "a line in a group that only has an id": (INGRESS, line(securityGroupId="sg-1", cidrIpv4=_EVERY)),
    "the endpoints' own line opened": (INGRESS, edit("IngressRule", "cidrIpv4", _EVERY, _ENDPOINTS)),
    "the control plane's line widened": (
        INGRESS,
        edit("IngressRule", "cidrIpv4", "10.0.0.0/8", "control-plane-from-runners"),
    ),
    "the store's line opened by IPv6": (INGRESS, edit("IngressRule", "cidrIpv6", "::/0", "dynamodb-endpoint-https")),
    "a line of the old kind": (INGRESS, old_line(cidrBlocks=[_EVERY])),
    "a line of the old kind in halves": (INGRESS, old_line(cidrBlocks=["0.0.0.0/1", "128.0.0.0/1"])),
    "a line of the old kind among honest ones": (INGRESS, old_line(cidrBlocks=["10.20.0.0/16", "8.0.0.0/8"])),
    "a line of the old kind by IPv6": (INGRESS, old_line(ipv6CidrBlocks=["::/0"])),
    "a line within the group": (INGRESS, inline(cidrBlocks=[_EVERY])),
    "a line within the group by IPv6": (INGRESS, inline(ipv6CidrBlocks=["2000::/3"])),
    "lines within the group that are hidden": (
        INGRESS,
        edit("ec2/securityGroup:SecurityGroup", "ingress", UNKNOWN, "endpoints"),
    ),
    "a line in a new group": (
        INGRESS,
        add(
            "aws:ec2/securityGroup:SecurityGroup",
            {"vpcId": _VPC, "ingress": [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": [_EVERY]}]},
        ),
    ),
    "every protocol": (PORTS, edit("IngressRule", "ipProtocol", "-1", _ENDPOINTS)),
    "every port": (
        PORTS,
        several(edit("IngressRule", "fromPort", 0, _ENDPOINTS), edit("IngressRule", "toPort", 65535, _ENDPOINTS)),
    ),
    "SSH from the runners": (
        PORTS,
        several(
            edit("IngressRule", "fromPort", 22, "control-plane-from-runners"),
            edit("IngressRule", "toPort", "22", "control-plane-from-runners"),
        ),
    ),
    "a range that holds SSH": (PORTS, old_line(cidrBlocks=["10.20.0.0/16"], fromPort=20, toPort=30)),
    "no ports named": (PORTS, old_line(cidrBlocks=["10.20.0.0/16"], fromPort=GONE)),
    "a line out to the world": (EGRESS, line(_OUT, cidrIpv4=_EVERY)),
    "a line out to the world by IPv6": (EGRESS, line(_OUT, cidrIpv6="::/0")),
    "a line out to a stranger": (EGRESS, line(_OUT, cidrIpv4="198.51.100.7/32")),
    "a line out of the old kind": (EGRESS, old_line(type="egress", cidrBlocks=[_EVERY])),
    "a line out within the group": (EGRESS, inline("egress", protocol="-1", cidrBlocks=[_EVERY])),
    "an internet gateway": (NETWORK, add("aws:ec2/internetGateway:InternetGateway", {"vpcId": _VPC})),
    "an internet gateway of nobody's": (JOINED, add("aws:ec2/internetGateway:InternetGateway", {})),
    "an internet gateway attached later": (
        NETWORK,
        add("aws:ec2/internetGatewayAttachment:InternetGatewayAttachment", {"vpcId": _VPC}),
    ),
    "a gateway for IPv6 out": (
        JOINED,
        add("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", {"vpcId": _VPC}),
    ),
    "a translation of addresses": (JOINED, add("aws:ec2/natGateway:NatGateway", {"subnetId": _SUBNET})),
    "a route to the internet": (NETWORK, route(destinationCidrBlock=_EVERY, gatewayId="igw-1")),
    "a route to half of the internet": (NETWORK, route(destinationCidrBlock="0.0.0.0/1", gatewayId="igw-1")),
    "a route by IPv6": (NETWORK, route(destinationIpv6CidrBlock="::/0", egressOnlyGatewayId="eigw-1")),
    "a route by a translation": (NETWORK, route(destinationCidrBlock=_EVERY, natGatewayId="nat-1")),
    "a route by a machine": (NETWORK, route(destinationCidrBlock=_EVERY, networkInterfaceId="eni-1")),
    "a route to a hidden gateway": (NETWORK, route(destinationCidrBlock=_EVERY, gatewayId=UNKNOWN)),
    "a route to another network": (NETWORK, route(destinationCidrBlock="192.168.0.0/16", transitGatewayId="tgw-1")),
    "a route in the table itself": (
        NETWORK,
        edit("ec2/routeTable:RouteTable", "routes", [{"cidrBlock": _EVERY, "gatewayId": "igw-1"}], "private"),
    ),
    "a route in a table whose routes are hidden": (
        NETWORK,
        edit("ec2/routeTable:RouteTable", "routes", UNKNOWN, "private"),
    ),
    "a route in a table of nobody's": (
        JOINED,
        route(routeTableId="rtb-1", destinationCidrBlock=_EVERY, gatewayId="igw-1"),
    ),
    "a route in the default table": (
        NETWORK,
        add(
            "aws:ec2/defaultRouteTable:DefaultRouteTable",
            {"defaultRouteTableId": _VPC, "routes": [{"cidrBlock": _EVERY, "gatewayId": "igw-1"}]},
        ),
    ),
    "a subnet that gives addresses": (NETWORK, edit("ec2/subnet:Subnet", "mapPublicIpOnLaunch", True, "euc1-az1")),
    "a subnet that gives addresses, as text": (
        NETWORK,
        edit("ec2/subnet:Subnet", "mapPublicIpOnLaunch", "true", "euc1-az1"),
    ),
    "a subnet that gives IPv6 addresses": (
        NETWORK,
        edit("ec2/subnet:Subnet", "assignIpv6AddressOnCreation", True, "stores-euc1-az1"),
    ),
    "a subnet for public load balancers": (
        NETWORK,
        edit("ec2/subnet:Subnet", "tags", {"kubernetes.io/role/elb": "1"}, "euc1-az1"),
    ),
    "machines in a public subnet": (
        NODES,
        several(edit("ec2/subnet:Subnet", "mapPublicIpOnLaunch", True, "euc1-az1")),
    ),
    "machines behind a gateway": (NODES, route(destinationCidrBlock=_EVERY, gatewayId="igw-1")),
    "a peering": (
        JOINED,
        add(
            "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
            {"vpcId": _VPC, "peerVpcId": "vpc-1", "peerOwnerId": "999999999999"},
        ),
    ),
    "a peering that is accepted": (
        JOINED,
        add("aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", {"vpcPeeringConnectionId": "pcx-1"}),
    ),
    "a peering with a route to everywhere": (
        JOINED,
        several(
            add("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", {"vpcId": _VPC, "peerVpcId": "vpc-1"}, "pcx"),
            route(destinationCidrBlock=_EVERY, vpcPeeringConnectionId=To("VpcPeeringConnection", "pcx")),
        ),
    ),
    "a transit gateway": (
        JOINED,
        add(
            "aws:ec2transitgateway/vpcAttachment:VpcAttachment",
            {"vpcId": _VPC, "transitGatewayId": "tgw-1", "subnetIds": [_SUBNET]},
        ),
    ),
    "a VPN": (JOINED, add("aws:ec2/vpnGateway:VpnGateway", {"vpcId": _VPC})),
    "routes announced by a VPN": (
        JOINED,
        add(
            "aws:ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation",
            {"vpnGatewayId": "vgw-1", "routeTableId": _TABLE},
        ),
    ),
    "a VPN for machines": (PUBLIC, add("aws:ec2clientvpn/endpoint:Endpoint", {"clientCidrBlock": "10.99.0.0/22"})),
    "an endpoint service for everyone": (
        LINK,
        add(
            "aws:ec2/vpcEndpointService:VpcEndpointService", {"acceptanceRequired": True, "allowedPrincipals": ["*"]}
        ),
    ),
    "an endpoint service without acceptance": (
        LINK,
        add("aws:ec2/vpcEndpointService:VpcEndpointService", {"acceptanceRequired": False}),
    ),
    "an endpoint service for a stranger": (
        LINK,
        add(
            "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple",
            {"principalArn": "arn:aws:iam::999999999999:root", "vpcEndpointServiceId": "vpce-svc-1"},
        ),
    ),
    "an endpoint to a stranger's service": (
        LINK,
        add(
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            {
                "vpcId": _VPC,
                "serviceName": "com.amazonaws.vpce.eu-central-1.vpce-svc-0123",
                "vpcEndpointType": "Interface",
            },
        ),
    ),
    "a share for other accounts": (
        LINK,
        add("aws:ram/resourceShare:ResourceShare", {"allowExternalPrincipals": True}),
    ),
    "a launch template with a public address": (
        PUBLIC,
        edit(_TEMPLATE, "networkInterfaces", [{"associatePublicIpAddress": "true"}], "gpu-on-demand"),
    ),
    "a launch template with IPv6": (
        PUBLIC,
        edit(_TEMPLATE, "networkInterfaces", [{"ipv6AddressCount": 1}], "gpu-on-demand"),
    ),
    "a launch template with hidden interfaces": (
        PUBLIC,
        edit(_TEMPLATE, "networkInterfaces", UNKNOWN, "gpu-on-demand"),
    ),
    "a machine with a public address": (
        PUBLIC,
        add("aws:ec2/instance:Instance", {"ami": "ami-1", "subnetId": _SUBNET, "associatePublicIpAddress": True}),
    ),
    "an address": (PUBLIC, add("aws:ec2/eip:Eip", {"domain": "vpc"})),
    "an address for something": (
        PUBLIC,
        add("aws:ec2/eipAssociation:EipAssociation", {"networkInterfaceId": "eni-1"}),
    ),
    "a public load balancer": (PUBLIC, add("aws:lb/loadBalancer:LoadBalancer", {"subnets": [_SUBNET]})),
    "a public network load balancer": (
        PUBLIC,
        add(
            "aws:lb/loadBalancer:LoadBalancer",
            {"loadBalancerType": "network", "internal": False, "subnets": [_SUBNET]},
        ),
    ),
    "a public application load balancer": (PUBLIC, add("aws:alb/loadBalancer:LoadBalancer", {"internal": "false"})),
    "a public classic load balancer": (PUBLIC, add("aws:elb/loadBalancer:LoadBalancer", {"subnets": [_SUBNET]})),
    "a load balancer that may be public": (PUBLIC, add("aws:lb/loadBalancer:LoadBalancer", {"internal": UNKNOWN})),
    "a function's URL": (
        PUBLIC,
        add("aws:lambda/functionUrl:FunctionUrl", {"functionName": "f", "authorizationType": "NONE"}),
    ),
    "a public REST API": (PUBLIC, add("aws:apigateway/restApi:RestApi", {})),
    "a public HTTP API": (PUBLIC, add("aws:apigatewayv2/api:Api", {"protocolType": "HTTP"})),
    "an accelerator": (PUBLIC, add("aws:globalaccelerator/accelerator:Accelerator", {})),
    "a distribution": (PUBLIC, add("aws:cloudfront/distribution:Distribution", {"enabled": True})),
    "a public database": (PUBLIC, add("aws:rds/instance:Instance", {"publiclyAccessible": True})),
    "a public search domain": (PUBLIC, add("aws:opensearch/domain:Domain", {})),
    "a public broker": (PUBLIC, add("aws:mq/broker:Broker", {"publiclyAccessible": True})),
    "a public file server": (PUBLIC, add("aws:transfer/server:Server", {})),
    "a notebook on the internet": (PUBLIC, add("aws:sagemaker/notebookInstance:NotebookInstance", {})),
    "tasks with addresses": (
        PUBLIC,
        add("aws:ecs/service:Service", {"networkConfiguration": {"subnets": [_SUBNET], "assignPublicIp": True}}),
    ),
    "a way to SSH past the network": (
        PUBLIC,
        add("aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint", {"subnetId": _SUBNET}),
    ),
    "the account's default network": (PUBLIC, add("aws:ec2/defaultVpc:DefaultVpc", {})),
    "an exception from the ban": (
        PUBLIC,
        add(
            "aws:ec2/vpcBlockPublicAccessExclusion:VpcBlockPublicAccessExclusion",
            {"vpcId": _VPC, "internetGatewayExclusionMode": "allow-bidirectional"},
        ),
    ),
    "a copy of all packets": (PUBLIC, add("aws:ec2/trafficMirrorSession:TrafficMirrorSession", {"sessionNumber": 1})),
    "the default group not taken over": (DEFAULT, remove("defaultSecurityGroup:DefaultSecurityGroup", "closed")),
    "the default group of the standby not taken over": (
        DEFAULT,
        remove("defaultSecurityGroup:DefaultSecurityGroup", "standby-closed"),
    ),
    "the default group opened to itself": (
        DEFAULT,
        edit(
            "DefaultSecurityGroup",
            "ingress",
            [{"protocol": "-1", "self": True, "fromPort": 0, "toPort": 0}],
            "closed",
        ),
    ),
    "the default group let out": (
        DEFAULT,
        edit(
            "DefaultSecurityGroup",
            "egress",
            [{"protocol": "-1", "cidrBlocks": [_EVERY], "fromPort": 0, "toPort": 0}],
            "closed",
        ),
    ),
    "a line of the default group": (
        DEFAULT,
        line(securityGroupId=To("DefaultSecurityGroup", "closed"), cidrIpv4="10.20.0.0/16"),
    ),
    "a machine in the default group": (
        DEFAULT,
        add("aws:ec2/instance:Instance", {"vpcSecurityGroupIds": [To("DefaultSecurityGroup", "closed")]}),
    ),
    "a fence open to the world": (ACL, acl({"cidrBlock": _EVERY})),
    "a fence open in two halves": (ACL, acl({"cidrBlock": "0.0.0.0/1"}, {"cidrBlock": "128.0.0.0/1", "ruleNo": 101})),
    "a fence that denies too late": (
        ACL,
        acl({"cidrBlock": _EVERY}, {"cidrBlock": _EVERY, "ruleNo": 200, "action": "deny"}),
    ),
    "a fence open by IPv6": (ACL, acl({"ipv6CidrBlock": "::/0"})),
    "the control plane on the internet": (
        CLUSTER,
        edit("eks/cluster:Cluster", "vpcConfig.endpointPublicAccess", True),
    ),
    "the control plane left to its default": (
        CLUSTER,
        edit("eks/cluster:Cluster", "vpcConfig.endpointPublicAccess", GONE),
    ),
    "the control plane open in halves": (
        CLUSTER,
        several(
            edit("eks/cluster:Cluster", "vpcConfig.endpointPublicAccess", True),
            edit("eks/cluster:Cluster", "vpcConfig.publicAccessCidrs", ["0.0.0.0/1", "128.0.0.0/1"]),
        ),
    ),
    "the control plane open to a network that nobody declared": (
        CLUSTER,
        several(
            edit("eks/cluster:Cluster", "vpcConfig.endpointPublicAccess", True),
            edit("eks/cluster:Cluster", "vpcConfig.publicAccessCidrs", ["203.0.113.0/24"]),
        ),
    ),
    "flow logs of the refused alone": ("aws-vpc-flow-logs", edit("ec2/flowLog:FlowLog", "trafficType", "REJECT")),
    "flow logs without addresses": (FLOWS, edit("ec2/flowLog:FlowLog", "logFormat", "${action}")),
    "no flow logs": ("aws-vpc-flow-logs", remove("ec2/flowLog:FlowLog")),
}
"""What is planted → the rule that must find it."""

HARMLESS: dict[str, Change] = {
    "nothing": several(),
    "a narrower line": edit("IngressRule", "cidrIpv4", "10.20.0.0/17", _ENDPOINTS),
    "the line in two halves": several(
        edit("IngressRule", "cidrIpv4", "10.20.0.0/17", _ENDPOINTS), line(cidrIpv4="10.20.128.0/17")
    ),
    "a line of the old kind, in halves": old_line(cidrBlocks=["10.20.0.0/17", "10.20.128.0/17"]),
    "the line within the group": inline(cidrBlocks=["10.20.0.0/16"]),
    "the protocol by its number": edit("IngressRule", "ipProtocol", "6", _ENDPOINTS),
    "the protocol in capitals": edit("IngressRule", "ipProtocol", "TCP", _ENDPOINTS),
    "ports as text": several(
        edit("IngressRule", "fromPort", "443", _ENDPOINTS), edit("IngressRule", "toPort", "443", _ENDPOINTS)
    ),
    "ports as floats": edit("IngressRule", "toPort", 443.0, _ENDPOINTS),
    "a network with host bits": edit("IngressRule", "cidrIpv4", "10.20.3.4/16", _ENDPOINTS),
    "a line for another group": line(referencedSecurityGroupId=_GROUP),
    "a line for the group itself": inline(protocol="-1", self=True, fromPort=0, toPort=0),
    "a narrower line for the runners": edit("IngressRule", "cidrIpv4", "10.64.7.0/24", "control-plane-from-runners"),
    "a line out to the network": line(_OUT, cidrIpv4="10.20.0.0/16"),
    "a line out to a group": line(_OUT, referencedSecurityGroupId=_GROUP),
    "a prefix list of the network's own": several(
        add("aws:ec2/managedPrefixList:ManagedPrefixList", {"entries": [{"cidr": "10.20.0.0/18"}]}, "list"),
        line(prefixListId=To("managedPrefixList:ManagedPrefixList", "list")),
    ),
    "a flag as text": edit("ec2/subnet:Subnet", "mapPublicIpOnLaunch", "false", "euc1-az1"),
    "a flag left out": edit("ec2/subnet:Subnet", "mapPublicIpOnLaunch", GONE, "euc1-az1"),
    "a table without routes": edit("ec2/routeTable:RouteTable", "routes", [], "private"),
    "a route within the network": route(destinationCidrBlock="10.20.0.0/16", gatewayId="local"),
    "a peering with the runners": several(
        add("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", {"vpcId": _VPC, "peerVpcId": "vpc-1"}, "pcx"),
        route(destinationCidrBlock="10.64.0.0/16", vpcPeeringConnectionId=To("VpcPeeringConnection", "pcx")),
    ),
    "an internal load balancer": add("aws:lb/loadBalancer:LoadBalancer", {"internal": "true", "subnets": [_SUBNET]}),
    "a private database": add("aws:rds/instance:Instance", {"publiclyAccessible": False}),
    "a private API": add("aws:apigateway/restApi:RestApi", {"endpointConfiguration": {"types": "PRIVATE"}}),
    "a machine without an address": add("aws:ec2/instance:Instance", {"associatePublicIpAddress": "false"}),
    "interfaces without addresses": edit(
        _TEMPLATE, "networkInterfaces", [{"associatePublicIpAddress": "false"}], "gpu-on-demand"
    ),
    "an endpoint of AWS'": add(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"vpcId": _VPC, "serviceName": "com.amazonaws.eu-central-1.kms", "vpcEndpointType": "Interface"},
    ),
    "a share within the account": add("aws:ram/resourceShare:ResourceShare", {"name": "s"}),
    "the default group without words": several(
        edit("DefaultSecurityGroup", "ingress", GONE, "closed"),
        edit("DefaultSecurityGroup", "egress", GONE, "closed"),
    ),
    "a fence for the network alone": acl({"cidrBlock": "10.20.0.0/16"}),
    "a fence that denies first": acl({"cidrBlock": _EVERY}, {"cidrBlock": _EVERY, "ruleNo": 50, "action": "deny"}),
    "flow logs with all fields": edit(
        "ec2/flowLog:FlowLog",
        "logFormat",
        "${version} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${start} ${end} ${action} ${log-status}",
    ),
    "resources in another order": lambda before: type(before)(
        before.stack, before.settings, tuple(reversed(before.resources)), before.outputs
    ),
}
"""What changes nothing about who gets where, or narrows it."""
