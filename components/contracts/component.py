"""The base of all components: one way to name a type, hand down a provider, and finish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


class Component(pulumi.ComponentResource):
    """A component whose children find their provider through it.

    A subclass builds its children with `ResourceOptions(parent=self)`, sets `self.ref`, and ends with `finish`.

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

    def finish(self, outputs: Mapping[str, pulumi.Input[Any]]) -> None:
        """Say that the component is complete, and what it shows of itself."""
        self.register_outputs(dict(outputs))


def ready(value: pulumi.Input[str], *after: pulumi.Resource) -> pulumi.Output[str]:
    """`value`, resolved only when all of `after` exist: an output that means "ready to use"."""
    waits = [pulumi.Output.from_input(resource.urn) for resource in after]
    return pulumi.Output.all(value, *waits).apply(lambda resolved: str(resolved[0]))
