"""The arguments that commands share: which stack, named by position or by option alike, and how much to print."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Annotated

import typer

from common.errors import UserError
from stacks.files import is_bootstrap


def complete_stack(incomplete: str) -> list[str]:
    """The stacks that a shell offers after what is typed so far."""
    from stacks.settings import stack_names

    return [name for name in stack_names() if name.startswith(incomplete)]


StackArgument = Annotated[
    str | None,
    typer.Argument(metavar="STACK", help="The stack, as dev-aws.", show_default=False, autocompletion=complete_stack),
]
StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        metavar="STACK",
        help="The stack, as an option.",
        show_default=False,
        autocompletion=complete_stack,
    ),
]
StacksArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STACK",
        help="The stacks, as dev-aws; all when none is named.",
        show_default=False,
        autocompletion=complete_stack,
    ),
]
StacksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--stack",
        "-s",
        metavar="STACK",
        help="A stack, as an option; may be given again.",
        show_default=False,
        autocompletion=complete_stack,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]


def one_stack(argument: str | None, option: str | None, command: str, *, default: str | None = None) -> str:
    """The stack that is named by position or by option.

    Raises:
        UserError: none is named, two are, or there is no such stack.
    """
    if argument and option and argument != option:
        raise _contradiction(f"{argument} and --stack {option}", command)
    named = argument or option or default
    if named is None:
        raise UserError("no stack is named", command, f"Name one, as in `{command} dev-aws`. {_known(_all())}")
    return known_stack(named)


def platform_stack(argument: str | None, option: str | None, command: str, *, default: str | None = None) -> str:
    """The stack that is named by position or by option, which must be a platform.

    Raises:
        UserError: as `one_stack`, or it prepares an account.
    """
    chosen = one_stack(argument, option, command, default=default)
    if is_bootstrap(chosen):
        remedy = f"Name a platform stack, as in `{command} dev-{chosen.rpartition('-')[2]}`."
        raise UserError(f"{chosen} prepares an account, and serves nothing", command, remedy)
    return chosen


def several_stacks(arguments: Sequence[str] | None, options: Sequence[str] | None, command: str) -> tuple[str, ...]:
    """The stacks that are named by position or by option, each once; all of them where none is named.

    Raises:
        UserError: the two ways name different stacks, or there is no such stack.
    """
    named = tuple(known_stack(name) for name in named_stacks(arguments, options, command)) or _all()
    if not named:
        raise UserError("there is no stack", "stacks/config", "Add a Pulumi.<stack>.yaml.")
    return named


def named_stacks(arguments: Sequence[str] | None, options: Sequence[str] | None, command: str) -> tuple[str, ...]:
    """What is named by position or by option, each once, whether or not it exists.

    Raises:
        UserError: the two ways name different stacks.
    """
    positional, optional = tuple(dict.fromkeys(arguments or ())), tuple(dict.fromkeys(options or ()))
    if positional and optional and set(positional) != set(optional):
        raise _contradiction(f"{', '.join(positional)} and --stack {', '.join(optional)}", command)
    return positional or optional


def known_stack(name: str, known: Iterable[str] | None = None, where: str = "stacks/config") -> str:
    """`name`, if it is one of the `known` stacks; by default those that are committed here.

    Raises:
        UserError: it is not; says which one was probably meant.
    """
    listed = tuple(known) if known is not None else _all()
    if name in listed:
        return name
    typed = PurePath(name).name.removeprefix("Pulumi.").removesuffix(".yaml").lower().replace("_", "-")
    turned = "-".join(reversed(typed.split("-")))  # aws-dev
    close = [turned] if turned in listed else difflib.get_close_matches(typed, listed, n=1, cutoff=0.5)
    meant = f"Did you mean {close[0]}? " if close else ""
    raise UserError(f"there is no stack {name!r}", where, f"{meant}{_known(listed)}")


def _all() -> tuple[str, ...]:
    from stacks.settings import stack_names

    return tuple(stack_names())


def _known(names: Sequence[str]) -> str:
    return f"The stacks are {', '.join(names)}." if names else "There are none yet: add a Pulumi.<stack>.yaml."


def _contradiction(both: str, command: str) -> UserError:
    return UserError(f"the stack is named twice, differently: {both}", command, "Name it once.")
