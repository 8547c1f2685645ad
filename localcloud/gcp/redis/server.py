"""One real redis-server of a Memorystore instance: configuration, certificates, process, snapshots.

Memorystore's blocked commands: https://cloud.google.com/memorystore/docs/redis/product-constraints. Its
certificates: https://cloud.google.com/memorystore/docs/redis/about-in-transit-encryption.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common.errors import UserError
from localcloud.gcp import clock
from localcloud.processes.process import ServerProcess, start_on_free_ports

REMEDY: Final = "Run the command again; if it happens again, remove the local stack with `seawall local down`."
CA_LIFETIME: Final = timedelta(days=3650)
DUMP: Final = "dump.rdb"
_EMPTY: Final = '""'
_ADMIN: Final = "seawall-admin"
_SAVE_SECONDS: Final = 120.0
_BLOCKED_COMMANDS: Final = (
    "acl bgrewriteaof bgsave cluster config debug migrate module psync replicaof save shutdown slaveof sync"
)


@dataclass(frozen=True)
class Certificates:
    """A CA of one instance's own, and the certificate that it issued to the server. All PEM."""

    ca: str
    certificate: str
    key: str


def issue_certificates(name: str, host: str) -> Certificates:
    """A new CA, and a server certificate for `host`, 127.0.0.1 and localhost."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    begin = clock.now() - timedelta(minutes=5)
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Memorystore CA {name}"[:64])])

    def builder(subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + CA_LIFETIME)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )

    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(a)) for a in (host, "127.0.0.1"))]
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        builder(server_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    return Certificates(ca.public_bytes(pem).decode(), certificate.public_bytes(pem).decode(), private.decode())


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=None,  # type: ignore[arg-type]
        decipher_only=None,  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class RedisSettings:
    """What an instance asks of its server."""

    memory_gib: float
    """What rows may fill."""
    auth: str | None = field(repr=False)
    """None: anyone who reaches it may read."""
    tls: bool
    directives: Mapping[str, str] = field(default_factory=dict)


class RedisServer:
    """A redis-server with a folder of its own: `dump.rdb`, its certificates and its log.

    Args:
        executable: a redis-server with TLS.
        folder: is made if it does not exist.
        label: how messages call it.
    """

    def __init__(
        self, executable: Path, folder: Path, label: str, settings: RedisSettings, certificates: Certificates
    ) -> None:
        self.folder = folder
        self.port = 0
        self._executable = executable
        self._label = label
        self._settings = settings
        self._admin_password = secrets.token_urlsafe(24)
        self._process: ServerProcess | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (
            ("ca.pem", certificates.ca),
            ("server.pem", certificates.certificate),
            ("server.key", certificates.key),
        ):
            _write_private(folder / name, text)

    @property
    def ca_file(self) -> Path | None:
        """The certificate of the CA that vouches for it; None without TLS."""
        return self.folder / "ca.pem" if self._settings.tls else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._process is not None

    def start(self, port: int | None = None) -> None:
        """Load the dump, if there is one, and serve; on `port` if given. Raises UserError if it cannot."""
        if port is not None:
            process = self._make((port,))
            process.start()
            self._process, self.port = process, port
        else:
            self._process, (self.port,) = start_on_free_ports(self._make)

    def stop(self) -> None:
        """End it without saving; never raises."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def check(self) -> None:
        """Raise UserError if it is gone."""
        if self._process is None:
            raise UserError(f"{self._label} does not run", str(self.folder), REMEDY)
        self._process.check()

    def dump(self) -> Path:
        """Write a snapshot of the data, as BGSAVE does, and return the file. Raises UserError."""
        self.check()
        client: Any = self._admin()
        try:
            before = client.info("persistence")["rdb_last_save_time"]
            client.bgsave()
            deadline = time.monotonic() + _SAVE_SECONDS
            while True:
                state = client.info("persistence")
                if not state["rdb_bgsave_in_progress"] and state["rdb_last_save_time"] >= before:
                    break
                if time.monotonic() > deadline:
                    raise UserError(f"{self._label} did not save within {_SAVE_SECONDS:.0f} s", "BGSAVE", REMEDY)
                time.sleep(0.005)
            if state["rdb_last_bgsave_status"] != "ok":
                raise UserError(f"{self._label} could not save its data", str(self.folder), "Free disk space there.")
        except redis.RedisError as e:
            self.check()
            raise UserError(f"{self._label} did not save: {e}", str(self.folder), REMEDY) from e
        finally:
            with contextlib.suppress(redis.RedisError):
                client.close()
        return self.folder / DUMP

    def load(self, dump: Path) -> None:
        """Take over a snapshot; the next start loads it. The server must be stopped."""
        shutil.copy2(dump, self.folder / DUMP)

    def _admin(self) -> redis.Redis:
        secure: dict[str, Any] = {"ssl": True, "ssl_ca_certs": str(self.ca_file)} if self._settings.tls else {}
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            username=_ADMIN,
            password=self._admin_password,
            socket_timeout=30,
            **secure,
        )

    def _make(self, ports: tuple[int, ...]) -> ServerProcess:
        (port,) = ports
        config = self.folder / "redis.conf"
        _write_private(config, self._configuration(port))
        return ServerProcess(
            self._label,
            [str(self._executable), str(config)],
            self.folder / "redis.log",
            remedy=REMEDY,
            announce=r"(?s)port=(\d+).*Ready to accept connections",
            cwd=self.folder,
        )

    def _configuration(self, port: int) -> str:
        s = self._settings
        blocked = " ".join(f"-{command}" for command in _BLOCKED_COMMANDS.split())
        password = f"#{hashlib.sha256(s.auth.encode()).hexdigest()}" if s.auth else "nopass"
        admin = hashlib.sha256(self._admin_password.encode()).hexdigest()
        lines = [
            "bind 127.0.0.1",
            "protected-mode no",
            "daemonize no",
            'save ""',
            "appendonly no",
            f"dbfilename {DUMP}",
            f"maxmemory {int(1024 * s.memory_gib)}mb",
            *(f"{name} {value or _EMPTY}" for name, value in s.directives.items()),
            f"user default on {password} ~* &* +@all {blocked}",
            f"user {_ADMIN} on #{admin} ~* &* +@all",
        ]
        if s.tls:
            lines += [
                "port 0",
                f"tls-port {port}",
                "tls-auth-clients no",
                "tls-cert-file server.pem",
                "tls-key-file server.key",
                "tls-ca-cert-file ca.pem",
            ]
        else:
            lines.append(f"port {port}")
        return "\n".join(lines) + "\n"


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
