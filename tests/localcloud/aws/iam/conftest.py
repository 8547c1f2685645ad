"""An account of an emulator with a bucket, its key, a table and a role that may read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from localcloud.aws.emulator import AwsEmulator

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def document(*statements: Mapping[str, Any]) -> str:
    """Statements as a policy; each allows, unless it says otherwise."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


@dataclass
class Account:
    """What a test changes, and asks as a role."""

    emulator: AwsEmulator
    bucket: str
    key: str
    table: str

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """A client of the operator, or of a session."""
        make: Any = boto3.client
        shown = credentials or {"AccessKeyId": "local", "SecretAccessKey": "local"}
        return make(
            service,
            region_name=REGION,
            endpoint_url=self.emulator.target().aws_endpoint_url,
            aws_access_key_id=shown["AccessKeyId"],
            aws_secret_access_key=shown["SecretAccessKey"],
            aws_session_token=shown.get("SessionToken"),
            config=Config(retries={"max_attempts": 1}),
        )

    def role(self, *statements: Mapping[str, Any], trust: str = "", **more: Any) -> str:
        """A new role with these rights, which the operator may take on; its ARN."""
        iam, name = self.client("iam"), f"role-{uuid4().hex[:8]}"
        trusting = trust or document({"Principal": {"AWS": ROOT}, "Action": ["sts:AssumeRole", "sts:TagSession"]})
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting, **more)["Role"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return made["Arn"]

    def session(self, role: str, **more: Any) -> Callable[[str], Any]:
        """Clients of a session of the role."""
        credentials = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test", **more)["Credentials"]
        return lambda service: self.client(service, credentials)

    def as_role(self, *statements: Mapping[str, Any], **more: Any) -> Callable[[str], Any]:
        """Clients of a session of a new role with these rights."""
        return self.session(self.role(*statements, **more))

    @property
    def objects(self) -> str:
        """ARN of the bucket's objects."""
        return f"arn:aws:s3:::{self.bucket}/*"

    def reading(self) -> tuple[Mapping[str, Any], ...]:
        """What it takes to read the bucket's objects."""
        return (
            {"Action": ["s3:GetObject"], "Resource": self.objects},
            {
                "Action": "kms:Decrypt",
                "Resource": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*",
                "Condition": {
                    "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
                    "StringLike": {"kms:EncryptionContext:aws:s3:arn": [f"arn:aws:s3:::{self.bucket}"]},
                },
            },
        )


@pytest.fixture
def account(emulator: AwsEmulator) -> Account:
    """A bucket with a key of its own and one object `a`, and a table with the same key and one item."""
    made = Account(emulator, f"bucket-{uuid4().hex[:8]}", "", f"table-{uuid4().hex[:8]}")
    made.key = made.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = made.client("s3")
    s3.create_bucket(Bucket=made.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    encrypted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": made.key}
    rule = {"ApplyServerSideEncryptionByDefault": encrypted, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=made.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=made.bucket, Key="a", Body=b"a")
    made.client("dynamodb").create_table(
        TableName=made.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": made.key},
    )
    made.client("dynamodb").put_item(TableName=made.table, Item={"id": {"S": "1"}})
    return made
