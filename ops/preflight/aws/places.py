"""What else is in the account: networks with the same addresses, names that are taken, service-linked roles."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from ops.preflight.addresses import Taken, overlaps
from ops.preflight.aws.quotas import is_ours
from ops.preflight.aws.reader import AwsReader
from ops.preflight.model import Finding, Unread, missing, ok, unknown
from ops.preflight.wanted import Wanted

_NO_ROLE: Final = ("NoSuchEntity",)


def service_linked_roles(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the service-linked roles exist that must before a key's policy names them: KMS refuses unknown
    principals (KMS developer guide, "Troubleshooting key access", read 2026-11-21)."""
    for role, service in wanted.service_linked_roles.items():
        try:
            found = reader.read("iam", "get_role", wanted.region, {"RoleName": role}, absent=_NO_ROLE)
        except Unread as error:
            yield unknown(role, error.why, error.remedy)
            continue
        if found:
            yield ok(role, "exists")
        else:
            remedy = f"aws iam create-service-linked-role --aws-service-name {service}"
            yield missing(role, "does not exist, and a planned policy or pool relies on it", remedy)


def addresses(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether a network of the stack overlaps another of the regions that it has networks in."""
    if not wanted.networks:
        return
    taken = [
        Taken(f"{vpc['VpcId']} in {region}", ipaddress.IPv4Network(block["CidrBlock"]))
        for region in sorted({vpc.region or wanted.region for vpc in wanted.inventory.of_type("aws:ec2/vpc:Vpc")})
        for vpc in reader.pages("ec2", "describe_vpcs", region, "Vpcs")
        if not is_ours(vpc, wanted)
        for block in vpc.get("CidrBlockAssociationSet", ())
        if block.get("CidrBlockState", {}).get("State", "associated") in ("associating", "associated")
    ]
    yield from overlaps(wanted, taken)


def bucket_names(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the buckets' names, which the whole world shares, are free or the account's own."""
    for bucket in wanted.inventory.of_type("aws:s3/bucket:Bucket"):
        name, region = str(bucket.get("bucket")), bucket.region or wanted.region
        # S3 answers 403 for the bucket of another account, and for one's own that one may not list.
        asked = {"Bucket": name, "ExpectedBucketOwner": wanted.account}
        try:
            found = reader.read("s3", "head_bucket", region, asked, absent=("404", "NoSuchBucket"))
        except Unread as error:
            yield _held(reader, wanted, name, error)
            continue
        yield ok(name, "exists in this account" if found is not None else "free")


def _held(reader: AwsReader, wanted: Wanted, name: str, error: Unread) -> Finding:
    """What a refusal to look at a bucket means: somebody else's, or the account's own behind a policy."""
    if "denied" not in error.why:
        return unknown(name, error.why, error.remedy)
    try:
        answer = reader.must("s3", "list_buckets", wanted.region, {"Prefix": name})
    except Unread as unlisted:
        return unknown(name, f"{error.why}, and {unlisted.why}", unlisted.remedy)
    if any(bucket["Name"] == name for bucket in answer.get("Buckets", ())):
        return ok(name, "exists in this account; the caller may not look into it")
    remedy = "Ask its owner to give it up, or bring the stack up in another account: names hold the account."
    return missing(name, "belongs to another account", remedy)


def key_aliases(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether aliases that an earlier stack left name keys that are about to go."""
    planned = {
        (alias.region or wanted.region, str(alias.get("name")))
        for alias in wanted.inventory.of_type("aws:kms/alias:Alias")
    }
    for region in sorted({region for region, _ in planned}):
        there = {a["AliasName"]: a.get("TargetKeyId") for a in reader.pages("kms", "list_aliases", region, "Aliases")}
        for name in sorted(name for where, name in planned if where == region):
            yield _alias(reader, region, name, there)


def _alias(reader: AwsReader, region: str, name: str, there: dict[str, str | None]) -> Finding:
    subject = f"{name} in {region}"
    key = there.get(name)
    if name not in there:
        return ok(subject, "free")
    if key is None:
        return missing(subject, "names no key", f"aws kms delete-alias --region {region} --alias-name {name}")
    try:
        state = reader.must("kms", "describe_key", region, {"KeyId": key})["KeyMetadata"]["KeyState"]
    except Unread as error:
        return unknown(subject, error.why, error.remedy)
    if state == "Enabled":
        return ok(subject, f"names {key}, which is enabled; a stack that does not know it must import it")
    if state == "PendingDeletion":
        remedy = f"aws kms cancel-key-deletion --region {region} --key-id {key}"
        return missing(subject, f"names {key}, which is about to be deleted", remedy)
    return missing(subject, f"names {key}: {state}", f"aws kms enable-key --region {region} --key-id {key}")
