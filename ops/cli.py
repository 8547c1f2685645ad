"""The `seawall` command: what an operator runs beside Pulumi's own commands."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from common.errors import EXIT_COULD_NOT_RUN, UserError

EXIT_INTERRUPTED = 130
"""What shells expect of a command that Ctrl-C ended."""

HELP = (
    "GPU model serving on AWS and Google Cloud: plans, policies, diffs, publishing and restore drills. "
    "Infrastructure itself is changed with Pulumi's own commands.\n\n"
    "Exit codes: 0 done and clean, 1 found something, 2 could not run.\n\n"
    "Example, which needs no account: seawall demo"
)


def build_app() -> typer.Typer:
    """The command line with all its commands."""
    from ops.check.command import check
    from ops.demo.command import demo
    from ops.diff.command import diff
    from ops.drill.command import drill
    from ops.engine.command import engine
    from ops.local.command import app as local
    from ops.models.command import app as models
    from ops.plan.command import plan

    app = typer.Typer(
        name="seawall",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",  # joins the lines of a paragraph, whatever the terminal's width
        help=HELP,
    )
    for command in (demo, plan, check, diff, drill):
        app.command()(command)
    app.add_typer(models, name="models")
    app.add_typer(local, name="local")
    app.command()(engine)
    return app


def main() -> None:
    """Run the command; a user's mistake ends in three plain lines and exit code 2, never in a traceback."""
    # The commands are imported in here, so that an interrupt while they load is told like any other.
    try:
        build_app()()
    except UserError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {error}", markup=False)
        sys.exit(EXIT_COULD_NOT_RUN)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted", markup=False)
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
