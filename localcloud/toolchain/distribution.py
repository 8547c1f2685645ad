"""Programs from the distribution's own packages, unpacked into the cache: no root, and no system service starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.console import Steps
from common.errors import UserError
from localcloud.toolchain.cache import Entry, Problem, Workshop, build_once
from localcloud.toolchain.system import distribution_tag, platform_tag

_WRAPPER = """#!/bin/sh
# Runs the unpacked program with the libraries that came with it.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export LD_LIBRARY_PATH
exec "$here/packages/usr/bin/{program}" "$@"
"""


@dataclass(frozen=True)
class Packaged:
    """Programs that a distribution packages."""

    package: str
    """What apt is asked to install."""
    programs: tuple[str, ...]
    """Executables below `/usr/bin`; the first names the entry in the cache."""
    always: tuple[str, ...]
    """The packages that hold them: fetched in any case, as they may be installed without being on PATH."""
    remedy: str
    """What a user does who cannot have them this way."""


def has_packages() -> bool:
    """Whether this system has apt."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def ensure_packaged(packaged: Packaged, problem: Problem, steps: Steps | None = None) -> Path:
    """The folder of the programs, from the cache, else unpacked now.

    Raises:
        UserError: the package cannot be had, or what it holds is not usable.
    """
    name = packaged.programs[0]
    folder = build_once(
        Entry(name, f"{distribution_tag()}-{platform_tag()}"),
        lambda shop: unpack_packages(shop, packaged),
        title=f"Unpack the distribution's {name}",
        steps=steps,
        problem=lambda path: problem(path / "bin" / name),
    )
    return folder / "bin"


def unpack_packages(shop: Workshop, packaged: Packaged) -> None:
    """Fetch the packages, signatures checked by apt, and unpack them without installing anything."""
    options = apt_options(shop.scratch, as_root=os.geteuid() == 0)
    downloads = shop.scratch / "packages"
    for folder in ("lists/partial", "cache/archives/partial", "packages"):
        (shop.scratch / folder).mkdir(parents=True)
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    shop.run("apt-get update", ["apt-get", *options, "update"], cwd=downloads, environment=environment)
    planned = subprocess.run(
        ["apt-get", *options, "--simulate", "--no-install-recommends", "install", packaged.package],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if planned.returncode != 0:
        raise UserError(
            f"the distribution has no {packaged.package} to install: {planned.stderr.strip()}",
            "apt-get",
            packaged.remedy,
        )
    shop.run(
        "apt-get download",
        ["apt-get", *options, "download", *missing_packages(planned.stdout, packaged.always)],
        cwd=downloads,
        environment=environment,
    )
    root = shop.result / "packages"
    for package in sorted(downloads.glob("*.deb")):
        shop.run("dpkg-deb", ["dpkg-deb", "--extract", package, root], cwd=downloads, environment=environment)
    for program in packaged.programs:
        write_wrapper(shop.result, program, library_folders(root))


def apt_options(scratch: Path, *, as_root: bool) -> list[str]:
    """Options that keep apt's lists and downloads out of the system's own folders."""
    options = ["-qq", "-o", f"Dir::State::Lists={scratch / 'lists'}", "-o", f"Dir::Cache={scratch / 'cache'}"]
    # As root apt downloads as the user _apt, who cannot enter a cache folder in a private home.
    return [*options, "-o", "APT::Sandbox::User=root"] if as_root else options


def missing_packages(simulated: str, always: Sequence[str]) -> list[str]:
    """The packages that `apt-get --simulate install` would install, and `always`."""
    names = {words[1] for words in map(str.split, simulated.splitlines()) if words[:1] == ["Inst"] and words[1:]}
    return sorted(names | set(always))


def library_folders(root: Path) -> list[Path]:
    """The folders under `root` that hold shared libraries, relative to the folder that `root` lies in."""
    return sorted({library.parent.relative_to(root.parent) for library in root.rglob("lib*.so*")})


def write_wrapper(result: Path, program: str, libraries: Sequence[Path]) -> None:
    """Write `bin/<program>`, which finds its libraries wherever `result` is moved to."""
    wrapper = result / "bin" / program
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(
        _WRAPPER.format(program=program, libraries=":".join(f"$here/{folder}" for folder in libraries))
    )
    wrapper.chmod(0o755)
