"""Opens a stack's model bucket: on the local cloud, or on the real one through the user's own Pulumi login."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.target import REAL_CLOUD, Target
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore

TargetName = Literal["cloud", "local"]
OUTPUT_TIMEOUT_S = 120


@dataclass(frozen=True)
class OpenStack:
    """A stack that is up: where its cloud is, and what it put out."""

    name: str
    target: Target
    outputs: Mapping[str, Any]


@contextmanager
def open_stack(stack: str, target: TargetName, steps: Steps) -> Iterator[OpenStack]:
    """The stack's outputs and cloud, for the length of a block.

    Raises:
        UserError: the stack does not exist or is not up.
    """
    if target == "local":
        from ops.local.session import open_local  # with it comes Pulumi's whole SDK

        with open_local(stack, steps) as local:
            yield OpenStack(stack, local.target, require_outputs(stack, local.outputs(), target))
    else:
        yield OpenStack(stack, REAL_CLOUD, require_outputs(stack, _cloud_outputs(stack, steps), target))


def require_outputs(stack: str, outputs: Mapping[str, Any], target: TargetName) -> Mapping[str, Any]:
    """The outputs themselves, unless there are none: then the stack was never brought up."""
    if outputs:
        return outputs
    command = f"seawall local up {stack}" if target == "local" else f"pulumi up --stack {stack}"
    raise UserError("the stack is not up", stack, f"bring it up first: {command}")


def model_bucket(stack: OpenStack, output: str = "model_bucket") -> ObjectStore:
    """The bucket of the output `model_bucket` or `model_replica`.

    Raises:
        UserError: the stack has no such output.
    """
    bucket = stack.outputs.get(output)
    if not isinstance(bucket, Mapping) or "uri" not in bucket:
        raise UserError(
            f"the stack has no output {output!r} with a URI", stack.name, "bring the stack up to date and try again"
        )
    return open_store(str(bucket["uri"]), stack.target, bucket.get("region"))


def _cloud_outputs(stack: str, steps: Steps) -> Mapping[str, Any]:
    from localcloud.engine import ensure_engine

    engine = ensure_engine(steps)
    try:
        # No --show-secrets: nothing that publishing needs is one.
        asked = subprocess.run(
            [engine.cli, "stack", "output", "--json", "--stack", stack, "--non-interactive"],
            cwd=repo_root(),
            capture_output=True,
            text=True,
            timeout=OUTPUT_TIMEOUT_S,
            check=True,
        )
        return json.loads(asked.stdout)
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"Pulumi does not give the stack's outputs: {error.stderr.strip()[-300:]}",
            stack,
            "log in with `pulumi login` where the stack lives, or use the local cloud with --target local",
        ) from error
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise UserError(
            f"Pulumi does not give the stack's outputs: {error}",
            stack,
            "check that `pulumi stack output --json` works here, or use --target local",
        ) from error
