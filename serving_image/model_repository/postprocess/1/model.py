"""Last step of the ensemble: the probability of a malignant sample, and its label by a stated threshold."""

from __future__ import annotations

import json

import numpy as np  # pyright: ignore[reportMissingImports]
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingModuleSource]

MALIGNANT, BENIGN = b"malignant", b"benign"


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        self.threshold = float(config["parameters"]["threshold"]["string_value"])

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        responses = []
        for request in requests:
            # The classifier's classes are in the data set's order: malignant, benign.
            malignant = pb_utils.get_input_tensor_by_name(request, "probabilities").as_numpy()[:, :1]
            labels = np.where(malignant >= self.threshold, MALIGNANT, BENIGN).astype(np.object_)
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("probability", malignant.astype(np.float32)),
                        pb_utils.Tensor("label", labels),
                    ]
                )
            )
        return responses
