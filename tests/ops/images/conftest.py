"""A real registry on this machine, run by crane itself, with images to copy."""

from __future__ import annotations

import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from localcloud.front import ensure_crane
from localcloud.processes.process import free_ports
from ops.images.registry import Crane, crane


@pytest.fixture(scope="session")
def executable() -> Path:
    """crane: found, or built once."""
    return ensure_crane()


@dataclass(frozen=True)
class LocalRegistry:
    """A registry that serves from a folder, so that it can stop and come back."""

    executable: Path
    host: str
    folder: Path

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve for the length of a block."""
        command = [self.executable, "registry", "serve", "--address", self.host, "--disk", self.folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(self.host)
            yield
        finally:
            process.kill()
            process.wait()

    def push(self, repository: str, tag: str, content: Mapping[str, bytes]) -> str:
        """Push an image with one layer of these files; returns its digest."""
        layer = self.folder / "layer.tar"
        with tarfile.open(layer, "w") as archive:
            for name, data in content.items():
                file = self.folder / name
                file.write_bytes(data)
                archive.add(file, name)
        reference = f"{self.host}/{repository}:{tag}"
        self.crane("append", "--new_layer", str(layer), "--new_tag", reference)
        return self.crane("digest", reference)

    def push_index(self, repository: str, tag: str, *children: str) -> str:
        """Push an index of these images; returns its digest."""
        reference = f"{self.host}/{repository}:{tag}"
        manifests = [word for child in children for word in ("--manifest", child)]
        self.crane("index", "append", *manifests, "--tag", reference)
        return self.crane("digest", reference)

    def crane(self, *words: str) -> str:
        """Run crane; returns what it prints."""
        done = subprocess.run([self.executable, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()


def _wait_for(host: str) -> None:
    name, _, port = host.partition(":")
    for _ in range(200):
        try:
            socket.create_connection((name, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"no registry at {host}")


def free_address() -> str:
    """An address of this machine that nobody listens on."""
    return f"127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture
def stopped(executable: Path, tmp_path: Path) -> LocalRegistry:
    """A registry that does not serve yet."""
    folder = tmp_path / "registry"
    folder.mkdir()
    return LocalRegistry(executable, free_address(), folder)


@pytest.fixture
def local(stopped: LocalRegistry) -> Iterator[LocalRegistry]:
    """A registry that serves: all that a test copies lies in it, under different names."""
    with stopped.running():
        yield stopped


@pytest.fixture
def client(executable: Path) -> Iterator[Crane]:
    """crane without a login, as the commands use it."""
    with crane(executable, []) as made:
        yield made


def words_of(calls: Sequence[tuple[str, ...]]) -> list[str]:
    """The first word of each call."""
    return [call[0] for call in calls]
