"""Faults planted in a model repository are found by `seawall models validate`, each by file and field."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from common.errors import UserError
from components.contracts.vocabulary import Accelerator
from ops.models.command import app, default_repository
from ops.models.validation import memory, serving
from ops.models.validation.command import judged
from ops.models.validation.model import Model, read_repository
from ops.serving.golden import golden_file, load_golden

pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("validate")]

Config = dict[str, Any]


@pytest.fixture(scope="module")
def read(serving_python: Path) -> dict[str, Model]:
    """This project's own repository, read once."""
    return read_repository(default_repository(), serving_python)


def planted(read: dict[str, Model], model: str, plant: Callable[[Config], object]) -> list[tuple[str, str, str]]:
    """File, field and what, of every problem that there is once a configuration was changed."""
    config = copy.deepcopy(dict(read[model].config))
    plant(config)
    models = {**read, model: replace(read[model], config=config)}
    return [(each.file, each.field, each.what) for each in judged(models, default_repository(), Accelerator.L4)]


def test_the_committed_repository_has_no_problem(read: dict[str, Model]) -> None:
    assert judged(read, default_repository(), Accelerator.T4) == []


def step(config: Config, number: int) -> Config:
    return config["ensemble_scheduling"]["step"][number]


STEP = "ensemble_scheduling.step"
FAULTS: dict[str, tuple[str, Callable[[Config], object], str, str]] = {
    "another name": ("classifier", lambda c: c.update(name="x"), "name", "and the folder is 'classifier'"),
    "a version that is not there": (
        "classifier",
        lambda c: c.update(version_policy={"specific": {"versions": ["2"]}}),
        "version_policy",
        "version 2 is served, and there is 1",
    ),
    "an input that the graph does not have": (
        "classifier",
        lambda c: c["input"][0].update(name="feature"),
        "input 'feature'",
        "the graph has no input 'feature'",
    ),
    "an output that the graph does not have": (
        "classifier",
        lambda c: c["output"][1].update(name="class"),
        "output 'class'",
        "it has probability, label",
    ),
    "another width than the graph's": (
        "classifier",
        lambda c: c["input"][0].update(dims=["31"]),
        "input 'features'",
        "dims are [31], and the graph has [30]",
    ),
    "another type than the graph's": (
        "classifier",
        lambda c: c["output"][0].update(data_type="TYPE_FP64"),
        "output 'probability'",
        "data_type is TYPE_FP64, and the graph has TYPE_FP32",
    ),
    "no batch where the graph has one": (
        "classifier",
        lambda c: (c.update(max_batch_size=0), c.pop("dynamic_batching")),
        "input 'features'",
        "dims are [30], and the graph has [-1, 30]",
    ),
    "a queue without a limit": (
        "classifier",
        lambda c: c["dynamic_batching"]["default_queue_policy"].pop("max_queue_size"),
        "dynamic_batching.default_queue_policy.max_queue_size",
        "the queue has no limit",
    ),
    "a wait without an end": (
        "feature_lookup",
        lambda c: c["dynamic_batching"].pop("default_queue_policy"),
        "dynamic_batching.default_queue_policy.default_timeout_microseconds",
        "a request may wait for ever",
    ),
    "a cache": (
        "classifier",
        lambda c: c.update(response_cache={"enable": True}),
        "response_cache",
        "keeps the error of a model that died as an empty answer",
    ),
    "a warm-up of another shape": (
        "classifier",
        lambda c: c["model_warmup"][0]["inputs"]["features"].update(dims=["3"]),
        "model_warmup[0]",
        "'features' is TYPE_FP32 [3], and the input TYPE_FP32 [30]",
    ),
    "a warm-up larger than a batch": (
        "classifier",
        lambda c: c["model_warmup"][1].update(batch_size=65),
        "model_warmup[1]",
        "batch_size is 65, and max_batch_size 64",
    ),
    "a wait for company that is absurd": (
        "classifier",
        lambda c: c["dynamic_batching"].update(max_queue_delay_microseconds="10000000"),
        "dynamic_batching.max_queue_delay_microseconds",
        "a request that comes alone waits 10000000 µs for others",
    ),
    "a GPU that the replica lacks": (
        "classifier",
        lambda c: c.update(instance_group=[{"count": 1, "kind": "KIND_GPU", "gpus": [0, 3]}]),
        "instance_group[0].gpus",
        "it names GPU 3, and a replica has 1, counted from 0",
    ),
    "no instance": (
        "classifier",
        lambda c: c.update(instance_group=[{"count": 0}]),
        "instance_group[0].count",
        "it is 0",
    ),
    "a backend that nobody named": ("classifier", lambda c: c.pop("backend"), "backend", "neither a backend"),
    "a preferred batch beyond the largest": (
        "classifier",
        lambda c: c["dynamic_batching"].update(preferred_batch_size=[128]),
        "dynamic_batching.preferred_batch_size",
        "[128] is more than max_batch_size, 64",
    ),
    "an input twice": (
        "feature_lookup",
        lambda c: c["input"].append(c["input"][0]),
        "input",
        "'entity_id' is declared 2 times",
    ),
    "a step whose model is not there": (
        "tumour_risk",
        lambda c: step(c, 1).update(model_name="clasifier"),
        f"{STEP}[1]",
        "there is no model 'clasifier'",
    ),
    "a step's version that is not there": (
        "tumour_risk",
        lambda c: step(c, 1).update(model_version="3"),
        f"{STEP}[1]",
        "'classifier' has no version 3",
    ),
    "an input that nobody makes": (
        "tumour_risk",
        lambda c: step(c, 1)["input_map"].update(features="feature"),
        f"{STEP}[1].input_map",
        "nobody makes 'feature'",
    ),
    "an input that is not given": (
        "tumour_risk",
        lambda c: step(c, 0)["input_map"].pop("measurements"),
        f"{STEP}[0].input_map",
        "nothing is given for the input 'measurements'",
    ),
    "an output that the model does not have": (
        "tumour_risk",
        lambda c: step(c, 0)["output_map"].update(feats="feats"),
        f"{STEP}[0].output_map",
        "'feature_lookup' has no output 'feats'",
    ),
    "a tensor of another shape": (
        "tumour_risk",
        lambda c: step(c, 1)["input_map"].update(features="measurements"),
        f"{STEP}[1].input_map",
        "the request makes 'measurements' as TYPE_FP32 [10], and 'classifier' takes 'features' as TYPE_FP32 [30]",
    ),
    "an answer that no step makes": (
        "tumour_risk",
        lambda c: step(c, 1)["output_map"].pop("label"),
        "output 'label'",
        "no step makes it",
    ),
    "an answer of another type": (
        "tumour_risk",
        lambda c: c["output"][0].update(data_type="TYPE_INT32"),
        "output 'probability'",
        "and the ensemble declares TYPE_INT32 [1]",
    ),
    "a batch that a step does not take": (
        "tumour_risk",
        lambda c: c.update(max_batch_size=128),
        "max_batch_size",
        "'classifier' takes 64 rows at once, and the ensemble 128",
    ),
    "instances of an ensemble": (
        "tumour_risk",
        lambda c: c.update(instance_group=[{"count": 1}]),
        "instance_group",
        "an ensemble runs nothing itself",
    ),
    "a circle": (
        "tumour_risk",
        lambda c: (
            c["output"].append({"name": "extra", "data_type": "TYPE_FP32", "dims": ["1"]}),
            step(c, 0)["input_map"].update(measurements="probability"),
        ),
        "ensemble_scheduling",
        "these steps wait for each other: feature_lookup, classifier",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_file_and_field(read: dict[str, Model], fault: str) -> None:
    model, plant, field, told = FAULTS[fault]
    found = planted(read, model, plant)
    assert any(file == f"{model}/config.pbtxt" and f == field and told in what for file, f, what in found), found


def _append(file: str, text: str) -> Callable[[Path], object]:
    def plant(folder: Path) -> None:
        path = folder / file
        path.write_text(path.read_text() + text)

    return plant


def _cut_model(folder: Path) -> None:
    path = folder / "classifier/1/model.onnx"
    path.write_bytes(path.read_bytes()[:200])


def _of_the_future(python: Path) -> Callable[[Path], object]:
    code = """
import onnx, sys
model = onnx.load(sys.argv[1])
for each in model.opset_import:
    each.version = max(each.version, 99) if not each.domain else each.version
onnx.save(model, sys.argv[1])
"""
    return lambda folder: subprocess.run([python, "-c", code, folder / "classifier/1/model.onnx"], check=True)


IN_FILES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "an unknown field": (
        _append("classifier/config.pbtxt", "\nmax_batchsize: 3\n"),
        "classifier/config.pbtxt",
        'has no field named "max_batchsize"',
    ),
    "a brace too few": (_append("classifier/config.pbtxt", "\noutput {\n"), "classifier/config.pbtxt", "schema"),
    "a damaged graph": (_cut_model, "classifier/1/model.onnx", "the graph cannot be read"),
    "a graph that is gone": (
        lambda folder: (folder / "classifier/1/model.onnx").unlink(),
        "classifier/1/model.onnx",
        "the model's file is missing",
    ),
    "no configuration": (
        lambda folder: (folder / "classifier/config.pbtxt").unlink(),
        "classifier/config.pbtxt",
        "there is no config.pbtxt",
    ),
    "a program that is none": (
        _append("feature_lookup/1/model.py", "\ndef :\n"),
        "feature_lookup/1/model.py",
        "it is no Python",
    ),
    "a program without its class": (
        lambda folder: (folder / "feature_lookup/1/model.py").write_text("import os\n"),
        "feature_lookup/1/model.py",
        "it has no class TritonPythonModel",
    ),
    "a folder that is no version": (
        lambda folder: (folder / "classifier/1").rename(folder / "classifier/01"),
        "classifier/01",
        "is no version",
    ),
}


@pytest.mark.parametrize("fault", IN_FILES)
def test_a_fault_in_a_file_is_found(tmp_path: Path, fault: str) -> None:
    plant, file, told = IN_FILES[fault]
    folder = Path(shutil.copytree(default_repository(), tmp_path / "models"))
    plant(folder)
    run = CliRunner().invoke(app, ["validate", str(folder), "--no-serve", "--json", "--quiet"])
    assert run.exit_code == 1, run.output
    problems = json.loads(run.stdout)["problems"]
    assert any(each["file"] == file and told in each["what"] and each["remedy"] for each in problems), problems


def test_a_graph_of_an_opset_that_the_runtime_does_not_know_is_found(serving_python: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(default_repository(), tmp_path / "models"))
    _of_the_future(serving_python)(folder)
    (problem,) = judged(read_repository(folder, serving_python), folder, None)
    assert problem.file == "classifier/1/model.onnx" and "ai.onnx 99" in problem.what and problem.remedy


def test_a_group_that_must_have_a_gpu_is_found_where_there_is_none(read: dict[str, Model]) -> None:
    config = {**read["classifier"].config, "instance_group": [{"kind": "KIND_GPU"}]}
    models = {**read, "classifier": replace(read["classifier"], config=config)}
    (problem,) = judged(models, default_repository(), None)
    assert problem.field == "instance_group[0]" and "no accelerator is named" in problem.what
    assert judged(models, default_repository(), Accelerator.L4) == []


def test_models_that_a_gpu_cannot_hold_are_named_with_what_they_take(read: dict[str, Model]) -> None:
    graphs = {"1/model.onnx": {**read["classifier"].graphs["1/model.onnx"], "weights_bytes": 15 * 1024**3}}
    large = {**read, "classifier": replace(read["classifier"], graphs=graphs)}
    assert list(memory.problems_of(large, Accelerator.A100)) == []
    (problem,) = memory.problems_of(large, Accelerator.T4)
    assert (problem.file, problem.field) == ("classifier/config.pbtxt", "instance_group")
    assert "believed" in problem.what and "in 1 instances" in problem.what


def test_what_runs_on_the_cpu_takes_nothing_of_a_gpu(read: dict[str, Model]) -> None:
    config = {**read["classifier"].config, "instance_group": [{"count": 4, "kind": "KIND_CPU"}]}
    (need,) = memory.needs({"classifier": replace(read["classifier"], config=config)})
    assert need.mib == 0


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_what_is_no_repository_cannot_be_judged(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    run = CliRunner().invoke(app, ["validate", str(tmp_path / folder), "--quiet"])
    assert isinstance(run.exception, UserError)


def test_the_real_server_gives_the_goldens(serving_python: Path) -> None:
    run = CliRunner().invoke(app, ["validate", str(default_repository()), "--quiet"])
    assert run.exit_code == 0 and "gives its goldens" in run.stdout, run.output


def test_a_model_that_answers_otherwise_than_its_goldens_is_found(serving_python: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(default_repository(), tmp_path / "models"))
    lookup = folder / "feature_lookup/1/model.py"
    text = lookup.read_text()
    assert "[row.values for row in rows]" in text
    lookup.write_text(text.replace("[row.values for row in rows]", "[row.values[::-1] for row in rows]"))
    run = CliRunner().invoke(app, ["validate", str(folder), "--quiet"])
    assert run.exit_code == 1, run.output
    assert "tumour_risk/1/goldens.json: " in run.stdout and "differs from" in run.stdout


def test_a_golden_that_is_off_by_a_hundredth_is_found(serving_python: Path, tmp_path: Path) -> None:
    told = json.loads(golden_file().read_text())
    told["predictions"] = told["predictions"][:3]
    told["predictions"][1]["probability"] -= 1e-2
    (tmp_path / "goldens.json").write_text(json.dumps(told))
    wanted = load_golden(tmp_path / "goldens.json")
    folder = Path(shutil.copytree(default_repository(), tmp_path / "models"))
    (folder / "tumour_risk/1/goldens.json").write_text(json.dumps(wanted.told()))
    (problem,) = serving.problems_of(folder, serving_python, wanted)
    assert problem.field == wanted.predictions[1].entity_id and "differs from" in problem.what


@pytest.mark.parametrize("probability", [float("nan"), 1.5, -0.1])
def test_a_golden_that_is_no_probability_is_refused(tmp_path: Path, probability: float) -> None:
    told = json.loads(golden_file().read_text())
    told["predictions"][1]["probability"] = probability
    (tmp_path / "goldens.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match="has the probability"):
        load_golden(tmp_path / "goldens.json")


def test_a_repository_that_triton_refuses_is_told_in_its_words(serving_python: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(default_repository(), tmp_path / "models"))
    (folder / "feature_lookup/1/limits.json").write_text("{}")
    run = CliRunner().invoke(app, ["validate", str(folder), "--quiet"])
    assert run.exit_code == 1 and "Triton does not serve it" in run.stdout, run.output
