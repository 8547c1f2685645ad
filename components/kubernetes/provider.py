"""The Kubernetes provider of a stack's own cluster."""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

from components.contracts.refs import ClusterRef


def provider(cluster: ClusterRef) -> kubernetes.Provider:
    """A provider that reaches `cluster` with the credentials of whoever runs Pulumi, as its kubeconfig says."""
    return kubernetes.Provider("cluster", kubeconfig=cluster.kubeconfig, enable_server_side_apply=True)
