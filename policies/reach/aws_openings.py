"""What is on the internet on AWS: by being there, or by one of its inputs.

Every input is one of the installed SDK's schema; what a provider takes where it is left out is believed, and where
there was a doubt the open value was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.reach.openings import How, Opening
from policies.tokens import (
    EC2_INSTANCE,
    EC2_LAUNCH_CONFIGURATION,
    EC2_LAUNCH_TEMPLATE,
    ELASTICSEARCH,
    OPENSEARCH,
    REST_API,
)

_FLAG, _NO_FLAG, _GIVEN, _LEFT_OUT, _OTHER = How.FLAG, How.NO_FLAG, How.GIVEN, How.LEFT_OUT, How.OTHER
_PUBLIC_DATABASE: Final = (Opening("a public database", _FLAG, "publiclyAccessible"),)
_BALANCER: Final = (Opening("a load balancer on the internet", _NO_FLAG, "internal"),)
_DOMAIN: Final = (Opening("a search domain on the internet", _LEFT_OUT, "vpcOptions"),)
_STARTED: Final = Opening("a machine with a public address", _FLAG, "associatePublicIpAddress")
_INTERFACES: Final = "networkInterfaces.*."
_IPV6: Final = tuple(
    Opening("a machine with a public IPv6 address", _GIVEN, name) for name in ("ipv6AddressCount", "ipv6Addresses")
)

OPENINGS: Final[Mapping[str, tuple[Opening, ...]]] = {
    EC2_INSTANCE: (_STARTED, *_IPV6),
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": (_STARTED, *_IPV6),
    EC2_LAUNCH_CONFIGURATION: (_STARTED,),
    EC2_LAUNCH_TEMPLATE: tuple(
        Opening("machines with public addresses", how, f"{_INTERFACES}{name}")
        for name, how in (
            ("associatePublicIpAddress", _FLAG),
            ("associateCarrierIpAddress", _FLAG),
            ("ipv6AddressCount", _GIVEN),
            ("ipv6Addresses", _GIVEN),
            ("ipv6PrefixCount", _GIVEN),
            ("ipv6Prefixes", _GIVEN),
        )
    ),
    "aws:ec2/spotFleetRequest:SpotFleetRequest": (
        Opening("machines with public addresses", _FLAG, "launchSpecifications.*.associatePublicIpAddress"),
    ),
    "aws:ec2/networkInterface:NetworkInterface": _IPV6,
    "aws:ec2/eip:Eip": (Opening("a public address"),),
    "aws:ec2/eipAssociation:EipAssociation": (Opening("a public address for something"),),
    "aws:ec2/defaultVpc:DefaultVpc": (Opening("the account's default network, whose subnets are public"),),
    "aws:ec2/defaultSubnet:DefaultSubnet": (Opening("a subnet that is public by default"),),
    "aws:ec2/vpcBlockPublicAccessExclusion:VpcBlockPublicAccessExclusion": (
        Opening("an exception from the account's ban on public access"),
    ),
    "aws:ec2/trafficMirrorSession:TrafficMirrorSession": (Opening("a copy of all packets"),),
    "aws:ec2/trafficMirrorTarget:TrafficMirrorTarget": (Opening("a place for copies of all packets"),),
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": (
        Opening("a way to SSH on machines, past the network"),
    ),
    "aws:lb/loadBalancer:LoadBalancer": _BALANCER,
    "aws:alb/loadBalancer:LoadBalancer": _BALANCER,
    "aws:elb/loadBalancer:LoadBalancer": _BALANCER,
    "aws:globalaccelerator/accelerator:Accelerator": (Opening("a public address that AWS announces everywhere"),),
    "aws:globalaccelerator/customRoutingAccelerator:CustomRoutingAccelerator": (
        Opening("a public address that AWS announces everywhere"),
    ),
    "aws:cloudfront/distribution:Distribution": (Opening("a public site"),),
    "aws:lambda/functionUrl:FunctionUrl": (Opening("a public URL"),),
    REST_API: (Opening("a public API", _OTHER, "endpointConfiguration.types", ("PRIVATE",), "EDGE"),),
    "aws:apigateway/domainName:DomainName": (
        Opening("a public API", _OTHER, "endpointConfiguration.types", ("PRIVATE",), "EDGE"),
    ),
    "aws:apigatewayv2/api:Api": (Opening("a public API"),),
    "aws:apigatewayv2/domainName:DomainName": (Opening("a public API"),),
    "aws:appsync/graphQLApi:GraphQLApi": (Opening("a public API", _OTHER, "visibility", ("PRIVATE",), "GLOBAL"),),
    "aws:rds/instance:Instance": _PUBLIC_DATABASE,
    "aws:rds/clusterInstance:ClusterInstance": _PUBLIC_DATABASE,
    "aws:neptune/clusterInstance:ClusterInstance": _PUBLIC_DATABASE,
    "aws:redshift/cluster:Cluster": (Opening("a public database", _FLAG, "publiclyAccessible", default="true"),),
    "aws:redshiftserverless/workgroup:Workgroup": _PUBLIC_DATABASE,
    "aws:timestreaminfluxdb/dbInstance:DbInstance": _PUBLIC_DATABASE,
    "aws:dms/replicationInstance:ReplicationInstance": _PUBLIC_DATABASE,
    "aws:mq/broker:Broker": _PUBLIC_DATABASE,
    "aws:msk/cluster:Cluster": (
        Opening(
            "public brokers",
            _OTHER,
            "brokerNodeGroupInfo.connectivityInfo.publicAccess.type",
            ("DISABLED",),
            "DISABLED",
        ),
    ),
    OPENSEARCH: _DOMAIN,
    ELASTICSEARCH: _DOMAIN,
    "aws:ecs/service:Service": (
        Opening("tasks with public addresses", _FLAG, "networkConfiguration.assignPublicIp"),
    ),
    "aws:apprunner/service:Service": (
        Opening(
            "a public service",
            _FLAG,
            "networkConfiguration.ingressConfiguration.isPubliclyAccessible",
            default="true",
        ),
    ),
    "aws:elasticbeanstalk/environment:Environment": (Opening("a public site"),),
    "aws:transfer/server:Server": (
        Opening("a public file server", _OTHER, "endpointType", ("VPC", "VPC_ENDPOINT"), "PUBLIC"),
        Opening("a public file server", _GIVEN, "endpointDetails.addressAllocationIds"),
    ),
    "aws:sagemaker/notebookInstance:NotebookInstance": (
        Opening("a notebook on the internet", _OTHER, "directInternetAccess", ("Disabled",), "Enabled"),
    ),
    "aws:sagemaker/domain:Domain": (
        Opening("notebooks on the internet", _OTHER, "appNetworkAccessType", ("VpcOnly",), "PublicInternetOnly"),
    ),
    "aws:mwaa/environment:Environment": (
        Opening("a public web server", _OTHER, "webserverAccessMode", ("PRIVATE_ONLY",), "PRIVATE_ONLY"),
    ),
    "aws:grafana/workspace:Workspace": (Opening("a public web server", _LEFT_OUT, "networkAccessControl"),),
    "aws:lightsail/instance:Instance": (Opening("a machine with a public address"),),
    "aws:lightsail/staticIp:StaticIp": (Opening("a public address"),),
    "aws:lightsail/containerService:ContainerService": (Opening("a public service"),),
    "aws:ec2clientvpn/endpoint:Endpoint": (Opening("a VPN that takes calls from the internet"),),
    "aws:verifiedaccess/endpoint:Endpoint": (Opening("a public site in front of the network"),),
    "aws:route53/zone:Zone": (Opening("names that the internet may ask for", _LEFT_OUT, "vpcs"),),
}
"""Type → what opens it. The door's own load balancer is Kubernetes', and is in no plan."""
