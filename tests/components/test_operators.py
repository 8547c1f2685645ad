"""The identities that people and pipelines take on: one for each job, for those whom the stack names."""

from __future__ import annotations

import json
from typing import Any

from components.contracts.cluster import AccessRole
from components.contracts.vocabulary import Cloud

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
            assert set(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]) == {arn for _, arn in named}
        else:
            token = "gcp:serviceaccount/iAMMember:IAMMember"
            found = {
                (r.name.removeprefix(f"{purpose}-"), r.get("member"))
                for r in platform.inventory.of_type(token)
                if r.name.startswith(f"{purpose}-") and r.get("role") == "roles/iam.serviceAccountTokenCreator"
            }
            assert found == named


def test_only_the_publisher_writes_models_and_only_the_feature_writer_writes_rows(aws_platform: Any) -> None:
    documents = {p: aws_platform.one("operators", f"{p}-{p}").get("policy") for p in TAKEN_ON_BY}
    assert [p for p, text in documents.items() if "s3:PutObject" in text] == ["publisher"]
    assert [p for p, text in documents.items() if "dynamodb:PutItem" in text] == ["feature-writer"]
