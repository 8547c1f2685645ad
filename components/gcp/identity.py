"""The fleet's identity: reads models and features, and only one Kubernetes service account may assume it."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import serving
from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.naming import SERVICE_ACCOUNT_ID_MAX
from components.contracts.place import Place
from components.contracts.refs import ClusterRef, IdentityRef, StorageRef
from components.gcp.agents import account_email, account_member
from components.gcp.buckets import grant
from components.gcp.cluster import workload_pool
from components.gcp.feature_store import KINDS

METADATA_SERVER: Final = (Door("169.254.169.254/32", 80), Door("169.254.169.254/32", 8080))
"""GKE's own metadata server, which Dataplane V2 puts in the place of the machine's (GKE guide, "Use network policy
with Workload Identity Federation for GKE", believed: read at second hand on 2026-11-21)."""

READ_ROLES: Final = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")
"""Triton's Cloud Storage client reads and lists objects, and asks for the bucket's metadata before that."""


class Identity(Component):
    """A Google service account that the fleet's pods become by Workload Identity.

    It holds no right to a key: Cloud Storage and the feature store decrypt through agents of their own.
    """

    ref: IdentityRef

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        cluster: ClusterRef,
        storage: StorageRef,
        feature_store: FeatureStoreRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Identity", name, provider)
        account_id = fleet_account(place)
        email = account_email(place, account_id)
        account = gcp.serviceaccount.Account(
            "fleet",
            account_id=account_id,
            project=place.account,
            display_name=f"{place.stack}: reads models for the fleet",
            opts=pulumi.ResourceOptions(parent=self),
        )
        binding = gcp.serviceaccount.IAMMember(
            "fleet",
            # The identity pool in the member's name exists only once the project has a cluster that uses it.
            service_account_id=pulumi.Output.all(account.name, cluster.id).apply(lambda known: str(known[0])),
            role="roles/iam.workloadIdentityUser",
            member=workload_member(place, serving.NAMESPACE, serving.SERVICE_ACCOUNT),
            opts=pulumi.ResourceOptions(parent=self),
        )
        grants = [
            grant(
                f"models-{role.rpartition('.')[2].lower()}",
                parent=self,
                bucket=storage.models.id,
                role=role,
                member=ready(account_member(place, account_id), account),
            )
            for role in READ_ROLES
        ]
        reads = KINDS[feature_store.kind].let_read(
            self, place, feature_store, ready(account_member(place, account_id), account)
        )
        self.ref = IdentityRef(
            namespace=serving.NAMESPACE,
            service_account=serving.SERVICE_ACCOUNT,
            annotations={"iam.gke.io/gcp-service-account": ready(email, account)},
            principal=ready(account_member(place, account_id), account),
            credentials=METADATA_SERVER,
            ready=ready(email, binding, *grants, *reads),
        )
        self.finish({"email": email})


def fleet_account(place: Place) -> str:
    """The id of the fleet's service account."""
    return place.name("fleet", max_length=SERVICE_ACCOUNT_ID_MAX)


def workload_member(place: Place, namespace: str, service_account: str) -> str:
    """The IAM member that is exactly one Kubernetes service account of the project's clusters."""
    return f"serviceAccount:{workload_pool(place)}[{namespace}/{service_account}]"
