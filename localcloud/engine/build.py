"""The engine built by Go from the modules under `tools/pulumi`, where it cannot be downloaded."""

from __future__ import annotations

import shutil

from common.console import Steps
from common.paths import repo_root
from common.versions import PULUMI_CLI, PULUMI_LANGUAGE_PYTHON
from localcloud.engine.model import CLI, LANGUAGE_EXEC, LANGUAGE_HOST, Engine, folder_problem
from localcloud.toolchain.cache import Entry, Workshop
from localcloud.toolchain.golang import Bundle, Go, Program, ensure_bundle, module_folder

_SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
_VERSION_VARIABLE = f"{_SDK_MODULE}/go/common/version.Version"
_NEEDED_GIB = 7
"""Module and build caches of one build, while it runs."""


def engine_programs() -> tuple[Program, Program]:
    """The command line and the Python language host: two modules, as their versions differ."""
    tools = repo_root() / "tools" / "pulumi"
    return (
        Program(
            module=tools / "cli",
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            output=CLI,
            linker_flags=f"-s -w -X {_VERSION_VARIABLE}=v{PULUMI_CLI}",
        ),
        Program(
            module=tools / "language-python",
            package="github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3",
            output=LANGUAGE_HOST,
            linker_flags=f"-s -w -X {_VERSION_VARIABLE}=v{PULUMI_LANGUAGE_PYTHON}",
        ),
    )


def engine_bundle() -> Bundle:
    """Both programs, and the script that the language host starts, out of the command line's module."""
    return Bundle("pulumi", PULUMI_CLI, engine_programs(), _NEEDED_GIB, mark="go-", finish=_copy_script)


def built_entry() -> Entry:
    """Where a built engine is kept; another recipe is another entry."""
    return engine_bundle().entry


def _copy_script(shop: Workshop, go: Go) -> None:
    cli, _ = engine_programs()
    script = module_folder(shop, go, cli.module, _SDK_MODULE) / "python" / "cmd" / LANGUAGE_EXEC
    target = shop.result / LANGUAGE_EXEC
    shutil.copyfile(script, target)
    target.chmod(0o755)


def build_engine(steps: Steps) -> Engine:
    """The engine that Go builds: some five minutes on two idle cores, once.

    Raises:
        UserError: no Go toolchain, too little disk space, or the build fails.
    """
    title = f"Build Pulumi {PULUMI_CLI} with Go (once; some minutes)"
    folder = ensure_bundle(engine_bundle(), title=title, steps=steps, problem=folder_problem)
    return Engine(
        bin_dir=folder,
        version=PULUMI_CLI,
        origin="build",
        language_host=folder / LANGUAGE_HOST,
        reason=f"built with Go from tools/pulumi; Python language host {PULUMI_LANGUAGE_PYTHON}",
    )
