"""Cloud Scheduler: a run makes the deployed call, and a wrong one shows in the job's status."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.gcp.scheduler.api import Scheduler
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import ApiError, Request, Response

Call = Callable[..., dict[str, Any]]
PARENT = "projects/acme/locations/europe-west1"
EXPORT = f"https://redis.googleapis.com/v1/{PARENT}/instances/features:export"


@pytest.fixture
def heard() -> list[tuple[str, str, Any]]:
    """The calls that jobs made."""
    return []


@pytest.fixture
def call(store: DocumentStore, heard: list[tuple[str, str, Any]], caller: Callable[..., Call]) -> Call:
    def answer(request: Request) -> Response:
        if "broken" in request.path:
            raise ApiError(403, f"{request.principal.member} is not allowed")
        heard.append((request.method, request.path, request.json()))
        return Response.of({})

    return caller(Scheduler(store, answer).handle)


def make(call: Call, uri: str = EXPORT, *, body: Any = None, token: bool = True, **of_token: str) -> str:
    target: dict[str, Any] = {"uri": uri, "httpMethod": "POST"}
    target["body"] = base64.b64encode(json.dumps(body or {}).encode()).decode()
    if token:
        target["oauthToken"] = {"serviceAccountEmail": "exporter@acme.iam.gserviceaccount.com", **of_token}
    name = f"{PARENT}/jobs/export"
    call("POST", f"/v1/{PARENT}/jobs", {"name": name, "schedule": "0 * * * *", "httpTarget": target})
    return name


def test_a_run_calls_the_deployed_address_with_the_deployed_body(
    call: Call, heard: list[tuple[str, str, Any]]
) -> None:
    call("POST", f"/v1/{make(call, body={'outputConfig': 1})}:run")
    assert heard == [("POST", f"/redis/v1/{PARENT}/instances/features:export", {"outputConfig": 1})]


def test_a_run_that_went_well_leaves_an_empty_status(call: Call) -> None:
    assert call("POST", f"/v1/{make(call)}:run")["status"] == {}


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/v1/x",
        "http://redis.googleapis.com/v1/x",
        "https://rediss.googleapis.com/v1/x",
    ],
)
def test_a_wrong_address_shows_in_the_status(call: Call, heard: list[tuple[str, str, Any]], uri: str) -> None:
    status = call("POST", f"/v1/{make(call, uri)}:run")["status"]
    assert (status["code"] != 0, heard) == (True, [])


def test_a_call_that_is_refused_shows_in_the_status(call: Call) -> None:
    name = make(call, "https://redis.googleapis.com/v1/broken")
    assert "403" in call("POST", f"/v1/{name}:run")["status"]["message"]


def test_a_job_without_a_token_is_not_let_in(call: Call, heard: list[tuple[str, str, Any]]) -> None:
    status = call("POST", f"/v1/{make(call, token=False)}:run")["status"]
    assert (status["code"], heard) == (16, [])


def test_a_job_calls_as_the_account_that_it_names(call: Call) -> None:
    name = make(call, "https://redis.googleapis.com/v1/broken")
    told = call("POST", f"/v1/{name}:run")["status"]["message"]
    assert "serviceAccount:exporter@acme.iam.gserviceaccount.com is not allowed" in told


def test_a_token_of_a_narrow_scope_is_not_let_in(call: Call, heard: list[tuple[str, str, Any]]) -> None:
    scope = "https://www.googleapis.com/auth/devstorage.read_only"
    status = call("POST", f"/v1/{make(call, scope=scope)}:run")["status"]
    assert ("scopes" in status["message"], heard) == (True, [])


@pytest.mark.parametrize("schedule", ["", "hourly", "0 * * *"])
def test_a_schedule_that_is_no_cron_is_refused(call: Call, schedule: str) -> None:
    with pytest.raises(ApiError, match="unix-cron"):
        body = {"name": f"{PARENT}/jobs/x", "schedule": schedule, "httpTarget": {"uri": EXPORT}}
        call("POST", f"/v1/{PARENT}/jobs", body)


def test_a_paused_job_says_so_until_it_is_resumed(call: Call) -> None:
    name = make(call)
    paused = call("POST", f"/v1/{name}:pause")["state"]
    assert (paused, call("POST", f"/v1/{name}:resume")["state"]) == ("PAUSED", "ENABLED")
