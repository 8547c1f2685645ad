"""The platform on Google Cloud, as `components.contracts.ports.CloudModule` asks for it.

A stack has a project to itself: the Binary Authorization policy and the rule that Cloud Storage is reached over TLS
only exist once in a project.
"""

from components.gcp.audit import Audit
from components.gcp.backup import Backup
from components.gcp.cluster import Cluster, node_autoscaler_identity
from components.gcp.door import exposure
from components.gcp.feature_store import FeatureStore
from components.gcp.identity import Identity
from components.gcp.keys import Keys
from components.gcp.monitoring import Monitoring
from components.gcp.network import Network
from components.gcp.node_pools import NodePools
from components.gcp.operators import Operators
from components.gcp.provider import provider
from components.gcp.registry import Registry, registry_address
from components.gcp.standby import Standby
from components.gcp.storage import Storage

__all__ = [
    "Audit",
    "Backup",
    "Cluster",
    "FeatureStore",
    "Identity",
    "Keys",
    "Monitoring",
    "Network",
    "NodePools",
    "Operators",
    "Registry",
    "Standby",
    "Storage",
    "exposure",
    "node_autoscaler_identity",
    "provider",
    "registry_address",
]
