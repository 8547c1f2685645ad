"""What Bottlerocket is told at its first start, as user data: how GPUs are shared out, and how it starts fast."""

from __future__ import annotations

import base64
from typing import Final

from components.contracts.accelerators import MODELS
from components.contracts.machines import Machine
from components.contracts.specs import SharingSpec
from components.contracts.vocabulary import SharingStrategy

_PLUGIN: Final = "settings.kubelet-device-plugins.nvidia"
_PULL: Final = """\
[settings.container-runtime]
snapshotter = "soci"
[settings.container-runtime-plugins.soci-snapshotter]
pull-mode = "parallel-pull-unpack"
[settings.container-runtime-plugins.soci-snapshotter.parallel-pull-unpack]
max-concurrent-downloads-per-image = 20
concurrent-download-chunk-size = "16mb"
max-concurrent-unpacks-per-image = 12
discard-unpacked-layers = true
"""
_LOCAL_DISK: Final = """\
[settings.bootstrap-commands.local-disk]
commands = [
    ["apiclient", "ephemeral-storage", "init"],
    ["apiclient", "ephemeral-storage", "bind", "--dirs", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods", \
"/var/lib/soci-snapshotter"],
]
essential = true
mode = "always"
"""


def settings(machine: Machine, sharing: SharingSpec | None, *, local_disk: bool = False) -> str:
    """Bottlerocket's settings as TOML; nothing for machines without GPUs.

    A layer of a large image is fetched and unpacked in parts at once, and where the pool asks for it the machine's
    own NVMe (an array, of several) holds images and pods' data (bottlerocket.dev/en/os/1.54.x: api/settings/
    container-runtime-plugins, concepts/bootstrap-commands; read on 2026-11-21). A machine whose NVMe does not come
    up never joins, and the next choice is tried.
    """
    if machine.accelerator is None:
        return ""
    return _PULL + (_LOCAL_DISK if local_disk else "") + _sharing(machine, sharing)


def _sharing(machine: Machine, sharing: SharingSpec | None) -> str:
    """How the NVIDIA device plugin shares GPUs out; nothing where they are not shared.

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
