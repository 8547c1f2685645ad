"""Where Pulumi keeps the stack's state and what encrypts its secrets, read from files and the environment alone.

Pulumi looks for the backend in PULUMI_BACKEND_URL, then in the project's `backend.url`, then in the login's
`credentials.json` (pulumi/pulumi, sdk/go/common/workspace/creds.go, `GetCurrentCloudURL`, read 2026-11-21); a stack's
file says which key encrypts its secrets.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from common.paths import repo_root
from ops.preflight.model import Finding, missing, not_applicable, ok, unknown
from stacks.settings import stack_file

Kind = Literal["s3", "gs", "file", "service", "other", "none"]
_KINDS: Final[dict[str, Kind]] = {"s3": "s3", "gs": "gs", "file": "file", "https": "service", "http": "service"}


@dataclass(frozen=True)
class Backend:
    """Where states are kept."""

    kind: Kind
    url: str
    bucket: str = ""
    region: str = ""
    """The region that the address names; empty where it names none."""


@dataclass(frozen=True)
class Secrets:
    """What encrypts the stack's secrets."""

    kind: Literal["awskms", "gcpkms", "passphrase", "service", "other", "none"]
    provider: str = ""
    key: str = ""
    """The key's id, alias or resource name."""
    region: str = ""


@dataclass(frozen=True)
class PulumiFiles:
    """What the environment and Pulumi's files say of one stack."""

    backend: Backend
    secrets: Secrets


def read_files(
    stack: str, environment: Mapping[str, str] | None = None, root: Path | None = None, home: Path | None = None
) -> PulumiFiles:
    """What is configured for `stack`; nothing is changed, and no key is used.

    Args:
        environment: the process's by default.
        root: where Pulumi.yaml lies; this checkout by default.
        home: Pulumi's own folder; PULUMI_CREDENTIALS_PATH, PULUMI_HOME or ~/.pulumi by default.
    """
    asked = os.environ if environment is None else environment
    named = asked.get("PULUMI_CREDENTIALS_PATH") or asked.get("PULUMI_HOME")
    pulumi_home = home or (Path(named) if named else Path.home() / ".pulumi")
    return PulumiFiles(
        backend=backend_of(_backend_url(asked, root or repo_root(), pulumi_home)),
        secrets=secrets_of(_yaml(stack_file(stack)), asked),
    )


def backend_of(url: str) -> Backend:
    """A backend's address, taken apart."""
    if not url:
        return Backend("none", "")
    parts = urlsplit(url)
    kind = _KINDS.get(parts.scheme) or "other"
    region = parse_qs(parts.query).get("region", [""])[0]
    return Backend(kind, url, parts.netloc if kind in ("s3", "gs") else "", region)


def secrets_of(stack_config: Mapping[str, Any], environment: Mapping[str, str]) -> Secrets:
    """The secrets provider of a stack's file."""
    provider = str(stack_config.get("secretsprovider", ""))
    parts = urlsplit(provider)
    if parts.scheme == "awskms":
        key = f"{parts.netloc}{parts.path}"
        region = parse_qs(parts.query).get("region", [environment.get("AWS_REGION", "")])[0]
        return Secrets("awskms", provider, key, region)
    if parts.scheme == "gcpkms":
        key = f"{parts.netloc}{parts.path}"
        named = key.split("/")
        at = named.index("locations") + 1 if "locations" in named[:-1] else 0
        return Secrets("gcpkms", provider, key, named[at] if at else "")
    if provider in ("passphrase", "default", ""):
        if provider == "passphrase" or stack_config.get("encryptionsalt"):
            return Secrets("passphrase", "passphrase")
        return Secrets("service", provider) if provider == "default" else Secrets("none")
    return Secrets("other", provider)


def judged_kind(stack: str, backup_region: str, files: PulumiFiles, scheme: str) -> list[Finding]:
    """What can be said of the two without asking a cloud; a bucket and a key of the stack's cloud are looked at."""
    found: list[Finding] = []
    backend, secrets = files.backend, files.secrets
    if not backup_region and backend.kind in ("none", "file"):
        said = "a bootstrap stack makes the state bucket: its own state starts on this machine, and moves there"
        return [not_applicable("state", said)]
    where = f"{scheme}://YOUR-STATE-BUCKET" + (f"?region={backup_region}" if scheme == "s3" else "")
    login = f"pulumi login '{where}'"
    if backend.kind == "none":
        found.append(missing("state", "Pulumi is not logged in anywhere", login))
    elif backend.kind == "file":
        found.append(missing("state", f"{backend.url} is on this machine, and goes with it", login))
    elif backend.kind == "service":
        found.append(ok("state", f"{backend.url}, outside the stack's cloud"))
    elif backend.kind != scheme:
        found.append(
            unknown(
                "state",
                f"{backend.url} is not of the stack's cloud",
                f"Check that it survives the region, or run `{login}`.",
            )
        )
    if secrets.kind == "none":
        change = f"pulumi stack init {stack} --secrets-provider='{_example(scheme, backup_region)}'"
        found.append(
            missing("secrets provider", f"Pulumi.{stack}.yaml names none: the stack is not initialised", change)
        )
    elif secrets.kind == "passphrase":
        found.append(ok("secrets provider", "a passphrase: in no region; who holds it must survive"))
    elif secrets.kind == "service":
        found.append(ok("secrets provider", "Pulumi Cloud's, outside the stack's cloud"))
    elif secrets.kind == "other":
        found.append(not_applicable("secrets provider", f"{secrets.provider} is of another service; not looked at"))
    return found


def _example(scheme: str, region: str) -> str:
    if scheme == "s3":
        return f"awskms://alias/pulumi?region={region}"
    return f"gcpkms://projects/PROJECT/locations/{region}/keyRings/pulumi/cryptoKeys/pulumi"


def change_provider(stack: str, scheme: str, region: str) -> str:
    """The command that moves a stack's secrets to a key in `region`."""
    return f"pulumi stack change-secrets-provider --stack {stack} '{_example(scheme, region)}'"


def _backend_url(environment: Mapping[str, str], root: Path, home: Path) -> str:
    if environment.get("PULUMI_BACKEND_URL"):
        return environment["PULUMI_BACKEND_URL"]
    backend = _yaml(root / "Pulumi.yaml").get("backend")
    if isinstance(backend, Mapping) and backend.get("url"):
        return str(backend["url"])
    try:
        login = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
        return str(login.get("current", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _yaml(path: Path) -> Mapping[str, Any]:
    try:
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError, UnicodeDecodeError):
        return {}
    return document if isinstance(document, Mapping) else {}
