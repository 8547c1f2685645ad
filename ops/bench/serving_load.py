"""Asks a Triton server again and again over gRPC, and says how long it took; a script for the serving environment.

Reads a job from standard input. `{"address", "goldens", "latency": [case], "requests"}` asks the cases in turns, one
request at a time, and writes `{case: [seconds]}`. `{"address", "goldens", "throughput": case, "in_flight",
"seconds"}` keeps so many requests on their way, and writes `{"answered", "failed", "seconds"}`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from functools import partial
from typing import Any

import numpy as np  # pyright: ignore[reportMissingImports]
import tritonclient.grpc as triton  # pyright: ignore[reportMissingImports]

WARM_UP = 50
MODELS = {"classifier": "classifier", "with lookup": "tumour_risk", "without lookup": "tumour_risk"}
NO_READ = "seawall-self-check"


def inputs(case: str, golden: dict[str, Any], noise: Any) -> list[Any]:
    """A request of one row, never the same twice."""
    if MODELS[case] == "classifier":
        tensors = {"features": ("FP32", noise.random((1, 30), dtype=np.float32))}
    else:
        entity = NO_READ if case == "without lookup" else golden["entity_id"]
        row = np.array([golden["measurements"]], dtype=np.float32) * np.float32(1 + noise.random() * 1e-3)
        tensors = {"entity_id": ("BYTES", np.array([[entity.encode()]], dtype=object)), "measurements": ("FP32", row)}
    made = []
    for name, (kind, value) in tensors.items():
        made.append(triton.InferInput(name, list(value.shape), kind))
        made[-1].set_data_from_numpy(value)
    return made


def latencies(client: Any, job: dict[str, Any], noise: Any) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {case: [] for case in job["latency"]}
    for number in range(WARM_UP + job["requests"]):
        for case, taken in found.items():
            asked = inputs(case, job["goldens"][number % len(job["goldens"])], noise)
            started = time.perf_counter()
            client.infer(MODELS[case], asked)
            if number >= WARM_UP:
                taken.append(time.perf_counter() - started)
    return found


def throughput(client: Any, job: dict[str, Any], noise: Any) -> dict[str, float]:
    case, free = job["throughput"], threading.Semaphore(job["in_flight"])
    asked = [inputs(case, golden, noise) for golden in job["goldens"] for _ in range(10)]
    counts = {"answered": 0, "failed": 0}

    def done(result: Any, error: Any) -> None:
        counts["failed" if error or result is None else "answered"] += 1
        free.release()

    started, number = time.perf_counter(), 0
    while time.perf_counter() - started < job["seconds"]:
        free.acquire()
        client.async_infer(MODELS[case], asked[number % len(asked)], partial(done))
        number += 1
    for _ in range(job["in_flight"]):
        free.acquire()
    return {**counts, "seconds": time.perf_counter() - started}


def main() -> None:
    job = json.load(sys.stdin)
    client, noise = triton.InferenceServerClient(job["address"]), np.random.default_rng(1)
    json.dump((latencies if "latency" in job else throughput)(client, job, noise), sys.stdout)


if __name__ == "__main__":
    main()
