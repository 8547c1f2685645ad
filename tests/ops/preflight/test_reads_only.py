"""A preflight changes nothing: whatever is not a read is refused before a request is made."""

from __future__ import annotations

import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.preflight.aws.reader import READS, NotAReadError
from ops.preflight.gcp import reader as gcp_reader
from ops.preflight.wanted import Wanted
from tests.ops.preflight.recorded import RecordedAws, RecordedGcp, aws_answers, gcp_answers, serving

READING = re.compile(r"^(Describe|Get|Head|List|Simulate)[A-Z]")


def test_every_operation_that_may_be_called_is_named_as_a_read() -> None:
    assert not [called for called in READS if not READING.match(called.partition(".")[2])]


def test_every_operation_that_may_be_called_exists() -> None:
    session = botocore.session.get_session()
    unknown = [
        called
        for called in READS
        if called.partition(".")[2] not in session.get_service_model(called.partition(".")[0]).operation_names
    ]
    assert not unknown


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("s3", "delete_bucket", {"Bucket": "acme-state"}),
        ("s3", "put_bucket_versioning", {"Bucket": "acme-state", "VersioningConfiguration": {"Status": "Enabled"}}),
        ("iam", "create_service_linked_role", {"AWSServiceName": "autoscaling.amazonaws.com"}),
        ("kms", "schedule_key_deletion", {"KeyId": "1234"}),
        (
            "service-quotas",
            "request_service_quota_increase",
            {"ServiceCode": "ec2", "QuotaCode": "L", "DesiredValue": 1},
        ),
        ("sns", "subscribe", {"TopicArn": "arn:aws:sns:eu-west-1:111122223333:x", "Protocol": "email"}),
    ],
)
def test_a_call_that_changes_aws_is_refused_before_it_is_made(
    service: str, operation: str, params: dict[str, object], aws: Wanted
) -> None:
    cloud = RecordedAws(aws_answers(aws))
    with pytest.raises(NotAReadError):
        cloud.reader().read(service, operation, "eu-west-1", params)
    assert not cloud.asked


def test_what_fetches_the_credentials_is_not_refused(aws: Wanted) -> None:
    cloud = RecordedAws({**aws_answers(aws), "sts.AssumeRole": {}})
    cloud.reader().read("sts", "get_caller_identity", "eu-west-1")
    role = {"RoleArn": "arn:aws:iam::111122223333:role/deployer", "RoleSessionName": "ci"}
    cloud.session.client("sts", region_name="eu-west-1").assume_role(**role)
    assert cloud.asked == ["sts.GetCallerIdentity", "sts.AssumeRole"]


@given(
    method=st.sampled_from(["PUT", "PATCH", "DELETE", "POST"]),
    path=st.text(st.characters(codec="ascii"), max_size=60),
)
def test_a_request_that_may_change_google_cloud_is_refused(method: str, path: str) -> None:
    if method == "POST" and path.endswith(gcp_reader.ANSWERING_METHODS):
        return
    with pytest.raises(gcp_reader.NotAReadError):
        gcp_reader.refuse_writes(method, path)


@pytest.mark.parametrize(
    "path", ["storage/v1/projects/acme/serviceAccount", "v1/googleServiceAccounts/acme", "v1/x:enable"]
)
def test_what_makes_something_by_being_asked_is_refused(path: str, gcp: Wanted) -> None:
    cloud = RecordedGcp(gcp_answers(gcp))
    with serving(cloud) as target, pytest.raises(gcp_reader.NotAReadError):
        reader = gcp_reader.GcpReader(target, gcp.account)
        reader.ask("serviceusage", path, {}) if path.endswith(":enable") else reader.get("storage", path)
    assert not cloud.asked
