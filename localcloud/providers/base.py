"""What a stand-in provider is made of: one `LocalProvider` per cloud, which knows a `Kind` for each resource type.

A cloud's module subclasses `LocalProvider`, says which properties replace and which outputs are secret, and
returns a `Kind` for each type token: `Recorded` for what only has to be remembered, a class of its own for what
lives in an emulator. `serve(provider)` in `localcloud.providers.serve` runs it as a Pulumi plugin. Wire values,
previews, input checks, diffs and errors are the framework's work.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from localcloud.providers.store import Store, Stored

ENV_STORE = "SEAWALL_LOCAL_STORE"
"""Path of the stack's store file, in a provider process's environment."""

ENV_FORCE_DELETE = "SEAWALL_LOCAL_FORCE_DELETE"
"""Set for `seawall local down --unprotect`: see `force_delete`."""

ENV_KUBECONFIG = "SEAWALL_LOCAL_KUBECONFIG"
"""The deployer's kubeconfig for a real control plane, in the Kubernetes provider's environment while one runs."""


def force_delete() -> bool:
    """Whether the stack is torn down with `--unprotect`: the clouds' own deletion protection then counts as lifted,
    and what holds data is emptied before it is deleted."""
    return bool(os.environ.get(ENV_FORCE_DELETE))


class ProviderError(Exception):
    """The cloud refused: shown with the resource, the argument and the reason.

    Args:
        reason: what the cloud said, without secrets.
        argument: the dotted input that it is about, where one can be blamed.
    """

    def __init__(self, reason: str, argument: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.argument = argument


def unknown_type(token: str, table: str) -> ProviderError:
    """The refusal of a type that a stand-in does not know.

    Args:
        table: the file of the one table that lists what the local cloud only records.
    """
    return ProviderError(
        f"the local cloud does not know {token}. Add it to RECORDED in {table} if remembering it is enough; "
        "what must be enforced becomes a kind in its service's folder there"
    )


@dataclass(frozen=True)
class Request:
    """One operation on one resource. All values are plain and known; secrets are unwrapped."""

    urn: str
    token: str
    name: str
    """The logical name."""
    inputs: Mapping[str, Any]
    """What the resource shall have (create, update), or was last deployed with (read, delete)."""
    id: str = ""
    """The physical id; empty on create."""
    old_inputs: Mapping[str, Any] = field(default_factory=dict)
    """On update: what it was last deployed with."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Its properties as the engine's state has them; empty on create."""
    timeout_seconds: float = 0.0
    """How long it may take, as the program's `custom_timeouts` say; 0 for the provider's own."""


@dataclass(frozen=True)
class State:
    """A resource as it is after an operation.

    Inputs are echoed into the outputs by the framework; `outputs` adds the computed properties and may override
    an echo. `inputs` is set by a read that found settings other than those deployed, so that drift shows; None
    means "as deployed".
    """

    id: str
    outputs: Mapping[str, Any]
    inputs: Mapping[str, Any] | None = None


class Kind(ABC):
    """How resources of a type come, change, are read and go. Methods raise `ProviderError`, and may block."""

    not_enforced: ClassVar[str] = ""
    """What of it, or of what it asks for, changes nothing that the emulator does; evidence and the page print it."""

    @abstractmethod
    def create(self, request: Request) -> State:
        """Make the resource; never called in a preview."""

    @abstractmethod
    def read(self, request: Request) -> State | None:
        """The resource as it is now; None if it is gone."""

    @abstractmethod
    def update(self, request: Request) -> State:
        """Change it in place from `old_inputs` to `inputs`."""

    @abstractmethod
    def delete(self, request: Request) -> None:
        """Remove it; a resource that is gone already is no error."""


Identify = Callable[[Request], str]
Compute = Callable[[Request, str], Mapping[str, Any]]


class Recorded(Kind):
    """A type without a data plane: it is remembered in the store, with ids and outputs shaped as the cloud's.

    Args:
        store: where it is remembered.
        identify: the physical id from the inputs (deterministic, so that a second `up` gives the same).
        compute: computed properties from the request and the id, on create and on update.
        exclusive: whether creating an id that exists is refused, as for types with physical names. Where it is
            not, `identify` is asked again, with another URN, until the id is free.
        scope: within what an id is the resource's own, as a region.
    """

    def __init__(
        self,
        store: Store,
        identify: Identify,
        compute: Compute,
        *,
        exclusive: bool = False,
        scope: Callable[[Request], str] = lambda _: "",
    ) -> None:
        self._store = store
        self._identify = identify
        self._compute = compute
        self._exclusive = exclusive
        self._scope = scope

    def create(self, request: Request) -> State:
        physical_id = self._identify(request)
        attempt = 1
        while self._store.get(request.token, self._key(request, physical_id)) is not None:
            if self._exclusive:
                raise ProviderError(f"{physical_id!r} exists already")
            attempt += 1
            physical_id = self._identify(replace(request, urn=f"{request.urn}#{attempt}"))
        return self._put(request, physical_id)

    def read(self, request: Request) -> State | None:
        found = self._store.get(request.token, self._key(request, request.id))
        if found is None:
            return None
        computed = {k: v for k, v in found.outputs.items() if v != found.inputs.get(k)}
        drifted = found.inputs != request.inputs and bool(request.inputs)
        return State(request.id, computed, inputs=found.inputs if drifted or not request.inputs else None)

    def update(self, request: Request) -> State:
        return self._put(request, request.id)

    def delete(self, request: Request) -> None:
        self._store.delete(request.token, self._key(request, request.id))

    def _put(self, request: Request, physical_id: str) -> State:
        computed = {k: v for k, v in self._compute(request, physical_id).items() if v is not None}
        outputs = {**request.inputs, **computed}
        key = self._key(request, physical_id)
        self._store.put(Stored(request.token, key, request.urn, dict(request.inputs), outputs))
        return State(physical_id, computed)

    def _key(self, request: Request, physical_id: str) -> str:
        return scoped(self._scope(request), physical_id)


def scoped(scope: str, physical_id: str) -> str:
    """The id by which the store keeps what is the resource's own only within `scope`, as a region."""
    return f"{scope}/{physical_id}" if scope else physical_id


class LocalProvider(ABC):
    """One cloud's stand-in. Subclass it, and run it with `serve`."""

    package: str
    """Pulumi's package name: `aws`, `gcp`, `kubernetes`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.config: Mapping[str, Any] = {}

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the provider resource's inputs, such as `region` (JSON-encoded values decoded); may hold unknowns.

        Raises ProviderError on a configuration that the real provider refuses.
        """
        self.config = config

    def replaced_by(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:  # noqa: ARG002
        """The provider's own inputs whose change replaces it, and so all of its resources; may be given unknowns."""
        return ()

    @abstractmethod
    def kind(self, token: str) -> Kind:
        """How the type behaves; raises ProviderError for a type that the local cloud does not know."""

    @abstractmethod
    def replace_on(self, token: str) -> Iterable[str]:
        """Input paths without list positions whose change replaces the resource at the real provider."""

    def name_property(self, token: str) -> str | None:  # noqa: ARG002 - for subclasses
        """The input that holds the physical name, which two resources cannot share."""
        return None

    new_name_creates_first: ClassVar[bool] = False
    """Whether a replacement under a new physical name is made before the old resource goes, without being asked to.

    A bridged Terraform provider deletes first wherever a name that it could have made up is given, whether or not it
    changes, unless the type has UniqueNameFields, which none that stacks use has (pulumi-terraform-bridge
    pkg/tfbridge/schema.go, nameRequiresDeleteBeforeReplace, at 59de6c661df1; pulumi-aws and pulumi-gcp
    provider/resources.go; read on 2026-11-21).
    """

    def secret_outputs(self, token: str) -> Iterable[str]:  # noqa: ARG002 - for subclasses
        """Output properties that are secret whatever the inputs are."""
        return ()

    def deployed_inputs(self, request: Request) -> Mapping[str, Any]:
        """What new inputs are compared with: those last deployed, unless the provider compares with what is there."""
        return request.inputs

    def preview_refusal(self, request: Request) -> str | None:  # noqa: ARG002 - for subclasses
        """What the cloud says against a creation or update, where it can be asked before; inputs may be unknown."""
        return None

    def check(self, token: str, inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:  # noqa: ARG002
        """Further refusals of inputs as (property path, reason), beyond the SDK's names and types."""
        return ()

    def explain(self, error: Exception) -> str:
        """The text for an error that no kind foresaw; override it to make a client library's errors readable."""
        return f"{type(error).__name__}: {error}"

    def translate(self, error: Exception, request: Request) -> ProviderError:  # noqa: ARG002 - for subclasses
        """An error that a kind let through, as the refusal of `request` that it means."""
        return ProviderError(self.explain(error))

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        """Answer a lookup function. The platform makes none, so by default it is refused."""
        raise ProviderError(f"the local cloud answers no lookups, and was asked for {token}")


def stable_uuid(*parts: str) -> str:
    """A UUID that depends on `parts` alone."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\x1f".join(parts)))


def stable_hex(length: int, *parts: str) -> str:
    """`length` (at most 64) hexadecimal digits that depend on `parts` alone."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:length]


def physical_name(request: Request, prop: str) -> str:
    """The explicit name in `prop`, else one made as Pulumi does: the logical name and seven hex digits."""
    name = request.inputs.get(prop)
    return str(name) if name else f"{request.name}-{stable_hex(7, request.urn)}"
