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

from common import versions
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
    is_chart: bool = False
    """Whether it is a Helm chart, which lies in a registry as an image does."""

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

_ENVOY_SOURCE: Final = "the tag's index, in several public lists of pinned images that agree (2026-11-21)"
ENVOY_GATEWAY: Final = PublicImage(
    "docker.io",
    "envoyproxy/gateway",
    f"v{versions.ENVOY_GATEWAY}",
    "sha256:0049bcb384c591c6a6dd043fe5c9929ef6e74f230e12dd678d2d3701df9b301e",
    _ENVOY_SOURCE,
)
"""Envoy Gateway's controller; the same image drains Envoy's pods."""
ENVOY: Final = PublicImage(
    "docker.io",
    "envoyproxy/envoy",
    f"distroless-v{versions.ENVOY}",
    "sha256:eb2c01c13125d1629637cb4e4cce7207009fb7cc2c8027f9742758549d15b6f4",
    _ENVOY_SOURCE,
)
"""The version that Envoy Gateway 1.9.1 names by default (charts/gateway-helm/templates/_helpers.tpl)."""
ENVOY_GATEWAY_CHART: Final = PublicImage(
    "docker.io",
    "envoyproxy/gateway-helm",
    f"v{versions.ENVOY_GATEWAY}",
    "sha256:91bae9aedb91ab34731e987afe01a3ccf454393015abeca705eea8ee15553e86",
    "what Helm printed on pulling the tag, in several public records that agree (2026-11-21)",
    is_chart=True,
)
_CERT_MANAGER_SOURCE: Final = "the tag's index at quay.io, in several public lists that agree (2026-11-21)"
CERT_MANAGER_CONTROLLER: Final = PublicImage(
    "quay.io",
    "jetstack/cert-manager-controller",
    f"v{versions.CERT_MANAGER}",
    "sha256:70f532fd9cfde0b09d55687200942399d89838bc2d5d5b45152eb799a15912b8",
    _CERT_MANAGER_SOURCE,
)
CERT_MANAGER_WEBHOOK: Final = PublicImage(
    "quay.io",
    "jetstack/cert-manager-webhook",
    f"v{versions.CERT_MANAGER}",
    "sha256:a60e2dac46dbb8a7f3df95c54ce941012f54c2fe022f0ee55aaa1ab40ed957ae",
    _CERT_MANAGER_SOURCE,
)
CERT_MANAGER_CAINJECTOR: Final = PublicImage(
    "quay.io",
    "jetstack/cert-manager-cainjector",
    f"v{versions.CERT_MANAGER}",
    "sha256:c85268c64f2e0e76684bf5fe8906caff34b82523561c6affe0fae3546bd87562",
    _CERT_MANAGER_SOURCE,
)
CERT_MANAGER_CHART: Final = PublicImage(
    "quay.io",
    "jetstack/charts/cert-manager",
    f"v{versions.CERT_MANAGER}",
    "sha256:634dce9c13b56677a2c05e2ab76c312d0be2664022d5dd05815da67e1fd5f610",
    "what Helm printed on pulling the tag, in two public records that agree (2026-11-21)",
    is_chart=True,
)

_FROM_SETTINGS: Final = "the stack's settings: no public record that could be read has it (2026-11-22)"


def flagger_image(digest: str) -> PublicImage:
    """Flagger's own image, by the digest that the settings give."""
    return PublicImage("ghcr.io", "fluxcd/flagger", versions.FLAGGER, digest, _FROM_SETTINGS)


def flagger_chart(digest: str) -> PublicImage:
    """Flagger's Helm chart, by the digest that the settings give."""
    return PublicImage("ghcr.io", "fluxcd/charts/flagger", versions.FLAGGER, digest, _FROM_SETTINGS, is_chart=True)


PUBLIC_IMAGES: Final[Mapping[str, PublicImage]] = {
    "prometheus": PROMETHEUS,
    "prometheus-adapter": PROMETHEUS_ADAPTER,
    "cluster-autoscaler": CLUSTER_AUTOSCALER,
    "kubectl": KUBECTL,
    "envoy-gateway": ENVOY_GATEWAY,
    "envoy": ENVOY,
    "envoy-gateway-chart": ENVOY_GATEWAY_CHART,
    "cert-manager": CERT_MANAGER_CONTROLLER,
    "cert-manager-webhook": CERT_MANAGER_WEBHOOK,
    "cert-manager-cainjector": CERT_MANAGER_CAINJECTOR,
    "cert-manager-chart": CERT_MANAGER_CHART,
}
"""Logical name → every public image that each stack runs, and every chart that it installs."""


def public_images(cloud: Cloud) -> Mapping[str, PublicImage]:
    """The public images that all stacks of one cloud run."""
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
