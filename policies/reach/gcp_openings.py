"""What is on the internet on Google Cloud: by being there, or by one of its inputs.

Every input is one of the installed SDK's schema; what a provider takes where it is left out is believed, and where
there was a doubt the open value was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.reach.openings import How, Opening
from policies.tokens import GCP_INSTANCE, GCP_REGION_TEMPLATE, GCP_SUBNET, GCP_TEMPLATE, GCP_ZONE, GKE_NODE_POOL

_FLAG, _NO_FLAG, _GIVEN, _LEFT_OUT, _OTHER = How.FLAG, How.NO_FLAG, How.GIVEN, How.LEFT_OUT, How.OTHER
_MACHINE: Final = tuple(
    Opening("a machine with a public address", _GIVEN, f"networkInterfaces.*.{name}")
    for name in ("accessConfigs", "ipv6AccessConfigs")
)
_INTERNAL: Final = ("INTERNAL", "INTERNAL_MANAGED", "INTERNAL_SELF_MANAGED")
_BALANCER: Final = (Opening("a load balancer on the internet", _OTHER, "loadBalancingScheme", _INTERNAL, "EXTERNAL"),)
_INGRESS: Final = ("INGRESS_TRAFFIC_INTERNAL_ONLY", "INTERNAL_ONLY", "ALLOW_INTERNAL_ONLY", "internal")
_ADDRESS: Final = (Opening("a public address", _OTHER, "addressType", ("INTERNAL",), "EXTERNAL"),)

OPENINGS: Final[Mapping[str, tuple[Opening, ...]]] = {
    GCP_INSTANCE: _MACHINE,
    GCP_TEMPLATE: _MACHINE,
    GCP_REGION_TEMPLATE: _MACHINE,
    "gcp:compute/instanceFromTemplate:InstanceFromTemplate": _MACHINE,
    "gcp:compute/instanceFromMachineImage:InstanceFromMachineImage": _MACHINE,
    "gcp:compute/address:Address": _ADDRESS,
    "gcp:compute/globalAddress:GlobalAddress": _ADDRESS,
    "gcp:compute/forwardingRule:ForwardingRule": _BALANCER,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": _BALANCER,
    "gcp:compute/publicAdvertisedPrefix:PublicAdvertisedPrefix": (Opening("addresses announced to the internet"),),
    "gcp:compute/packetMirroring:PacketMirroring": (Opening("a copy of all packets"),),
    GCP_SUBNET: (
        Opening("machines with public IPv6 addresses", _OTHER, "ipv6AccessType", ("INTERNAL",), "INTERNAL"),
    ),
    GKE_NODE_POOL: (
        Opening("machines with public addresses", _NO_FLAG, "networkConfig.enablePrivateNodes", default="true"),
    ),
    "gcp:cloudrunv2/service:Service": (
        Opening("a public service", _OTHER, "ingress", _INGRESS, "INGRESS_TRAFFIC_ALL"),
    ),
    "gcp:cloudrun/service:Service": (Opening("a service of Cloud Run's first API, which the internet may call"),),
    "gcp:cloudfunctions/function:Function": (
        Opening("a public function", _OTHER, "ingressSettings", _INGRESS, "ALLOW_ALL"),
    ),
    "gcp:cloudfunctionsv2/function:Function": (
        Opening("a public function", _OTHER, "serviceConfig.ingressSettings", _INGRESS, "ALLOW_ALL"),
    ),
    "gcp:apigateway/gateway:Gateway": (Opening("a public API"),),
    "gcp:appengine/application:Application": (Opening("a public site"),),
    "gcp:appengine/standardAppVersion:StandardAppVersion": (Opening("a public site"),),
    "gcp:appengine/flexibleAppVersion:FlexibleAppVersion": (Opening("a public site"),),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        Opening("a public database", _FLAG, "settings.ipConfiguration.ipv4Enabled", default="true"),
        Opening("a public database", _GIVEN, "settings.ipConfiguration.authorizedNetworks"),
    ),
    "gcp:alloydb/instance:Instance": (
        Opening("a public database", _FLAG, "networkConfig.enablePublicIp"),
        Opening("a public database", _GIVEN, "networkConfig.authorizedExternalNetworks"),
    ),
    "gcp:workbench/instance:Instance": (
        Opening("a notebook with a public address", _NO_FLAG, "gceSetup.disablePublicIp"),
    ),
    "gcp:dataproc/cluster:Cluster": (
        Opening("machines with public addresses", _NO_FLAG, "clusterConfig.gceClusterConfig.internalIpOnly"),
    ),
    "gcp:composer/environment:Environment": (
        Opening("machines with public addresses", _NO_FLAG, "config.privateEnvironmentConfig.enablePrivateEndpoint"),
    ),
    "gcp:dataflow/job:Job": (
        Opening("machines with public addresses", _OTHER, "ipConfiguration", ("WORKER_IP_PRIVATE",), "PUBLIC"),
    ),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": (
        Opening("machines with public addresses", _OTHER, "ipConfiguration", ("WORKER_IP_PRIVATE",), "PUBLIC"),
    ),
    "gcp:cloudbuild/workerPool:WorkerPool": (
        Opening("machines with public addresses", _NO_FLAG, "workerConfig.noExternalIp"),
    ),
    "gcp:tpu/v2Vm:V2Vm": (Opening("a machine with a public address", _FLAG, "networkConfig.enableExternalIps"),),
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": (Opening("a public endpoint", _FLAG, "publicEndpointEnabled"),),
    "gcp:datafusion/instance:Instance": (Opening("a public instance", _NO_FLAG, "privateInstance"),),
    "gcp:looker/instance:Instance": (Opening("a public instance", _FLAG, "publicIpEnabled", default="true"),),
    "gcp:networkservices/gateway:Gateway": (Opening("a gateway beside the door"),),
    GCP_ZONE: (Opening("names that the internet may ask for", _OTHER, "visibility", ("private",), "public"),),
}
"""Type → what opens it. The door's own load balancer is Kubernetes', and is in no plan."""
