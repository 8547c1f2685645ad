"""Stands in for Triton's native onnxruntime backend where only Python backends exist.

Triton takes this folder for the backend `onnxruntime`, so a model repository written for the real server loads
unchanged. It runs the model on the CPU, request by request, and serves the outputs that the model's configuration
names. What it does not do: GPU execution, optimisation settings, per-model `parameters`.
"""

from __future__ import annotations

import json
from pathlib import Path

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
        return [self._answer(request) for request in requests]

    def _answer(self, request: pb_utils.InferenceRequest) -> pb_utils.InferenceResponse:
        feed = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs}
        try:
            results = self.session.run(self.outputs, feed)
        except Exception as error:  # onnxruntime's errors share no base class
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"onnxruntime: {error}"))
        return pb_utils.InferenceResponse(
            output_tensors=[pb_utils.Tensor(n, r) for n, r in zip(self.outputs, results, strict=True)]
        )
