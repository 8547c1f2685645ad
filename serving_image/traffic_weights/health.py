"""What the kubelet and Prometheus ask the controller: whether its loop still turns, and what it did."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .running import Step
from .settings import Settings

MISSED_STEPS = 3
"""Steps that may be late before the loop counts as dead."""


class Health:
    """The last step, and counts of all; written by the loop, read by requests."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._last: Step | None = None
        self._turned = time.monotonic()
        self._counts: dict[str, int] = {}

    def seen(self, step: Step) -> None:
        with self._lock:
            self._last = step
            self._turned = time.monotonic()
            action = str(step.line["action"])
            self._counts[action] = self._counts.get(action, 0) + 1

    def alive(self) -> bool:
        with self._lock:
            return time.monotonic() - self._turned < MISSED_STEPS * self._settings.interval

    def metrics(self) -> str:
        """Prometheus' text format."""
        with self._lock:
            last, counts = self._last, dict(self._counts)
        service = f'service="{self._settings.service}"'
        lines = ["# TYPE seawall_traffic_weights_frozen gauge"]
        lines.append(f"seawall_traffic_weights_frozen{{{service}}} {int(last is None or last.frozen)}")
        lines.append("# TYPE seawall_traffic_weight gauge")
        for arm, weight in (last.weights if last else {}).items():
            lines.append(f'seawall_traffic_weight{{{service},variant="{arm}"}} {weight}')
        lines.append("# TYPE seawall_traffic_weights_steps_total counter")
        for action, count in sorted(counts.items()):
            lines.append(f'seawall_traffic_weights_steps_total{{{service},action="{action}"}} {count}')
        return "\n".join(lines) + "\n"


def serve(health: Health, port: int, host: str = "") -> ThreadingHTTPServer:
    """Answer on `port` in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, health.metrics(), "text/plain; version=0.0.4")
            elif self.path == "/healthz":
                alive = health.alive()
                self._answer(200 if alive else 503, "turning\n" if alive else "the loop stands still\n", "text/plain")
            else:
                self._answer(404, "not here\n", "text/plain")

        def _answer(self, code: int, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the log has the steps alone."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
