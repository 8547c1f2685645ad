"""Turns what goes wrong while a program runs or its inputs are checked into errors that name the resource."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

import pulumi

from common.errors import UserError
from common.paths import repo_root
from common.sdk.types import InputProblem, check_inputs, input_properties, nearest_argument
from policies.registration import Registration

MOST_PROBLEMS_SHOWN: Final = 20

_OWN_FOLDER: Final = str(Path(__file__).parent)
_STANDARD_LIBRARY: Final = sysconfig.get_path("stdlib")

_UNKNOWN_ARGUMENT = re.compile(r"(?P<callee>[\w.]+)\(\) got an unexpected keyword argument '(?P<argument>\w+)'")
_MISSING_PROPERTY = re.compile(r"Missing required property '(?P<argument>\w+)'")
_MISSING_ARGUMENT = re.compile(
    r"(?P<callee>[\w.]+)\(\) missing \d+ required keyword-only arguments?: (?P<arguments>.+)"
)
_LIST_FOR_SOMETHING = re.compile(
    r"While processing resource: '(?P<name>[^']*)', type '(?P<type>[^']*)'.*?"
    r"While processing input: '(?P<argument>\w+)'.*Unexpected type\. Expected 'list' got '(?P<wanted>.+)'",
    re.DOTALL,
)

_BUILT_IN = re.compile(r"<class '(\w+)'>")


@dataclass(frozen=True)
class RefusedInput:
    """One input that the SDK refuses, with the resource that it was given to."""

    type: str
    name: str
    problem: InputProblem

    def __str__(self) -> str:
        where = f"{self.type} {self.name!r}"
        kind = {"unknown": "unknown argument", "missing": "missing argument", "type": "wrong type of"}
        if not self.problem.path:
            return f"{where}: {self.problem.reason}"
        return f"{where}: {kind[self.problem.kind]} {self.problem.path}: {self.problem.reason}"


def refused_inputs(registrations: Iterable[Registration]) -> Iterator[RefusedInput]:
    """Every input of every provider-managed resource that the installed SDKs do not accept."""
    for resource in registrations:
        if resource.custom:
            for problem in check_inputs(resource.type, resource.inputs):
                yield RefusedInput(resource.type, resource.name, problem)


def refusal(stack: str, refused: list[RefusedInput]) -> UserError:
    """One error that lists the refused inputs."""
    shown = [f"  {item}" for item in refused[:MOST_PROBLEMS_SHOWN]]
    if len(refused) > len(shown):
        shown.append(f"  … and {len(refused) - len(shown)} more")
    noun = "input is" if len(refused) == 1 else "inputs are"
    return UserError(
        f"{len(refused)} {noun} not what the provider's SDK declares\n" + "\n".join(shown),
        f"stack {stack}",
        "Fix the arguments where the program makes these resources.",
    )


def explain(error: BaseException, stack: str) -> UserError | None:
    """The user's error behind an exception of the program; None if it is a bug, which keeps its traceback.

    A `TypeError` from an SDK constructor is a wrong argument, and so is an `AssertionError` of Pulumi's, whose text
    repeats the value; a `ValueError` from the program is a refusal.
    """
    steps = [step for link in _chain(error) for step in _steps(link.__traceback__)]
    if isinstance(error, TypeError):
        return _wrong_argument(str(error), steps, stack)
    if isinstance(error, AssertionError) and (match := _LIST_FOR_SOMETHING.search(str(error))):
        wanted = _BUILT_IN.sub(r"\1", match["wanted"])
        problem = InputProblem(match["argument"], f"a list, where {wanted} is expected", "type")
        return refusal(stack, [RefusedInput(match["type"], match["name"], problem)])
    if isinstance(error, ValueError) and steps and not isinstance(error, UnicodeError):
        return UserError(
            str(_first_refusal(error)),  # Pulumi's own wrappers would repeat the value, secret or not
            f"stack {stack}, {_place(steps)}",
            "Change the stack's settings, or what the component is asked for.",
        )
    return None


def _wrong_argument(message: str, steps: list[TracebackType], stack: str) -> UserError | None:
    resource = next((found for step in reversed(steps) if (found := _resource_of(step.tb_frame))), None)
    if (match := _MISSING_PROPERTY.search(message)) and resource:
        return refusal(stack, [RefusedInput(*resource, _missing(match["argument"]))])
    if match := _UNKNOWN_ARGUMENT.search(message):
        if resource and match["callee"].endswith("_internal_init"):
            near = nearest_argument(match["argument"], map(_python_name, input_properties(resource[0])))
            reason = "no such argument" + (f"; did you mean {near}?" if near else "")
            return refusal(stack, [RefusedInput(*resource, InputProblem(match["argument"], reason, "unknown"))])
        if _is_sdk_class(match["callee"]):
            return _bad_args_class(match["callee"], f"unknown argument {match['argument']}", steps, stack)
    if (match := _MISSING_ARGUMENT.search(message)) and _is_sdk_class(match["callee"]):
        return _bad_args_class(match["callee"], f"missing argument {match['arguments']}", steps, stack)
    return None


def _bad_args_class(callee: str, what: str, steps: list[TracebackType], stack: str) -> UserError:
    """A nested `…Args` object was built wrongly, before any resource was given it."""
    return UserError(
        f"{callee.removesuffix('.__init__')}: {what}",
        f"stack {stack}, {_place(steps)}",
        "Fix the arguments there.",
    )


def _is_sdk_class(callee: str) -> bool:
    return callee.endswith("Args.__init__")


def _missing(argument: str) -> InputProblem:
    return InputProblem(argument, "required, and not given", "missing")


def _python_name(wire_name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire_name).lower()


def _first_refusal(error: BaseException) -> BaseException:
    """The innermost of the errors that only pass another's refusal on."""
    return next(link for link in _chain(error) if isinstance(link, ValueError))


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it, the cause first; Pulumi may name an error as its own cause."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.insert(0, link)
        link = link.__context__ if link.__cause__ in (None, link) else link.__cause__
    return chain


def _steps(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _resource_of(frame: FrameType) -> tuple[str, str] | None:
    """The type and name of the SDK resource that this frame constructs, if it does."""
    local: Mapping[str, object] = frame.f_locals
    made, name = local.get("__self__"), local.get("resource_name")
    token = getattr(type(made), "pulumi_type", None)
    if isinstance(made, pulumi.ProviderResource):
        token = f"pulumi:providers:{type(made).__module__.split('.')[0].removeprefix('pulumi_')}"
    return (token, name) if isinstance(token, str) and isinstance(name, str) else None


def _place(steps: list[TracebackType]) -> str:
    """The component under construction and the line of the program, as far as the frames tell."""
    own = [step for step in steps if _is_program(step.tb_frame)]
    parts = []
    for step in reversed(own):
        made = step.tb_frame.f_locals.get("self")
        if isinstance(made, pulumi.ComponentResource) and hasattr(made, "_type"):
            parts.append(f"component {made.pulumi_resource_type} {made.pulumi_resource_name!r}")
            break
    if own:
        path = Path(own[-1].tb_frame.f_code.co_filename)
        shown = path.relative_to(repo_root()) if path.is_relative_to(repo_root()) else path
        parts.append(f"{shown}:{own[-1].tb_lineno}")
    return ", ".join(parts) or "the program"


def _is_program(frame: FrameType) -> bool:
    filename = frame.f_code.co_filename
    return not ("site-packages" in filename or filename.startswith(("<", _OWN_FOLDER, _STANDARD_LIBRARY)))
