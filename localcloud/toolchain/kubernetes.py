"""Kubernetes' own control plane with etcd, built by Go from one module per minor version, and KWOK from its own.

etcd lies in Kubernetes' module: most of what it is made of is compiled for the API server anyway.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Final

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.versions import KUBERNETES
from common.versions import KWOK as KWOK_VERSION
from localcloud.toolchain.cache import Workshop
from localcloud.toolchain.golang import Bundle, Go, Program, ensure_bundle, module_folder

API_SERVER: Final = "kube-apiserver"
CONTROLLER_MANAGER: Final = "kube-controller-manager"
SCHEDULER: Final = "kube-scheduler"
ETCD: Final = "etcd"
KWOK: Final = "kwok"
STAGES: Final = "stages"
"""The folder of KWOK's own descriptions of what becomes of nodes and pods."""

ETCD_PACKAGE: Final = "go.etcd.io/etcd/server/v3"
_VERSION_PACKAGE: Final = "k8s.io/component-base/version"
_KWOK_MODULE: Final = "sigs.k8s.io/kwok"
_STAGES: Final = ("node/fast/node-initialize", "pod/fast/pod-ready", "pod/fast/pod-complete", "pod/fast/pod-delete")
_NEEDED_GIB: Final = 6
"""Module and build caches of one build, while it runs."""
_KWOK_NEEDED_GIB: Final = 3


def control_plane_bundle(minor: str) -> Bundle:
    """What is built for `1.35` and the like.

    Raises:
        UserError: no module pins this version.
    """
    module = repo_root() / "tools" / "kubernetes" / minor
    if minor not in KUBERNETES or not module.is_dir():
        raise UserError(
            f"no control plane of Kubernetes {minor} is known here, only of {', '.join(KUBERNETES)}",
            f"tools/kubernetes/{minor}",
            "Add a module for it as CONTRIBUTING.md says, or run a stack of a known version.",
        )
    version = KUBERNETES[minor]
    # Without them the server calls itself v0.0.0, and clients refuse what they believe it does not have.
    said = {"gitVersion": f"v{version}", "gitMajor": "1", "gitMinor": minor.split(".")[1], "gitTreeState": "clean"}
    flags = " ".join(["-s -w", *(f"-X {_VERSION_PACKAGE}.{name}={value}" for name, value in said.items())])
    packages = {name: f"k8s.io/kubernetes/cmd/{name}" for name in (API_SERVER, CONTROLLER_MANAGER, SCHEDULER)}
    packages[ETCD] = ETCD_PACKAGE
    programs = tuple(Program(module, package, output, flags) for output, package in packages.items())
    return Bundle("kubernetes", version, programs, _NEEDED_GIB)


def kwok_bundle() -> Bundle:
    """What is built to play nodes and pods; it does not compile with newer libraries of Kubernetes."""
    module = repo_root() / "tools" / "kwok"
    program = Program(module, f"{_KWOK_MODULE}/cmd/kwok", KWOK)
    return Bundle("kwok", KWOK_VERSION, (program,), _KWOK_NEEDED_GIB, finish=partial(_copy_stages, module))


def ensure_control_plane(minor: str, steps: Steps | None = None) -> Path:
    """The folder with the programs, from the cache, else built now (some four minutes on two cores).

    Raises:
        UserError: no such version, no Go toolchain, too little disk space, or the build fails.
    """
    bundle = control_plane_bundle(minor)
    return ensure_bundle(bundle, title=f"Build Kubernetes {bundle.version} with Go (once; some minutes)", steps=steps)


def ensure_kwok(steps: Steps | None = None) -> Path:
    """The folder with KWOK and `STAGES`, from the cache, else built now (a minute on two cores).

    Raises:
        UserError: no Go toolchain, too little disk space, or the build fails.
    """
    return ensure_bundle(kwok_bundle(), title=f"Build KWOK {KWOK_VERSION} with Go", steps=steps)


def _copy_stages(module: Path, shop: Workshop, go: Go) -> None:
    source = module_folder(shop, go, module, _KWOK_MODULE) / "kustomize" / "stage"
    (shop.result / STAGES).mkdir()
    for name in _STAGES:
        path = source / f"{name}.yaml"
        shutil.copyfile(path, shop.result / STAGES / path.name)
