"""The container registry: ordinary repositories for the stack's own images and for copies of the public ones.

Not a pull-through cache, and not ECR's replication: `components.contracts.images` says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.contracts.component import Component, ready
from components.contracts.images import PublicImage, RegistryAddress
from components.contracts.place import Place
from components.contracts.refs import KeyRef, KeysRef, RegistryRef
from components.contracts.specs import RegistrySpec
from components.contracts.stateful import CopiedBy, NotCopied, Stateful

SERVING_REPOSITORY: Final = "serving"
MIRROR: Final = "mirror"

IMAGES: Final = Stateful("the serving images", CopiedBy.IMAGE_SYNC)
IMAGES_AWAY: Final = Stateful("the copies of the serving images", NotCopied("they are the copy"))


def registry_address(place: Place, region: str) -> RegistryAddress:
    """Where the stack's images lie in `region`."""
    host = f"{place.account}.dkr.ecr.{region}.amazonaws.com"
    return RegistryAddress(
        region,
        host,
        serving=f"{host}/{place.name('')}/{SERVING_REPOSITORY}",
        mirror=f"{host}/{place.name('')}/{MIRROR}",
    )


def expire_untagged(days: int) -> str:
    """A lifecycle policy that removes images which no tag names any more, `days` after they were pushed.

    A manifest without a tag that an index names stays as long as the index does.
    """
    rule: dict[str, Any] = {
        "rulePriority": 1,
        "description": f"Remove untagged images after {days} days",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": days,
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True)


class Registry(Component):
    """Per region one repository for the serving image, and one for each public image: ECR has no folders."""

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
        super().__init__("aws:Registry", name, provider)
        here, away = (registry_address(place, region) for region in (place.region, place.backup_region))
        made = [
            *self._serving("serving", IMAGES, place, spec, here, keys.data),
            *self._serving("serving-copy", IMAGES_AWAY, place, spec, away, keys.recovery),
        ]
        for purpose, image in images.items():
            made += [
                self._mirror(purpose, place, here, here.mirrored(image), keys.data),
                self._mirror(f"{purpose}-copy", place, away, away.mirrored(image), keys.recovery),
            ]
        self.ref = RegistryRef(here, away, ready(repository_name(here, here.serving), *made))
        self.finish({"id": self.ref.id})

    def _serving(
        self, purpose: str, holds: Stateful, place: Place, spec: RegistrySpec, address: RegistryAddress, key: KeyRef
    ) -> list[pulumi.Resource]:
        kept = self.keep(aws.ecr.Repository, purpose, holds, place)
        repository = _repository(
            kept.name, place, address, address.serving, key, force_delete=not kept.protected, options=kept.options
        )
        lifecycle = aws.ecr.LifecyclePolicy(
            purpose,
            region=address.region,
            repository=repository.name,
            policy=expire_untagged(spec.untagged_retention_days),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return [repository, lifecycle]

    def _mirror(
        self, purpose: str, place: Place, address: RegistryAddress, url: str, key: KeyRef
    ) -> aws.ecr.Repository:
        """Stateless: `seawall images sync` fills it again. Nothing in it ever expires."""
        return _repository(
            purpose, place, address, url, key, force_delete=True, options=pulumi.ResourceOptions(parent=self)
        )


def repository_name(address: RegistryAddress, url: str) -> str:
    """What ECR calls the repository at `url`."""
    return url.removeprefix(f"{address.host}/")


def _repository(
    name: str,
    place: Place,
    address: RegistryAddress,
    url: str,
    key: KeyRef,
    *,
    force_delete: bool,
    options: pulumi.ResourceOptions,
) -> aws.ecr.Repository:
    return aws.ecr.Repository(
        name,
        name=repository_name(address, url),
        region=address.region,
        image_tag_mutability="IMMUTABLE",
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        encryption_configurations=[
            aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=key.id)
        ],
        force_delete=force_delete,
        tags=place.labels,
        opts=options,
    )
