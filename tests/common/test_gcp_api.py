"""The client of Google's REST APIs: the same code for both targets, refusals as errors, operations waited for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from common.gcp_api import HOSTS, GcpApi, GcpError, Service, base_url
from common.target import REAL_CLOUD, Target
from localcloud.gcp.wire import ApiError, FrontServer, Request, Response


class Answers:
    """What the stub answers, by path; an operation is done at the third time of asking."""

    def __init__(self) -> None:
        self.asked = 0
        self.heard: list[tuple[str, str, dict[str, str], Any]] = []

    def __call__(self, request: Request) -> Response:
        self.heard.append((request.method, request.path, dict(request.query), request.json()))
        if request.path.endswith("/missing"):
            raise ApiError(404, "there is no such thing", reason="notFound")
        if request.path.endswith("/list"):
            more = request.query.get("pageToken") == "2"
            return Response.of({"items": [{"n": 2}]} if more else {"items": [{"n": 1}], "nextPageToken": "2"})
        if "/operations/" in request.path:
            self.asked += 1
            failed = {"error": {"code": 9, "message": "the disk was full"}}
            ended = failed if request.path.endswith("bad") else {"response": {"ok": True}}
            return Response.of({"name": "operations/x", **({"done": True, **ended} if self.asked > 2 else {})})
        if request.path.endswith("/empty"):
            return Response(204)
        return Response.of({"path": request.path})


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def api(answers: Answers) -> Iterator[GcpApi]:
    server = FrontServer(answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    target = Target("local", "emulated", gcp_endpoint_url=f"http://127.0.0.1:{server.port}")
    client = GcpApi(target, "acme")
    yield client
    client.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("service", HOSTS)
def test_the_real_cloud_is_reached_over_tls_at_googles_hosts(service: Service) -> None:
    assert base_url(REAL_CLOUD, service) == f"https://{HOSTS[service]}"


def test_a_local_service_lies_below_its_own_segment(api: GcpApi) -> None:
    assert api.get("redis", "v1/x")["path"] == "/redis/v1/x"


def test_storage_keeps_its_own_paths(api: GcpApi) -> None:
    assert api.get("storage", "storage/v1/b")["path"] == "/storage/v1/b"


def test_a_body_and_parameters_are_sent(api: GcpApi, answers: Answers) -> None:
    api.patch("kms", "v1/k", {"state": "DISABLED"}, {"updateMask": "state"})
    assert answers.heard == [("PATCH", "/kms/v1/k", {"updateMask": "state"}, {"state": "DISABLED"})]


def test_an_empty_answer_is_an_empty_object(api: GcpApi) -> None:
    assert api.delete("kms", "v1/empty") == {}


def test_a_refusal_is_a_users_error_with_the_apis_words(api: GcpApi) -> None:
    with pytest.raises(GcpError, match="Cloud KMS refused GET: there is no such thing") as refused:
        api.get("kms", "v1/missing")
    assert (refused.value.code, refused.value.status, refused.value.reason) == (404, "NOT_FOUND", "notFound")


def test_what_is_missing_can_be_asked_for(api: GcpApi) -> None:
    assert api.find("kms", "v1/missing") is None


def test_a_list_holds_all_pages(api: GcpApi) -> None:
    assert [i["n"] for i in api.list("kms", "v1/list", "items")] == [1, 2]


def test_an_operation_is_asked_for_until_it_is_done(api: GcpApi, answers: Answers) -> None:
    done = api.wait("redis", {"name": "operations/good"})
    assert (done["response"], answers.asked) == ({"ok": True}, 3)


def test_a_failed_operation_is_an_error_with_its_reason(api: GcpApi) -> None:
    with pytest.raises(GcpError, match="the disk was full"):
        api.wait("redis", {"name": "operations/bad"})


def test_an_operation_that_takes_too_long_is_given_up(api: GcpApi) -> None:
    with pytest.raises(UserError, match="did not finish within 0 s"):
        api.wait("redis", {"name": "operations/good"}, timeout_seconds=0)


def test_an_api_that_does_not_answer_is_said_to_be_unreachable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        client = GcpApi(Target("local", "emulated", gcp_endpoint_url=url), "acme")
        with pytest.raises(UserError, match="Memorystore cannot be reached"):
            client.get("redis", "v1/x")
        client.close()


def test_without_credentials_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(UserError) as refused:
        GcpApi(REAL_CLOUD, "acme").get("redis", "v1/x")
    assert "gcloud auth application-default login" in refused.value.remedy
