"""Cloud Scheduler: `:run` makes the deployed HTTP call against this same emulator, so a wrong one fails.

REST shapes: https://cloud.google.com/scheduler/docs/reference/rest. Schedules are kept and not followed, for a
local stack does not live for hours.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from localcloud.gcp import clock
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Application, Request, Response, Routes, not_found, service_account

_JOBS: Final = "scheduler/jobs"
_LOCATION: Final = r"projects/[^/]+/locations/[^/:]+"
_JOB: Final = rf"{_LOCATION}/jobs/[^/:]+"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,500}")
_GOOGLE_HOST: Final = re.compile(r"(?P<service>[a-z]+)\.googleapis\.com")
_CRON_FIELDS: Final = 5
SERVICES: Final = frozenset({"cloudkms", "redis", "storagetransfer", "storage"})
"""APIs that a job can call here."""

_SCOPES: Final = frozenset({"https://www.googleapis.com/auth/cloud-platform"})
"""With one of them a token does all that its account may; that is also what a job without one gets (reference of
`OAuthToken.scope` in google_api_cloud_scheduler 0.7.5, read 2026-11-21). What narrower ones let through is not known
here."""


class Scheduler:
    """The Cloud Scheduler API.

    Args:
        call: answers the HTTP calls of jobs, with the paths of the local cloud, as the principal that they name.
    """

    def __init__(self, store: DocumentStore, call: Application) -> None:
        self._store = store
        self._call = call
        self._routes = Routes()
        job = rf"(?P<name>{_JOB})"
        for method, pattern, handler in (
            ("POST", rf"(?P<parent>{_LOCATION})/jobs", self._create),
            ("GET", job, self._get),
            ("PATCH", job, self._patch),
            ("DELETE", job, self._delete),
            ("POST", f"{job}:run", self._run),
            ("POST", f"{job}:pause", self._pause),
            ("POST", f"{job}:resume", self._resume),
        ):
            self._routes.add(method, f"/v1/{pattern}", handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer an API request."""
        return self._routes.handle(request, path)

    def _create(self, request: Request, parent: str) -> Response:
        body = request.json()
        name = str(body.get("name", ""))
        if not name.startswith(f"{parent}/jobs/") or not _ID.fullmatch(name.rsplit("/", 1)[1]):
            raise ApiError(400, f"The job's name {name!r} must be {parent}/jobs/ID.")
        job = {"timeZone": "UTC", "attemptDeadline": "180s", **body, "state": "ENABLED"}
        job["userUpdateTime"] = clock.now_text()
        _check(job)
        with self._store.lock:
            if self._store.get(_JOBS, name):
                raise ApiError(409, f"Job {name} already exists.")
            return Response.of(self._store.put(_JOBS, name, job))

    def _get(self, _request: Request, name: str) -> Response:
        return Response.of(self._job(name))

    def _patch(self, request: Request, name: str) -> Response:
        body = request.json()
        mask = {p.split(".")[0] for p in request.query.get("updateMask", "").split(",") if p}
        with self._store.lock:
            old = self._job(name)
            chosen = {k: v for k, v in body.items() if (not mask or k in mask) and k not in ("name", "state")}
            job = {**{k: v for k, v in old.items() if k not in mask}, **chosen, "name": name, "state": old["state"]}
            job["userUpdateTime"] = clock.now_text()
            _check(job)
            return Response.of(self._store.put(_JOBS, name, job))

    def _delete(self, _request: Request, name: str) -> Response:
        self._job(name)
        self._store.delete(_JOBS, name)
        return Response.of({})

    def _pause(self, _request: Request, name: str) -> Response:
        return self._set(name, {"state": "PAUSED"})

    def _resume(self, _request: Request, name: str) -> Response:
        return self._set(name, {"state": "ENABLED"})

    def _run(self, _request: Request, name: str) -> Response:
        job = self._job(name)
        status: dict[str, Any] = {}
        try:
            self._attempt(job["httpTarget"])
        except ApiError as e:
            status = {**e.rpc_status(), "message": f"HTTP {e.code}: {e.message}"}
        return self._set(name, {"lastAttemptTime": clock.now_text(), "status": status})

    def _attempt(self, target: Mapping[str, Any]) -> None:
        address = urlsplit(target["uri"])
        found = _GOOGLE_HOST.fullmatch(address.hostname or "")
        if address.scheme != "https" or found is None or found["service"] not in SERVICES:
            raise ApiError(404, f"{target['uri']} is no address of an API that the local cloud has.")
        token = target.get("oauthToken") or {}
        email = token.get("serviceAccountEmail")
        if not email:
            raise ApiError(
                401, "Google's APIs want an OAuth token: the target has no oauthToken.serviceAccountEmail."
            )
        data = base64.b64decode(target.get("body", ""))
        service = found["service"]
        if token.get("scope") and token["scope"] not in _SCOPES:
            raise ApiError(403, f"Request had insufficient authentication scopes: {token['scope']}.")
        path = (
            address.path if service == "storage" else f"/{'kms' if service == 'cloudkms' else service}{address.path}"
        )
        headers = {name.lower(): value for name, value in (target.get("headers") or {}).items()}
        response = self._call(
            Request(
                target.get("httpMethod", "POST"),
                path,
                dict(parse_qsl(address.query)),
                headers,
                io.BytesIO(data),
                len(data),
                service_account(str(email)),
            )
        )
        if response.status >= 400:
            raise ApiError(response.status, "the call was refused")

    def _set(self, name: str, change: Mapping[str, Any]) -> Response:
        with self._store.lock:
            return Response.of(self._store.put(_JOBS, name, {**self._job(name), **change}))

    def _job(self, name: str) -> Document:
        found = self._store.get(_JOBS, name)
        if found is None:
            raise not_found("Job", name)
        return found


def _check(job: Mapping[str, Any]) -> None:
    """Raise ApiError (400) for a job that Cloud Scheduler refuses, or that the local cloud cannot run."""
    if len(str(job.get("schedule", "")).split()) != _CRON_FIELDS:
        raise ApiError(400, f"The schedule {job.get('schedule')!r} is not in unix-cron format.")
    target = job.get("httpTarget")
    if not isinstance(target, Mapping) or not target.get("uri"):
        raise ApiError(400, "The local cloud runs jobs with an httpTarget and its uri only.")
    try:
        base64.b64decode(target.get("body", ""), validate=True)
    except (binascii.Error, ValueError) as e:
        raise ApiError(400, "httpTarget.body is not base64.") from e
