"""Claims about Pulumi's official download, against a site of our own on loopback."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.console import Steps
from common.errors import UserError
from common.versions import PULUMI_CLI
from localcloud.engine import download
from localcloud.engine.download import archive_name, checksums_name, download_engine, expected_sha256, unpack
from localcloud.engine.model import PROGRAMS, Engine

pytestmark = pytest.mark.usefixtures("own_cache")

PLATFORM = "linux-x64"
ARCHIVE = archive_name(PULUMI_CLI, PLATFORM)
CHECKSUMS = checksums_name(PULUMI_CLI)

Serve = Callable[[dict[str, bytes]], str]


def tar_gz(files: dict[str, bytes], link: tuple[str, str] | None = None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo(link[0])
            member.type, member.linkname = tarfile.SYMTYPE, link[1]
            tar.addfile(member)
    return packed.getvalue()


RELEASE = tar_gz({f"pulumi/{name}": name.encode() for name in PROGRAMS})


def listing(content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {ARCHIVE}\n".encode()


@pytest.fixture(autouse=True)
def known_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "platform_tag", lambda: PLATFORM)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(files: dict[str, bytes]) -> str:
        class Site(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path.removeprefix("/"))
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_download_with_the_published_checksum_is_unpacked(serve: Serve, steps: Steps) -> None:
    engine = download_engine(steps, serve({CHECKSUMS: listing(RELEASE), ARCHIVE: RELEASE}))
    assert engine == Engine(
        bin_dir=download.downloaded_entry().path,
        version=PULUMI_CLI,
        origin="download",
        language_host=download.downloaded_entry().path / "pulumi-language-python",
        reason=engine.reason,
    )
    assert engine.cli.read_bytes() == b"pulumi"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({CHECKSUMS: listing(b"another"), ARCHIVE: RELEASE}, "was refused: its SHA-256 is"),
        ({CHECKSUMS: b"aa  another.tar.gz\n", ARCHIVE: RELEASE}, "do not list"),
        ({ARCHIVE: RELEASE}, "answers 404"),
        ({CHECKSUMS: listing(RELEASE)}, "answers 404"),
        ({CHECKSUMS: listing(b"text"), ARCHIVE: b"text"}, "is no archive"),
        ({CHECKSUMS: listing(RELEASE[:-40]), ARCHIVE: RELEASE[:-40]}, "is no archive"),
        ({CHECKSUMS: listing(tar_gz({})), ARCHIVE: tar_gz({})}, "not usable"),
    ],
    ids=["wrong-checksum", "not-listed", "no-checksums", "no-archive", "no-tar", "truncated", "empty"],
)
def test_a_bad_download_is_refused_and_leaves_nothing(
    serve: Serve, steps: Steps, files: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        download_engine(steps, serve(files))
    assert list(download.downloaded_entry().path.parent.iterdir()) == []


def test_a_site_that_is_not_there_is_given_up_on_within_seconds(steps: Steps) -> None:
    start = time.monotonic()
    with pytest.raises(UserError, match="cannot be reached"):
        download_engine(steps, "http://127.0.0.1:1")
    assert time.monotonic() - start < 10


def test_a_platform_without_a_release_is_told_before_any_download(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "platform_tag", lambda: "freebsd14-x64")
    with pytest.raises(UserError, match="freebsd14-x64"):
        download_engine(steps, "http://127.0.0.1:1")


def test_only_plain_files_of_the_release_are_unpacked_under_their_own_names(tmp_path: Path) -> None:
    archive, target = tmp_path / "a.tar.gz", tmp_path / "target"
    target.mkdir()
    files = {"pulumi/bin/pulumi": b"1", "pulumi/../../escaped": b"2", "other/file": b"3"}
    archive.write_bytes(tar_gz(files, link=("pulumi/link", "/etc/passwd")))
    unpack(archive, target)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a.tar.gz", "escaped", "pulumi"]
    assert (target / "escaped").is_file(), "its folders were dropped, so it cannot leave the target"


def test_the_checksum_is_that_of_the_archive_and_of_no_other() -> None:
    text = f"aa  {ARCHIVE}.sig\nBB  {ARCHIVE}\ncc  x-{ARCHIVE}\n"
    assert expected_sha256(text, ARCHIVE) == "bb"


def test_the_addresses_are_pulumis() -> None:
    assert (
        "https://get.pulumi.com/releases/sdk",
        f"pulumi-v{PULUMI_CLI}-linux-x64.tar.gz",
        f"pulumi-{PULUMI_CLI}-checksums.txt",
    ) == (download.RELEASES, ARCHIVE, CHECKSUMS)
