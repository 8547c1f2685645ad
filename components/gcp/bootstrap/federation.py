"""Trust in the tokens of GitHub Actions: one repository, one branch and its pull requests, and no stored key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.bootstrap import GITHUB_ISSUER, BootstrapSpec, FederationRef, GithubSpec
from components.contracts.component import Component, ready
from components.contracts.place import Place

POOL: Final = "seawall-github"
PROVIDER: Final = "github"


class Federation(Component):
    """A pool with one provider, which accepts tokens of one repository by its number; identities name subjects."""

    ref: FederationRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Federation", name, provider)
        pool = gcp.iam.WorkloadIdentityPool(
            "github",
            project=place.account,
            workload_identity_pool_id=pool_id(place),
            display_name="GitHub Actions",
            description=f"Workflows of {spec.github.repository}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        made = gcp.iam.WorkloadIdentityPoolProvider(
            "github",
            project=place.account,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id=PROVIDER,
            display_name="GitHub Actions",
            attribute_mapping={"google.subject": "assertion.sub"},
            attribute_condition=accepted(spec.github),
            oidc={"issuer_uri": GITHUB_ISSUER},
            opts=pulumi.ResourceOptions(parent=self),
        )
        full = f"{pool_name(place)}/providers/{PROVIDER}"
        self.ref = FederationRef(provider=ready(full, made), made=(made,))
        self.finish({"provider": self.ref.provider})


def pool_id(place: Place) -> str:
    """The pool's id; a deleted one's stays taken for 30 days (IAM, "Manage workload identity pools")."""
    return place.again(POOL)


def pool_name(place: Place) -> str:
    """The pool's full name, known before it exists."""
    return f"projects/{place.project_number}/locations/global/workloadIdentityPools/{pool_id(place)}"


def accepted(github: GithubSpec) -> str:
    """Which tokens the provider takes: a name can be taken over by someone else, the repository's number cannot."""
    return (
        f"assertion.repository == '{github.repository}'"
        f" && assertion.repository_id == '{github.repository_id}'"
        f" && (assertion.ref == 'refs/heads/{github.branch}' || assertion.event_name == 'pull_request')"
    )


def subject_member(place: Place, subject: str) -> str:
    """The IAM member that is exactly one subject of GitHub's tokens."""
    return f"principal://iam.googleapis.com/{pool_name(place)}/subject/{subject}"


def federation(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> FederationRef:
    """See `BootstrapModule.federation`."""
    return Federation("federation", place, spec, after=after, provider=provider).ref
