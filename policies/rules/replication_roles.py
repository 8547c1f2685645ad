"""Roles on AWS by which buckets are replicated: S3 may take them, and they may read, write and use the keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.buckets import S3
from policies.checks import ABSENT, all_of, is_hidden, items, read, unknown
from policies.examples import Output, allow, document, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import region_in
from policies.model import Framework, Judgement, Severity
from policies.role_rights import NO_ROLE, may_all, role_of, trust_of, trusts
from policies.settings_view import SettingsView
from policies.tokens import IAM_ROLE, IAM_ROLE_POLICY, S3_BUCKET, S3_REPLICATION

family = Family("Roles of replication")

_KEY: Final = "11111111-2222-3333-4444-555555555555"
_CP9: Final = {Framework.NIST_800_53: ("CP-9",)}


@family.rule(
    "aws-s3-replication-role-may",
    Severity.HIGH,
    "The role of a replication may read what it copies, and write the copies",
    types=(S3_REPLICATION,),
    rationale="A replication whose role may not read, write or use the keys fails for each object by itself.",
    remedy="Let s3.amazonaws.com take the role, and allow it what S3's guide lists for source, destination and keys.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(
            S3_REPLICATION,
            {
                "bucket": "here",
                "role": Output(IAM_ROLE, "replicates"),
                "rules.0.status": "Enabled",
                "rules.0.destination.bucket": "arn:aws:s3:::there",
            },
            "by-a-role",
        ),
        given(IAM_ROLE, {"name": "replicates", "assumeRolePolicy": trust_of("s3.amazonaws.com")}, "replicates"),
        given(
            IAM_ROLE_POLICY,
            {
                "role": "replicates",
                "policy": document(
                    allow(Action=["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource="arn:aws:s3:::here"),
                    allow(Action=list(_READS), Resource="arn:aws:s3:::here/*"),
                    allow(Action=list(_WRITES), Resource="arn:aws:s3:::there/*"),
                ),
            },
            "replicates",
        ),
        broken={
            "replicates is may not s3:ReplicateObject on arn:aws:s3:::there/x": (
                put("policy.Statement.2.Resource", "arn:aws:s3:::elsewhere/*", IAM_ROLE_POLICY, "replicates"),
                without(IAM_ROLE_POLICY, "replicates"),
            ),
            "replicates is may not s3:ReplicateDelete on arn:aws:s3:::there/x": put(
                "policy.Statement.2.Action", ["s3:ReplicateObject", "s3:ReplicateTags"], IAM_ROLE_POLICY, "replicates"
            ),
            "replicates.assumeRolePolicy is not for s3.amazonaws.com": put(
                "assumeRolePolicy", trust_of("ec2.amazonaws.com"), IAM_ROLE, "replicates"
            ),
        },
        accepted={NO_ROLE: drop("role")},
    ),
)
def aws_s3_replication_role_may(config: Resource, inventory: Inventory) -> Judgement:
    role = role_of(inventory, config, "role")
    if isinstance(role, Judgement):
        return role
    targets = [f"{rule}.destination.bucket" for rule in items(config, "rules")]
    for path in ("bucket", "rules", *targets):
        if is_hidden(read(config, path)) and not inventory.linked(config, path.split(".")[0], S3_BUCKET):
            return unknown(path, "what the role must reach")
    return all_of(
        (trusts(inventory, role, "s3.amazonaws.com"), may_all(inventory, role, _replicating(inventory, config)))
    )


_READS: Final = ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging")
_WRITES: Final = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
"""What the role needs (Amazon S3 user guide, "Setting up permissions for live replication": believed, 2026-11-22)."""


def _replicating(inventory: Inventory, config: Resource) -> Iterator[tuple[str, str, dict[str, str]]]:
    name = read(config, "bucket")
    if not isinstance(name, str) or is_hidden(name):
        return
    source = name if name.startswith("arn:") else f"arn:aws:s3:::{name}"
    yield from ((f"s3:{action}", source, {}) for action in ("GetReplicationConfiguration", "ListBucket"))
    yield from ((action, f"{source}/x", {}) for action in _READS)
    regions = {arn: region_in(b) for b in inventory.of_type(S3_BUCKET) for arn in S3.names(b)[1:]}
    for rule in items(config, "rules"):
        target = read(config, f"{rule}.destination.bucket")
        if read(config, f"{rule}.status") == "Disabled" or not isinstance(target, str) or is_hidden(target):
            continue
        yield from ((action, f"{target}/x", {}) for action in _WRITES)
        if read(config, f"{rule}.destination.encryptionConfiguration.replicaKmsKeyId") is not ABSENT:
            yield from _with_key(inventory, "kms:Decrypt", source, regions.get(source) or region_in(config))
            yield from _with_key(inventory, "kms:Encrypt", target, regions.get(target, ""))


def _with_key(
    inventory: Inventory, action: str, bucket: str, region: str
) -> Iterator[tuple[str, str, dict[str, str]]]:
    if region:
        account = SettingsView.of(inventory.settings).account
        told = {"kms:ViaService": f"s3.{region}.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": bucket}
        yield action, f"arn:aws:kms:{region}:{account}:key/{_KEY}", told
