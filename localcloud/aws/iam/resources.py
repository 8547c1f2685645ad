"""Finds the policy of a resource of the emulator: a bucket, key, topic, table or vault, or the trust of a role."""

from __future__ import annotations

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
        role = next((r for r in state.backend("iam", "aws").roles.values() if r.arn == arn), None)
        return role.assume_role_policy_document if role is not None else None
    return None


def _vault_policy(state: AwsState, region: str, arn: str, rest: str) -> str | None:
    kind, _, name = rest.partition(":")
    if kind == "recovery-point":
        points = (p for p in state.overlay.backup.points.values() if p.arn == arn)
        name = next((p.vault for p in points), "")
    return state.overlay.backup.policies.get((region, name))
