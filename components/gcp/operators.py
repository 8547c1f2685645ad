"""Service accounts that people and pipelines take on for one job in the data each, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from components.contracts.cluster import AccessRole, AccessSpec
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreKind, FeatureStoreRef
from components.contracts.naming import (
    SERVICE_ACCOUNT_ID_MAX,
    drill_buckets_role_id,
    drill_name,
    drill_role_id,
    drill_workflow_email,
)
from components.contracts.place import Place
from components.contracts.refs import BackupRef, OperatorsRef, StorageRef
from components.gcp.agents import account_email, account_member
from components.gcp.buckets import grant
from components.gcp.feature_store import KINDS

READ_ROLES = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")
WRITE_ROLES = ("roles/storage.objectUser", "roles/storage.legacyBucketReader")
"""To write an object over, as the pointer to the current release is, takes the right to delete it."""


WORKFLOW = "bootstrap_workflow"
"""Key of bootstrap's account; none of the settings has an underscore."""


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
        backup: BackupRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Operators", name, provider)
        both = (AccessRole.ADMINISTRATOR, AccessRole.DEPLOYER)
        publisher = self._account(place, "publisher", "writes releases")
        writer = self._account(place, "feature-writer", "writes features")
        drill = self._account(place, "drill", "restores to a drill's own")
        written = self._buckets("publisher", publisher, {"models": storage.models.id}, WRITE_ROLES)
        rows = KINDS[feature_store.kind].let_write_rows(self, place, feature_store, writer[1])
        buckets = {"models": storage.models.id, "replica": storage.replica.id}
        restores = feature_store.kind is FeatureStoreKind.REDIS
        if restores and backup.exports is not None:
            buckets["exports"] = backup.exports
        read = self._buckets("drill", drill, buckets, READ_ROLES)
        own = self._own_resources(place, drill[1]) if restores else []
        workflow = f"serviceAccount:{drill_workflow_email(place.environment, place.account)}"
        self.ref = OperatorsRef(
            publisher=self._taken_on(place, "publisher", publisher, named(access, both), written),
            feature_writer=self._taken_on(place, "feature-writer", writer, named(access, both), rows),
            drill=self._taken_on(
                place,
                "drill",
                drill,
                named(access, [AccessRole.ADMINISTRATOR]) | {WORKFLOW: workflow},
                [*read, *own],
            ),
        )
        self.finish({"publisher": self.ref.publisher})

    def _account(
        self, place: Place, purpose: str, does: str
    ) -> tuple[gcp.serviceaccount.Account, pulumi.Output[str]]:
        """The account, and its member once it exists."""
        account_id = place.name(purpose, max_length=SERVICE_ACCOUNT_ID_MAX)
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

    def _own_resources(self, place: Place, member: pulumi.Output[str]) -> Sequence[pulumi.Resource]:
        """To make what a drill restores to, and to use the buckets among it: no other bucket begins as they do."""
        begin = f"projects/_/buckets/{drill_name(place.environment)}"
        options = pulumi.ResourceOptions(parent=self)
        return [
            gcp.projects.IAMMember(
                "drill-restores",
                project=place.account,
                role=f"projects/{place.account}/roles/{drill_role_id(place.environment)}",
                member=member,
                opts=options,
            ),
            gcp.projects.IAMMember(
                "drill-own-buckets",
                project=place.account,
                role=f"projects/{place.account}/roles/{drill_buckets_role_id(place.environment)}",
                member=member,
                condition={
                    "title": "a drill's own buckets alone",
                    "expression": f"resource.name.startsWith('{begin}')",
                },
                opts=options,
            ),
        ]

    def _taken_on(
        self,
        place: Place,
        purpose: str,
        account: tuple[gcp.serviceaccount.Account, pulumi.Output[str]],
        who: Mapping[str, str],
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
            for key, member in who.items()
        ]
        return ready(account_email(place, place.name(purpose, max_length=SERVICE_ACCOUNT_ID_MAX)), *grants, *bindings)


def named(access: AccessSpec, roles: Iterable[AccessRole]) -> dict[str, str]:
    """Those whom the stack names in these roles: key → member."""
    return {key: member for role, key, member in access.principals() if role in roles}
