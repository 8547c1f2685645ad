"""The identities that people and pipelines take on: one for each job, for those whom the stack names."""

from __future__ import annotations

import json
import re
from typing import Any

from components.contracts.cluster import AccessRole
from components.contracts.naming import drill_name
from components.contracts.vocabulary import Cloud
from components.gcp.operators import WORKFLOW

TAKEN_ON_BY = {
    "publisher": {AccessRole.ADMINISTRATOR, AccessRole.DEPLOYER},
    "feature-writer": {AccessRole.ADMINISTRATOR, AccessRole.DEPLOYER},
    "drill": {AccessRole.ADMINISTRATOR},
}


def test_each_job_is_taken_on_by_those_that_the_stack_names_and_no_one_else(platform: Any) -> None:
    principals = list(platform.settings.cluster.access.principals())
    for purpose, roles in TAKEN_ON_BY.items():
        named = {(key, principal) for role, key, principal in principals if role in roles}
        if platform.cloud is Cloud.AWS:
            trust = json.loads(platform.one("operators", purpose, "aws:iam/role:Role").get("assumeRolePolicy"))
            (statement,) = trust["Statement"]
            scheduled = {f"arn:aws:iam::{platform.settings.account}:role/seawall-bootstrap-drill-dev"}
            trusted = {arn for _, arn in named} | (scheduled if purpose == "drill" else set())
            assert set(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]) == trusted
        else:
            token = "gcp:serviceaccount/iAMMember:IAMMember"
            found = {
                (r.name.removeprefix(f"{purpose}-"), r.get("member"))
                for r in platform.inventory.of_type(token)
                if r.name.startswith(f"{purpose}-") and r.get("role") == "roles/iam.serviceAccountTokenCreator"
            }
            account = f"seawall-bootstrap-drill-dev@{platform.settings.account}.iam.gserviceaccount.com"
            scheduled = {(WORKFLOW, f"serviceAccount:{account}")} if purpose == "drill" else set()
            assert found == named | scheduled


def test_only_the_publisher_writes_models_and_only_the_feature_writer_writes_rows(aws_platform: Any) -> None:
    documents = {p: aws_platform.one("operators", f"{p}-{p}").get("policy") for p in TAKEN_ON_BY}
    own = drill_name("dev")
    assert writers(documents, "s3:PutObject", own) == ["publisher"]
    assert writers(documents, "dynamodb:PutItem", own) == ["feature-writer"]


def writers(documents: dict[str, str], action: str, own: str) -> list[str]:
    """Who may do `action` on anything but a drill's own resources."""
    return [
        purpose
        for purpose, text in documents.items()
        for statement in json.loads(text)["Statement"]
        if action in statement["Action"] and own not in str(statement["Resource"])
    ]


WRITES = re.compile(r":(Put|Update|Delete|Create|Batch(Write|Delete)|Abort|Start|Restore|Tag|Untag|Pass)")


def test_a_drill_writes_nothing_on_aws_that_is_not_its_own(aws_platform: Any) -> None:
    statements = json.loads(aws_platform.one("operators", "drill-drill").get("policy"))["Statement"]
    writing = [s for s in statements if any(WRITES.search(action) for action in s["Action"])]
    far = aws_platform.settings.backup.region
    not_own = {s["Sid"] for s in writing if drill_name("dev") not in str(s["Resource"])}
    # A restore job names a recovery point, and what it writes is up to the role that it is given.
    assert not_own == {"Restore", "RestoreByItsRole"}
    assert all(f":{far}:" in str(s["Resource"]) for s in writing if s["Sid"] == "Restore")


def test_a_drill_uses_no_bucket_on_google_cloud_but_its_own_and_the_copies(gcp_platform: Any) -> None:
    members = gcp_platform.inventory.of_type("gcp:projects/iAMMember:IAMMember")
    buckets = [m for m in members if str(m.get("role")).endswith("_drill_buckets")]
    assert [m.get("condition.expression") for m in buckets] == [
        f"resource.name.startsWith('projects/_/buckets/{drill_name('dev')}')"
    ]
    granted = gcp_platform.inventory.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    roles = {g.get("role") for g in granted if g.name.startswith("drill-")}
    assert roles == {"roles/storage.objectViewer", "roles/storage.legacyBucketReader"}
