"""Sends steady load to a service through its door, HTTP and gRPC; a script for the serving environment.

Reads a job from standard input:
`{"url", "host", "grpc_target", "grpc_host", "ca", "token", "model", "http_body", "grpc_inputs", "workers",
"interval_s", "timeout_s", "count"}`: `count` requests of each protocol, by `workers` clients each, each one every
`interval_s` at most. Prints a line `sent N` after every hundred requests, and last one line of JSON: for each
protocol the latencies in seconds, in the order of their end, and the failures as `[at_s, reason]`.

An answer other than the first one to the same request is a failure, too. No request is repeated here: a second
attempt is the door's to make.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import grpc  # pyright: ignore[reportMissingImports]
from tritonclient.grpc import service_pb2  # pyright: ignore[reportMissingImports]

_TOLD_EVERY = 100


class Http(http.client.HTTPSConnection):
    """Connects to the door's address, and asks for the service's name."""

    def __init__(self, job: dict[str, Any]) -> None:
        place = urlsplit(job["url"])
        super().__init__(place.hostname or "", place.port, timeout=job["timeout_s"])
        self._job = job
        self._tls = ssl.create_default_context(cafile=job["ca"]) if place.scheme == "https" else None

    def connect(self) -> None:
        self.sock = socket.create_connection((self.host, self.port), self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._job["host"])

    def ask(self) -> bytes:
        headers = {"Host": self._job["host"], "Content-Type": "application/json"}
        if self._job["token"]:
            headers["Authorization"] = f"Bearer {self._job['token']}"
        try:
            self.request("POST", f"/v2/models/{self._job['model']}/infer", self._job["http_body"], headers)
            answer = self.getresponse()
            body = answer.read()
        except Exception:
            self.close()
            raise
        if answer.status != 200:
            raise ConnectionError(f"HTTP {answer.status}: {body[:200].decode(errors='replace')}")
        return body


def grpc_caller(job: dict[str, Any]) -> Callable[[], bytes]:
    """Calls by one channel."""
    # Built once: what is measured is the door and the servers, not the client.
    message = service_pb2.ModelInferRequest(model_name=job["model"])
    for each in job["grpc_inputs"]:
        tensor = message.inputs.add(name=each["name"], datatype=each["datatype"], shape=each["shape"])
        if each["datatype"] == "FP32":
            tensor.contents.fp32_contents.extend(each["data"])
        else:
            tensor.contents.bytes_contents.extend(text.encode() for text in each["data"])
    request = message.SerializeToString()
    options = [("grpc.default_authority", job["grpc_host"]), ("grpc.ssl_target_name_override", job["grpc_host"])]
    if job["ca"]:
        with open(job["ca"], "rb") as ca:  # noqa: PTH123 - nothing else of pathlib is needed
            trusted = grpc.ssl_channel_credentials(ca.read())
        channel = grpc.secure_channel(job["grpc_target"], trusted, options)
    else:
        channel = grpc.insecure_channel(job["grpc_target"], options[:1])
    infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    metadata = (("authorization", f"Bearer {job['token']}"),) if job["token"] else ()
    return lambda: infer(request, timeout=job["timeout_s"], metadata=metadata)


class Tally:
    """What came of the requests of one protocol."""

    def __init__(self, count: int, began: float) -> None:
        self._left = count
        self._began = began
        self._lock = threading.Lock()
        self._first: bytes | None = None
        self.latencies: list[float] = []
        self.failures: list[tuple[float, str]] = []

    def take(self) -> bool:
        """Whether there is another request to send."""
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def note(self, seconds: float, answer: bytes | None, failure: str) -> None:
        """One request has ended."""
        with self._lock:
            if answer is not None and self._first is None:
                self._first = answer
            if answer is not None and answer != self._first:
                failure = "another answer than the first one"
            if failure:
                self.failures.append((round(time.monotonic() - self._began, 3), failure))
            else:
                self.latencies.append(round(seconds, 6))
            ended = len(self.latencies) + len(self.failures)
        if ended % _TOLD_EVERY == 0:
            print(f"sent {ended}", flush=True)


def work(ask: Callable[[], bytes], tally: Tally, interval_s: float) -> None:
    """One client: a request every `interval_s`, the next at once if one took longer."""
    due = time.monotonic()
    while tally.take():
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + interval_s, time.monotonic() - interval_s)
        began = time.monotonic()
        try:
            answer, failure = ask(), ""
        except Exception as error:  # whatever a client meets is what is counted
            answer, failure = None, f"{type(error).__name__}: {error}"[:300].replace("\n", " ")
        tally.note(time.monotonic() - began, answer, failure)


def main() -> None:
    job = json.load(sys.stdin)
    began = time.monotonic()
    tallies = {"http": Tally(job["count"], began), "grpc": Tally(job["count"], began)}
    call = grpc_caller(job)
    asks = [("http", Http(job).ask) for _ in range(job["workers"])] + [("grpc", call)] * job["workers"]
    threads = [threading.Thread(target=work, args=(ask, tallies[name], job["interval_s"])) for name, ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {name: {"latencies_s": tally.latencies, "failures": tally.failures} for name, tally in tallies.items()}
    print(json.dumps({"seconds": round(time.monotonic() - began, 3), **told}))


if __name__ == "__main__":
    main()
