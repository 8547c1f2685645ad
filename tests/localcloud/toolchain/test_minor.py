"""Claims about the Go modules of Kubernetes' minor versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common.errors import UserError
from common.paths import repo_root
from common.versions import KUBERNETES
from localcloud.toolchain.kubernetes import control_plane_bundle
from localcloud.toolchain.minor import go_mod, main, tools_go

THEIRS = """module k8s.io/kubernetes

go 1.25.0

require (
\tgo.etcd.io/etcd/server/v3 v3.6.5 // indirect
\tk8s.io/api v0.0.0
)

replace (
\tk8s.io/api => ./staging/src/k8s.io/api
\tk8s.io/client-go => ./staging/src/k8s.io/client-go
)
"""


def module(minor: str) -> Path:
    return repo_root() / "tools" / "kubernetes" / minor


@pytest.mark.parametrize(("minor", "version"), KUBERNETES.items())
def test_every_staging_module_is_of_the_release(minor: str, version: str) -> None:
    pinned = re.findall(r"^\t(k8s\.io/\S+) => (\S+) v(\S+)$", (module(minor) / "go.mod").read_text(), re.MULTILINE)
    assert len(pinned) > 20
    assert {(name == by, number) for name, by, number in pinned} == {(True, f"0.{version.partition('.')[2]}")}


@pytest.mark.parametrize("minor", KUBERNETES)
def test_the_programs_that_are_built_are_kept_required(minor: str) -> None:
    assert (module(minor) / "tools.go").read_text() == tools_go()


def test_every_module_is_of_a_version_that_is_built() -> None:
    assert {folder.name for folder in module("").iterdir()} == set(KUBERNETES)


def test_staging_modules_are_replaced_by_their_own_releases() -> None:
    text = go_mod("1.35.4", THEIRS)
    assert "\tk8s.io/client-go => k8s.io/client-go v0.35.4\n" in text
    assert "\tgo.etcd.io/etcd/server/v3 v3.6.5\n\tk8s.io/kubernetes v1.35.4\n" in text


def test_a_release_without_staging_modules_is_refused() -> None:
    with pytest.raises(UserError, match="names no etcd or no staging modules"):
        go_mod("1.99.0", "module k8s.io/kubernetes\n\ngo 1.25.0\n")


def test_a_built_server_says_its_version() -> None:
    (flags,) = {program.linker_flags for program in control_plane_bundle("1.35").programs}
    assert f".gitVersion=v{KUBERNETES['1.35']}" in flags and ".gitMinor=35" in flags


def test_a_minor_version_is_no_release(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["1.36"]) == 2
    assert "Name one release" in capsys.readouterr().err
