"""The command lines of a control plane's programs: pure, from where their files lie and which ports they have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localcloud.kubernetes.control_plane.certificates import Pair
from localcloud.kubernetes.control_plane.stages import Pace
from localcloud.toolchain.kubernetes import API_SERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER

HOST: Final = "127.0.0.1"
SERVICE_RANGE: Final = "172.20.0.0/16"
"""Addresses of services, as stacks on AWS ask for; GKE gives others, which no stack names."""
FIRST_SERVICE: Final = "172.20.0.1"
"""The API server's own service."""
ISSUER: Final = "https://kubernetes.default.svc"

EXTRA_ADMISSION: Final = ("ExtendedResourceToleration", "NodeRestriction")
"""What EKS and GKE admit by beside Kubernetes' defaults, of what can refuse or change objects of a stack: a pod that
asks for GPUs tolerates their taint (EKS guide on local clusters lists both for 1.29 and 1.30,
awsdocs/amazon-eks-user-guide of 2024-12, read 2026-11-21; believed for EKS in a region, for GKE and for 1.35)."""


@dataclass(frozen=True)
class Files:
    """What the programs of one control plane read and write."""

    binaries: Path
    kwok: Path
    """The folder with KWOK and its stages."""
    data: Path
    ca: Path
    server: Pair
    """Serves each of them, and is etcd's client."""
    signer: Pair
    """The authority that signs certificate requests."""
    front_proxy_ca: Path
    front_proxy: Pair
    """By which the API server shows itself to aggregated APIs."""
    service_account_key: Path
    tokens: Path
    egress: Path

    @property
    def kwok_config(self) -> Path:
        """What KWOK makes of nodes and pods."""
        return self.data / "kwok.yaml"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of one of the programs, or of the administrator."""
        return self.data / f"{user}.kubeconfig"


def etcd(files: Files, client: int, peer: int) -> list[str]:
    """etcd alone, on loopback, without waiting for the disk: what it keeps is gone with the control plane."""
    url, peer_url = f"https://{HOST}:{client}", f"http://{HOST}:{peer}"
    return [
        str(files.binaries / ETCD),
        "--name=local",
        f"--data-dir={files.data / 'etcd'}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=local={peer_url}",
        "--client-cert-auth",
        f"--trusted-ca-file={files.ca}",
        f"--cert-file={files.server.certificate}",
        f"--key-file={files.server.key}",
        "--log-level=warn",
    ]


def api_server(files: Files, port: int, etcd_port: int) -> list[str]:
    """The API server, as EKS and GKE run it as far as a stack can tell: RBAC, admission, tokens, aggregation."""
    return [
        str(files.binaries / API_SERVER),
        f"--etcd-servers=https://{HOST}:{etcd_port}",
        f"--etcd-cafile={files.ca}",
        f"--etcd-certfile={files.server.certificate}",
        f"--etcd-keyfile={files.server.key}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        # Endpoints may not be on loopback; pods are told the address by their environment.
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={files.server.certificate}",
        f"--tls-private-key-file={files.server.key}",
        f"--client-ca-file={files.ca}",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=Node,RBAC",
        f"--enable-admission-plugins={','.join(EXTRA_ADMISSION)}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={files.service_account_key}",
        f"--service-account-signing-key-file={files.service_account_key}",
        f"--requestheader-client-ca-file={files.front_proxy_ca}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={files.front_proxy.certificate}",
        f"--proxy-client-key-file={files.front_proxy.key}",
        # To aggregated APIs and webhooks by way of their pods, which the selectors of their services choose.
        "--enable-aggregator-routing=true",
        f"--egress-selector-config-file={files.egress}",
        "--profiling=false",
    ]


def controller_manager(files: Files, port: int, pace: Pace) -> list[str]:
    """Every controller under an account of its own: one that shares rights would hide missing ones."""
    kubeconfig = files.kubeconfig(CONTROLLER_MANAGER)
    return [
        str(files.binaries / CONTROLLER_MANAGER),
        *_served(files, port, kubeconfig),
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={files.service_account_key}",
        f"--root-ca-file={files.ca}",
        f"--cluster-signing-cert-file={files.signer.certificate}",
        f"--cluster-signing-key-file={files.signer.key}",
        f"--horizontal-pod-autoscaler-sync-period={pace.hpa_sync_seconds}s",
        f"--node-monitor-grace-period={pace.node_lost_seconds}s",
    ]


def scheduler(files: Files, port: int) -> list[str]:
    """The scheduler with its default profile, as EKS and GKE have it (GKE's may differ in scores; believed)."""
    return [str(files.binaries / SCHEDULER), *_served(files, port, files.kubeconfig(SCHEDULER))]


def kwok(files: Files, port: int) -> list[str]:
    """KWOK in the place of every kubelet."""
    return [
        str(files.kwok / KWOK),
        f"--kubeconfig={files.kubeconfig(KWOK)}",
        f"--config={files.kwok_config}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",
        f"--server-address={HOST}:{port}",
    ]


def _served(files: Files, port: int, kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        f"--tls-cert-file={files.server.certificate}",
        f"--tls-private-key-file={files.server.key}",
        "--leader-elect=false",
        "--profiling=false",
    ]
