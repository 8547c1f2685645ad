"""The Google Cloud provider of a stack: one project, one region, labels on everything."""

from __future__ import annotations

import pulumi_gcp as gcp

from components.contracts.place import Place


def provider(place: Place) -> gcp.Provider:
    """A provider of the stack's project, whose quota and bill each request counts on.

    Without `user_project_override` a person's own credentials are refused by APIs that want a quota project, as
    those of organization policies and budgets do (golang/oauth2#702, pulumi-gcp#2032; read 2026-11-21). It takes
    `serviceusage.services.use` on the project. APIs and service agents are bootstrap's.
    """
    return gcp.Provider(
        "gcp",
        project=place.account,
        region=place.region,
        default_labels=place.labels,
        user_project_override=True,
        billing_project=place.account,
    )
