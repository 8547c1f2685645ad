"""A real Triton serves this project's own model repository, with both clouds' feature stores."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import UserError
from localcloud.triton.server import SHARED_MEMORY, TritonServer
from ops.serving.golden import GoldenSet, ask_grpc, ask_http, judge, load_golden
from tests.ops.serving.asking import infer, lookups, metric
from tests.ops.serving.conftest import REPOSITORY, Cloud

# One worker runs them all: a server is started once for the tests that only ask it.
pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("triton")]


@pytest.fixture(scope="module")
def goldens() -> GoldenSet:
    return load_golden()


def test_golden_predictions_come_back_over_http(server: TritonServer, goldens: GoldenSet) -> None:
    result = judge("http", goldens, ask_http(server.http_url, goldens))
    assert result.mismatches == ()


def test_golden_predictions_come_back_over_grpc(
    server: TritonServer, goldens: GoldenSet, serving_python: Path
) -> None:
    result = judge("grpc", goldens, ask_grpc(server.grpc_address, goldens, serving_python))
    assert result.mismatches == ()


def test_a_row_that_cannot_be_judged_is_refused_by_name(server: TritonServer) -> None:
    answer = infer(server, "patient-0000", [-1.0] * 10)
    assert answer.status_code == 400
    assert "row 0: measurements[0] (mean radius) is -1; it must be from 0 to" in answer.json()["error"]


def test_an_entity_without_a_name_is_refused(server: TritonServer) -> None:
    assert infer(server, "  ").status_code == 400


def test_an_unknown_entity_is_answered_and_marked(server: TritonServer) -> None:
    answer = infer(server, "nobody")
    outputs = {output["name"]: output["data"][0] for output in answer.json()["outputs"]}
    assert outputs["features_source"] == "training_means"


def test_the_metrics_count_lookups_and_pending_requests(server: TritonServer) -> None:
    before = lookups(server)
    infer(server, "nobody-at-all")
    deadline = time.monotonic() + 10  # Triton refreshes its page every two seconds
    while lookups(server)["missing"] <= before["missing"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert metric(server, "nv_inference_pending_request_count", "model")["feature_lookup"] == 0


def test_without_its_store_the_fleet_answers_and_no_golden_passes(
    aws: Cloud, serving_python: Path, goldens: GoldenSet, tmp_path: Path
) -> None:
    dead = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}  # the discard port: nothing listens there
    few = replace(goldens, predictions=goldens.predictions[:5])
    with aws.server(serving_python, tmp_path / "log", REPOSITORY, **dead) as server:
        result = judge("http", few, ask_http(server.http_url, few))
    assert result.errors == 0
    assert {mismatch.reason for mismatch in result.mismatches} == {
        "features came from 'training_means', not from the store"
    }
    assert len(result.mismatches) == 5


def test_a_damaged_model_stops_the_start_and_is_named(aws: Cloud, serving_python: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(REPOSITORY, damaged)
    (model,) = damaged.rglob("model.onnx")
    model.write_bytes(model.read_bytes()[:100])
    with pytest.raises(UserError, match="classifier"), aws.server(serving_python, tmp_path / "log", damaged):
        pass


def test_a_fleet_that_is_set_up_wrongly_does_not_become_ready(
    aws: Cloud, serving_python: Path, tmp_path: Path
) -> None:
    with (
        pytest.raises(UserError, match="SEAWALL_FEATURES_TABLE is not set"),
        aws.server(serving_python, tmp_path / "log", SEAWALL_FEATURES_TABLE=""),
    ):
        pass


def test_a_server_that_is_killed_takes_everything_with_it(aws: Cloud, serving_python: Path, tmp_path: Path) -> None:
    parent = """
import json, os, re, signal, sys
from pathlib import Path
import psutil
from localcloud.triton.server import TritonServer
job = json.loads(sys.argv[1])
folder, python, log = Path(job["folder"]), Path(job["python"]), Path(job["log"])
with TritonServer(folder, python, job["features"], log=log, identity=job["identity"]):
    begun = " ".join(word for each in psutil.Process().children(recursive=True) for word in each.cmdline())
    [prefix] = set(re.findall(r"shm-region-prefix-name=(\\S+)", begun))
    print(prefix if list(Path("/dev/shm").glob(prefix + "*")) else "no shared memory", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    own_tmp = tmp_path / "tmp"
    own_tmp.mkdir()
    job = {
        "folder": str(REPOSITORY),
        "identity": aws.identity,
        "python": str(serving_python),
        "features": aws.features,
        "log": str(tmp_path / "log"),
    }
    run = subprocess.run(
        [sys.executable, "-c", parent, json.dumps(job)],
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, "TMPDIR": str(own_tmp)},
    )
    prefix = run.stdout.strip()
    assert prefix.startswith("seawall-"), run.stderr
    deadline = time.monotonic() + 20
    while left := [*own_tmp.glob("seawall-*"), *SHARED_MEMORY.glob(f"{prefix}*")]:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.1)
