"""`seawall models validate`: judges a model repository before it is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import EXIT_FOUND
from components.contracts.vocabulary import Accelerator
from ops.models.validation import ensembles, memory, placing, rules
from ops.models.validation.model import Model, Problem, read_repository
from ops.options import Quiet
from ops.serving.golden import load_golden


def validate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The model repository: a folder for each model.")],
    accelerator: Annotated[
        Accelerator | None, typer.Option(help="The GPU that its models must fit; none: they run on the CPU.")
    ] = None,
    gpus: Annotated[int, typer.Option(min=1, help="GPUs of one replica, with --accelerator.")] = 1,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Also load it into a real Triton, and ask for its goldens.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Check a model repository: Triton's schema, shapes against the ONNX files, ensembles, memory, goldens.

    Each problem is told with its file, its field and a remedy. Memory is an estimate from the files. Ends with 0 if
    there is no problem, 1 if there is one, 2 if it could not be checked.

    Example: seawall models validate serving_image/model_repository --accelerator l4
    """
    from localcloud.front import ensure_serving_environment  # with it come the clouds' emulators

    steps = Steps(quiet=quiet or as_json)
    python = ensure_serving_environment(steps)
    with steps.step("Read the repository"):
        models = read_repository(folder, python)
    problems = judged(models, folder, accelerator, gpus)
    served = serve and not problems
    if served:
        from ops.models.validation import serving

        with steps.step("Serve it, and ask for its goldens"):
            problems = serving.problems_of(folder, python, load_golden())
    needs = memory.needs(models) if accelerator else []
    if as_json:
        told = {
            "folder": str(folder),
            "models": sorted(models),
            "problems": [problem.to_json() for problem in problems],
            "is_served": served,
            "accelerator": accelerator,
            "gpu_mib_believed": round(memory.CONTEXT_MIB + sum(need.mib for need in needs)) if accelerator else None,
        }
        typer.echo(json.dumps(told, indent=2, sort_keys=True))
    else:
        _tell(folder, models, problems, served)
        for need in needs:
            typer.echo(f"  {need.model}: {need.mib:.1f} MiB of a GPU in {need.instances} instances, believed")
    if problems:
        raise typer.Exit(EXIT_FOUND)


def judged(models: dict[str, Model], folder: Path, accelerator: Accelerator | None, gpus: int = 1) -> list[Problem]:
    """Every problem that can be found without a server, in order."""
    found = [problem for model in models.values() for problem in rules.problems_of(model, folder)]
    whole = {name: model for name, model in models.items() if model.config}
    for model in whole.values():
        if model.is_ensemble:
            found += ensembles.problems_of(model, models)
    found += placing.problems_of(whole, accelerator, gpus)
    if accelerator:
        found += memory.problems_of(whole, accelerator)
    return sorted(found)


def _tell(folder: Path, models: dict[str, Model], problems: list[Problem], served: bool) -> None:
    for problem in problems:
        field = f" {problem.field}:" if problem.field else ""
        typer.echo(f"{problem.file}:{field} {problem.what}\n    {problem.remedy}")
    if problems:
        unserved = "" if served else "; it was not served"
        typer.echo(f"{len(problems)} problem{'s' * (len(problems) > 1)} in {folder}{unserved}")
    else:
        how = "a real Triton serves it and gives its goldens" if served else "it was not served"
        typer.echo(f"{folder}: {len(models)} models, no problem; {how}")
