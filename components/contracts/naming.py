"""Physical names: deterministic, known before anything exists, and within the clouds' length limits."""

from __future__ import annotations

import hashlib
from typing import Final

from components.contracts.vocabulary import BOOTSTRAP

PRODUCT: Final = "seawall"
SERVICE_ACCOUNT_ID_MAX: Final = 30
"""Characters of a Google Cloud service account's id."""
BUCKET_NAME_MAX: Final = 63
"""The limit of both S3 and Cloud Storage bucket names without dots."""


def physical_name(*parts: str, max_length: int) -> str:
    """Join `parts` with hyphens; a name too long ends in a hash of the whole, so that it stays unique."""
    whole = "-".join(part for part in parts if part)
    if len(whole) <= max_length:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: max_length - 9].rstrip('-')}-{digest}"


def drill_name(environment: str, drill_id: str = "", *, max_length: int = BUCKET_NAME_MAX) -> str:
    """What a drill's restored resources are called; without an id, how all their names begin, with a hyphen.

    They lie within the environment's own names: the boundary of its roles leaves them no others.
    """
    if not drill_id:
        return f"{PRODUCT}-{environment}-drill-"
    return physical_name(PRODUCT, environment, "drill", drill_id, max_length=max_length)


def workflow_identity_name(purpose: str, environment: str, *, max_length: int) -> str:
    """The physical name of the identity that bootstrap makes for an environment's workflow: `deploy`, `drill`."""
    return physical_name(PRODUCT, BOOTSTRAP, f"{purpose}-{environment}", max_length=max_length)


def service_account_email(account_id: str, project: str) -> str:
    """The address of a Google Cloud service account."""
    return f"{account_id}@{project}.iam.gserviceaccount.com"


def drill_workflow_email(environment: str, project: str) -> str:
    """The address of the account that bootstrap makes for an environment's scheduled drills (Google Cloud)."""
    name = workflow_identity_name("drill", environment, max_length=SERVICE_ACCOUNT_ID_MAX)
    return service_account_email(name, project)


def boundary_name(environment: str) -> str:
    """The name of the AWS policy that every role of an environment's stack has as its boundary."""
    return f"{PRODUCT}-bootstrap-boundary-{environment}"


def connect_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets a principal reach the cluster's control plane, and no more."""
    return f"{PRODUCT}_{environment}_connects"


def export_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets an environment's feature store be exported."""
    return f"{PRODUCT}_{environment}_feature_export"


def drill_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets a drill restore to resources of its own."""
    return f"{PRODUCT}_{environment}_drill"


def drill_buckets_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets a drill use its own buckets."""
    return f"{PRODUCT}_{environment}_drill_buckets"


def feature_writer_role_id(environment: str) -> str:
    """The id of the Google Cloud role that lets an environment's features be written where its store knows no IAM."""
    return f"{PRODUCT}_{environment}_feature_writer"
