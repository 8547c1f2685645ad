"""Whom a reader trusts is told, never taken from what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.attestation.signers import Signing
from common.attestation.trust import KeylessIdentity, read_allowed, trust_from
from common.errors import UserError

KEY = "SHA256:" + "ab" * 32


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    path = tmp_path / "allowed-signers"
    path.write_text(
        f"# people\nalice of the platform team  {KEY}  # until June\n\n"
        "drill workflow sigstore https://github.com/a/b/.github/workflows/d.yml@refs/heads/main https://issuer\n"
    )
    return path


def test_a_file_names_keys_and_keyless_identities(allowed: Path) -> None:
    alice, workflow = read_allowed(allowed)
    assert (alice.who, alice.signs_with, alice.told_by) == ("alice of the platform team", KEY, f"{allowed}:2")
    identity = "https://github.com/a/b/.github/workflows/d.yml@refs/heads/main"
    assert (workflow.who, workflow.signs_with) == ("drill workflow", KeylessIdentity(identity, "https://issuer"))


@pytest.mark.parametrize("line", [KEY, "alice", "alice SHA256:ab", "sigstore a b", "alice " + KEY.upper()])
def test_a_line_that_names_nobody_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "f").write_text(f"\n{line}\n")
    with pytest.raises(UserError, match="names no signer") as refused:
        read_allowed(tmp_path / "f")
    assert refused.value.where.endswith(":2")


def test_without_anybody_to_trust_the_remedy_names_where_to_say_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nobody is trusted") as refused:
        trust_from([], None, [tmp_path / "nowhere"])
    assert "--signer" in refused.value.remedy


def test_who_is_named_replaces_the_default_files(allowed: Path) -> None:
    other = "SHA256:" + "cd" * 32
    trust = trust_from([other], None, [allowed])
    assert (trust.holder(KEY), trust.holder(other) is None) == (None, False)


def test_the_default_files_count_where_nobody_is_named(allowed: Path) -> None:
    assert trust_from([], None, [allowed]).holder(KEY)


def test_a_public_key_file_names_its_signer(tmp_path: Path, signer: Signing) -> None:
    (tmp_path / "public.pem").write_text(signer.public_key_pem or "")
    for file in ("public.pem", "alice.pem"):
        assert trust_from([str(tmp_path / file)], None).holder(signer.name)


@pytest.mark.parametrize(
    "content", [None, b"", b"no key", b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"]
)
def test_a_signer_that_is_neither_key_nor_fingerprint_is_a_plain_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(UserError):
        trust_from([str(tmp_path / "key")], None)
