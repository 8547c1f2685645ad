"""prometheus-adapter, which serves Prometheus' figures as Kubernetes metrics, built by Go from its own module."""

from __future__ import annotations

from pathlib import Path

from common.console import Steps
from common.paths import repo_root
from common.versions import PROMETHEUS_ADAPTER
from localcloud.toolchain.golang import Bundle, Program, ensure_bundle


def adapter_bundle() -> Bundle:
    """What is built."""
    program = Program(
        module=repo_root() / "tools" / "prometheus-adapter",
        package="sigs.k8s.io/prometheus-adapter/cmd/adapter",
        output="prometheus-adapter",
    )
    return Bundle("prometheus-adapter", PROMETHEUS_ADAPTER, (program,), needed_gib=3)


def ensure_prometheus_adapter(steps: Steps | None = None) -> Path:
    """The executable, from the cache, else built now (a minute and a half on two cores).

    Raises:
        UserError: no Go toolchain, too little disk space, or the build fails.
    """
    bundle = adapter_bundle()
    folder = ensure_bundle(bundle, title=f"Build prometheus-adapter {PROMETHEUS_ADAPTER} with Go", steps=steps)
    return folder / bundle.programs[0].output
