"""Claims about the `redis-server` that speaks TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import UserError
from localcloud.toolchain.redis import (
    ensure_redis_server,
    probe_verdict,
    tls_problem,
)

pytestmark = pytest.mark.usefixtures("own_cache")

WITH_TLS = "Configured to not listen anywhere, exiting."
WITHOUT_TLS = "*** FATAL CONFIG FILE ERROR ***\n>>> 'tls-port \"0\"'\nBad directive or wrong number of arguments"


def put_redis_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, prints: str) -> Path:
    folder.mkdir()
    (folder / "answer").write_text(prints)
    server = folder / "redis-server"
    server.write_text(f"#!/bin/sh\n/bin/cat '{folder}/answer'\nexit 1\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return server


def test_a_server_with_tls_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = put_redis_on_path(tmp_path / "bin", monkeypatch, WITH_TLS)
    assert ensure_redis_server() == server


def test_a_server_without_tls_and_no_other_way_is_an_error_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_redis_on_path(tmp_path / "bin", monkeypatch, WITHOUT_TLS)
    with pytest.raises(UserError, match="was built without TLS, and this system has no apt-get") as caught:
        ensure_redis_server()
    assert "brew install redis" in caught.value.remedy


def test_a_machine_without_any_server_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="no redis-server on PATH") as caught:
        ensure_redis_server()
    assert "apt-get install redis-server" in caught.value.remedy


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        (WITH_TLS, None),
        (WITHOUT_TLS, "s was built without TLS"),
        ("loading\nlibssl.so.3: cannot open\n", "s does not start: libssl.so.3: cannot open"),
        ("", "s does not start: it prints nothing"),
    ],
    ids=["tls", "no-tls", "broken", "silent"],
)
def test_what_the_server_prints_decides(printed: str, verdict: str | None) -> None:
    assert probe_verdict(Path("s"), printed) == verdict


def test_a_server_of_another_machine_is_not_used(tmp_path: Path) -> None:
    server = tmp_path / "redis-server"
    server.write_bytes(b"\x7fELF of another machine")
    server.chmod(0o755)
    assert "does not run" in (tls_problem(server) or "")
