"""Which changes replace a resource, by the tables of its cloud."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from common.sdk.replacement_aws import replace_on as aws_replace_on
from common.sdk.replacement_gcp import REPLACE_ON as GCP_REPLACE_ON

_KUBERNETES: Final = ("apiVersion", "kind", "metadata.name", "metadata.namespace")


def replace_on(token: str) -> Iterable[str]:
    """Input paths (without list positions) whose change replaces a resource of the type; none if it is unknown."""
    package = token.partition(":")[0]
    if package == "aws":
        return aws_replace_on(token)
    if package == "gcp":
        return ("project", *GCP_REPLACE_ON.get(token, ()))
    return _KUBERNETES if package == "kubernetes" else ()
