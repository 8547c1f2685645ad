"""`seawall local`: a stack on the local cloud, kept between commands."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FOUND, EXIT_INTERRUPTED, UserError, when_interrupted
from common.paths import repo_root
from localcloud.front import kept
from ops.local.lock import exclusive
from ops.local.runs import Outcome, outer_environment
from ops.local.session import LocalCloud, open_local
from ops.local.workspace import Workspace, find_workspace
from ops.options import Quiet, StackArgument, StackOption, StacksArgument, StacksOption, one_stack, several_stacks
from stacks.settings import stack_names

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Run a stack on the local cloud: the real Pulumi engine, stand-in providers and emulators, no account.\n\n"
    "Its state is kept between commands, below .seawall/local or $SEAWALL_LOCAL.\n\n"
    "Example: seawall local up dev-aws",
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

_NO_CHANGES_EXPECTED = 7
_POLICY_VIOLATED = 5


@app.command()
def up(
    stack: StackArgument = None, named: StackOption = None, as_json: JsonOption = False, quiet: Quiet = False
) -> None:
    """Deploy a stack to the local cloud, or change it to what the program says now.

    Example: seawall local up dev-aws
    """
    chosen, steps = one_stack(stack, named, "seawall local up"), Steps(quiet=quiet)
    with when_interrupted(lambda: _left_by(chosen)), open_local(chosen, steps) as local:
        outcome = local.up()
        if as_json:
            typer.echo(json.dumps({**_record(chosen, outcome), "outputs": local.outputs()}, indent=2))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def pulumi(
    stack: StackArgument = None,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="-- ARGS…", help="What to pass to pulumi.", show_default=False)
    ] = None,
    named: StackOption = None,
) -> None:
    """Run any Pulumi command on a local stack, with this terminal: its own backend, home and providers.

    Exit codes: 0 done; 1 changes where none were expected, or a policy violation; 2 anything else that failed.

    Example: seawall local pulumi dev-aws -- preview --diff
    """
    chosen, given = pulumi_command(stack, arguments or [], named)
    with when_interrupted(f"{chosen} is as far as it came"), open_local(chosen, Steps()) as local:
        code = _pass_through(local, given)
    raise typer.Exit(code)


def pulumi_command(stack: str | None, arguments: Sequence[str], option: str | None) -> tuple[str, list[str]]:
    """The stack, and what to pass to pulumi: without a stack by position, the first word is already pulumi's.

    Raises:
        UserError: no stack or no command is named, or the stack twice.
    """
    words = [word for word in (stack, *arguments) if word is not None]
    by_position = None
    if words and (option is None or words[0] in stack_names()):
        by_position, *words = words
    chosen = one_stack(by_position, option, "seawall local pulumi")
    given = words[1:] if words[:1] == ["--"] else words
    if not given:
        remedy = f"Add one, as in `seawall local pulumi {chosen} -- preview`."
        raise UserError("no Pulumi command is given", "seawall local pulumi", remedy)
    return chosen, given


@app.command()
def down(
    stack: StackArgument = None,
    named: StackOption = None,
    unprotect: Annotated[
        bool, typer.Option("--unprotect", help="Delete protected resources too, and what they hold.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Only delete the stack's folder: for a state that cannot be destroyed.")
    ] = False,
    as_json: JsonOption = False,
    quiet: Quiet = False,
) -> None:
    """Destroy a local stack and remove everything that it left on this machine.

    Example: seawall local down dev-aws --unprotect
    """
    chosen, steps = one_stack(stack, named, "seawall local down"), Steps(quiet=quiet)
    workspace = find_workspace(chosen, repo_root())
    outcome = None
    with when_interrupted(f"a part of {chosen} may be gone; run the command again to remove the rest"):
        if workspace.exists() and not force:
            with open_local(chosen, steps, needed_bytes=0) as local:  # it frees what a full disk lacks
                outcome = local.destroy(unprotect=unprotect)
        if workspace.folder.exists():
            with steps.step(f"Remove {workspace.folder}"), exclusive(workspace.folder, chosen):
                workspace.remove()
        else:
            steps.note(f"{chosen} is not on the local cloud")
    if as_json:
        typer.echo(json.dumps(_record(chosen, outcome or Outcome("destroy")), indent=2))


@app.command()
def status(stacks: StacksArgument = None, stack: StacksOption = None, as_json: JsonOption = False) -> None:
    """List the stacks that are on the local cloud.

    Example: seawall local status --json
    """
    candidates = [find_workspace(name, repo_root()) for name in several_stacks(stacks, stack, "seawall local status")]
    found = [_status(w) for w in candidates if w.exists()]
    if as_json:
        typer.echo(json.dumps({"stacks": found}, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    if not found:
        console.print("no stack is on the local cloud", markup=False)
    for entry in found:
        console.print(f"{entry['stack']}  {entry['resources']} resources  {entry['folder']}", markup=False)


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


def _left_by(stack: str) -> str:
    """What an interrupted `up` leaves."""
    if not find_workspace(stack, repo_root()).exists():
        return "nothing was changed"
    return f"{stack} is as far as it came, and saved; run `seawall local up {stack}` to go on"


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
        return EXIT_INTERRUPTED
    return EXIT_COULD_NOT_RUN
