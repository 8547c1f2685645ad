"""Edits of the production plan on Google Cloud: harmful ones with the rule that must find each, and harmless ones."""

from __future__ import annotations

from typing import Any

from policies.inventory import UNKNOWN
from tests.policies.reach.planting import GONE, Change, To, add, edit, several

_NETWORK = To("compute/network:Network", "network")
_EVERY = "0.0.0.0/0"
_OWN = "control-plane-to-nodes"
FIREWALL, PORTS, NETWORK = "gcp-firewall-named-networks", "gcp-firewall-ports-named", "gcp-vpc-internet-door-only"
JOINED, PUBLIC, FLOWS = "gcp-connections-declared", "gcp-no-public-address", "gcp-flow-logs-whole"
CLUSTER = "gcp-gke-authorized-networks"


def firewall(name: str = "planted", **inputs: Any) -> Change:
    told = {"network": _NETWORK, "allows": [{"protocol": "tcp", "ports": ["443"]}], **inputs}
    return add("gcp:compute/firewall:Firewall", told, name)


def policy_rule(**inputs: Any) -> Change:
    told = {"firewallPolicy": "p", "direction": "INGRESS", "action": "allow", "priority": 100, **inputs}
    return add("gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule", told)


def route(**inputs: Any) -> Change:
    return add(
        "gcp:compute/route:Route", {"network": _NETWORK, "nextHopGateway": "default-internet-gateway", **inputs}
    )


_DENIES = {"allows": GONE, "denies": [{"protocol": "all"}], "logConfig": {"metadata": "INCLUDE_ALL_METADATA"}}


def denial(**inputs: Any) -> Change:
    told = {key: value for key, value in {**_DENIES, **inputs}.items() if value is not GONE}
    return add("gcp:compute/firewall:Firewall", {"network": _NETWORK, **told}, "denial")


def _https(ranges: list[str]) -> dict[str, Any]:
    return {"layer4Configs": [{"ipProtocol": "tcp", "ports": ["443"]}], "srcIpRanges": ranges}


_SUBNET = "compute/subnetwork:Subnetwork"

HARMFUL: dict[str, tuple[str, Change]] = {
    "a rule for the world": (FIREWALL, firewall(sourceRanges=[_EVERY])),
    "a rule for the world in halves": (FIREWALL, firewall(sourceRanges=["0.0.0.0/1", "128.0.0.0/1"])),
    "a rule for the world by IPv6": (FIREWALL, firewall(sourceRanges=["::/0"])),
    "a rule for whoever": (FIREWALL, firewall()),
    "a rule for a public network": (FIREWALL, firewall(sourceRanges=["203.0.113.0/24"])),
    "a rule for tags and the world": (FIREWALL, firewall(sourceTags=["a"], sourceRanges=[_EVERY])),
    "a rule for a private network of nobody's": (FIREWALL, firewall(sourceRanges=["192.168.0.0/16"])),
    "a rule for a hidden network": (FIREWALL, firewall(sourceRanges=[UNKNOWN])),
    "a rule denied too late": (
        FIREWALL,
        several(firewall(sourceRanges=[_EVERY], priority=500), denial(sourceRanges=[_EVERY], priority=600)),
    ),
    "a rule denied in half": (
        FIREWALL,
        several(firewall(sourceRanges=[_EVERY], priority=500), denial(sourceRanges=["0.0.0.0/1"], priority=400)),
    ),
    "a rule denied for some machines": (
        FIREWALL,
        several(
            firewall(sourceRanges=[_EVERY], priority=500),
            denial(sourceRanges=[_EVERY], priority=400, targetTags=["other"]),
        ),
    ),
    "a rule denied by one that is off": (
        FIREWALL,
        several(
            firewall(sourceRanges=[_EVERY], priority=500), denial(sourceRanges=[_EVERY], priority=400, disabled=True)
        ),
    ),
    "the control plane's rule opened": (FIREWALL, edit("Firewall", "sourceRanges", [_EVERY], _OWN)),
    "the control plane's rule without a source": (FIREWALL, edit("Firewall", "sourceRanges", GONE, _OWN)),
    "the denial turned into an allowance": (
        FIREWALL,
        several(
            edit("Firewall", "denies", GONE, "deny-ingress"),
            edit("Firewall", "allows", [{"protocol": "tcp", "ports": ["443"]}], "deny-ingress"),
        ),
    ),
    "a rule out to the world": (FIREWALL, firewall(direction="EGRESS", destinationRanges=[_EVERY])),
    "a rule out to whoever": (FIREWALL, firewall(direction="EGRESS")),
    "a policy's rule for the world": (FIREWALL, policy_rule(match=_https([_EVERY]))),
    "a policy's rule for countries": (FIREWALL, policy_rule(match={**_https([]), "srcRegionCodes": ["DE"]})),
    "a hierarchical rule for the world": (
        FIREWALL,
        add(
            "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
            {
                "firewallPolicy": "p",
                "direction": "INGRESS",
                "action": "allow",
                "priority": 1,
                "match": _https([_EVERY]),
            },
        ),
    ),
    "a policy with rules for the world": (
        FIREWALL,
        add(
            "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules",
            {"rules": [{"direction": "INGRESS", "action": "allow", "priority": 1, "match": _https([_EVERY])}]},
        ),
    ),
    "every protocol": (PORTS, edit("Firewall", "allows", [{"protocol": "all"}], _OWN)),
    "every port": (PORTS, edit("Firewall", "allows.0.ports", GONE, _OWN)),
    "a wide range of ports": (PORTS, edit("Firewall", "allows.0.ports", ["1-65535"], _OWN)),
    "SSH": (PORTS, edit("Firewall", "allows.0.ports", ["443", "22"], _OWN)),
    "SSH through Google's own front": (FIREWALL, firewall(sourceRanges=["35.235.240.0/20"])),
    "default routes kept": (NETWORK, edit("compute/network:Network", "deleteDefaultRoutesOnCreate", False)),
    "a default route": (NETWORK, route(destRange=_EVERY)),
    "half of a default route": (NETWORK, route(destRange="128.0.0.0/1")),
    "a default route by IPv6": (NETWORK, route(destRange="::/0")),
    "a route by a machine": (NETWORK, route(destRange=_EVERY, nextHopGateway=GONE, nextHopInstance="i")),
    "a route by an address": (NETWORK, route(destRange=_EVERY, nextHopGateway="", nextHopIp="10.20.0.9")),
    "the route to the APIs widened": (
        NETWORK,
        edit("compute/route:Route", "destRange", "199.36.0.0/16", "google-apis"),
    ),
    "a route of nobody's": (JOINED, route(network="other", destRange=_EVERY)),
    "a translation of addresses": (JOINED, add("gcp:compute/routerNat:RouterNat", {"router": "r"})),
    "a peering": (
        JOINED,
        add("gcp:compute/networkPeering:NetworkPeering", {"network": _NETWORK, "peerNetwork": "n"}),
    ),
    "a VPN": (JOINED, add("gcp:compute/haVpnGateway:HaVpnGateway", {"network": _NETWORK})),
    "a tunnel": (JOINED, add("gcp:compute/vPNTunnel:VPNTunnel", {"sharedSecret": "x"})),
    "an attachment to a provider": (JOINED, add("gcp:compute/interconnectAttachment:InterconnectAttachment", {})),
    "routes of a peering taken over": (
        JOINED,
        add("gcp:compute/networkPeeringRoutesConfig:NetworkPeeringRoutesConfig", {"importCustomRoutes": True}),
    ),
    "a service for every project": (
        JOINED,
        add("gcp:compute/serviceAttachment:ServiceAttachment", {"connectionPreference": "ACCEPT_AUTOMATIC"}),
    ),
    "a network that other projects use": (JOINED, add("gcp:compute/sharedVPCHostProject:SharedVPCHostProject", {})),
    "a route past the network's": (JOINED, add("gcp:networkconnectivity/policyBasedRoute:PolicyBasedRoute", {})),
    "a machine with a public address": (
        PUBLIC,
        add("gcp:compute/instance:Instance", {"networkInterfaces": [{"network": _NETWORK, "accessConfigs": [{}]}]}),
    ),
    "a template with a public address": (
        PUBLIC,
        add(
            "gcp:compute/instanceTemplate:InstanceTemplate",
            {"networkInterfaces": [{"accessConfigs": [{"networkTier": "PREMIUM"}]}]},
        ),
    ),
    "a machine with public IPv6": (
        PUBLIC,
        add(
            "gcp:compute/instance:Instance",
            {"networkInterfaces": [{"ipv6AccessConfigs": [{"networkTier": "PREMIUM"}]}]},
        ),
    ),
    "a subnet with public IPv6": (PUBLIC, edit(_SUBNET, "ipv6AccessType", "EXTERNAL", "subnet")),
    "an address": (PUBLIC, add("gcp:compute/address:Address", {"name": "a"})),
    "an address for everywhere": (PUBLIC, add("gcp:compute/globalAddress:GlobalAddress", {"name": "a"})),
    "the reserved range made public": (
        PUBLIC,
        edit("compute/globalAddress:GlobalAddress", "addressType", "EXTERNAL", "managed-services"),
    ),
    "a public load balancer": (PUBLIC, add("gcp:compute/forwardingRule:ForwardingRule", {"name": "f"})),
    "a public managed load balancer": (
        PUBLIC,
        add("gcp:compute/globalForwardingRule:GlobalForwardingRule", {"loadBalancingScheme": "EXTERNAL_MANAGED"}),
    ),
    "machines of a pool with public addresses": (
        PUBLIC,
        edit("container/nodePool:NodePool", "networkConfig.enablePrivateNodes", False),
    ),
    "machines of the cluster with public addresses": (
        "gcp-gke-private-nodes",
        edit("container/cluster:Cluster", "privateClusterConfig.enablePrivateNodes", False),
    ),
    "a public service of Cloud Run": (
        PUBLIC,
        add("gcp:cloudrunv2/service:Service", {"ingress": "INGRESS_TRAFFIC_ALL"}),
    ),
    "a public function": (PUBLIC, add("gcp:cloudfunctionsv2/function:Function", {"name": "f"})),
    "a public database": (PUBLIC, add("gcp:sql/databaseInstance:DatabaseInstance", {"settings": {"tier": "t"}})),
    "a database for named strangers": (
        PUBLIC,
        add(
            "gcp:sql/databaseInstance:DatabaseInstance",
            {"settings": {"ipConfiguration": {"ipv4Enabled": False, "authorizedNetworks": [{"value": _EVERY}]}}},
        ),
    ),
    "a public notebook": (PUBLIC, add("gcp:workbench/instance:Instance", {"gceSetup": {}})),
    "names for everyone": (PUBLIC, edit("dns/managedZone:ManagedZone", "visibility", "public", "gcr")),
    "the control plane's address switched on": (
        "gcp-gke-endpoint-closed",
        edit("container/cluster:Cluster", "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", True),
    ),
    "authorised networks of the world": (
        CLUSTER,
        edit(
            "container/cluster:Cluster",
            "masterAuthorizedNetworksConfig",
            {"cidrBlocks": [{"cidrBlock": "0.0.0.0/1"}, {"cidrBlock": "128.0.0.0/1"}]},
        ),
    ),
    "everybody on Google Cloud": (
        CLUSTER,
        edit("container/cluster:Cluster", "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled", "true"),
    ),
    "flow logs of nothing": (FLOWS, edit(_SUBNET, "logConfig.filterExpr", "false", "subnet")),
    "flow logs of a few": (FLOWS, edit(_SUBNET, "logConfig.flowSampling", 0.01, "standby")),
    "no flow logs": ("gcp-subnet-flow-logs", edit(_SUBNET, "logConfig", GONE, "subnet")),
}
"""What is planted → the rule that must find it."""

HARMLESS: dict[str, Change] = {
    "a narrower rule": edit("Firewall", "sourceRanges", ["10.20.32.0/29"], _OWN),
    "the rule in halves": edit("Firewall", "sourceRanges", ["10.20.32.0/29", "10.20.32.8/29"], _OWN),
    "the protocol by its number": edit("Firewall", "allows.0.protocol", "6", _OWN),
    "ports as numbers": edit("Firewall", "allows.0.ports", [443, 6443], _OWN),
    "the priority as text": edit("Firewall", "priority", "1000", _OWN),
    "fewer ports": edit("Firewall", "allows.0.ports", ["443"], _OWN),
    "a rule for probes": firewall(sourceRanges=["35.191.0.0/16", "130.211.0.0/22"]),
    "a rule for tags": firewall(sourceTags=["a"]),
    "a rule that is off": firewall(sourceRanges=[_EVERY], disabled=True),
    "a rule denied before": several(
        firewall(sourceRanges=[_EVERY], priority=500),
        denial(sourceRanges=["0.0.0.0/1", "128.0.0.0/1"], priority="400"),
    ),
    "a policy's rule that denies": policy_rule(match=_https([_EVERY]), action="deny"),
    "a policy's rule that leaves it to the next": policy_rule(match=_https([_EVERY]), action="goto_next"),
    "a policy's rule for the network": policy_rule(match=_https(["10.20.0.0/20"])),
    "another route to the APIs": route(destRange="199.36.153.8/30"),
    "half of the route to the APIs": edit("compute/route:Route", "destRange", "199.36.153.4/31", "google-apis"),
    "a machine without an address": add(
        "gcp:compute/instance:Instance", {"networkInterfaces": [{"network": _NETWORK}]}
    ),
    "an internal address": add("gcp:compute/address:Address", {"addressType": "INTERNAL"}),
    "an internal load balancer": add(
        "gcp:compute/forwardingRule:ForwardingRule", {"loadBalancingScheme": "INTERNAL"}
    ),
    "an internal service": add("gcp:cloudrunv2/service:Service", {"ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"}),
    "a pool that follows its cluster": edit("container/nodePool:NodePool", "networkConfig", GONE),
    "more of the flow logs": edit(_SUBNET, "logConfig.flowSampling", 1.0, "subnet"),
    "authorised networks of the stack": edit(
        "container/cluster:Cluster", "masterAuthorizedNetworksConfig", {"cidrBlocks": [{"cidrBlock": "10.20.0.0/20"}]}
    ),
}
"""What changes nothing about who gets where, or narrows it."""
