"""The router in a real Triton: the picked variant answers, or in time the default one; answer and log say which."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from common.errors import UserError
from localcloud.triton.server import TritonServer
from serving_image.router.decisions import TEMPLATE, read_decisions, routing
from tests.serving_image.router.conftest import Train
from tests.serving_image.router.world import drawn, seeded

pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("router")]

BUDGET_MS = 400
SETTINGS: dict[str, Any] = {
    "arms": {"stable": "one", "b": "two", "gone": "absent"},
    "default": "stable",
    "features": ["x"],
    "explore_percent": 30,
    "latency_budget_ms": BUDGET_MS,
    "log_values_of": ["x"],
}
FINE, FAILS, HANGS, ALL_FAIL = 0.0, 1.0, 2.0, 3.0
CONFIG = """
name: "{name}"
backend: "python"
max_batch_size: 64
input [ {{ name: "measurements" data_type: TYPE_FP32 dims: [ 2 ] }} ]
output [ {{ name: "answer" data_type: TYPE_FP32 dims: [ 1 ] }} {more} ]
instance_group [ {{ count: 2 kind: KIND_CPU }} ]
"""
ROUTED = "".join(
    f', {{ name: "{name}" data_type: TYPE_STRING dims: [ 1 ] }}' for name in ("variant", "variant_reason")
)
VARIANT = """
import time
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        return [self.one(request) for request in requests]

    def one(self, request):
        given = pb_utils.get_input_tensor_by_name(request, "measurements").as_numpy()
        if NAME == "two" and (given[:, 1] == 2).any():
            time.sleep(1.5)
        if (given[:, 1] == 3).any() or NAME == "two" and (given[:, 1] == 1).any():
            return pb_utils.InferenceResponse(error=pb_utils.TritonError("planted"))
        answer = given[:, :1] + (10 if NAME == "one" else 20)
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("answer", answer)])
"""


@dataclass(frozen=True)
class Served:
    """A server with a router, and its log."""

    url: str
    metrics: str
    log: Path

    def ask(self, request: str, *rows: tuple[float, float]) -> requests.Response:
        tensor = {
            "name": "measurements", "datatype": "FP32", "shape": [len(rows), 2], "data": [list(row) for row in rows],
        }  # fmt: skip
        return requests.post(
            f"{self.url}/v2/models/router/infer", json={"id": request, "inputs": [tensor]}, timeout=20
        )

    def lines(self, request: str) -> list[dict[str, Any]]:
        found = []
        for text in self.log.read_text().splitlines():
            if text.startswith('{"event": "route"') and json.loads(text)["request"] == request:
                found.append(json.loads(text))
        return found


def answers(response: requests.Response) -> list[tuple[float, str, str]]:
    """Answer, variant and reason of each row."""
    assert response.status_code == 200, response.text
    found = {output["name"]: output["data"] for output in response.json()["outputs"]}
    return list(zip(found["answer"], found["variant"], found["variant_reason"], strict=True))


def repository(folder: Path) -> Path:
    """Two variants and a router without its policy."""
    for name in ("one", "two"):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "config.pbtxt").write_text(CONFIG.format(name=name, more=""))
        (folder / name / "1" / "model.py").write_text(f"NAME = {name!r}\n{VARIANT}")
    shutil.copytree(TEMPLATE / "1", folder / "router" / "1", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "router" / "config.pbtxt").write_text(CONFIG.format(name="router", more=ROUTED))
    return folder


@pytest.fixture(scope="module")
def served(train: Train, serving_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("router")
    models = repository(folder / "models")
    done = train(drawn(seeded(5), 6000), folder, models / "router" / "1", "--arm", "gone", "--explore-percent", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    log = folder / "triton.log"
    told = {routing().SETTINGS_VARIABLE: json.dumps(SETTINGS)}
    with TritonServer(models, serving_python, told, log=log, identity={}) as server:
        yield Served(server.http_url, server.metrics_url, log)


def request_for(arm: str, x: float) -> str:
    """An id by which the router picks `arm` for the first row."""
    best = "b" if x > 0.5 else "stable"
    chances = routing().propensities({name: float(name == best) for name in SETTINGS["arms"]}, 0.3)
    return next(f"{arm}-{n}" for n in range(1000) if routing().pick(chances, f"{arm}-{n}", 0) == arm)


@pytest.mark.parametrize(("arm", "x", "answer"), [("b", 0.9, 20.9), ("stable", 0.9, 10.9), ("stable", 0.1, 10.1)])
def test_the_picked_variant_answers_and_the_answer_says_so(served: Served, arm: str, x: float, answer: float) -> None:
    ((found, variant, reason),) = answers(served.ask(request_for(arm, x), (x, FINE)))
    assert found == pytest.approx(answer) and (variant, reason) == (arm, "picked")


def test_the_log_has_the_pick_its_propensity_and_the_policy(served: Served) -> None:
    request = request_for("b", 0.9)
    answers(served.ask(request, (0.9, FINE)))
    line = served.lines(request)[-1]
    assert (line["arm"], line["answered"], line["row"]) == ("b", "b", 0)
    assert line["propensity"] == pytest.approx(0.7 + 0.3 / 3) and len(line["policy"]) == 12
    assert line["features"] == {"x": pytest.approx(0.9)}
    (decision,) = [d for d in read_decisions([served.log], {}, missing_reward=0.0) if d.request == request]
    assert decision.propensity == line["propensity"]


def test_rows_of_one_request_go_to_their_own_variants_and_come_back_in_order(served: Served) -> None:
    rows = [(0.9 if n % 2 else 0.1, FINE) for n in range(20)]
    found = answers(served.ask("many", *rows))
    assert {variant for _, variant, _ in found} == {"stable", "b"}
    for (x, _), (answer, variant, reason) in zip(rows, found, strict=True):
        assert answer == pytest.approx(x + (20 if variant == "b" else 10))
        assert variant == "stable" or reason == "picked"
    assert [line["row"] for line in served.lines("many")] == list(range(20))


def test_variants_are_picked_as_often_as_the_policy_and_the_even_share_say(served: Served) -> None:
    for number in range(10):
        answers(served.ask(f"often-{number}", *[(0.9, FINE)] * 60))
    counts = Counter(line["arm"] for number in range(10) for line in served.lines(f"often-{number}"))
    assert 0.74 < counts["b"] / 600 < 0.86 and 0.06 < counts["gone"] / 600 < 0.15


@pytest.mark.parametrize(
    ("arm", "mode", "said"),
    [
        ("b", FAILS, "fallback: planted"),
        ("b", HANGS, f"fallback: late, after {BUDGET_MS} ms"),
        ("gone", FINE, "absent"),
    ],
)
def test_the_default_variant_answers_where_the_picked_one_does_not(
    served: Served, arm: str, mode: float, said: str
) -> None:
    request = request_for(arm, 0.9)
    started = time.monotonic()
    ((answer, variant, reason),) = answers(served.ask(request, (0.9, mode)))
    assert answer == pytest.approx(10.9) and variant == "stable" and said in reason and reason.startswith("fallback")
    assert time.monotonic() - started < 1.4, "it waited for the one that hangs"
    line = served.lines(request)[-1]
    assert (line["arm"], line["answered"], line["reason"]) == (arm, "stable", reason)


def test_a_row_that_the_router_cannot_judge_goes_to_the_default_variant(served: Served) -> None:
    # JSON has no NaN; a number beyond float32 arrives as infinity.
    ((_, variant, reason),) = answers(served.ask("infinite", (1e39, FINE)))
    assert (variant, reason) == ("stable", "fallback: the router failed")
    (line,) = served.lines("infinite")
    assert line["arm"] is None and line["propensity"] is None


def test_where_no_variant_answers_the_client_is_told(served: Served) -> None:
    response = served.ask(request_for("b", 0.9), (0.9, ALL_FAIL))
    assert response.status_code >= 400 and "no variant answers: stable: planted" in response.text
    assert "Traceback" not in response.text


def test_fallbacks_are_counted(served: Served) -> None:
    answers(served.ask(request_for("b", 0.9), (0.9, FAILS)))
    text = requests.get(served.metrics, timeout=10).text
    assert "seawall_routed_rows_total{" in text and 'reason="fallback"' in text


def test_settings_for_another_policy_stop_the_start(served: Served, serving_python: Path, tmp_path: Path) -> None:
    del served
    models = repository(tmp_path / "models")
    policy = {"arms": ["stable", "other"], "features": [{"name": "x", "input": "measurements", "index": 0}]}
    (models / "router" / "1" / "policy.json").write_text(json.dumps({**policy, "weights_sha256": None}))
    told = {routing().SETTINGS_VARIABLE: json.dumps(SETTINGS)}
    server = TritonServer(models, serving_python, told, log=tmp_path / "log", identity={})
    with pytest.raises(UserError, match="picks among stable, other"), server:
        pass
