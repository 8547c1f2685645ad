"""Pulumi's official download, checked against its published checksums."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path, PurePosixPath

import requests

from common.console import Steps
from common.errors import UserError
from common.versions import PULUMI_CLI
from localcloud.engine.model import LANGUAGE_HOST, Engine, folder_problem
from localcloud.toolchain.cache import Entry, Workshop, build_once
from localcloud.toolchain.system import platform_tag

RELEASES = "https://get.pulumi.com/releases/sdk"
SUPPORTED_PLATFORMS = ("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64")

_CONNECT_SECONDS = 4.0
_READ_SECONDS = 30.0
_CHUNK_BYTES = 1 << 20


def archive_name(version: str, platform: str) -> str:
    """The file name of a release's archive."""
    return f"pulumi-v{version}-{platform}.tar.gz"


def checksums_name(version: str) -> str:
    """The file name of a release's SHA-256 checksums; unlike the archive's it has no `v`."""
    return f"pulumi-{version}-checksums.txt"


def downloaded_entry() -> Entry:
    """Where a downloaded engine is kept."""
    return Entry("pulumi", f"{PULUMI_CLI}-{platform_tag()}-download")


def expected_sha256(checksums: str, archive: str) -> str | None:
    """The checksum of `archive` in a file of `<sha256>  <name>` lines, or None where it is not listed."""
    for line in checksums.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].removeprefix("*") == archive:
            return words[0].lower()
    return None


def download_engine(steps: Steps, releases: str = RELEASES) -> Engine:
    """The engine as Pulumi publishes it. A network that does not answer is given up on within seconds.

    Raises:
        UserError: no release for this platform, no network, or a checksum that does not match.
    """
    if platform_tag() not in SUPPORTED_PLATFORMS:
        raise UserError(
            f"Pulumi publishes no archive that Seawall can unpack for {platform_tag()}",
            releases,
            f"Install pulumi {PULUMI_CLI} or newer and put it on PATH.",
        )
    folder = build_once(
        downloaded_entry(),
        lambda shop: fetch_and_unpack(shop, releases, PULUMI_CLI, platform_tag()),
        title=f"Download Pulumi {PULUMI_CLI}",
        steps=steps,
        problem=folder_problem,
    )
    return Engine(
        bin_dir=folder,
        version=PULUMI_CLI,
        origin="download",
        language_host=folder / LANGUAGE_HOST,
        reason="Pulumi's official download, its SHA-256 as published",
    )


def fetch_and_unpack(shop: Workshop, releases: str, version: str, platform: str) -> None:
    """Fetch one release and unpack its programs into the result folder, flat.

    Raises:
        UserError: see `download_engine`.
    """
    name = archive_name(version, platform)
    checksums = f"{releases}/{checksums_name(version)}"
    address = f"{releases}/{name}"
    try:
        with requests.Session() as session:
            listed = session.get(checksums, timeout=(_CONNECT_SECONDS, _READ_SECONDS))
            listed.raise_for_status()
            expected = expected_sha256(listed.text, name)
            if expected is None:
                raise UserError(f"the published checksums do not list {name}", checksums, _report_remedy())
            archive = shop.scratch / name
            found = _fetch(session, address, archive, shop)
    except requests.RequestException as error:
        raise UserError(
            f"the download failed: {_plain(error)}", address, "Check the network, or the proxy settings."
        ) from error
    if found != expected:
        raise UserError(
            f"the download was refused: its SHA-256 is {found}, and {expected} is published",
            address,
            _report_remedy(),
        )
    unpack(archive, shop.result)


def _fetch(session: requests.Session, address: str, target: Path, shop: Workshop) -> str:
    digest = hashlib.sha256()
    received = 0
    with session.get(address, timeout=(_CONNECT_SECONDS, _READ_SECONDS), stream=True) as answer:
        answer.raise_for_status()
        total = int(answer.headers.get("Content-Length", 0))
        with target.open("wb") as file:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                share = f" of {total / 1e6:.0f}" if total else ""
                shop.tick(f"{received / 1e6:.0f}{share} MB")
    return digest.hexdigest()


def unpack(archive: Path, target: Path) -> None:
    """Copy the regular files in the archive's `pulumi/` folder into `target`, executable.

    Only file names are taken from the archive, never its folders, links or modes.

    Raises:
        UserError: it is no archive.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                source = tar.extractfile(member) if member.isreg() and name.parts[:1] == ("pulumi",) else None
                if source is None:
                    continue
                destination = target / name.name
                with source, destination.open("wb") as file:
                    shutil.copyfileobj(source, file)
                destination.chmod(0o755)
    except (tarfile.TarError, EOFError) as error:
        raise UserError(f"the download is no archive: {error}", str(archive), _report_remedy()) from error


def _plain(error: requests.RequestException) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return "the site does not answer"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the site answers {error.response.status_code}"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refuses the connection"
    if isinstance(error, requests.ConnectionError):
        return "the site cannot be reached"
    return type(error).__name__


def _report_remedy() -> str:
    return "Try again later; if it stays so, install pulumi yourself and put it on PATH."
