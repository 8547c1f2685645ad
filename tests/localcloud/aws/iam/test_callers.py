"""Every caller of the emulator is judged by its role, its session, the resource's policy and the key's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from common.target import Pod
from tests.localcloud.aws.iam.conftest import ACCOUNT, REGION, ROOT, Account, document


def refused(call: Any, code: str = "AccessDenied", **arguments: Any) -> str:
    """The message of a call that must be refused."""
    with pytest.raises(ClientError) as told:
        call(**arguments)
    assert told.value.response.get("Error", {}).get("Code", "").startswith(code), told.value
    return str(told.value)


def test_a_role_reads_what_it_may(account: Account) -> None:
    s3 = account.as_role(*account.reading())("s3")
    assert s3.get_object(Bucket=account.bucket, Key="a")["Body"].read() == b"a"


def test_a_role_that_may_only_read_does_not_write_or_delete(account: Account) -> None:
    s3 = account.as_role(*account.reading())("s3")
    refused(s3.put_object, Bucket=account.bucket, Key="b", Body=b"b")
    refused(s3.delete_object, Bucket=account.bucket, Key="a")
    refused(s3.list_objects_v2, Bucket=account.bucket)


def test_the_right_to_another_bucket_is_none_to_this_one(account: Account) -> None:
    s3 = account.as_role({"Action": "s3:*", "Resource": f"arn:aws:s3:::{account.bucket}-2/*"})("s3")
    refused(s3.get_object, Bucket=account.bucket, Key="a")


def test_an_object_is_not_read_without_a_right_to_its_key(account: Account) -> None:
    s3 = account.as_role({"Action": "s3:*", "Resource": "*"})("s3")
    assert "kms:Decrypt" in refused(s3.get_object, Bucket=account.bucket, Key="a")
    assert "kms:GenerateDataKey" in refused(s3.put_object, Bucket=account.bucket, Key="b", Body=b"b")


def test_a_right_to_the_key_for_another_bucket_opens_nothing(account: Account) -> None:
    objects, key = account.reading()
    elsewhere = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::other"}}
    refused(
        account.as_role(objects, {**key, "Condition": elsewhere})("s3").get_object, Bucket=account.bucket, Key="a"
    )


def test_a_key_is_not_used_directly_with_a_right_that_holds_through_s3(account: Account) -> None:
    sealed = account.client("kms").encrypt(KeyId=account.key, Plaintext=b"x")["CiphertextBlob"]
    refused(account.as_role(*account.reading())("kms").decrypt, CiphertextBlob=sealed)


def test_a_key_policy_that_does_not_hand_over_shuts_out_all_but_whom_it_names(account: Account) -> None:
    role = account.role(*account.reading())
    named = {"Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"}
    admin = {"Principal": {"AWS": ROOT}, "Action": "kms:PutKeyPolicy", "Resource": "*"}
    kms = account.client("kms")
    kms.put_key_policy(KeyId=account.key, PolicyName="default", Policy=document(admin))
    refused(account.session(role)("s3").get_object, Bucket=account.bucket, Key="a")
    refused(account.client("s3").get_object, Bucket=account.bucket, Key="a")  # an administrator too
    kms.put_key_policy(KeyId=account.key, PolicyName="default", Policy=document(admin, named))
    assert account.session(role)("s3").get_object(Bucket=account.bucket, Key="a")


def test_a_boundary_cuts_a_role(account: Account) -> None:
    iam = account.client("iam")
    boundary = iam.create_policy(
        PolicyName=f"only-lists-{account.bucket}",
        PolicyDocument=document({"Action": "s3:ListBucket", "Resource": "*"}),
    )["Policy"]["Arn"]
    s3 = account.as_role(*account.reading(), PermissionsBoundary=boundary)("s3")
    assert "boundary" in refused(s3.get_object, Bucket=account.bucket, Key="a")


def test_a_boundary_that_does_not_exist_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        account.role(PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/none")


def test_a_managed_policy_of_aws_counts_once_it_is_attached(account: Account) -> None:
    role = account.role()
    refused(account.session(role)("s3").list_buckets)
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    account.client("iam").attach_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyArn=arn)
    assert account.session(role)("s3").list_buckets()["Buckets"]


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"StringEquals": {"aws:PrincipalTag/team": "other"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {"aws:NoSuchKey": "x"}},
        {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    ],
)
def test_a_condition_that_does_not_hold_or_is_not_known_does_not_allow(
    account: Account, condition: Mapping[str, Any]
) -> None:
    objects, key = account.reading()
    s3 = account.as_role({**objects, "Condition": condition}, key)("s3")
    refused(s3.get_object, Bucket=account.bucket, Key="a")


class TestBucketPolicies:
    def put(self, account: Account, *statements: Mapping[str, Any]) -> None:
        account.client("s3").put_bucket_policy(Bucket=account.bucket, Policy=document(*statements))

    def test_a_deny_binds_the_operator_too(self, account: Account) -> None:
        denies = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": account.objects}
        self.put(account, denies)
        refused(account.client("s3").get_object, Bucket=account.bucket, Key="a")

    def test_a_deny_under_a_condition_binds_those_who_meet_it(self, account: Account) -> None:
        wrong = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
        null = {"Null": {"s3:x-amz-server-side-encryption": "false"}}
        told = {
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": account.objects,
            "Condition": {**wrong, **null},
        }
        self.put(account, {"Effect": "Deny", **told})
        s3 = account.client("s3")
        s3.put_object(Bucket=account.bucket, Key="b", Body=b"b")
        refused(s3.put_object, Bucket=account.bucket, Key="b", Body=b"b", ServerSideEncryption="AES256")

    def test_an_old_tls_is_not_what_the_loopback_stands_for(self, account: Account) -> None:
        old = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
        self.put(
            account,
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": account.objects, "Condition": old},
        )
        assert account.client("s3").get_object(Bucket=account.bucket, Key="a")

    def test_a_role_that_the_bucket_names_needs_no_policy_of_its_own(self, account: Account) -> None:
        role = account.role(account.reading()[1])
        self.put(account, {"Principal": {"AWS": role}, "Action": "s3:GetObject", "Resource": account.objects})
        assert account.session(role)("s3").get_object(Bucket=account.bucket, Key="a")

    def test_a_principal_that_does_not_exist_is_refused(self, account: Account) -> None:
        none = {
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"},
            "Action": "s3:*",
            "Resource": account.objects,
        }
        with pytest.raises(ClientError, match="MalformedPolicy"):
            self.put(account, none)

    def test_several_objects_are_deleted_but_those_that_are_denied(self, account: Account) -> None:
        s3 = account.client("s3")
        s3.put_object(Bucket=account.bucket, Key="kept/b", Body=b"b")
        kept = f"arn:aws:s3:::{account.bucket}/kept/*"
        self.put(account, {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": kept})
        told = s3.delete_objects(Bucket=account.bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "kept/b"}]})
        assert [each["Key"] for each in told["Deleted"]] == ["a"]
        assert [(each["Key"], each["Code"]) for each in told["Errors"]] == [("kept/b", "AccessDenied")]


class TestThePublic:
    READ: Mapping[str, Any] = {"Principal": "*", "Action": "s3:GetObject"}

    def block(self, account: Account, **flags: bool) -> None:
        account.client("s3").put_public_access_block(Bucket=account.bucket, PublicAccessBlockConfiguration=flags)

    def plain(self, account: Account) -> int:
        """The status of an unsigned request for an object that has no key."""
        account.client("s3").put_object(Bucket=account.bucket, Key="p", Body=b"p", ServerSideEncryption="AES256")
        url = f"{account.emulator.target().aws_endpoint_url}/{account.bucket}/p"
        return requests.get(url, timeout=10).status_code

    def let_in(self, account: Account) -> None:
        policy = document({**self.READ, "Resource": account.objects})
        account.client("s3").put_bucket_policy(Bucket=account.bucket, Policy=policy)

    def test_nobody_known_is_let_in_by_a_public_policy_alone(self, account: Account) -> None:
        assert self.plain(account) == 403
        self.let_in(account)
        assert self.plain(account) == 200

    def test_a_public_policy_is_refused_where_it_is_blocked(self, account: Account) -> None:
        self.block(account, BlockPublicPolicy=True)
        with pytest.raises(ClientError, match="BlockPublicPolicy"):
            self.let_in(account)

    def test_a_public_policy_is_without_effect_where_the_bucket_is_restricted(self, account: Account) -> None:
        self.let_in(account)
        self.block(account, RestrictPublicBuckets=True)
        assert self.plain(account) == 403
        assert account.client("s3").get_object(Bucket=account.bucket, Key="p")

    def test_a_public_acl_is_refused_where_it_is_blocked(self, account: Account) -> None:
        self.block(account, BlockPublicAcls=True)
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        account.client("s3").put_bucket_ownership_controls(Bucket=account.bucket, OwnershipControls=rules)
        refused(account.client("s3").put_object, Bucket=account.bucket, Key="b", Body=b"b", ACL="public-read")

    def test_an_acl_is_refused_where_the_owner_is_enforced(self, account: Account) -> None:
        s3 = account.client("s3")  # a new bucket's default
        refused(s3.put_object, "AccessControlListNotSupported", Bucket=account.bucket, Key="b", ACL="public-read")


class TestTables:
    def rights(self, account: Account, *actions: str) -> tuple[Mapping[str, Any], ...]:
        context = {
            "kms:ViaService": f"dynamodb.{REGION}.amazonaws.com",
            "kms:EncryptionContext:aws:dynamodb:tableName": account.table,
            "kms:EncryptionContext:aws:dynamodb:subscriberId": ACCOUNT,
        }
        table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{account.table}"
        return (
            {"Action": list(actions), "Resource": table},
            {"Action": "kms:Decrypt", "Resource": account.key, "Condition": {"StringEquals": context}},
        )

    ITEM: Mapping[str, Any] = {"id": {"S": "1"}}

    def test_an_item_is_read_by_who_may_and_written_by_nobody_else(self, account: Account) -> None:
        dynamodb = account.as_role(*self.rights(account, "dynamodb:GetItem"))("dynamodb")
        assert dynamodb.get_item(TableName=account.table, Key=self.ITEM)["Item"] == self.ITEM
        refused(dynamodb.put_item, TableName=account.table, Item=self.ITEM)
        refused(dynamodb.scan, TableName=account.table)

    def test_a_part_of_a_transaction_needs_its_own_right(self, account: Account) -> None:
        dynamodb = account.as_role(*self.rights(account, "dynamodb:PutItem"))("dynamodb")
        put = {"Put": {"TableName": account.table, "Item": self.ITEM}}
        dynamodb.transact_write_items(TransactItems=[put])
        delete = {"Delete": {"TableName": account.table, "Key": self.ITEM}}
        refused(dynamodb.transact_write_items, TransactItems=[put, delete])

    def test_an_item_is_not_read_without_a_right_to_the_key(self, account: Account) -> None:
        dynamodb = account.as_role(self.rights(account, "dynamodb:GetItem")[0])("dynamodb")
        assert "KMS" in refused(dynamodb.get_item, TableName=account.table, Key=self.ITEM)


class TestSessions:
    def test_a_role_is_taken_on_by_those_whom_it_trusts(self, account: Account) -> None:
        role = account.role(
            trust=document({"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"})
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            account.session(role)

    def test_a_session_takes_another_role_on_only_with_a_right_to(self, account: Account) -> None:
        target = account.role()
        may = {"Action": "sts:AssumeRole", "Resource": target}
        told = {"RoleArn": target, "RoleSessionName": "chained"}
        refused(account.as_role()("sts").assume_role, **told)
        assert account.as_role(may)("sts").assume_role(**told)["Credentials"]

    def test_an_external_id_that_the_trust_wants_must_be_told(self, account: Account) -> None:
        only = {"StringEquals": {"sts:ExternalId": "42"}}
        role = account.role(
            trust=document({"Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole", "Condition": only})
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            account.session(role)
        assert account.session(role, ExternalId="42")

    def test_a_session_policy_narrows(self, account: Account) -> None:
        role = account.role(*account.reading())
        narrow = document({"Action": "s3:ListBucket", "Resource": "*"})
        assert "session policy" in refused(
            account.session(role, Policy=narrow)("s3").get_object, Bucket=account.bucket, Key="a"
        )

    def test_a_session_ends_no_later_than_its_role_says(self, account: Account) -> None:
        with pytest.raises(ClientError, match="DurationSeconds"):
            account.session(account.role(), DurationSeconds=7200)

    def test_tags_of_a_session_are_told_to_conditions(self, account: Account) -> None:
        objects, key = account.reading()
        role = account.role({**objects, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}, key)
        refused(account.session(role)("s3").get_object, Bucket=account.bucket, Key="a")
        tagged = account.session(role, Tags=[{"Key": "team", "Value": "a"}])
        assert tagged("s3").get_object(Bucket=account.bucket, Key="a")

    def test_everybody_may_ask_who_they_are(self, account: Account) -> None:
        told = account.as_role()("sts").get_caller_identity()
        assert told["Account"] == ACCOUNT
        assert "assumed-role" in told["Arn"]

    def test_an_access_key_that_nobody_has_is_refused(self, account: Account) -> None:
        stranger = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}
        refused(account.client("s3", stranger).list_buckets, "InvalidAccessKeyId")


class TestPods:
    def admitted(self, account: Account, tmp_path: Path, role: str) -> requests.Response:
        """What the agent answers a pod of a service account that is bound to the role."""
        name = account.table
        account.client("eks").create_pod_identity_association(
            clusterName="c", namespace="serving", serviceAccount=name, roleArn=role
        )
        environment = account.emulator.target().admit(Pod("serving", name, role), tmp_path)
        token = Path(environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read_text()
        url = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        return requests.get(url, headers={"Authorization": token}, timeout=10)

    def trust(self, *actions: str, service: str = "pods.eks.amazonaws.com", **condition: Any) -> str:
        more = {"Condition": condition} if condition else {}
        return document({"Principal": {"Service": service}, "Action": list(actions), **more})

    def test_a_pod_reads_by_its_role(self, account: Account, tmp_path: Path) -> None:
        own = {"aws:RequestTag/kubernetes-service-account": account.table}
        trust = self.trust("sts:AssumeRole", "sts:TagSession", StringEquals=own)
        told = json.loads(self.admitted(account, tmp_path, account.role(*account.reading(), trust=trust)).text)
        credentials = {
            "AccessKeyId": told["AccessKeyId"],
            "SecretAccessKey": told["SecretAccessKey"],
            "SessionToken": told["Token"],
        }
        s3 = account.client("s3", credentials)
        assert s3.get_object(Bucket=account.bucket, Key="a")
        refused(s3.delete_object, Bucket=account.bucket, Key="a")

    @pytest.mark.parametrize(
        ("actions", "service", "service_account"),
        [
            (["sts:AssumeRole"], "pods.eks.amazonaws.com", None),
            (["sts:AssumeRole", "sts:TagSession"], "ec2.amazonaws.com", None),
            (["sts:AssumeRole", "sts:TagSession"], "pods.eks.amazonaws.com", "another"),
        ],
    )
    def test_a_role_that_does_not_trust_the_pods_identity_gives_no_credentials(
        self, account: Account, tmp_path: Path, actions: list[str], service: str, service_account: str | None
    ) -> None:
        only = {"StringEquals": {"aws:RequestTag/kubernetes-service-account": service_account}}
        trust = self.trust(*actions, service=service, **(only if service_account else {}))
        answer = self.admitted(account, tmp_path, account.role(*account.reading(), trust=trust))
        assert answer.status_code == 400
        assert "sts:" in answer.text
