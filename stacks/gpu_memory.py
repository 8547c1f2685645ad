"""Whether a service's models fit together on the GPUs that they are given: each refusal says the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from components.contracts.accelerators import CUDA_RESERVE_MIB, memory_mib
from components.contracts.services import ModelSpec, ServiceSpec, variants_of
from components.contracts.specs import SharingSpec
from stacks.problems import Problem


def taken_mib(models: Iterable[ModelSpec]) -> int:
    """What models take of the fullest GPU of a replica.

    An instance that spans GPUs has an equal part on each; where such instances lie is the model's own affair, so
    that all of them count on one.
    """
    return sum(model.instances * math.ceil(model.gpu_memory_mib / model.gpus) for model in models)


def gpu_memory_problems(
    services: Mapping[str, tuple[ServiceSpec, Sequence[SharingSpec | None]]],
) -> list[Problem]:
    """Each variant whose models do not fit on one GPU of some pool that serves it.

    Args:
        services: each service by name, with how each pool that may serve it shares its GPUs.
    """
    return [
        problem
        for name, (service, sharings) in services.items()
        if sharings
        for problem in _too_much(name, service, sharings)
    ]


def _too_much(name: str, service: ServiceSpec, sharings: Sequence[SharingSpec | None]) -> list[Problem]:
    gpu = service.gpu
    if gpu is None:
        return []
    sharing = min(sharings, key=lambda each: memory_mib(gpu, each))
    has = memory_mib(gpu, sharing)
    most = max(0, has - CUDA_RESERVE_MIB)
    what = f"the {gpu}" if sharing is None else f"a share of the {gpu}"
    return [
        Problem(
            f"fleet.services.{name}.{_models_path(variant.name, service)}",
            f"{taken} MiB on one GPU ({_sum(variant.models)})",
            f"at most {most} MiB: {what} has {has}, of which {CUDA_RESERVE_MIB} are kept for the driver and CUDA",
            "Lower instances, move a model to a service of its own, or choose an accelerator with more memory"
            f"{'.' if sharing is None else ', or share the GPU between fewer.'}",
        )
        for variant in variants_of(name, service)
        if (variant.stable or service.challengers[variant.name].models is not None)
        and (taken := taken_mib(variant.models.values())) > most
    ]


def _models_path(variant: str, service: ServiceSpec) -> str:
    return f"challengers.{variant}.models" if variant in service.challengers else "models"


def _sum(models: Mapping[str, ModelSpec]) -> str:
    """As `classifier 2 × 900 + large 40000 ÷ 2`."""
    return " + ".join(
        f"{name} {f'{each.instances} × ' if each.instances > 1 else ''}{each.gpu_memory_mib}"
        f"{f' ÷ {each.gpus}' if each.gpus > 1 else ''}"
        for name, each in models.items()
    )
