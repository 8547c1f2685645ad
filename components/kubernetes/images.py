"""The public images that the platform itself runs, pinned by digest and pulled through the stack's mirrors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from components.contracts.refs import RegistryRef


@dataclass(frozen=True)
class PublicImage:
    """An image of a public registry; `version` is for people, the digest decides."""

    registry: str
    repository: str
    version: str
    digest: str


PROMETHEUS: Final = PublicImage(
    "quay.io",
    "prometheus/prometheus",
    "3.5.0",
    "sha256:63805ebb8d2b3920190daf1cb14a60871b16fd38bed42b857a3182bc621f4996",
)
PROMETHEUS_ADAPTER: Final = PublicImage(
    "registry.k8s.io",
    "prometheus-adapter/prometheus-adapter",
    "0.10.0",
    "sha256:2f34cb3a04a0fee6034f4d63ce3ee7786c0f762dc9f3bf196c70e894dd92edd1",
)
CLUSTER_AUTOSCALER: Final = PublicImage(
    "registry.k8s.io",
    "autoscaling/cluster-autoscaler",
    "1.35.2",
    "sha256:aac369dc283927a623deb1af54696efcc722ae79255aa07788422e495bab887d",
)
"""Its minor version follows Kubernetes': raise both together."""


def mirrored(registry: RegistryRef, image: PublicImage) -> str:
    """Where the private network pulls `image` from.

    Raises:
        KeyError: the stack's registry does not mirror the image's.
    """
    return f"{registry.mirrors[image.registry]}/{image.repository}@{image.digest}"
