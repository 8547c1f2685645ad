"""The exercise's model: a score of ten measurements, and a label. What is wrong with a release, its config says."""

from __future__ import annotations

import json
import time

import numpy as np  # pyright: ignore[reportMissingImports]
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingModuleSource]


class TritonPythonModel:
    """Counts its labels, so that what it answers can be judged without knowing what is right."""

    def initialize(self, args: dict[str, str]) -> None:
        told = json.loads(args["model_config"])["parameters"]
        self.delay_s = float(told["delay_ms"]["string_value"]) / 1000
        self.fail_percent = int(told["fail_percent"]["string_value"])
        self.threshold = float(told["threshold"]["string_value"])
        self.asked = 0
        family = pb_utils.MetricFamily(
            name="seawall_answers_total", description="Rows answered, by label", kind=pb_utils.MetricFamily.COUNTER
        )
        self.family = family
        self.counters = {label: family.Metric(labels={"label": label}) for label in ("malignant", "benign")}

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: pb_utils.InferenceRequest) -> pb_utils.InferenceResponse:
        self.asked += 1
        time.sleep(self.delay_s)
        # Evenly, not by chance: a run is the same each time.
        if self.asked * self.fail_percent // 100 > (self.asked - 1) * self.fail_percent // 100:
            error = pb_utils.TritonError("the new release cannot do this")
            return pb_utils.InferenceResponse(error=error)
        rows = pb_utils.get_input_tensor_by_name(request, "measurements").as_numpy()
        scores = rows.mean(axis=1, keepdims=True).astype(np.float32)
        labels = np.where(scores >= self.threshold, b"malignant", b"benign").astype(np.object_)
        malignant = int((labels == b"malignant").sum())
        self.counters["malignant"].increment(malignant)
        self.counters["benign"].increment(len(rows) - malignant)
        return pb_utils.InferenceResponse(
            output_tensors=[pb_utils.Tensor("probability", scores), pb_utils.Tensor("label", labels)]
        )
