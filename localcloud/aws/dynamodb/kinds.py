"""DynamoDB tables, created in the emulator."""

from __future__ import annotations

from typing import Any

from localcloud.aws.context import AwsContext, tag_list
from localcloud.aws.errors import is_missing
from localcloud.providers.base import Kind, ProviderError, Request, State, force_delete, physical_name

_INDEXES = ("globalSecondaryIndexes", "localSecondaryIndexes", "replicas")


class Table(Kind):
    """`aws:dynamodb/table:Table`; its id is its name."""

    def __init__(self, aws: AwsContext) -> None:
        self._aws = aws

    def create(self, request: Request) -> State:
        i, name = request.inputs, physical_name(request, "name")
        if i.get("replicas"):
            raise ProviderError("the local cloud has no global tables", "replicas")
        dynamodb = self._client(request)
        arguments: dict[str, Any] = {
            "TableName": name,
            "KeySchema": _key_schema(i["hashKey"], i.get("rangeKey")),
            "AttributeDefinitions": [
                {"AttributeName": a["name"], "AttributeType": a["type"]} for a in i.get("attributes") or []
            ],
            "BillingMode": i.get("billingMode") or "PROVISIONED",
            "DeletionProtectionEnabled": bool(i.get("deletionProtectionEnabled")),
            "Tags": tag_list(self._aws.tags_of(request)),
        }
        if arguments["BillingMode"] == "PROVISIONED":
            arguments["ProvisionedThroughput"] = _throughput(i)
        encryption = _encryption(i.get("serverSideEncryption"))
        if encryption:
            arguments["SSESpecification"] = encryption
        for prop, argument in (
            ("globalSecondaryIndexes", "GlobalSecondaryIndexes"),
            ("localSecondaryIndexes", "LocalSecondaryIndexes"),
        ):
            if i.get(prop):
                arguments[argument] = [_index(x, i["hashKey"], arguments["BillingMode"]) for x in i[prop]]
        if i.get("streamEnabled"):
            view = i.get("streamViewType")
            arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
        dynamodb.create_table(**arguments)
        self._settle(dynamodb, name, request)
        return self._state(request, name, dynamodb)

    def update(self, request: Request) -> State:
        i, old, dynamodb = request.inputs, request.old_inputs, self._client(request)
        for prop in _INDEXES:
            if i.get(prop) != old.get(prop):
                raise ProviderError("the local cloud does not change it in place", prop)
        changed: dict[str, Any] = {}
        if i.get("billingMode") != old.get("billingMode") or _throughput(i) != _throughput(old):
            changed["BillingMode"] = i.get("billingMode") or "PROVISIONED"
            if changed["BillingMode"] == "PROVISIONED":
                changed["ProvisionedThroughput"] = _throughput(i)
        if i.get("serverSideEncryption") != old.get("serverSideEncryption"):
            changed["SSESpecification"] = _encryption(i.get("serverSideEncryption")) or {"Enabled": False}
        if i.get("deletionProtectionEnabled") != old.get("deletionProtectionEnabled"):
            changed["DeletionProtectionEnabled"] = bool(i.get("deletionProtectionEnabled"))
        if changed:
            dynamodb.update_table(TableName=request.id, **changed)
        self._settle(dynamodb, request.id, request)
        arn = str(request.outputs.get("arn"))
        gone = sorted((old.get("tags") or {}).keys() - (i.get("tags") or {}).keys())
        if gone:
            dynamodb.untag_resource(ResourceArn=arn, TagKeys=gone)
        if self._aws.tags_of(request):
            dynamodb.tag_resource(ResourceArn=arn, Tags=tag_list(self._aws.tags_of(request)))
        return self._state(request, request.id, dynamodb)

    def read(self, request: Request) -> State | None:
        dynamodb = self._client(request)
        try:
            state = self._state(request, request.id, dynamodb)
        except Exception as e:
            if is_missing(e):
                return None
            raise
        told = self._found(request, dynamodb)
        drifted = bool(request.inputs) and told != dict(request.inputs)
        return State(state.id, state.outputs, inputs=told if drifted else None)

    def delete(self, request: Request) -> None:
        dynamodb = self._client(request)
        try:
            if force_delete():
                dynamodb.update_table(TableName=request.id, DeletionProtectionEnabled=False)
            dynamodb.delete_table(TableName=request.id)
        except Exception as e:
            if not is_missing(e):
                raise

    def _client(self, request: Request) -> Any:
        return self._aws.client("dynamodb", self._aws.region_of(request))

    def _settle(self, dynamodb: Any, name: str, request: Request) -> None:
        i, old = request.inputs, request.old_inputs
        if i.get("ttl") != old.get("ttl"):
            ttl = i.get("ttl") or {**(old.get("ttl") or {}), "enabled": False}
            wanted = {"Enabled": bool(ttl.get("enabled")), "AttributeName": ttl.get("attributeName") or "ttl"}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)
        if i.get("pointInTimeRecovery") != old.get("pointInTimeRecovery"):
            recovery = i.get("pointInTimeRecovery") or {"enabled": False}
            wanted = {"PointInTimeRecoveryEnabled": bool(recovery.get("enabled"))}
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=wanted)

    def _found(self, request: Request, dynamodb: Any) -> dict[str, Any]:
        """The inputs, with what the emulator has of them."""
        told = dict(request.inputs)
        table = dynamodb.describe_table(TableName=request.id)["Table"]
        if "deletionProtectionEnabled" in told:
            told["deletionProtectionEnabled"] = bool(table.get("DeletionProtectionEnabled"))
        if told.get("ttl"):
            ttl = dynamodb.describe_time_to_live(TableName=request.id)["TimeToLiveDescription"]
            told["ttl"] = {**told["ttl"], "enabled": ttl.get("TimeToLiveStatus") == "ENABLED"}
        if told.get("pointInTimeRecovery"):
            answer = dynamodb.describe_continuous_backups(TableName=request.id)["ContinuousBackupsDescription"]
            status = answer["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
            told["pointInTimeRecovery"] = {**told["pointInTimeRecovery"], "enabled": status == "ENABLED"}
        encryption = told.get("serverSideEncryption") or {}
        if encryption.get("kmsKeyArn"):
            found = (table.get("SSEDescription") or {}).get("KMSMasterKeyArn")
            told["serverSideEncryption"] = {**encryption, "kmsKeyArn": found}
        return told

    def _state(self, request: Request, name: str, dynamodb: Any) -> State:
        table = dynamodb.describe_table(TableName=name)["Table"]
        outputs = {
            "name": name,
            "arn": table["TableArn"],
            "hashKey": table["KeySchema"][0]["AttributeName"],
            "billingMode": request.inputs.get("billingMode") or "PROVISIONED",
            "streamArn": table.get("LatestStreamArn") or "",
            "streamLabel": table.get("LatestStreamLabel") or "",
            "region": self._aws.region_of(request),
            "tagsAll": self._aws.tags_of(request),
            "tableClass": request.inputs.get("tableClass") or "STANDARD",
        }
        return State(name, outputs)


def _key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else keys


def _throughput(inputs: Any) -> dict[str, int]:
    return {
        "ReadCapacityUnits": int(inputs.get("readCapacity") or 1),
        "WriteCapacityUnits": int(inputs.get("writeCapacity") or 1),
    }


def _encryption(asked: Any) -> dict[str, Any] | None:
    if not asked or not asked.get("enabled"):
        return None
    key = asked.get("kmsKeyArn")
    return {"Enabled": True, "SSEType": "KMS", **({"KMSMasterKeyId": key} if key else {})}


def _index(asked: Any, table_hash_key: str, billing_mode: str) -> dict[str, Any]:
    index: dict[str, Any] = {
        "IndexName": asked["name"],
        "KeySchema": _key_schema(asked.get("hashKey") or table_hash_key, asked.get("rangeKey")),
        "Projection": {"ProjectionType": asked.get("projectionType") or "ALL"},
    }
    if asked.get("nonKeyAttributes"):
        index["Projection"]["NonKeyAttributes"] = asked["nonKeyAttributes"]
    if billing_mode == "PROVISIONED" and asked.get("hashKey"):
        index["ProvisionedThroughput"] = _throughput(asked)
    return index
