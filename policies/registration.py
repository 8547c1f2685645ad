"""What a registered resource becomes in the inventory: one way, whoever recorded it.

`ops.plan` records a program that runs without an engine; `policies.engine` records what the engine shows a policy
pack. Both speak Pulumi's wire format, and neither decides anything more than what it saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python

from components.contracts.stateful import OUTPUT, Stateful
from policies.inventory import SECRET, Inventory, Resource
from policies.regions import region_of
from policies.wire import SHORTEST_TELLTALE, mask, mask_telltales

STACK_TYPE: Final = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Registration:
    """One registered resource, values still as on the wire: secrets wrapped, unknowns as the engine's text."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str | None
    inputs: Mapping[str, Any]
    provider: str | None
    """URN of the provider resource that manages it, if one was named."""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    """As the program asks; None leaves the order of a replacement to the provider."""
    ignore_changes: tuple[str, ...] = ()
    """Input paths as the program names them, in Pulumi's own notation."""
    aliases: tuple[str, ...] = ()
    """URNs that it or a resource above it had before, by the program's own word."""
    made_at: str = ""
    """File and line of the constructor call that made it, relative to the checkout; empty where nobody saw it."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """What a component shows of itself; empty for every other resource."""


def inventory_of(
    stack: str,
    settings: BaseModel | None,
    registrations: Mapping[str, Registration],
    outputs: Mapping[str, Any],
) -> Inventory:
    """The inventory of a stack, from its resources by URN and its outputs, both as on the wire.

    Every secret is masked: those that are marked on the wire or typed as secret in the settings, and texts that
    repeat one of them.
    """
    plain_settings, settings_secrets = masked_settings(settings)
    masked = {urn: mask(dict(r.inputs)) for urn, r in registrations.items()}
    masked_outputs = mask(dict(outputs))
    secrets = frozenset(
        text
        for text in settings_secrets.union(masked_outputs.secrets, *(m.secrets for m in masked.values()))
        if len(text) >= SHORTEST_TELLTALE
    )
    state = declared(registrations)
    resources = tuple(
        _hide(
            Resource(
                urn=urn,
                type=registered.type,
                name=registered.name,
                custom=registered.custom,
                parent=registered.parent if registered.parent in registrations else None,
                inputs=masked[urn].value,
                secret_paths=tuple(sorted(masked[urn].secret_paths)),
                unknown_paths=tuple(sorted(masked[urn].unknown_paths)),
                dependencies=tuple(sorted(registered.dependencies)),
                property_dependencies={
                    key: tuple(sorted(urns)) for key, urns in registered.property_dependencies.items() if urns
                },
                region=region_of(registered, registrations),
                protect=registered.protect,
                retain_on_delete=registered.retain_on_delete,
                delete_before_replace=registered.delete_before_replace,
                ignore_changes=registered.ignore_changes,
                aliases=registered.aliases,
                made_at=registered.made_at,
                stateful=state.get((registered.parent, registered.type, registered.name)),
            ),
            secrets,
        )
        for urn, registered in registrations.items()
    )
    return Inventory(
        stack=stack,
        settings=mask_telltales(plain_settings, "", secrets, []),
        resources=resources,
        outputs=mask_telltales(masked_outputs.value, "", secrets, []),
    )


def declared(registrations: Mapping[str, Registration]) -> Mapping[tuple[str | None, str, str], Stateful]:
    """(component's URN, type token, logical name) → what the component declares that this resource holds."""
    return {
        (urn, declaration["type"], declaration["name"]): Stateful.from_json(declaration)
        for urn, component in registrations.items()
        for declaration in component.outputs.get(OUTPUT, ())
    }


def masked_settings(settings: BaseModel | None) -> tuple[dict[str, Any], frozenset[str]]:
    """Settings as plain JSON with every secret masked, and the secrets' texts."""
    secrets: set[str] = set()
    plain = {} if settings is None else _plain_settings(settings.model_dump(), secrets)
    return plain, frozenset(secrets)


def _plain_settings(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, SecretStr):
        secrets.add(value.get_secret_value())
        return SECRET
    if isinstance(value, Mapping):
        return {str(to_jsonable_python(key)): _plain_settings(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_settings(item, secrets) for item in value]
    return to_jsonable_python(value)


def _hide(resource: Resource, secrets: frozenset[str]) -> Resource:
    """Mask inputs that repeat, as plain text, a value that is a secret elsewhere in the stack."""
    if not secrets:
        return resource
    found: list[str] = []
    inputs = mask_telltales(resource.inputs, "", secrets, found)
    return replace(resource, inputs=inputs, secret_paths=tuple(sorted({*resource.secret_paths, *found})))
