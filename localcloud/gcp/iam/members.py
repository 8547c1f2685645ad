"""Grants: single members of the IAM policies of buckets and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from common.gcp_api import GcpApi, GcpError
from localcloud.gcp.data_kinds import bucket_path
from localcloud.providers.base import Kind, ProviderError, Request, State

_CONFLICT_ATTEMPTS: Final = 20


class PolicyMember(Kind):
    """One member of one role in a resource's IAM policy: buckets' and keys'.

    Args:
        argument: the input that names the resource.
        get: reads the policy of a resource by that input's value.
        set: writes it.
        prefix: what stands before the resource in the id.
    """

    def __init__(
        self,
        argument: str,
        get: Callable[[str], dict[str, Any]],
        set: Callable[[str, dict[str, Any]], dict[str, Any]],
        prefix: str = "",
    ) -> None:
        self._argument = argument
        self._get = get
        self._set = set
        self._prefix = prefix

    def create(self, request: Request) -> State:
        return self._state(request, self._change(request, present=True))

    def update(self, request: Request) -> State:
        raise ProviderError(f"{request.id} has nothing that can change")

    def read(self, request: Request) -> State | None:
        try:
            policy = self._get(self._resource(request))
        except GcpError as e:
            if e.code == 404:
                return None
            raise
        return self._state(request, policy) if _has(policy, request) else None

    def delete(self, request: Request) -> None:
        try:
            self._change(request, present=False)
        except GcpError as e:
            if e.code != 404:
                raise

    def _change(self, request: Request, *, present: bool) -> dict[str, Any]:
        """Read, change and write the policy; again if another member was changed meanwhile."""
        resource = self._resource(request)
        for attempt in range(1, _CONFLICT_ATTEMPTS + 1):
            policy = self._get(resource)
            if _has(policy, request) == present:
                return policy
            try:
                return self._set(resource, with_member(policy, request.inputs, present=present))
            except GcpError as e:
                if e.code != 409 or attempt == _CONFLICT_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _resource(self, request: Request) -> str:
        return str(request.inputs.get(self._argument) or "")

    def _state(self, request: Request, policy: Mapping[str, Any]) -> State:
        condition = request.inputs.get("condition") or {}
        parts = [self._prefix + self._resource(request), request.inputs["role"], request.inputs["member"]]
        parts += [str(condition["title"])] if condition else []
        # The real provider shows the whole policy's etag, which other members' changes move; that would be drift.
        return State("/".join(parts), {"etag": request.outputs.get("etag") or str(policy["etag"])})


def with_member(policy: Mapping[str, Any], inputs: Mapping[str, Any], *, present: bool) -> dict[str, Any]:
    """The policy with, or without, the member."""
    condition = inputs.get("condition")
    bindings = [dict(b) for b in policy.get("bindings", [])]
    mine = next((b for b in bindings if b["role"] == inputs["role"] and b.get("condition") == condition), None)
    if mine is None:
        mine = {"role": inputs["role"], "members": [], **({"condition": condition} if condition else {})}
        bindings.append(mine)
    others = [m for m in mine["members"] if m != inputs["member"]]
    mine["members"] = [*others, inputs["member"]] if present else others
    return {"etag": policy.get("etag"), "bindings": [b for b in bindings if b["members"]]}


def _has(policy: Mapping[str, Any], request: Request) -> bool:
    i = request.inputs
    return any(
        b["role"] == i["role"] and i["member"] in b["members"] and b.get("condition") == i.get("condition")
        for b in policy.get("bindings", [])
    )


def bucket_member(api: GcpApi, _project: str) -> PolicyMember:
    """`gcp:storage/bucketIAMMember:BucketIAMMember`"""
    return PolicyMember(
        "bucket",
        lambda bucket: api.get("storage", f"{bucket_path(bucket)}/iam"),
        lambda bucket, policy: api.put("storage", f"{bucket_path(bucket)}/iam", policy),
        "b/",
    )


def key_member(api: GcpApi, _project: str) -> PolicyMember:
    """`gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember`"""
    return PolicyMember(
        "cryptoKeyId",
        lambda key: api.get("kms", f"v1/{key}:getIamPolicy"),
        lambda key, policy: api.post("kms", f"v1/{key}:setIamPolicy", {"policy": policy}),
    )


def project_member(api: GcpApi, project: str) -> PolicyMember:
    """`gcp:projects/iAMMember:IAMMember`; `project` is the provider's, for members that name none."""

    def path(name: str) -> str:
        return f"v1/projects/{(name or project).removeprefix('projects/')}"

    return PolicyMember(
        "project",
        lambda name: api.post("cloudresourcemanager", f"{path(name)}:getIamPolicy"),
        lambda name, policy: api.post("cloudresourcemanager", f"{path(name)}:setIamPolicy", {"policy": policy}),
    )
