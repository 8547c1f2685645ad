"""What of checkov's checks the rules judge in part only; an id that stands at a rule and not here is judged whole.

By the types and conditions of checkov 3.3.30's own checks, read 2026-11-22. A rule that asks for more than the check
judges it whole; OpenShift's kinds are left aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_STATEMENTS: Final = "policies of groups and of permission sets are not read"
_LOG_BUCKETS: Final = "buckets that logs are written to are left out"
_CLUSTER: Final = "node pools are judged, and not a cluster's own default pool"

IN_PART: Final[Mapping[str, str]] = {
    "CKV2_AWS_11": "a network in the backup region, where nothing runs, is left out",
    "CKV2_K8S_6": "pods and jobs without a workload above them are left out",
    "CKV_AWS_143": "only buckets that trails and flow logs write to are judged",
    "CKV_AWS_144": "log buckets and the copies themselves are left out",
    "CKV_AWS_145": _LOG_BUCKETS,
    "CKV_AWS_18": _LOG_BUCKETS,
    "CKV_AWS_274": "policies that are attached in a role's own inputs or by one attachment for several are not read",
    "CKV_AWS_341": "launch configurations are not read",
    "CKV_AWS_355": f"only actions on data and keys are judged, and {_STATEMENTS}",
    "CKV_AWS_62": _STATEMENTS,
    "CKV_AWS_63": _STATEMENTS,
    "CKV_AWS_79": "launch templates are judged, and not single machines or launch configurations",
    "CKV_GCP_112": "a key's whole policy is not read",
    "CKV_GCP_62": _LOG_BUCKETS,
    "CKV_GCP_63": _LOG_BUCKETS,
    "CKV_GCP_68": _CLUSTER,
    "CKV_GCP_71": _CLUSTER,
    "CKV_GCP_72": _CLUSTER,
    "CKV_GCP_78": "buckets under a locked retention policy, which excludes versions, are left out",
    "CKV_K8S_38": "a token is accepted where its program has rights of its own",
    "CKV_K8S_8": "pods without a workload above them are left out",
    "CKV_K8S_9": "pods without a workload above them are left out",
}
"""The check's id → what of it no rule judges."""
