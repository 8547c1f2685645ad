"""The command: steps until it is told to end, one JSON line for each."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time

from .health import Health, serve
from .rewards import HttpPrometheus
from .routes import ApiServer
from .running import run, step, who
from .settings import Settings


def main(given: list[str] | None = None) -> int:
    """Run, and return the exit code: 0 when it was told to end, 2 when it cannot start."""
    parser = argparse.ArgumentParser(
        prog="traffic_weights", description="Move a service's traffic to what earns most."
    )
    parser.add_argument("--settings", required=True, help="JSON, as the platform's component writes it")
    parser.add_argument("--port", type=int, default=8002, help="for /healthz and /metrics; default 8002")
    asked = parser.parse_args(given)
    try:
        settings = Settings.of_json(asked.settings)
        api = ApiServer.of_pod()
    except (ValueError, KeyError, OSError) as error:
        print(
            f"error: the controller cannot start: {error}; where: its pod; "
            "remedy: Run the image that belongs to these settings, with its service account's token.",
            file=sys.stderr,
        )
        return 2
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    health = Health(settings)
    serve(health, asked.port)
    prometheus = HttpPrometheus(settings.prometheus)
    actor = who(os.environ.get("SEAWALL_IMAGE", ""), os.environ.get("HOSTNAME", ""))
    run(
        lambda: step(settings, api, prometheus, actor, time.time()),
        lambda line: print(json.dumps(line), flush=True),
        lambda: ended.wait(settings.interval),
        health.seen,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
