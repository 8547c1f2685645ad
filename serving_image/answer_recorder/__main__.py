"""The command: takes requests until it is told to end, one JSON line for each answer."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .recording import Recorder, request_of


def server(recorder: Recorder, port: int, limit_bytes: int, host: str = "") -> ThreadingHTTPServer:
    """What takes copies, answers the kubelet and tells Prometheus."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            size = self.headers.get("content-length", "")
            if not size.isdecimal() or int(size) > limit_bytes:
                recorder.counts.add("refused")
                self.close_connection = True  # the body was not read
                self._answer(413 if size.isdecimal() else 411)
                return
            body = self.rfile.read(int(size))
            request = request_of(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            if request is None:
                recorder.counts.add("refused")
                self._answer(404)
                return
            self._answer(202 if recorder.take(request) else 429)

        def do_GET(self) -> None:
            if self.path == "/healthz":
                self._answer(200, b"taking\n")
            elif self.path == "/metrics":
                self._answer(200, metrics(recorder.counts.get()).encode())
            else:
                self._answer(404)

        def _answer(self, code: int, body: bytes = b"") -> None:
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the log has the answers alone."""

    taking = ThreadingHTTPServer((host, port), Handler)
    taking.daemon_threads = True
    return taking


def metrics(counts: Mapping[str, int]) -> str:
    """Prometheus' text format."""
    lines = ["# TYPE seawall_answer_recorder_total counter"]
    for what in ("taken", "dropped", "refused", "answered", "failed"):
        lines.append(f'seawall_answer_recorder_total{{what="{what}"}} {counts.get(what, 0)}')
    return "\n".join(lines) + "\n"


def _variant(text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    parts = urllib.parse.urlsplit(url)
    if not (name and equals and parts.scheme == "http" and parts.hostname):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=http://HOST:PORT")
    return name, url


def parser() -> argparse.ArgumentParser:
    """What it can be told."""
    parser = argparse.ArgumentParser(prog="answer_recorder", description="Record what variants answer.")
    parser.add_argument("--variant", required=True, action="append", type=_variant, help="NAME=http://HOST:PORT")
    parser.add_argument("--port", type=int, default=8000, help="default 8000")
    parser.add_argument("--waiting", type=int, default=256, help="requests that may wait; default 256")
    parser.add_argument("--timeout-ms", type=int, default=10_000, help="of one answer; default 10000")
    parser.add_argument("--limit-bytes", type=int, default=8 * 1024**2, help="of a request; default 8 MiB")
    return parser


def main(given: list[str] | None = None) -> int:
    """Run, and return the exit code: 0 when it was told to end, 2 when it cannot start."""
    asked = parser().parse_args(given)
    variants = dict(asked.variant)
    if len(variants) < 2 or len(variants) < len(asked.variant):
        parser().error("name at least two variants, each once, with --variant")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    lock = threading.Lock()

    def write(line: dict[str, object]) -> None:
        with lock:
            print(json.dumps(line), flush=True)

    recorder = Recorder(variants, write, waiting=asked.waiting, timeout_s=asked.timeout_ms / 1000)
    try:
        taking = server(recorder, asked.port, asked.limit_bytes)
    except OSError as error:
        print(f"error: port {asked.port}: {error}; remedy: Choose another --port.", file=sys.stderr)
        return 2
    threading.Thread(target=taking.serve_forever, daemon=True).start()
    recorder.run(ended)
    taking.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
