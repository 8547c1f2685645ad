"""Sends requests to a Triton server over gRPC with NVIDIA's client; a script for the serving environment.

Reads `{"address", "model", "timeout_s", "requests": [{"entity_id", "measurements"}]}` from standard input and
writes a list of `{"seconds", "probability", "label", "features_source"}` or `{"seconds", "error"}` to standard
output, in the same order.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np  # pyright: ignore[reportMissingImports]
import tritonclient.grpc as triton  # pyright: ignore[reportMissingImports]

OUTPUTS = ("probability", "label", "features_source")


def ask(client: Any, model: str, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    measurements = np.array([request["measurements"]], dtype=np.float32)
    inputs = [
        triton.InferInput("entity_id", [1, 1], "BYTES"),
        triton.InferInput("measurements", list(measurements.shape), "FP32"),
    ]
    inputs[0].set_data_from_numpy(np.array([[request["entity_id"].encode()]], dtype=np.object_))
    inputs[1].set_data_from_numpy(measurements)
    wanted = [triton.InferRequestedOutput(name) for name in OUTPUTS]
    started = time.perf_counter()
    try:
        answer = client.infer(model, inputs, outputs=wanted, client_timeout=timeout_s)
    except Exception as error:  # the client's errors and gRPC's share no base class
        return {"seconds": time.perf_counter() - started, "error": f"{type(error).__name__}: {error}"[:300]}
    seconds = time.perf_counter() - started
    probability, label, source = (answer.as_numpy(name).reshape(-1)[0] for name in OUTPUTS)
    return {
        "seconds": seconds,
        "probability": float(probability),
        "label": label.decode(),
        "features_source": source.decode(),
    }


def main() -> None:
    job = json.load(sys.stdin)
    client = triton.InferenceServerClient(job["address"])
    try:
        answers = [ask(client, job["model"], request, job["timeout_s"]) for request in job["requests"]]
    finally:
        client.close()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
