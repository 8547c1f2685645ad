"""Measures the engine's preview of a stack on the local cloud against the preview of an empty Python program."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.console import Steps
from common.paths import repo_root
from localcloud.front import Engine, engine_environment, ensure_engine
from ops.bench.measure import child, in_turns
from ops.bench.model import Result, Sample, Target, times_of
from ops.local.runs import outer_environment
from ops.local.session import open_local

STACK: Final = "prod-aws"
PREVIEW_TO_EMPTY: Final = Target("at most", 3.5, "×")

_EMPTY_PROJECT: Final = """
name: empty
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {virtualenv}
"""


@dataclass(frozen=True)
class Project:
    """A Pulumi project with a stack in it, ready for a preview."""

    engine: Engine
    folder: Path
    stack: str
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> Sample:
        """One run of the engine on this stack, from start to end."""
        command = [self.engine.cli, *arguments, "--stack", self.stack, "--non-interactive", "--color", "never"]
        return child(command, cwd=self.folder, env={**outer_environment(), **self.environment})


def measure_preview(repeats: int, steps: Steps) -> list[Result]:
    """A preview that would create the whole stack, beside one that would create nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch,
        _local_stacks_in(Path(scratch) / "local"),
        open_local(STACK, steps, keep=False) as local,
    ):
        local.stack()  # makes the stack
        whole = Project(local.engine, local.workspace.project, STACK, local.environment())
        empty = _empty_project(Path(scratch) / "empty", local.engine)
        subject, baseline = in_turns(
            {
                f"pulumi preview of {STACK}": lambda: _wall_only(whole.run("preview")),
                "pulumi preview of an empty program": lambda: _wall_only(empty.run("preview")),
            },
            repeats,
        )
    return [
        times_of("engine preview", "its time ÷ the preview of an empty program", subject, baseline, PREVIEW_TO_EMPTY)
    ]


def _empty_project(folder: Path, engine: Engine) -> Project:
    """A Python program that declares nothing, in the same Python environment, with state of its own."""
    state = folder / "state"
    state.mkdir(parents=True)
    project = folder / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(
        _EMPTY_PROJECT.format(virtualenv=repo_root() / ".venv").lstrip(), encoding="utf-8"
    )
    (project / "__main__.py").write_text("import pulumi\n", encoding="utf-8")
    made = Project(engine, project, "empty", engine_environment(engine, folder / "home", state))
    child(
        [engine.cli, "stack", "init", "empty", "--non-interactive"],
        cwd=project,
        env={**outer_environment(), **made.environment},
    )
    return made


def _wall_only(sample: Sample) -> Sample:
    """The engine's helpers outlive it by a moment, so its own share of processor and memory says little."""
    return Sample(sample.wall_s)


@contextmanager
def _local_stacks_in(folder: Path) -> Iterator[None]:
    """Keep the bench's stack apart from the user's."""
    before = os.environ.get("SEAWALL_LOCAL")
    os.environ["SEAWALL_LOCAL"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SEAWALL_LOCAL"]
        else:
            os.environ["SEAWALL_LOCAL"] = before


def ensure_ready(steps: Steps) -> None:
    """Find or build the engine before anything is timed."""
    ensure_engine(steps)
