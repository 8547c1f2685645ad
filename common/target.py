"""Where cloud API calls go: the real cloud's endpoints, or a local cloud's loopback servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from common.errors import UserError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Address:
    """A host and port to connect to, and the CA certificate that vouches for it (None: the system's)."""

    host: str
    port: int
    ca_file: str | None = None


@dataclass(frozen=True)
class Pod:
    """A pod of one service account, and who it is to become in the cloud."""

    namespace: str
    service_account: str
    principal: str
    """A role's ARN on AWS, the member `serviceAccount:EMAIL` on Google Cloud."""


def _no_pods(pod: Pod, folder: Path) -> Mapping[str, str]:
    del folder
    raise UserError(
        "only a local cloud starts pods on this machine",
        f"{pod.namespace}/{pod.service_account}",
        "Use `--target local`.",
    )


@dataclass(frozen=True)
class ActAs:
    """An identity that the caller takes on for every call to the cloud."""

    principal: str
    """A role's ARN on AWS, a service account's email on Google Cloud."""
    region: str
    """AWS: where the role is asked for."""
    session: str
    """What the cloud's audit log calls it (AWS)."""


@dataclass(frozen=True)
class Target:
    """The endpoints that operators' code talks to; the same code runs against both kinds.

    `mode` goes into evidence, so that an emulated run never passes for a measured one.
    """

    name: Literal["cloud", "local"]
    mode: Literal["real", "emulated"]
    aws_endpoint_url: str | None = None
    gcp_endpoint_url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to a child process's environment, so that it finds the same endpoints."""
    admit: Callable[[Pod, Path], Mapping[str, str]] = _no_pods
    """The environment by which a new pod's SDKs find the cloud and their credentials, as the cluster injects it.

    The folder is the pod's own. A pod without an identity gets one in which no credential is found."""
    addresses: Callable[[], Mapping[str, Address]] = dict
    """`host:port` as the stack knows it → where an emulator has it listen, as of now."""
    act_as: ActAs | None = None
    """Whom the caller becomes; None: nobody else."""

    def resolve(self, host: str, port: int) -> Address:
        """Where `host:port` is reached from this machine.

        Raises:
            UserError: an emulated cloud has nothing there; the real network is never asked instead.
        """
        if self.mode == "real" or host in LOOPBACK:
            return Address(host, port)
        found = self.addresses().get(f"{host}:{port}")
        if found is None:
            raise UserError(
                "the local cloud has nothing at this address", f"{host}:{port}", "Check that the stack is up."
            )
        return found


REAL_CLOUD = Target(name="cloud", mode="real")

AWS_ENDPOINT: Final = "AWS_ENDPOINT_URL"
"""AWS' own variable: every service's endpoint."""
GCP_ENDPOINT: Final = "SEAWALL_GCP_ENDPOINT_URL"
"""Google has a variable for each service and library alone; this one is for every API."""
LOCAL_ADDRESSES: Final = "/_local/addresses"
"""Where a local Google Cloud says what it has listen in the place of private addresses."""


def cloud_target(environ: Mapping[str, str]) -> Target:
    """The account that the environment's variables lead to: the real one, unless they name an endpoint."""
    aws, gcp = environ.get(AWS_ENDPOINT) or None, environ.get(GCP_ENDPOINT) or None
    return Target(
        name="cloud",
        # Whatever is not the cloud's own endpoint is no real cloud: what it proves must not pass for that.
        mode="emulated" if aws or gcp else "real",
        aws_endpoint_url=aws,
        gcp_endpoint_url=gcp,
        addresses=dict if gcp is None else lambda: _told_by(gcp),
    )


def _told_by(endpoint: str) -> Mapping[str, Address]:
    import requests  # slow to import

    try:
        answer = requests.get(f"{endpoint}{LOCAL_ADDRESSES}", timeout=10)
        answer.raise_for_status()
        return {known: Address(**where) for known, where in answer.json().items()}
    except (requests.RequestException, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"the endpoint does not say where its addresses are: {error}", endpoint, f"Check {GCP_ENDPOINT}."
        ) from error
