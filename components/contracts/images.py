"""The container images that a stack runs: the public ones in one table, and under which tag each digest is kept.

A node has no way to the internet, and what it pulls must not depend on a public registry's day: every image is copied
into ordinary repositories of the stack's own, in both regions, by `seawall images sync`. Two cloud-side ways were
left for that, settled on 2026-11-21:

- ECR's pull-through cache does not fill an image that is asked for by digest (aws/containers-roadmap#2837), and
  every image here is. Artifact Registry's remote repositories would fetch, but keep upstream's tags movable and ask
  upstream at a pull; ordinary repositories are the same on both clouds.
- ECR's replication is set once for an account's whole registry in a region (`PutReplicationConfiguration` replaces
  it), so that two stacks would overwrite each other's; it takes neither settings nor older images along (ECR user
  guide, "Private image replication"). Artifact Registry has none. A copy that is pushed and read back is the same on
  both clouds, and `seawall images check` knows at once whether it is there.

An index of several architectures has children without a tag. ECR's lifecycle rules leave them alone while the index
lives ("If an image is referenced by a manifest list, it cannot be expired or archived without the manifest list being
deleted or archived first": ECR user guide, "Lifecycle policy evaluation rules", 2026-11-21), and Artifact Registry
refuses to delete a manifest that an index names (GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE; that its cleanup policies
heed this too is believed). So an image is safe from the clock when its own manifest has a tag: here, each has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts.vocabulary import Cloud

PINNED_TAG_DIGITS: Final = 12
"""Hexadecimal digits of the digest in the tag that keeps a pinned image."""


@dataclass(frozen=True)
class PublicImage:
    """An image of a public registry. The digest decides; the tag is upstream's, and keeps the copy from expiring."""

    registry: str
    repository: str
    tag: str
    digest: str
    source: str
    """Where the digest was read, and when."""
    clouds: tuple[Cloud, ...] = tuple(Cloud)
    """Whose stacks run it."""

    @property
    def path(self) -> str:
        """The image's path in a stack's own registry: it says where the image came from."""
        return f"{self.registry}/{self.repository}"

    @property
    def upstream(self) -> str:
        """The very image at its source."""
        return f"{self.registry}/{self.repository}@{self.digest}"


PROMETHEUS: Final = PublicImage(
    "quay.io",
    "prometheus/prometheus",
    "v3.5.0",
    "sha256:63805ebb8d2b3920190daf1cb14a60871b16fd38bed42b857a3182bc621f4996",
    "the tag's digest at Docker Hub, in many public files; that quay.io's is the same is believed (2026-11-21)",
)
PROMETHEUS_ADAPTER: Final = PublicImage(
    "registry.k8s.io",
    "prometheus-adapter/prometheus-adapter",
    "v0.10.0",
    "sha256:2f34cb3a04a0fee6034f4d63ce3ee7786c0f762dc9f3bf196c70e894dd92edd1",
    "the tag's digest in public image lists (2026-11-21)",
)
CLUSTER_AUTOSCALER: Final = PublicImage(
    "registry.k8s.io",
    "autoscaling/cluster-autoscaler",
    "v1.35.2",
    "sha256:aac369dc283927a623deb1af54696efcc722ae79255aa07788422e495bab887d",
    "the tag's index at registry.k8s.io, in public test records (2026-11-21)",
    (Cloud.AWS,),
)
"""Its minor version follows Kubernetes': raise both together."""

KUBECTL: Final = PublicImage(
    "registry.k8s.io",
    "kubectl",
    "v1.35.1",
    "sha256:c93e4fb811b3217ef69ee7a79a9a15fb277887cd1c3002fbe154e676037a274a",
    "the tag's digest in public image lists (2026-11-21)",
)

PUBLIC_IMAGES: Final[Mapping[str, PublicImage]] = {
    "prometheus": PROMETHEUS,
    "prometheus-adapter": PROMETHEUS_ADAPTER,
    "cluster-autoscaler": CLUSTER_AUTOSCALER,
    "kubectl": KUBECTL,
}
"""Logical name → every public image that a stack runs."""


def public_images(cloud: Cloud) -> Mapping[str, PublicImage]:
    """The public images that the stacks of one cloud run."""
    return {name: image for name, image in PUBLIC_IMAGES.items() if cloud in image.clouds}


def pinned_tag(digest: str) -> str:
    """The tag that keeps an image of our own which a stack pins by digest: untagged images expire.

    Each pushed image has a tag of its maker's choice too; this one can be foretold from the settings alone.
    """
    return f"pinned-{digest.removeprefix('sha256:')[:PINNED_TAG_DIGITS]}"


@dataclass(frozen=True)
class RegistryAddress:
    """Where a stack's images lie in one region; known before anything exists."""

    region: str
    host: str
    serving: str
    """The serving image's repository."""
    mirror: str
    """What the repositories of public images begin with."""

    def mirrored(self, image: PublicImage) -> str:
        """The repository of the copy of `image`."""
        return f"{self.mirror}/{image.path}"
