"""Quotas at the pools' maxima, in both regions, with what others in the account already use.

Codes: Amazon EC2 user guide, "On-Demand Instance quotas" and "Spot Instance quotas" (counted in vCPUs); Amazon VPC
user guide, "Quotas"; read 2026-11-21 in code that asks for them (skypilot's preflight, aws-quota-checker) and in
moto's copy of VPC's defaults; that of load balancers in programs that ask for it and in a list of all quotas, where
its default is 50 (read 2026-11-22). New accounts begin at 0 for G, VT and P.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.contracts.vocabulary import Cloud
from ops.preflight.aws.reader import AwsReader
from ops.preflight.model import Finding, Unread, missing, ok, unknown
from ops.preflight.wanted import Wanted


@dataclass(frozen=True)
class Quota:
    """One of Service Quotas' limits."""

    service: str
    code: str
    title: str


STANDARD: Final = Quota("ec2", "L-1216C47A", "on-demand vCPUs, standard machines")
STANDARD_SPOT: Final = Quota("ec2", "L-34B43A08", "spot vCPUs, standard machines")
G: Final = Quota("ec2", "L-DB2E81BA", "on-demand vCPUs, G and VT machines")
G_SPOT: Final = Quota("ec2", "L-3819A6DF", "spot vCPUs, G and VT machines")
P: Final = Quota("ec2", "L-417A185B", "on-demand vCPUs, P machines")
P_SPOT: Final = Quota("ec2", "L-7212CCBC", "spot vCPUs, P4, P3 and P2 machines")
P5_SPOT: Final = Quota("ec2", "L-C4BD4855", "spot vCPUs, P5 machines")
VPCS: Final = Quota("vpc", "L-F678F1CE", "VPCs")
INTERFACE_ENDPOINTS: Final = Quota("vpc", "L-29B6F2EB", "interface endpoints of one VPC")
ADDRESSES: Final = Quota("ec2", "L-0263D0A3", "elastic IP addresses")
INTERNET_GATEWAYS: Final = Quota("vpc", "L-A4707A72", "internet gateways")
NETWORK_LOAD_BALANCERS: Final = Quota("elasticloadbalancing", "L-69A177A2", "network load balancers")
GATEWAY_ENDPOINTS: Final = Quota("vpc", "L-1B52E74A", "gateway endpoints")

_TAGS_AT_ONCE: Final = 20
"""Load balancers whose tags one call tells (`DescribeTags` of the API of 2015-12-01, read 2026-11-22)."""
_FAMILY: Final = re.compile(r"^(?P<letters>[a-z]+)(?P<generation>\d+)")
_STANDARD_LETTERS: Final = frozenset("acdhimrtz")


def quota_of(machine_type: str, *, spot: bool) -> Quota | None:
    """The quota that a machine's vCPUs count against; None for a family that this table does not know."""
    matched = _FAMILY.match(machine_type)
    if not matched:
        return None
    letters, generation = matched["letters"], int(matched["generation"])
    if letters in ("g", "vt", "gr"):
        return G_SPOT if spot else G
    if letters == "p":
        return P if not spot else P5_SPOT if generation >= 5 else P_SPOT
    if letters in _STANDARD_LETTERS:
        return STANDARD_SPOT if spot else STANDARD
    return None


def vcpus_wanted(wanted: Wanted) -> dict[Quota, int]:
    """Quota → vCPUs at the pools' maxima; choices within one pool that share a quota count once, the largest."""
    per_pool: dict[Quota, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for machines in wanted.machines:
        quota = quota_of(machines.machine_type, spot=machines.spot)
        if quota is not None:
            pools = per_pool[quota]
            pools[machines.pool] = max(pools[machines.pool], machines.vcpus(Cloud.AWS))
    return {quota: sum(pools.values()) for quota, pools in per_pool.items()}


def quotas(reader: AwsReader, wanted: Wanted, region: str) -> Iterator[Finding]:
    """The machines' quotas in one region, and the network's where the stack has a network there."""
    for machines in wanted.machines:
        if quota_of(machines.machine_type, spot=machines.spot) is None:
            yield unknown(
                f"{region}: quota for {machines.machine_type}",
                "no quota code is on record for this family",
                "Add it to ops/preflight/aws/quotas.py, and see `aws service-quotas list-service-quotas "
                f"--service-code ec2 --region {region}`.",
            )
    needs = vcpus_wanted(wanted)
    used = _Usage.read(reader, wanted, region) if needs else _Usage({})
    for quota, vcpus in needs.items():
        yield _compared(reader, region, quota, vcpus, used.vcpus(quota))
    yield from _network_quotas(reader, wanted, region)
    if wanted.has_door and region == wanted.region:
        yield _compared(reader, region, NETWORK_LOAD_BALANCERS, 1, _others_load_balancers(reader, wanted, region))


def _network_quotas(reader: AwsReader, wanted: Wanted, region: str) -> Iterator[Finding]:
    def planned(token: str, **inputs: str) -> int:
        found = [r for r in wanted.inventory.of_type(token) if r.region == region]
        return len([r for r in found if all(r.get(name) == value for name, value in inputs.items())])

    vpcs = planned("aws:ec2/vpc:Vpc")
    if vpcs:
        others = [v for v in reader.pages("ec2", "describe_vpcs", region, "Vpcs") if not is_ours(v, wanted)]
        yield _compared(reader, region, VPCS, vpcs, len(others))
    doors = planned("aws:ec2/internetGateway:InternetGateway")
    if doors:
        there = reader.pages("ec2", "describe_internet_gateways", region, "InternetGateways")
        yield _compared(reader, region, INTERNET_GATEWAYS, doors, len([g for g in there if not is_ours(g, wanted)]))
    interfaces = planned("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface")
    if interfaces:
        yield _compared(reader, region, INTERFACE_ENDPOINTS, interfaces, 0)
    addresses = planned("aws:ec2/eip:Eip")
    if addresses:
        taken = reader.must("ec2", "describe_addresses", region)["Addresses"]
        yield _compared(reader, region, ADDRESSES, addresses, len([a for a in taken if not is_ours(a, wanted)]))
    gateways = planned("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Gateway")
    if gateways:
        there = reader.pages(
            "ec2",
            "describe_vpc_endpoints",
            region,
            "VpcEndpoints",
            {"Filters": [{"Name": "vpc-endpoint-type", "Values": ["Gateway"]}]},
        )
        yield _compared(
            reader, region, GATEWAY_ENDPOINTS, gateways, len([e for e in there if not is_ours(e, wanted)])
        )


def _others_load_balancers(reader: AwsReader, wanted: Wanted, region: str) -> int:
    """Network load balancers in the region without the label that the door's Service gives its own. Raises Unread."""
    there = reader.pages("elbv2", "describe_load_balancers", region, "LoadBalancers")
    arns = [each["LoadBalancerArn"] for each in there if each.get("Type") == "network"]
    told: list[Mapping[str, Any]] = []
    for first in range(0, len(arns), _TAGS_AT_ONCE):
        asked = {"ResourceArns": arns[first : first + _TAGS_AT_ONCE]}
        told += reader.must("elbv2", "describe_tags", region, asked)["TagDescriptions"]
    return len(arns) - len([each for each in told if is_ours(each, wanted)])


@dataclass(frozen=True)
class _Usage:
    """vCPUs that run in a region and are not the stack's own."""

    by_quota: Mapping[str, int]

    @staticmethod
    def read(reader: AwsReader, wanted: Wanted, region: str) -> _Usage:
        running = {"Filters": [{"Name": "instance-state-name", "Values": ["pending", "running"]}]}
        counted: dict[str, int] = defaultdict(int)
        for reservation in reader.pages("ec2", "describe_instances", region, "Reservations", running):
            for instance in reservation.get("Instances", ()):
                quota = quota_of(instance["InstanceType"], spot=instance.get("InstanceLifecycle") == "spot")
                if quota is not None and not is_ours(instance, wanted):
                    cpu = instance.get("CpuOptions", {})
                    counted[quota.code] += cpu.get("CoreCount", 0) * cpu.get("ThreadsPerCore", 0)
        return _Usage(counted)

    def vcpus(self, quota: Quota) -> int:
        return self.by_quota.get(quota.code, 0)


def is_ours(thing: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether a resource bears the stack's own label, or is a node of its cluster: it counts as planned already."""
    tags = {tag["Key"]: tag["Value"] for tag in thing.get("Tags", ())}
    clusters = wanted.named("aws:eks/cluster:Cluster", "name")
    return tags.get("stack") == wanted.stack or tags.get("eks:cluster-name", "") in clusters


def _compared(reader: AwsReader, region: str, quota: Quota, needs: int, others: int) -> Finding:
    subject = f"{region}: {quota.title}"
    try:
        limit = _limit(reader, region, quota)
    except Unread as error:
        return unknown(subject, error.why, error.remedy)
    said = f"{needs} needed{f' beside {others} in use' if others else ''}, quota {limit:g}"
    if needs + others <= limit:
        return ok(subject, said)
    remedy = (
        f"aws service-quotas request-service-quota-increase --region {region} --service-code {quota.service} "
        f"--quota-code {quota.code} --desired-value {needs + others}"
    )
    return missing(subject, said, remedy)


def _limit(reader: AwsReader, region: str, quota: Quota) -> float:
    asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    absent = ("NoSuchResourceException",)
    found = reader.read("service-quotas", "get_service_quota", region, asked, absent=absent)
    # "For some quotas, only the default values are available" (Service Quotas API reference, botocore 1.44.5).
    found = found or reader.must("service-quotas", "get_aws_default_service_quota", region, asked)
    return float(found["Quota"]["Value"])
