"""Runs the engine on one stack: in its real account with the user's own login, or on the local cloud."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from pulumi.automation.errors import CommandError

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from localcloud.front import ensure_engine
from ops.gates.plan import NEVER_UPDATED
from ops.local.runs import EngineKilledError, GuardedCommand, is_cause, last_words
from ops.local.session import LocalCloud, open_local

FOUNDATION: Final = ("--exclude", "**seawall:kubernetes:**", "--exclude-dependents")
"""What a new stack begins with: all but what runs on the cluster."""
_REMEDY: Final = "Fix what the engine says, and take the plan again; what was done until then is in the state."
_MESSAGE: Final = re.compile(r'"message": "((?:[^"\\]|\\.)*)"[^}]*?"severity": "error"', re.DOTALL)
_LOOKED_AT: Final = 50
"""Updates of the history that are looked at."""
_VIOLATED: Final = re.compile(r"(violates plan: properties changed: [^\[]*)\[.*", re.DOTALL)
"""What differs from a plan: the engine tells both values, also of secrets (seen with 3.259.0, 2026-11-23)."""
_COLOUR: Final = re.compile(r"<\{%.*?%\}>")


class Place(StrEnum):
    """Where a stack is."""

    CLOUD = "cloud"
    LOCAL = "local"


class Driver(Protocol):
    """Runs pulumi on one stack."""

    stack: str

    def pulumi(self, *arguments: str) -> str:
        """What a command printed.

        Raises:
            UserError: it failed, with the engine's first error.
        """
        ...


class CloudDriver:
    """Pulumi as it is logged in here, with this process's credentials."""

    def __init__(self, stack: str, command: GuardedCommand, folder: Path) -> None:
        self.stack = stack
        self._command = command
        self._folder = folder

    def pulumi(self, *arguments: str) -> str:
        """See `Driver`."""
        path = os.pathsep.join([str(Path(self._command.command).parent), os.environ.get("PATH", os.defpath)])
        environment: Mapping[str, str] = {**os.environ, "PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        named = [*arguments, "--stack", self.stack]
        try:
            return self._command.run(named, str(self._folder), environment).stdout
        except EngineKilledError as error:
            raise UserError(str(error), self.stack, "Run `pulumi cancel` and `pulumi refresh`.") from error
        except CommandError as error:
            raise engine_error(str(error), self.stack) from error


class LocalDriver:
    """Pulumi on a stack of the local cloud, while its emulator runs."""

    def __init__(self, stack: str, local: LocalCloud) -> None:
        self.stack = stack
        self._local = local

    def pulumi(self, *arguments: str) -> str:
        """See `Driver`."""
        workspace, folder = self._local.stack().workspace, str(self._local.workspace.project)
        named = [*arguments, "--stack", self.stack]
        try:
            return workspace.pulumi_command.run(named, folder, workspace.env_vars).stdout
        except EngineKilledError as error:
            self._local.is_broken = True
            raise UserError(str(error), self.stack, "Run the command again.") from error
        except CommandError as error:
            self._local.check()
            raise engine_error(str(error), self.stack) from error


@contextmanager
def driver_of(stack: str, place: Place, steps: Steps) -> Iterator[Driver]:
    """Runs the engine on a stack while the block lasts.

    Raises:
        UserError: there is no engine, or the local stack cannot be opened.
    """
    if place is Place.CLOUD:
        engine = ensure_engine(steps)
        yield CloudDriver(stack, GuardedCommand(engine.cli, engine.version), repo_root())
        return
    with open_local(stack, steps) as local:
        yield LocalDriver(stack, local)


def engine_error(text: str, stack: str) -> UserError:
    """The error of a command that failed, in the engine's own words, without the values of what violates a plan."""
    messages = [_COLOUR.sub("", json.loads(f'"{found}"')).strip() for found in _MESSAGE.findall(text)]
    errors = [message.removeprefix("error: ") for message in messages if message]
    causes = [error for error in errors if is_cause(error)]
    said = _VIOLATED.sub(r"\1, and perhaps more", (causes or errors or [last_words(text)])[0])
    return UserError(f"the engine failed: {' '.join(said.split())}", stack, _REMEDY)


def last_update(driver: Driver) -> str:
    """Which update of the stack was its last, as its backend numbers and times them; `none` before the first.

    One that only ever failed is not deployed: there `none` stands before its last try.
    """
    history = _history(driver, _LOOKED_AT)
    if not history:
        return NEVER_UPDATED
    last = history[0]
    told = f"{last.get('kind', '')} {last.get('version', 0)} of {last.get('startTime', '')}"
    tried_alone = len(history) < _LOOKED_AT and not any(map(_brought_up, history))
    return f"{NEVER_UPDATED}, {told}" if tried_alone else told


def deployed_commit(driver: Driver) -> str:
    """The commit that the stack was last brought up from, as the engine noted it; empty where it did not."""
    for update in _history(driver, _LOOKED_AT):
        if _brought_up(update):
            environment = update.get("environment")
            return str(environment.get("git.head", "")) if isinstance(environment, Mapping) else ""
    return ""


def _brought_up(update: Mapping[str, Any]) -> bool:
    return update.get("kind") in ("update", "destroy") and update.get("result") == "succeeded"


def _history(driver: Driver, size: int) -> Sequence[Mapping[str, Any]]:
    told = driver.pulumi("stack", "history", "--json", "--page-size", str(size), "--page", "1")
    try:
        found = json.loads(told or "[]")
    except ValueError:
        return ()
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else ()
