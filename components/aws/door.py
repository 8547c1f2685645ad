"""What stands before the fleet's door on AWS: a network load balancer, made by the cloud's own service controller.

That controller runs with EKS' control plane, so that nothing in the private network calls the load balancers' API;
the AWS Load Balancer Controller would need an endpoint and rights of its own for that. Annotations: "The Service
Controller" (cloud-provider-aws.sigs.k8s.io/service_controller), and for what it does with them at a network load
balancer `reconcileLBAttributes` and `updateInstanceSecurityGroupsForNLB` in its source (both read 2026-11-22); that
EKS runs this controller is believed. Without the annotation `internal` a load balancer faces the internet, and stands
in the public subnets alone: those whose own route table has a route to an internet gateway, of several in a zone the
one with the tag (`findELBSubnets` and `isSubnetPublic` in the same source). The annotation counts when the Service is
made, and not later.

No web application firewall: AWS WAF is associated with what ends HTTP, as API Gateway, Application Load Balancer and
CloudFront, and with no Network Load Balancer (AWS WAF developer guide, "Associating or disassociating protection with
an AWS resource"; believed, 2026-11-21). Ending TLS at one of those would show it the requests, and would end HTTP/2
to the client there: `public.firewall_because` says what stands in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from components.contracts.door import DoorSpec, Exposure
from components.contracts.place import Place

_PREFIX: Final = "service.beta.kubernetes.io/aws-load-balancer"
INTERNAL: Final = f"{_PREFIX}-internal"


def exposure(place: Place, spec: DoorSpec, networks: Sequence[str]) -> Exposure:
    """The load balancer: in the private subnets and for `networks`, unless the door is public.

    The targets are machines, whose security group lets in what `source_ranges` names (the same source); the client's
    address is kept, as the Service's traffic policy is Local.
    """
    annotations = {
        f"{_PREFIX}-type": "nlb",
        # One zone's machines may have no replica of the door.
        f"{_PREFIX}-cross-zone-load-balancing-enabled": "true",
        f"{_PREFIX}-additional-resource-tags": ",".join(f"{key}={value}" for key, value in place.labels.items()),
    }
    if spec.public is not None:
        return Exposure(annotations, source_ranges=spec.public.source_ranges)
    return Exposure({**annotations, INTERNAL: "true"}, source_ranges=tuple(networks))


def way_in(
    parent: pulumi.Resource, place: Place, vpc: aws.ec2.Vpc, subnets: Mapping[str, str], clients: Sequence[str]
) -> tuple[pulumi.Resource, ...]:
    """An internet gateway, and public subnets, one for each of `subnets` (zone → range), routed to `clients` only.

    Only the load balancer stands there: machines keep their private subnets, whose table has no route out. They
    answer through the load balancer, which keeps track of connections (believed: that needs no route to the client,
    and the load balancer none but to its clients; 2026-11-22).
    """
    options = pulumi.ResourceOptions(parent=parent)
    gateway = aws.ec2.InternetGateway(
        "door", vpc_id=vpc.id, tags={**place.labels, "Name": place.name("door")}, opts=options
    )
    table = aws.ec2.RouteTable(
        "public", vpc_id=vpc.id, tags={**place.labels, "Name": place.name("public")}, opts=options
    )
    made: list[pulumi.Resource] = [gateway]
    for clients_range in clients:
        made.append(
            aws.ec2.Route(
                f"clients-{clients_range.replace('.', '-').replace('/', '-')}",
                route_table_id=table.id,
                destination_cidr_block=clients_range,
                gateway_id=gateway.id,
                opts=options,
            )
        )
    for zone, cidr in subnets.items():
        subnet = aws.ec2.Subnet(
            f"public-{zone}",
            vpc_id=vpc.id,
            availability_zone_id=zone,
            cidr_block=cidr,
            map_public_ip_on_launch=False,
            tags={**place.labels, "Name": place.name(f"public-{zone}"), "kubernetes.io/role/elb": "1"},
            opts=options,
        )
        made.append(
            aws.ec2.RouteTableAssociation(
                f"public-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=options
            )
        )
    return tuple(made)
