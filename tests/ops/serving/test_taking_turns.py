"""Models that share a GPU take turns in a real Triton, by the very flags that a service's settings give it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from components.contracts.services import RateLimiterSpec
from components.kubernetes import triton
from localcloud.triton.server import TritonServer
from tests.stacks.test_fitting import a_service

pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("triton")]

MODELS = ("first", "second")
MODEL = """
import time

import numpy
import triton_python_backend_utils as backend


class TritonPythonModel:
    def execute(self, requests):
        answers = []
        for _ in requests:
            began = time.monotonic()
            time.sleep(0.2)
            worked = numpy.array([began, time.monotonic()], dtype=numpy.float64)
            answers.append(backend.InferenceResponse([backend.Tensor("worked", worked)]))
        return answers
"""
CONFIG = """
name: "{name}"
backend: "python"
input [ {{ name: "x", data_type: TYPE_FP32, dims: [ 1 ] }} ]
output [ {{ name: "worked", data_type: TYPE_FP64, dims: [ 2 ] }} ]
instance_group [ {{
  count: 1, kind: KIND_CPU
  rate_limiter {{ resources [ {{ name: "sm", global: true, count: 1 }} ] }}
}} ]
"""
"""The resource is the server's, as instances on CPUs belong to no device; on a GPU each device has its own."""
Worked = list[tuple[float, float]]


@pytest.fixture
def worked(tmp_path: Path, serving_python: Path) -> Callable[[int], Worked]:
    """When two models worked that were asked at once, with so many resources of which each takes one."""
    for name in MODELS:
        (tmp_path / "models" / name / "1").mkdir(parents=True)
        (tmp_path / "models" / name / "1" / "model.py").write_text(MODEL)
        (tmp_path / "models" / name / "config.pbtxt").write_text(CONFIG.format(name=name))

    def ask(server: TritonServer, name: str) -> tuple[float, float]:
        question = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}]}
        answer = requests.post(f"{server.http_url}/v2/models/{name}/infer", json=question, timeout=60)
        answer.raise_for_status()
        began, ended = answer.json()["outputs"][0]["data"]
        return (began, ended)

    def run(resources: int) -> Worked:
        spec = a_service(rate_limiter=RateLimiterSpec(resources={"sm": resources}))
        flags = triton.rate_limiter_flags(spec)
        with (
            TritonServer(
                tmp_path / "models", serving_python, {}, log=tmp_path / "log", identity={}, flags=flags
            ) as server,
            ThreadPoolExecutor(6) as pool,
        ):
            return sorted(pool.map(lambda name: ask(server, name), MODELS * 3))

    return run


def overlapping(worked: Worked) -> int:
    """How many began before the one before them had ended."""
    return sum(after[0] < before[1] for before, after in pairwise(worked))


def test_models_that_need_the_same_resource_never_run_at_once(worked: Callable[[int], Worked]) -> None:
    assert overlapping(worked(1)) == 0


def test_models_run_at_once_where_there_is_one_for_each(worked: Callable[[int], Worked]) -> None:
    assert overlapping(worked(2)) > 0
