"""Images are copied by tag and verified by digest; what cannot be trusted is refused, what broke off goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from common.console import Steps
from common.errors import UserError
from components.contracts.images import pinned_tag
from ops.images.registry import Crane, Login, TamperedError, crane
from ops.images.sync import sync
from ops.images.wanted import State, Wanted, judge

QUIET = Steps(quiet=True)
NOWHERE = f"sha256:{'0' * 64}"


def wanted(local: object, digest: str, source: str | None, tag: str = "v1") -> Wanted:
    """An image that is to lie in the local registry."""
    return Wanted("quay.example/app", "eu-west-1", f"{local.host}/mirror/app", tag, digest, source)  # type: ignore[attr-defined]


def states(images: list[Wanted], client: Crane) -> list[State]:
    """How they stand, without changing anything."""
    return [found.state for found in judge(images, client.digest)]


def test_a_missing_image_is_copied_under_its_tag(local, client) -> None:
    digest = local.push("upstream/app", "v1", {"a": b"1"})
    image = wanted(local, digest, f"{local.host}/upstream/app@{digest}")
    assert states([image], client) == [State.MISSING]
    assert [found.state for found in sync([image], client, QUIET)] == [State.PRESENT]
    assert local.crane("digest", image.tagged) == digest


def test_every_architecture_comes_along(local, client) -> None:
    children = [f"{local.host}/upstream/app@{local.push('upstream/app', n, {n: b'x'})}" for n in ("amd", "arm")]
    digest = local.push_index("upstream/app", "v1", *children)
    image = wanted(local, digest, f"{local.host}/upstream/app@{digest}")
    sync([image], client, QUIET)
    for child in children:
        assert client.digest(f"{image.repository}@{child.partition('@')[2]}"), "a node pulls the child of its kind"


def test_a_second_sync_copies_nothing(local, client) -> None:
    digest = local.push("upstream/app", "v1", {"a": b"1"})
    image = wanted(local, digest, f"{local.host}/upstream/app@{digest}")
    sync([image], client, QUIET)

    class NoCopies(Crane):
        def copy(self, source: str, destination: str) -> None:
            raise AssertionError(f"copied {source} again")

    idle = NoCopies(client.executable, client.config_folder)
    assert [found.state for found in sync([image], idle, QUIET)] == [State.PRESENT]


def test_an_image_without_a_tag_is_given_one(local, client) -> None:
    digest = local.push("mirror/app", "other", {"a": b"1"})
    image = wanted(local, digest, None, pinned_tag(digest))
    assert states([image], client) == [State.UNTAGGED], "the maker's tag may be deleted at any time"
    assert [found.state for found in sync([image], client, QUIET)] == [State.PRESENT]


def test_a_tag_that_names_another_image_is_left_and_reported(local, client) -> None:
    other = local.push("mirror/app", "v1", {"a": b"2"})
    digest = local.push("upstream/app", "v1", {"a": b"1"})
    image = wanted(local, digest, f"{local.host}/upstream/app@{digest}")
    (found,) = sync([image], client, QUIET)
    assert (found.state, local.crane("digest", image.tagged)) == (State.TAKEN, other)
    assert other in found.detail and "Delete the tag" in found.remedy


def test_an_image_that_only_its_maker_can_push_is_missing(local, client) -> None:
    (found,) = sync([wanted(local, NOWHERE, None)], client, QUIET)
    assert found.state is State.MISSING
    assert "push it" in found.remedy


def test_what_the_source_does_not_have_is_missing_and_the_rest_is_copied(local, client) -> None:
    digest = local.push("upstream/app", "v1", {"a": b"1"})
    absent = wanted(local, NOWHERE, f"{local.host}/upstream/app@{NOWHERE}", "v0")
    image = wanted(local, digest, f"{local.host}/upstream/app@{digest}")
    found = sync([absent, image], client, QUIET)
    assert [one.state for one in found] == [State.MISSING, State.PRESENT]
    assert NOWHERE in found[0].detail


def test_the_backup_region_copies_what_the_primary_has_just_got(local, client) -> None:
    digest = local.push("upstream/app", "v1", {"a": b"1"})
    here = wanted(local, digest, f"{local.host}/upstream/app@{digest}")
    away = dataclasses.replace(here, repository=f"{local.host}/away/app", source=here.pinned)
    assert [one.state for one in sync([here, away], client, QUIET)] == [State.PRESENT] * 2


def test_a_copy_that_broke_off_goes_on(stopped, client) -> None:
    with stopped.running():
        digest = stopped.push("upstream/app", "v1", {"a": b"1"})
        second = stopped.push("upstream/app", "v2", {"b": b"2"})
        images = [
            wanted(stopped, digest, f"{stopped.host}/upstream/app@{digest}"),
            wanted(stopped, second, f"{stopped.host}/upstream/app@{second}", "v2"),
        ]

        class Broken(Crane):
            def copy(self, source: str, destination: str) -> None:
                if destination.endswith(":v2"):
                    raise KeyboardInterrupt
                super().copy(source, destination)

        with pytest.raises(KeyboardInterrupt):
            sync(images, Broken(client.executable, client.config_folder), QUIET)
        assert states(images, client) == [State.PRESENT, State.MISSING]
        assert [one.state for one in sync(images, client, QUIET)] == [State.PRESENT] * 2


def test_a_registry_that_is_down_says_so_and_that_nothing_is_lost(stopped, client) -> None:
    with pytest.raises(UserError) as refused:
        sync([wanted(stopped, NOWHERE, "registry.example/app")], client, QUIET)
    assert "refused" in refused.value.what and stopped.host in refused.value.where
    assert "what was copied stays" in refused.value.remedy


# Registries that lie or leak


class Lying(BaseHTTPRequestHandler):
    """Answers a manifest with content of another digest, and a refusal with the caller's credentials."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.path == "/v2/":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.end_headers()
        elif "/leaks/" in self.path:
            body = f"no entry for {self.headers.get('Authorization', '')}".encode()
            self._send(403, "text/plain", body, {})
        else:
            body = b'{"schemaVersion": 2, "config": {}, "layers": []}'
            digest = self.path.rpartition("/")[2]
            self._send(200, "application/vnd.oci.image.manifest.v1+json", body, {"Docker-Content-Digest": digest})

    def _send(self, status: int, kind: str, body: bytes, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def liar() -> Iterator[str]:
    """The address of a registry that lies."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lying)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_content_that_is_not_what_its_digest_names_is_refused(local, executable: Path, liar: str) -> None:
    image = wanted(local, NOWHERE, f"{liar}/app@{NOWHERE}")
    with crane(executable, [Login(liar, "dXNlcjpwYXNz")]) as client:
        with pytest.raises(TamperedError):
            client.copy(f"{liar}/app@{NOWHERE}", image.tagged)
        (found,) = sync([image], client, QUIET)
    assert found.state is State.REFUSED
    with pytest.raises(Exception, match="non-zero exit"):
        local.crane("digest", image.tagged)


def test_credentials_are_never_printed(executable: Path, liar: str) -> None:
    password = "canary-9f31c2"
    login = Login(liar, "dXNlcjpjYW5hcnktOWYzMWMy")
    with crane(executable, [login]) as client:
        with pytest.raises(UserError) as refused:
            client.digest(f"{liar}/leaks/app:v1")
        folder = client.config_folder
        assert (folder / "config.json").stat().st_mode & 0o077 == 0
    said = str(refused.value)
    assert "***" in said, "the registry repeats what it was sent"
    assert password not in said and login.auth not in said
    assert not folder.exists(), "the login goes with the command"
