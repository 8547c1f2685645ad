"""Whether the models that lie on a GPU fit it: an estimate from the ONNX files, not a measurement. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts.accelerators import MODELS
from components.contracts.vocabulary import Accelerator
from ops.models.validation.model import Model, Problem
from ops.models.validation.rules import backend_of

MIB: Final = 1024**2
CONTEXT_MIB: Final = 600
"""CUDA's context and the libraries of one process, on each GPU (believed: some hundred MiB from Turing on)."""
ARENA: Final = 1.2
"""What onnxruntime's arena takes beyond what it needs (believed; its default extends by powers of two)."""
USABLE_PERCENT: Final = 95


@dataclass(frozen=True)
class Need:
    """What one model takes of each GPU, estimated."""

    model: str
    instances: int
    weights_mib: float
    """Of one instance."""
    activations_mib: float
    """Of one instance and its largest batch, as if every intermediate tensor were kept."""

    @property
    def mib(self) -> float:
        """Of all instances."""
        return self.instances * (self.weights_mib + self.activations_mib) * ARENA


def needs(models: Mapping[str, Model]) -> list[Need]:
    """What models with an ONNX graph take of a GPU; those that run on the CPU take nothing."""
    found = []
    for model in models.values():
        graphs = [graph for graph in model.graphs.values() if "error" not in graph]
        if backend_of(model) != "onnxruntime" or not graphs:
            continue
        groups = model.config.get("instance_group") or [{}]
        instances = sum(int(group.get("count", 1)) for group in groups if group.get("kind") != "KIND_CPU")
        rows = max(1, model.max_batch_size)
        weights, activations = (max(graph[key] for graph in graphs) / MIB for key in ("weights_bytes", "row_bytes"))
        found.append(Need(model.name, instances, weights, activations * rows))
    return found


def problems_of(models: Mapping[str, Model], accelerator: Accelerator) -> Iterator[Problem]:
    """Whether they fit the accelerator, believed."""
    wanted, there = needs(models), MODELS[accelerator].memory_mib
    total = CONTEXT_MIB + sum(need.mib for need in wanted)
    usable = there * USABLE_PERCENT / 100
    if total > usable:
        largest = max(wanted, key=lambda need: need.mib)
        what = (
            f"the models take {total:.0f} MiB of a GPU, believed, and {accelerator} has {usable:.0f} to give; "
            f"{largest.model!r} takes {largest.mib:.0f} in {largest.instances} instances"
        )
        remedy = "Lower its instances or its max_batch_size, or take an accelerator with more memory."
        yield models[largest.model].at("instance_group", what, remedy)
