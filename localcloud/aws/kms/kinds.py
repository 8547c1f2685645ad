"""KMS keys and aliases, created in the emulator."""

from __future__ import annotations

import json
from typing import Any

from localcloud.aws.context import AwsContext, tag_list
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, Request, State

_DEFAULT_WINDOW_DAYS = 30


class Key(Kind):
    """`aws:kms/key:Key`; its id is the key's id. A deletion schedules it, as the real provider's does."""

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def create(self, request: Request) -> State:
        i, region = request.inputs, self._aws.region_of(request)
        kms = self._aws.client("kms", region)
        arguments = {
            "Description": i.get("description") or "",
            "KeyUsage": i.get("keyUsage") or "ENCRYPT_DECRYPT",
            "KeySpec": i.get("customerMasterKeySpec") or "SYMMETRIC_DEFAULT",
            "MultiRegion": bool(i.get("multiRegion")),
            "Tags": tag_list(self._aws.tags_of(request), "TagKey", "TagValue"),
        }
        if i.get("policy"):
            arguments["Policy"] = i["policy"]
        made = kms.create_key(**arguments)["KeyMetadata"]
        self._settle(kms, made["KeyId"], request)
        return self._state(request, made, kms)

    def update(self, request: Request) -> State:
        kms = self._aws.client("kms", self._aws.region_of(request))
        i, old = request.inputs, request.old_inputs
        if i.get("description") != old.get("description"):
            kms.update_key_description(KeyId=request.id, Description=i.get("description") or "")
        if i.get("policy") and i.get("policy") != old.get("policy"):
            kms.put_key_policy(KeyId=request.id, PolicyName="default", Policy=i["policy"])
        self._settle(kms, request.id, request)
        return self._state(request, kms.describe_key(KeyId=request.id)["KeyMetadata"], kms)

    def read(self, request: Request) -> State | None:
        kms = self._aws.client("kms", self._aws.region_of(request))
        try:
            found = kms.describe_key(KeyId=request.id)["KeyMetadata"]
        except Exception as e:
            if is_missing(e):
                return None
            raise
        if found["KeyState"] == "PendingDeletion":
            return None
        state = self._state(request, found, kms)
        told = self._found(request, found, kms)
        drifted = bool(request.inputs) and told != dict(request.inputs)
        return State(state.id, state.outputs, inputs=told if drifted else None)

    def delete(self, request: Request) -> None:
        kms = self._aws.client("kms", self._aws.region_of(request))
        days = int(request.inputs.get("deletionWindowInDays") or _DEFAULT_WINDOW_DAYS)
        try:
            kms.schedule_key_deletion(KeyId=request.id, PendingWindowInDays=days)
        except Exception as e:
            if not is_missing(e):
                raise

    def _settle(self, kms: Any, key_id: str, request: Request) -> None:
        i, old = request.inputs, request.old_inputs
        if i.get("enableKeyRotation"):
            days = i.get("rotationPeriodInDays")
            kms.enable_key_rotation(KeyId=key_id, **({"RotationPeriodInDays": days} if days else {}))
        elif old.get("enableKeyRotation"):
            kms.disable_key_rotation(KeyId=key_id)
        if i.get("isEnabled") is False:
            kms.disable_key(KeyId=key_id)
        elif request.id:
            kms.enable_key(KeyId=key_id)

    def _found(self, request: Request, found: dict[str, Any], kms: Any) -> dict[str, Any]:
        told = dict(request.inputs)
        if bool(told.get("isEnabled", True)) != found["Enabled"]:
            told["isEnabled"] = found["Enabled"]
        if "description" in told:
            told["description"] = found["Description"]
        if "enableKeyRotation" in told and found["Enabled"]:
            told["enableKeyRotation"] = kms.get_key_rotation_status(KeyId=request.id)["KeyRotationEnabled"]
        if "policy" in told:
            policy = kms.get_key_policy(KeyId=request.id, PolicyName="default")["Policy"]
            told["policy"] = told["policy"] if _same_json(told["policy"], policy) else policy
        return told

    def _state(self, request: Request, metadata: dict[str, Any], kms: Any) -> State:
        policy = request.inputs.get("policy")
        outputs = {
            "arn": metadata["Arn"],
            "keyId": metadata["KeyId"],
            "isEnabled": metadata["Enabled"],
            "multiRegion": metadata.get("MultiRegion", False),
            "keyUsage": metadata["KeyUsage"],
            "customerMasterKeySpec": metadata["KeySpec"],
            "policy": policy or kms.get_key_policy(KeyId=metadata["KeyId"], PolicyName="default")["Policy"],
            "region": self._aws.region_of(request),
            "tagsAll": self._aws.tags_of(request),
        }
        return State(metadata["KeyId"], outputs)


class Alias(Kind):
    """`aws:kms/alias:Alias`; its id is its name."""

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def create(self, request: Request) -> State:
        name = request.inputs.get("name") or f"alias/{request.name}"
        kms = self._aws.client("kms", self._aws.region_of(request))
        kms.create_alias(AliasName=name, TargetKeyId=_key_id(request.inputs["targetKeyId"]))
        return self._state(request, name)

    def update(self, request: Request) -> State:
        kms = self._aws.client("kms", self._aws.region_of(request))
        kms.update_alias(AliasName=request.id, TargetKeyId=_key_id(request.inputs["targetKeyId"]))
        return self._state(request, request.id)

    def read(self, request: Request) -> State | None:
        kms = self._aws.client("kms", self._aws.region_of(request))
        pages = kms.get_paginator("list_aliases").paginate()
        found = next((a for p in pages for a in p["Aliases"] if a["AliasName"] == request.id), None)
        if found is None:
            return None
        state = self._state(request, request.id)
        asked = request.inputs.get("targetKeyId")
        if asked is not None and _key_id(asked) != found.get("TargetKeyId"):
            return State(state.id, state.outputs, {**request.inputs, "targetKeyId": found.get("TargetKeyId")})
        return state

    def delete(self, request: Request) -> None:
        try:
            self._aws.client("kms", self._aws.region_of(request)).delete_alias(AliasName=request.id)
        except Exception as e:
            if not is_missing(e):
                raise

    def _state(self, request: Request, name: str) -> State:
        region = self._aws.region_of(request)
        outputs = {"name": name, "arn": self._aws.arn("kms", region, name), "region": region}
        target = request.inputs.get("targetKeyId")
        if target:
            outputs["targetKeyArn"] = self._aws.arn("kms", region, f"key/{_key_id(target)}")
        return State(name, outputs)


def _key_id(id_or_arn: str) -> str:
    return id_or_arn.rsplit("/", 1)[-1]


def _same_json(a: object, b: object) -> bool:
    try:
        return json.loads(str(a)) == json.loads(str(b))
    except ValueError:
        return a == b
