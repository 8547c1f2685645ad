"""`seawall diff`: what a change does to each stack, as Markdown for a pull request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND
from common.files import check_writable, write_whole
from ops.options import Quiet, StacksArgument, StacksOption, named_stacks


def diff(
    base: Annotated[str, typer.Option(metavar="REF", help="The commit, branch or tag to compare with.")],
    stacks: StacksArgument = None,
    stack: StacksOption = None,
    head: Annotated[
        str | None, typer.Option(metavar="REF", help="Compare this commit; the working tree when left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE.md", help="Write the Markdown to a file as well.")] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 if a policy verdict got worse or state is at risk.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Plan base and head offline, and print what changes in each stack.

    Added, changed property by property, replaced and removed resources; what is stateful and at risk; policy
    verdicts that changed. Nothing is printed for stacks that do not change. Secrets are masked. At most 55,000
    bytes, which a comment on GitHub holds, with the cut stated.

    Example: seawall diff --base origin/main prod-aws
    """
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        check_writable(out)
    from ops.diff.markdown import render
    from ops.diff.run import diff_stacks, needs_care  # imports the SDKs
    from ops.gates.offline import needed, sections

    named = named_stacks(stacks, stack, "seawall diff")
    diffs, names = diff_stacks(base, head, named, Steps(quiet=quiet))
    asked = needed(diffs, base, head, named)
    text = render(diffs, base=names[0], head=names[1], extra=sections(asked))
    if as_json:
        changed = [
            {**found.to_json(), "needs_approval": [each.to_json() for each in asked.get(found.stack, ())]}
            for found in diffs
            if not found.is_empty
        ]
        # What judges is asked about once; a stack without a change may need approval of a waiver.
        told = {found["stack"] for found in changed}
        apart = {stack: [r.to_json() for r in rest] for stack, rest in asked.items() if rest and stack not in told}
        document = {"base": names[0], "head": names[1], "stacks": changed, "needs_approval": apart}
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        typer.echo(text, nl=False)
    if out is not None:
        write_whole(out, text)
    raise typer.Exit(EXIT_FOUND if exit_code and needs_care(diffs) else EXIT_CLEAN)
