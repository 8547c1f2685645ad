"""What a Triton server of the serving environment is started with: programs, libraries, environment, arguments."""

from __future__ import annotations

import ctypes.util
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.errors import UserError

STAND_IN_BACKENDS = Path(__file__).resolve().parent / "backends"
EXIT_TIMEOUT_S = 0
"""Triton's own limit for a clean end: it ends after 1 s then. Nobody is served any more, and unloading idle Python
models would take it 4 s; what it leaves, its keeper removes."""

_ASK_PYTHON = """
import json, sys, sysconfig
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2],
    "site_packages": sysconfig.get_path("purelib"),
    "library_folders": [sysconfig.get_config_var("LIBDIR") or "", sys.base_prefix + "/lib"],
}))
"""


@dataclass(frozen=True)
class Runtime:
    """The serving environment, as Triton needs it."""

    python: Path
    version: str
    """Of Python, e.g. `3.11`: Triton's Python backend has one program for each."""
    site_packages: Path
    python_library_folder: Path | None
    """Where `libpython` lies; None: where the system looks anyway."""

    @property
    def server(self) -> Path:
        return self.site_packages / "pytriton" / "tritonserver" / "bin" / "tritonserver"

    @property
    def libraries(self) -> Path:
        return self.site_packages / "nvidia_pytriton.libs"

    @property
    def python_backend(self) -> Path:
        return self.site_packages / "pytriton" / "tritonserver" / "backends" / "python"

    @property
    def stub(self) -> Path:
        stubs = self.site_packages / "pytriton" / "tritonserver" / "python_backend_stubs"
        return stubs / self.version / "triton_python_backend_stub"


def inspect_runtime(python: Path) -> Runtime:
    """Asks the serving environment's interpreter where things are.

    Raises:
        UserError: it does not run, has no Triton, or its Python comes without the shared library that Triton's
            Python backend loads.
    """
    remedy = "remove the cached serving environment, so that it is built anew"
    try:
        asked = subprocess.run(
            [python, "-I", "-c", _ASK_PYTHON], capture_output=True, text=True, timeout=60, check=True
        )
        answer = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise UserError(f"the serving environment's Python does not run: {error}", str(python), remedy) from error
    library = f"libpython{answer['version']}.so.1.0"
    folders = [Path(folder) for folder in answer["library_folders"] if folder]
    folder = next((candidate for candidate in folders if (candidate / library).is_file()), None)
    if folder is None and ctypes.util.find_library(f"python{answer['version']}") is None:
        raise UserError(
            f"this Python has no shared library {library}, which Triton's Python backend loads",
            str(python),
            f"Install it (Debian, Ubuntu: apt-get install libpython{answer['version']}), or use a Python built with "
            "--enable-shared.",
        )
    runtime = Runtime(python, answer["version"], Path(answer["site_packages"]), folder)
    for needed in (runtime.server, runtime.stub, runtime.python_backend, runtime.libraries):
        if not needed.exists():
            raise UserError("the serving environment has no complete Triton", str(needed), remedy)
    return runtime


def stage_backends(runtime: Runtime, folder: Path) -> None:
    """Fills `folder` with the backends: Triton's Python backend with its stub, and the stand-ins beside it."""
    shutil.copytree(runtime.python_backend, folder / "python")
    shutil.copy2(runtime.stub, folder / "python")
    for backend in STAND_IN_BACKENDS.iterdir():
        if (backend / "model.py").is_file():
            (folder / backend.name).mkdir()
            shutil.copy2(backend / "model.py", folder / backend.name)


def pod_environment(identity: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a container of a pod: the caller's without what names a cloud or changes Python.

    Args:
        identity: how the pod's SDKs find the cloud and their credentials, as `Target.admit` gives it.
        inherited: the caller's environment.
    """
    dropped = (
        "PYTHON", "SEAWALL_FEATURES_", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "AWS_", "BOTO", "GOOGLE_", "GCE_", "GCLOUD_",
        "CLOUDSDK_", "NO_GCE_CHECK", "STORAGE_EMULATOR_HOST",
    )  # fmt: skip
    return {name: value for name, value in inherited.items() if not name.startswith(dropped)} | dict(identity)


def server_environment(
    runtime: Runtime, identity: Mapping[str, str], features: Mapping[str, str], inherited: Mapping[str, str]
) -> dict[str, str]:
    """The server's environment: a pod's, with the feature store's variables and what Triton's libraries need.

    Args:
        identity: as for `pod_environment`.
        features: the `SEAWALL_FEATURES_…` variables.
        inherited: the caller's environment.
    """
    environment = pod_environment(identity, inherited)
    folders = [runtime.libraries, *([runtime.python_library_folder] if runtime.python_library_folder else [])]
    path = [str(runtime.python.parent), *environment.get("PATH", os.defpath).split(os.pathsep)]
    return environment | {
        # Python, embedded in Triton's stub, finds its packages through the first python3 on PATH.
        "PATH": os.pathsep.join(path),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, folders)),
        # Else onnxruntime reports to its maker, and leaves files in the home and temporary folders.
        "ORT_DISABLE_TELEMETRY": "1",
        **features,
    }


def server_command(
    runtime: Runtime,
    repository: Path,
    backends: Path,
    ports: Sequence[int],
    shm_prefix: str,
    exit_timeout_s: int = EXIT_TIMEOUT_S,
    flags: Sequence[str] = (),
) -> list[str]:
    """The command line, with the production fleet's safety options and loopback addresses only.

    Args:
        repository: the folder of models.
        ports: for HTTP, gRPC and metrics.
        shm_prefix: names the shared memory segments of the Python models' processes.
        exit_timeout_s: what it may take for requests in flight when it is told to end.
        flags: more of them.
    """
    http, grpc, metrics = ports
    return [
        str(runtime.server),
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
        "--model-control-mode=none",
        "--disable-auto-complete-config",
        "--exit-on-error=true",
        f"--exit-timeout-secs={exit_timeout_s}",
        f"--http-port={http}",
        f"--grpc-port={grpc}",
        f"--metrics-port={metrics}",
        "--http-address=127.0.0.1",
        "--grpc-address=127.0.0.1",
        "--metrics-address=127.0.0.1",
        *flags,
    ]
