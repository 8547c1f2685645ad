"""Whether the state bucket and the key of the stack's secrets survive the primary region's loss, on Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from components.contracts.regions import multi_region_contains
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Finding, missing, ok, some
from ops.preflight.state import Backend, PulumiFiles, Secrets, change_provider, judged_kind
from ops.preflight.wanted import Wanted

STATE_PERMISSIONS: Final = (
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)
KEY_PERMISSIONS: Final = ("cloudkms.cryptoKeyVersions.useToDecrypt", "cloudkms.cryptoKeyVersions.useToEncrypt")


def state(reader: GcpReader, wanted: Wanted, files: PulumiFiles) -> Iterator[Finding]:
    """The state bucket: elsewhere, versioned, writable; the secrets key: elsewhere, enabled, usable."""
    yield from judged_kind(wanted.stack, wanted.backup_region, files, "gs")
    if files.backend.kind == "gs":
        yield from _bucket(reader, wanted, files.backend)
    if files.secrets.kind == "gcpkms":
        yield from _key(reader, wanted, files.secrets)


def _bucket(reader: GcpReader, wanted: Wanted, backend: Backend) -> Iterator[Finding]:
    name = backend.bucket
    subject = f"state bucket {name}"
    found = reader.find("storage", f"storage/v1/b/{name}")
    if found is None:
        remedy = "Bring up the bootstrap stack of this project, which makes it, or log in to another bucket."
        yield missing(subject, "there is no such bucket", remedy)
        return
    location = str(found.get("location", "")).lower()
    if location == wanted.region:
        remedy = f"Move it: make one in {wanted.backup_region}, and use `pulumi stack export` and `import`."
        yield missing(subject, f"lies in {location}, the stack's primary region: lost with it", remedy)
    else:
        shared = multi_region_contains(location, wanted.region)
        yield ok(subject, f"lies in {location}, {'in several regions' if shared else f'outside {wanted.region}'}")
    if found.get("versioning", {}).get("enabled"):
        yield ok(f"{subject}: versions", "kept")
    else:
        remedy = f"gcloud storage buckets update gs://{name} --versioning"
        yield missing(f"{subject}: versions", "not kept: a broken state cannot be undone", remedy)
    query = "&".join(f"permissions={permission}" for permission in STATE_PERMISSIONS)
    held = reader.get("storage", f"storage/v1/b/{name}/iam/testPermissions?{query}").get("permissions", ())
    grant = (
        f"gcloud storage buckets add-iam-policy-binding gs://{name} --role=roles/storage.objectUser --member=MEMBER"
    )
    yield _may(f"{subject}: use", STATE_PERMISSIONS, held, grant)


def _key(reader: GcpReader, wanted: Wanted, secrets: Secrets) -> Iterator[Finding]:
    subject = f"secrets key {secrets.key.rpartition('/')[2]}"
    change = change_provider(wanted.stack, "gs", wanted.backup_region)
    if secrets.region == wanted.region:
        yield missing(subject, f"lies in {secrets.region}, the stack's primary region: lost with it", change)
    else:
        yield ok(subject, f"lies in {secrets.region}, outside {wanted.region}")
    found = reader.find("kms", f"v1/{secrets.key}")
    if found is None:
        yield missing(f"{subject}: state", "there is no such key", change)
        return
    primary: dict[str, Any] = found.get("primary", {})
    if primary.get("state") == "ENABLED":
        yield ok(f"{subject}: state", "enabled")
    else:
        version = str(primary.get("name", "")).rpartition("/")[2] or "VERSION"
        remedy = f"gcloud kms keys versions enable {version} --key={secrets.key}"
        yield missing(f"{subject}: state", str(primary.get("state", "no primary version")).lower(), remedy)
    answer = reader.ask("kms", f"v1/{secrets.key}:testIamPermissions", {"permissions": list(KEY_PERMISSIONS)})
    grant = (
        f"gcloud kms keys add-iam-policy-binding {secrets.key} --role=roles/cloudkms.cryptoKeyEncrypterDecrypter "
        "--member=MEMBER"
    )
    yield _may(f"{subject}: use", KEY_PERMISSIONS, answer.get("permissions", ()), grant)


def _may(subject: str, asked: Sequence[str], held: Sequence[str], grant: str) -> Finding:
    lacking = set(asked) - set(held)
    return missing(subject, f"not held: {some(lacking)}", grant) if lacking else ok(subject, "held")
