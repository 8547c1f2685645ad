"""`seawall preview`: what the real engine would do to a deployed stack, in the form of a diff."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, UserError, when_interrupted
from common.files import check_writable, write_whole
from ops.diff.model import StackDiff
from ops.options import Quiet, StackArgument, StackOption, one_stack

if TYPE_CHECKING:
    from ops.gates.offline import Needed


def preview(
    stack: StackArgument = None,
    named: StackOption = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="REF", help="The commit that is deployed; left out: the backend is asked."),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="The stack on the local cloud, instead of your own.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE.md", help="Write the Markdown to a file as well.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 if a policy verdict got worse or state is at risk.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run the engine's preview with your login and credentials, and tell it as `seawall diff` tells a change.

    The engine says what it would do to what is deployed, drift of the state included; the program's plan says what
    holds state, what depends on what and what it costs. Each change is traced to the settings line or file that
    changed since the deployed commit. Nothing is changed.

    Example: seawall preview dev-aws --local
    """
    chosen, steps = one_stack(stack, named, "seawall preview"), Steps(quiet=quiet)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        check_writable(out)
    from ops.diff.markdown import render
    from ops.diff.run import needs_care  # imports the SDKs
    from ops.gates.offline import sections
    from ops.preview.run import Engine, local_stack, users_stack
    from ops.preview.run import preview as run

    with when_interrupted("nothing was changed"), ExitStack() as opened:
        if local:
            engine = Engine(opened.enter_context(local_stack(chosen, steps)).stack(), chosen)
        else:
            engine = users_stack(chosen, steps)
        found, deployed = run(engine, base, steps), engine.deployed_commit()
    where = f"Run `seawall preview {chosen}` to read them."
    asked = _approvals(found, base, deployed)
    text = render([found], base="what is deployed", head="working tree", where=where, extra=sections(asked))
    needs = [each.to_json() for requirements in asked.values() for each in requirements]
    document = {**found.to_json(), "needs_approval": needs}
    typer.echo(json.dumps(document, ensure_ascii=False) if as_json else text, nl=as_json)
    if out is not None:
        write_whole(out, text)
    raise typer.Exit(EXIT_FOUND if exit_code and needs_care([found]) else EXIT_CLEAN)


def _approvals(found: StackDiff, base: str | None, deployed: str | None) -> Needed:
    """Who must agree, as the gates of the deployed commit say; nothing where that is not known here."""
    from ops.gates.offline import needed

    try:
        return needed([found], base or deployed or "", None, [found.stack]) if base or deployed else {}
    except UserError:
        if base:
            raise
        return {}
