"""Trust in the tokens of GitHub Actions: no secret is stored anywhere, and each role names the subjects it serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import document
from components.contracts.bootstrap import GITHUB_ISSUER, BootstrapSpec, FederationRef, OncePerAccount
from components.contracts.component import Component, ready
from components.contracts.place import Place

AUDIENCE: Final = "sts.amazonaws.com"
"""Whom `aws-actions/configure-aws-credentials` asks a token for."""
_HOST: Final = GITHUB_ISSUER.removeprefix("https://")


class Federation(Component):
    """The account's one provider for GitHub's tokens; AWS checks the issuer's certificate by its own roots."""

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
        super().__init__("aws:Federation", name, provider)
        made: tuple[pulumi.Resource, ...] = ()
        if OncePerAccount.GITHUB not in spec.already_there:
            made = (
                aws.iam.OpenIdConnectProvider(
                    "github",
                    url=GITHUB_ISSUER,
                    client_id_lists=[AUDIENCE],
                    tags=place.labels,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
                ),
            )
        self.ref = FederationRef(provider=ready(provider_arn(place), *made), made=made)
        self.finish({"provider": self.ref.provider})


def provider_arn(place: Place) -> str:
    """The provider's ARN, which follows from its address."""
    return f"arn:aws:iam::{place.account}:oidc-provider/{_HOST}"


def github_trust(place: Place, subjects: Sequence[str]) -> str:
    """A role that jobs with exactly these subjects may assume.

    AWS compares a GitHub token's `sub` and `aud`, and none of its other claims (docs.github.com, "Configuring OpenID
    Connect in Amazon Web Services": "Support for custom claims for OIDC is unavailable in AWS", read 2026-11-21).
    """
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn(place)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    f"{_HOST}:aud": AUDIENCE,
                    f"{_HOST}:sub": subjects[0] if len(subjects) == 1 else list(subjects),
                }
            },
        }
    )


def federation(
    place: Place, spec: BootstrapSpec, *, after: Sequence[pulumi.Resource], provider: pulumi.ProviderResource
) -> FederationRef:
    """See `BootstrapModule.federation`."""
    return Federation("federation", place, spec, after=after, provider=provider).ref
