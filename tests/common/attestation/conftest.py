"""A signer, somebody who trusts them, and a statement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from common.attestation.signers import Signing, open_signer
from common.attestation.statement import Statement, Subject
from common.attestation.trust import Trust, trust_from

TYPE = "urn:test:v1"


@pytest.fixture
def make_signer(tmp_path: Path) -> Callable[[str], Signing]:
    """Makes a signer with a key in a file of this name."""
    return lambda name: open_signer(str(tmp_path / f"{name}.pem"))


@pytest.fixture
def signer(make_signer: Callable[[str], Signing]) -> Signing:
    return make_signer("alice")


@pytest.fixture
def trust(signer: Signing) -> Trust:
    """Of that signer alone."""
    return trust_from([signer.name], None)


@pytest.fixture
def statement() -> Statement:
    subject = Subject("manifest.json", {"sha256": "ab" * 32})
    return Statement((subject,), TYPE, {"verdict": "proven", "count": 3, "rate": 0.25, "none": None})
