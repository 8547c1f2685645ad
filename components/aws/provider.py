"""The AWS provider of a stack: one account, one region, and labels on everything it creates."""

from __future__ import annotations

import pulumi_aws as aws

from components.contracts.place import Place


def provider(place: Place) -> aws.Provider:
    """A provider that refuses every account but the stack's own.

    Resources in the backup region name it themselves (`region=`), so one provider serves both regions.
    """
    return aws.Provider(
        "aws",
        region=place.region,
        allowed_account_ids=[place.account],
        default_tags={"tags": place.labels},
    )
