"""The door of the demo's drain and of the bench: rendered once by Envoy Gateway, kept beside this file, run by Envoy.

So neither builds Envoy Gateway, which takes minutes. The tests render it anew and compare. Write it anew with:

    python -m ops.drain.door
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from localcloud.gateway import Rendering

SERVICE: Final = "risk"
DOMAIN: Final = "models.example"
SECRET: Final = "given"  # noqa: S105 - a Kubernetes object's name
KEPT: Final = Path(__file__).with_name("door.json")
PLACE: Final[tuple[str, str]] = ("serving", SERVICE)
_DAYS: Final = datetime.timedelta(days=7)


def kept() -> Rendering:
    """The rendering beside this file."""
    return Rendering.from_json(json.loads(KEPT.read_text(encoding="utf-8")))


def objects(certificate: tuple[Path, Path]) -> list[Mapping[str, Any]]:
    """What a stack lays for a door with the default settings, but for who may ask and how often: nobody is asked who
    they are, and a load is one client.

    Args:
        certificate: for the listener, with its key.
    """
    # Imported here: who runs the rendering needs no SDK of Pulumi, which these come with.
    import base64

    from components.contracts.apart import Apart
    from components.contracts.door import DoorSpec, GivenCertificate, LimitsSpec, NoAuthentication
    from components.kubernetes.gateway.objects import Exposure, door_objects
    from components.kubernetes.routes import grpc_route, http_route, straight

    spec = DoorSpec(
        domain=DOMAIN,
        certificate=GivenCertificate(kind="secret", name=SECRET),
        authentication=NoAuthentication(kind="none", because="this door answers on loopback only"),
        limits=LimitsSpec(requests_per_minute=10_000_000),
    )
    data = {
        name: base64.b64encode(file.read_bytes()).decode()
        for name, file in zip(("tls.crt", "tls.key"), certificate, strict=True)
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": SECRET, "namespace": PLACE[0]},
        "data": data,
    }
    made = door_objects(spec, envoy_image="registry.example/envoy@sha256:0", exposure=Exposure(), apart=Apart(1))
    routes = straight(SERVICE)
    return [*made, http_route(routes, DOMAIN), grpc_route(routes, DOMAIN), secret]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the door's names, which signs itself, and its key, in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"*.{DOMAIN}")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAYS)
        .not_valid_after(now + _DAYS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"*.{DOMAIN}")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "door.crt", folder / "door.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].touch(mode=0o600)
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def main() -> None:
    """Render the door anew, and keep it."""
    import tempfile

    from common.console import Steps
    from localcloud.gateway import render

    with tempfile.TemporaryDirectory() as folder:
        made = render(objects(certificate(Path(folder))), [PLACE], Steps())
    KEPT.write_text(json.dumps(made.to_json(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
