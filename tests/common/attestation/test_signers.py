"""Keys in files, in both clouds' key services, and identities without one."""

from __future__ import annotations

import base64
import hashlib
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from common.attestation.envelope import opened, sealed
from common.attestation.keys import checked, from_pem
from common.attestation.signers import Signing, default_key, open_signer
from common.attestation.statement import Statement
from common.attestation.trust import trust_from
from common.errors import UserError
from common.gcp_api import GcpApi
from common.target import Target
from localcloud.aws.emulator import AwsEmulator
from localcloud.emulators import StackPlace
from localcloud.gcp.emulator import GcpEmulator

TYPE = "urn:test:v1"


def test_a_file_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config" / "key.pem"
    first, second = open_signer(str(path)), open_signer(str(path))
    assert first.name == second.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["key.pem"]


def test_a_key_that_others_may_read_does_not_sign(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    open_signer(str(path))
    path.chmod(0o640)
    with pytest.raises(UserError, match="others may read"):
        open_signer(str(path))


@pytest.mark.parametrize("kind", ["no key", "rsa"])
def test_a_file_that_holds_no_ed25519_key_is_a_plain_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key.pem"
    rsa = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(rsa if kind == "rsa" else b"no key")
    path.chmod(0o600)
    with pytest.raises(UserError, match="signing key"):
        open_signer(str(path))


def test_the_key_can_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_SIGNING_KEY", "awskms://arn:aws:kms:eu-west-1:1:key/2")
    assert default_key() == "awskms://arn:aws:kms:eu-west-1:1:key/2"


def test_a_fingerprint_is_the_digest_of_the_public_keys_der(signer: Signing) -> None:
    lines = (signer.public_key_pem or "").splitlines()
    der = base64.b64decode("".join(line for line in lines if "-----" not in line))
    assert signer.name == f"SHA256:{hashlib.sha256(der).hexdigest()}"
    assert isinstance(from_pem(signer.public_key_pem or ""), Ed25519PublicKey)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("azurekms://x", "no signer"),
        ("awskms://alias/x", "no key's ARN"),
        ("gcpkms://projects/p", "no version of a key"),
        ("sigstore://me", "identity and its issuer"),
    ],
)
def test_a_signer_that_cannot_be_is_refused_with_what_can(named: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        open_signer(named)


def test_keyless_is_refused_by_name_where_its_package_is_not_installed() -> None:
    with pytest.raises(UserError, match="package `sigstore`"):
        open_signer("sigstore://me@example.com?issuer=https://issuer")


def test_an_rsa_key_is_none_that_signs_here() -> None:
    with pytest.raises(ValueError, match="no Ed25519 key"):
        checked(generate_private_key(65537, 2048).public_key())


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    emulator = AwsEmulator(
        StackPlace("dev-aws", "eu-west-1", "eu-central-1", "111122223333"), tmp_path_factory.mktemp("a")
    )
    emulator.start(None)
    yield emulator.target()
    emulator.stop()


@pytest.fixture(scope="module")
def gcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    emulator = GcpEmulator(
        StackPlace("dev-gcp", "europe-west1", "europe-north1", "acme"), tmp_path_factory.mktemp("g")
    )
    emulator.start(None)
    yield emulator.target()
    emulator.stop()


def kms(target: Target) -> Any:
    make: Any = boto3.client
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return make("kms", region_name="eu-west-1", endpoint_url=target.aws_endpoint_url, **keys)


@pytest.fixture
def make_aws_key(aws: Target) -> Callable[..., str]:
    def make(spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY") -> str:
        return kms(aws).create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]

    return make


@pytest.fixture
def make_gcp_key(gcp: Target) -> Callable[..., str]:
    api, ring = GcpApi(gcp, "acme"), "projects/acme/locations/europe-west1/keyRings/signers"

    def make(algorithm: str = "EC_SIGN_P256_SHA256") -> str:
        if api.find("kms", f"v1/{ring}") is None:
            api.post("kms", f"v1/{ring.rpartition('/keyRings')[0]}/keyRings", {}, {"keyRingId": "signers"})
        body = {"purpose": "ASYMMETRIC_SIGN", "versionTemplate": {"algorithm": algorithm}}
        made = api.post("kms", f"v1/{ring}/cryptoKeys", body, {"cryptoKeyId": algorithm.lower()})
        return f"{made['name']}/cryptoKeyVersions/1"

    return make


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384"])
def test_aws_kms_signs_what_its_key_is_trusted_for(
    aws: Target, make_aws_key: Callable[..., str], statement: Statement, spec: str
) -> None:
    signer = open_signer(f"awskms://{make_aws_key(spec)}", aws)
    found = opened(sealed(statement, signer), trust_from([signer.name], None), TYPE, "file")
    assert found.statement == statement


def test_a_disabled_key_of_aws_kms_signs_nothing(
    aws: Target, make_aws_key: Callable[..., str], statement: Statement
) -> None:
    arn = make_aws_key()
    signer = open_signer(f"awskms://{arn}", aws)
    kms(aws).disable_key(KeyId=arn)
    with pytest.raises(UserError, match="could not be signed"):
        sealed(statement, signer)


@pytest.mark.parametrize(("spec", "usage"), [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "SIGN_VERIFY")])
def test_a_key_of_aws_kms_that_signs_otherwise_is_refused(
    aws: Target, make_aws_key: Callable[..., str], spec: str, usage: str
) -> None:
    with pytest.raises(UserError, match="cannot sign"):
        open_signer(f"awskms://{make_aws_key(spec, usage)}", aws)


@pytest.mark.parametrize("algorithm", ["EC_SIGN_P256_SHA256", "EC_SIGN_P384_SHA384"])
def test_cloud_kms_signs_what_its_key_is_trusted_for(
    gcp: Target, make_gcp_key: Callable[..., str], statement: Statement, algorithm: str
) -> None:
    signer = open_signer(f"gcpkms://{make_gcp_key(algorithm)}", gcp)
    found = opened(sealed(statement, signer), trust_from([signer.name], None), TYPE, "file")
    assert found.statement == statement


def test_a_version_of_cloud_kms_shows_no_private_key(gcp: Target, make_gcp_key: Callable[..., str]) -> None:
    api = GcpApi(gcp, "acme")
    ring = "projects/acme/locations/europe-west1/keyRings/signers"
    if api.find("kms", f"v1/{ring}") is None:
        make_gcp_key()
    version = f"{ring}/cryptoKeys/ec_sign_p256_sha256/cryptoKeyVersions/1"
    assert "PRIVATE" not in str(api.get("kms", f"v1/{version}"))
