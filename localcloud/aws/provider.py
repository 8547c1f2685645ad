"""The stand-in AWS provider: what has a data plane is created in the emulator, the rest is recorded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from common.sdk import replacement_aws as replacement
from localcloud.aws import recorded
from localcloud.aws.backup.kinds import Plan, Selection, Vault, VaultLock, VaultPolicy
from localcloud.aws.context import ENV_ACCOUNT_ID, AwsContext
from localcloud.aws.dynamodb.kinds import Table
from localcloud.aws.ec2.kinds import VpcEndpoint
from localcloud.aws.eks.kinds import PodIdentityAssociation
from localcloud.aws.eks.versions import ADDON, CLUSTER, check_versions
from localcloud.aws.errors import refusal
from localcloud.aws.iam.kinds import ManagedPolicy, Role, RolePolicy, RolePolicyAttachment, ServiceLinkedRole
from localcloud.aws.kms.kinds import Alias, Key
from localcloud.aws.node_groups import TOKEN as NODE_GROUP
from localcloud.aws.node_groups import NodeGroups
from localcloud.aws.s3.kinds import SETTINGS, Bucket, BucketSetting, Setting
from localcloud.aws.sns.kinds import Topic, TopicPolicy
from localcloud.providers.base import (
    Kind,
    LocalProvider,
    ProviderError,
    Recorded,
    Request,
    State,
    force_delete,
    unknown_type,
)
from localcloud.providers.serve import serve
from localcloud.providers.store import Store
from localcloud.providers.values import Unknown


def _setting(setting: Setting, aws: AwsContext) -> Kind:
    return BucketSetting(aws, setting)


EMULATED: Mapping[str, Callable[[AwsContext], Kind]] = {
    "aws:backup/plan:Plan": Plan,
    "aws:backup/selection:Selection": Selection,
    "aws:backup/vault:Vault": Vault,
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": VaultLock,
    "aws:backup/vaultPolicy:VaultPolicy": VaultPolicy,
    "aws:dynamodb/table:Table": Table,
    "aws:ec2/vpcEndpoint:VpcEndpoint": VpcEndpoint,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": PodIdentityAssociation,
    "aws:iam/policy:Policy": ManagedPolicy,
    "aws:iam/role:Role": Role,
    "aws:iam/rolePolicy:RolePolicy": RolePolicy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": RolePolicyAttachment,
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": ServiceLinkedRole,
    "aws:kms/alias:Alias": Alias,
    "aws:kms/key:Key": Key,
    "aws:s3/bucket:Bucket": Bucket,
    "aws:sns/topic:Topic": Topic,
    "aws:sns/topicPolicy:TopicPolicy": TopicPolicy,
    **{token: partial(_setting, setting) for token, setting in SETTINGS.items()},
}
"""The types with a data plane, by token."""


class _Recorded(Recorded):
    """Recorded, with the deletion protection that some types have."""

    def delete(self, request: Request) -> None:
        for guard in ("deletionProtection", "deletionProtectionEnabled"):
            if request.inputs.get(guard) and not force_delete():
                raise ProviderError("deletion protection is on: turn it off and update first", guard)
        super().delete(request)


class _Versioned(_Recorded):
    """A type of EKS whose version must fit."""

    def create(self, request: Request) -> State:
        check_versions(self._store, request)
        return super().create(request)

    def update(self, request: Request) -> State:
        check_versions(self._store, request)
        return super().update(request)


class _Addons(_Versioned):
    not_enforced = "nothing runs; that kube-proxy fits the control plane's version is checked"


class _Clusters(_Versioned):
    not_enforced = "no control plane runs; that its version goes up one at a time is checked"


class _VersionedNodeGroups(_Versioned, NodeGroups):
    """Machines, with their number and their version."""

    not_enforced = "no machine starts; names, versions, and how sizes change, are as EKS'"


ENFORCED: Mapping[str, type[Recorded]] = {NODE_GROUP: _VersionedNodeGroups, ADDON: _Addons, CLUSTER: _Clusters}
"""Types that are remembered as those that are only recorded, and refuse what the cloud would all the same."""

NOT_ENFORCED: Mapping[str, str] = {
    token: kind.not_enforced
    for token, kind in {**EMULATED, **SETTINGS, **ENFORCED}.items()
    if isinstance(kind, type | Setting) and kind.not_enforced
}
"""Type → `Kind.not_enforced`, for those that have such a note."""


class AwsProvider(LocalProvider):
    """See `LocalProvider`."""

    package = "aws"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.aws = AwsContext(os.environ.get(ENV_ACCOUNT_ID, ""))

    def configure(self, config: Mapping[str, Any]) -> None:
        super().configure(config)
        allowed = config.get("allowedAccountIds")
        if isinstance(allowed, list) and self.aws.account not in allowed:
            named = ", ".join(map(str, allowed))
            raise ProviderError(f"the local cloud keeps account {self.aws.account}, not {named}", "allowedAccountIds")
        region = config.get("region")
        if not isinstance(region, Unknown):
            self.aws.region = str(region or os.environ.get("AWS_REGION", ""))
        tags = (config.get("defaultTags") or {}).get("tags") if isinstance(config.get("defaultTags"), dict) else {}
        self.aws.default_tags = tags or {}

    def kind(self, token: str) -> Kind:
        if token in EMULATED:
            return EMULATED[token](self.aws)
        if token not in recorded.RECORDED:
            raise unknown_type(token, "localcloud/aws/recorded.py")
        return ENFORCED.get(token, _Recorded)(
            self.store,
            partial(recorded.identify, self.aws),
            partial(recorded.compute, self.aws),
            exclusive=recorded.RECORDED[token].exclusive,
            # IAM is not regional; elsewhere two regions may each have a resource of one name.
            scope=(lambda _: "") if token.startswith("aws:iam/") else self.aws.region_of,
        )

    def replace_on(self, token: str) -> Iterable[str]:
        return replacement.replace_on(token)

    def name_property(self, token: str) -> str | None:
        return replacement.name_property(token)

    def translate(self, error: Exception, request: Request) -> ProviderError:
        return refusal(error, request)


if __name__ == "__main__":
    raise SystemExit(serve(AwsProvider))
