"""The Kubernetes provider of a stack's own cluster."""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

from components.contracts.refs import ClusterRef


def provider(cluster: ClusterRef) -> kubernetes.Provider:
    """A provider that reaches `cluster` with the credentials of whoever runs Pulumi, as its kubeconfig says.

    Only another cluster replaces it, and with it all that is on the cluster: without an identifier a new address or
    authority does too (`DiffConfig` in pulumi-kubernetes, provider/pkg/provider/provider.go, 2026-11-21). A changed
    ConfigMap or Secret is changed: by default it would be deleted first, since pods find it by its name, and be
    missing for a while. Pods that read one at their start bear its checksum.
    """
    return kubernetes.Provider(
        "cluster",
        kubeconfig=cluster.kubeconfig,
        cluster_identifier=cluster.identifier,
        enable_server_side_apply=True,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
