"""The server: connections are kept, bodies come whole or not at all, and errors have Google's shape."""

from __future__ import annotations

import http.client
import io
import json
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.wire import ApiError, BoundedBody, FrontServer, Request, Response, read_all


def application(request: Request) -> Response:
    if request.path == "/refuse":
        raise ApiError(400, "no", reason="badRequest")
    if request.path == "/crash":
        raise RuntimeError("oops")
    data = read_all(request.body, 10**8)
    if request.path == "/stream":
        return Response(200, [], iter([data[:3], data[3:]]), len(data))
    return Response.of({"method": request.method, "bytes": len(data), "query": dict(request.query)})


@pytest.fixture
def server() -> Iterator[FrontServer]:
    running = FrontServer(application)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def connection(server: FrontServer) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield opened
    opened.close()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> bytes:
    connection.request(method, path, body)
    return connection.getresponse().read()


def test_one_connection_carries_many_requests(connection: http.client.HTTPConnection) -> None:
    ask(connection, "GET", "/a")
    first = connection.sock
    ask(connection, "POST", "/b", b"x" * 100_000)
    assert connection.sock is first


def test_a_refusal_leaves_the_connection_usable(connection: http.client.HTTPConnection) -> None:
    ask(connection, "POST", "/refuse", b"x" * 100_000)
    assert json.loads(ask(connection, "POST", "/a", b"xy"))["bytes"] == 2


def test_errors_have_the_shape_of_googles(connection: http.client.HTTPConnection) -> None:
    error = json.loads(ask(connection, "GET", "/refuse"))["error"]
    assert (error["code"], error["status"], error["errors"][0]["reason"]) == (400, "INVALID_ARGUMENT", "badRequest")


def test_a_mistake_of_the_emulator_is_not_repeated_by_clients(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/crash")
    response = connection.getresponse()
    response.read()
    assert response.status == 501  # google-api-core retries 500, 502, 503 and 504 for two minutes


def test_a_streamed_answer_arrives_whole(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "POST", "/stream", b"abcdef") == b"abcdef"


def test_a_body_without_a_length_is_refused(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", "/a")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    assert connection.getresponse().status == 411


def test_the_server_listens_on_loopback_only(server: FrontServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


@given(st.binary(max_size=20), st.integers(1, 30))
def test_a_truncated_body_is_an_error(data: bytes, missing: int) -> None:
    with pytest.raises(ApiError):
        read_all(BoundedBody(io.BytesIO(data), len(data) + missing), 10**6)
