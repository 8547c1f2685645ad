"""Whether the steps of an ensemble fit each other: every tensor is made once, by what fits who takes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.models.validation.model import ANY_VERSION, Model, Problem, Tensor


def problems_of(ensemble: Model, models: Mapping[str, Model]) -> Iterator[Problem]:
    """Everything that is wrong between an ensemble's steps."""
    steps = ensemble.config.get("ensemble_scheduling", {}).get("step", ())
    if not steps:
        yield ensemble.at("ensemble_scheduling", "an ensemble has no step", "Name the models that it runs.")
        return
    makes = {name: ("the request", tensor) for name, tensor in ensemble.tensors("input").items()}
    for number, step in enumerate(steps):
        yield from _step(ensemble, number, step, models, makes)
    for number, step in enumerate(steps):
        yield from _inputs(ensemble, number, step, models, makes)
    yield from _outputs(ensemble, makes)
    yield from _circles(ensemble, steps)


def _where(number: int) -> str:
    return f"ensemble_scheduling.step[{number}]"


def _step(
    ensemble: Model,
    number: int,
    step: Mapping[str, Any],
    models: Mapping[str, Model],
    makes: dict[str, tuple[str, Tensor]],
) -> Iterator[Problem]:
    """Of a step's model and what it makes, which is added to `makes`."""
    name = str(step.get("model_name", ""))
    model = models.get(name)
    if model is None:
        what = f"there is no model {name!r}; there are {', '.join(sorted(models))}"
        yield ensemble.at(_where(number), what, "Name a model of the repository.")
        return
    version = str(step.get("model_version", ANY_VERSION))
    if version not in (ANY_VERSION, *model.versions):
        what = f"{name!r} has no version {version}"
        yield ensemble.at(_where(number), what, f"Write -1, or one of {', '.join(model.versions)}.")
    if 0 < model.max_batch_size < ensemble.max_batch_size or (ensemble.max_batch_size and not model.max_batch_size):
        what = f"{name!r} takes {model.max_batch_size} rows at once, and the ensemble {ensemble.max_batch_size}"
        yield ensemble.at("max_batch_size", what, "Lower the ensemble's, or raise the model's.")
    gives = model.tensors("output")
    for output, tensor in step.get("output_map", {}).items():
        if output not in gives:
            what = f"{name!r} has no output {output!r}; it has {', '.join(gives)}"
            yield ensemble.at(f"{_where(number)}.output_map", what, "Name one of them.")
        elif tensor in makes:
            what = f"{tensor!r} is made by {makes[tensor][0]} already"
            yield ensemble.at(f"{_where(number)}.output_map", what, "Give it another name.")
        else:
            makes[tensor] = (f"step[{number}] ({name})", gives[output])


def _inputs(
    ensemble: Model,
    number: int,
    step: Mapping[str, Any],
    models: Mapping[str, Model],
    makes: Mapping[str, tuple[str, Tensor]],
) -> Iterator[Problem]:
    model = models.get(str(step.get("model_name", "")))
    if model is None:
        return
    where, takes, given = f"{_where(number)}.input_map", model.tensors("input"), step.get("input_map", {})
    for name in sorted(set(takes) - set(given)):
        yield ensemble.at(where, f"nothing is given for the input {name!r} of {model.name!r}", "Map a tensor to it.")
    for name in sorted(set(given) - set(takes)):
        what = f"{model.name!r} has no input {name!r}; it has {', '.join(takes)}"
        yield ensemble.at(where, what, "Name one of them.")
    for name in sorted(set(given) & set(takes)):
        tensor = given[name]
        if tensor not in makes:
            what = f"nobody makes {tensor!r}, which {model.name!r} takes as {name!r}"
            yield ensemble.at(where, what, f"Map one of {', '.join(sorted(makes))}.")
            continue
        maker, made = makes[tensor]
        if not made.fits(takes[name]):
            taken = f"{model.name!r} takes {name!r} as {_told(takes[name])}"
            what = f"{maker} makes {tensor!r} as {_told(made)}, and {taken}"
            yield ensemble.at(where, what, "Let both be of one type and shape.")


def _outputs(ensemble: Model, makes: Mapping[str, tuple[str, Tensor]]) -> Iterator[Problem]:
    for name, wanted in ensemble.tensors("output").items():
        if name not in makes:
            what = f"no step makes it; steps make {', '.join(sorted(makes))}"
            yield ensemble.at(f"output {name!r}", what, "Map a step's output to it.")
        elif not makes[name][1].fits(wanted):
            maker, made = makes[name]
            what = f"{maker} makes it as {_told(made)}, and the ensemble declares {_told(wanted)}"
            yield ensemble.at(f"output {name!r}", what, "Declare what the step makes.")


def _circles(ensemble: Model, steps: Any) -> Iterator[Problem]:
    """Steps that wait for each other."""
    made = set(ensemble.tensors("input"))
    waiting = dict(enumerate(steps))
    every = made | {tensor for step in steps for tensor in step.get("output_map", {}).values()}
    while ready := [n for n, s in waiting.items() if not (set(s.get("input_map", {}).values()) & every) - made]:
        for number in ready:
            made |= set(waiting.pop(number).get("output_map", {}).values())
    if waiting:
        names = ", ".join(str(step.get("model_name")) for step in waiting.values())
        what = f"these steps wait for each other: {names}"
        yield ensemble.at("ensemble_scheduling", what, "Let each take what an earlier one makes.")


def _told(tensor: Tensor) -> str:
    return f"{tensor.type} {list(tensor.dims)}"
