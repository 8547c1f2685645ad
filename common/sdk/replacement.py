"""Which changes replace a resource, by the tables of its cloud."""

from __future__ import annotations

from collections.abc import Iterable

from common.sdk.replacement_aws import replace_on as aws_replace_on
from common.sdk.replacement_gcp import REPLACE_ON as GCP_REPLACE_ON
from common.sdk.replacement_kubernetes import replace_on as kubernetes_replace_on


def replace_on(token: str) -> Iterable[str]:
    """Input paths (without list positions) whose change replaces a resource of the type; none if it is unknown."""
    package = token.partition(":")[0]
    if package == "aws":
        return aws_replace_on(token)
    if package == "gcp":
        return ("project", *GCP_REPLACE_ON.get(token, ()))
    return kubernetes_replace_on(token) if package == "kubernetes" else ()
