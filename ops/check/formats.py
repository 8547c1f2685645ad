"""Which formats a check is written in, and where each goes: `--format NAME[=FILE]`, and `--output FILE` for one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.errors import UserError
from common.files import check_writable, write_whole

FORMATS: Final = ("text", "json", "sarif", "junit", "github", "markdown")
STDOUT: Final = Path("-")


@dataclass(frozen=True)
class Target:
    """One format, and the file that it is written to; without one, it is printed."""

    format: str
    file: Path | None = None


def targets(asked: Sequence[str], output: Path | None, known: Sequence[str] = FORMATS) -> tuple[Target, ...]:
    """What `--format` and `--output` ask for; text on standard output where they ask for nothing.

    Raises:
        UserError: there is no such format, two of them would mix on standard output or in one file, a file cannot be
            written, or `--output` has no format of its own.
    """
    found = [_target(each, known) for each in asked] or [Target("text")]
    open_ones = [index for index, target in enumerate(found) if target.file is None]
    if output is not None and len(open_ones) != 1:
        what = "every format has a file already" if not open_ones else "--output stands for several formats"
        raise UserError(what, f"--output {output}", "Give each format its own file, as in `--format sarif=FILE`.")
    if output is not None and output != STDOUT:
        found[open_ones[0]] = Target(found[open_ones[0]].format, output)
    printed = [target.format for target in found if target.file is None]
    if len(printed) > 1:
        what = f"{' and '.join(printed)} would mix on standard output"
        raise UserError(what, "--format", f"Give all but one a file, as in `--format {printed[-1]}=FILE`.")
    files = [target.file.absolute() for target in found if target.file is not None]
    for file in files:
        if files.count(file) > 1:
            raise UserError("two formats go to one file", str(file), "Give each its own.")
        check_writable(file)
    return tuple(found)


def _target(asked: str, known: Sequence[str]) -> Target:
    name, is_file, file = asked.partition("=")
    if name not in known:
        raise UserError(f"there is no format {name!r} here", "--format", f"Choose one of {', '.join(known)}.")
    if is_file and not file:
        raise UserError("the format's file has no name", f"--format {asked}", f"Write --format {name}=FILE.")
    return Target(name, Path(file) if file and Path(file) != STDOUT else None)


def write(wanted: Iterable[Target], renderers: Mapping[str, Callable[[], str]], show: Callable[[str], None]) -> None:
    """Render and write each target; `show` prints what has no file."""
    for target in wanted:
        text = renderers[target.format]()
        if target.file is None:
            if text:
                show(text)
        else:
            write_whole(target.file, text if text.endswith("\n") or not text else f"{text}\n")


def as_json(document: object) -> str:
    """A document as ASCII, so that any text in it can be written."""
    return json.dumps(document, indent=2)
