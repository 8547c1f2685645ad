"""The policy pack can be run from a folder of its own, by the environment that Seawall runs in."""

from __future__ import annotations

import sys
from pathlib import Path

from ruamel.yaml import YAML

from ops.check.pack import PACK, prepare_pack


def test_the_copied_pack_names_the_running_environment(tmp_path: Path) -> None:
    manifest = YAML(typ="safe").load((prepare_pack(tmp_path) / "PulumiPolicy.yaml").read_text())
    assert manifest["runtime"]["options"]["virtualenv"] == sys.prefix


def test_the_copied_pack_runs_the_committed_program(tmp_path: Path) -> None:
    assert (prepare_pack(tmp_path) / "__main__.py").read_text() == (PACK / "__main__.py").read_text()


def test_preparing_a_pack_twice_changes_nothing(tmp_path: Path) -> None:
    first = {p.name: p.read_text() for p in prepare_pack(tmp_path).iterdir()}
    assert {p.name: p.read_text() for p in prepare_pack(tmp_path).iterdir()} == first


def test_the_committed_pack_names_an_environment_explicitly() -> None:
    options = YAML(typ="safe").load((PACK / "PulumiPolicy.yaml").read_text())["runtime"]["options"]
    assert options == {"toolchain": "pip", "virtualenv": "../../.venv"}
