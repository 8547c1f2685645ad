"""A stack that is up, on the local cloud or the real one: where its cloud is, and its outputs in the program's model.

The real one is asked through the user's own Pulumi login. Nothing else reads a stack's outputs.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.target import REAL_CLOUD, Target
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore
from stacks.outputs import BucketOutputs, StackOutputs

TargetName = Literal["cloud", "local"]
OUTPUT_TIMEOUT_S = 120
FAULTS_NAMED: Final = 3
"""How many faults an error names; stacks of another version have dozens."""


@dataclass(frozen=True)
class DeployedStack:
    """A stack that is up: where its cloud is, and what it put out."""

    name: str
    target: Target
    outputs: StackOutputs


@dataclass(frozen=True)
class DeployedResource:
    """A resource of Pulumi's state."""

    urn: str
    type: str
    inputs: Mapping[str, Any]


@contextmanager
def open_stack(stack: str, target: TargetName, steps: Steps, *, writes: bool) -> Iterator[DeployedStack]:
    """The stack's outputs and cloud, for the length of a block.

    An error of the block that names a command for `STACK` in its remedy is raised with this stack and target there.

    Args:
        writes: whether the block changes the cloud; a local one is left as it was where it does not.

    Raises:
        UserError: the stack is not up, or is of another version.
    """
    try:
        if target == "local":
            from ops.local.session import open_local  # with it comes Pulumi's whole SDK

            check_up(stack)
            with open_local(stack, steps, keep=writes) as local:
                yield DeployedStack(stack, local.target, read_outputs(stack, local.outputs(), target))
        else:
            yield DeployedStack(stack, REAL_CLOUD, cloud_outputs(stack, steps))
    except UserError as error:
        raise UserError(error.what, error.where, addressed(error.remedy, stack, target)) from error


def addressed(remedy: str, stack: str, target: TargetName) -> str:
    """`remedy` with the stack and target in each command that it names, so that it can be copied as it is."""
    return re.sub(r"`(seawall models \w+) STACK", rf"`\1 {stack} --target {target}", remedy)


def check_up(stack: str) -> None:
    """Refuse, before anything is started, a stack that was never brought up on the local cloud.

    Raises:
        UserError: it was not.
    """
    from ops.local.workspace import find_workspace

    if not find_workspace(stack, repo_root()).exists():
        raise not_up(stack, "local")


def not_up(stack: str, target: TargetName) -> UserError:
    """Why a stack's outputs cannot be had, and what brings it up."""
    return UserError("the stack is not up", stack, f"Run `{_up(stack, target)}` first.")


def _up(stack: str, target: TargetName) -> str:
    return f"seawall local up {stack}" if target == "local" else f"pulumi up --stack {stack}"


def read_outputs(stack: str, found: Mapping[str, Any], target: TargetName) -> StackOutputs:
    """What Pulumi gives as a stack's outputs, as the program's own model.

    Raises:
        UserError: there are none, as before the first `up`; or they are not this version's, whole and known.
    """
    if not found:
        raise not_up(stack, target)
    try:
        return StackOutputs.model_validate_json(json.dumps(found))
    except ValidationError as error:
        faults = sorted({_fault(details["type"], details["loc"], details["msg"]) for details in error.errors()})
        more = f", and {len(faults) - FAULTS_NAMED} more" if len(faults) > FAULTS_NAMED else ""
        raise UserError(
            f"the stack's outputs are not what this version of the program puts out: "
            f"{', '.join(faults[:FAULTS_NAMED])}{more}",
            stack,
            f"Run `{_up(stack, target)}`: the last one did not reach its end, or ran another version of the program.",
        ) from None


def _fault(kind: str, path: tuple[int | str, ...], message: str) -> str:
    """One fault in words, without the value: it may be a secret."""
    where = ".".join(map(str, path))
    if kind == "missing":
        return f"{where} is missing"
    if kind == "extra_forbidden":
        return f"{where} is not known here"
    return f"{where}: {message.removeprefix('Value error, ').removeprefix('Input ')}"


def model_bucket(stack: DeployedStack, *, replica: bool = False) -> ObjectStore:
    """The model bucket, or its copy in the backup region."""
    return open_bucket(stack.outputs.model_replica if replica else stack.outputs.model_bucket, stack.target)


def open_bucket(bucket: BucketOutputs, target: Target) -> ObjectStore:
    """A bucket of a stack's outputs."""
    return open_store(bucket.uri, target, bucket.region)


def cloud_outputs(stack: str, steps: Steps) -> StackOutputs:
    """The outputs of a stack where the user's own Pulumi login leads.

    Raises:
        UserError: Pulumi does not give them, or they are not this version's.
    """
    found = _pulumi(stack, steps, "the stack's outputs", "stack", "output", "--json")
    return read_outputs(stack, found, "cloud")


def cloud_resources(stack: str, steps: Steps) -> list[DeployedResource]:
    """The stack's resources as its state has them; what is secret stays encrypted.

    Raises:
        UserError: Pulumi does not give them.
    """
    told = _pulumi(stack, steps, "the stack's state", "stack", "export")
    found = (told.get("deployment") or {}).get("resources") or []
    return [DeployedResource(str(r.get("urn")), str(r.get("type")), r.get("inputs") or {}) for r in found]


def _pulumi(stack: str, steps: Steps, what: str, *command: str) -> Mapping[str, Any]:
    from localcloud.front import ensure_engine

    engine = ensure_engine(steps)
    try:
        # No --show-secrets: no output is one.
        asked = subprocess.run(
            [engine.cli, *command, "--stack", stack, "--non-interactive"],
            cwd=repo_root(),
            capture_output=True,
            text=True,
            timeout=OUTPUT_TIMEOUT_S,
            check=True,
        )
        found = json.loads(asked.stdout)
        if not isinstance(found, dict):
            raise ValueError("the answer is not an object")
        return found
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"Pulumi does not give {what}: {error.stderr.strip()[-300:]}",
            stack,
            "Log in with `pulumi login` where the stack lives, or use the local cloud with `--target local`.",
        ) from error
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise UserError(
            f"Pulumi does not give {what}: {error}",
            stack,
            f"Check that `pulumi {' '.join(command)}` works here, or use `--target local`.",
        ) from error
