"""`seawall local`: a stack on the local cloud, kept between commands."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FOUND, UserError
from common.paths import repo_root
from localcloud.front import kept
from ops.local.lock import exclusive
from ops.local.runs import Outcome, outer_environment
from ops.local.session import LocalCloud, open_local
from ops.local.workspace import Workspace, find_workspace

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Run a stack on the local cloud: the real Pulumi engine, stand-in providers and emulators, no account.\n\n"
    "Its state is kept between commands, below .seawall/local or $SEAWALL_LOCAL.\n\n"
    "Example: seawall local up dev-aws",
)

StackArgument = Annotated[str, typer.Argument(metavar="STACK", help="The stack, as dev-aws.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

_NO_CHANGES_EXPECTED = 7
_POLICY_VIOLATED = 5
_EXIT_INTERRUPTED = 130


@app.command()
def up(stack: StackArgument, as_json: JsonOption = False) -> None:
    """Deploy a stack to the local cloud, or change it to what the program says now.

    Example: seawall local up dev-aws
    """
    steps = Steps()
    with open_local(stack, steps) as local:
        outcome = local.up()
        if as_json:
            typer.echo(json.dumps({**_record(stack, outcome), "outputs": local.outputs()}, indent=2))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def pulumi(
    stack: StackArgument,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="-- ARGS…", help="What to pass to pulumi.", show_default=False)
    ] = None,
) -> None:
    """Run any Pulumi command on a local stack, with this terminal: its own backend, home and providers.

    Exit codes: 0 done; 1 changes where none were expected, or a policy violation; 2 anything else that failed.

    Example: seawall local pulumi dev-aws -- preview --diff
    """
    given = [a for a in arguments or [] if a != "--"] if (arguments or [])[:1] == ["--"] else list(arguments or [])
    if not given:
        raise UserError(
            "no Pulumi command is given", "seawall local pulumi", f"Add one: seawall local pulumi {stack} -- preview"
        )
    with open_local(stack, Steps()) as local:
        code = _pass_through(local, given)
    raise typer.Exit(code)


@app.command()
def down(
    stack: StackArgument,
    unprotect: Annotated[
        bool, typer.Option("--unprotect", help="Delete protected resources too, and what they hold.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Only delete the stack's folder: for a state that cannot be destroyed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Destroy a local stack and remove everything that it left on this machine.

    Example: seawall local down dev-aws --unprotect
    """
    workspace, steps = find_workspace(stack, repo_root()), Steps()
    outcome = None
    if workspace.exists() and not force:
        with open_local(stack, steps) as local:
            outcome = local.destroy(unprotect=unprotect)
    if workspace.folder.exists():
        with steps.step(f"Remove {workspace.folder}"), exclusive(workspace.folder, stack):
            workspace.remove()
    else:
        steps.note(f"{stack} is not on the local cloud")
    if as_json:
        typer.echo(json.dumps(_record(stack, outcome or Outcome("destroy")), indent=2))


@app.command()
def status(as_json: JsonOption = False) -> None:
    """List the stacks that are on the local cloud.

    Example: seawall local status --json
    """
    found = [_status(w) for w in _workspaces()]
    if as_json:
        typer.echo(json.dumps({"stacks": found}, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    if not found:
        console.print("no stack is on the local cloud", markup=False)
    for entry in found:
        console.print(f"{entry['stack']}  {entry['resources']} resources  {entry['folder']}", markup=False)


def _workspaces() -> list[Workspace]:
    from stacks.settings import stack_names

    candidates = [find_workspace(name, repo_root()) for name in stack_names()]
    return [w for w in candidates if w.exists()]


def _status(workspace: Workspace) -> dict[str, Any]:
    checkpoint = workspace.backend / ".pulumi" / "stacks" / "seawall" / f"{workspace.stack}.json"
    return {
        "stack": workspace.stack,
        "folder": str(workspace.folder),
        "resources": _count_resources(checkpoint),
    }


def _count_resources(checkpoint: Path) -> int:
    try:
        latest = json.loads(checkpoint.read_text())["checkpoint"]["latest"] or {}
        return len(latest.get("resources") or [])
    except (OSError, ValueError, KeyError):
        return 0


def _record(stack: str, outcome: Outcome) -> dict[str, Any]:
    return {"stack": stack, "operation": outcome.operation, "counts": outcome.counts, "seconds": outcome.seconds}


def _pass_through(local: LocalCloud, arguments: list[str]) -> int:
    """Run pulumi with this terminal; an interrupt is its own to handle, and it is waited for."""
    local.stack()  # so that the stack exists in the backend, as after `pulumi stack init`
    named = any(a in ("--stack", "-s") or a.startswith("--stack=") for a in arguments)
    command = [str(local.engine.cli), *arguments]
    if not named and _takes_stack(arguments):
        command += ["--stack", local.workspace.stack]
    environment = {**outer_environment(), **local.environment()}
    previous = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run(
            kept(command, interrupt="share"), cwd=local.workspace.project, env=environment, check=False
        ).returncode
    finally:
        signal.signal(signal.SIGINT, previous)
    if code < 0:
        local.is_broken = True
    local.check()
    return exit_code(code)


def _takes_stack(arguments: list[str]) -> bool:
    return arguments[0] not in ("version", "about", "help", "plugin", "whoami", "login", "logout", "schema", "new")


def exit_code(pulumi_code: int) -> int:
    """Seawall's exit code for one of pulumi's (sdk/go/common/util/cmdutil: exit codes by kind of error)."""
    if pulumi_code == 0:
        return EXIT_CLEAN
    if pulumi_code in (_NO_CHANGES_EXPECTED, _POLICY_VIOLATED):
        return EXIT_FOUND
    if pulumi_code < 0:
        return _EXIT_INTERRUPTED
    return EXIT_COULD_NOT_RUN
