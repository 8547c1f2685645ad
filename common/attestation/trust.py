"""Whom a reader of signed statements trusts: told on the command line, or kept in a file of allowed signers.

A line of the file names one signer, who they are first and what they sign with second:

    alice@example.com   SHA256:9f2c…                       the fingerprint of their key
    drill workflow      sigstore IDENTITY ISSUER           keyless: the identity in Sigstore's certificate

Empty lines, and what follows a `#`, say nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.attestation.keys import FINGERPRINT, fingerprint_of
from common.errors import UserError
from common.paths import home_dir, repo_root

FILE_NAME: Final = "allowed-signers"


@dataclass(frozen=True)
class KeylessIdentity:
    """Who signs without a key of their own: what Sigstore's certificate says of them."""

    identity: str
    issuer: str


@dataclass(frozen=True)
class TrustedSigner:
    """A signer that a reader trusts; `told_by` says where that stands."""

    who: str
    signs_with: str | KeylessIdentity
    told_by: str


@dataclass(frozen=True)
class Trust:
    """All signers that a reader trusts."""

    signers: tuple[TrustedSigner, ...]

    def holder(self, fingerprint: str) -> TrustedSigner | None:
        """Who signs with the key of this fingerprint, if they are trusted."""
        return next((s for s in self.signers if s.signs_with == fingerprint), None)

    def keyless(self) -> tuple[tuple[TrustedSigner, KeylessIdentity], ...]:
        """Those who sign without a key."""
        return tuple((s, s.signs_with) for s in self.signers if isinstance(s.signs_with, KeylessIdentity))


def config_dir() -> Path:
    """Seawall's folder for what belongs to one user: `$XDG_CONFIG_HOME/seawall`, else `~/.config/seawall`."""
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else home_dir() / ".config") / "seawall"


def default_files() -> tuple[Path, ...]:
    """Where allowed signers are kept: in the checkout, where a review sees each change, and in the user's folder."""
    return repo_root() / FILE_NAME, config_dir() / FILE_NAME


def trust_from(signers: Sequence[str], file: Path | None, defaults: Iterable[Path] = ()) -> Trust:
    """Whom to trust: those named, else those of the file, else those of the default files that are there.

    Args:
        signers: fingerprints, or files with a public key.

    Raises:
        UserError: nobody is named anywhere, or what is named cannot be read.
    """
    named = tuple(TrustedSigner(signer, fingerprint_of(signer), "--signer") for signer in signers)
    listed = read_allowed(file) if file is not None else ()
    if named or file is not None:
        return Trust((*named, *listed))
    places = tuple(defaults)
    found = tuple(signer for place in places if place.is_file() for signer in read_allowed(place))
    if not found:
        raise UserError(
            "nobody is trusted yet, so no signature proves anything",
            " or ".join(map(str, places)) or "--signer",
            "Name the signer with `--signer SHA256:…` (ask them for their fingerprint; the file itself cannot vouch "
            "for it), or write allowed signers into one of these files.",
        )
    return Trust(found)


def read_allowed(path: Path) -> tuple[TrustedSigner, ...]:
    """The signers of a file.

    Raises:
        UserError: it cannot be read, or a line names nobody.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        remedy = "Name a file of allowed signers with --allowed-signers."
        raise UserError(f"the allowed signers cannot be read: {why}", str(path), remedy) from error
    return parse_allowed(lines, str(path))


def parse_allowed(lines: Iterable[str], where: str) -> tuple[TrustedSigner, ...]:
    """The signers that the lines of a file name.

    Raises:
        UserError: a line names nobody.
    """
    parsed = ((number, line.partition("#")[0].split()) for number, line in enumerate(lines, 1))
    return tuple(_signer(words, f"{where}:{number}") for number, words in parsed if words)


def _signer(words: Sequence[str], where: str) -> TrustedSigner:
    if len(words) >= 2 and FINGERPRINT.fullmatch(words[-1]):
        return TrustedSigner(" ".join(words[:-1]), words[-1], where)
    if len(words) >= 4 and words[-3] == "sigstore":
        return TrustedSigner(" ".join(words[:-3]), KeylessIdentity(words[-2], words[-1]), where)
    raise UserError(
        f"the line names no signer: {' '.join(words)!r}",
        where,
        "Write who it is and then SHA256:… with 64 hex digits, or `sigstore IDENTITY ISSUER`.",
    )
