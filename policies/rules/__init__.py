"""All rules, listed by hand: a rule that is not here does not run."""

from __future__ import annotations

from policies.model import Rule
from policies.rules.aws_cluster import AWS_CLUSTER
from policies.rules.aws_data import AWS_DATA
from policies.rules.aws_identity import AWS_IDENTITY
from policies.rules.aws_storage import AWS_STORAGE
from policies.rules.gcp_cluster import GCP_CLUSTER
from policies.rules.gcp_data import GCP_DATA
from policies.rules.gcp_storage import GCP_STORAGE
from policies.rules.kubernetes import KUBERNETES

RULES: tuple[Rule, ...] = (
    *AWS_STORAGE,
    *AWS_DATA,
    *AWS_IDENTITY,
    *AWS_CLUSTER,
    *GCP_STORAGE,
    *GCP_DATA,
    *GCP_CLUSTER,
    *KUBERNETES,
)
