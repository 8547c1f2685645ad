"""Claims about the names of the machine that a tool is built for."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from localcloud.toolchain.system import distribution_tag, platform_tag


@pytest.mark.parametrize(
    ("system", "machine", "tag"),
    [
        ("linux", "x86_64", "linux-x64"),
        ("linux", "aarch64", "linux-arm64"),
        ("darwin", "arm64", "darwin-arm64"),
        ("freebsd14", "riscv64", "freebsd14-riscv64"),
    ],
)
def test_a_machine_is_named_as_releases_are(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, tag: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert platform_tag() == tag


def test_a_distribution_is_named_with_its_version(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n')
    assert distribution_tag(file) == "debian-12"
