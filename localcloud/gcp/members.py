"""Grants: single members of a resource's IAM policy. Each service's kinds say how its policies are read and set."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from common.gcp_api import GcpError
from localcloud.gcp.rest import EmulatedKind
from localcloud.providers.base import ProviderError, Request, State

_CONFLICT_ATTEMPTS: Final = 20


class PolicyMember(EmulatedKind):
    """One member of one role in a resource's IAM policy."""

    argument: ClassVar[str]
    """The input that names the resource."""
    id_prefix: ClassVar[str] = ""
    """What stands before the resource in the id."""

    @abstractmethod
    def _get(self, resource: str) -> dict[str, Any]:
        """The policy of the resource, by that input's value."""

    @abstractmethod
    def _set(self, resource: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Write it. Raises GcpError (409) if it changed since it was read."""

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
        return str(request.inputs.get(self.argument) or "")

    def _state(self, request: Request, policy: Mapping[str, Any]) -> State:
        condition = request.inputs.get("condition") or {}
        parts = [self.id_prefix + self._resource(request), request.inputs["role"], request.inputs["member"]]
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
