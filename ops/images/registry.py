"""What the commands ask of container registries, answered by crane with the caller's cloud credentials.

crane gets the credentials in a file of its own that goes when the command ends, never on a command line; what it
prints is cleaned of them before anyone sees it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from common.errors import UserError

LOOK_UP_TIMEOUT_S: Final = 120
COPY_TIMEOUT_S: Final = 3600
"""The serving image has some 10 GB."""
_ABSENT: Final = re.compile(r"MANIFEST_UNKNOWN|NAME_UNKNOWN|NOT_FOUND|unexpected status code 404")
_TAMPERED: Final = re.compile(
    r"does not match|error verifying sha256|digest mismatch|unexpected digest", re.IGNORECASE
)
_DENIED: Final = re.compile(r"UNAUTHORIZED|DENIED|status code 40[13]", re.IGNORECASE)
SHOWN: Final = 400
"""Characters of crane's own words that an error repeats."""


class TamperedError(Exception):
    """A registry gave content that is not what its digest names."""


class Registry(Protocol):
    """Container registries, by full references."""

    def digest(self, reference: str) -> str | None:
        """The digest behind a reference, or None where there is no such image or repository.

        Raises:
            UserError: the registry cannot be asked.
        """
        ...

    def copy(self, source: str, destination: str) -> None:
        """Copy an image with all its architectures; blobs that are there already are not sent again.

        Raises:
            TamperedError: the source's content is not what its digest names.
            UserError: it cannot be copied.
        """
        ...


@dataclass(frozen=True)
class Login:
    """What one registry asks for, as Docker's `auth` field: `user:password` in base64."""

    host: str
    auth: str


@dataclass(frozen=True)
class Crane:
    """`Registry`, by the crane executable."""

    executable: Path
    config_folder: Path
    secrets: Sequence[str] = ()

    def digest(self, reference: str) -> str | None:
        found = self._run(["digest", reference], LOOK_UP_TIMEOUT_S, reference)
        if isinstance(found, _Failed):
            if _ABSENT.search(found.text):
                return None
            raise found.as_user_error()
        return found.strip()

    def copy(self, source: str, destination: str) -> None:
        found = self._run(["copy", source, destination], COPY_TIMEOUT_S, destination)
        if isinstance(found, _Failed):
            if _TAMPERED.search(found.text):
                raise TamperedError(found.text)
            raise found.as_user_error()

    def _run(self, arguments: Sequence[str], timeout_s: int, where: str) -> str | _Failed:
        try:
            done = subprocess.run(
                [str(self.executable), *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                env={**os.environ, "DOCKER_CONFIG": str(self.config_folder)},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _Failed(f"no end after {timeout_s} s", where)
        return done.stdout if done.returncode == 0 else _Failed(self._clean(_last_error(done.stderr)), where)

    def _clean(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True)
class _Failed:
    text: str
    where: str

    def as_user_error(self) -> UserError:
        if _ABSENT.search(self.text):
            remedy = "Make the repositories first: run `pulumi up` without what runs on the cluster."
        elif _DENIED.search(self.text):
            remedy = "Use credentials that may read and push there; docs/accounts.md names the rights."
        else:
            remedy = "Check the network and the registry, and run the command again: what was copied stays."
        return UserError(f"crane fails: {self.text[-SHOWN:]}", self.where, remedy)


def _last_error(stderr: str) -> str:
    """crane's error itself: above it stand warnings of what it tried first, which failed otherwise."""
    _, marker, error = stderr.rpartition("Error: ")
    return (error if marker else stderr).strip()


@contextmanager
def crane(executable: Path, logins: Sequence[Login]) -> Iterator[Crane]:
    """crane with these logins, and no other: neither the user's Docker configuration nor its helpers are read."""
    with tempfile.TemporaryDirectory(prefix="seawall-crane-") as made:
        folder = Path(made)  # of mode 700
        auths: Mapping[str, Mapping[str, str]] = {login.host: {"auth": login.auth} for login in logins}
        config = folder / "config.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps({"auths": auths}), encoding="utf-8")
        yield Crane(executable, folder, tuple(secret for login in logins for secret in secrets_in(login)))


def secrets_in(login: Login) -> tuple[str, ...]:
    """What must never be printed of a login: as it is sent, and the password alone."""
    try:
        password = base64.b64decode(login.auth).decode().partition(":")[2]
    except ValueError:
        password = ""
    return tuple(secret for secret in (login.auth, password) if secret)
