"""The `seawall` command: what an operator runs beside Pulumi's own commands."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import FrameType
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from typer.core import TyperGroup

from common.errors import (
    EXIT_COULD_NOT_RUN,
    EXIT_INTERRUPTED,
    EXIT_OUTPUT_CLOSED,
    Interrupted,
    UserError,
)
from common.os_errors import as_user_error
from common.streams import OutputClosedError, guard

HELP = (
    "GPU model serving on AWS and Google Cloud: plans, policies, diffs, publishing and restore drills. "
    "Infrastructure itself is changed with Pulumi's own commands.\n\n"
    "Exit codes: 0 done and clean, 1 found something, 2 could not run, 130 interrupted.\n\n"
    "Example, which needs no account: seawall demo"
)
BRING_UP, REVIEW, RUN, RECOVER = "Bring up", "Review", "Run", "Recover"
"""The four jobs that `--help` groups the commands by."""
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": (BRING_UP, "ops.demo.command:demo"),
    "preflight": (BRING_UP, "ops.preflight.command:preflight"),
    "local": (BRING_UP, "ops.local.command:app"),
    "engine": (BRING_UP, "ops.engine.command:engine"),
    "plan": (REVIEW, "ops.plan.command:plan"),
    "check": (REVIEW, "ops.check.command:check"),
    "diff": (REVIEW, "ops.diff.command:diff"),
    "preview": (REVIEW, "ops.preview.command:preview"),
    "gates": (REVIEW, "ops.gates.command:gates"),
    "approve": (REVIEW, "ops.gates.command:approve"),
    "capacity": (REVIEW, "ops.capacity.command:capacity"),
    "render": (REVIEW, "ops.render.command:render"),
    "rehearse": (BRING_UP, "ops.rehearse.command:rehearse"),
    "bandit": (REVIEW, "ops.bandit.command:bandit"),
    "deploy": (RUN, "ops.deploying.command:deploy"),
    "drift": (RUN, "ops.deploying.command:drift"),
    "images": (RUN, "ops.images.command:app"),
    "models": (RUN, "ops.models.command:app"),
    "features": (RUN, "ops.features.command:app"),
    "variants": (RUN, "ops.variants.command:app"),
    "upgrades": (RUN, "ops.upgrades.command:upgrades"),
    "drill": (RECOVER, "ops.drill.command:drill"),
}
"""Each command's job and where it lies, in the order in which `--help` lists them."""


class Commands(TyperGroup):
    """The commands. Typer ends an interrupt without a word, and a broken pipe with "found something"; not here."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order of the four jobs; Typer puts groups of commands last."""
        return sorted(super().list_commands(ctx), key=list(COMMANDS).index)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is named."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            _say_interrupted(stopped)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except OSError as error:
            raise as_user_error(error) from error


def build_app(asked: Sequence[str] = ()) -> typer.Typer:
    """The command line.

    Args:
        asked: the words of a call. The command that the first of them names is then the only one: to load them all
            takes a third of a second.
    """
    app = typer.Typer(
        name="seawall",
        cls=Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode="markdown",  # joins the lines of a paragraph, whatever the terminal's width
        help=HELP,
    )
    app.callback()(_root)
    for name in [word for word in asked[:1] if word in COMMANDS] or COMMANDS:
        job, (module, _, attribute) = COMMANDS[name][0], COMMANDS[name][1].partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=job)
        else:
            app.command(name, rich_help_panel=job)(command)
    return app


def main() -> None:
    """Run the command; a user's mistake ends in three plain lines and exit code 2, never in a traceback."""
    guard()
    if any(COMMANDS[word][0] == REVIEW for word in sys.argv[1:2] if word in COMMANDS):
        # They are over in seconds. Walking the SDKs' many objects again and again takes a tenth of them.
        gc.disable()
    try:
        code = run()
        sys.stdout.flush()
    except OutputClosedError:
        code = EXIT_OUTPUT_CLOSED
    except OSError as error:  # at the last flush
        code = _refuse(as_user_error(error))
    sys.exit(code)


def run(app: Callable[[], typer.Typer] = lambda: build_app(_asked())) -> int:
    """Run a command line, and say how it ended; returns the exit code."""
    # The commands are imported in here, so that an interrupt while they load is told like any other.
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        app()()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except UserError as error:
        return _refuse(error)
    except OSError as error:
        return _refuse(as_user_error(error))
    except KeyboardInterrupt as stopped:
        _say_interrupted(stopped)
        return EXIT_INTERRUPTED
    except Exception as error:
        traceback.print_exc()
        _say(f"error: a fault in Seawall itself: {type(error).__name__}\n  remedy: Report it with the lines above.")
        return EXIT_COULD_NOT_RUN
    return 0


def _asked() -> list[str]:
    """The words after the command's name: of this call, or of the line that a shell wants completed."""
    return sys.argv[1:] or os.environ.get("COMP_WORDS", "").split()[1:]


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """SIGTERM ends a command as Ctrl-C does, so that a job that is stopped saves its state too.

    By the very handler that Ctrl-C has at that moment: an event loop has one of its own, and whatever runs in the
    loop may swallow what is raised there, and wait for ever.
    """
    on_ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(on_ctrl_c):
        raise KeyboardInterrupt
    on_ctrl_c(signal.SIGINT, frame)


def _say_interrupted(stopped: KeyboardInterrupt) -> None:
    left = stopped.left if isinstance(stopped, Interrupted) else "nothing was changed"
    if sys.stderr.isatty():
        _say("")  # the terminal has written ^C
    _say(f"interrupted: {left}")


def _refuse(error: UserError) -> int:
    _say(f"error: {error}")
    return EXIT_COULD_NOT_RUN


def _say(text: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # slow to import

        typer.echo(f"seawall {version('seawall')}")
        raise typer.Exit


def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None: ...


if __name__ == "__main__":
    main()
