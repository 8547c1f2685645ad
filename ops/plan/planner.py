"""Plans a stack offline: the real program, recorded, checked against the SDKs, and told as an inventory."""

from __future__ import annotations

import difflib
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pydantic import BaseModel

from common.errors import UserError
from ops.plan.faults import explain, refusal, refused_inputs
from ops.plan.recorder import record
from policies.inventory import Inventory
from policies.registration import inventory_of
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
    return inventory_of(stack, settings, recording.registrations, recording.outputs)


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
