"""The fleet on the cluster, laid out from refs alone: nothing here knows a cloud."""

from components.kubernetes.access import Access
from components.kubernetes.fleet import Fleet
from components.kubernetes.gateway import Controllers, Door
from components.kubernetes.metrics import MetricsPipeline
from components.kubernetes.node_autoscaler import NodeAutoscaler
from components.kubernetes.provider import provider
from components.kubernetes.rollouts.laying import Canaries
from components.kubernetes.variants.laying import Traffic

__all__ = [
    "Access",
    "Canaries",
    "Controllers",
    "Door",
    "Fleet",
    "MetricsPipeline",
    "NodeAutoscaler",
    "Traffic",
    "provider",
]
