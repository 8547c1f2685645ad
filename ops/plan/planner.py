"""Plans a stack offline: the real program, recorded, checked against the SDKs, and told as an inventory."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from common.errors import UserError
from ops.options import known_stack
from ops.plan.faults import explain, refusal, refused_inputs
from ops.plan.recorder import record
from policies.inventory import Inventory
from policies.registration import declared, inventory_of
from stacks import programs
from stacks.files import stack_file
from stacks.problems import SettingsError

PROJECT: Final = "seawall"
"""The project's name in Pulumi.yaml, part of every URN."""


def plan_stack(stack: str, file: Path | None = None) -> Inventory:
    """The inventory of a committed stack, from its settings file alone.

    Args:
        file: other settings of this stack, as the local cloud's copy.

    Raises:
        UserError: there is no such stack, its settings are refused, a component refuses what it is asked for,
            or a resource's inputs are not what the installed SDK declares.
    """
    settings = _settings(known_stack(stack), file)
    with _uncollected():
        return plan_program(lambda: programs.export(settings), stack, settings)


def check_settings(stacks: Iterable[str]) -> None:
    """Read the settings of each stack, which takes no time beside a plan.

    Raises:
        UserError: some are refused; every one of them is named.
    """
    refused: list[UserError] = []
    for stack in stacks:
        try:
            _settings(stack)
        except UserError as error:
            refused.append(error)
    if refused:
        what, where = "\n".join(e.what for e in refused), ", ".join(e.where for e in refused)
        raise UserError(what, where, refused[0].remedy if len(refused) == 1 else "Change them as said above.")


def _settings(stack: str, file: Path | None = None) -> programs.AnySettings:
    path = file or stack_file(stack)
    try:
        return programs.load(path)
    except SettingsError as error:
        remedy = f"Change the settings in {path.name}, each as its remedy says."
        raise UserError(str(error), f"stack {stack}", remedy) from None


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
    made = {(r.parent, r.type, r.name) for r in recording.registrations.values()}
    for component, token, name in declared(recording.registrations).keys() - made:
        raise UserError(
            f"{component} declares what {name!r} ({token}) holds, and makes no such resource",
            f"stack {stack}",
            "Give the name that `keep` returns to the resource that it is about.",
        )
    return inventory_of(stack, settings, recording.registrations, recording.outputs)
