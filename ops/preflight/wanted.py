"""What a stack will need of its account, read from its plan: machines, addresses, names, APIs.

The plan is what will be asked for, whatever the settings call it; nothing here asks a cloud.
"""

from __future__ import annotations

import ipaddress
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from components.contracts.machines import MACHINES
from components.contracts.serving import POOL_LABEL
from components.contracts.vocabulary import Cloud
from policies.inventory import UNKNOWN, Inventory, Resource

_SERVICE_ROLE: Final = re.compile(r"role/aws-service-role/(?P<service>[a-z0-9.-]+)/(?P<role>[A-Za-z0-9_]+)")
_AGENT: Final = re.compile(r"serviceAccount:(service-\d+@[a-z0-9.-]+\.iam\.gserviceaccount\.com)")


@dataclass(frozen=True)
class Machines:
    """The most machines of one type that one pool may come to have, bought in one way."""

    pool: str
    machine_type: str
    spot: bool
    most: int
    zones: tuple[str, ...]
    disk_gib: int = 0
    accelerator: str = ""
    """Google Cloud's type of it, as nvidia-l4; empty for none, and on AWS, where the machine type says it."""
    accelerators_each: int = 0

    def vcpus(self, cloud: Cloud) -> int:
        """Of all of them."""
        return self.most * MACHINES[cloud][self.machine_type].vcpus


@dataclass(frozen=True)
class Release:
    """A model release, and the only manifest that it may have."""

    version: str
    manifest_sha256: str
    signers: tuple[str, ...] = ()
    """Fingerprints, one of which must have signed it; none where the settings ask for no signature."""


@dataclass(frozen=True)
class Wanted:
    """One stack's needs."""

    inventory: Inventory

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.inventory.stack

    @cached_property
    def cloud(self) -> Cloud:
        """Where it runs."""
        return Cloud(str(self.inventory.settings["cloud"]))

    @cached_property
    def account(self) -> str:
        """The account's digits, or the project's id."""
        return str(self.inventory.settings["account"])

    @cached_property
    def region(self) -> str:
        """The primary region."""
        return str(self.inventory.settings["region"])

    @cached_property
    def backup_region(self) -> str:
        """The region that holds the copies; empty for a bootstrap stack, which has none."""
        backup = self.inventory.settings.get("backup")
        return str(backup["region"]) if isinstance(backup, Mapping) and "region" in backup else ""

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """The primary region, and the backup region if there is one."""
        return tuple(dict.fromkeys(r for r in (self.region, self.backup_region) if r))

    @cached_property
    def types(self) -> frozenset[str]:
        """The cloud's own resource types."""
        prefix = f"{self.cloud}:"
        return frozenset(r.type for r in self.inventory.resources if r.custom and r.type.startswith(prefix))

    def named(self, token: str, name: str) -> tuple[str, ...]:
        """What the input `name` of resources of one type holds, where the plan knows it, each once."""
        values = (r.get(name) for r in self.inventory.of_type(token))
        return tuple(dict.fromkeys(v for v in values if isinstance(v, str) and v != UNKNOWN))

    @cached_property
    def has_door(self) -> bool:
        """Whether the plan asks the cluster for the fleet's door, before which the cloud puts a load balancer."""
        return any(True for _ in self.inventory.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"))

    @cached_property
    def door(self) -> Mapping[str, Any]:
        """The door's settings; nothing where there is none."""
        fleet = self.inventory.settings.get("fleet")
        found = fleet.get("door") if isinstance(fleet, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @cached_property
    def machines(self) -> tuple[Machines, ...]:
        """The node pools' machines; several types of one group are choices, each up to the group's size."""
        if self.cloud is Cloud.AWS:
            return tuple(
                m for r in self.inventory.of_type("aws:eks/nodeGroup:NodeGroup") for m in self._node_group(r)
            )
        return tuple(self._node_pool(r) for r in self.inventory.of_type("gcp:container/nodePool:NodePool"))

    def _node_group(self, group: Resource) -> Iterator[Machines]:
        subnets = self.inventory.linked(group, "subnetIds", "aws:ec2/subnet:Subnet")
        zones = {s.get("availabilityZoneId") or s.get("availabilityZone") for s in subnets}
        pool = _labelled(group.get("labels"), group.name)
        for machine_type in group.get("instanceTypes", ()):
            yield Machines(
                pool=pool,
                machine_type=machine_type,
                spot=group.get("capacityType") == "SPOT",
                most=min(int(group.get("scalingConfig.maxSize", 0)), self._most_nodes(pool)),
                zones=tuple(sorted(map(str, zones))),
            )

    def _most_nodes(self, pool: str) -> int:
        """The settings' bound of a pool, which the autoscaler keeps: a group's own size may be far above."""
        pools = self.inventory.settings.get("pools")
        asked = pools.get(pool) if isinstance(pools, Mapping) else None
        return int(asked["max_nodes"]) if isinstance(asked, Mapping) and "max_nodes" in asked else sys.maxsize

    def _node_pool(self, pool: Resource) -> Machines:
        clusters = tuple(self.inventory.of_type("gcp:container/cluster:Cluster"))
        zones = pool.get("nodeLocations") or [z for c in clusters for z in c.get("nodeLocations", ())]
        name = _labelled(pool.get("nodeConfig.labels"), pool.name)
        cards = pool.get("nodeConfig.guestAccelerators") or [{}]
        most = pool.get("autoscaling.totalMaxNodeCount") or pool.get("autoscaling.maxNodeCount", 0) * len(zones)
        return Machines(
            pool=name,
            machine_type=str(pool.get("nodeConfig.machineType")),
            spot=bool(pool.get("nodeConfig.spot", False)),
            most=min(int(most or pool.get("nodeCount", 0)), self._most_nodes(name)),
            zones=tuple(sorted(zones)),
            disk_gib=int(pool.get("nodeConfig.diskSizeGb", 0)),
            accelerator=str(cards[0].get("type", "")),
            accelerators_each=int(cards[0].get("count", 0)),
        )

    @cached_property
    def networks(self) -> Mapping[str, ipaddress.IPv4Network]:
        """Address ranges that the stack takes, by what takes them."""
        ranges: dict[str, str] = {}
        for vpc in self.inventory.of_type("aws:ec2/vpc:Vpc"):
            ranges[f"network {vpc.region or self.region}"] = str(vpc.get("cidrBlock"))
        for subnet in self.inventory.of_type("gcp:compute/subnetwork:Subnetwork"):
            ranges[f"subnet {subnet.get('region')}"] = str(subnet.get("ipCidrRange"))
            for secondary in subnet.get("secondaryIpRanges", ()):
                ranges[f"{secondary['rangeName']} {subnet.get('region')}"] = str(secondary["ipCidrRange"])
        for address in self.inventory.of_type("gcp:compute/globalAddress:GlobalAddress"):
            if address.get("purpose") == "VPC_PEERING":
                ranges["managed services"] = f"{address.get('address')}/{address.get('prefixLength')}"
        for cluster in self.inventory.of_type("gcp:container/cluster:Cluster"):
            block = cluster.get("privateClusterConfig.masterIpv4CidrBlock")
            if block:
                ranges["control plane"] = str(block)
        return {name: ipaddress.IPv4Network(cidr) for name, cidr in ranges.items()}

    @cached_property
    def joined(self) -> Mapping[str, ipaddress.IPv4Network]:
        """Private networks that the settings say are joined to the stack's (`cluster.private_cidrs`), by name."""
        cluster = self.inventory.settings.get("cluster")
        named = cluster.get("private_cidrs") if isinstance(cluster, Mapping) else None
        return {name: ipaddress.IPv4Network(cidr) for name, cidr in (named or {}).items()}

    @cached_property
    def service_linked_roles(self) -> Mapping[str, str]:
        """Service-linked roles that must exist first, role → service: those that a planned policy names as a
        principal, and spot's where a pool is bought that way."""
        text = json.dumps([dict(r.inputs) for r in self.inventory.resources if r.custom])
        found = {m["role"]: m["service"] for m in _SERVICE_ROLE.finditer(text)}
        if self.cloud is Cloud.AWS and any(machines.spot for machines in self.machines):
            found["AWSServiceRoleForEC2Spot"] = "spot.amazonaws.com"
        return dict(sorted(found.items()))

    @cached_property
    def service_agents(self) -> tuple[str, ...]:
        """E-mail addresses of the service agents that the plan grants something to, sorted."""
        text = json.dumps([r.get("member") for r in self.inventory.resources if r.custom and r.get("member")])
        return tuple(sorted(set(_AGENT.findall(text))))

    @cached_property
    def kubernetes_version(self) -> str:
        """The control plane's minor version, as 1.35; empty without a cluster."""
        for cluster in self.inventory.of_type("aws:eks/cluster:Cluster"):
            return str(cluster.get("version"))
        for cluster in self.inventory.of_type("gcp:container/cluster:Cluster"):
            return str(cluster.get("minMasterVersion"))
        return ""

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """The releases that the fleet's services serve, each once; none without a fleet."""
        fleet = self.inventory.settings.get("fleet")
        services = fleet.get("services") if isinstance(fleet, Mapping) else None
        found: list[Release] = []
        for service in services.values() if isinstance(services, Mapping) else ():
            for variant in (service, *(service.get("challengers") or {}).values()):
                asked = variant["release"]
                signers = tuple(map(str, asked.get("signers", ())))
                found.append(Release(str(asked["version"]), str(asked["manifest_sha256"]), signers))
        return tuple(dict.fromkeys(found))


def _labelled(labels: object, otherwise: str) -> str:
    return str(labels.get(POOL_LABEL, otherwise)) if isinstance(labels, Mapping) else otherwise
