"""Why no export of a Memorystore instance comes: what Cloud Scheduler and Memorystore say of their attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from common.gcp_api import GcpApi, GcpError
from ops.drill.model import NotRecoverableError
from stacks.outputs import StackOutputs

_UNTOLD: Final = (0, 403, 503, 504)
_REMEDY: Final = "Fix what it says, and run the drill again."


def require_no_trouble(api: GcpApi, outputs: StackOutputs, since: datetime) -> None:
    """Nothing that was tried since then has failed; where nobody answers, or not to the caller, nothing is known.

    Raises:
        NotRecoverableError: the scheduler could not start an export, or the export failed.
    """
    parent = f"v1/projects/{outputs.account}/locations/{outputs.region}"
    try:
        job = api.find("cloudscheduler", f"{parent}/jobs/{outputs.backup.plan}") or {}
        operations = list(api.list("redis", f"{parent}/operations", "operations"))
    except GcpError as error:
        if error.code in _UNTOLD:
            return
        raise
    if not_started := refused(job, since):
        what = f"the export job {outputs.backup.plan} was refused: {not_started}"
        raise NotRecoverableError(what, str(job.get("name")), _REMEDY)
    if failed := failure(operations, outputs.feature_store.id, since):
        raise NotRecoverableError(f"the export failed: {failed}", outputs.feature_store.id, _REMEDY)


def refused(job: Mapping[str, Any], since: datetime) -> str:
    """What the last attempt of a scheduler job was told; empty if it went well, or was made before."""
    status = job.get("status") or {}
    if not status.get("code") or not _is_since(job.get("lastAttemptTime"), since):
        return ""
    return str(status.get("message") or f"code {status['code']}")


def failure(operations: Iterable[Mapping[str, Any]], instance: str, since: datetime) -> str:
    """Why the newest export of an instance failed; empty if it did not, or began before."""
    exports = [
        operation
        for operation in operations
        if operation.get("metadata", {}).get("verb") == "export"
        and operation["metadata"].get("target") == instance
        and _is_since(operation["metadata"].get("createTime"), since)
    ]
    newest = max(exports, key=lambda operation: operation["metadata"]["createTime"], default={})
    error = newest.get("error") or {}
    return str(error.get("message") or f"code {error['code']}") if error else ""


def _is_since(moment: Any, since: datetime) -> bool:
    return bool(moment) and datetime.fromisoformat(str(moment)) >= since
