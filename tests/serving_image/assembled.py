"""The serving image without a builder: its Dockerfile's own instructions, carried out below a folder of this machine.

Read from the Dockerfile, and repeated nowhere: COPY copies from the build context, RUN runs, and ENV, USER and CMD
are kept.
What stands for what:

- the base image: Triton and Python of the serving environment, and the main environment's pip, as `python3`;
- an absolute path of the image or of a pod's volume: the same below the folder, by `Assembled.here`;
- NVIDIA's entrypoint, which prepares a GPU and then runs its arguments: nothing.

A layer that a RUN made is kept in the cache, by all that went into it, as a builder does.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pip

from localcloud.toolchain.cache import Entry, Workshop, build_once
from localcloud.toolchain.system import platform_tag


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, continuation lines joined."""

    word: str
    rest: str


def instructions(dockerfile: Path) -> list[Instruction]:
    """A Dockerfile's instructions, in order."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def context(folder: Path) -> set[str]:
    """The names at the top of a build context that `.dockerignore` lets in; it must shut everything else out."""
    rules = [line for line in (folder / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*" and all(rule[0] == "!" for rule in rules[1:])
    return {rule[1:] for rule in rules[1:]}


@dataclass
class Assembled:
    """What the image holds, below a folder."""

    root: Path
    python: Path
    """A folder with `python3`, as the image's PATH has it."""
    volumes: dict[str, Path] = field(default_factory=dict)
    """Mount path → the folder that stands for it."""
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    command: list[str] = field(default_factory=list)

    def here(self, text: str) -> str:
        """A word of a command or a variable, with the image's and the volumes' paths as they are on this machine."""
        for inside, outside in sorted(
            {"/opt/seawall": self.root / "opt/seawall", **self.volumes}.items(), reverse=True
        ):
            text = re.sub(rf"(?<![\w/]){re.escape(inside)}(?=/|:|$)", str(outside), text)
        return text

    def variables(self, told: Mapping[str, str]) -> dict[str, str]:
        """The environment of a container: the image's variables, then its own."""
        return {name: self.here(value) for name, value in {**self.environment, **told}.items()}


def assemble(image: Path, into: Path, serving_python: Path) -> Assembled:
    """Carry out the image's Dockerfile below `into`.

    Raises:
        UserError: a RUN fails.
        AssertionError: it has an instruction that this does not know.
    """
    made = Assembled(into / "root", _python(into / "bin", serving_python))
    allowed, layer = context(image), hashlib.sha256(str(serving_python).encode())
    made.root.mkdir()
    for each in instructions(image / "Dockerfile"):
        layer.update(f"{each.word} {each.rest}\n".encode())
        match each.word:
            case "COPY":
                *sources, target = each.rest.split()
                for source in sources:
                    assert source in allowed, f"{source} is not in the build context"
                    _copy(image / source, made.root / target.lstrip("/"))
                    layer.update(_digest(image / source))
            case "RUN":
                _run(made, each.rest, f"{layer.hexdigest()[:16]}-{platform_tag()}")
            case "ENV":
                made.environment |= dict(word.split("=", 1) for word in shlex.split(each.rest))
            case "USER":
                made.user = each.rest
            case "CMD":
                made.command = [str(word) for word in json.loads(each.rest)]
            case "FROM" | "WORKDIR" | "EXPOSE":
                pass
            case _:
                raise AssertionError(f"what does {each.word} mean here?")
    return made


def _run(made: Assembled, command: str, key: str) -> None:
    """Run a command of the Dockerfile on what is there, or take what it made before."""

    def build(shop: Workshop) -> None:
        inner = Assembled(shop.result / "root", made.python, environment=made.environment)
        shutil.copytree(made.root, inner.root, symlinks=True)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
            **inner.variables({}),
            "PATH": f"{made.python}:{os.environ['PATH']}",
        }
        shop.run("RUN", ["sh", "-c", inner.here(command)], cwd=shop.scratch, environment=environment)

    kept = build_once(Entry("image-layer", key), build, title="Run a step of the serving image's Dockerfile")
    shutil.rmtree(made.root)
    shutil.copytree(kept / "root", made.root, symlinks=True, copy_function=_link)


def _python(folder: Path, serving_python: Path) -> Path:
    """A folder with the serving environment's Python under the image's name for it, and a pip for it."""
    folder.mkdir(parents=True)
    (folder / "pip-alone").mkdir()
    (folder / "pip-alone" / "pip").symlink_to(Path(pip.__file__).parent)
    program = folder / "python3"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="${{PYTHONPATH:+$PYTHONPATH:}}{folder}/pip-alone" exec {serving_python} "$@"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def _digest(source: Path) -> bytes:
    files = sorted(p for p in ([source] if source.is_file() else source.rglob("*")) if p.is_file())
    return hashlib.sha256(
        b"".join(hashlib.sha256(p.read_bytes()).digest() for p in files if p.suffix != ".pyc")
    ).digest()


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        shutil.copy2(source, target)


def words(container: Mapping[str, object]) -> Iterator[str]:
    """The command line of a container that names its own command, or of one that leaves the image's entrypoint."""
    for key in ("command", "args"):
        value = container.get(key) or ()
        assert isinstance(value, Sequence)
        yield from (str(word) for word in value)
