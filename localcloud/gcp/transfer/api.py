"""Storage Transfer Service: runs the deployed job for real, from bucket to bucket, and says what it did and why.

REST shapes: https://cloud.google.com/storage-transfer/docs/reference/rest. Jobs run when asked (`:run`); the
schedule is kept and not followed, for a local stack does not live for hours. A run goes on after its answer, and
copies in no order, as the service promises none. Rights of the service's agent:
https://cloud.google.com/storage-transfer/docs/iam-cloud.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from localcloud.gcp import clock
from localcloud.gcp.iam import resources
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.operations import Background
from localcloud.gcp.storage.api import Storage, checksums
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Principal, Request, Response, Routes, not_found, service_account

_KEPT_DAYS: Final = 30
"""How long a deleted job is kept, and its name with it."""
_JOBS: Final = "transfer/jobs"
_OPERATIONS: Final = "transfer/operations"
_JOB_NAME: Final = re.compile(r"transferJobs/(OPI\d+|(?!OPI)[A-Za-z]([A-Za-z0-9._~-]{0,127}[A-Za-z0-9._~])?)")
_METADATA: Final = "type.googleapis.com/google.storagetransfer.v1.TransferOperation"
MIN_REPEAT_SECONDS: Final = 3600
_PATCHABLE: Final = frozenset(
    {"description", "transferSpec", "schedule", "status", "loggingConfig", "notificationConfig", "eventStream"}
)

LATE_SECONDS: Final = 0.2
"""What a run takes, about; the real service's takes minutes."""
_SEED: Final = 20261121

_CONDITIONS: Final = frozenset(
    {
        "includePrefixes",
        "excludePrefixes",
        "minTimeElapsedSinceLastModification",
        "maxTimeElapsedSinceLastModification",
        "lastModifiedSince",
        "lastModifiedBefore",
    }
)
"""Of objects (`ObjectConditions` in the discovery document of storagetransfer.v1, revision 20211002, read
2026-11-21)."""

Verb = Literal["copy", "skip", "delete"]


@dataclass(frozen=True)
class Action:
    """What is done with one object, by its name below the sink's path, and why."""

    verb: Verb
    name: str
    reason: str
    size_bytes: int = 0


def decide(
    source: Mapping[str, Mapping[str, Any]], sink: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]
) -> list[Action]:
    """What a transfer does, from the metadata of both sides by name, and the job's `transferOptions`."""
    when = options.get("overwriteWhen")
    always = when == "ALWAYS" or (when is None and options.get("overwriteObjectsAlreadyExistingInSink"))
    actions: list[Action] = []
    for name, resource in sorted(source.items()):
        size = int(resource["size"])
        existing = sink.get(name)
        if existing is None:
            actions.append(Action("copy", name, "the sink lacks it", size))
        elif when == "NEVER":
            actions.append(Action("skip", name, "the sink has it, and overwriteWhen is NEVER", size))
        elif always:
            actions.append(Action("copy", name, "the job overwrites always", size))
        elif checksums(existing) != checksums(resource):
            actions.append(Action("copy", name, "the sink's differs", size))
        else:
            actions.append(Action("skip", name, "the sink's is the same", size))
    if options.get("deleteObjectsUniqueInSink"):
        unique = sorted(set(sink) - set(source))
        actions += [Action("delete", name, "the source lacks it", int(sink[name]["size"])) for name in unique]
    return actions


def included(name: str, updated: datetime, conditions: Mapping[str, Any], now: datetime) -> bool:
    """Whether an object passes a job's `objectConditions`, all of them; its name is that below the path.

    Args:
        updated: when it last changed.
    """
    include, exclude = conditions.get("includePrefixes") or [""], conditions.get("excludePrefixes") or []
    if not any(name.startswith(p) for p in include) or any(name.startswith(p) for p in exclude):
        return False
    least, most = (conditions.get(f"{which}TimeElapsedSinceLastModification") for which in ("min", "max"))
    since, before = conditions.get("lastModifiedSince"), conditions.get("lastModifiedBefore")
    return (
        (not least or updated + clock.seconds(least) < now)
        and (not most or updated + clock.seconds(most) >= now)
        and (not since or clock.parse(since) <= updated)
        and (not before or updated < clock.parse(before))
    )


def source_permissions(options: Mapping[str, Any]) -> list[str]:
    """What is needed on a source (docs.cloud.google.com/storage-transfer/docs/source-cloud-storage, read
    2026-11-21)."""
    always = ["storage.buckets.get", "storage.objects.list", "storage.objects.get"]
    return [*always, *(["storage.objects.delete"] if options.get("deleteObjectsFromSourceAfterTransfer") else [])]


def sink_permissions(options: Mapping[str, Any]) -> list[str]:
    """What is needed on a sink (cloud.google.com/storage-transfer/docs/sink-cloud-storage, read 2026-11-21).

    `get` is needed to overwrite what differs, or never; `list` to do so or to delete what is the sink's alone.
    Believed: when `delete` is needed, and what a job that names no `overwriteWhen` needs.
    """
    when = options.get("overwriteWhen")
    always = when == "ALWAYS" or (when is None and options.get("overwriteObjectsAlreadyExistingInSink"))
    deletes = when != "NEVER" or options.get("deleteObjectsUniqueInSink")
    return [
        "storage.buckets.get",
        "storage.objects.create",
        "storage.objects.list",
        *(["storage.objects.get"] if not always else []),
        *(["storage.objects.delete"] if deletes else []),
    ]


def job_problem(job: Mapping[str, Any]) -> str | None:
    """Why a job cannot be like this, or None."""
    spec = job.get("transferSpec") or {}
    if not (spec.get("gcsDataSource") or {}).get("bucketName") or not (spec.get("gcsDataSink") or {}).get(
        "bucketName"
    ):
        return "transferSpec needs a gcsDataSource and a gcsDataSink with a bucketName each."
    for end in ("gcsDataSource", "gcsDataSink"):
        path = spec[end].get("path") or ""
        if path and (not path.endswith("/") or path.startswith("/")):
            return f"{end}.path {path!r} must end, and must not begin, with a slash."
    options = spec.get("transferOptions") or {}
    if options.get("deleteObjectsUniqueInSink") and options.get("deleteObjectsFromSourceAfterTransfer"):
        return "deleteObjectsUniqueInSink and deleteObjectsFromSourceAfterTransfer exclude each other."
    if job.get("status", "ENABLED") not in ("ENABLED", "DISABLED", "DELETED"):
        return f"status {job['status']!r} is not ENABLED, DISABLED or DELETED."
    unknown = sorted(set(spec.get("objectConditions") or {}) - _CONDITIONS)
    if unknown:
        return f"the local cloud knows no objectConditions {', '.join(unknown)}."
    repeat = (job.get("schedule") or {}).get("repeatInterval")
    if repeat and clock.seconds(repeat).total_seconds() < MIN_REPEAT_SECONDS:
        return f"schedule.repeatInterval {repeat} is below {MIN_REPEAT_SECONDS}s."
    return None


class Transfer:
    """The Storage Transfer API."""

    def __init__(
        self, store: DocumentStore, storage: Storage, judge: Judge, agent: Principal, background: Background
    ) -> None:
        self._store = store
        self._background = background
        self._chance = random.Random(_SEED)  # noqa: S311 - the order of copies is no secret
        self._judge = judge
        self._agent = agent
        self._storage = storage
        self._routes = Routes()
        job = r"(?P<name>transferJobs/[^/:]+)"
        for method, pattern, handler in (
            ("POST", "transferJobs", self._create),
            ("GET", job, self._get),
            ("PATCH", job, self._patch),
            ("DELETE", job, self._delete),
            ("POST", f"{job}:run", self._run),
            ("GET", r"(?P<name>transferOperations/[^/:]+)", self._get_operation),
        ):
            self._routes.add(method, f"/v1/{pattern}", handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer an API request."""
        return self._routes.handle(request, path)

    def _create(self, request: Request) -> Response:
        body = request.json()
        name = body.get("name") or f"transferJobs/OPI{uuid4().int % 10**20}"
        if not _JOB_NAME.fullmatch(name):
            raise ApiError(400, f"Invalid transfer job name: {name!r}")
        if not body.get("projectId"):
            raise ApiError(400, "projectId is required.")
        moment = clock.now_text()
        job = {"status": "ENABLED", **body, "name": name, "creationTime": moment, "lastModificationTime": moment}
        self._check(job)
        with self._store.lock:
            existing = self._store.get(_JOBS, name)
            if existing is not None and not _is_collected(existing):
                kept = (
                    f" It was deleted, and is kept for {_KEPT_DAYS} days." if existing["status"] == "DELETED" else ""
                )
                raise ApiError(409, f"Transfer job {name} already exists.{kept}")
            return Response.of(self._store.put(_JOBS, name, job))

    def _get(self, request: Request, name: str) -> Response:
        return Response.of(self._job(name, request.query.get("projectId")))

    def _patch(self, request: Request, name: str) -> Response:
        body = request.json()
        patch = body.get("transferJob") or {}
        mask = [_camel(p.split(".")[0]) for p in str(body.get("updateTransferJobFieldMask") or "").split(",") if p]
        fields = mask or [f for f in patch if f in _PATCHABLE]
        refused = sorted(set(fields) - _PATCHABLE)
        if refused:
            raise ApiError(400, f"A transfer job's {', '.join(refused)} cannot be updated.")
        with self._store.lock:
            old = self._job(name, body.get("projectId"))
            changed = {k: v for k, v in old.items() if k not in fields}
            changed |= {f: patch[f] for f in fields if f in patch}
            changed = {"status": old["status"], **changed, "lastModificationTime": clock.now_text()}
            if changed["status"] != "DELETED":
                self._check(changed)
            return Response.of(self._store.put(_JOBS, name, changed))

    def _delete(self, request: Request, name: str) -> Response:
        with self._store.lock:
            job = self._job(name, request.query.get("projectId"))
            self._store.put(_JOBS, name, {**job, "status": "DELETED", "deletionTime": clock.now_text()})
        return Response.of({})

    def _run(self, request: Request, name: str) -> Response:
        body = request.json()
        job = self._job(name, body.get("projectId"))
        if job["status"] != "ENABLED":
            message = f"Transfer job {name} is {job['status']} and cannot run."
            raise ApiError(400, message, status="FAILED_PRECONDITION")
        last = self._store.get(_OPERATIONS, str(job.get("latestOperationName"))) or {}
        if last and not last.get("done"):
            message = f"Transfer job {name} has an operation that is running: {last['name']}."
            raise ApiError(400, message, status="FAILED_PRECONDITION")
        operation = f"transferOperations/transferJobs-{name.split('/', 1)[1]}-{uuid4().int % 10**18}"
        begun = {
            "@type": _METADATA,
            "name": operation,
            "projectId": job["projectId"],
            "transferSpec": job["transferSpec"],
            "transferJobName": name,
            "startTime": clock.now_text(),
            "status": "IN_PROGRESS",
        }
        answer = {"name": operation, "metadata": begun, "done": False}
        with self._store.lock:
            self._store.put(_OPERATIONS, operation, answer)
            self._store.put(_JOBS, name, {**self._job(name, None), "latestOperationName": operation})

        def work() -> None:
            ended = {**begun, **self._execute(job), "endTime": clock.now_text()}
            empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
            outcome = {"response": empty} if ended["status"] == "SUCCESS" else {"error": _failure(ended)}
            self._store.put(_OPERATIONS, operation, {**answer, "metadata": ended, "done": True, **outcome})

        self._background.start(work)
        return Response.of(answer)

    def _execute(self, job: Document) -> dict[str, Any]:
        """Do the transfer; what the operation's metadata says of it."""
        spec = job["transferSpec"]
        options, conditions = spec.get("transferOptions") or {}, spec.get("objectConditions") or {}
        source, sink = spec["gcsDataSource"], spec["gcsDataSink"]
        try:
            self._check(job)
            actor = self._actor(job)
            there = self._below(actor, source, conditions)
            names = {k: v for k, v in conditions.items() if k.endswith("Prefixes")}
            here = self._below(actor, sink, names)
        except ApiError as e:
            return {"status": "FAILED", "counters": {}, "errorBreakdowns": [_breakdown(e, [])]}
        actions = decide(there, here, options)
        failed: list[tuple[Action, ApiError]] = []
        for action in self._chance.sample(actions, len(actions)):
            time.sleep(self._chance.uniform(0, 2 * LATE_SECONDS / len(actions)))
            try:
                self._act(actor, action, there.get(action.name), source, sink, options)
            except ApiError as e:
                failed.append((action, e))
        counters = count(actions, [action for action, _ in failed])
        if failed:
            errors = [_breakdown(e, [f"gs://{source['bucketName']}/{a.name}"]) for a, e in failed]
            return {"status": "FAILED", "counters": counters, "errorBreakdowns": errors}
        return {"status": "SUCCESS", "counters": counters}

    def _act(
        self,
        actor: Principal,
        action: Action,
        original: Mapping[str, Any] | None,
        source: Mapping[str, Any],
        sink: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        target = (sink.get("path") or "") + action.name
        if action.verb == "delete":
            self._storage.delete(actor, sink["bucketName"], target)
        if action.verb == "copy" and original is not None:
            copied = self._storage.copy(actor, source["bucketName"], original["name"], sink["bucketName"], target)
            if checksums(copied) != checksums(original):
                raise ApiError(500, f"The copy of {original['name']} has another checksum.")
        if action.verb != "delete" and original is not None and options.get("deleteObjectsFromSourceAfterTransfer"):
            self._storage.delete(actor, source["bucketName"], original["name"])

    def _below(
        self, actor: Principal, end: Mapping[str, Any], conditions: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        path = end.get("path") or ""
        named = ((r["name"].removeprefix(path), r) for r in self._storage.list(actor, end["bucketName"], path))
        now = clock.now()
        return {
            name: resource
            for name, resource in named
            if name and included(name, clock.parse(resource["updated"]), conditions, now)
        }

    def _check(self, job: Mapping[str, Any]) -> None:
        """Raise ApiError unless the job is well formed and the service's agent has its rights on both buckets."""
        problem = job_problem(job)
        if problem:
            raise ApiError(400, problem)
        spec = job["transferSpec"]
        options = spec.get("transferOptions") or {}
        actor, source, sink = self._actor(job), spec["gcsDataSource"]["bucketName"], spec["gcsDataSink"]["bucketName"]
        for bucket, permissions in ((source, source_permissions(options)), (sink, sink_permissions(options))):
            for permission in permissions:
                self._storage.buckets.judge(actor, permission, bucket)

    def _actor(self, job: Mapping[str, Any]) -> Principal:
        """Whose rights count: the service's agent's, or an account's that the job names and the agent may become.

        Reference of `TransferJob.serviceAccount` (read 2026-11-21), which counts "instead of" the agent; that the
        agent needs `iam.serviceAccounts.getAccessToken` on it is believed. Raises ApiError (403).
        """
        email = str(job.get("serviceAccount") or "").rpartition("/")[2]
        if not email:
            return self._agent
        name = f"projects/{job['projectId']}/serviceAccounts/{email}"
        self._judge.require(self._agent, "iam.serviceAccounts.getAccessToken", resources.account(name))
        return service_account(email)

    def _job(self, name: str, project: str | None) -> Document:
        found = self._store.get(_JOBS, name)
        if found is None or found["status"] == "DELETED" or project not in (None, "", found["projectId"]):
            raise not_found("Transfer job", name)
        return found

    def _get_operation(self, _request: Request, name: str) -> Response:
        found = self._store.get(_OPERATIONS, name)
        if found is None:
            raise not_found("Operation", name)
        return Response.of(found)


def _is_collected(job: Mapping[str, Any]) -> bool:
    """Whether a job was deleted so long ago that its name is free again (`TransferJob.Status`, 30 days, read
    2026-11-21)."""
    if job["status"] != "DELETED":
        return False
    return clock.now() - clock.parse(job["deletionTime"]) > timedelta(days=_KEPT_DAYS)


def count(actions: Iterable[Action], failed: Iterable[Action]) -> dict[str, str]:
    """A `TransferCounters` object: the API writes 64-bit numbers as strings."""
    broken = set(failed)
    done = [a for a in actions if a not in broken]
    found = [a for a in actions if a.verb != "delete"]

    def pair(name: str, chosen: list[Action]) -> dict[str, str]:
        return {f"objects{name}": str(len(chosen)), f"bytes{name}": str(sum(a.size_bytes for a in chosen))}

    return {
        **pair("FoundFromSource", found),
        **pair("CopiedToSink", [a for a in done if a.verb == "copy"]),
        **pair("FromSourceSkippedBySync", [a for a in done if a.verb == "skip"]),
        **pair("DeletedFromSink", [a for a in done if a.verb == "delete"]),
        **pair("FromSourceFailed", [a for a in broken if a.verb != "delete"]),
    }


def _breakdown(error: ApiError, urls: list[str]) -> dict[str, Any]:
    entries = [{"url": url, "errorDetails": [error.message]} for url in urls] or [{"errorDetails": [error.message]}]
    return {"errorCode": error.status, "errorCount": str(max(1, len(urls))), "errorLogEntries": entries}


def _failure(metadata: Mapping[str, Any]) -> dict[str, Any]:
    first = metadata["errorBreakdowns"][0]
    return {"code": 9, "message": f"{first['errorCode']}: {first['errorLogEntries'][0]['errorDetails'][0]}"}


def _camel(snake: str) -> str:
    head, *rest = snake.split("_")
    return head + "".join(part.capitalize() for part in rest)
