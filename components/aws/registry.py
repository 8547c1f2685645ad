"""The container registry: the stack's own images, and mirrors of the public registries that the cluster needs."""

from __future__ import annotations

import json
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import allow, document, service_trust
from components.aws.roles import MadeRole, make_role
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeysRef, RegistryRef
from components.contracts.specs import RegistrySpec
from components.contracts.stateful import NotCopied, Stateful

SERVING_REPOSITORY: Final = "serving"
MIRRORED: Final = {"k8s": "registry.k8s.io", "quay": "quay.io"}
"""Purpose → public registry; the ones that ECR mirrors without credentials, beside its own public gallery."""
MIRROR_PREFIX_MAX: Final = 30

IMAGES: Final = Stateful("the serving images", NotCopied("an image can be built again and pushed to any region"))


def registry_host(place: Place) -> str:
    """The host of the account's registry in the stack's region."""
    return f"{place.account}.dkr.ecr.{place.region}.amazonaws.com"


def mirror_prefix(place: Place, purpose: str) -> str:
    """The repository prefix under which a public registry's images lie."""
    return place.name(purpose, max_length=MIRROR_PREFIX_MAX)


def mirrored_repositories(place: Place) -> list[str]:
    """ARN patterns of the repositories that hold mirrored images."""
    registry = f"arn:aws:ecr:{place.region}:{place.account}:repository"
    return [f"{registry}/{mirror_prefix(place, purpose)}/*" for purpose in sorted(MIRRORED)]


def expire_untagged(days: int) -> str:
    """A lifecycle policy that removes images which no tag names any more, `days` after they were pushed."""
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
    """One repository for the serving image, and pull-through mirrors.

    ECR fetches an image from its upstream at the first pull, and does so only for a caller that came over the
    internet, not through a private endpoint (ECR user guide, "Considerations for VPC endpoints"). So the first
    pull of each mirrored image is an operator's: `docker pull <mirror>/<image>`. From then on the private network
    has it. A moved upstream tag does not move here.
    """

    ref: RegistryRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: RegistrySpec,
        *,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Registry", name, provider)
        repository = f"{place.name('')}/{SERVING_REPOSITORY}"
        kept = self.keep(aws.ecr.Repository, SERVING_REPOSITORY, IMAGES, place)
        serving = aws.ecr.Repository(
            kept.name,
            name=repository,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=keys.data.id)
            ],
            force_delete=not kept.protected,
            tags=place.labels,
            opts=kept.options,
        )
        lifecycle = aws.ecr.LifecyclePolicy(
            SERVING_REPOSITORY,
            repository=serving.name,
            policy=expire_untagged(spec.untagged_retention_days),
            opts=pulumi.ResourceOptions(parent=self),
        )
        creator = self._creator(place)
        rules = [self._mirror(purpose, place, spec, keys, creator) for purpose in sorted(MIRRORED)]
        self.ref = RegistryRef(
            url=f"{registry_host(place)}/{repository}",
            mirrors={
                host: f"{registry_host(place)}/{mirror_prefix(place, purpose)}" for purpose, host in MIRRORED.items()
            },
            id=ready(serving.name, lifecycle, *rules),
        )
        self.finish({"id": self.ref.id})

    def _creator(self, place: Place) -> MadeRole:
        """The role in which ECR makes the mirrors' repositories: needed for a key of one's own, and for tags."""
        key = {"StringEquals": {"kms:ViaService": f"ecr.{place.region}.amazonaws.com"}}
        return make_role(
            self,
            place,
            "ecr-mirror-creator",
            description="ECR makes the repositories of mirrored images",
            trust=service_trust("ecr.amazonaws.com"),
            inline={
                "create": document(
                    allow(
                        "CreateMirroredRepositories",
                        ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
                        mirrored_repositories(place),
                    ),
                    allow(
                        "EncryptThem",
                        ["kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey"],
                        f"arn:aws:kms:{place.region}:{place.account}:key/*",
                        condition=key,
                    ),
                )
            },
        )

    def _mirror(
        self, purpose: str, place: Place, spec: RegistrySpec, keys: KeysRef, creator: MadeRole
    ) -> aws.ecr.PullThroughCacheRule:
        template = aws.ecr.RepositoryCreationTemplate(
            purpose,
            prefix=mirror_prefix(place, purpose),
            applied_fors=["PULL_THROUGH_CACHE"],
            description=f"Mirror of {MIRRORED[purpose]}",
            image_tag_mutability="IMMUTABLE",
            encryption_configurations=[
                aws.ecr.RepositoryCreationTemplateEncryptionConfigurationArgs(
                    encryption_type="KMS", kms_key=keys.data.id
                )
            ],
            lifecycle_policy=expire_untagged(spec.untagged_retention_days),
            custom_role_arn=creator.arn,
            resource_tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.ecr.PullThroughCacheRule(
            purpose,
            ecr_repository_prefix=mirror_prefix(place, purpose),
            upstream_registry_url=MIRRORED[purpose],
            # A repository made before its template is in force would have neither key nor tags.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[template]),
        )
