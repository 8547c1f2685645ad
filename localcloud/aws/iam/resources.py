"""Finds the policy and the tags of a resource of the emulator: a bucket, key, topic, table or vault, or a role."""

from __future__ import annotations

from typing import Any

from common.iam.context import Context
from localcloud.aws.state import AwsState


def resource_policy(state: AwsState, arn: str) -> str | None:
    """The resource's own policy document; None where it has none or is not there."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    _, _, service, region, _, rest = parts
    if service == "s3":
        bucket = state.bucket(rest.split("/", 1)[0])
        return bucket.policy.decode() if bucket is not None and bucket.policy else None
    if service == "kms":
        key = state.key(arn, region)
        return key.policy if key is not None else None
    if service == "dynamodb":
        policy = state.backend("dynamodb", region).resource_policies.get(arn)
        return policy.policy_doc if policy is not None else None
    if service == "sns":
        topic = state.backend("sns", region).topics.get(arn)
        return topic.policy if topic is not None else None
    if service == "backup":
        return _vault_policy(state, region, arn, rest)
    if service == "iam" and rest.startswith("role/"):
        role = role_of(state, arn)
        return role.assume_role_policy_document if role is not None else None
    return None


def _vault_policy(state: AwsState, region: str, arn: str, rest: str) -> str | None:
    kind, _, name = rest.partition(":")
    if kind == "recovery-point":
        points = (p for p in state.overlay.backup.points.values() if p.arn == arn)
        name = next((p.vault for p in points), "")
    return state.overlay.backup.policies.get((region, name))


def resource_tags(state: AwsState, arn: str) -> Context:
    """`aws:ResourceTag/…` of a key, table or role; nothing is told of what has no tags here to go by."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return {}
    _, _, service, region, _, rest = parts
    tags: dict[str, Any] | None = None
    if service == "kms" and (key := state.key(arn, region)) is not None:
        tags = state.backend("kms", key.region).tagger.get_tag_dict_for_resource(key.id)
    elif service == "dynamodb" and (table := state.table(region, rest.split("/")[1])) is not None:
        tags = {tag["Key"]: tag["Value"] for tag in table.tags}
    elif service == "iam" and (role := role_of(state, arn)) is not None:
        tags = {tag["Key"]: tag["Value"] for tag in role.tags}
    if tags is None:
        return {}
    return {"aws:ResourceTag/*": None, **{f"aws:ResourceTag/{k}": str(v) for k, v in tags.items()}}


def role_of(state: AwsState, arn: str) -> Any:
    """The role of this ARN in the emulator's IAM; None if there is none."""
    return next((role for role in state.backend("iam", "aws").roles.values() if role.arn == arn), None)
