"""The private network: one subnet per zone, no way to or from the internet, AWS services through endpoints.

A public door's load balancer has subnets of its own: `components.aws.door.way_in`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import Statement, allow, bucket_arn, document, table_arn
from components.aws.door import way_in
from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.naming import PRODUCT
from components.contracts.place import Place
from components.contracts.refs import NetworkRef
from components.contracts.specs import NetworkSpec

SUBNET_PREFIX_LENGTH: Final = 19
"""A /16 has room for eight such subnets of 8,187 usable addresses; with the VPC CNI each pod takes one."""
CONTROL_PLANE_PREFIX_LENGTH: Final = 28
"""EKS asks for 6 free addresses in each of its subnets, and advises 16 (EKS guide, "Networking requirements for VPC
and subnets", read 2026-11-21)."""
STORES_PREFIX_LENGTH: Final = 27
"""27 usable addresses in each zone: an endpoint takes one, a cache two at most while it is replaced."""
PUBLIC_PREFIX_LENGTH: Final = 27
"""A network load balancer asks for 8 free addresses in each of its subnets (Elastic Load Balancing user guide,
"Network Load Balancers"; believed, 2026-11-21)."""

INTERFACE_ENDPOINTS: Final = {
    "ec2": "ec2",
    "ecr.api": "ecr",
    "ecr.dkr": "ecr",
    "eks": "eks",
    "eks-auth": "eks-auth",
    "autoscaling": "autoscaling",
}
"""Endpoint service → IAM prefix of its actions, for what something in the network calls, by the hour in each zone.

Not there, though EKS' guide for private clusters lists them: `sts` is for IAM roles for service accounts, and pods
here use Pod Identity (`eks-auth`; a kubelet's token is signed where it runs); `logs` is for log agents on nodes, and
only the control plane and the network write logs; `elasticloadbalancing` is for a load balancer controller in the
cluster (docs.aws.amazon.com/eks/latest/userguide/private-clusters.html, read 2026-11-21).
"""
ECR_READS: Final = (
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)


def subnet_cidr(cidr: str, zone: str) -> str:
    """The subnet of `zone` in the /16 `cidr`, by the number its id ends in: zones may come, go or be reordered.

    Raises:
        ValueError: the zone's id does not end in a digit from 1 to 7.
    """
    return _by_number(_slots(cidr)[:-1], zone)


def control_plane_cidr(cidr: str, zone: str) -> str:
    """The subnet of `zone` that EKS has for itself, cut from the last slot of the /16 `cidr`.

    Nothing else has addresses there, so whoever comes from one is the control plane.

    Raises:
        ValueError: the zone's id does not end in a digit from 1 to 7.
    """
    return _by_number(list(_slots(cidr)[-1].subnets(new_prefix=CONTROL_PLANE_PREFIX_LENGTH))[:7], zone)


def store_cidr(cidr: str, zone: str) -> str:
    """The subnet of `zone` for the stores that pods reach, cut from `stores_range`.

    Raises:
        ValueError: the zone's id does not end in a digit from 1 to 7.
    """
    slots = list(ipaddress.IPv4Network(stores_range(cidr)).subnets(new_prefix=STORES_PREFIX_LENGTH))
    return _by_number(slots[:7], zone)


def stores_range(cidr: str) -> str:
    """The share of the stores' subnets in the /16 `cidr`: a policy that names it reaches nothing else."""
    return str(list(_slots(cidr)[-1].subnets(new_prefix=24))[1])


def public_cidr(cidr: str, zone: str) -> str:
    """The subnet of `zone` for a public door's load balancer, where nothing else has addresses.

    Raises:
        ValueError: the zone's id does not end in a digit from 1 to 7.
    """
    share = list(_slots(cidr)[-1].subnets(new_prefix=24))[2]
    return _by_number(list(share.subnets(new_prefix=PUBLIC_PREFIX_LENGTH))[:7], zone)


def _slots(cidr: str) -> list[ipaddress.IPv4Network]:
    return list(ipaddress.IPv4Network(cidr).subnets(new_prefix=SUBNET_PREFIX_LENGTH))


def _by_number(slots: Sequence[ipaddress.IPv4Network], zone: str) -> str:
    slot = ord(zone[-1:] or "-") - ord("1")
    if not 0 <= slot < len(slots):
        raise ValueError(f"zone {zone!r} has no subnet: there is room for zones whose ids end in 1 to 7")
    return str(slots[slot])


def image_layers(region: str) -> Statement:
    """Reading the layers of ECR's images; without a condition on the caller: ECR signs their links itself."""
    layers = f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*"
    return allow("ImageLayers", ["s3:GetObject"], layers, principal="*")


def standby_endpoint_policies(place: Place) -> dict[str, str]:
    """Service → what passes its gateway in the backup region: layers of images, and reads of what was restored there.

    By the names that the fleet's role may read (`Identity`): all of this account, and of this environment.
    """
    region, condition, own = place.backup_region, own_resources(place), f"{PRODUCT}-{place.environment}-*"
    buckets, tables = bucket_arn(own), table_arn(place, own, region=region)
    finds, lookups = ["s3:ListBucket", "s3:GetBucketLocation"], ["dynamodb:GetItem", "dynamodb:BatchGetItem"]
    return {
        "s3": document(
            image_layers(region),
            allow("FindRestoredModels", finds, buckets, principal="*", condition=condition),
            allow("ReadRestoredModels", ["s3:GetObject"], f"{buckets}/*", principal="*", condition=condition),
        ),
        "dynamodb": document(allow("LookUpRestoredFeatures", lookups, tables, principal="*", condition=condition)),
    }


def own_resources(place: Place) -> dict[str, dict[str, str]]:
    """The condition that caller and resource are this account's: a token of either side is of no use on the other."""
    return {"StringEquals": {"aws:PrincipalAccount": place.account, "aws:ResourceAccount": place.account}}


def interface_endpoint_policy(place: Place, service: str) -> str:
    """This account's roles; and only on its own resources, where ECR could carry data to another account's.

    An endpoint policy grants nothing by itself; it bounds what may pass. ECR's images of EKS' add-ons lie in accounts
    of AWS, so that others' repositories may be read.
    """
    prefix = INTERFACE_ENDPOINTS[service]
    own_caller = {"StringEquals": {"aws:PrincipalAccount": place.account}}
    if prefix == "ecr":
        return document(
            allow("ReadImages", list(ECR_READS), "*", principal="*", condition=own_caller),
            allow("OwnRepositories", ["ecr:*"], "*", principal="*", condition=own_resources(place)),
        )
    return document(allow("OwnRoles", [f"{prefix}:*"], "*", principal="*", condition=own_caller))


@dataclass(frozen=True)
class StoreEndpoint:
    """A door to one of AWS' stores, in subnets of its own."""

    url: pulumi.Output[str]
    """What a client must be given instead of the service's public name."""
    doors: tuple[Door, ...]


def store_endpoint(
    parent: pulumi.Resource, place: Place, network: NetworkRef, service: str, policy: str
) -> StoreEndpoint:
    """An interface endpoint by a name of its own, so that pods reach this store and need no other address.

    A gateway endpoint would leave the store at AWS' public addresses, which change, and which a network policy could
    only name all together. It has no private DNS name: machines go on pulling layers through the gateway, which is
    free (Amazon S3 user guide, "AWS PrivateLink for Amazon S3"; DynamoDB developer guide, "AWS PrivateLink for
    DynamoDB"; read 2026-11-21).
    """
    group = aws.ec2.SecurityGroup(
        f"{service}-endpoint",
        name=place.name(f"{service}-endpoint"),
        description=f"HTTPS from the private network to {service}",
        vpc_id=network.id,
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    rule = aws.vpc.SecurityGroupIngressRule(
        f"{service}-endpoint-https",
        security_group_id=group.id,
        description="HTTPS from the private network",
        cidr_ipv4=network.cidr,
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    endpoint = aws.ec2.VpcEndpoint(
        f"{service}-endpoint",
        vpc_id=network.id,
        service_name=f"com.amazonaws.{place.region}.{service}",
        vpc_endpoint_type="Interface",
        private_dns_enabled=False,
        subnet_ids=list(network.store_subnet_ids),
        security_group_ids=[group.id],
        policy=policy,
        tags={**place.labels, "Name": place.name(f"{service}-endpoint")},
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[rule]),
    )
    return StoreEndpoint(endpoint.dns_entries.apply(endpoint_url), (Door(network.store_cidr, 443),))


def endpoint_url(entries: Any) -> str:
    """The URL of the endpoint's name for all zones: the shortest; each zone's own has the zone at its end.

    S3's name is a wildcard, of which `bucket` is the part for its buckets.
    """
    name = min(
        (str(entry["dns_name"] if isinstance(entry, Mapping) else entry.dns_name) for entry in entries), key=len
    )
    return f"https://{name.replace('*.', 'bucket.', 1)}"


class Network(Component):
    """A VPC without internet gateway, NAT or public subnet, unless `clients` on the internet come to the door.

    What it deliberately does not do: let nodes reach the internet. Images come from the stack's own registry;
    AWS' services come through endpoints whose policies admit this account only. Flow logs are `Audit`'s, which has
    the locked bucket that they go to.
    """

    ref: NetworkRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: NetworkSpec,
        *,
        clients: Sequence[str] = (),
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Network", name, provider)
        options = pulumi.ResourceOptions(parent=self)
        vpc = aws.ec2.Vpc(
            "vpc",
            cidr_block=spec.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={**place.labels, "Name": place.name("vpc")},
            opts=options,
        )
        # Taking the default group over without rules closes it: whatever forgets to name a group gets no traffic.
        aws.ec2.DefaultSecurityGroup("closed", vpc_id=vpc.id, ingress=[], egress=[], tags=place.labels, opts=options)
        table = aws.ec2.RouteTable(
            "private", vpc_id=vpc.id, tags={**place.labels, "Name": place.name("private")}, opts=options
        )
        subnets = [
            self._subnet(place, zone, zone, subnet_cidr(spec.cidr, zone), vpc, table, takes_load_balancers=True)
            for zone in place.zones
        ]
        control_plane = {zone: control_plane_cidr(spec.cidr, zone) for zone in place.zones}
        public = {zone: public_cidr(spec.cidr, zone) for zone in place.zones}
        endpoints = [*self._gateways(place, vpc, table), *self._interfaces(place, spec, vpc, subnets)]
        self.ref = NetworkRef(
            id=vpc.id,
            subnet_ids=tuple(subnets),
            cidr=spec.cidr,
            managed_services_ready=ready(vpc.id, *endpoints),
            control_plane_subnet_ids=tuple(
                self._subnet(place, f"control-plane-{zone}", zone, cidr, vpc, table)
                for zone, cidr in control_plane.items()
            ),
            control_plane_cidrs=tuple(control_plane.values()),
            store_subnet_ids=tuple(
                self._subnet(place, f"stores-{zone}", zone, store_cidr(spec.cidr, zone), vpc, table)
                for zone in place.zones
            ),
            store_cidr=stores_range(spec.cidr),
            internet=way_in(self, place, vpc, public, clients) if clients else (),
            doors=(Door(spec.cidr, 443),),
        )
        self.finish({"id": vpc.id, "ready": self.ref.managed_services_ready})

    def _subnet(
        self,
        place: Place,
        name: str,
        zone: str,
        cidr: str,
        vpc: aws.ec2.Vpc,
        table: aws.ec2.RouteTable,
        *,
        takes_load_balancers: bool = False,
    ) -> pulumi.Output[str]:
        options = pulumi.ResourceOptions(parent=self)
        tags = {**place.labels, "Name": place.name(f"private-{name}")}
        subnet = aws.ec2.Subnet(
            name,
            vpc_id=vpc.id,
            availability_zone_id=zone,
            cidr_block=cidr,
            map_public_ip_on_launch=False,
            tags=tags | {"kubernetes.io/role/internal-elb": "1"} if takes_load_balancers else tags,
            opts=options,
        )
        route = aws.ec2.RouteTableAssociation(name, subnet_id=subnet.id, route_table_id=table.id, opts=options)
        return ready(subnet.id, route)

    def _gateways(self, place: Place, vpc: aws.ec2.Vpc, table: aws.ec2.RouteTable) -> list[aws.ec2.VpcEndpoint]:
        """For the layers of images, which machines pull by S3's public names; what pods read has doors of its own."""
        return [
            aws.ec2.VpcEndpoint(
                "s3",
                vpc_id=vpc.id,
                service_name=f"com.amazonaws.{place.region}.s3",
                vpc_endpoint_type="Gateway",
                route_table_ids=[table.id],
                policy=document(image_layers(place.region)),
                tags={**place.labels, "Name": place.name("s3")},
                opts=pulumi.ResourceOptions(parent=self),
            )
        ]

    def _interfaces(
        self, place: Place, spec: NetworkSpec, vpc: aws.ec2.Vpc, subnets: list[pulumi.Output[str]]
    ) -> list[aws.ec2.VpcEndpoint]:
        group = aws.ec2.SecurityGroup(
            "endpoints",
            name=place.name("endpoints"),
            description="HTTPS from the private network to AWS' services",
            vpc_id=vpc.id,
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        rule = aws.vpc.SecurityGroupIngressRule(
            "endpoints-https",
            security_group_id=group.id,
            description="HTTPS from the private network",
            cidr_ipv4=spec.cidr,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return [
            aws.ec2.VpcEndpoint(
                service,
                vpc_id=vpc.id,
                service_name=f"com.amazonaws.{place.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=subnets,
                security_group_ids=[group.id],
                policy=interface_endpoint_policy(place, service),
                tags={**place.labels, "Name": place.name(service)},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[rule]),
            )
            for service in INTERFACE_ENDPOINTS
        ]
