"""Whether the GPUs that a configuration names are there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.contracts.vocabulary import Accelerator
from ops.models.validation.model import Model, Problem


def problems_of(models: Mapping[str, Model], accelerator: Accelerator | None, gpus: int) -> Iterator[Problem]:
    """Groups of instances that a replica with `gpus` GPUs cannot place; no accelerator: it has none."""
    there = gpus if accelerator else 0
    for model in models.values():
        for number, group in enumerate(model.config.get("instance_group", ())):
            where = f"instance_group[{number}]"
            absent = sorted({int(gpu) for gpu in group.get("gpus", ()) if int(gpu) >= there})
            if group.get("kind") == "KIND_GPU" and not there:
                what = "it is KIND_GPU, and no accelerator is named"
                yield model.at(where, what, "Write KIND_AUTO, or name the GPU with --accelerator.")
            elif absent:
                what = f"it names GPU {', '.join(map(str, absent))}, and a replica has {there}, counted from 0"
                yield model.at(f"{where}.gpus", what, "Name GPUs that are there, or none for all of them.")
