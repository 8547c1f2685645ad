"""The fleet on the cluster, laid out from refs alone: nothing here knows a cloud."""

from components.kubernetes.access import Access
from components.kubernetes.fleet import Fleet
from components.kubernetes.metrics import MetricsPipeline
from components.kubernetes.node_autoscaler import NodeAutoscaler
from components.kubernetes.provider import provider

__all__ = ["Access", "Fleet", "MetricsPipeline", "NodeAutoscaler", "provider"]
