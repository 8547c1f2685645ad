"""Service accounts that people and pipelines take on for one job in the data each, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from components.contracts.cluster import AccessRole, AccessSpec
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import OperatorsRef, StorageRef
from components.gcp.agents import ACCOUNT_ID_MAX, account_email, account_member
from components.gcp.buckets import grant
from components.gcp.feature_store import KINDS

READ_ROLES = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")
WRITE_ROLES = ("roles/storage.objectUser", "roles/storage.legacyBucketReader")
"""To write an object over, as the pointer to the current release is, takes the right to delete it."""


class Operators(Component):
    """See `components.contracts.ports.Operators`.

    A principal takes an account on by impersonation: `gcloud auth application-default login
    --impersonate-service-account EMAIL` does it for every command (Google Cloud's page "Use service account
    impersonation", read 2026-11-21; the command as public projects use it).
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
        super().__init__("gcp:Operators", name, provider)
        both = (AccessRole.ADMINISTRATOR, AccessRole.DEPLOYER)
        publisher = self._account(place, "publisher", "writes releases")
        writer = self._account(place, "feature-writer", "writes features")
        drill = self._account(place, "drill", "reads models and their copy")
        written = self._buckets("publisher", publisher, {"models": storage.models.id}, WRITE_ROLES)
        rows = KINDS[feature_store.kind].let_write_rows(self, place, feature_store, writer[1])
        buckets = {"models": storage.models.id, "replica": storage.replica.id}
        read = self._buckets("drill", drill, buckets, READ_ROLES)
        self.ref = OperatorsRef(
            publisher=self._taken_on(place, "publisher", publisher, access, both, written),
            feature_writer=self._taken_on(place, "feature-writer", writer, access, both, rows),
            drill=self._taken_on(place, "drill", drill, access, (AccessRole.ADMINISTRATOR,), read),
        )
        self.finish({"publisher": self.ref.publisher})

    def _account(
        self, place: Place, purpose: str, does: str
    ) -> tuple[gcp.serviceaccount.Account, pulumi.Output[str]]:
        """The account, and its member once it exists."""
        account_id = place.name(purpose, max_length=ACCOUNT_ID_MAX)
        account = gcp.serviceaccount.Account(
            purpose,
            account_id=account_id,
            project=place.account,
            display_name=f"{place.stack}: {does}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return account, ready(account_member(place, account_id), account)

    def _buckets(
        self,
        purpose: str,
        account: tuple[gcp.serviceaccount.Account, pulumi.Output[str]],
        buckets: Mapping[str, pulumi.Output[str]],
        roles: Sequence[str],
    ) -> Sequence[pulumi.Resource]:
        return [
            grant(
                f"{purpose}-{name}-{role.rpartition('.')[2].lower()}",
                parent=self,
                bucket=bucket,
                role=role,
                member=account[1],
            )
            for name, bucket in buckets.items()
            for role in roles
        ]

    def _taken_on(
        self,
        place: Place,
        purpose: str,
        account: tuple[gcp.serviceaccount.Account, pulumi.Output[str]],
        access: AccessSpec,
        who: Iterable[AccessRole],
        grants: Sequence[pulumi.Resource],
    ) -> pulumi.Output[str]:
        """The account's email, once its rights are in force and those named may take it on."""
        bindings = [
            gcp.serviceaccount.IAMMember(
                f"{purpose}-{key}",
                service_account_id=account[0].name,
                role="roles/iam.serviceAccountTokenCreator",
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role, key, member in access.principals()
            if role in who
        ]
        return ready(account_email(place, place.name(purpose, max_length=ACCOUNT_ID_MAX)), *grants, *bindings)
