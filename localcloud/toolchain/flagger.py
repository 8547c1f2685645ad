"""Flagger, which shifts traffic to a new release and back by its measures, built by Go from its own module."""

from __future__ import annotations

from pathlib import Path

from common.console import Steps
from common.paths import repo_root
from common.versions import FLAGGER
from localcloud.toolchain.golang import Bundle, Program, ensure_bundle


def flagger_bundle() -> Bundle:
    """What is built."""
    module = repo_root() / "tools" / "flagger"
    program = Program(module, package="github.com/fluxcd/flagger/cmd/flagger", output="flagger")
    return Bundle("flagger", FLAGGER, (program,), needed_gib=3)


def ensure_flagger(steps: Steps | None = None) -> Path:
    """The executable, from the cache, else built now (two to three minutes on two cores).

    Raises:
        UserError: no Go toolchain, too little disk space, or the build fails.
    """
    bundle = flagger_bundle()
    folder = ensure_bundle(bundle, title=f"Build Flagger {FLAGGER} with Go", steps=steps)
    return folder / bundle.programs[0].output
