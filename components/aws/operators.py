"""Roles that people and pipelines take on for one job in the data each, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi

from components.aws.documents import Statement, account_root, allow, bucket_arn, bucket_key_access, document
from components.aws.drilling import drilling
from components.aws.feature_store import KINDS
from components.aws.roles import ROLE_NAME_MAX, make_role
from components.contracts.cluster import AccessRole, AccessSpec
from components.contracts.component import Component
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.naming import workflow_identity_name
from components.contracts.place import Place
from components.contracts.refs import BackupRef, OperatorsRef, StorageRef


class Operators(Component):
    """See `components.contracts.ports.Operators`.

    A principal takes a role on with `sts:AssumeRole`, which its own policies must allow too: a profile with
    `role_arn` does it for every command (AWS CLI guide, "Use an IAM role in the AWS CLI", read 2026-11-21).
    """

    ref: OperatorsRef

    def __init__(
        self,
        name: str,
        place: Place,
        access: AccessSpec,
        *,
        storage: StorageRef,
        feature_store: FeatureStoreRef,
        backup: BackupRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Operators", name, provider)
        both = (AccessRole.ADMINISTRATOR, AccessRole.DEPLOYER)
        writing = KINDS[feature_store.kind].writing(place, feature_store)
        self.ref = OperatorsRef(
            publisher=self._role(
                place, "publisher", "Writes releases", trusted(access, both), publishing(place, storage)
            ),
            feature_writer=self._role(place, "feature-writer", "Writes features", trusted(access, both), writing),
            drill=self._role(
                place,
                "drill",
                "Restores copies to a drill's own resources",
                [*trusted(access, [AccessRole.ADMINISTRATOR]), drill_workflow(place)],
                drilling(place, storage, feature_store, backup),
            ),
        )
        self.finish({"publisher": self.ref.publisher})

    def _role(
        self,
        place: Place,
        purpose: str,
        description: str,
        who: Sequence[str],
        statements: Sequence[Statement],
    ) -> pulumi.Output[str]:
        trust = operator_trust(place, who)
        made = make_role(
            self, place, purpose, trust=trust, description=description, inline={purpose: document(*statements)}
        )
        return made.arn


def trusted(access: AccessSpec, roles: Iterable[AccessRole]) -> list[str]:
    """The principals that the stack names in these roles."""
    return [arn for role, _, arn in access.principals() if role in roles]


def drill_workflow(place: Place) -> str:
    """The role that bootstrap makes for the environment's scheduled drills."""
    name = workflow_identity_name("drill", place.environment, max_length=ROLE_NAME_MAX)
    return f"arn:aws:iam::{place.account}:role/{name}"


def operator_trust(place: Place, principals: Sequence[str]) -> str:
    """A role that named roles of the account may take on.

    They are named by condition: IAM refuses a trust policy whose principal does not exist (re:Post, "How do I resolve
    the IAM trust policy error … Invalid principal in policy", read 2026-11-21).
    """
    return document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": account_root(place)},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": sorted(principals)}},
        }
    )


def publishing(place: Place, storage: StorageRef) -> Sequence[Statement]:
    """Releases and the pointer, in this bucket. A release's objects may go, for `prune`, but no claim and no pointer;
    what goes stays as an old version, which the bucket's policy lets nobody delete."""
    models = bucket_arn(storage.models.name)
    return (
        allow("FindModels", ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"], models),
        allow("ReadAndWriteReleases", ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], f"{models}/*"),
        allow(
            "RemoveReleases",
            ["s3:DeleteObject"],
            [f"{models}/releases/*/{what}" for what in ("repository/*", "manifest.json", "attestation.json")],
        ),
        bucket_key_access("EncryptModels", place, storage.models.name, ["kms:Decrypt", "kms:GenerateDataKey"]),
    )
