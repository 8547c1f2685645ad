"""What signs: a key in a file, a key in a cloud's key service, or an identity without a key (Sigstore).

    PATH                                          an Ed25519 key in PEM, mode 0600; made on first use
    awskms://KEY-ARN                              AWS KMS: an ECC_NIST_P256 or P384 key that signs
    gcpkms://projects/…/cryptoKeyVersions/1       Cloud KMS: an EC_SIGN_P256_SHA256 or P384_SHA384 version
    sigstore://IDENTITY?issuer=URL                keyless, with the credential that the machine or workflow has

A private key never leaves where it is, and stands in no output.
"""

# pyright: reportPrivateImportUsage=false
# securesystemslib says in its documentation, and not in `__all__`, what is public.

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
    load_pem_private_key,
)
from securesystemslib.dsse import Envelope
from securesystemslib.signer import (
    AWSSigner,
    CryptoSigner,
    Key,
    SecretsHandler,
    Signature,
    Signer,
    SigstoreSigner,
    SSlibKey,
)

from common.attestation.keys import PublicKey, checked, fingerprint, from_pem, library_key, pem
from common.attestation.trust import config_dir
from common.errors import UserError
from common.target import REAL_CLOUD, Target

KEY_VARIABLE: Final = "SEAWALL_SIGNING_KEY"
AWS: Final = "awskms://"
GCP: Final = "gcpkms://"
KEYLESS: Final = "sigstore://"
_KEYLESS_PACKAGE: Final = "sigstore"


@dataclass(frozen=True)
class Signing:
    """An opened signer, and what its signatures are checked with."""

    signer: Signer
    name: str
    """The key's fingerprint, or the keyless identity."""
    public_key_pem: str | None
    """None without a key."""

    def sign(self, envelope: Envelope) -> Signature:
        """Sign an envelope.

        Raises:
            UserError: the key's service refuses, or cannot be reached.
        """
        try:
            signature = envelope.sign(self.signer)
        except UserError:
            raise
        except Exception as error:  # each service's own errors; the library passes them on
            raise UserError(
                f"the statement could not be signed: {type(error).__name__}: {error}",
                self.name,
                "Check that you may sign with this key, and that its service answers; then run the command again.",
            ) from error
        if self.public_key_pem is None:
            # Sigstore's signer gives base64 where the envelope wants hex (securesystemslib 1.6.0, read 2026-11-21).
            signature.signature = base64.b64decode(signature.signature).hex()
        return signature


def default_key() -> str:
    """`$SEAWALL_SIGNING_KEY`, else one file in the user's configuration folder."""
    return os.environ.get(KEY_VARIABLE) or _own_file()


def local_key() -> str:
    """What signs on the local cloud: as `default_key`, but never a real cloud's key."""
    named = os.environ.get(KEY_VARIABLE)
    return named if named and "://" not in named else _own_file()


def _own_file() -> str:
    return str(config_dir() / "drill-signing-key.pem")


def open_signer(named: str, target: Target = REAL_CLOUD) -> Signing:
    """The signer that a file or URI names.

    Args:
        target: where a cloud's key service is.

    Raises:
        UserError: there is no such key, it is of a kind that does not sign here, or it cannot be had.
    """
    if named.startswith(AWS):
        return _aws(named.removeprefix(AWS), target)
    if named.startswith(GCP):
        return _gcp(named.removeprefix(GCP), target)
    if named.startswith(KEYLESS):
        return _keyless(named.removeprefix(KEYLESS))
    if "://" in named:
        raise UserError(
            f"{named.partition('://')[0]!r} is no signer",
            named,
            f"Name a file, {AWS}KEY-ARN, {GCP}projects/… or {KEYLESS}IDENTITY?issuer=URL.",
        )
    private = signing_key(Path(named).expanduser())
    public = private.public_key()
    return Signing(CryptoSigner(private, library_key(public)), fingerprint(public), pem(public))


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The operator's key, made with mode 0600 if there is none.

    Raises:
        UserError: the file cannot be read or written, may be read by others, or holds no Ed25519 key.
    """
    try:
        if not path.exists():
            _make_key(path)
        others = stat.S_IMODE(path.stat().st_mode) & 0o077
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"the signing key cannot be used: {getattr(error, 'strerror', None) or 'it is no Ed25519 key in PEM'}",
            str(path),
            f"Name another file in {KEY_VARIABLE}, or move this one away so that a new key is made.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError("the signing key is not an Ed25519 key", str(path), f"Name an Ed25519 key in {KEY_VARIABLE}.")
    if others:
        raise UserError("others may read the signing key", str(path), f"Run `chmod 600 {path}`.")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(private)
    # A link, not a rename: of two that start at once, one makes the key and both use it.
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass
    finally:
        scratch.unlink()


class _AwsKms(AWSSigner):
    """The library's signer, with a client that is told its region and endpoint; the library's own takes neither."""

    def __init__(self, client: Any, key_id: str, public_key: SSlibKey) -> None:
        self.client = client
        self.aws_key_id = key_id
        self._public_key = public_key
        self.aws_algo = self.aws_algos[public_key.scheme]


def _aws(key_id: str, target: Target) -> Signing:
    from botocore.exceptions import BotoCoreError, ClientError

    from common.aws_api import aws_session

    remedy = (
        "Name the ARN of an ECC_NIST_P256 key for SIGN_VERIFY that you may use (kms:GetPublicKey, kms:Sign), as "
        f"{AWS}arn:aws:kms:REGION:ACCOUNT:key/ID."
    )
    parts = key_id.split(":")
    if parts[0] != "arn" or len(parts) < 6:
        raise UserError(f"{key_id!r} is no key's ARN, which names the region too", AWS, remedy)
    client: Any = aws_session(target).client("kms", region_name=parts[3], endpoint_url=target.aws_endpoint_url)
    try:
        public = checked(load_der_public_key(client.get_public_key(KeyId=key_id)["PublicKey"]))
    except (ClientError, BotoCoreError, ValueError) as error:
        raise UserError(f"the key cannot sign: {error}", key_id, remedy) from error
    return Signing(_AwsKms(client, key_id, library_key(public)), fingerprint(public), pem(public))


class _GcpKms(Signer):
    """Signs with Cloud KMS over REST, as all calls of this project; the library's own needs more packages."""

    def __init__(self, api: Any, version: str, public_key: SSlibKey) -> None:
        self._api = api
        self._version = version
        self._public_key = public_key

    @property
    def public_key(self) -> SSlibKey:
        return self._public_key

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        name = self._public_key.get_hash_algorithm_name()
        digest = base64.b64encode(hashlib.new(name, payload).digest()).decode()
        answer = self._api.post("kms", f"v1/{self._version}:asymmetricSign", {"digest": {name: digest}})
        return Signature(self._public_key.keyid, base64.b64decode(answer["signature"]).hex())


def _gcp(version: str, target: Target) -> Signing:
    from common.gcp_api import GcpApi

    remedy = (
        "Name a version of an EC_SIGN_P256_SHA256 key that you may use (roles/cloudkms.signerVerifier), as "
        f"{GCP}projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1."
    )
    parts = version.split("/")
    if len(parts) != 10 or parts[0] != "projects" or parts[8] != "cryptoKeyVersions":
        raise UserError(f"{version!r} is no version of a key", GCP, remedy)
    api = GcpApi(target, parts[1])
    try:
        public: PublicKey = from_pem(api.get("kms", f"v1/{version}/publicKey")["pem"])
    except ValueError as error:
        raise UserError(f"the key cannot sign: {error}", version, remedy) from error
    return Signing(_GcpKms(api, version, library_key(public)), fingerprint(public), pem(public))


def _keyless(named: str) -> Signing:
    identity, _, query = named.partition("?")
    issuer = parse_qs(query).get("issuer", [""])[0]
    if not identity or not issuer:
        raise UserError(
            "a keyless signer needs its identity and its issuer",
            f"{KEYLESS}{named}",
            f"Write {KEYLESS}IDENTITY?issuer=https://token.actions.githubusercontent.com, as the certificate will "
            "have them.",
        )
    require_sigstore()
    uri, key = SigstoreSigner.import_(identity, issuer)
    try:
        signer = SigstoreSigner.from_priv_key_uri(uri, key)
    except Exception as error:  # sigstore's own errors, and the library's
        raise UserError(
            f"there is no keyless identity to sign with: {error}",
            identity,
            "Run this in a workflow with `id-token: write`, or sign with a key.",
        ) from error
    return Signing(signer, f"{identity} ({issuer})", None)


def require_sigstore() -> None:
    """Refuse keyless signatures without the package, which is optional: it needs the network, and is large.

    Raises:
        UserError: it is not installed.
    """
    if importlib.util.find_spec(_KEYLESS_PACKAGE) is None:
        raise UserError(
            "keyless signatures need the package `sigstore`, which is not installed",
            KEYLESS,
            "Run `.venv/bin/python -m pip install 'sigstore>=4,<5'`, or sign with a key.",
        )
