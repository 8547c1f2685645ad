"""Whether the state bucket and the key of the stack's secrets survive the loss of the primary region, on AWS."""

from __future__ import annotations

from collections.abc import Iterator

from ops.preflight.aws.permissions import simulate
from ops.preflight.aws.reader import AwsReader
from ops.preflight.model import Finding, Unread, missing, ok, some, unknown
from ops.preflight.state import Backend, PulumiFiles, Secrets, change_provider, judged_kind
from ops.preflight.wanted import Wanted

STATE_ACTIONS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
KEY_ACTIONS = ("kms:Decrypt", "kms:Encrypt")


def state(reader: AwsReader, wanted: Wanted, files: PulumiFiles, principal: str) -> Iterator[Finding]:
    """The state bucket: elsewhere, versioned, encrypted, writable; the secrets key: elsewhere, enabled, usable."""
    yield from judged_kind(wanted.stack, wanted.backup_region, files, "s3")
    if files.backend.kind == "s3":
        yield from _bucket(reader, wanted, files.backend, principal)
    if files.secrets.kind == "awskms":
        yield from _key(reader, wanted, files.secrets, principal)


def _bucket(reader: AwsReader, wanted: Wanted, backend: Backend, principal: str) -> Iterator[Finding]:
    name = backend.bucket
    subject = f"state bucket {name}"
    asked = {"Bucket": name}
    found = reader.read("s3", "head_bucket", backend.region or wanted.region, asked, absent=("404", "NoSuchBucket"))
    if found is None:
        remedy = "Bring up the bootstrap stack of this account, which makes it, or log in to another bucket."
        yield missing(subject, "there is no such bucket", remedy)
        return
    region = str(found.get("BucketRegion") or backend.region)
    if not region:
        yield unknown(
            subject, "S3 does not say in which region it is", f"aws s3api get-bucket-location --bucket {name}"
        )
        return
    if region == wanted.region:
        remedy = f"Move it: make one in {wanted.backup_region}, and use `pulumi stack export` and `import`."
        yield missing(subject, f"lies in {region}, the stack's primary region: lost with it", remedy)
    else:
        yield ok(subject, f"lies in {region}, outside {wanted.region}")
    versioning = reader.must("s3", "get_bucket_versioning", region, asked)
    if versioning.get("Status") == "Enabled":
        yield ok(f"{subject}: versions", "kept")
    else:
        remedy = f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled"
        yield missing(f"{subject}: versions", "not kept: a broken state cannot be undone", remedy)
    encryption = reader.must("s3", "get_bucket_encryption", region, asked)
    rules = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    algorithms = {r["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for r in rules}
    yield ok(f"{subject}: encryption", f"{some(algorithms)}")
    yield _may(reader, wanted, principal, f"{subject}: use", f"arn:aws:s3:::{name}/*", STATE_ACTIONS)


def _key(reader: AwsReader, wanted: Wanted, secrets: Secrets, principal: str) -> Iterator[Finding]:
    subject = f"secrets key {secrets.key}"
    change = change_provider(wanted.stack, "s3", wanted.backup_region)
    if not secrets.region:
        yield unknown(subject, "the provider's address names no region", f"Add `?region=` to it with `{change}`.")
        return
    if secrets.region == wanted.region:
        yield missing(subject, f"lies in {secrets.region}, the stack's primary region: lost with it", change)
    else:
        yield ok(subject, f"lies in {secrets.region}, outside {wanted.region}")
    asked = {"KeyId": secrets.key}
    found = reader.read("kms", "describe_key", secrets.region, asked, absent=("NotFoundException",))
    if found is None:
        yield missing(f"{subject}: state", "there is no such key", change)
        return
    key = found["KeyMetadata"]
    if key["KeyState"] == "Enabled":
        yield ok(f"{subject}: state", "enabled")
    else:
        remedy = f"aws kms enable-key --region {secrets.region} --key-id {key['KeyId']}"
        if key["KeyState"] == "PendingDeletion":
            remedy = f"aws kms cancel-key-deletion --region {secrets.region} --key-id {key['KeyId']}"
        yield missing(f"{subject}: state", str(key["KeyState"]), remedy)
    yield _may(reader, wanted, principal, f"{subject}: use", str(key["Arn"]), KEY_ACTIONS)


def _may(
    reader: AwsReader, wanted: Wanted, principal: str, subject: str, arn: str, actions: tuple[str, ...]
) -> Finding:
    try:
        decisions = simulate(reader, wanted.region, principal, {frozenset({arn}): actions})
    except Unread as error:
        return unknown(subject, error.why, error.remedy)
    denied = [action for action, decision in decisions.items() if not decision.allowed]
    if denied:
        # A key's own policy may allow what the identity's does not, and the simulation does not see it.
        return unknown(
            subject,
            f"the identity's policies do not allow {some(denied)}",
            f"Allow {principal} {some(denied)} on {arn}, unless a policy of the resource does.",
        )
    return ok(subject, "allowed")
