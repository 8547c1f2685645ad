"""Which properties the real providers replace a resource for, held against the SDKs' own property names."""

from __future__ import annotations

import pytest

from common.sdk.replacement_aws import NAME_PROPERTY, REPLACE_ON, replace_on
from common.sdk.replacement_kubernetes import REPLACE_ON as KUBERNETES_REPLACE_ON
from common.sdk.types import input_properties


@pytest.mark.parametrize(("token", "paths"), REPLACE_ON.items(), ids=list(REPLACE_ON))
def test_every_listed_aws_property_is_an_input_of_its_type(token: str, paths: tuple[str, ...]) -> None:
    assert {path.split(".")[0] for path in paths} - {"namePrefix"} <= input_properties(token)


@pytest.mark.parametrize(("token", "paths"), KUBERNETES_REPLACE_ON.items(), ids=list(KUBERNETES_REPLACE_ON))
def test_every_listed_kubernetes_property_is_an_input_of_its_type(token: str, paths: tuple[str, ...]) -> None:
    assert {path.split(".")[0] for path in paths} <= input_properties(token)


@pytest.mark.parametrize(("token", "prop"), NAME_PROPERTY.items(), ids=list(NAME_PROPERTY))
def test_every_name_property_is_an_input_of_its_type(token: str, prop: str) -> None:
    assert prop in input_properties(token)


@pytest.mark.parametrize(
    ("token", "prop"),
    [
        ("aws:s3/bucket:Bucket", "bucket"),
        ("aws:dynamodb/table:Table", "hashKey"),
        ("aws:kms/key:Key", "multiRegion"),
        ("aws:backup/vault:Vault", "kmsKeyArn"),
        ("aws:eks/cluster:Cluster", "encryptionConfig"),
        ("aws:eks/nodeGroup:NodeGroup", "instanceTypes"),
        ("aws:ec2/vpc:Vpc", "cidrBlock"),
    ],
)
def test_what_holds_data_is_replaced_by_region_and_identity(token: str, prop: str) -> None:
    assert {"region", prop} <= set(replace_on(token))
