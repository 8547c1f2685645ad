"""The Bigtable emulator of Google's own Go client, built by Go from the module that pins it."""

from __future__ import annotations

import os
from pathlib import Path

from common.console import Steps
from common.paths import repo_root
from common.versions import BIGTABLE_EMULATOR
from localcloud.toolchain.cache import Entry, Workshop, build_once
from localcloud.toolchain.golang import Program, build_program, find_go, recipe_digest, required_go
from localcloud.toolchain.system import platform_tag


def emulator_program() -> Program:
    """What is built."""
    return Program(
        module=repo_root() / "tools" / "bigtable-emulator",
        package="cloud.google.com/go/bigtable/cmd/emulator",
        output="bigtable-emulator",
    )


def ensure_bigtable_emulator(steps: Steps | None = None) -> Path:
    """The executable, from the cache, else built now (about a minute on two cores).

    Raises:
        UserError: no Go toolchain, or the build fails.
    """
    program = emulator_program()

    def build(shop: Workshop) -> None:
        build_program(shop, find_go(required_go([program.module]), shop.steps), program)

    folder = build_once(
        Entry("bigtable-emulator", f"{BIGTABLE_EMULATOR}-{platform_tag()}-{recipe_digest([program])}"),
        build,
        title=f"Build the Bigtable emulator {BIGTABLE_EMULATOR} with Go",
        steps=steps,
        problem=lambda path: None if os.access(path / program.output, os.X_OK) else "the executable is missing",
    )
    return folder / program.output
