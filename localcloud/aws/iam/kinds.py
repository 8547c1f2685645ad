"""Roles, their policies and service-linked roles, made in the emulator's IAM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from localcloud.aws.context import AwsContext, tag_list
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, ProviderError, Request, State, physical_name

MANAGED_POLICY_MAX: Final = 6144
"""Characters, white space not counted (IAM user guide, "IAM and AWS STS quotas": believed, 2026-11-21)."""
_VERSIONS_MAX: Final = 5
_SESSION_SECONDS: Final = 3600


class _IamKind(Kind):
    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def _iam(self) -> Any:
        return self._aws.client("iam", self._aws.region)


def _found(call: Any, **arguments: Any) -> Any:
    """The API's answer; None where it says that there is no such thing."""
    try:
        return call(**arguments)
    except Exception as e:
        if is_missing(e):
            return None
        raise


class Role(_IamKind):
    """`aws:iam/role:Role`; its id is its name."""

    def create(self, request: Request) -> State:
        i, name = request.inputs, physical_name(request, "name")
        for prop in ("inlinePolicies", "managedPolicyArns"):
            if i.get(prop):
                raise ProviderError("the local cloud takes policies as resources of their own", prop)
        arguments: dict[str, Any] = {
            "RoleName": name,
            "AssumeRolePolicyDocument": _text(i["assumeRolePolicy"]),
            "Path": i.get("path") or "/",
            "Description": i.get("description") or "",
            "MaxSessionDuration": int(i.get("maxSessionDuration") or _SESSION_SECONDS),
            "Tags": tag_list(self._aws.tags_of(request)),
        }
        if i.get("permissionsBoundary"):
            arguments["PermissionsBoundary"] = i["permissionsBoundary"]
        return self._state(request, self._iam().create_role(**arguments)["Role"])

    def update(self, request: Request) -> State:
        i, old, iam = request.inputs, request.old_inputs, self._iam()
        if not _same_json(i["assumeRolePolicy"], old.get("assumeRolePolicy")):
            iam.update_assume_role_policy(RoleName=request.id, PolicyDocument=_text(i["assumeRolePolicy"]))
        boundary = i.get("permissionsBoundary")
        if boundary and boundary != old.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=request.id, PermissionsBoundary=boundary)
        elif not boundary and old.get("permissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=request.id)
        iam.update_role(
            RoleName=request.id,
            Description=i.get("description") or "",
            MaxSessionDuration=int(i.get("maxSessionDuration") or _SESSION_SECONDS),
        )
        gone = sorted((old.get("tags") or {}).keys() - (i.get("tags") or {}).keys())
        if gone:
            iam.untag_role(RoleName=request.id, TagKeys=gone)
        if self._aws.tags_of(request):
            iam.tag_role(RoleName=request.id, Tags=tag_list(self._aws.tags_of(request)))
        return self._state(request, iam.get_role(RoleName=request.id)["Role"])

    def read(self, request: Request) -> State | None:
        found = _found(self._iam().get_role, RoleName=request.id)
        if found is None:
            return None
        role, told = found["Role"], dict(request.inputs)
        if "assumeRolePolicy" in told and not _same_json(told["assumeRolePolicy"], role["AssumeRolePolicyDocument"]):
            told["assumeRolePolicy"] = json.dumps(role["AssumeRolePolicyDocument"])
        boundary = (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        if boundary != told.get("permissionsBoundary"):
            told["permissionsBoundary"] = boundary
        if (told.get("description") or "") != (role.get("Description") or ""):
            told["description"] = role.get("Description") or ""
        drifted = bool(request.inputs) and told != dict(request.inputs)
        state = self._state(request, role)
        return State(state.id, state.outputs, inputs=told if drifted else None)

    def delete(self, request: Request) -> None:
        _found(self._iam().delete_role, RoleName=request.id)

    def _state(self, request: Request, role: Mapping[str, Any]) -> State:
        outputs = {
            "arn": role["Arn"],
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
            "createDate": _CREATED,
            "maxSessionDuration": request.inputs.get("maxSessionDuration", _SESSION_SECONDS),
            "managedPolicyArns": [],
            "inlinePolicies": [],
            "tagsAll": self._aws.tags_of(request),
        }
        return State(role["RoleName"], outputs)


class RolePolicy(_IamKind):
    """`aws:iam/rolePolicy:RolePolicy`; its id is `ROLE:NAME`."""

    def create(self, request: Request) -> State:
        return self._put(request, str(request.inputs["role"]), physical_name(request, "name"))

    def update(self, request: Request) -> State:
        return self._put(request, *_two(request.id, ":"))

    def read(self, request: Request) -> State | None:
        role, name = _two(request.id, ":")
        found = _found(self._iam().get_role_policy, RoleName=role, PolicyName=name)
        if found is None:
            return None
        document, asked = found["PolicyDocument"], request.inputs.get("policy")
        drifted = asked is not None and not _same_json(asked, document)
        told = {**request.inputs, "policy": json.dumps(document)} if drifted else None
        return State(request.id, {"name": name}, inputs=told)

    def delete(self, request: Request) -> None:
        role, name = _two(request.id, ":")
        _found(self._iam().delete_role_policy, RoleName=role, PolicyName=name)

    def _put(self, request: Request, role: str, name: str) -> State:
        text = _text(request.inputs["policy"])
        self._iam().put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)
        return State(f"{role}:{name}", {"name": name})


class ManagedPolicy(_IamKind):
    """`aws:iam/policy:Policy`; its id is its ARN. A change is a new version, as at the provider."""

    def create(self, request: Request) -> State:
        i = request.inputs
        made = self._iam().create_policy(
            PolicyName=physical_name(request, "name"),
            Path=i.get("path") or "/",
            PolicyDocument=_checked(request),
            Description=i.get("description") or "",
            Tags=tag_list(self._aws.tags_of(request)),
        )
        return self._state(request, made["Policy"])

    def update(self, request: Request) -> State:
        iam = self._iam()
        if not _same_json(request.inputs["policy"], request.old_inputs.get("policy")):
            versions = iam.list_policy_versions(PolicyArn=request.id)["Versions"]
            if len(versions) >= _VERSIONS_MAX:
                spare = [v["VersionId"] for v in versions if not v["IsDefaultVersion"]]
                oldest = min(spare, key=lambda version: int(version[1:]))
                iam.delete_policy_version(PolicyArn=request.id, VersionId=oldest)
            document = _checked(request)
            iam.create_policy_version(PolicyArn=request.id, PolicyDocument=document, SetAsDefault=True)
        return self._state(request, iam.get_policy(PolicyArn=request.id)["Policy"])

    def read(self, request: Request) -> State | None:
        iam = self._iam()
        found = _found(iam.get_policy, PolicyArn=request.id)
        if found is None:
            return None
        policy = found["Policy"]
        version = iam.get_policy_version(PolicyArn=request.id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        asked = request.inputs.get("policy")
        drifted = asked is not None and not _same_json(asked, version["Document"])
        told = {**request.inputs, "policy": json.dumps(version["Document"])} if drifted else None
        return State(request.id, self._state(request, policy).outputs, inputs=told)

    def delete(self, request: Request) -> None:
        iam = self._iam()
        for version in (_found(iam.list_policy_versions, PolicyArn=request.id) or {}).get("Versions", []):
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=request.id, VersionId=version["VersionId"])
        _found(iam.delete_policy, PolicyArn=request.id)

    def _state(self, request: Request, policy: Mapping[str, Any]) -> State:
        outputs = {
            "arn": policy["Arn"],
            "name": policy["PolicyName"],
            "policyId": policy["PolicyId"],
            # How often it is attached is no setting: what a refresh must not call drift stays as it was.
            "attachmentCount": request.outputs.get("attachmentCount", 0),
            "tagsAll": self._aws.tags_of(request),
        }
        return State(policy["Arn"], outputs)


class RolePolicyAttachment(_IamKind):
    """`aws:iam/rolePolicyAttachment:RolePolicyAttachment`; its id is `ROLE/ARN`."""

    def create(self, request: Request) -> State:
        role, arn = str(request.inputs["role"]), str(request.inputs["policyArn"])
        self._iam().attach_role_policy(RoleName=role, PolicyArn=arn)
        return State(f"{role}/{arn}", {})

    def update(self, request: Request) -> State:
        return State(request.id, {})  # no property of it changes in place

    def read(self, request: Request) -> State | None:
        role, arn = _two(request.id, "/")
        found = _found(self._iam().list_attached_role_policies, RoleName=role) or {}
        attached = [policy["PolicyArn"] for policy in found.get("AttachedPolicies", [])]
        return State(request.id, {}) if arn in attached else None

    def delete(self, request: Request) -> None:
        role, arn = _two(request.id, "/")
        _found(self._iam().detach_role_policy, RoleName=role, PolicyArn=arn)


_CREATED: Final = "2025-01-01T00:00:00Z"


def _two(physical_id: str, separator: str) -> tuple[str, str]:
    first, _, second = physical_id.partition(separator)
    return first, second


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _checked(request: Request) -> str:
    text = _text(request.inputs["policy"])
    if len("".join(text.split())) > MANAGED_POLICY_MAX:
        raise ProviderError(f"LimitExceeded: Cannot exceed quota for PolicySize: {MANAGED_POLICY_MAX}", "policy")
    return text


def _same_json(a: Any, b: Any) -> bool:
    """Whether two documents, as texts or values, say the same."""
    try:
        return (json.loads(a) if isinstance(a, str) else a) == (json.loads(b) if isinstance(b, str) else b)
    except ValueError:
        return a == b


class ServiceLinkedRole(_IamKind):
    """`aws:iam/serviceLinkedRole:ServiceLinkedRole`; its id is its ARN. A second one for a service is refused."""

    def create(self, request: Request) -> State:
        service = request.inputs["awsServiceName"]
        made = self._iam().create_service_linked_role(AWSServiceName=service)["Role"]
        return self._state(request, made)

    def read(self, request: Request) -> State | None:
        try:
            found = self._iam().get_role(RoleName=_name(request.id))["Role"]
        except Exception as e:
            if is_missing(e):
                return None
            raise
        return self._state(request, found)

    def update(self, request: Request) -> State:
        return self._state(request, self._iam().get_role(RoleName=_name(request.id))["Role"])

    def delete(self, request: Request) -> None:
        try:
            self._iam().delete_service_linked_role(RoleName=_name(request.id))
        except Exception as e:
            if not is_missing(e):
                raise

    def _state(self, request: Request, role: dict[str, Any]) -> State:
        outputs = {
            "arn": role["Arn"],
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
            "createDate": _CREATED,
            "tagsAll": self._aws.tags_of(request),
        }
        return State(role["Arn"], outputs)


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
