"""Second step of the ensemble: joins a request's measurements with the entity's stored features."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np  # pyright: ignore[reportMissingImports]
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingModuleSource]
from feature_store import FeatureLookup, store_from_environment, timeout_s

WARM_UP_ENTITY = "seawall-warm-up"


class TritonPythonModel:
    """One store read for all requests of a batch. Triton gives each instance a process of its own."""

    def initialize(self, args: dict[str, str]) -> None:
        folder = Path(args["model_repository"]) / args["model_version"]
        fallback = json.loads((folder / "fallback.json").read_text(encoding="utf-8"))["means"]
        self.lookup = FeatureLookup(
            store_from_environment(os.environ), fallback, timeout_s(os.environ), pb_utils.Logger.log_warn
        )
        lookups = pb_utils.MetricFamily(
            name="seawall_feature_lookups_total",
            description="Feature lookups by outcome; all but 'found' were answered with the fallback",
            kind=pb_utils.MetricFamily.COUNTER,
        )
        self.lookups = lookups
        self.counters = {
            outcome: lookups.Metric(labels={"outcome": outcome})
            for outcome in ("found", "missing", "expired", "malformed", "timeout", "error")
        }
        # Opens the connection now, so that no client waits for a handshake; its outcome does not matter.
        self.lookup.lookup([WARM_UP_ENTITY])

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        keys = [pb_utils.get_input_tensor_by_name(request, "entity_key").as_numpy() for request in requests]
        found = iter(self.lookup.lookup([raw.decode() for batch in keys for raw in batch.reshape(-1)]))
        responses = []
        for request, batch in zip(requests, keys, strict=True):
            rows = [next(found) for _ in range(batch.size)]
            for row in rows:
                self.counters[row.outcome].increment(1)
            measurements = pb_utils.get_input_tensor_by_name(request, "measurements").as_numpy()
            stored = np.array([row.values for row in rows], dtype=np.float32)
            sources = np.array([[row.source.encode()] for row in rows], dtype=np.object_)
            responses.append(
                pb_utils.InferenceResponse(
                    output_tensors=[
                        pb_utils.Tensor("features", np.concatenate([measurements, stored], axis=1)),
                        pb_utils.Tensor("features_source", sources),
                    ]
                )
            )
        return responses

    def finalize(self) -> None:
        self.lookup.close()
