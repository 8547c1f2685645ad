"""Writes the Go module of another minor version of Kubernetes, or of another patch release of one.

python -m localcloud.toolchain.minor 1.36.3     # writes tools/kubernetes/1.36; then name it in common/versions.py

Kubernetes replaces its staging modules by folders of its repository, which a module that requires it does not have:
each is replaced by its own release of the same number. Needs a Go toolchain and a module proxy.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from common.errors import EXIT_COULD_NOT_RUN, UserError
from common.paths import repo_root
from localcloud.toolchain.golang import find_go
from localcloud.toolchain.kubernetes import API_SERVER, CONTROLLER_MANAGER, ETCD_PACKAGE, SCHEDULER

_KUBERNETES: Final = "k8s.io/kubernetes"
_OLDEST_GO: Final = "1.24"
_REPLACED: Final = re.compile(r"^\s*(k8s\.io/\S+) => \./staging/", re.MULTILINE)
_GO: Final = re.compile(r"^go (\S+)$", re.MULTILINE)
_TOOLS: Final = """//go:build tools

// Package tools keeps the programs of a control plane among this module's requirements.
// Kubernetes replaces its staging modules by folders of its own repository, which a module that requires it does not
// have: go.mod names each of them by its own version.
package tools

import (
{imports}
)
"""


def go_mod(version: str, theirs: str) -> str:
    """The go.mod of a control plane, before `go mod tidy`.

    Args:
        version: such as `1.35.4`.
        theirs: the text of that release's own go.mod.

    Raises:
        UserError: it names no version of etcd's server, or replaces nothing.
    """
    etcd = re.search(rf"^\s*{re.escape(ETCD_PACKAGE)} (v\S+)", theirs, re.MULTILINE)
    staging, go = _REPLACED.findall(theirs), _GO.search(theirs)
    if etcd is None or go is None or not staging:
        raise UserError(f"{_KUBERNETES} {version} names no etcd or no staging modules", "go.mod", "Write it by hand.")
    _, minor, patch = version.split(".")
    replaced = "".join(f"\t{name} => {name} v0.{minor}.{patch}\n" for name in staging)
    return (
        f"module seawall/tools/kubernetes/v1{minor}\n\ngo {go[1]}\n\n"
        f"require (\n\t{ETCD_PACKAGE} {etcd[1]}\n\t{_KUBERNETES} v{version}\n)\n\nreplace (\n{replaced})\n"
    )


def tools_go() -> str:
    """The file that keeps the programs required."""
    programs = (f"{_KUBERNETES}/cmd/{name}" for name in (API_SERVER, CONTROLLER_MANAGER, SCHEDULER))
    return _TOOLS.format(imports="\n".join(f'\t_ "{package}"' for package in (ETCD_PACKAGE, *programs)))


def write_module(version: str, folder: Path) -> None:
    """Write go.mod, go.sum and tools.go for a release.

    Raises:
        UserError: no Go toolchain, or Go cannot fetch the modules.
    """
    go = find_go(_OLDEST_GO).executable
    folder.mkdir(parents=True, exist_ok=True)
    told = _run([go, "mod", "download", "-json", f"{_KUBERNETES}@v{version}"], folder)
    theirs = Path(json.loads(told)["GoMod"]).read_text(encoding="utf-8")
    (folder / "go.mod").write_text(go_mod(version, theirs), encoding="utf-8")
    (folder / "tools.go").write_text(tools_go(), encoding="utf-8")
    _run([go, "mod", "tidy"], folder)


def _run(command: Sequence[Any], folder: Path) -> str:
    environment = {**os.environ, "GOFLAGS": "-modcacherw", "GOWORK": "off"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UserError(
            f"{' '.join(map(str, command[1:3]))} failed: {(done.stderr or done.stdout).strip()}",
            str(folder),
            "See whether the module proxy has this version.",
        )
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """Write the module of the release that is named."""
    if len(arguments) != 1 or not re.fullmatch(r"1\.\d+\.\d+", arguments[0]):
        sys.stderr.write("Name one release, as in `python -m localcloud.toolchain.minor 1.36.3`.\n")
        return EXIT_COULD_NOT_RUN
    version = arguments[0]
    folder = repo_root() / "tools" / "kubernetes" / version.rpartition(".")[0]
    try:
        write_module(version, folder)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_COULD_NOT_RUN
    sys.stdout.write(
        f"{folder}: name {version} in KUBERNETES of common/versions.py, and in .github/dependabot.yml.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
