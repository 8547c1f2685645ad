"""Plans a stack offline: the real program, recorded, checked against the SDKs, and told as an inventory."""

from __future__ import annotations

import difflib
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python

from common.errors import UserError
from ops.plan.faults import explain, refusal, refused_inputs
from ops.plan.recorder import STACK_TYPE, Recording, record, urn_of
from ops.plan.regions import region_of
from ops.plan.wire import SHORTEST_TELLTALE, mask, mask_telltales
from policies.inventory import SECRET, Inventory, Resource
from stacks.problems import SettingsError
from stacks.settings import Settings, stack_file, stack_names

PROJECT: Final = "seawall"
"""The project's name in Pulumi.yaml, part of every URN."""


def plan_stack(stack: str) -> Inventory:
    """The inventory of a committed stack, from its settings file alone.

    Raises:
        UserError: there is no such stack, its settings are refused, a component refuses what it is asked for,
            or a resource's inputs are not what the installed SDK declares.
    """
    checked_name(stack)
    path = stack_file(stack)
    try:
        settings = Settings.load(path)
    except SettingsError as error:
        raise UserError(
            str(error), f"stack {stack}", f"mend the settings in {path.name}, each as its remedy says"
        ) from None
    with _uncollected():
        from stacks.compose import compose  # imports the SDKs

        return plan_program(lambda: compose(settings).export(), stack, settings)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: walking the SDKs' many objects again and again takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def plan_program(program: Callable[[], None], stack: str, settings: BaseModel | None = None) -> Inventory:
    """The inventory of any Pulumi program; `settings` is recorded beside it, with its secrets masked.

    Raises:
        UserError: as `plan_stack`.
    """
    try:
        recording = record(program, project=PROJECT, stack=stack)
    except UserError:
        raise
    except Exception as error:
        explained = explain(error, stack)
        if explained is None:
            raise
        raise explained from error
    refused = list(refused_inputs(recording.registrations.values()))
    if refused:
        raise refusal(stack, refused)
    plain_settings, settings_secrets = masked_settings(settings)
    return _inventory(stack, recording, plain_settings, settings_secrets)


def checked_name(stack: str) -> str:
    """`stack`, if it is one of the committed stacks.

    Raises:
        UserError: it is not; says which one was probably meant.
    """
    known = stack_names()
    if stack in known:
        return stack
    close = difflib.get_close_matches(stack, known, n=1, cutoff=0.5)
    meant = f"did you mean {close[0]}? " if close else ""
    raise UserError(
        f"there is no stack {stack!r}",
        "stacks/config",
        f"{meant}the stacks are {', '.join(known) or 'none yet'}",
    )


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


def _inventory(
    stack: str, recording: Recording, settings: Mapping[str, Any], settings_secrets: frozenset[str]
) -> Inventory:
    masked = {urn: mask(dict(r.inputs)) for urn, r in recording.registrations.items()}
    outputs = mask(dict(recording.outputs))
    secrets = frozenset(
        text
        for text in settings_secrets.union(outputs.secrets, *(m.secrets for m in masked.values()))
        if len(text) >= SHORTEST_TELLTALE
    )
    stack_urn = urn_of(PROJECT, stack, "", STACK_TYPE, f"{PROJECT}-{stack}")
    resources = tuple(
        _hide(
            Resource(
                urn=urn,
                type=registered.type,
                name=registered.name,
                custom=registered.custom,
                parent=None if registered.parent == stack_urn else registered.parent,
                inputs=masked[urn].value,
                secret_paths=tuple(sorted(masked[urn].secret_paths)),
                unknown_paths=tuple(sorted(masked[urn].unknown_paths)),
                dependencies=registered.dependencies,
                property_dependencies=registered.property_dependencies,
                region=region_of(registered, recording.registrations),
                protect=registered.protect,
                retain_on_delete=registered.retain_on_delete,
            ),
            secrets,
        )
        for urn, registered in recording.registrations.items()
    )
    return Inventory(
        stack=stack,
        settings=mask_telltales(settings, "", secrets, []),
        resources=resources,
        outputs=mask_telltales(outputs.value, "", secrets, []),
    )


def _hide(resource: Resource, secrets: frozenset[str]) -> Resource:
    """Mask inputs that repeat, as plain text, a value that is a secret elsewhere in the stack."""
    if not secrets:
        return resource
    found: list[str] = []
    inputs = mask_telltales(resource.inputs, "", secrets, found)
    return replace(resource, inputs=inputs, secret_paths=tuple(sorted({*resource.secret_paths, *found})))
