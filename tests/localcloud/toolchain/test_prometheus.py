"""Claims about which Prometheus is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import UserError
from localcloud.toolchain.prometheus import ensure_prometheus, version_problem

pytestmark = pytest.mark.usefixtures("own_cache")


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, prints: str) -> None:
    folder.mkdir()
    for name in ("prometheus", "promtool"):
        (folder / name).write_text(f"#!/bin/sh\necho '{prints}'\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_new_enough_server_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, "prometheus, version 3.5.0 (branch: HEAD)")
    assert ensure_prometheus().server == tmp_path / "bin" / "prometheus"


def test_an_old_server_and_no_other_way_is_an_error_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, "prometheus, version 2.15.2+ds")
    with pytest.raises(UserError, match=r"is 2\.15\.2, and 2\.40 or newer is needed") as caught:
        ensure_prometheus()
    assert "apt-get install prometheus" in caught.value.remedy


def test_a_server_without_its_tool_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path / "bin", monkeypatch, "prometheus, version 3.5.0")
    (tmp_path / "bin" / "promtool").unlink()
    with pytest.raises(UserError, match="prometheus and promtool are not both on PATH"):
        ensure_prometheus()


def test_a_server_that_says_no_version_is_not_used(tmp_path: Path) -> None:
    server = tmp_path / "prometheus"
    server.write_text("#!/bin/sh\nexit 0\n")
    server.chmod(0o755)
    assert version_problem(server) == f"{server} does not say its version"
