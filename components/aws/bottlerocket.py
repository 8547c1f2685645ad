"""What Bottlerocket is told at its first start, as user data: how its NVIDIA device plugin shares GPUs out."""

from __future__ import annotations

import base64
from typing import Final

from components.contracts.accelerators import MODELS
from components.contracts.machines import Machine
from components.contracts.specs import SharingSpec
from components.contracts.vocabulary import SharingStrategy

_PLUGIN: Final = "settings.kubelet-device-plugins.nvidia"


def settings(machine: Machine, sharing: SharingSpec | None) -> str:
    """Bottlerocket's settings as TOML; nothing where the GPUs are not shared.

    bottlerocket.dev/en/os/1.54.x/api/settings/kubelet-device-plugins, read on 2026-11-21. Shares keep the name
    `nvidia.com/gpu`, so that pods, quotas and the node autoscaler count them like GPUs; and a pod cannot ask for two,
    which might be of one GPU.
    """
    if machine.accelerator is None or sharing is None:
        return ""
    if sharing.strategy is SharingStrategy.MIG:
        return (
            f'[{_PLUGIN}]\ndevice-partitioning-strategy = "mig"\n'
            f'[{_PLUGIN}.mig.profile]\n"{MODELS[machine.accelerator].bottlerocket_name}" = "{sharing.profile}"\n'
        )
    return (
        f'[{_PLUGIN}]\ndevice-sharing-strategy = "{sharing.strategy}"\n'
        f"[{_PLUGIN}.{sharing.strategy}]\nreplicas = {sharing.replicas}\n"
        "rename-by-default = false\nfail-requests-greater-than-one = true\n"
    )


def user_data(text: str) -> str | None:
    """Settings as a launch template takes them; EKS adds its own to them."""
    return base64.b64encode(text.encode()).decode() if text else None
