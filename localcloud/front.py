"""The local cloud's front: what the rest of Seawall may know of it, and nothing else.

Usage:

    emulator = build_emulator(Cloud.AWS, StackPlace("dev-aws", "eu-west-1", "eu-central-1", "111122223333"), folder)
    emulator.start(snapshot=None)       # serves; the engine runs with `emulator.target().environment`
    ...                                 # `emulator.target()` says where
    emulator.save(snapshot)
    emulator.stop()
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from localcloud.emulators import Emulator, StackPlace, build_emulator
from localcloud.engine import Attempt, Engine, engine_environment, ensure_engine
from localcloud.engine.environment import backend_url
from localcloud.engine.model import LANGUAGE_EXEC
from localcloud.processes.process import clean_up, kept, session_members, signals_interrupt
from localcloud.providers.base import ENV_FORCE_DELETE, ENV_KUBECONFIG, ENV_STORE
from localcloud.toolchain import (
    ensure_crane,
    ensure_envoy,
    ensure_rclone,
    ensure_redis_server,
    ensure_serving_environment,
)
from localcloud.triton.release import Release, fetch_release
from localcloud.triton.server import TritonServer

__all__ = [
    "LANGUAGE_EXEC",
    "PROVIDERS",
    "Attempt",
    "Emulator",
    "Engine",
    "Release",
    "StackPlace",
    "TritonServer",
    "backend_url",
    "build_emulator",
    "clean_up",
    "engine_environment",
    "ensure_crane",
    "ensure_engine",
    "ensure_envoy",
    "ensure_rclone",
    "ensure_redis_server",
    "ensure_serving_environment",
    "fetch_release",
    "kept",
    "not_enforced",
    "provider_environment",
    "provider_script",
    "session_members",
    "signals_interrupt",
]

PROVIDERS: Final = ("aws", "gcp", "kubernetes")
"""Pulumi packages that have a stand-in provider here."""


def provider_script(package: str) -> str:
    """The text of `pulumi-resource-<package>`, an executable that runs the stand-in provider."""
    # -I: neither the program's folder nor the user's PYTHONPATH may shadow a module.
    return f'#!/bin/sh\nexec "{sys.executable}" -I -m localcloud.{package}.provider "$@"\n'


def provider_environment(
    store: Path, *, force_delete: bool = False, kubeconfig: Path | None = None
) -> Mapping[str, str]:
    """What stand-in providers are told by their environment.

    Args:
        store: the file in which they remember what exists.
        force_delete: the clouds' own deletion protection counts as lifted, and what holds data is emptied.
        kubeconfig: of the real control plane that objects are applied to; without one they are remembered.
    """
    told = {ENV_STORE: str(store)}
    if force_delete:
        told[ENV_FORCE_DELETE] = "1"
    if kubeconfig is not None:
        told[ENV_KUBECONFIG] = str(kubeconfig)
    return told


def not_enforced(types: Iterable[str], condition_keys: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """What the local cloud does not judge of a deployed stack; see `localcloud.limits.not_enforced`."""
    # Imported here: it knows every stand-in provider.
    from localcloud import limits

    return limits.not_enforced(types, condition_keys)
