"""The container registry: ordinary repositories for the stack's own images and for copies of the public ones.

Not remote repositories: `components.contracts.images` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component, ready
from components.contracts.images import PublicImage, RegistryAddress
from components.contracts.place import Place
from components.contracts.refs import KeyRef, KeysRef, RegistryRef
from components.contracts.specs import RegistrySpec
from components.contracts.stateful import CopiedBy, NotCopied, Stateful
from components.gcp.durations import days

SERVING: Final = "serving"
MIRROR: Final = "mirror"
SERVING_IMAGE: Final = "triton"

IMAGES: Final = Stateful("the serving images", CopiedBy.IMAGE_SYNC)
IMAGES_AWAY: Final = Stateful("the copies of the serving images", NotCopied("they are the copy"))


def registry_address(place: Place, region: str) -> RegistryAddress:
    """Where the stack's images lie in `region`."""
    host = f"{region}-docker.pkg.dev"
    return RegistryAddress(
        region,
        host,
        serving=f"{host}/{place.account}/{place.name(SERVING)}/{SERVING_IMAGE}",
        mirror=f"{host}/{place.account}/{place.name(MIRROR)}",
    )


class Registry(Component):
    """Artifact Registry: per region one repository of our own, and one that holds copies of the public images."""

    ref: RegistryRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: RegistrySpec,
        *,
        images: Mapping[str, PublicImage],
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        del images  # one repository holds all
        super().__init__("gcp:Registry", name, provider)
        here, away = (registry_address(place, region) for region in (place.region, place.backup_region))
        made = [
            self._serving("serving", IMAGES, place, spec, keys.data),
            self._serving("serving-copy", IMAGES_AWAY, place, spec, keys.recovery),
            self._mirror("mirror", place, keys.data),
            self._mirror("mirror-copy", place, keys.recovery),
        ]
        self.ref = RegistryRef(here, away, ready(made[0].id, *made))
        self.finish({"url": self.ref.url})

    def _serving(
        self, purpose: str, holds: Stateful, place: Place, spec: RegistrySpec, key: KeyRef
    ) -> gcp.artifactregistry.Repository:
        untagged = {
            "id": "untagged",
            "action": "DELETE",
            "condition": {"tag_state": "UNTAGGED", "older_than": days(spec.untagged_retention_days)},
        }
        kept = self.keep(gcp.artifactregistry.Repository, purpose, holds, place)
        return _repository(kept.name, SERVING, place, "serving images", key, [untagged], kept.options)

    def _mirror(self, purpose: str, place: Place, key: KeyRef) -> gcp.artifactregistry.Repository:
        """Stateless: `seawall images sync` fills it again. Nothing in it ever expires."""
        options = pulumi.ResourceOptions(parent=self)
        return _repository(purpose, MIRROR, place, "copies of public images", key, [], options)


def _repository(
    name: str,
    purpose: str,
    place: Place,
    content: str,
    key: KeyRef,
    cleanup_policies: list[Any],
    options: pulumi.ResourceOptions,
) -> gcp.artifactregistry.Repository:
    return gcp.artifactregistry.Repository(
        name,
        repository_id=place.name(purpose),
        project=place.account,
        location=key.region,
        format="DOCKER",
        mode="STANDARD_REPOSITORY",
        description=f"{place.stack}: {content}",
        kms_key_name=key.id,
        docker_config={"immutable_tags": True},
        cleanup_policy_dry_run=False,
        cleanup_policies=cleanup_policies,
        labels=place.labels,
        opts=options,
    )
