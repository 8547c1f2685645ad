"""The Cloud Storage emulator `fake-gcs-server`, built by Go from the module that pins it."""

from __future__ import annotations

import os
from pathlib import Path

from common.console import Steps
from common.paths import repo_root
from common.versions import FAKE_GCS_SERVER
from localcloud.toolchain.cache import Entry, Workshop, build_once
from localcloud.toolchain.golang import Program, build_program, find_go, recipe_digest, required_go
from localcloud.toolchain.system import platform_tag


def fake_gcs_program() -> Program:
    """What is built."""
    return Program(
        module=repo_root() / "tools" / "fake-gcs-server",
        package="github.com/fsouza/fake-gcs-server",
        output="fake-gcs-server",
    )


def ensure_fake_gcs_server(steps: Steps | None = None) -> Path:
    """The executable, from the cache, else built now (about half a minute on two cores).

    Raises:
        UserError: no Go toolchain, or the build fails.
    """
    program = fake_gcs_program()

    def build(shop: Workshop) -> None:
        build_program(shop, find_go(required_go([program.module]), shop.steps), program)

    folder = build_once(
        Entry("fake-gcs-server", f"{FAKE_GCS_SERVER}-{platform_tag()}-{recipe_digest([program])}"),
        build,
        title=f"Build fake-gcs-server {FAKE_GCS_SERVER} with Go",
        steps=steps,
        problem=lambda path: None if os.access(path / program.output, os.X_OK) else "the executable is missing",
    )
    return folder / program.output
