"""What an AWS account must have first: service-linked roles, and guard rails that hold whatever is deployed later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from components.contracts.bootstrap import BootstrapSpec, Deploys, OncePerAccount
from components.contracts.component import Component
from components.contracts.place import Place

SERVICE_LINKED: Final[Mapping[OncePerAccount, str]] = {
    OncePerAccount.AUTO_SCALING: "autoscaling.amazonaws.com",
    OncePerAccount.SPOT: "spot.amazonaws.com",
    OncePerAccount.EKS: "eks.amazonaws.com",
    OncePerAccount.EKS_NODE_GROUP: "eks-nodegroup.amazonaws.com",
    OncePerAccount.ELASTICACHE: "elasticache.amazonaws.com",
    OncePerAccount.BACKUP: "backup.amazonaws.com",
}
"""The roles through which services act in the account → the service. Each service makes its own at its first use,
but a key's policy may name the role before: KMS then refuses it (MalformedPolicyDocumentException, "invalid
principals"; KMS guide, "Key policies", believed, 2026-11-21). A role that exists cannot be made again ("has been
taken in this account", IAM's CreateServiceLinkedRole)."""


class Account(Component):
    """Service-linked roles, no public buckets, and no unencrypted disks: what AWS lets an account set for itself.

    Policies of the organisation (SCPs) are set from its management account alone, and are none of this stack's.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        deploys: Sequence[Deploys],
        *,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Account", name, provider)
        options = pulumi.ResourceOptions(parent=self)
        self.roles: list[pulumi.Resource] = [
            aws.iam.ServiceLinkedRole(str(purpose), aws_service_name=service, tags=place.labels, opts=options)
            for purpose, service in SERVICE_LINKED.items()
            if purpose not in spec.already_there
        ]
        aws.s3.AccountPublicAccessBlock(
            "no-public-buckets",
            account_id=place.account,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=options,
        )
        regions = sorted(
            {
                place.region,
                place.backup_region,
                *(region for one in deploys for region in (one.region, one.backup_region)),
            }
        )
        for region in regions:
            aws.ebs.EncryptionByDefault(region, region=region, enabled=True, opts=options)
        self.finish({"roles": [str(purpose) for purpose in SERVICE_LINKED]})


def account(
    place: Place, spec: BootstrapSpec, deploys: Sequence[Deploys], *, provider: pulumi.ProviderResource
) -> Sequence[pulumi.Resource]:
    """See `BootstrapModule.account`."""
    return Account("account", place, spec, deploys, provider=provider).roles
