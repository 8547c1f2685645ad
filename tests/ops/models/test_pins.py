"""The committed stacks pin what the committed model repository is as a release."""

from __future__ import annotations

import pytest

from ops.models.command import default_repository
from ops.models.manifest import build_manifest
from stacks.files import platform_names
from stacks.settings import Settings, stack_file


@pytest.mark.parametrize("stack", platform_names())
def test_a_committed_stack_pins_the_committed_models(stack: str) -> None:
    pinned = Settings.load(stack_file(stack)).fleet.services["tumour-risk"].release
    published = build_manifest(default_repository(), pinned.version)
    assert pinned.manifest_sha256 == published.sha256, "see `seawall models digest --version 1.0.1`"
