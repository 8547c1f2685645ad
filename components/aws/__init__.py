"""AWS' implementation of the platform's ports: what `components.contracts.ports.CloudModule` promises."""

from components.aws.audit import Audit
from components.aws.backup import Backup
from components.aws.cluster import Cluster
from components.aws.door import exposure
from components.aws.feature_store import FeatureStore
from components.aws.identity import Identity, node_autoscaler_identity
from components.aws.keys import Keys
from components.aws.monitoring import Monitoring
from components.aws.network import Network
from components.aws.node_pools import NodePools
from components.aws.operators import Operators
from components.aws.provider import provider
from components.aws.registry import Registry, registry_address
from components.aws.standby import Standby
from components.aws.storage import Storage

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
