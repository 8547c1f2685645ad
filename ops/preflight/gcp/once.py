"""What a project gives up for a while when it is deleted: an identity pool keeps its name for 30 days."""

from __future__ import annotations

from collections.abc import Iterator

from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Finding, missing, ok
from ops.preflight.wanted import Wanted


def once(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether an identity pool of the plan was deleted lately (IAM documentation, "Manage workload identity pools",
    read 2026-11-21: 30 days)."""
    for name in wanted.named("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", "workloadIdentityPoolId"):
        found = reader.find("iam", f"v1/projects/{wanted.account}/locations/global/workloadIdentityPools/{name}")
        subject = f"identity pool {name}"
        if found is None:
            yield ok(subject, "not there: the stack makes it")
        elif found.get("state") == "DELETED":
            undelete = (
                f"gcloud iam workload-identity-pools undelete {name} --location=global --project={wanted.account}"
            )
            yield missing(subject, "deleted, and its name still taken", undelete)
        else:
            yield ok(subject, "there; a stack that does not know it must import it")
