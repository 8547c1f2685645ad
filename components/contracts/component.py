"""The base of all components: one way to name a type, hand down a provider, keep what holds state, and finish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.contracts.place import Place
from components.contracts.stateful import OUTPUT, Stateful


@dataclass(frozen=True)
class Kept:
    """What follows from a declaration of state, for the constructor of the resource that holds it."""

    name: str
    """The resource's logical name."""
    protected: bool
    """For the cloud's own deletion protection, in the words of the resource's type."""
    options: pulumi.ResourceOptions


class Component(pulumi.ComponentResource):
    """A component whose children find their provider through it.

    A subclass builds its children with `ResourceOptions(parent=self)`, or through `keep` where they hold state, sets
    `self.ref`, and ends with `finish`.

    Args:
        formerly: the token that the component had before, so that a stack keeps its resources under the new one.
    """

    def __init__(
        self, token: str, name: str, provider: pulumi.ProviderResource, *, formerly: str | None = None
    ) -> None:
        aliases = [pulumi.Alias(type_=f"seawall:{formerly}")] if formerly else None
        super().__init__(
            f"seawall:{token}", name, None, pulumi.ResourceOptions(providers=[provider], aliases=aliases)
        )
        self._stateful: list[dict[str, str]] = []

    def keep(
        self,
        kind: type[pulumi.CustomResource],
        name: str,
        state: Stateful,
        place: Place,
        *,
        depends_on: Sequence[pulumi.Resource] = (),
        ignore_changes: Sequence[str] = (),
        taken_over: str | None = None,
    ) -> Kept:
        """Declare that this component's resource of `kind`, with this logical `name`, holds `state`.

        Args:
            taken_over: the id under which it is there before the stack, so that it is imported instead of made.
        """
        self._stateful.append({"type": _token_of(kind), "name": name, **state.to_json()})
        return Kept(
            name,
            place.protected,
            pulumi.ResourceOptions(
                parent=self,
                protect=place.protected,
                retain_on_delete=place.retained,
                depends_on=list(depends_on),
                ignore_changes=list(ignore_changes) or None,
                import_=taken_over,
            ),
        )

    def finish(self, outputs: Mapping[str, pulumi.Input[Any]]) -> None:
        """Say that the component is complete, what it shows of itself, and which of its resources hold state."""
        self.register_outputs({**outputs, OUTPUT: self._stateful} if self._stateful else dict(outputs))


def _token_of(kind: type[pulumi.CustomResource]) -> str:
    token = pulumi.get_type_token(kind)
    if token is None:
        raise TypeError(f"{kind.__name__} is no resource class of an SDK: it has no type token")
    return token


def ready(value: pulumi.Input[str], *after: pulumi.Resource) -> pulumi.Output[str]:
    """`value`, resolved only when all of `after` exist: an output that means "ready to use"."""
    waits = [pulumi.Output.from_input(resource.urn) for resource in after]
    return pulumi.Output.all(value, *waits).apply(lambda resolved: str(resolved[0]))
