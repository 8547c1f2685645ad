"""Roles that people and pipelines take on for one job in the data each, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi

from components.aws.documents import Statement, account_root, allow, bucket_arn, bucket_key_access, document
from components.aws.feature_store import KINDS
from components.aws.roles import make_role
from components.contracts.cluster import AccessRole, AccessSpec
from components.contracts.component import Component
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BucketRef, OperatorsRef, StorageRef


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
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Operators", name, provider)
        both = (AccessRole.ADMINISTRATOR, AccessRole.DEPLOYER)
        administrators = (AccessRole.ADMINISTRATOR,)
        reading = verifying(place, storage)
        writing = KINDS[feature_store.kind].writing(place, feature_store)
        self.ref = OperatorsRef(
            publisher=self._role(place, "publisher", "Writes releases", access, both, publishing(place, storage)),
            feature_writer=self._role(place, "feature-writer", "Writes features", access, both, writing),
            drill=self._role(place, "drill", "Reads models and their copy", access, administrators, reading),
        )
        self.finish({"publisher": self.ref.publisher})

    def _role(
        self,
        place: Place,
        purpose: str,
        description: str,
        access: AccessSpec,
        who: Iterable[AccessRole],
        statements: Sequence[Statement],
    ) -> pulumi.Output[str]:
        trust = operator_trust(place, [arn for role, _, arn in access.principals() if role in who])
        made = make_role(
            self, place, purpose, trust=trust, description=description, inline={purpose: document(*statements)}
        )
        return made.arn


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
    """Releases and the pointer, in this bucket; of what is there, only an unfinished release's files may go."""
    models = bucket_arn(storage.models.name)
    return (
        allow("FindModels", ["s3:ListBucket", "s3:GetBucketLocation"], models),
        allow("ReadAndWriteReleases", ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], f"{models}/*"),
        allow("DropUnfinishedReleases", ["s3:DeleteObject"], f"{models}/releases/*/repository/*"),
        bucket_key_access("EncryptModels", place, storage.models.name, ["kms:Decrypt", "kms:GenerateDataKey"]),
    )


def verifying(place: Place, storage: StorageRef) -> Sequence[Statement]:
    """Read both buckets, each in its own region."""
    return (*_reading(place, "Models", storage.models), *_reading(place, "Copies", storage.replica))


def _reading(place: Place, what: str, bucket: BucketRef) -> Sequence[Statement]:
    arn = bucket_arn(bucket.name)
    return (
        allow(f"Find{what}", ["s3:ListBucket", "s3:GetBucketLocation"], arn),
        allow(f"Read{what}", ["s3:GetObject"], f"{arn}/*"),
        bucket_key_access(f"Decrypt{what}", place, bucket.name, ["kms:Decrypt"], region=bucket.region),
    )
