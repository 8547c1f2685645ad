"""Physical names: deterministic, known before anything exists, and within the clouds' length limits."""

from __future__ import annotations

import hashlib
from typing import Final

PRODUCT: Final = "seawall"
BUCKET_NAME_MAX: Final = 63
"""The limit of both S3 and Cloud Storage bucket names without dots."""


def physical_name(*parts: str, max_length: int) -> str:
    """Join `parts` with hyphens; a name too long ends in a hash of the whole, so that it stays unique."""
    whole = "-".join(part for part in parts if part)
    if len(whole) <= max_length:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: max_length - 9].rstrip('-')}-{digest}"


def boundary_name(environment: str) -> str:
    """The name of the AWS policy that every role of an environment's stack has as its boundary."""
    return f"{PRODUCT}-bootstrap-boundary-{environment}"


def connect_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets a principal reach the cluster's control plane, and no more."""
    return f"{PRODUCT}_{environment}_connects"


def export_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets an environment's feature store be exported."""
    return f"{PRODUCT}_{environment}_feature_export"


def feature_writer_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets an environment's features be written where its store knows no IAM."""
    return f"{PRODUCT}_{environment}_feature_writer"
