"""First step of the ensemble: refuses rows that the classifier cannot judge, and makes entity ids canonical."""

from __future__ import annotations

import numpy as np  # pyright: ignore[reportMissingImports]
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingModuleSource]

MAX_ENTITY_ID_BYTES = 256
"""Far below DynamoDB's 2,048 bytes for a partition key; a longer id is a mistake of the caller's."""


class TritonPythonModel:
    """Passes measurements on unchanged: scaling is part of the ONNX model, as it was in training."""

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: pb_utils.InferenceRequest) -> pb_utils.InferenceResponse:
        ids = pb_utils.get_input_tensor_by_name(request, "entity_id").as_numpy()
        measurements = pb_utils.get_input_tensor_by_name(request, "measurements").as_numpy()
        keys = [raw.decode("utf-8", "replace").strip() for raw in ids.reshape(-1)]
        if any(not key or "�" in key or len(key.encode()) > MAX_ENTITY_ID_BYTES for key in keys):
            return _refuse(f"entity_id must be UTF-8 text of 1 to {MAX_ENTITY_ID_BYTES} bytes")
        if not np.isfinite(measurements).all() or (measurements < 0).any():
            return _refuse("measurements must be finite and not negative")
        return pb_utils.InferenceResponse(
            output_tensors=[
                pb_utils.Tensor("entity_key", np.array([[key.encode()] for key in keys], dtype=np.object_)),
                pb_utils.Tensor("checked_measurements", measurements.astype(np.float32)),
            ]
        )


def _refuse(reason: str) -> pb_utils.InferenceResponse:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(reason, pb_utils.TritonError.INVALID_ARG))
