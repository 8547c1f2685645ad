"""What the repository holds: nothing of any one machine, pinned dependencies, files that say their purpose."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "requirements.lock",
    "serving_image/requirements.lock",
    "serving_image/runtime.lock",
    "tests/faults/aws_cli/requirements.lock",
)

# Put together here, so that this file does not hold them itself.
MACHINE_PATHS = tuple("/".join(("", *parts, "")) for parts in (("work",), ("root",), ("home", "runner"), ("Users",)))
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("registry", "npmjs", "org"),
    )
)


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks, and every new one that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def texts() -> dict[str, str]:
    """The text of every tracked text file, by its path."""
    read = {}
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            read[path.relative_to(ROOT).as_posix()] = data.decode("utf-8", errors="replace")
    return read


def test_there_is_something_to_check() -> None:
    assert {"README.md", "Makefile", "ops/cli.py"} <= texts().keys()


def test_no_file_holds_a_path_of_somebody_s_machine() -> None:
    found = {(name, path) for name, text in texts().items() for path in MACHINE_PATHS if path in text}
    assert not found


def test_no_file_holds_the_address_of_a_package_registry() -> None:
    found = {(name, host) for name, text in texts().items() for host in REGISTRY_HOSTS if host in text}
    assert not found, "a registry is the installer's setting, and an address in a lock overrules it"


def test_no_file_holds_a_private_key() -> None:
    begin = re.compile("-----BEGIN [A-Z ]*PRIVATE" + " KEY-----")
    assert not {name for name, text in texts().items() if begin.search(text)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_version_and_hashes_and_no_address(name: str) -> None:
    joined = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    requirements = [line for line in joined.splitlines() if line and not line.startswith((" ", "#"))]
    assert requirements
    for requirement in requirements:
        package = requirement.split()[0]
        assert "==" in package, package
        assert "--hash=sha256:" in requirement, package
        assert "://" not in requirement, package


def test_every_python_file_begins_with_what_it_is_for() -> None:
    silent = {
        name
        for name, text in texts().items()
        if name.endswith(".py") and text.strip() and not ast.get_docstring(ast.parse(text))
    }
    assert not silent


def test_no_tracked_file_is_large() -> None:
    large = {path.name for path in tracked() if path.stat().st_size > 1_000_000}
    assert not large, "data and builds do not belong into the repository"
