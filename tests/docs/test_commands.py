"""Commands named in documents and helps exist, with the options that they are given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from ops.cli import build_app

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = tuple(
    ROOT / name
    for name in (
        *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
        *("docs/architecture.md", "docs/approvals.md", "docs/preflight.md", "docs/recovery.md"),
    )
)
"""Documents that people write; the others are generated."""
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:seawall|make|python -m) [^`]+)`")
ENDS = re.compile(r"\s#\s|\s[|>&;]\s")
"""Where a command ends and a comment, a pipe or another command begins."""


def lines(text: str) -> Iterator[str]:
    """Every command that a document tells: lines of shell blocks, and inline code."""
    for language, block in FENCE.findall(text):
        if language == "sh":
            yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())
    yield from INLINE.findall(FENCE.sub("", text))


def commands(program: str) -> list[tuple[str, str]]:
    """`(document, command)` for each command of `program`."""
    return [
        (path.name, ENDS.split(line)[0])
        for path in WRITTEN
        for line in lines(path.read_text(encoding="utf-8"))
        if line.startswith(f"{program} ")
    ]


def problem(root: Any, words: list[str]) -> str | None:
    """What is wrong with a `seawall` command, or None."""
    command = root
    given = iter(words)
    positional = 0
    for word in given:
        if word == "--":
            break
        if word.startswith("-"):
            option, _, value = word.partition("=")
            known = next((p for p in command.params if option in (*p.opts, *p.secondary_opts)), None)
            if known is None:
                return f"`{command.name}` has no option {option}"
            if not known.is_flag and not value and next(given, None) is None:
                return f"{option} has no value"
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return f"`{command.name}` has no command {word!r}"
            command = command.commands[word]
        else:
            positional += 1
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    if positional > len(arguments) and not any(p.nargs == -1 for p in arguments):
        return f"`{command.name}` takes {len(arguments)} arguments, not {positional}"
    return None


def leaves(command: Any, path: tuple[str, ...] = ("seawall",)) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups left out."""
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from leaves(child, (*path, name))
    else:
        yield " ".join(path), command


@pytest.fixture(scope="module")
def root() -> Any:
    """The whole command line."""
    return typer.main.get_command(build_app())


@pytest.mark.parametrize(("document", "command"), commands("seawall"))
def test_a_documented_seawall_command_can_be_typed(root: Any, document: str, command: str) -> None:
    assert problem(root, shlex.split(command)[1:]) is None, document


@pytest.mark.parametrize(
    "command", ["seawall plam", "seawall plan --jsn", "seawall engine now", "seawall diff --base"]
)
def test_a_command_that_cannot_be_typed_is_found(root: Any, command: str) -> None:
    assert problem(root, shlex.split(command)[1:])


def test_every_command_is_in_the_readme(root: Any) -> None:
    told = {command.split()[1] for document, command in commands("seawall") if document == "README.md"}
    assert set(root.commands) <= told


def test_every_help_has_an_example_that_can_be_typed(root: Any) -> None:
    for name, command in leaves(root):
        examples = re.findall(r"Example: (seawall .+)", command.help or "")
        assert examples, f"{name} --help has no example"
        for example in examples:
            assert problem(root, shlex.split(example)[1:]) is None, name


@pytest.mark.parametrize(("document", "command"), commands("make"))
def test_a_documented_make_target_exists(document: str, command: str) -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert shlex.split(command)[1] in targets, document


@pytest.mark.parametrize(("document", "command"), commands("python -m"))
def test_a_documented_module_exists(document: str, command: str) -> None:
    module = ROOT / shlex.split(command)[2].replace(".", "/")
    assert (module / "__main__.py").is_file() or module.with_suffix(".py").is_file(), document
