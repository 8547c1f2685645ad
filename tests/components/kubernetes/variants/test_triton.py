"""A shadow compared, and a fallback that answers, with the real Envoy before real Tritons."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from components.contracts import serving
from components.contracts.variants import FALLBACK, RELEASE
from components.kubernetes.variants.routing import recorder_service
from localcloud.gateway import open_gateway
from localcloud.triton.server import TritonServer
from ops.variants.compare import Limits, compare
from serving_image.answer_recorder.__main__ import server
from serving_image.answer_recorder.recording import Recorder
from tests.components.kubernetes.variants.conftest import SERVICE, certificate, connected, plan
from tests.components.kubernetes.variants.services import SHADOW, service

pytestmark = [pytest.mark.gateway, pytest.mark.triton, pytest.mark.xdist_group("gateway")]

CONFIG = """name: "tumour_risk"
backend: "python"
max_batch_size: 0
input [{ name: "x" data_type: TYPE_FP32 dims: [ 1 ] }]
output [
  { name: "probability" data_type: TYPE_FP32 dims: [ 1 ] },
  { name: "label" data_type: TYPE_STRING dims: [ 1 ] }
]
instance_group [{ kind: KIND_CPU count: 1 }]
"""
MODEL = """
import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        probability = pb.get_input_tensor_by_name(request, "x").as_numpy() * np.float32(SCALE)
        label = np.array([b"high" if probability[0] > 0.5 else b"low"], dtype=np.object_)
        return pb.InferenceResponse([pb.Tensor("probability", probability), pb.Tensor("label", label)])
"""


def repository(folder: Path, scale: float) -> Path:
    version = folder / "tumour_risk" / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(CONFIG, encoding="utf-8")
    (version / "model.py").write_text(MODEL.replace("SCALE", str(scale)), encoding="utf-8")
    return folder


def pod(triton: TritonServer) -> tuple[str, int, int]:
    http, grpc = (int(each.rpartition(":")[2]) for each in (triton.http_url, triton.grpc_address))
    return ("127.0.0.1", http, grpc)


def body(value: float) -> bytes:
    tensor = {"name": "x", "datatype": "FP32", "shape": [1], "data": [value]}
    return json.dumps({"id": f"case-{value}", "inputs": [tensor]}).encode()


@pytest.fixture(scope="module")
def tritons(
    serving_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TritonServer, TritonServer]]:
    """The second one's probabilities are a hundredth higher."""
    with ExitStack() as running:
        made: list[TritonServer] = []
        for name, scale in (("stable", 1.0), ("b", 1.01)):
            folder = tmp_path_factory.mktemp(name)
            models = repository(folder / "models", scale)
            server_of = TritonServer(models, serving_python, {}, log=folder / "log", identity={})
            made.append(running.enter_context(server_of))
        yield made[0], made[1]


def test_a_shadow_is_compared_and_a_fallback_answers_for_a_triton_that_is_gone(
    tritons: tuple[TritonServer, TritonServer], tmp_path: Path
) -> None:
    stable, b = tritons
    lines: list[dict[str, Any]] = []
    recorder = Recorder({"stable": stable.http_url, "b": b.http_url}, lines.append, waiting=1000, timeout_s=5)
    taking, ended = server(recorder, 0, limit_bytes=2**20, host="127.0.0.1"), threading.Event()
    for work in (taking.serve_forever, lambda: recorder.run(ended)):
        threading.Thread(target=work, daemon=True).start()
    backends = {
        (serving.NAMESPACE, SERVICE): [pod(stable)],
        (serving.NAMESPACE, f"{SERVICE}-b"): [pod(b)],
        (serving.NAMESPACE, recorder_service(SERVICE)): [("127.0.0.1", taking.server_port, taking.server_port)],
    }
    everything = service(**{**SHADOW, "traffic": {**SHADOW["traffic"], "percent": 100, "compare_percent": 100}})
    secret = certificate()
    with open_gateway(plan(everything, secret), backends, log=tmp_path / "log") as door:
        with connected(door) as client:
            answers = [client.ask(body=body(round(0.3 + number / 1000, 3))) for number in range(250)]
        deadline = time.monotonic() + 20
        while len(lines) < 500 and time.monotonic() < deadline:
            time.sleep(0.1)
        door.update(plan(service(fallback={"service": "small"}), secret, pod(b)), backends)
        with connected(door) as client:
            sound = client.ask(body=body(0.4))
            stable.stop()
            gone = client.ask(body=body(0.4))
    ended.set()
    taking.shutdown()
    taking.server_close()
    told = [json.loads(each.body)["outputs"][0]["data"][0] for each in answers]
    assert told == pytest.approx([0.3 + number / 1000 for number in range(250)], abs=1e-5), "the stable one's"
    found = compare(lines, Limits(slower_percent=1000))
    assert (found.pairs, found.unmatched, found.changed) == (250, 0, 250)
    assert found.outputs["probability"].max_difference == pytest.approx(0.00549, abs=1e-4)
    assert found.outputs["label"].flips == {"low → high": 5}
    assert compare(lines, Limits(tolerance=0.006, slower_percent=1000, changed_percent=3)).passed
    assert (sound.headers[RELEASE], FALLBACK in sound.headers) == ("1.0.1", False)
    assert (gone.status, gone.headers[FALLBACK], gone.headers[RELEASE]) == (200, SERVICE, "0.9.1")
