"""Runs a Pulumi program without an engine, and records what it registers as a preview would receive it."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, register_stack_transformation, settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

from common.errors import UserError
from common.sdk.computed import parts_unknown
from common.sdk.types import ENGINE_UNKNOWN, RESOURCE_SIGNATURE, SECRET_SIGNATURE, SIGNATURE_KEY
from ops.plan.sources import made_at
from policies.registration import STACK_TYPE, Registration
from policies.wire import plain

_MOST_TURNS: Final = 2000
"""Far above what the longest chain of dependent resources takes."""

_made_at: contextvars.ContextVar[str] = contextvars.ContextVar("made_at", default="")
"""Where the resource that is being registered was made: Pulumi registers in a task, which has its maker's context."""

_AMBIENT: Final = ("AWS_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "KUBE", "PULUMI_", "USER_PROJECT_OVERRIDE")
"""Environment variables that the SDKs read defaults from: a plan must not depend on whose machine it runs on."""


@dataclass
class Recording:
    """What one run of a program registered, each after what it needs, in the same order whenever it runs."""

    registrations: dict[str, Registration] = field(default_factory=dict)
    """By URN."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """The stack's outputs, values still as on the wire."""


def record(program: Callable[[], None], *, project: str, stack: str) -> Recording:
    """Run `program` as a preview of a new stack would, without an engine, credentials or configuration.

    Every run has its own event loop and Pulumi runtime state, so that one leaves nothing to the next.

    Raises:
        UserError: the program needs something that only a live engine has (a lookup, a transform).
        Exception: whatever the program itself raised.
    """
    monitor = _Recorder(project, stack)
    context = contextvars.copy_context()
    with _without_ambient_configuration():
        context.run(_run, program, monitor)
    made = monitor.recording
    return replace(made, registrations=in_order(made.registrations))


def in_order(registrations: Mapping[str, Registration]) -> dict[str, Registration]:
    """The same by URN, each after its parent and its dependencies; otherwise as components are registered, by name.

    Pulumi awaits explicit dependencies as a set of objects gives them (`_resolve_depends_on`, pulumi 3.272.0), so
    resources arrive in another order with each run. Components await nothing.
    """
    places = {urn: place for place, (urn, r) in enumerate(registrations.items()) if not r.custom}
    first = -1

    def rank(urn: str) -> tuple[int, str, str, str]:
        told = registrations[urn]
        return (places.get(urn, places.get(told.parent or "", first)), told.type, told.name, urn)

    needs = {
        urn: {n for n in (r.parent or "", *r.dependencies) if n in registrations and n != urn}
        for urn, r in registrations.items()
    }
    wanted_by: dict[str, list[str]] = {}
    for urn, needed in needs.items():
        for each in needed:
            wanted_by.setdefault(each, []).append(urn)
    ready = [rank(urn) for urn, needed in needs.items() if not needed]
    heapq.heapify(ready)
    ordered: dict[str, Registration] = {}
    while ready:
        urn = heapq.heappop(ready)[-1]
        ordered[urn] = registrations[urn]
        for each in wanted_by.get(urn, ()):
            needs[each].discard(urn)
            if not needs[each]:
                heapq.heappush(ready, rank(each))
    return ordered


def _run(program: Callable[[], None], monitor: _Recorder) -> None:
    settings.configure(
        mocks.MockSettings(
            monitor=monitor,
            engine=mocks.MockEngine(None),
            project=monitor.project,
            stack=monitor.stack,
            organization="organization",
            dry_run=True,
            monitor_features=set(),
            callbacks=None,
            outputs=set(),
            lock=threading.Lock(),
            package_refs={},
            base_providers_by_ref={},
        )
    )
    settings.ROOT.set(None)
    set_all_config({}, [])
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.set_default_executor(_InlineExecutor())
        loop.set_exception_handler(_ignore)  # tasks that fail after the first error would be reported twice
        asyncio.set_event_loop(loop)
        try:
            runner.run(run_in_stack(lambda: _settled(program)), context=contextvars.copy_context())
        finally:
            asyncio.set_event_loop(None)


async def _settled(program: Callable[[], None]) -> None:
    """Run the program, then let its tasks run out before Pulumi waits for them.

    Pulumi's own wait costs the square of the number of outputs. Here nothing waits for a network, so a task
    that is not done after a turn of the loop is done some turns later; one that sleeps is left to Pulumi.
    """
    register_stack_transformation(_note_source)
    program()
    runtime: Any = settings.SETTINGS
    for _ in range(_MOST_TURNS):
        await asyncio.sleep(0)
        if not any(_pending(runtime.outputs)) and not any(_pending(runtime.rpc_manager.rpcs)):
            return


def _note_source(made: pulumi.ResourceTransformationArgs) -> None:
    """Called in each resource's constructor, before it is registered; it changes nothing."""
    _made_at.set(made_at(made.resource))


def _pending(tasks: Iterable[Any]) -> Iterator[bool]:
    return (not task.done() for task in tasks)


def _ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    pass


@contextmanager
def _without_ambient_configuration() -> Iterator[None]:
    taken = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith(_AMBIENT)}
    try:
        yield
    finally:
        os.environ.update(taken)


class _InlineExecutor(ThreadPoolExecutor):
    """Runs what it is given at once: the monitor answers from memory, a thread would only cost time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class _NoMocks(mocks.Mocks):
    """Never asked: the recorder answers registrations itself."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError(args.typ)


class _Recorder(mocks.MockMonitor):
    """A resource monitor that answers as a preview of a new stack does: inputs come back, the rest is unknown."""

    def __init__(self, project: str, stack: str) -> None:
        super().__init__(_NoMocks())
        self.project = project
        self.stack = stack
        self.recording = Recording()

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802 - an RPC's name
        urn = urn_of(self.project, self.stack, request.parent, request.type, request.name)
        registrations = self.recording.registrations
        if urn in registrations:
            raise UserError(
                f"two resources have the same URN: {request.type} {request.name!r}",
                f"stack {self.stack}, {urn}",
                "Give one of them another logical name.",
            )
        if request.transforms:
            raise _unsupported(f"resource {request.name!r} uses a transform", self.stack)
        if request.type != STACK_TYPE:
            parent = registrations.get(request.parent)
            registrations[urn] = replace(
                _registration(urn, request, parent), aliases=self._aliases(urn, request, parent)
            )
        response = resource_pb2.RegisterResourceResponse(urn=urn)
        response.object.CopyFrom(request.object)
        for name, parts in parts_unknown(request.type, plain(request.object), ENGINE_UNKNOWN).items():
            response.object[name] = parts
        _ids_for_references(response.object)
        for name in request.additionalSecretOutputs:
            _make_secret(response.object, name)
        return response

    def _aliases(
        self, urn: str, request: resource_pb2.RegisterResourceRequest, parent: Registration | None
    ) -> tuple[str, ...]:
        """What the engine makes of the aliases of a resource and of its parents; a child has its parent's others."""
        parents = (request.parent, *(parent.aliases if parent else ()))
        found = [urn_of(self.project, self.stack, above, request.type, request.name) for above in parents]
        for alias in request.aliases:
            spec = alias.spec
            above = ("",) if spec.noParent else (spec.parentUrn,) if spec.parentUrn else parents
            token, name = spec.type or request.type, spec.name or request.name
            found += (
                [alias.urn] if alias.urn else [urn_of(self.project, self.stack, each, token, name) for each in above]
            )
        return tuple(sorted(set(found) - {urn}))

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Any:  # noqa: N802
        if request.urn == urn_of(self.project, self.stack, "", STACK_TYPE, f"{self.project}-{self.stack}"):
            self.recording.outputs = plain(request.outputs)
        else:
            registrations = self.recording.registrations
            registrations[request.urn] = replace(registrations[request.urn], outputs=plain(request.outputs))
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> Any:  # noqa: N802
        raise _unsupported(f"the program calls {request.tok}", self.stack)

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> Any:  # noqa: N802
        raise _unsupported(f"the program reads the existing {request.type} {request.name!r}", self.stack)

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: ARG002, N802
        raise _unsupported("the program registers a transform", self.stack)

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: ARG002, N802
        raise _unsupported("the program registers an invoke transform", self.stack)


def urn_of(project: str, stack: str, parent: str, type_token: str, name: str) -> str:
    """The URN that the engine gives: the types of all parents but the stack, joined by `$`, then the name."""
    parent_types = parent.split("::", 3)[2] if parent else STACK_TYPE
    qualified = type_token if parent_types == STACK_TYPE else f"{parent_types}${type_token}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def _registration(
    urn: str, request: resource_pb2.RegisterResourceRequest, parent: Registration | None
) -> Registration:
    dependencies = tuple(sorted(request.dependencies))
    linked = {key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items()}
    inputs = plain(request.object)
    if not linked:  # the engine then takes every property to depend on every dependency
        linked = dict.fromkeys(inputs, dependencies)
    return Registration(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent or None,
        inputs=inputs,
        provider=request.provider.rpartition("::")[0] or None,
        dependencies=dependencies,
        property_dependencies={key: urns for key, urns in linked.items() if urns},
        protect=request.protect if request.HasField("protect") else bool(parent and parent.protect),
        retain_on_delete=(
            request.retainOnDelete if request.HasField("retainOnDelete") else bool(parent and parent.retain_on_delete)
        ),
        ignore_changes=tuple(sorted(request.ignoreChanges)),
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        made_at=_made_at.get(),
    )


def _make_secret(outputs: Any, name: str) -> None:
    """Wrap one output as a secret; one that only the provider can compute stays unknown inside."""
    value = plain(outputs.fields[name]) if name in outputs.fields else ENGINE_UNKNOWN
    if not (isinstance(value, Mapping) and value.get(SIGNATURE_KEY) == SECRET_SIGNATURE):
        outputs[name] = {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


def _ids_for_references(struct: Any) -> None:
    """Replace resources that were passed as values by their ids, as the engine does for these providers."""
    for value in struct.fields.values():
        _id_for_reference(value)


def _id_for_reference(value: Any) -> None:
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        for item in value.list_value.values:
            _id_for_reference(item)
    elif kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields and fields[SIGNATURE_KEY].string_value == RESOURCE_SIGNATURE:
            value.string_value = (fields["id"].string_value if "id" in fields else "") or ENGINE_UNKNOWN
        else:
            _ids_for_references(value.struct_value)


def _unsupported(what: str, stack: str) -> UserError:
    return UserError(
        f"{what}, which only a live engine can answer",
        f"stack {stack}",
        "Pass the value through the stack's settings, or compute it in the program.",
    )
