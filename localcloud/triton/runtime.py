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
from common.target import Target

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


def repository_argument(repository: str, target: Target) -> str:
    """How Triton is told of `repository`, a folder or `s3://` or `gs://` URI as production writes it.

    An emulated S3's address becomes part of the URI; the Cloud Storage emulator is named in the environment.
    """
    scheme, separator, rest = repository.partition("://")
    if separator and scheme == "s3" and target.aws_endpoint_url:
        return f"s3://{target.aws_endpoint_url.rstrip('/')}/{rest}"
    return repository


def server_environment(
    runtime: Runtime,
    target: Target,
    region: str | None,
    features: Mapping[str, str],
    models: Path,
    inherited: Mapping[str, str],
) -> dict[str, str]:
    """The server's environment: the caller's, without what would change Python, with the target's endpoints.

    Args:
        region: of an S3 bucket; Triton has no other way to know it.
        features: the `SEAWALL_FEATURES_…` variables.
        models: an empty folder for the server's copy of a remote repository.
        inherited: the caller's environment; of an emulated target's, nothing that names a real cloud is kept.
    """
    dropped = ("PYTHON", "SEAWALL_FEATURES_", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    if target.mode == "emulated":
        dropped += ("AWS_", "GOOGLE_", "CLOUDSDK_", "CLOUD_STORAGE_", "STORAGE_EMULATOR_HOST")
    environment = {name: value for name, value in inherited.items() if not name.startswith(dropped)}
    if target.mode == "emulated":
        environment |= {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if target.aws_endpoint_url:
            environment["AWS_ENDPOINT_URL"] = target.aws_endpoint_url
        if target.gcp_endpoint_url:
            environment["CLOUD_STORAGE_EMULATOR_ENDPOINT"] = target.gcp_endpoint_url
    environment |= target.environment
    if region:
        environment |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    folders = [runtime.libraries, *([runtime.python_library_folder] if runtime.python_library_folder else [])]
    path = [str(runtime.python.parent), *environment.get("PATH", os.defpath).split(os.pathsep)]
    return environment | {
        # Python, embedded in Triton's stub, finds its packages through the first python3 on PATH.
        "PATH": os.pathsep.join(path),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, folders)),
        # Else onnxruntime reports to its maker, and leaves files in the home and temporary folders.
        "ORT_DISABLE_TELEMETRY": "1",
        "TRITON_AWS_MOUNT_DIRECTORY": str(models),
        "TRITON_GCS_MOUNT_DIRECTORY": str(models),
        **features,
    }


def server_command(
    runtime: Runtime, repository: str, backends: Path, ports: Sequence[int], shm_prefix: str
) -> list[str]:
    """The command line, with the production fleet's safety options and loopback addresses only.

    Args:
        repository: as `repository_argument` gives it.
        ports: for HTTP, gRPC and metrics.
        shm_prefix: names the shared memory segments of the Python models' processes.
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
        f"--exit-timeout-secs={EXIT_TIMEOUT_S}",
        f"--http-port={http}",
        f"--grpc-port={grpc}",
        f"--metrics-port={metrics}",
        "--http-address=127.0.0.1",
        "--grpc-address=127.0.0.1",
        "--metrics-address=127.0.0.1",
    ]
