"""The Bigtable emulator of Google's own Go client, built by Go from the module that pins it."""

from __future__ import annotations

from pathlib import Path

from common.console import Steps
from common.paths import repo_root
from common.versions import BIGTABLE_EMULATOR
from localcloud.toolchain.golang import Bundle, Program, ensure_bundle


def emulator_bundle() -> Bundle:
    """What is built."""
    program = Program(
        module=repo_root() / "tools" / "bigtable-emulator",
        package="cloud.google.com/go/bigtable/cmd/emulator",
        output="bigtable-emulator",
    )
    return Bundle("bigtable-emulator", BIGTABLE_EMULATOR, (program,))


def ensure_bigtable_emulator(steps: Steps | None = None) -> Path:
    """The executable, from the cache, else built now (about a minute on two cores).

    Raises:
        UserError: no Go toolchain, or the build fails.
    """
    bundle = emulator_bundle()
    folder = ensure_bundle(bundle, title=f"Build the Bigtable emulator {BIGTABLE_EMULATOR} with Go", steps=steps)
    return folder / bundle.programs[0].output
