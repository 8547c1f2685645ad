"""Rules for one model by itself: its configuration, its files, and its ONNX graph. Pure."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops.models.validation.model import Model, Problem, fit

FILES: Final = {"onnxruntime": "model.onnx", "python": "model.py", "tensorrt": "model.plan", "pytorch": "model.pt"}
"""Backend → the file that it loads unless the configuration names another (Triton's docs/user_guide/
model_repository.md, read 2026-11-21)."""
QUEUE_DELAY_MAX_US: Final = 100_000
"""A tenth of a second: beyond it the wait for company is most of what an objective allows."""
_PLATFORMS: Final = {"onnxruntime_onnx": "onnxruntime", "tensorrt_plan": "tensorrt", "pytorch_libtorch": "pytorch"}


def problems_of(model: Model, folder: Path) -> Iterator[Problem]:
    """Everything that is wrong with a model; `folder` is the repository."""
    if model.error:
        yield model.at("", f"it is not what Triton's schema allows: {model.error}", "Correct that line.")
        return
    if not model.config:
        yield model.at("", "there is no config.pbtxt", "Write one: nothing is completed by the server.")
        return
    yield from _name_and_versions(model)
    yield from _tensors(model)
    yield from _scheduling(model)
    yield from _warm_up(model)
    if not model.is_ensemble:
        yield from _files(model, folder)
        yield from _graphs(model)


def backend_of(model: Model) -> str:
    """What runs the model; empty if the configuration does not say."""
    platform = str(model.config.get("platform", ""))
    return str(model.config.get("backend", "")) or _PLATFORMS.get(platform, "")


def _name_and_versions(model: Model) -> Iterator[Problem]:
    name = model.config.get("name", "")
    if name != model.name:
        yield model.at("name", f"it is {name!r}, and the folder is {model.name!r}", "Give both the same name.")
    if not model.versions:
        yield Problem(model.name, "versions", "there is no version", "Make a folder `1` with the model's files.")
    for wanted in model.config.get("version_policy", {}).get("specific", {}).get("versions", ()):
        if str(wanted) not in model.versions:
            there = ", ".join(model.versions) or "none"
            what = f"version {wanted} is served, and there is {there}"
            yield model.at("version_policy", what, "Name versions that have a folder.")
    for odd in sorted(set(model.folders) - set(model.versions)):
        if odd.isdigit():
            what = f"{odd} is no version: Triton takes whole numbers from 1 without a leading zero"
            yield Problem(f"{model.name}/{odd}", "versions", what, "Rename the folder.")


def _tensors(model: Model) -> Iterator[Problem]:
    for kind in ("input", "output"):
        told = model.config.get(kind, ())
        if not told:
            yield model.at(kind, f"no {kind} is declared", f"Declare every {kind} with its type and dims.")
        for name, count in Counter(str(t.get("name", "")) for t in told).items():
            if count > 1:
                yield model.at(kind, f"{name!r} is declared {count} times", "Declare it once.")
        for tensor in model.tensors(kind).values():
            where = f"{kind} {tensor.name!r}"
            if not tensor.name:
                yield model.at(kind, f"an {kind} has no name", "Name it.")
            if tensor.type == "TYPE_INVALID":
                yield model.at(where, "it has no data_type", "Write one, such as TYPE_FP32.")
            if not tensor.dims:
                yield model.at(where, "it has no dims", "Write its shape without the batch; [ 1 ] for a number.")
            if any(d == 0 or d < -1 for d in tensor.dims):
                what = f"dims are {list(tensor.dims)}"
                yield model.at(where, what, "Write sizes from 1, or -1 for any size.")


def _scheduling(model: Model) -> Iterator[Problem]:
    if model.max_batch_size < 0:
        yield model.at("max_batch_size", f"it is {model.max_batch_size}", "Write 0 for no batches, or the largest.")
    if model.config.get("response_cache", {}).get("enable"):
        what = "answers are cached, and Triton 2.51 keeps the error of a model that died as an empty answer with 200"
        yield model.at("response_cache", what, "Remove it.")
    if model.is_ensemble:
        for field in ("instance_group", "dynamic_batching"):
            if field in model.config:
                yield model.at(field, "an ensemble runs nothing itself", "Set it on the ensemble's steps.")
        return
    batching = model.config.get("dynamic_batching")
    if batching is not None:
        if model.max_batch_size < 1:
            yield model.at(
                "dynamic_batching", "max_batch_size is 0, so nothing can be batched", "Raise it, or drop it."
            )
        policy = batching.get("default_queue_policy", {})
        if not int(policy.get("max_queue_size", 0)):
            what = "the queue has no limit: under overload every client waits, and none is refused"
            yield model.at("dynamic_batching.default_queue_policy.max_queue_size", what, "Write one, such as 512.")
        if not int(policy.get("default_timeout_microseconds", 0)):
            what = "a request may wait for ever"
            field = "dynamic_batching.default_queue_policy.default_timeout_microseconds"
            yield model.at(field, what, "Write one, such as 2000000.")
        delay_us = int(batching.get("max_queue_delay_microseconds", 0))
        if delay_us > QUEUE_DELAY_MAX_US:
            what = f"a request that comes alone waits {delay_us} µs for others, and {QUEUE_DELAY_MAX_US} is the most"
            field = "dynamic_batching.max_queue_delay_microseconds"
            yield model.at(field, what, "Lower it, or drop it: what comes while the model runs is a batch already.")
        too_large = [int(n) for n in batching.get("preferred_batch_size", ()) if int(n) > model.max_batch_size]
        if too_large:
            what = f"{too_large} is more than max_batch_size, {model.max_batch_size}"
            yield model.at("dynamic_batching.preferred_batch_size", what, "Lower it.")
    for number, group in enumerate(model.config.get("instance_group", ())):
        if int(group.get("count", 1)) < 1:
            yield model.at(f"instance_group[{number}].count", f"it is {group['count']}", "Write 1 or more.")
        if group.get("gpus") and group.get("kind") == "KIND_CPU":
            yield model.at(
                f"instance_group[{number}].gpus", "a KIND_CPU group names GPUs", "Write KIND_GPU, or none."
            )


def _warm_up(model: Model) -> Iterator[Problem]:
    inputs = model.tensors("input")
    for number, sample in enumerate(model.config.get("model_warmup", ())):
        where, given = f"model_warmup[{number}]", sample.get("inputs", {})
        if int(sample.get("batch_size", 0)) > max(1, model.max_batch_size):
            what = f"batch_size is {sample['batch_size']}, and max_batch_size {model.max_batch_size}"
            yield model.at(where, what, "Lower it.")
        for name in sorted(set(inputs) ^ set(given)):
            what = f"{name!r} is no input of the model" if name in given else f"{name!r} has no value"
            yield model.at(where, what, "Give every input of the model, and no other.")
        for name in sorted(set(inputs) & set(given)):
            told = given[name]
            dims = tuple(int(d) for d in told.get("dims", ()))
            if told.get("data_type", "") != inputs[name].type or not fit(dims, inputs[name].dims):
                what = f"{name!r} is {told.get('data_type')} {list(dims)}, and the input {inputs[name].type}"
                yield model.at(where, f"{what} {list(inputs[name].dims)}", "Write the input's type and dims.")
            file = told.get("input_data_file")
            if file and f"warmup/{file}" not in model.files:
                yield model.at(where, f"there is no file warmup/{file}", "Add it, or use zero_data.")


def _files(model: Model, folder: Path) -> Iterator[Problem]:
    backend = backend_of(model)
    if not backend:
        yield model.at(
            "backend", "neither a backend nor a known platform is named", 'Write `backend: "onnxruntime"`.'
        )
        return
    file = str(model.config.get("default_model_filename", "")) or FILES.get(backend, "")
    for version in model.versions:
        path = f"{version}/{file}"
        if file and path not in model.files:
            yield Problem(f"{model.name}/{path}", "", "the model's file is missing", "Add it.")
        elif backend == "python" and file.endswith(".py"):
            yield from _python(model, folder, path)


def _python(model: Model, folder: Path, path: str) -> Iterator[Problem]:
    where = f"{model.name}/{path}"
    try:
        tree = ast.parse((folder / where).read_bytes())
    except (SyntaxError, ValueError) as error:
        yield Problem(where, "", f"it is no Python: {error}", "Correct it.")
        return
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    methods = {
        node.name
        for node in getattr(classes.get("TritonPythonModel"), "body", ())
        if isinstance(node, ast.FunctionDef)
    }
    if "execute" not in methods:
        what = "it has no class TritonPythonModel with a method execute"
        yield Problem(where, "TritonPythonModel", what, "Write it.")


def _graphs(model: Model) -> Iterator[Problem]:
    if backend_of(model) != "onnxruntime":
        return
    for path, graph in model.graphs.items():
        where = f"{model.name}/{path}"
        if "error" in graph:
            yield Problem(where, "", f"the graph cannot be read: {graph['error']}", "Export it again.")
            continue
        if graph["unrunnable"]:
            yield Problem(
                where, "opset_import", f"the graph is of {graph['unrunnable']}", "Export it for an older one."
            )
        for kind in ("input", "output"):
            told, has = model.tensors(kind), graph[f"{kind}s"]
            for name in sorted(set(told) - set(has)):
                there = ", ".join(has)
                what = f"the graph has no {kind} {name!r}; it has {there}"
                yield model.at(f"{kind} {name!r}", what, "Name one that is there.")
            if kind == "input":
                for name in sorted(set(has) - set(told)):
                    yield model.at(kind, f"the graph's input {name!r} is not declared", "Declare it.")
            for name in sorted(set(told) & set(has)):
                yield from _agreement(model, kind, name, has[name]["type"], has[name]["dims"])


def _agreement(model: Model, kind: str, name: str, its_type: str, its_dims: list[int]) -> Iterator[Problem]:
    tensor = model.tensors(kind)[name]
    where = f"{kind} {name!r}"
    if tensor.type != its_type:
        what = f"data_type is {tensor.type}, and the graph has {its_type}"
        yield model.at(where, what, "Write the graph's.")
    rows, dims = (its_dims[:1], its_dims[1:]) if model.max_batch_size > 0 else ([], its_dims)
    if rows and rows[0] != -1:
        what = f"max_batch_size is {model.max_batch_size}, and the graph takes exactly {rows[0]} rows"
        yield model.at(where, what, "Export the graph with any number of rows, or write max_batch_size: 0.")
    if not fit(tensor.dims, dims):
        what = f"dims are {list(tensor.dims)}, and the graph has {dims}"
        yield model.at(where, what, "Write the graph's.")
