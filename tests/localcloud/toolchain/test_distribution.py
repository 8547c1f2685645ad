"""Claims about programs that are unpacked from the distribution's packages."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from localcloud.toolchain.distribution import apt_options, library_folders, missing_packages, write_wrapper

REDIS = ("redis-server", "redis-tools")


def test_the_libraries_that_the_machine_lacks_are_fetched_too() -> None:
    simulated = (
        "Inst libjemalloc2 (5.3.0-1 Debian:12 [amd64])\nInst redis-tools (7 [amd64])\n"
        "Inst redis-server (7 [amd64])\nConf redis-server (7 [amd64])\n"
    )
    assert missing_packages(simulated, REDIS) == ["libjemalloc2", "redis-server", "redis-tools"]


def test_an_installed_server_that_is_not_on_path_is_fetched_all_the_same() -> None:
    assert missing_packages("", REDIS) == ["redis-server", "redis-tools"]


def test_apt_works_in_folders_of_ours(tmp_path: Path) -> None:
    options = apt_options(tmp_path, as_root=False)
    assert {f"Dir::State::Lists={tmp_path}/lists", f"Dir::Cache={tmp_path}/cache"} <= set(options)


def test_the_unpacked_server_finds_its_libraries_after_it_was_moved(tmp_path: Path) -> None:
    built = tmp_path / "built"
    (built / "packages" / "usr" / "bin").mkdir(parents=True)
    (built / "packages" / "usr" / "lib").mkdir()
    (built / "packages" / "usr" / "lib" / "liblzf.so.1").write_text("")
    server = built / "packages" / "usr" / "bin" / "redis-server"
    server.write_text('#!/bin/sh\necho "$LD_LIBRARY_PATH|$1"\n')
    server.chmod(0o755)
    write_wrapper(built, "redis-server", library_folders(built / "packages"))
    moved = built.rename(tmp_path / "moved to")
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    printed = subprocess.run(
        [moved / "bin" / "redis-server", "a b"], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert printed == f"{moved}/packages/usr/lib|a b\n"
