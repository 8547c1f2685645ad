"""What the types that live in the emulator have in common: they come and go through the real REST APIs' shapes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from common.gcp_api import GcpApi, Service
from localcloud.gcp.context import Context, labels_of
from localcloud.gcp.fields import Field, body, changes, drifted, imported
from localcloud.providers.base import Kind, ProviderError, Request, State, force_delete

_PROTECTIONS: Final = (
    ("deletionProtection", True, "false"),
    ("deletionProtection", "PROTECTED", "UNPROTECTED"),
    ("deleteProtectionState", "DELETE_PROTECTION_ENABLED", "DELETE_PROTECTION_DISABLED"),
)
"""Argument, the value that forbids deletion, the value that allows it."""


def refuse_protected(request: Request) -> None:
    """Raise ProviderError if the resource's own arguments forbid its deletion."""
    if force_delete():
        return
    for argument, protects, lifted in _PROTECTIONS:
        if request.inputs.get(argument) == protects:
            raise ProviderError(f"cannot be deleted: set it to {lifted} and run `up` first", argument)
    if request.inputs.get("deletionPolicy") == "PREVENT":
        raise ProviderError("forbids the deletion: change it and run `up` first", "deletionPolicy")


class EmulatedKind(Kind):
    """A type that has a data plane: made and read through the emulator's APIs."""

    pulumi_type: ClassVar[str]
    """Pulumi's type token."""
    secret_outputs: ClassVar[Sequence[str]] = ()

    def __init__(self, api: GcpApi, context: Context) -> None:
        self._api = api
        self._context = context


class RestKind(EmulatedKind):
    """A type that is one REST resource: labels, drift, and where its inputs stand in the API.

    Its id is the resource's name below `v1/`, unless it overrides `_find` and `delete`.
    """

    service: ClassVar[Service]
    """The first segment of the API's paths in the emulator."""
    fields: ClassVar[Sequence[Field]]

    def delete(self, request: Request) -> None:
        if self._find(request) is not None:
            self._api.delete(self.service, f"v1/{request.id}")

    def read(self, request: Request) -> State | None:
        found = self._find(request)
        if found is None:
            return None
        inputs = request.inputs
        plain = {**found, **self._own_labels(found, inputs.get("labels"))}
        if not inputs:
            return self._state(request, found, imported(self.fields, plain))
        return self._state(request, found, drifted(self.fields, inputs, plain))

    def _body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return body(self.fields, self._with_labels(inputs))

    def _changes(self, request: Request) -> tuple[dict[str, Any], list[str]]:
        return changes(self.fields, self._with_labels(request.old_inputs), self._with_labels(request.inputs))

    def _with_labels(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        if not any(f.argument == "labels" for f in self.fields):
            return inputs
        return {**inputs, "labels": labels_of(inputs.get("labels"), self._context)["effectiveLabels"]}

    def _own_labels(self, found: Mapping[str, Any], declared: Any) -> dict[str, Any]:
        """The labels without those that the provider adds by itself."""
        labels = found.get("labels")
        if not isinstance(labels, Mapping):
            return {}
        added = {
            k: v for k, v in labels_of({}, self._context)["effectiveLabels"].items() if k not in (declared or {})
        }
        return {"labels": {k: v for k, v in labels.items() if added.get(k) != v}}

    def _state(self, request: Request, found: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> State:
        source = request if inputs is None else replace(request, inputs=inputs)
        state = self._show(source, found)
        outputs = dict(state.outputs)
        if any(f.argument == "labels" for f in self.fields):
            outputs |= labels_of(source.inputs.get("labels"), self._context)
        return State(state.id, {k: v for k, v in outputs.items() if v is not None}, inputs)

    def _find(self, request: Request) -> dict[str, Any] | None:
        """The API's resource, or None."""
        return self._api.find(self.service, f"v1/{request.id}")

    @abstractmethod
    def _show(self, _request: Request, found: Mapping[str, Any]) -> State:
        """Id and computed outputs."""
