"""S3 buckets and their settings, created in the emulator."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.aws.context import AwsContext, observed, tag_list, to_api
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, ProviderError, Request, State, force_delete, physical_name

_BUCKET_NAME = re.compile(r"(?!xn--|.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_BUCKET_RULE = "3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at both ends"


class Bucket(Kind):
    """`aws:s3/bucket:Bucket`."""

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def create(self, request: Request) -> State:
        name, region = physical_name(request, "bucket"), self._aws.region_of(request)
        if not _BUCKET_NAME.fullmatch(name):
            raise ProviderError(f"InvalidBucketName: {name!r} is no bucket name: {_BUCKET_RULE}", "bucket")
        s3 = self._aws.client("s3", region)
        arguments: dict[str, Any] = {"Bucket": name}
        if region != "us-east-1":
            arguments["CreateBucketConfiguration"] = {"LocationConstraint": region}
        if request.inputs.get("objectLockEnabled"):
            arguments["ObjectLockEnabledForBucket"] = True
        s3.create_bucket(**arguments)
        self._tag(s3, name, request)
        return self._state(request, name, region)

    def read(self, request: Request) -> State | None:
        s3 = self._aws.client("s3", self._aws.region_of(request))
        try:
            s3.head_bucket(Bucket=request.id)
        except Exception as e:
            if is_missing(e):
                return None
            raise
        return self._state(request, request.id, self._aws.region_of(request))

    def update(self, request: Request) -> State:
        region = self._aws.region_of(request)
        self._tag(self._aws.client("s3", region), request.id, request)
        return self._state(request, request.id, region)

    def delete(self, request: Request) -> None:
        s3 = self._aws.client("s3", self._aws.region_of(request))
        try:
            if request.inputs.get("forceDestroy") or force_delete():
                _empty(s3, request.id)
            s3.delete_bucket(Bucket=request.id)
        except Exception as e:
            if not is_missing(e):
                raise

    def _tag(self, s3: Any, name: str, request: Request) -> None:
        tags = self._aws.tags_of(request)
        if tags:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
        elif request.old_inputs.get("tags"):
            s3.delete_bucket_tagging(Bucket=name)

    def _state(self, request: Request, name: str, region: str) -> State:
        outputs = {
            "bucket": name,
            "arn": f"arn:aws:s3:::{name}",
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegion": region,
            "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "region": region,
            "tagsAll": self._aws.tags_of(request),
            "forceDestroy": bool(request.inputs.get("forceDestroy")),
            "objectLockEnabled": bool(request.inputs.get("objectLockEnabled")),
        }
        return State(name, outputs)


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        gone = [
            {"Key": v["Key"], "VersionId": v["VersionId"]}
            for v in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        if gone:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": gone, "Quiet": True}, BypassGovernanceRetention=True)


Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """How one setting of a bucket is put, read and taken away, as names of boto3's methods."""

    put: str
    get: str
    arguments: Callable[[Properties], dict[str, Any]]
    """The put method's arguments besides the bucket."""
    found: Callable[[Properties, Properties], Any]
    """The settings that an answer of the get method means, shaped as the inputs (inputs, answer); None: not set."""
    delete: str = ""
    """Empty where taking away means to put `neutral`."""
    neutral: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None
    not_enforced: str = ""
    """As `Kind.not_enforced`."""


class BucketSetting(Kind):
    """Any of the resources that set one thing of a bucket; its id is the bucket's name."""

    def __init__(self, aws: AwsContext, setting: Setting) -> None:
        self._aws = aws
        self._setting = setting

    def create(self, request: Request) -> State:
        return self._put(request, str(request.inputs["bucket"]))

    def update(self, request: Request) -> State:
        return self._put(request, request.id)

    def read(self, request: Request) -> State | None:
        s3 = self._aws.client("s3", self._aws.region_of(request))
        try:
            answer = getattr(s3, self._setting.get)(Bucket=request.id)
        except Exception as e:
            if is_missing(e):
                return None
            raise
        told = self._setting.found(request.inputs, answer)
        if told is None:
            return None
        drifted = told != dict(request.inputs) and bool(request.inputs)
        return State(request.id, self._outputs(request), inputs=told if drifted else None)

    def delete(self, request: Request) -> None:
        s3 = self._aws.client("s3", self._aws.region_of(request))
        try:
            if self._setting.delete:
                getattr(s3, self._setting.delete)(Bucket=request.id)
            elif self._setting.neutral is not None:
                getattr(s3, self._setting.put)(Bucket=request.id, **self._setting.neutral)
        except Exception as e:
            if not is_missing(e):
                raise

    def _put(self, request: Request, bucket: str) -> State:
        s3 = self._aws.client("s3", self._aws.region_of(request))
        getattr(s3, self._setting.put)(Bucket=bucket, **self._setting.arguments(request.inputs))
        return State(bucket, self._outputs(request))

    def _outputs(self, request: Request) -> dict[str, Any]:
        return {"region": self._aws.region_of(request), **(self._setting.outputs or {})}


_FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _overlay(inputs: Properties, found: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with what was found, property by property."""
    return {**inputs, **{k: observed(inputs.get(k), v) for k, v in found.items() if k in inputs}}


def _versioning(inputs: Properties) -> dict[str, Any]:
    asked = inputs["versioningConfiguration"]
    configuration = {"Status": asked["status"]}
    if asked.get("mfaDelete"):
        configuration["MFADelete"] = asked["mfaDelete"]
    return {"VersioningConfiguration": configuration}


def _found_versioning(inputs: Properties, answer: Properties) -> Any:
    if "Status" not in answer:
        return None
    asked = inputs.get("versioningConfiguration") or {}
    return {**inputs, "versioningConfiguration": {**asked, "status": answer["Status"]}}


def _encryption_rules(inputs: Properties) -> list[Any]:
    # Which types are blocked is newer than the emulator.
    return [{k: v for k, v in rule.items() if k != "blockedEncryptionTypes"} for rule in inputs["rules"]]


def _found_encryption(inputs: Properties, answer: Properties) -> Any:
    rules = observed(_encryption_rules(inputs), answer["ServerSideEncryptionConfiguration"]["Rules"])
    kept = [r.get("blockedEncryptionTypes") for r in inputs["rules"]]
    merged = [{**r, **({"blockedEncryptionTypes": k} if k else {})} for r, k in zip(rules, kept, strict=False)]
    return {**inputs, "rules": merged}


def _found_policy(inputs: Properties, answer: Properties) -> Any:
    asked, found = inputs.get("policy"), answer["Policy"]
    same = isinstance(asked, str) and json.loads(asked) == json.loads(found)
    return {**inputs, "policy": asked if same else found}


def _policy(inputs: Properties) -> dict[str, Any]:
    policy = inputs["policy"]
    try:
        return {"Policy": policy if isinstance(policy, str) else json.dumps(policy)}
    except ValueError as e:
        raise ProviderError(f"no JSON: {e}", "policy") from e


def _logging(inputs: Properties) -> dict[str, Any]:
    enabled = {"TargetBucket": inputs["targetBucket"], "TargetPrefix": inputs.get("targetPrefix", "")}
    return {"BucketLoggingStatus": {"LoggingEnabled": enabled}}


def _found_logging(inputs: Properties, answer: Properties) -> Any:
    found = answer.get("LoggingEnabled")
    if not found:
        return None
    return {**inputs, "targetBucket": found["TargetBucket"], "targetPrefix": found.get("TargetPrefix", "")}


SETTINGS: Mapping[str, Setting] = {
    "aws:s3/bucketVersioning:BucketVersioning": Setting(
        put="put_bucket_versioning",
        get="get_bucket_versioning",
        arguments=_versioning,
        found=_found_versioning,
        neutral={"VersioningConfiguration": {"Status": "Suspended"}},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Setting(
        put="put_bucket_encryption",
        get="get_bucket_encryption",
        arguments=lambda i: {"ServerSideEncryptionConfiguration": {"Rules": to_api(_encryption_rules(i))}},
        found=_found_encryption,
        delete="delete_bucket_encryption",
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Setting(
        put="put_public_access_block",
        get="get_public_access_block",
        arguments=lambda i: {"PublicAccessBlockConfiguration": to_api({k: bool(i.get(k)) for k in _FLAGS})},
        found=lambda i, a: {
            **i,
            **observed({k: i[k] for k in _FLAGS if k in i}, a["PublicAccessBlockConfiguration"]),
        },
        delete="delete_public_access_block",
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Setting(
        put="put_bucket_policy",
        get="get_bucket_policy",
        arguments=_policy,
        found=_found_policy,
        delete="delete_bucket_policy",
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": Setting(
        put="put_bucket_replication",
        get="get_bucket_replication",
        arguments=lambda i: {
            "ReplicationConfiguration": {"Role": i["role"], "Rules": [_replication_rule(r) for r in i["rules"]]}
        },
        found=lambda i, a: _overlay(
            i, {"role": a["ReplicationConfiguration"]["Role"], "rules": a["ReplicationConfiguration"]["Rules"]}
        ),
        delete="delete_bucket_replication",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Setting(
        put="put_bucket_lifecycle_configuration",
        get="get_bucket_lifecycle_configuration",
        arguments=lambda i: {"LifecycleConfiguration": {"Rules": to_api(i["rules"])}},
        found=lambda i, a: _overlay(i, {"rules": a["Rules"]}),
        delete="delete_bucket_lifecycle",
        not_enforced="nothing expires here; a drill judges what its rules would remove",
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Setting(
        put="put_bucket_ownership_controls",
        get="get_bucket_ownership_controls",
        arguments=lambda i: {"OwnershipControls": {"Rules": [to_api(i["rule"])]}},
        found=lambda i, a: _overlay(i, {"rule": a["OwnershipControls"]["Rules"][0]}),
        delete="delete_bucket_ownership_controls",
        not_enforced="an ACL is refused where it says so; one that is accepted lets nobody in",
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": Setting(
        put="put_object_lock_configuration",
        get="get_object_lock_configuration",
        arguments=lambda i: {
            "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **to_api({"rule": i["rule"]})}
        },
        found=lambda i, a: _overlay(i, {"rule": a["ObjectLockConfiguration"].get("Rule")}),
        # A bucket keeps the ability; only the default retention goes.
        neutral={"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
    ),
    "aws:s3/bucketLogging:BucketLogging": Setting(
        put="put_bucket_logging",
        get="get_bucket_logging",
        arguments=_logging,
        found=_found_logging,
        neutral={"BucketLoggingStatus": {}},
        not_enforced="no log is written; its target is checked",
    ),
}


def _replication_rule(rule: Properties) -> dict[str, Any]:
    translated = to_api(rule)
    # An empty filter is left out of XML unless it says what it is empty of.
    if "Filter" in translated and not translated["Filter"]:
        translated["Filter"] = {"Prefix": ""}
    return translated
