"""Stands in for Triton's native onnxruntime backend where only Python backends exist.

Triton takes this folder for the backend `onnxruntime`, so a model repository written for the real server loads
unchanged. It runs the model on the CPU, a batch of requests at once, and serves the outputs that the model's
configuration names. What it does not do: GPU execution, optimisation settings, per-model `parameters`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np  # pyright: ignore[reportMissingImports]
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingModuleSource]

# The package, which the serving environment alone has; pyright takes this folder for it.
from onnxruntime import InferenceSession, SessionOptions  # pyright: ignore[reportAttributeAccessIssue]


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        file = config.get("default_model_filename") or "model.onnx"
        options = SessionOptions()
        # Triton runs instances side by side; a thread pool for each would only compete.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = InferenceSession(
            str(Path(args["model_repository"]) / args["model_version"] / file),
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        parts = [self._feed(request) for request in requests]
        try:
            results = self.session.run(self.outputs, joined(parts))
        except Exception as error:  # onnxruntime's errors share no base class
            refused = pb_utils.TritonError(f"onnxruntime: {error}")
            return [pb_utils.InferenceResponse(error=refused) for _ in requests]
        responses, start = [], 0
        for part in parts:
            end = start + len(part[self.inputs[0]])
            tensors = [pb_utils.Tensor(n, encoded(r[start:end])) for n, r in zip(self.outputs, results, strict=True)]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
            start = end
        return responses

    def _feed(self, request: pb_utils.InferenceRequest) -> dict[str, Any]:
        return {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs}


def joined(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The rows of all requests; a model that takes no batch gets one request at a time from Triton."""
    return (
        parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    )


def encoded(values: Any) -> Any:
    """Strings as bytes, which is how Triton has them."""
    if values.dtype != np.object_:
        return values
    return np.array([str(value).encode() for value in values.reshape(-1)], dtype=np.object_).reshape(values.shape)
