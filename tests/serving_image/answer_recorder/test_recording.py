"""The recorder asks every variant, writes answers and no inputs, and gives up nothing but copies when it is slow."""

from __future__ import annotations

import http.client
import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from serving_image.answer_recorder.__main__ import main, metrics, server
from serving_image.answer_recorder.recording import Recorder, Request, ask, request_of
from serving_image.answer_recorder.tensors import outputs

PATH = "/v2/models/tumour_risk/infer"
ANSWER = {
    "model_name": "tumour_risk",
    "outputs": [{"name": "probability", "datatype": "FP32", "shape": [1, 1], "data": [0.7]}],
}


class Variant(ThreadingHTTPServer):
    """Answers as Triton does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = 200
        self.body = json.dumps(ANSWER).encode()
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class _Answer(BaseHTTPRequestHandler):
    wbufsize = -1

    def do_POST(self) -> None:
        variant = self.server
        assert isinstance(variant, Variant)
        body = self.rfile.read(int(self.headers["content-length"]))
        variant.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(variant.status)
        self.send_header("content-length", str(len(variant.body)))
        self.end_headers()
        self.wfile.write(variant.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def variants() -> Iterator[dict[str, Variant]]:
    made = {"stable": Variant(), "b": Variant()}
    yield made
    for each in made.values():
        each.shutdown()
        each.server_close()


def request(body: bytes = b'{"inputs": [{"data": ["patient-7"]}]}') -> Request:
    made = request_of(PATH, {"x-request-id": "r-1", "authorization": "Bearer x", "content-type": "a/b"}, body)
    assert made is not None
    return made


def recorder(variants: dict[str, Variant], lines: list[dict[str, Any]], waiting: int = 4) -> Recorder:
    urls = {name: each.url for name, each in variants.items()}
    return Recorder(urls, lines.append, waiting=waiting, timeout_s=2, now=lambda: 1.0)


def test_both_variants_are_asked_the_same_and_their_answers_bear_one_id(variants: dict[str, Variant]) -> None:
    lines: list[dict[str, Any]] = []
    recorder(variants, lines).record(request())
    assert [(each["variant"], each["id"], each["status"]) for each in lines] == [
        ("stable", "r-1", 200),
        ("b", "r-1", 200),
    ]
    assert lines[0]["outputs"]["probability"]["data"] == [0.7]
    assert variants["stable"].got[0][::2] == variants["b"].got[0][::2] == (PATH, request().body)


def test_neither_inputs_nor_credentials_go_further(variants: dict[str, Variant]) -> None:
    lines: list[dict[str, Any]] = []
    recorder(variants, lines).record(request())
    assert "patient-7" not in json.dumps(lines)
    assert "authorization" not in variants["b"].got[0][1]


def test_a_failure_is_written_with_its_reason(variants: dict[str, Variant]) -> None:
    variants["b"].status = 500
    assert ask("b", variants["b"].url, request(), 2, lambda: 1.0)["error"] == "HTTP 500"
    variants["b"].status, variants["b"].body = 200, b"<html>"
    assert "error" in ask("b", variants["b"].url, request(), 2, lambda: 1.0)
    assert ask("b", "http://127.0.0.1:9", request(), 2, lambda: 1.0)["error"] == "ConnectionRefusedError"


def test_a_full_queue_drops_and_counts(variants: dict[str, Variant]) -> None:
    made = recorder(variants, [], waiting=2)
    assert [made.take(request()) for _ in range(3)] == [True, True, False]
    assert made.counts.get() == {"taken": 2, "dropped": 1}
    assert 'what="dropped"} 1' in metrics(made.counts.get())


def test_large_requests_fill_the_queue_by_their_bytes(variants: dict[str, Variant]) -> None:
    urls = {name: each.url for name, each in variants.items()}
    made = Recorder(urls, lambda _: None, waiting=9, waiting_bytes=25, timeout_s=2)
    assert [made.take(request(b"x" * 10)) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("path", ["/", "/v2/models/x/ready", "/v2/repository/models/x/load", f"{PATH}/../load"])
def test_what_is_no_inference_is_not_asked_again(path: str) -> None:
    assert request_of(path, {}, b"") is None


def test_an_id_that_could_break_the_log_is_replaced() -> None:
    made = request_of(PATH, {"x-request-id": 'a"\n'}, b"")
    assert made is not None
    assert "\n" not in made.id


def test_binary_outputs_are_read() -> None:
    values, texts = struct.pack("<2f", 0.5, 1.5), b"\x03\x00\x00\x00low\x04\x00\x00\x00high"
    head = json.dumps(
        {
            "id": "7",
            "outputs": [
                {"name": "p", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
                {"name": "l", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(texts)}},
            ],
        }
    ).encode()
    own, found = outputs(head + values + texts, len(head))
    assert (own, found["p"]["data"], found["l"]["data"]) == ("7", [0.5, 1.5], ["low", "high"])


@pytest.mark.parametrize("body", [b"[]", b'{"outputs": [{}]}', b"<", b'{"outputs": 1}'])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        outputs(body, None)


def test_large_outputs_become_a_digest() -> None:
    told = {"outputs": [{"name": "v", "datatype": "FP32", "shape": [999], "data": [0.5] * 999}]}
    _, found = outputs(json.dumps(told).encode(), None)
    assert (found["v"]["values"], "data" in found["v"]) == (999, False)


def test_it_takes_copies_over_http_and_refuses_what_is_too_large(variants: dict[str, Variant]) -> None:
    made = recorder(variants, [])
    taking = server(made, 0, limit_bytes=10, host="127.0.0.1")
    threading.Thread(target=taking.serve_forever, args=(0.02,), daemon=True).start()

    def post(path: str, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", taking.server_port, timeout=5)
        connection.request("POST", path, body)
        status = connection.getresponse().status
        connection.close()
        return status

    assert (post(PATH, b"{}"), post(PATH, b"x" * 11), post("/other", b"{}")) == (202, 413, 404)
    taking.shutdown()
    taking.server_close()
    assert made.counts.get() == {"taken": 1, "refused": 2}


@pytest.mark.parametrize("given", [["--variant", "stable=http://a:1"], ["--variant", "a=ftp://b"], []])
def test_fewer_than_two_variants_are_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(given)
